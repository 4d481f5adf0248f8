"""The stub Ollama's own promises: refusals in a real 0.17.7's words, slots, loads, faults, and a model that finds answers.

The words in ``REFUSALS`` were read from a real server's answers; no recording file holds them.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.stubs.ollama.process import PROJECT_FOLDER, StubOllama, start_stub_ollama

TIMEOUT_SECONDS = 20.0
SLOT_SECONDS = 1.0
QUESTION_PROMPT = """回答の言語: {language}
<passage number="1" source="休暇規程 > 第2章 申請" page="3">
年次有給休暇は、取得日の3営業日前までに上長へ申請する。病気休暇は当日の始業前に電話で連絡する。
</passage>
<passage number="2" title="Expenses">
Receipts above 50 euros must be scanned. Travel expenses are paid back within ten working days.
</passage>
質問: {question}"""
REFUSALS: list[tuple[str, str, str, int, str]] = [
    ("POST", "/api/embed", '{"model":"nope","input":"x"}', 404, 'model "nope" not found, try pulling it first'),
    ("POST", "/api/embed", '{"model":"nomic-embed-text","input":[1]}', 400, "invalid input type"),
    ("POST", "/api/embed", "x", 400, "invalid character 'x' looking for beginning of value"),
    ("POST", "/api/chat", "", 400, "missing request body"),
    ("POST", "/api/chat", '{"model":"","messages":[]}', 400, "model is required"),
    ("POST", "/api/chat", '{"model":"a",', 400, "unexpected EOF"),
    ("POST", "/api/chat", "[]", 400, "json: cannot unmarshal array into Go value of type api.ChatRequest"),
    ("POST", "/api/chat", '{"model":"a","stream":"x"}', 400,
     "json: cannot unmarshal string into Go struct field ChatRequest.stream of type bool"),
    ("POST", "/api/chat", '{"model":"a","messages":[{"role":"user","content":5}]}', 400,
     "json: cannot unmarshal number into Go struct field ChatRequest.messages.content of type string"),
    ("POST", "/api/chat", '{"model":"a","keep_alive":"5x"}', 400, 'time: unknown unit "x" in duration "5x"'),
    ("POST", "/api/chat", '{"model":"a","keep_alive":"5"}', 400, 'time: missing unit in duration "5"'),
    ("POST", "/api/chat", '{"model":"company-assistant","messages":[{"role":"user","content":"x"}],"format":"xml"}',
     500, 'invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object'),
    ("POST", "/api/create", '{"model":"z"}', 400, "neither 'from' or 'files' was specified"),
    ("POST", "/api/copy", '{"source":"n","destination":"b"}', 404, 'model "n" not found'),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared_stub() -> Iterator[StubOllama]:
    with start_stub_ollama(load_seconds=0.05, tokens_per_second=400, parallel=1) as stub:
        yield stub


@pytest.fixture
def stub(shared_stub: StubOllama) -> StubOllama:
    """A stub with one slot, no faults, its usual pace and an empty list of requests."""
    shared_stub.clear_faults()
    shared_stub.change_settings(tokens_per_second=400, prefill_seconds=0)
    shared_stub.forget_requests()
    return shared_stub


def chat_body(content: str = "ping", *, stream: bool = True, **more: Any) -> dict[str, Any]:
    return {"model": "company-assistant", "messages": [{"role": "user", "content": content}], "stream": stream, **more}


def post(stub: StubOllama, body: Any, path: str = "/api/chat") -> httpx.Response:
    return httpx.post(stub.url + path, json=body, timeout=TIMEOUT_SECONDS, trust_env=False)


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def said_by(stub: StubOllama, content: str) -> str:
    text: str = post(stub, chat_body(content, stream=False)).json()["message"]["content"]
    return text


def wait_for_slots(stub: StubOllama, *, running: int) -> None:
    """Until so many requests run and none waits; a busy machine may need a moment."""
    until = time.monotonic() + SLOT_SECONDS
    while stub.slots() != {"running": running, "waiting": 0}:
        assert time.monotonic() < until, stub.slots()
        time.sleep(0.01)


def vectors_of(stub: StubOllama, texts: list[str], **more: Any) -> list[list[float]]:
    answer = post(stub, {"model": "nomic-embed-text", "input": texts, **more}, "/api/embed")
    vectors: list[list[float]] = answer.json()["embeddings"]
    return vectors


def nearness(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("method", "path", "content", "status", "text"), REFUSALS)
def test_refusals_have_the_real_servers_status_and_words(
    stub: StubOllama, method: str, path: str, content: str, status: int, text: str
) -> None:
    answer = httpx.request(method, stub.url + path, content=content, trust_env=False)
    assert (answer.status_code, answer.json()) == (status, {"error": text})


def test_wrong_method_is_405(stub: StubOllama) -> None:
    answer = httpx.get(f"{stub.url}/api/chat", trust_env=False)
    assert (answer.status_code, answer.text) == (405, "405 method not allowed")


def test_old_embeddings_route_does_not_normalise(stub: StubOllama) -> None:
    vector = post(stub, {"model": "nomic-embed-text", "prompt": "a b"}, "/api/embeddings").json()["embedding"]
    assert math.hypot(*vector) == pytest.approx(17.5, rel=1e-3)
    assert nearness(vector, vectors_of(stub, ["a b"])[0]) == pytest.approx(17.5, rel=1e-3)


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        ("日本語", "有給休暇はいつまでに申請しますか?", "年次有給休暇は、取得日の3営業日前までに上長へ申請する。 [1]"),
        (
            "English",
            "When are travel expenses paid back?",
            "Travel expenses are paid back within ten working days. [2]",
        ),
        ("日本語", "社員食堂のメニューは何ですか?", "情報が不足しているため回答できません"),
        (
            "English",
            "Who won the football match?",
            "I cannot answer because the documents do not contain enough information.",
        ),
    ],
)
def test_answers_are_the_nearest_sentence_with_its_mark_or_the_refusal(
    stub: StubOllama, language: str, question: str, answer: str
) -> None:
    assert said_by(stub, QUESTION_PROMPT.format(language=language, question=question)) == answer


def test_question_without_passages_comes_back_alone(stub: StubOllama) -> None:
    assert said_by(stub, "次の質問を書き換えてください。\n質問: 申請の期限は?") == "申請の期限は?"


def test_vectors_of_texts_that_share_words_are_near(stub: StubOllama) -> None:
    asked, near, far = vectors_of(
        stub,
        [
            "search_query: 有給休暇の申請期限",
            "search_document: 年次有給休暇は取得日の3営業日前までに申請する。",
            "search_document: 消火器は廊下の端に置く。",
        ],
    )
    assert nearness(asked, near) > nearness(asked, far) + 0.15
    assert len(asked) == 768


def test_words_with_capitals_are_all_the_same_unknown_word(stub: StubOllama) -> None:
    first, second, lower = vectors_of(stub, ["VPN GUIDE", "PAID LEAVE", "vpn guide"])
    assert nearness(first, second) == pytest.approx(1.0, abs=1e-5)
    assert nearness(first, lower) < 0.7


def test_dimensions_cut_and_normalise_again(stub: StubOllama) -> None:
    (short,) = vectors_of(stub, ["x"], dimensions=64)
    assert len(short) == 64
    assert math.hypot(*short) == pytest.approx(1.0, abs=1e-4)


def test_one_bad_text_fails_the_whole_batch(stub: StubOllama) -> None:
    stub.add_fault("nan", contains="poison")
    answer = post(stub, {"model": "nomic-embed-text", "input": ["ok", "poison"]}, "/api/embed")
    assert (answer.status_code, answer.json()["error"][-3:]) == (500, "NaN")
    assert len(vectors_of(stub, ["ok"])) == 1


def test_a_loaded_file_is_listed_under_the_name_that_loaded_it() -> None:
    with start_stub_ollama(load_seconds=0) as stub:
        base = {"model": "llama3.1:8b-instruct-q4_K_M", "messages": [], "options": {"num_ctx": 8192}}
        post(stub, base)
        post(stub, chat_body(stream=False))
        rows = httpx.get(f"{stub.url}/api/ps", trust_env=False).json()["models"]
        assert [row["name"] for row in rows] == ["llama3.1:8b-instruct-q4_K_M"]


def test_parameters_come_in_changing_order(stub: StubOllama) -> None:
    texts = {post(stub, {"model": "company-assistant"}, "/api/show").json()["parameters"] for _ in range(20)}
    assert len(texts) > 1
    assert len({tuple(sorted(text.splitlines())) for text in texts}) == 1


def test_pull_installs_a_known_model_where_a_rule_lets_it() -> None:
    with start_stub_ollama(models=()) as stub:
        stub.add_fault("pull_works")
        lines = lines_of(post(stub, {"model": "nomic-embed-text"}, "/api/pull"))
        assert [lines[0]["status"], lines[-1]["status"]] == ["pulling manifest", "success"]
        assert lines[-4]["completed"] == lines[-4]["total"]
        assert post(stub, {"model": "nomic-embed-text"}, "/api/show").status_code == 200


def test_second_request_waits_for_the_only_slot(stub: StubOllama) -> None:
    stub.change_settings(prefill_seconds=0.4)
    with ThreadPoolExecutor(2) as pool:
        started = time.monotonic()
        waits = list(pool.map(lambda _: post(stub, chat_body(options={"num_predict": 1})).elapsed, range(2)))
    assert len(waits) == 2
    assert time.monotonic() - started > 0.8


@pytest.mark.parametrize("moment", ["prefill", "stream"])
def test_hang_up_frees_the_slot_at_once(stub: StubOllama, moment: str) -> None:
    stub.change_settings(tokens_per_second=20, prefill_seconds=30 if moment == "prefill" else 0)
    if moment == "prefill":
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{stub.url}/api/chat", json=chat_body(), timeout=0.5, trust_env=False)
    else:
        with httpx.stream("POST", f"{stub.url}/api/chat", json=chat_body("長く説明"), trust_env=False) as answer:
            lines = answer.iter_lines()
            next(lines)
            assert stub.slots() == {"running": 1, "waiting": 0}
    wait_for_slots(stub, running=0)
    assert [entry["outcome"] for entry in stub.requests("/api/chat")] == ["hung_up"]


def test_hang_up_while_waiting_takes_the_request_out_of_the_queue(stub: StubOllama) -> None:
    stub.change_settings(prefill_seconds=2.0)
    running = threading.Thread(target=post, args=(stub, chat_body(options={"num_predict": 1})))
    running.start()
    wait_for_slots(stub, running=1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{stub.url}/api/chat", json=chat_body(), timeout=0.3, trust_env=False)
    wait_for_slots(stub, running=1)
    running.join()


def test_what_was_sent_can_be_read_back(stub: StubOllama) -> None:
    body = chat_body(truncate=False, shift=False, options={"num_predict": 3})
    post(stub, body)
    (entry,) = stub.requests("/api/chat")
    assert (entry["body"], entry["outcome"], entry["tokens_sent"]) == (body, "finished", 3)


def test_status_fault_answers_once(stub: StubOllama) -> None:
    stub.add_fault("status", status=500, text="model runner has unexpectedly stopped")
    first, second = post(stub, chat_body()), post(stub, chat_body())
    assert (first.status_code, first.json()) == (500, {"error": "model runner has unexpectedly stopped"})
    assert second.status_code == 200


def test_reset_fault_breaks_the_connection_before_the_answer(stub: StubOllama) -> None:
    stub.add_fault("reset", times=2)
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            post(stub, chat_body())
    assert post(stub, chat_body()).status_code == 200
    assert [entry["outcome"] for entry in stub.requests("/api/chat")] == ["cut", "cut", "finished"]


def test_closed_fault_refuses_connections_and_comes_back_on_the_same_port(stub: StubOllama) -> None:
    stub.add_fault("closed", seconds=1.0)
    time.sleep(0.1)
    with pytest.raises(httpx.ConnectError):
        post(stub, chat_body())
    time.sleep(1.2)
    assert post(stub, chat_body()).status_code == 200


def test_delay_fault_holds_back_the_first_byte(stub: StubOllama) -> None:
    stub.add_fault("delay", seconds=0.5)
    assert post(stub, chat_body()).elapsed.total_seconds() > 0.5


def test_stop_fault_closes_the_connection_in_mid_answer(stub: StubOllama) -> None:
    stub.add_fault("stop", after_tokens=3)
    received: list[str] = []
    with httpx.stream("POST", f"{stub.url}/api/chat", json=chat_body(), trust_env=False) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_lines())
        assert answer.status_code == 200
    assert stub.requests("/api/chat")[0]["tokens_sent"] == 3


def test_end_fault_ends_properly_without_done(stub: StubOllama) -> None:
    stub.add_fault("end", after_tokens=3, times=2)
    assert [line["done"] for line in lines_of(post(stub, chat_body()))] == [False] * 3
    whole = post(stub, chat_body(stream=False))
    assert (whole.status_code, whole.json()["done"], "done_reason" in whole.json()) == (200, False, False)


def test_thirty_one_equal_pieces_end_the_stream_without_done(stub: StubOllama) -> None:
    stub.add_fault("answer", text="始" + "\n" * 400)
    lines = lines_of(post(stub, chat_body()))
    assert not lines[-1]["done"]
    assert len(lines) < 40


def test_error_fault_is_a_line_in_the_stream_and_500_without(stub: StubOllama) -> None:
    stub.add_fault("error", after_tokens=2, text="an error was encountered", times=2)
    streamed = post(stub, chat_body())
    assert (streamed.status_code, lines_of(streamed)[-1]) == (200, {"error": "an error was encountered"})
    assert len(lines_of(streamed)) == 3
    assert post(stub, chat_body(stream=False)).status_code == 500


def test_stall_fault_pauses_and_goes_on(stub: StubOllama) -> None:
    stub.add_fault("stall", after_tokens=2, seconds=0.5)
    answer = post(stub, chat_body())
    assert answer.elapsed.total_seconds() > 0.5
    assert lines_of(answer)[-1]["done"]


def test_missing_model_fault_hides_it_everywhere(stub: StubOllama) -> None:
    stub.add_fault("missing_model", model="company-assistant")
    assert post(stub, chat_body()).json() == {"error": "model 'company-assistant' not found"}
    rows = httpx.get(f"{stub.url}/api/tags", trust_env=False).json()["models"]
    assert "company-assistant:latest" not in [row["name"] for row in rows]


def test_kill_fault_takes_the_process_away() -> None:
    with start_stub_ollama(load_seconds=0) as stub:
        stub.add_fault("kill", after_tokens=2)
        with pytest.raises(httpx.RemoteProtocolError):
            post(stub, chat_body())
        stub.wait_until_gone()
        assert not stub.is_running


def test_wrong_rules_are_refused_by_name(stub: StubOllama) -> None:
    with pytest.raises(ValueError, match="explode"):
        stub.add_fault("explode")
    with pytest.raises(ValueError, match="after_token"):
        stub.add_fault("stop", after_token=3)
    with pytest.raises(ValueError, match="tokens_a_second"):
        stub.change_settings(tokens_a_second=3)


def test_stub_can_be_started_again_on_its_port() -> None:
    with start_stub_ollama() as first:
        port = first.port
        first.kill()
        with start_stub_ollama(port=port, version="0.0.0") as second:
            assert second.port == port
            assert httpx.get(f"{second.url}/api/version", trust_env=False).json() == {"version": "0.0.0"}


def test_stub_ends_with_the_process_that_started_it() -> None:
    program = "import time; from tests.stubs.ollama.process import start_stub_ollama as s; print(s().pid, flush=1); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=PROJECT_FOLDER) as starter:
        assert starter.stdout is not None
        stub_pid = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while os.path.exists(f"/proc/{stub_pid}/stat") and time.monotonic() < until:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{stub_pid}/stat")
