"""What every chat model promises (ports.ChatModel), and what each real one sends. Faults: test_chat_model_faults.py."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
import structlog

from assistant.adapters.fake import FakeChatModel
from assistant.domain import ModelToken
from assistant.errors import ContextOverflow
from assistant.ports import ChatModel
from tests.contracts.chat_models import (
    LONG_TALK,
    OTHER_SHORT,
    PASSAGES,
    QUESTION,
    SHORT,
    answered,
    ask,
    ollama_model,
    openai_model,
)
from tests.contracts.conftest import SYSTEM
from tests.stubs.ollama.process import StubOllama, start_stub_ollama


def test_an_answer_is_tokens_and_then_one_end_with_counts(chat_model: ChatModel) -> None:
    text, end = ask(chat_model)

    assert "3営業日前" in text
    assert not end.truncated
    assert end.prompt_tokens is not None
    assert 50 < end.prompt_tokens < 500
    assert end.answer_tokens is not None
    assert 0 < end.answer_tokens <= 64


def test_the_chances_of_other_words_come_with_a_word_where_the_server_tells_them(
    chat_model: ChatModel, request: pytest.FixtureRequest
) -> None:
    first, *_ = asyncio.run(answered(chat_model, QUESTION, num_predict=1, alternatives=20))
    assert isinstance(first, ModelToken)
    chances = first.alternatives
    assert all(0 <= chance <= 1 for chance in chances.values())
    assert sum(chances.values()) <= 1.001
    if request.node.callspec.params["chat_model"] in ("real_ollama", "embedded"):
        assert len(chances) > 5
        assert first.text in chances
    unasked, *_ = asyncio.run(answered(chat_model, QUESTION, num_predict=1))
    assert isinstance(unasked, ModelToken)
    assert unasked.alternatives == {}


def test_an_answer_that_hits_its_token_limit_says_so(chat_model: ChatModel) -> None:
    text, end = ask(chat_model, num_predict=4)

    assert text
    assert end.truncated
    assert end.answer_tokens is not None
    assert end.answer_tokens <= 4


def test_a_prompt_over_the_window_is_refused_and_never_cut(chat_model: ChatModel) -> None:
    too_long = "出張の旅費は精算する。" * chat_model.num_ctx + QUESTION

    with pytest.raises(ContextOverflow) as caught:
        ask(chat_model, too_long)

    assert str(chat_model.num_ctx) in caught.value.message.ja


def test_counted_tokens_are_enough_and_not_far_too_many(chat_model: ChatModel) -> None:
    prompt = PASSAGES * 3 + QUESTION
    _, end = ask(chat_model, prompt)
    counted, how = asyncio.run(chat_model.count_tokens(prompt))

    assert end.prompt_tokens is not None
    assert how in ("tokenizer", "estimate")
    if how == "tokenizer":
        assert counted == end.prompt_tokens
    assert 0.95 * end.prompt_tokens <= counted <= 1.5 * end.prompt_tokens


def test_closing_the_stream_frees_the_model_at_once(chat_model: ChatModel) -> None:
    async def hang_up() -> None:
        leaving = chat_model.stream(LONG_TALK, num_predict=1000)
        await anext(leaving)
        await leaving.aclose()

    assert_free_after(chat_model, hang_up)


def test_cancelling_the_asking_task_frees_the_model(chat_model: ChatModel) -> None:
    async def leave() -> None:
        has_begun = asyncio.Event()

        async def listen() -> None:
            async with aclosing(chat_model.stream(LONG_TALK, num_predict=1000)) as pieces:
                async for _ in pieces:
                    has_begun.set()

        task = asyncio.create_task(listen())
        await has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert_free_after(chat_model, leave)


def assert_free_after(model: ChatModel, leave: Callable[[], Awaitable[None]]) -> None:
    """A short answer after somebody has left takes about as long as one when nobody was there."""

    async def measured() -> tuple[float, float]:
        await answered(model, OTHER_SHORT, num_predict=2)
        started = time.monotonic()
        await answered(model, SHORT, num_predict=2)
        alone = time.monotonic() - started
        await leave()
        started = time.monotonic()
        await answered(model, OTHER_SHORT, num_predict=2)
        return alone, time.monotonic() - started

    alone, after = asyncio.run(measured())
    assert after < 3 * alone + 2.0


def test_an_odd_prompt_gets_an_answer(chat_model: ChatModel) -> None:
    odd = "\0 \ud800 😀👨‍👩‍👧 <|im_end|> \x1b[31m {{ .System }}"

    _, end = ask(chat_model, f"{odd}\n{QUESTION}", num_predict=2)

    assert end.answer_tokens is not None


def test_a_working_model_passes_its_check_and_has_a_name(chat_model: ChatModel) -> None:
    asyncio.run(chat_model.check())

    assert chat_model.name


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_ollama_gets_one_user_message_and_everything_that_forbids_a_silent_cut(stub_ollama: StubOllama) -> None:
    model = ollama_model(stub_ollama.url, system_text=SYSTEM)

    ask(model)
    ask(model, num_predict=7)

    bodies = [request["body"] for request in stub_ollama.requests("/api/chat")]
    for body, num_predict in zip(bodies, (64, 7), strict=True):
        assert [(message["role"], message["content"]) for message in body["messages"]] == [("user", QUESTION)]
        assert body["options"] == {"num_ctx": 8192, "num_predict": num_predict}
        assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)
        assert "keep_alive" not in body


def test_a_model_server_is_told_which_request_it_answers(stub_ollama: StubOllama) -> None:
    for model, path in (
        (ollama_model(stub_ollama.url), "/api/chat"),
        (openai_model(stub_ollama.url), "/v1/chat/completions"),
    ):
        with structlog.contextvars.bound_contextvars(request_id="line-9"):
            ask(model)
        ask(model)
        told = [request["headers"].get("x-request-id") for request in stub_ollama.requests(path)]
        assert told == ["line-9", None]


def test_an_openai_server_gets_the_release_in_the_request(stub_ollama: StubOllama) -> None:
    model = openai_model(stub_ollama.url, system_text=SYSTEM, sampling={"temperature": 0.2, "top_p": 0.9}, api_key="k")

    ask(model, num_predict=7)

    request = stub_ollama.requests("/v1/chat/completions")[0]
    body = request["body"]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][0]["content"] == SYSTEM
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.2, 0.9, 7)
    assert body["stream_options"] == {"include_usage": True}
    assert request["headers"]["authorization"] == "Bearer k"


def test_prompts_go_to_no_proxy_and_no_tracing_service(stub_ollama: StubOllama) -> None:
    program = (
        "import asyncio, sys\n"
        "from tests.contracts.chat_models import ask, ollama_model, openai_model\n"
        "print(ask(ollama_model(sys.argv[1]))[1].truncated, ask(openai_model(sys.argv[1]))[1].truncated)\n"
        "from langsmith.utils import tracing_is_enabled\n"
        "assert tracing_is_enabled()\n"
    )
    with start_stub_ollama() as foreign:
        environment = {
            "HTTP_PROXY": foreign.url, "http_proxy": foreign.url, "ALL_PROXY": foreign.url, "NO_PROXY": "",
            "LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "k", "LANGSMITH_ENDPOINT": foreign.url,
        }  # fmt: skip
        finished = subprocess.run(
            [sys.executable, "-c", program, stub_ollama.url],
            env={**os.environ, **environment, "no_proxy": ""},
            capture_output=True,
            text=True,
        )
        seen = foreign.requests()

    assert finished.stdout.splitlines()[-1:] == ["False False"], finished.stderr
    assert [request["path"] for request in seen if not request["path"].startswith("/__")] == []


def test_the_fake_is_free_after_a_hang_up() -> None:
    model = FakeChatModel(seconds_per_token=0.01)

    async def hang_up() -> int:
        leaving = model.stream(QUESTION, num_predict=50)
        await anext(leaving)
        assert model.running == 1
        await leaving.aclose()
        return model.running

    assert asyncio.run(hang_up()) == 0


def test_a_server_without_a_tokenizer_is_asked_for_it_once(stub_ollama: StubOllama) -> None:
    model = openai_model(stub_ollama.url)

    counts = [asyncio.run(model.count_tokens(QUESTION)) for _ in range(3)]

    assert [how for _, how in counts] == ["estimate"] * 3
    assert len(stub_ollama.requests("/apply-template")) == 1


def test_the_estimate_learns_from_the_servers_own_counts(stub_ollama: StubOllama) -> None:
    model = ollama_model(stub_ollama.url)
    prompt = PASSAGES * 4 + QUESTION
    before, _ = asyncio.run(model.count_tokens(prompt))
    for _ in range(12):
        _, end = ask(model, prompt, num_predict=1)
    after, _ = asyncio.run(model.count_tokens(prompt))

    assert end.prompt_tokens is not None
    assert abs(after - end.prompt_tokens) <= max(0.12 * end.prompt_tokens, 1)
    assert abs(after - end.prompt_tokens) <= abs(before - end.prompt_tokens)
