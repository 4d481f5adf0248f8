"""The only door: who gets in, as whom, and what can never be reached through it. A real nginx, Debian's."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import streamlit
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.compose.compose_file import PROJECT, SECRET
from tests.compose.door import PASSWORDS, Door, basic
from ui.style import LANGUAGE_SCRIPTS

TEMPLATE = PROJECT / "nginx" / "nginx.conf.template"
KEY = {"Authorization": "Bearer ca_key"}

PERSON_PATHS = {
    "/": "/some/page",
    "/documents": "/documents",
    "/documents/": "/documents/d_1/file",
    "/api/": "/api/documents",
    "/api/ask": "/api/ask",
    "/api/uploads": "/api/uploads",
    "/_stcore/upload_file/": "/_stcore/upload_file/session/file",
}
KEY_PATHS = {
    "/v1/": "/v1/models",
    "/mcp": "/mcp",
    "/api/": "/api/documents",
    "/api/ask": "/api/ask",
    "/api/uploads": "/api/uploads",
    "/documents/": "/documents/d_1/file",
}
PUBLIC_PATHS = {"/static/": "/static/js/index.js"}

FORGED = {
    "X-Forwarded-User": "chie",
    "X-Proxy-Secret": "guessed",
    "X_Forwarded_User": "chie",
    "Remote-User": "chie",
    "Remote-Groups": "admins",
    "X-Remote-User": "chie",
    "X-User": "chie",
    "X-Forwarded-Email": "chie@example.com",
    "X-Forwarded-Groups": "admins",
    "X-Forwarded-Preferred-Username": "chie",
    "X-Auth-Request-User": "chie",
    "X-Auth-Request-Groups": "admins",
    "X-Forwarded-For": "203.0.113.7",
    "X-Real-IP": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;host=evil",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/metrics",
}


def received(answer: httpx.Response) -> dict[str, Any]:
    """What the server behind nginx saw; header names in lower case, none of them twice."""
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    names = [name for name, _ in seen["headers"]]
    assert len(names) == len(set(names)), "a header that arrives twice can be read as either"
    seen["headers"] = dict(seen["headers"])
    return seen


def raw_get(door: Door, target: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """A request whose target goes out as it is, without a client's tidying."""
    host = door.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.putrequest("GET", target, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_nginx_itself_finds_nothing_wrong_with_the_configuration(door: Door) -> None:
    run = Path(door.stack.environment("nginx")["NGINX_RUN_FOLDER"])
    command = ["nginx", "-t", "-p", f"{run}/", "-c", f"{run}/conf/nginx.conf", "-e", "stderr"]
    done = subprocess.run(command, env=door.stack.environment("nginx"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


# ---- who gets in


@pytest.mark.parametrize("path", PERSON_PATHS.values())
def test_a_person_needs_the_right_password(door: Door, path: str) -> None:
    for headers in ({}, basic("aiko", "wrong"), basic("山田", "right-password"), {"Authorization": "Basic !"}):
        refused = door.get(path, **headers)
        assert refused.status_code == 401
        assert refused.headers.get_list("WWW-Authenticate") == ['Basic realm="company-assistant"']
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["status"] == 401
    assert door.get(path, **basic("aiko")).status_code == 200


def test_the_screen_does_not_open_with_an_api_key(door: Door) -> None:
    assert door.get("/", **KEY).status_code == 401


@pytest.mark.parametrize("user", PASSWORDS)
@pytest.mark.parametrize("path", PERSON_PATHS.values())
def test_the_one_who_gave_the_password_is_named_and_the_password_goes_no_further(
    door: Door, path: str, user: str
) -> None:
    headers = received(door.get(path, **basic(user)))["headers"]
    assert headers["x-forwarded-user"].encode("latin-1").decode() == user
    assert headers["x-proxy-secret"] == SECRET
    assert "authorization" not in headers


@pytest.mark.parametrize("path", KEY_PATHS.values())
def test_an_app_comes_in_with_its_key_and_nobody_is_named(door: Door, path: str) -> None:
    for scheme in ("Bearer", "bearer"):
        headers = received(door.get(path, Authorization=f"{scheme} ca_key"))["headers"]
        assert headers["authorization"] == f"{scheme} ca_key"
        assert "x-forwarded-user" not in headers


def test_a_claimed_password_names_nobody_where_no_password_is_checked(door: Door) -> None:
    for path in ("/v1/models", "/static/x.js"):
        headers = received(door.get(path, **basic("aiko", "wrong")))["headers"]
        assert "x-forwarded-user" not in headers
        assert "authorization" not in headers


def test_two_authorizations_in_one_request_are_refused(door: Door) -> None:
    pair = [("Authorization", "Bearer x"), ("Authorization", basic("aiko")["Authorization"])]
    for headers in (pair, pair[::-1]):
        answer = httpx.get(f"{door.url}/api/documents", headers=headers, trust_env=False)
        assert answer.status_code in {400, 401}


# ---- what a client cannot bring in


def proxied_locations() -> set[str]:
    """Prefixes of the locations that pass a request on, from the configuration itself."""
    found = re.findall(
        r"^    location (?:= |\^~ )?(\S+) \{\n(.*?)^    \}", TEMPLATE.read_text(), re.DOTALL | re.MULTILINE
    )
    return {prefix for prefix, body in found if "proxy_pass" in body}


def test_every_location_that_passes_requests_on_is_among_those_tested_here() -> None:
    assert proxied_locations() == PERSON_PATHS.keys() | KEY_PATHS.keys() | PUBLIC_PATHS.keys()


@pytest.mark.parametrize(
    ("path", "credentials", "user"),
    [
        *[(path, basic("aiko"), "aiko") for path in PERSON_PATHS.values()],
        *[(path, KEY, None) for path in KEY_PATHS.values()],
        *[(path, {}, None) for path in PUBLIC_PATHS.values()],
    ],
)
def test_forged_identity_is_overwritten_or_cleared_in_every_location(
    door: Door, path: str, credentials: dict[str, str], user: str | None
) -> None:
    headers = received(door.get(path, **FORGED, **credentials))["headers"]
    assert headers.get("x-forwarded-user") == user
    assert headers["x-proxy-secret"] == SECRET
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == "127.0.0.1"
    assert not {"chie", "admins", "chie@example.com", "/evil", "/metrics", "guessed"} & set(headers.values())
    assert "203.0.113.7" not in str(headers)


def test_the_api_loses_its_prefix_and_the_others_keep_theirs(door: Door) -> None:
    seen = received(door.get("/api/documents/%E4%BA%BA%E4%BA%8B?query=%E6%9C%89%E7%B5%A6&limit=5", **basic("aiko")))
    assert (seen["server"], seen["path"]) == ("api", "/documents/人事")
    assert seen["query"] == "query=%E6%9C%89%E7%B5%A6&limit=5"
    assert received(door.get("/v1/models", **KEY))["path"] == "/v1/models"
    original = received(door.get("/documents/d_1/file", **basic("aiko")))
    assert (original["server"], original["path"]) == ("api", "/documents/d_1/file")
    for page in ("/", "/documents"):
        assert received(door.get(page, **basic("aiko")))["server"] == "ui"


def test_a_request_id_is_kept_when_harmless_and_replaced_otherwise(door: Door) -> None:
    kept = door.get("/api/x", **basic("aiko"), **{"X-Request-Id": "trace-0001"})
    assert received(kept)["headers"]["x-request-id"] == "trace-0001"
    assert kept.headers.get_list("X-Request-Id") == ["trace-0001"]
    for odd in ("short", "a b c d e f g", "x" * 65, "<script>alert</script>"):
        replaced = door.get("/api/x", **basic("aiko"), **{"X-Request-Id": odd})
        assert re.fullmatch(r"[0-9a-f]{32}", replaced.headers["X-Request-Id"])
        assert received(replaced)["headers"]["x-request-id"] == replaced.headers["X-Request-Id"]


# ---- what cannot be reached


@pytest.mark.parametrize(
    "target",
    [
        "/api/metrics",
        "/api/metrics/",
        "/api//metrics",
        "/api/./metrics",
        "/api/x/../metrics",
        "/api/%6detrics",
        "/api/x/..%2fmetrics",
        "/v1/../api/metrics",
        "/_stcore/metrics",
        "/_stcore/agent/mcp",
        "/_stcore/agent",
    ],
)
def test_counters_and_inner_doors_do_not_exist_from_outside(door: Door, target: str) -> None:
    for credentials in (basic("aiko"), KEY):
        status, body = raw_get(door, target, credentials)
        assert status == 404, body
        assert json.loads(body)["status"] == 404


@pytest.mark.parametrize(
    "target",
    ["/v1/../metrics", "/api/../metrics", "/v1/%2e%2e/metrics", "/api/%252e%252e/metrics", "/static/../metrics"],
)
def test_no_detour_leads_to_the_apis_counters(door: Door, target: str) -> None:
    for credentials in (basic("aiko"), KEY, {}):
        status, body = raw_get(door, target, credentials)
        seen = json.loads(body)
        assert status in {400, 401, 404} or (seen["server"], seen["path"]) != ("api", "/metrics")


def test_nothing_but_api_and_ui_is_ever_asked(door: Door) -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert set(re.findall(r"proxy_pass (\S+);", text)) == {"http://$api", "http://$ui"}
    environment = door.stack.service("nginx")["environment"]
    assert not [value for value in environment.values() if "chroma" in value or "ollama" in value]
    for path in ("/api/tags", "/api/v2/heartbeat", "/api/generate"):
        assert received(door.get(path, **basic("aiko")))["server"] == "api"


# ---- streams, sockets, sizes, absence


@pytest.mark.parametrize(("path", "credentials"), [("/api/events", basic("aiko")), ("/v1/events", KEY)])
def test_events_arrive_when_they_are_sent(door: Door, path: str, credentials: dict[str, str]) -> None:
    delays = []
    headers = {**credentials, "Accept-Encoding": "gzip"}
    with httpx.stream("POST", door.url + path, headers=headers, trust_env=False, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                delays.append(time.monotonic() - json.loads(line[6:])["sent"])
    assert len(delays) == 5
    assert sorted(delays)[2] < 0.2, "kept back, all come with the fifth, 0.4 s after the third was sent"
    assert "proxy_buffering off;" in (PROJECT / "nginx" / "proxy.conf.template").read_text(encoding="utf-8")


def test_a_reader_who_leaves_is_noticed_by_the_api_at_once(door: Door) -> None:
    with httpx.stream("POST", f"{door.url}/api/endless", headers=basic("aiko"), trust_env=False, timeout=20) as answer:
        assert next(answer.iter_lines()) == "data: x"
    deadline = time.monotonic() + 30
    while (seconds := door.get("/api/left", **basic("aiko")).json()["left_after_seconds"]) < 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert seconds < 5, "a proxy that does not pass it on notices after its 300 s"


def test_the_screens_websocket_passes_with_the_persons_name(door: Door) -> None:
    address = door.url.replace("http:", "ws:") + "/_stcore/stream"
    forged = {"X-Forwarded-User": "chie", "X-Proxy-Secret": "guessed"}
    with connect(address, additional_headers={**basic("aiko"), **forged}, proxy=None) as socket:
        seen = json.loads(socket.recv(timeout=10))
        headers = dict(seen["headers"])
        assert seen["path"] == "/_stcore/stream"
        assert (headers["x-forwarded-user"], headers["x-proxy-secret"]) == ("aiko", SECRET)
        assert "authorization" not in headers
        socket.send("有給休暇")
        assert socket.recv(timeout=10) == "有給休暇"


@pytest.mark.parametrize("headers", [{}, basic("aiko", "wrong"), KEY])
def test_no_websocket_without_the_right_password(door: Door, headers: dict[str, str]) -> None:
    address = door.url.replace("http:", "ws:") + "/_stcore/stream"
    with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers, proxy=None):
        pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_one_megabyte_is_a_problem_in_the_callers_language(door: Door, is_chunked: bool) -> None:
    large = b"x" * 1_100_000
    for language, words in (("ja,en;q=0.5", "短くしてください"), ("en", "larger than 1 MB")):
        content = iter([large]) if is_chunked else large
        headers = {**basic("aiko"), "Accept-Language": language}
        answer = httpx.post(f"{door.url}/api/ask", content=content, headers=headers, trust_env=False)
        assert answer.status_code == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert words in answer.json()["detail"]
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    small = httpx.post(f"{door.url}/api/ask", content=b"x" * 900_000, headers=basic("aiko"), trust_env=False)
    assert small.json()["body_bytes"] == 900_000


def test_a_refusal_of_the_api_itself_passes_unchanged(door: Door) -> None:
    answer = door.get("/api/refused", **basic("aiko"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "77")
    assert answer.json() == {"title": "busy", "status": 503}


def test_the_log_names_who_was_let_in_and_holds_no_query(door: Door) -> None:
    door.get("/api/search-log?question=secret-question", **basic("aiko"))
    door.get("/v1/log-of-a-claim", **basic("aiko", "wrong"))
    deadline = time.monotonic() + 30  # a line is written after its answer was sent
    while "/v1/log-of-a-claim" not in door.log():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lines = [json.loads(line) for line in door.log().splitlines() if line.startswith("{")]
    users = {line["path"]: line["user"] for line in lines}
    assert users["/search-log"] == "aiko"
    assert users["/v1/log-of-a-claim"] == ""
    assert "secret-question" not in door.log()
    assert SECRET not in door.log()


# ---- what every answer carries


@pytest.mark.parametrize("path", ["/", "/api/documents", "/healthz", "/api/metrics", "/static/x.js"])
@pytest.mark.parametrize("credentials", [{}, basic("aiko")])
def test_every_answer_carries_the_security_headers_once(door: Door, path: str, credentials: dict[str, str]) -> None:
    headers = door.get(path, **credentials).headers
    assert headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_list("X-Frame-Options") == ["DENY"]
    assert headers.get_list("Referrer-Policy") == ["no-referrer"]
    assert len(headers.get_list("X-Request-Id")) == 1
    policy = headers.get_list("Content-Security-Policy")
    assert len(policy) == 1
    assert "default-src 'self'" in policy[0]
    assert "unsafe-eval" not in policy[0]
    assert headers["Server"] == "nginx"
    assert "X-Powered-By" not in headers


def test_the_policy_lets_exactly_streamlits_inline_script_and_the_pages_language_run(door: Door) -> None:
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = [*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), *LANGUAGE_SCRIPTS.values()]
    hashes = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}
    assert set(re.findall(r"'sha256-([^']+)'", door.get("/healthz").headers["Content-Security-Policy"])) == hashes


# ---- starting


def start_with(door: Door, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """start.sh with another environment; it is expected to refuse."""
    environment = {**door.stack.environment("nginx"), "NGINX_RUN_FOLDER": str(folder / "run"), **changes}
    return subprocess.run(door.stack.words("nginx"), env=environment, capture_output=True, text=True, timeout=10)


@pytest.mark.parametrize(
    "secret", ["", "short", "with space in it 0123456789", "with|pipe|0123456789", 'quote"0123456789abc']
)
def test_a_weak_or_odd_secret_is_refused_in_both_languages(door: Door, tmp_path: Path, secret: str) -> None:
    done = start_with(door, tmp_path, ASSISTANT_PROXY_SECRET=secret)
    assert done.returncode == 1
    assert "ASSISTANT_PROXY_SECRET" in done.stderr
    assert "ください" in done.stderr or "だけです" in done.stderr
    assert not (tmp_path / "run" / "conf" / "nginx.conf").exists()


@pytest.mark.parametrize("content", [None, "", "aiko\n", "aiko:plain\n"])
def test_no_usable_password_file_is_said_with_the_command_that_makes_one(
    door: Door, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "passwords").write_text(content)
    done = start_with(door, tmp_path, NGINX_PASSWORDS=str(tmp_path / "passwords"))
    assert done.returncode == 1
    assert "htpasswd -B -C 5 -c var/htpasswd" in done.stderr


def test_what_holds_the_secret_can_be_read_by_nginx_alone(door: Door) -> None:
    run = Path(door.stack.environment("nginx")["NGINX_RUN_FOLDER"])
    holders = [file for file in run.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
    assert [file.name for file in holders] == ["proxy.conf"]
    assert holders[0].stat().st_mode & 0o077 == 0
    process = door.stack.running["nginx"].process
    for file in ("cmdline", "environ"):
        assert SECRET.encode() not in Path(f"/proc/{process.pid}/{file}").read_bytes()
