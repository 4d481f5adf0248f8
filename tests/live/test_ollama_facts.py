"""What the product takes for granted about Ollama 0.17.7, asked of a real one over plain HTTP.

When one of these fails after a change of version, the design leans on something that is gone: see the name of the test.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live.ollama_process import END_OF_TURN, PROJECT, VERSION, LiveOllama, read_modelfile

_ANSWER_SECONDS = 300.0
_QUESTION = {"role": "user", "content": "経費精算の締め日はいつですか?"}
_SMALL_CTX_TOKENS = 256
_LONG = "第1条 従業員は、所属長の許可を得て出張することができる。" * 30  # some 600 tokens


@pytest.fixture
def http(live_ollama: LiveOllama) -> Iterator[httpx.Client]:
    with live_ollama.client(timeout_seconds=_ANSWER_SECONDS) as client:
        yield client


def chat(http: httpx.Client, live_ollama: LiveOllama, *messages: dict[str, str], **fields: Any) -> httpx.Response:
    """One answer of at most a few tokens, not streamed, on the context size that everything else uses."""
    options = {"num_predict": 4, "temperature": 0, **fields.pop("options", {})}
    body = {"model": live_ollama.chat_model, "messages": messages, "stream": False, "options": options, **fields}
    return http.post("/api/chat", json=body)


def show(http: httpx.Client, model: str) -> dict[str, Any]:
    answer = http.post("/api/show", json={"model": model})
    answer.raise_for_status()
    shown: dict[str, Any] = answer.json()
    return shown


def rendered(http: httpx.Client, live_ollama: LiveOllama, *messages: dict[str, str]) -> str:
    """The prompt that would reach the model."""
    answer = chat(http, live_ollama, *messages, _debug_render_only=True)
    prompt: str = answer.json()["_debug_info"]["rendered_template"]
    return prompt


def test_the_server_is_the_pinned_version_with_fast_kernels(http: httpx.Client, live_ollama: LiveOllama) -> None:
    chat(http, live_ollama, _QUESTION)

    assert http.get("/api/version").json() == {"version": VERSION}
    assert re.search(r"loaded CPU backend from .*libggml-cpu-?\w*\.so", live_ollama.log())


def test_company_assistant_carries_the_modelfile_unchanged(http: httpx.Client, live_ollama: LiveOllama) -> None:
    system, parameters = read_modelfile(PROJECT / "modelfiles" / "company-assistant.Modelfile")
    shown = show(http, live_ollama.chat_model)
    kept = dict(line.split(maxsplit=1) for line in shown["parameters"].splitlines())

    assert shown["system"] == system
    assert kept.pop("stop") == json.dumps(END_OF_TURN)
    assert {name: float(value) for name, value in kept.items()} == parameters


def test_the_modelfiles_system_reaches_the_model_unless_a_system_message_comes_first(
    http: httpx.Client, live_ollama: LiveOllama
) -> None:
    system = show(http, live_ollama.chat_model)["system"]

    with_own = rendered(http, live_ollama, _QUESTION)
    with_other = rendered(http, live_ollama, {"role": "system", "content": "Answer in one word."}, _QUESTION)

    assert system in with_own
    assert system not in with_other
    assert "Answer in one word." in with_other


def test_a_prompt_over_the_context_is_refused_when_truncation_is_off(
    http: httpx.Client, live_ollama: LiveOllama
) -> None:
    too_long = {"role": "user", "content": _LONG * 20}

    answer = chat(http, live_ollama, too_long, truncate=False, shift=False)

    assert answer.status_code == 400
    assert answer.json() == {"error": "the input length exceeds the context length"}


def test_a_prompt_over_the_context_is_cut_without_a_word_by_default(
    http: httpx.Client, live_ollama: LiveOllama
) -> None:
    answer = chat(http, live_ollama, {"role": "user", "content": _LONG}, options={"num_ctx": _SMALL_CTX_TOKENS})

    assert answer.status_code == 200
    assert answer.json()["prompt_eval_count"] == _SMALL_CTX_TOKENS


def test_another_context_size_in_one_request_loads_the_model_anew(http: httpx.Client, live_ollama: LiveOllama) -> None:
    def context_tokens() -> int:
        rows = [row for row in http.get("/api/ps").json()["models"] if row["details"]["family"] == "qwen2"]
        assert len(rows) == 1
        tokens: int = rows[0]["context_length"]
        return tokens

    def load_seconds(**options: int) -> float:
        nanoseconds: int = chat(http, live_ollama, _QUESTION, options={"num_predict": 1, **options}).json()[
            "load_duration"
        ]
        return nanoseconds / 1e9

    load_seconds()
    settled_seconds, settled_tokens = load_seconds(), context_tokens()
    changed_seconds, changed_tokens = load_seconds(num_ctx=_SMALL_CTX_TOKENS), context_tokens()

    assert (settled_tokens, changed_tokens) == (8192, _SMALL_CTX_TOKENS)
    assert changed_seconds > 2 * settled_seconds


def test_an_answer_that_ends_well_ends_with_a_done_line(http: httpx.Client, live_ollama: LiveOllama) -> None:
    body = {
        "model": live_ollama.chat_model,
        "messages": [_QUESTION],
        "truncate": False,
        "shift": False,
        "options": {"num_predict": 3},
    }
    with http.stream("POST", "/api/chat", json=body) as answer:
        media_type = answer.headers["content-type"]
        *tokens, end = [json.loads(line) for line in answer.iter_lines()]

    assert media_type == "application/x-ndjson"
    assert [line["done"] for line in tokens] == [False] * len(tokens)
    assert tokens
    assert (end["done"], end["done_reason"], end["eval_count"]) == (True, "length", 3)
    assert end["prompt_eval_count"] > 100  # SYSTEM and question
    assert end["message"]["content"] == ""


def test_a_client_that_hangs_up_frees_the_model(http: httpx.Client, live_ollama: LiveOllama) -> None:
    def ask(content: str, tokens: int) -> dict[str, Any]:
        """For the base model: without the Modelfile's SYSTEM it talks on, and a short prompt is read quickly."""
        options = {"num_predict": tokens, "temperature": 0}
        messages = [{"role": "user", "content": content}]
        return {"model": live_ollama.base_model, "messages": messages, "options": options}

    long_answer = ask("Write a Python program that plays chess, with all the code.", 80)
    whole = http.post("/api/chat", json={**long_answer, "stream": False}).json()
    assert (whole["done_reason"], whole["eval_count"]) == ("length", 80)

    with http.stream("POST", "/api/chat", json=long_answer) as answer:
        lines = answer.iter_lines()
        heard = [json.loads(next(lines)) for _ in range(5)]
    started = time.monotonic()
    following = http.post("/api/chat", json={**ask("Hi", 1), "stream": False})
    waited_seconds = time.monotonic() - started

    assert [line["done"] for line in heard] == [False] * 5
    assert following.json()["done"] is True
    assert waited_seconds < whole["eval_duration"] / 1e9 / 2  # it did not wait for the other 75 tokens


