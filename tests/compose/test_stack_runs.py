"""Every service of docker-compose.yml, started by its own command in its own environment, together answering a person.

Images aside, this is the production form: nginx in front, the worker ingesting a mounted folder, the entrypoint script
making the models ready (on the stub server).
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import HttpCredentials, expect, sync_playwright
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.compose import ollama_program
from tests.compose.compose_file import PROJECT, SECRET, load_config
from tests.compose.door import PASSWORDS, Door, basic
from tests.compose.native_stack import NativeStack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLANTED_SETTINGS = {
    "ASSISTANT_OPENAI_API_KEY": "planted-openai-key-0123456789",
    "ASSISTANT_SIGN_IN__CLIENT_SECRET": "planted-client-secret-0123456789",
    "PUBLISH_ASK_RATE": "600r/m",
}
LEAVE = "# 休暇規程\n\n## 第5条 年次有給休暇\n\n有給休暇は、取得日の3営業日前までに申請します。\n"
VPN = "# VPN\n\nThe VPN certificate is renewed every 12 months by the help desk.\n"
CHROMIUM = "/usr/bin/chromium"
QUESTION = "有給休暇はいつまでに申請しますか?"
GRACE_SECONDS = {"nginx": 40.0, "ui": 15.0, "api": 60.0, "ingest": 60.0, "chroma": 30.0, "ollama": 30.0}


@pytest.fixture(scope="module")
def installation(open_folder: Path) -> Iterator[Door]:
    """All six services, healthy by their own health checks."""
    documents = open_folder / "文書"
    (documents / "人事").mkdir(parents=True)
    (documents / "人事" / "休暇規程.md").write_text(LEAVE, encoding="utf-8")
    (documents / "vpn.md").write_text(VPN, encoding="utf-8")
    for name in ("modelfiles", "ingest.toml"):
        (open_folder / name).symlink_to(PROJECT / name)
    config = load_config(open_folder, ASSISTANT_DOCUMENTS_FOLDER="文書", ASSISTANT_LOG_LEVEL="info", **PLANTED_SETTINGS)
    stack = NativeStack(config, open_folder, ollama_program.install(open_folder / "programs"))
    stack.added["ollama"] = {"STUB_MODELS": "llama3.1:8b-instruct-q4_K_M,nomic-embed-text"}
    try:
        for name in stack.start_order():
            for needed, condition in stack.service(name).get("depends_on", {}).items():
                assert condition == {"condition": "service_healthy"}
                stack.wait_until_healthy(needed)
            stack.start(name)
        for name in stack.running:
            stack.wait_until_healthy(name)
        yield Door(stack, f"http://{stack.addresses['nginx']}:8080")
    finally:
        stack.stop_all()


def ask(installation: Door, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    """POST through nginx as Aiko, or with other headers."""
    credentials = headers or basic("aiko")
    return httpx.post(installation.url + path, json=body, headers=credentials, trust_env=False, timeout=60)


def passages(installation: Door, question: str) -> list[dict[str, Any]]:
    """What is found for a question once the worker has read the folder."""
    deadline = time.monotonic() + 90
    while True:
        answer = ask(installation, "/api/search", {"question": question})
        if answer.status_code == 200 and answer.json()["passages"]:
            found: list[dict[str, Any]] = answer.json()["passages"]
            return found
        log = installation.stack.running["ingest"].text()[-3000:]
        assert time.monotonic() < deadline, f"{answer.status_code} {answer.text}\n{log}"
        time.sleep(0.3)


def test_every_service_is_healthy_by_its_own_check(installation: Door) -> None:
    assert sorted(installation.stack.running) == sorted(installation.stack.config["services"])
    for name, running in installation.stack.running.items():
        assert installation.stack.health(name).returncode == 0
        assert running.process.poll() is None


def test_each_dependency_is_seen_by_the_api_at_the_name_the_file_gives_it(installation: Door) -> None:
    states = installation.get("/api/readyz", **basic("aiko"))
    assert states.status_code == 200, states.text


def test_a_question_through_the_door_is_answered_with_the_mounted_document(installation: Door) -> None:
    assert passages(installation, QUESTION)[0]["path"] == "人事/休暇規程.md"
    answer = ask(installation, "/api/ask", {"question": QUESTION})
    assert answer.status_code == 200, answer.text
    assert answer.json()["mode"] == "generated"
    assert answer.json()["passages"][0]["path"] == "人事/休暇規程.md"


def test_the_same_question_streams_to_its_end(installation: Door) -> None:
    passages(installation, QUESTION)
    body = {"question": QUESTION, "stream": True}
    names = []
    with httpx.stream(
        "POST", f"{installation.url}/api/ask", json=body, headers=basic("aiko"), trust_env=False, timeout=60
    ) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        names = [line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")]
    assert names.index("found") < names.index("token")
    assert names[-1] == "finished"


def test_the_original_behind_a_passage_opens_for_a_person_and_for_nobody_else(installation: Door) -> None:
    document_id = passages(installation, QUESTION)[0]["document_id"]
    for prefix in ("", "/api"):
        original = installation.get(f"{prefix}/documents/{document_id}/file", **basic("aiko"))
        assert original.status_code == 200, original.text
        assert original.content.decode() == LEAVE
        assert installation.get(f"{prefix}/documents/{document_id}/file").status_code == 401


TRICKS = [
    "/documents/../../../../etc/passwd",
    "/documents/..%2f..%2f..%2fetc%2fpasswd/file",
    "/documents/%2e%2e/%2e%2e/etc/passwd",
    "/documents/..%252f..%252fetc%252fpasswd/file",
    "/documents/....//....//etc/passwd",
    "/documents/%2fetc%2fpasswd/file",
    "/documents/file:%2f%2f%2fetc%2fpasswd/file",
    "/documents/ID%00.txt/file",
    "/documents/ID/file/../../../../../../etc/passwd",
    "/documents/ID/file%2f..%2f..%2f..%2fvar%2fledger.db",
    "/documents/ID\\..\\..\\etc\\passwd/file",
    "/documents/..;/..;/etc/passwd",
    "/documents//etc/passwd",
    "/api/documents/..%c0%af..%c0%afetc%c0%afpasswd/file",
    "/static/../../../../etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/media/../../etc/passwd",
]


def test_no_trick_with_a_path_opens_another_file(
    installation: Door, record_property: Callable[[str, object], None]
) -> None:
    record_property("tricks", len(TRICKS))
    opened = 0
    document_id = passages(installation, QUESTION)[0]["document_id"]
    credentials = "Authorization: " + basic("aiko")["Authorization"]
    for trick in TRICKS:
        lines = [
            f"GET {trick.replace('ID', document_id)} HTTP/1.1",
            "Host: h",
            credentials,
            "Connection: close",
            "",
            "",
        ]
        answer = installation.raw("\r\n".join(lines).encode())
        opened += b"root:" in answer or b"SQLite format" in answer
        assert answer.split(b" ", 2)[1] in {b"200", b"307", b"400", b"404"}, (trick, answer[:200])
        assert b"root:" not in answer, trick
        assert b"SQLite format" not in answer, trick
        if answer.startswith(b"HTTP/1.1 200"):
            assert b"<html" in answer, f"{trick}: the screen's own page at most"
    record_property("opened", opened)


def test_a_forged_name_without_the_secret_is_nobody_to_the_api_itself(installation: Door) -> None:
    api = f"http://{installation.stack.addresses['api']}:8000"
    for headers in ({"X-Forwarded-User": "chie"}, {"X-Forwarded-User": "chie", "X-Proxy-Secret": "guessed"}):
        assert httpx.get(f"{api}/me", headers=headers, trust_env=False).status_code == 401
    through_the_door = installation.get("/api/me", **basic("aiko"), **{"X-Forwarded-User": "chie"})
    assert "aiko" in through_the_door.text
    assert "chie" not in through_the_door.text


def test_an_unknown_api_key_is_refused_by_the_api(installation: Door) -> None:
    assert installation.get("/v1/models", Authorization="Bearer guessed").status_code == 401
    assert installation.get("/v1/models", **basic("aiko")).status_code == 401


def test_the_screen_and_its_websocket_open_through_the_door(installation: Door) -> None:
    page = installation.get("/", **basic("aiko"))
    assert page.status_code == 200
    assert "<html" in page.text
    address = installation.url.replace("http:", "ws:") + "/_stcore/stream"
    with connect(address, additional_headers=basic("aiko"), origin=Origin(installation.url), proxy=None) as socket:
        assert socket.protocol.state.name == "OPEN"


@pytest.mark.browser
def test_a_person_asks_in_a_real_browser_under_the_content_policy(installation: Door) -> None:
    passages(installation, QUESTION)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        credentials: HttpCredentials = {"username": "aiko", "password": PASSWORDS["aiko"]}
        context = browser.new_context(locale="ja-JP", http_credentials=credentials)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(installation.url)
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill(QUESTION)
        box.press("Enter")
        expect(page.locator(".ca-answer")).not_to_be_empty(timeout=60_000)
        page.locator(".ca-source summary").first.click()
        link = page.locator(".ca-source a[href*='/documents/']").first
        expect(link).to_be_visible(timeout=30_000)
        original = context.request.get(installation.url + str(link.get_attribute("href")).split("#")[0])
        assert original.status == 200
        assert "申請" in original.text()
        browser.close()
    assert complaints == []


def test_a_document_put_into_the_folder_is_found_without_a_restart(installation: Door) -> None:
    documents = next(installation.stack.folder.glob("文書"))
    (documents / "駐輪場.md").write_text(
        "# 駐輪場\n\n駐輪場の登録番号は総務課のモクレン係が発行します。\n", encoding="utf-8"
    )
    deadline = time.monotonic() + 90
    while "駐輪場.md" not in {found["path"] for found in passages(installation, "モクレン係が発行する登録番号")}:
        assert time.monotonic() < deadline, installation.stack.running["ingest"].text()[-3000:]
        time.sleep(0.5)


def test_one_request_id_leads_from_nginx_to_the_api_to_the_call_of_the_model(installation: Door) -> None:
    passages(installation, QUESTION)
    request_id = "trace-through-all-0001"
    answer = ask(
        installation, "/api/ask", {"question": QUESTION}, **basic("aiko"), **{"X-Request-Id": request_id}
    ).json()
    assert answer["request_id"] == request_id
    deadline = time.monotonic() + 100
    while True:
        found = {name: lines_of(installation, name, request_id) for name in ("nginx", "api")}
        messages = {line.get("event") for line in found["api"]}
        if found["nginx"] and {"request", "model_call"} <= messages:
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    assert found["nginx"][0]["path"] == "/ask"
    (call,) = [line for line in found["api"] if line.get("event") == "model_call"]
    assert call["outcome"] == "answered"
    assert call["pieces"] > 0


def lines_of(installation: Door, name: str, request_id: str) -> list[dict[str, Any]]:
    """A service's log lines with this request id."""
    lines = [line for line in installation.stack.running[name].text().splitlines() if line.startswith("{")]
    return [found for found in map(json.loads, lines) if found.get("request_id") == request_id]


