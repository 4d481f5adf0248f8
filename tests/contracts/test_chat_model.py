"""What every chat model promises (ports.ChatModel), and what each real one sends and makes of its server's faults."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest

from assistant.adapters.fake import FakeChatModel
from assistant.adapters.ollama import OllamaChatModel
from assistant.adapters.openai_compatible import OpenAICompatibleChatModel
from assistant.domain import ModelEnd, ModelToken
from assistant.errors import (
    AnswerAborted,
    AssistantError,
    ContextOverflow,
    ModelError,
    ModelMissing,
    ModelTimeout,
    ModelUnavailable,
)
from assistant.ports import ChatModel
from tests.contracts.conftest import SYSTEM, free_port
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

PASSAGES = (
    "下の抜粋だけを根拠にして、最後の質問に日本語で短く答えてください。\n"
    '<passage number="1" source="休暇規程">\n年次有給休暇は、取得日の3営業日前までに所属長へ申請する。\n</passage>\n'
    '<passage number="2" source="旅費規程">\n出張の旅費は、帰社後5営業日以内に精算する。\n</passage>\n'
)
QUESTION = PASSAGES + "\n質問: 年次有給休暇は取得日の何営業日前までに申請しますか?"
SHORT = "質問: 何時ですか?"
OTHER_SHORT = "質問: 何曜日ですか?"
LONG_TALK = "質問: 長く書いてください。1 から 500 までの数を、一つも省かずに順に書き写してください。"

Piece = ModelToken | ModelEnd


async def answered(model: ChatModel, prompt: str, *, num_predict: int = 64) -> list[Piece]:
    """All pieces of one answer."""
    async with aclosing(model.stream(prompt, num_predict=num_predict)) as pieces:
        return [piece async for piece in pieces]


def ask(model: ChatModel, prompt: str = QUESTION, *, num_predict: int = 64) -> tuple[str, ModelEnd]:
    """The answer's text and its end, with the form of the stream checked."""
    pieces = asyncio.run(answered(model, prompt, num_predict=num_predict))
    *tokens, end = pieces
    assert isinstance(end, ModelEnd)
    assert all(isinstance(token, ModelToken) and token.text for token in tokens)
    return "".join(token.text for token in tokens if isinstance(token, ModelToken)), end


async def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Returns when the condition holds; fails when it does not in time."""
    async with asyncio.timeout(seconds):
        for _ in iter(condition, True):
            await asyncio.sleep(0.005)


def test_an_answer_is_tokens_and_then_one_end_with_counts(chat_model: ChatModel) -> None:
    text, end = ask(chat_model)

    assert "3営業日前" in text
    assert not end.truncated
    assert end.prompt_tokens is not None
    assert 50 < end.prompt_tokens < 500
    assert end.answer_tokens is not None
    assert 0 < end.answer_tokens <= 64


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


def ollama_model(url: str, **given: object) -> OllamaChatModel:
    """The product's model on Ollama."""
    defaults = {"model": "company-assistant", "num_ctx": 8192}
    return OllamaChatModel(url=url, **{**defaults, **given})  # type: ignore[arg-type]


def openai_model(url: str, **given: object) -> OpenAICompatibleChatModel:
    """The same model behind OpenAI's protocol."""
    defaults = {"model": "company-assistant", "num_ctx": 8192}
    return OpenAICompatibleChatModel(url=f"{url}/v1", **{**defaults, **given})  # type: ignore[arg-type]


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


def test_an_openai_server_gets_the_release_in_the_request(stub_ollama: StubOllama) -> None:
    model = openai_model(stub_ollama.url, system_text=SYSTEM, temperature=0.2, top_p=0.9, api_key="k")

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
        "from tests.contracts.test_chat_model import ask, ollama_model, openai_model\n"
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


# -- what a server's faults become ------------------------------------------------------------------------------------

MakeModel = Callable[..., ChatModel]
both_doors = pytest.mark.parametrize("make", [ollama_model, openai_model], ids=["ollama", "openai"])


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


def test_every_error_is_one_of_the_products(stub_ollama: StubOllama) -> None:
    stub_ollama.add_fault("answer", text="こんにちは")

    async def read_all(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
        return [piece async for piece in pieces]

    pieces = asyncio.run(read_all(ollama_model(f"{stub_ollama.url}/").stream(QUESTION, num_predict=5)))
    assert isinstance(pieces[-1], ModelEnd)
    with pytest.raises(AssistantError):
        ask(ollama_model(f"{stub_ollama.url}/no-such-path"))
