"""What each real chat model makes of a server that is away, fails, is too slow, or is left by the person who asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from assistant.adapters.breaker import Breaker, GuardedChatModel
from assistant.domain import AnswerMode, ModelEnd
from assistant.errors import (
    AnswerAborted,
    AssistantError,
    ContextOverflow,
    ModelError,
    ModelMissing,
    ModelTimeout,
    ModelUnavailable,
)
from tests.assistant.test_ask import answer_of, pipeline
from tests.contracts.chat_models import (
    LONG_TALK,
    QUESTION,
    MakeModel,
    Piece,
    answered,
    ask,
    both_doors,
    ollama_model,
    until,
)
from tests.contracts.conftest import free_port
from tests.stubs.ollama.process import StubOllama


@both_doors
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 500, "text": "model runner has unexpectedly stopped"}, ModelUnavailable),
        ({"kind": "status", "status": 503, "text": "server busy, please try again."}, ModelUnavailable),
        ({"kind": "status", "status": 403, "text": "cloud is disabled"}, ModelUnavailable),
        ({"kind": "status", "status": 400, "text": "the input length exceeds the context length"}, ContextOverflow),
        ({"kind": "status", "status": 500, "text": 'option "num_ctx" must be of type integer'}, ModelUnavailable),
        ({"kind": "reset"}, ModelUnavailable),
        ({"kind": "error", "after_tokens": 0, "text": "out of memory"}, ModelUnavailable),
        ({"kind": "stop", "after_tokens": 3}, AnswerAborted),
        ({"kind": "end", "after_tokens": 3}, AnswerAborted),
        ({"kind": "endless"}, AnswerAborted),
        ({"kind": "error", "after_tokens": 3, "text": "runner crashed"}, AnswerAborted),
        ({"kind": "delay", "seconds": 3.0}, ModelTimeout),
        ({"kind": "prefill", "seconds": 3.0}, ModelTimeout),
        ({"kind": "stall", "after_tokens": 3, "seconds": 3.0}, ModelTimeout),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else " ".join(str(part) for part in value.values()),
)
def test_a_fault_of_the_server_becomes_one_clear_error(
    stub_ollama: StubOllama, make: MakeModel, fault: dict[str, object], expected: type[ModelError]
) -> None:
    model = make(stub_ollama.url, first_token_timeout_seconds=0.8, token_timeout_seconds=0.4)
    ask(model, num_predict=2)  # the vendor's import, which takes seconds, is no fault of the server
    stub_ollama.add_fault(**fault)

    with pytest.raises(expected) as caught:
        ask(model)

    words = str(fault.get("text", "no words"))
    assert words not in caught.value.describe("en")
    assert caught.value.describe("ja") != caught.value.describe("en")
    stub_ollama.clear_faults()
    assert ask(model)[0]


@both_doors
def test_an_answer_that_is_written_steadily_but_never_ends_has_a_limit_too(
    stub_ollama: StubOllama, make: MakeModel
) -> None:
    model = make(stub_ollama.url, answer_timeout_seconds=0.4)
    ask(model, num_predict=2)
    stub_ollama.change_settings(tokens_per_second=20)
    stub_ollama.add_fault("endless")

    with pytest.raises(ModelTimeout) as caught:
        ask(model, num_predict=4_000)

    assert "0.4" in caught.value.message.en
    assert "ASSISTANT_NUM_PREDICT" in caught.value.hint.ja


@both_doors
def test_a_server_that_goes_away_is_left_alone_after_some_questions_and_asked_again_when_it_is_back(
    stub_ollama: StubOllama, make: MakeModel
) -> None:
    ask(make(stub_ollama.url), num_predict=2)
    guard = GuardedChatModel(make(stub_ollama.url), Breaker("model", pause_seconds=0.5))
    line = pipeline(None)
    line = replace(line, model=guard)
    stub_ollama.add_fault("status", status=500, text="model runner has unexpectedly stopped", times=3)

    answers = [answer_of("有給休暇の申請", line) for _ in range(4)]

    assert {(answer.mode, answer.reason) for answer in answers} == {(AnswerMode.QUOTES, "model_unavailable")}
    assert all(answer.citations for answer in answers)
    assert ["0.5 秒" in answer.notices[-1].message_ja for answer in answers] == [False, False, False, True]
    assert guard.breaker.state == "open"
    time.sleep(0.5)
    assert answer_of("有給休暇の申請", line).mode == AnswerMode.GENERATED
    assert guard.breaker.state == "closed"


@both_doors
def test_a_model_that_is_not_there_is_missing_with_the_way_to_get_it(stub_ollama: StubOllama, make: MakeModel) -> None:
    model = make(stub_ollama.url, model="llama9")

    with pytest.raises(ModelMissing) as caught:
        ask(model)
    with pytest.raises(ModelMissing):
        asyncio.run(model.check())

    assert caught.value.permanent
    assert "llama9" in caught.value.message.ja
    assert "ollama pull llama9" in caught.value.hint.ja or "ASSISTANT_CHAT_MODEL" in caught.value.hint.ja


def test_the_command_that_creates_the_model_is_shown_where_one_is_known(stub_ollama: StubOllama) -> None:
    model = ollama_model(stub_ollama.url, model="ours", create_command="ollama create ours -f ours.Modelfile")

    with pytest.raises(ModelMissing) as caught:
        asyncio.run(model.check())

    assert "`ollama create ours -f ours.Modelfile`" in caught.value.hint.en


def test_an_embedding_model_is_refused_for_answers(stub_ollama: StubOllama) -> None:
    with pytest.raises(ModelMissing):
        ask(ollama_model(stub_ollama.url, model="nomic-embed-text"))


@both_doors
def test_a_server_that_is_away_is_unavailable(make: MakeModel) -> None:
    model = make(f"http://user:secret@127.0.0.1:{free_port()}")

    for attempt in (lambda: ask(model), lambda: asyncio.run(model.check())):
        with pytest.raises(ModelUnavailable) as caught:
            attempt()
        assert not caught.value.permanent
        assert "127.0.0.1" in caught.value.message.ja
        assert "secret" not in caught.value.describe("ja") + caught.value.describe("en")


@both_doors
@pytest.mark.parametrize("address", ["http://[bad", "nonsense", "ftp://127.0.0.1:1", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_a_clear_error(make: MakeModel, address: str) -> None:
    for attempt in (lambda: ask(make(address)), lambda: asyncio.run(make(address).check())):
        with pytest.raises(ModelUnavailable):
            attempt()


@both_doors
def test_the_servers_slot_is_free_soon_after_a_hang_up(stub_ollama: StubOllama, make: MakeModel) -> None:
    stub_ollama.change_settings(tokens_per_second=20)
    model = make(stub_ollama.url)
    ask(model, num_predict=1)
    stub_ollama.add_fault("answer", text="長い話が続きます。" * 100)

    async def hang_up() -> float:
        leaving = model.stream(LONG_TALK, num_predict=500)
        await anext(leaving)
        assert stub_ollama.slots()["running"] == 1
        await leaving.aclose()
        closed = time.monotonic()
        await until(lambda: stub_ollama.slots()["running"] == 0)
        return time.monotonic() - closed

    assert asyncio.run(hang_up()) < 0.2  # what the product promises


@both_doors
def test_a_hang_up_while_the_prompt_is_read_frees_the_slot_too(stub_ollama: StubOllama, make: MakeModel) -> None:
    model = make(stub_ollama.url)
    ask(model, num_predict=1)
    stub_ollama.add_fault("prefill", seconds=30.0)

    async def leave() -> None:
        task = asyncio.create_task(answered(model, QUESTION))
        await until(lambda: stub_ollama.slots()["running"] == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await until(lambda: stub_ollama.slots()["running"] == 0)

    asyncio.run(leave())


def test_every_error_is_one_of_the_products(stub_ollama: StubOllama) -> None:
    stub_ollama.add_fault("answer", text="こんにちは")

    async def read_all(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
        return [piece async for piece in pieces]

    pieces = asyncio.run(read_all(ollama_model(f"{stub_ollama.url}/").stream(QUESTION, num_predict=5)))
    assert isinstance(pieces[-1], ModelEnd)
    with pytest.raises(AssistantError):
        ask(ollama_model(f"{stub_ollama.url}/no-such-path"))