def test_no_secret_and_no_question_is_in_a_log_an_error_or_the_counters(
    installation: Door, record_property: Callable[[str, object], None]
) -> None:
    stack = installation.stack
    api = f"http://{stack.addresses['api']}:8000"
    made = subprocess.run(
        ["assistant", "keys", "create", "planted"], env=stack.environment("api"), capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    words = {
        "question": "planted-question-ヒイラギ",
        "query": "planted-query-0123456789",
        "cookie": "planted-cookie-0123456789",
        "wrong key": "ca_planted-wrong-key-0123456789",
        "wrong password": "planted-wrong-password",
        "body": "planted-body-0123456789",
    }
    key = made.stdout.strip()
    secrets = {**words, "key": key, "proxy": SECRET, "password": PASSWORDS["aiko"]}
    secrets |= {name: value for name, value in PLANTED_SETTINGS.items() if "planted" in value}
    told: list[str] = []
    for credentials in (
        basic("aiko"),
        basic("aiko", words["wrong password"]),
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"Bearer {words['wrong key']}"},
        {"X-Forwarded-User": "chie", "X-Proxy-Secret": "planted-forged"},
    ):
        headers = {**credentials, "Cookie": f"__Host-assistant={words['cookie']}; other={words['cookie']}"}
        for path in ("/api/ask", "/v1/chat/completions", "/api/nowhere", "/api/jobs"):
            for body in ({"question": [words["body"]]}, {"messages": words["body"]}, {"question": "x" * 5000}):
                told.append(ask(installation, path, body, **headers).text)
        for path in ("/api/documents", "/api/documents/d_0", "/documents/d_0/file", "/api/readyz", "/nowhere"):
            told.append(installation.get(f"{path}?query={words['query']}&cursor={words['query']}", **headers).text)
        question = {"question": f"{words['question']} とは何ですか?"}
        ask(installation, "/api/ask", question, **headers)
        raw = httpx.post(
            f"{installation.url}/api/ask", content=b"{" + words["body"].encode(), headers=headers, trust_env=False
        )
        told.append(raw.text)
    doctor = subprocess.run(["assistant", "doctor"], env=stack.environment("api"), capture_output=True, text=True)
    told += [doctor.stdout, doctor.stderr, made.stderr]
    told += [httpx.get(f"{api}{path}", trust_env=False).text for path in ("/metrics", "/readyz", "/openapi.json")]
    written = {name: running.text() for name, running in stack.running.items()}
    assert "/nowhere" in written["nginx"], "what was asked for is looked for where it would be"
    leaks = [(what, name) for what, value in secrets.items() for name, text in written.items() if value in text]
    leaks += [(what, text[:200]) for what, value in secrets.items() for text in told if value in text]
    for said, count in (("planted", len(secrets)), ("places", len(written) + len(told)), ("found", len(leaks))):
        record_property(said, count)
    assert leaks == []
    kept = b"".join(path.read_bytes() for path in stack.mounts("api")["/data"].glob("ledger.db*"))
    for what in ("key", "wrong key", "proxy", "password", "wrong password", "cookie", *PLANTED_SETTINGS):
        if "planted" in secrets.get(what, "") or what in {"key", "proxy", "password"}:
            assert secrets[what].encode() not in kept, what


def test_every_service_stops_within_its_grace_and_comes_back_with_what_it_had(installation: Door) -> None:
    before = {passage["path"] for passage in passages(installation, QUESTION)}
    for name in reversed(installation.stack.start_order()):
        assert installation.stack.stop(name) < GRACE_SECONDS[name], name
    for name in installation.stack.start_order():
        installation.stack.start(name)
    for name in installation.stack.running:
        installation.stack.wait_until_healthy(name)
    assert {passage["path"] for passage in passages(installation, QUESTION)} >= before
