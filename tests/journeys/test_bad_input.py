"""Each thing that goes wrong is a clear sentence with what to do, in the caller's language, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.deployment import PROXY_SECRET, Deployment

JAPANESE = {"LANG": "ja_JP.UTF-8"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("bad-input")
    documents = folder / "documents"
    documents.mkdir()
    (documents / "休暇.md").write_text("# 休暇\n\n有給休暇は取得日の3営業日前までに申請する。\n", encoding="utf-8")
    made = Deployment(folder, documents)
    with made.up("chroma,api"):
        assert made.run("ingest", "run").returncode == 0
        yield made


def test_an_unknown_setting_is_named_with_the_nearest_known_one(deployment: Deployment) -> None:
    done = deployment.run("assistant", "ask", "x", ASSISTANT_OLAMA_URL="x", **JAPANESE)
    assert done.returncode == 2
    assert "ASSISTANT_OLAMA_URL という設定はありません" in done.stderr
    assert "ASSISTANT_OLLAMA_URL のことですか" in done.stderr


@pytest.mark.slow
def test_a_missing_folder_is_named_and_nothing_is_deleted(deployment: Deployment) -> None:
    done = deployment.run("ingest", "run", "--folder", str(deployment.folder / "none"))
    assert done.returncode == 1
    assert "none" in done.stderr
    assert "→" in done.stderr
    assert deployment.status()["ledger_searchable"] == 1


@pytest.mark.slow
def test_a_folder_that_is_suddenly_empty_deletes_nothing(deployment: Deployment) -> None:
    away = deployment.folder / "away"
    shutil.move(deployment.documents, away)
    deployment.documents.mkdir()
    try:
        done = deployment.run("ingest", "run", **JAPANESE)
    finally:
        deployment.documents.rmdir()
        shutil.move(away, deployment.documents)
    assert done.returncode == 1
    assert "ingest run --allow-deletions" in done.stdout
    assert deployment.status()["ledger_searchable"] == 1


@pytest.mark.slow
def test_an_unreadable_file_is_listed_with_its_reason_and_the_rest_is_searchable(deployment: Deployment) -> None:
    damaged = deployment.documents / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\nthis is no document")
    try:
        done = deployment.run("ingest", "run", "--json")
        assert done.returncode == 1
        (failure,) = json.loads(done.stdout)["failures"]
        assert failure["path"] == "damaged.pdf"
        assert failure["reason"] == "corrupt"
        assert deployment.ask("有給休暇はいつまで?").json()["citations"]
    finally:
        damaged.unlink()
        assert deployment.run("ingest", "run").returncode == 0


def test_an_empty_question_is_refused_by_command_line_and_api(deployment: Deployment) -> None:
    done = deployment.run("assistant", "ask", "  ", **JAPANESE)
    assert done.returncode == 1
    assert "質問が空です" in done.stderr
    reply = deployment.ask(" ", headers={"Accept-Language": "ja"})
    assert reply.status_code == 422
    assert "question" in reply.text
    assert reply.json()["hint"]


def test_a_question_of_20000_characters_is_refused_with_the_limit(deployment: Deployment) -> None:
    reply = deployment.ask("長" * 20_000)
    assert reply.status_code == 422
    assert "4,000" in reply.json()["detail"]
    assert deployment.run("assistant", "search", "長" * 20_000).returncode == 1


@pytest.mark.parametrize(("language", "words"), [("ja", "Ollama"), ("en", "Ollama")])
def test_without_ollama_the_answer_is_quoted_and_says_why(
    tmp_path: Path, deployment: Deployment, language: str, words: str
) -> None:
    question = "有給休暇はいつまでに申請しますか?" if language == "ja" else "When is paid leave applied for? 有給"
    done = deployment.run(
        "assistant", "ask", question, "--json", ASSISTANT_ANSWERS="ollama", ASSISTANT_OLLAMA_URL="http://127.0.0.1:9"
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["mode"] == "quotes"
    assert answer["reason"] == "model_unavailable"
    assert answer["warnings"] == ["model_unavailable"]
    assert words in answer["notices"][0]["message"]


def test_with_chroma_down_documents_are_still_found_and_the_degraded_search_is_announced(
    deployment: Deployment,
) -> None:
    done = deployment.run(
        "assistant", "ask", "有給休暇はいつまでに申請しますか?", "--json", ASSISTANT_CHROMA_URL="http://127.0.0.1:9"
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["citations"][0]["quote"] == "有給休暇は取得日の3営業日前までに申請する。"
    assert answer["warnings"] == ["degraded_search_store_unavailable"]
    assert "assistant up" in answer["notices"][0]["message"]


@pytest.mark.slow
def test_ingesting_with_chroma_down_stops_with_the_command_that_helps(deployment: Deployment) -> None:
    added = deployment.documents / "new.md"
    added.write_text("# 新しい\n\n新しい規程の本文です。\n", encoding="utf-8")
    try:
        done = deployment.run(
            "ingest", "run", ASSISTANT_CHROMA_URL="http://127.0.0.1:9", ASSISTANT_STORE_WAIT_SECONDS="2", **JAPANESE
        )
        assert done.returncode == 1
        assert "assistant up" in done.stderr
        assert deployment.run("ingest", "run").returncode == 0
        assert deployment.status()["ledger_searchable"] == 2
    finally:
        added.unlink()
        assert deployment.run("ingest", "run").returncode == 0


def test_a_file_without_permission_is_listed(deployment: Deployment) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    locked = deployment.documents / "locked.md"
    locked.write_text("x")
    locked.chmod(0)
    done = deployment.run("ingest", "run", "--json")
    locked.unlink()
    assert json.loads(done.stdout)["failures"][0]["reason"] == "no_permission"


ODD_QUESTIONS = {
    "empty": ("", 422),
    "blanks": (" \u3000\n\t", 422),
    "20,000 characters": ("長" * 20_000, 422),
    "control characters alone": ("\x00\x01\x1b", 422),
    "control characters": ("有給\x00休暇\x1b[31mはいつまで?", 200),
    "emoji alone": ("🎉🙏🏽", 200),
    "Thai": ("ต้องขอลาพักร้อนล่วงหน้ากี่วัน", 200),
    "Arabic": ("متى يجب طلب الإجازة؟", 200),
    "direction changes": ("\u202eいつまで休暇\u202c\u2066?\u2069", 200),
    "SQL": ("'; DROP TABLE documents; --", 200),
    "HTML": ("<script>alert(1)</script><img src=x onerror=alert(1)>", 200),
    "template": ("{{7*7}} ${7*7} %s %(x)s", 200),
    "tantivy's syntax": ('title:(有給 AND ~"休暇"^9 [a TO *]', 200),
    "half a surrogate": ("休暇\ud83d?", 200),
}


def asked_through(deployment: Deployment, face: str, question: str) -> httpx.Response:
    """The question through one of the four faces of the API."""
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET, "Content-Type": "application/json"}
    path, body = {
        "json": ("/ask", {"question": question}),
        "stream": ("/ask", {"question": question, "stream": True}),
        "search": ("/search", {"question": question}),
        "openai": (
            "/v1/chat/completions",
            {"model": "company-assistant", "messages": [{"role": "user", "content": question}]},
        ),
    }[face]
    # httpx refuses lone surrogates; a client that escapes them as JSON allows does not.
    content = json.dumps(body).encode()
    return httpx.post(deployment.api_url + path, content=content, headers=headers, timeout=100, trust_env=False)


@pytest.mark.parametrize("face", ["json", "stream", "search", "openai"])
@pytest.mark.parametrize("kind", list(ODD_QUESTIONS))
def test_an_odd_question_gets_a_clear_answer_through_every_face(deployment: Deployment, kind: str, face: str) -> None:
    question, status = ODD_QUESTIONS[kind]
    reply = asked_through(deployment, face, question)

    assert reply.status_code == status, reply.text
    if status == 422:
        assert "question" in reply.text.lower()
        return
    if face == "stream":
        ends = [line for line in reply.text.splitlines() if line in ("event: finished", "event: error")]
        assert ends == ["event: finished"]
    elif face == "search":
        assert isinstance(reply.json()["passages"], list)
    elif face == "openai":
        assert reply.json()["choices"][0]["message"]["content"]
    else:
        answer = reply.json()
        assert answer["answer"]
        assert answer["refused"] or answer["citations"]
    assert "<script" not in reply.text.lower()
