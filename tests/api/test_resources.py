"""GET and POST /jobs, /healthz, /readyz, /metrics, and the log line of each request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import domain
from assistant.adapters.breaker import Breaker
from assistant.adapters.ledger import Ledger
from assistant.backends import MOVED_CODE
from assistant.errors import ModelUnavailable, Text
from assistant.wire import JobOut, JobsOut, ReadyOut
from assistant.wire_library import JobDetailOut
from tests.api.canned import ANSWER, FOUND, RunningServer, asking
from tests.api.conftest import StartServer

PLANNED = (("a.md", "everyone"), ("限定/b.md", "board"))
AWAY = Text(ja="いません。", en="Away.")
OK = domain.DependencyState("ledger", "ok", "answers", "", "")
WARN = domain.DependencyState("model", "warn", "away", "起動してください。", "Start it.")
FAIL = domain.DependencyState("vectors", "fail", "away", "起動してください。", "Start it.")


@pytest.fixture
def aiko(ledger: Ledger) -> str:
    """Aiko's key, which may ingest."""
    return "Bearer " + ledger.create_key("aiko", scopes=["ingest"])


def test_an_ingestion_asked_for_is_a_queued_row_in_the_ledger(
    server: RunningServer, ledger: Ledger, tmp_path: Path, aiko: str
) -> None:
    with server.client(user=None, Authorization=aiko) as client:
        response = client.post("/jobs", json={})
        assert response.status_code == 202
        job = JobOut.model_validate(response.json())
        assert client.get(response.headers["location"]).json() == response.json() | {"result": None}
        assert JobsOut.model_validate(client.get("/jobs").json()).jobs == [job]
    assert (job.kind, job.state, job.requested_by) == ("run", "queued", "app:aiko")
    assert job.folder == str(tmp_path / "handbook")
    claimed = ledger.claim_job(worker="w")
    assert claimed is not None
    assert claimed.job_id == job.job_id


def test_a_plan_names_only_files_that_the_one_who_looks_may_read(
    server: RunningServer, ledger: Ledger, tmp_path: Path, aiko: str
) -> None:
    with server.client(user=None, Authorization=aiko) as client:
        job = client.post("/jobs", json={"kind": "plan"}).json()
        files = {"add": [{"path": p, "bytes": 3, "note": None, "groups": [g]} for p, g in PLANNED]}
        found = {"counts": {"add": 2}, "files": files, "read_files": 2, "read_bytes": 6, "seconds": None, "runs": 0}
        ledger.finish_job(job["job_id"], counts={"add": 2}, error=None, result=found)
        detail = JobDetailOut.model_validate(client.get(f"/jobs/{job['job_id']}").json())
    assert (detail.kind, detail.state) == ("plan", "done")
    assert detail.result is not None
    assert [file.path for file in detail.result.files["add"]] == ["a.md"]
    assert detail.result.counts == {"add": 2}


def test_only_folders_that_the_operator_chose_can_be_ingested(
    server: RunningServer, ledger: Ledger, tmp_path: Path, aiko: str
) -> None:
    ledger.register_folder(tmp_path / "other")
    with server.client(user=None, Authorization=aiko, **{"Accept-Language": "en"}) as client:
        for name, root in (("handbook", "handbook"), ("other/", "other")):
            assert client.post("/jobs", json={"folder": name}).json()["folder"] == str(tmp_path / root)
        for name in ("/etc", "..", "handbook/../..", str(tmp_path)):
            refused = client.post("/jobs", json={"folder": name})
            assert refused.status_code == 422
            assert refused.json()["code"] == "folder_missing"
        assert "handbook, other" in refused.json()["hint"]
        assert len(client.get("/jobs", params={"limit": 100}).json()["jobs"]) == 2


def test_a_repeated_request_gives_the_job_of_the_first(server: RunningServer, ledger: Ledger, aiko: str) -> None:
    other = "Bearer " + ledger.create_key("other", scopes=["ingest"])
    with server.client(user=None, Authorization=aiko, **{"Idempotency-Key": "night-1", "Accept-Language": "en"}) as one:
        first = one.post("/jobs", json={})
        again = one.post("/jobs", json={"kind": "run", "folder": "handbook"})
        assert (again.status_code, again.json()) == (202, first.json())
        assert again.headers["location"] == first.headers["location"]
        ledger.register_folder(Path(first.json()["folder"]).parent / "other")
        reused = one.post("/jobs", json={"folder": "other"})
        assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
        for key in ("a b", "x" * 256, ""):
            assert one.post("/jobs", json={}, headers={"Idempotency-Key": key}).status_code == 422
    with server.client(user=None, Authorization=other, **{"Idempotency-Key": "night-1"}) as two:
        assert two.post("/jobs", json={}).json()["job_id"] != first.json()["job_id"]
    with server.client(user=None, Authorization=aiko) as plain:
        assert len({plain.post("/jobs", json={}).json()["job_id"] for _ in range(2)}) == 2


def test_twenty_repeats_at_the_same_moment_make_one_job(server: RunningServer, ledger: Ledger, aiko: str) -> None:
    def ask(_: int) -> str:
        with server.client(user=None, Authorization=aiko, **{"Idempotency-Key": "k"}) as client:
            response = client.post("/jobs", json={})
            assert response.status_code == 202, response.text
            return str(response.json()["job_id"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(20)))) == 1
    assert len(ledger.list_jobs()) == 1


def test_an_unknown_job_is_not_found(server: RunningServer, aiko: str) -> None:
    with server.client(user=None, Authorization=aiko) as client:
        for job_id in ("j_0", "%00", "a" * 300):
            assert client.get(f"/jobs/{job_id}").status_code == 404