def test_a_chat_model_asked_for_embeddings_answers_so_capabilities_must_be_checked(
    http: httpx.Client, live_ollama: LiveOllama
) -> None:
    answer = http.post("/api/embed", json={"model": live_ollama.chat_model, "input": ["x"]})

    assert answer.status_code == 200
    assert len(answer.json()["embeddings"][0]) > 0
    assert "embedding" not in show(http, live_ollama.chat_model)["capabilities"]
    assert "embedding" in show(http, live_ollama.embed_model)["capabilities"]


def test_a_text_too_long_for_the_embedder_is_refused_only_when_truncation_is_off(
    http: httpx.Client, live_ollama: LiveOllama
) -> None:
    body = {"model": live_ollama.embed_model, "input": ["paid leave", "paid leave " * 1000]}

    cut = http.post("/api/embed", json=body)
    refused = http.post("/api/embed", json={**body, "truncate": False})

    assert cut.status_code == 200
    for vector in cut.json()["embeddings"]:
        assert sum(value * value for value in vector) == pytest.approx(1, abs=1e-3)
    assert refused.status_code == 400
    assert "input length exceeds" in refused.json()["error"]


def test_a_missing_model_is_404(http: httpx.Client) -> None:
    answer = http.post("/api/chat", json={"model": "no-such-model", "messages": [_QUESTION]})

    assert answer.status_code == 404
    assert answer.json() == {"error": "model 'no-such-model' not found"}


def test_the_cache_takes_the_bytes_of_the_formula_when_flash_attention_is_on(
    http: httpx.Client, live_ollama: LiveOllama
) -> None:
    chat(http, live_ollama, _QUESTION)
    facts = show(http, live_ollama.chat_model)["model_info"]
    heads, width = facts["qwen2.attention.head_count"], facts["qwen2.embedding_length"]
    numbers_per_token = facts["qwen2.block_count"] * facts["qwen2.attention.head_count_kv"] * 2 * (width // heads)
    q8_0_bytes = 34 / 32  # a block of 32 numbers has 32 bytes and a 2-byte scale

    sizes = re.findall(r"KV buffer size =\s+([\d.]+) MiB", live_ollama.log())

    assert float(sizes[-1]) == pytest.approx(8192 * numbers_per_token * q8_0_bytes / 2**20, abs=0.01)