@pytest.mark.parametrize(
    ("states", "status", "word"), [([OK], 200, "ready"), ([OK, WARN], 200, "ready"), ([OK, FAIL], 503, "not_ready")]
)
def test_readiness_names_each_dependency_and_what_to_do(
    start_server: StartServer, states: list[domain.DependencyState], status: int, word: str
) -> None:
    server = start_server(states=states)
    for language in ("ja", "en"):
        with server.client(user=None, **{"Accept-Language": language}) as client:
            response = client.get("/readyz")
        assert response.status_code == status
        ready = ReadyOut.model_validate(response.json())
        assert ready.status == word
        assert [(d.name, d.state) for d in ready.dependencies] == [(s.name, s.state) for s in states]
        if len(states) == 2:
            assert ready.dependencies[1].hint == ("起動してください。" if language == "ja" else "Start it.")


def test_the_process_lives_while_nothing_else_does(start_server: StartServer) -> None:
    server = start_server(states=[FAIL])
    with server.client(user=None) as client:
        assert client.get("/healthz").json() == {"status": "ok"}


def test_counters_tell_what_happened_and_name_nobody(start_server: StartServer) -> None:
    server = start_server()
    with server.client() as client:
        client.post("/ask", json={"question": "zebra question"})
        with asking(client) as stream:
            stream.rest()
        client.post("/ask", json={"question": ""})
        client.get("/documents/zebra")
        text = client.get("/metrics").text
    assert 'assistant_questions_total{mode="generated",refused="false"} 2.0' in text
    assert 'assistant_errors_total{code="question_error"} 1.0' in text
    assert "assistant_first_token_seconds_count 2.0" in text
    assert "assistant_retrieval_seconds_count 2.0" in text
    assert "assistant_streams_active 0.0" in text
    assert 'assistant_requests_total{route="/documents/{document_id}",status="404"} 1.0' in text
    assert "zebra" not in text
    assert "ben" not in text


def test_an_open_stream_is_counted_while_it_is_open(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 30.0))
    with server.client() as client, asking(client) as stream:
        stream.next()
        assert "assistant_streams_active 1.0" in client.get("/metrics").text


def test_each_request_is_one_log_line_without_the_question(server: RunningServer) -> None:
    with server.client(**{"X-Request-Id": "line-1", "Authorization": "Basic Y2FuYXJ5"}) as client:
        client.post("/ask?zebra=1", json={"question": "zebra question"})
        client.post("/search", json={"question": "zebra question"})
        client.get("/zebra")
        client.get("/healthz")
    asked, searched, unknown = server.log(count=3)
    assert "zebra" not in server.log_text
    assert "Y2FuYXJ5" not in server.log_text
    assert asked["seconds"] >= 0
    assert {name: asked[name] for name in ("event", "request_id", "method", "route", "status", "user", "mode")} == {
        "event": "request",
        "request_id": "line-1",
        "method": "POST",
        "route": "/ask",
        "status": 200,
        "user": "ben",
        "mode": "generated",
    }
    assert (asked["model"], asked["prompt_tokens"]) == ("company-assistant", 900)
    assert (searched["route"], searched["passages"]) == ("/search", 1)
    assert (unknown["route"], unknown["status"], unknown["code"]) == ("unknown", 404, "address_unknown")


def test_questions_are_logged_only_when_the_settings_say_so(start_server: StartServer) -> None:
    server = start_server(log_questions=True)
    with server.client() as client:
        client.post("/ask", json={"question": "有給休暇\nの期限"})
    assert server.log(count=1)[0]["question"] == "有給休暇\nの期限"
    assert len(server.log_text.splitlines()) == 1


def test_every_answer_forbids_sniffing_and_storing(server: RunningServer) -> None:
    with server.client() as client:
        for address in ("/me", "/nowhere", "/healthz", "/documents"):
            headers = client.get(address).headers
            assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_the_counters_show_each_breaker(start_server: StartServer) -> None:
    breaker = Breaker("model", failures=1)
    server = start_server(breakers=[breaker])
    with server.client() as client:
        before = client.get("/metrics").text
        with breaker.call() as call:
            assert call is not None
            call.failed(ModelUnavailable(AWAY, AWAY))
        after = client.get("/metrics").text
    assert 'assistant_breaker_state{dependency="model"} 0.0' in before
    assert 'assistant_breaker_state{dependency="model"} 2.0' in after
    assert 'assistant_breaker_openings{dependency="model"} 1.0' in after
    assert 'assistant_breaker_state{dependency="embedder"} 0.0' in after


def test_the_counters_show_which_model_answers_and_the_line_of_each(start_server: StartServer) -> None:
    moved = domain.Notice(code=MOVED_CODE, message_ja="移りました。", message_en="Moved.")
    answer = replace(ANSWER, model="qwen", notices=(moved,))
    second = {"kind": "openai", "url": "http://127.0.0.1:9/v1", "model": "qwen", "parallel": 7}
    server = start_server(second=second, course=(FOUND, domain.Finished(answer)))
    with server.client() as client:
        warnings = client.post("/ask", json={"question": "有給休暇の期限"}).json()["warnings"]
        counters = client.get("/metrics").text
    assert MOVED_CODE in warnings
    for line in (
        'assistant_answers_total{model="qwen"} 1.0',
        "assistant_model_moves_total 1.0",
        'assistant_model_line{model="first",what="places"} 4.0',
        'assistant_model_line{model="second",what="places"} 7.0',
        'assistant_model_line{model="second",what="waiting"} 0.0',
        'assistant_breaker_state{dependency="second"} 0.0',
    ):
        assert line in counters, line
