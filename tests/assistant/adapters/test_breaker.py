"""The breaker around model and embedder: when it opens, who tries again, what people hear; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

import numpy as np
import pytest

from assistant.adapters.breaker import FAILURES, PAUSE_SECONDS, Breaker, GuardedChatModel, GuardedEmbedder, seen_through
from assistant.adapters.fake import FakeEmbedder
from assistant.domain import DependencyState, ModelEnd, ModelToken
from assistant.errors import (
    AnswerAborted,
    AssistantError,
    ContextOverflow,
    EmbedderUnavailable,
    ModelMissing,
    ModelTimeout,
    ModelUnavailable,
    Text,
)
from assistant.ports import Vectors

WORDS = Text(ja="モデルがいません。", en="The model is away.")
HINT = Text(ja="起動してください。", en="Start it.")


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FailingModel:
    """Fails with `error` after `tokens`, or answers; counts what it was asked."""

    name = "failing"
    num_ctx = 4096

    def __init__(self) -> None:
        self.error: AssistantError | None = ModelUnavailable(WORDS, HINT)
        self.check_error: AssistantError | None = None
        self.tokens = 0
        self.asked = 0
        self.looked_at = 0
        self.gate: asyncio.Event | None = None

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        return len(text), "estimate"

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        self.asked += 1
        for _ in range(self.tokens):
            yield ModelToken("語")
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        yield ModelToken("はい")
        yield ModelEnd(1, 1, truncated=False)

    async def check(self) -> None:
        self.looked_at += 1
        if self.check_error is not None:
            raise self.check_error


class Guarded:
    """A failing model behind a breaker with a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.model = FailingModel()
        self.breaker = Breaker("model", now=self.clock)
        self.guard = GuardedChatModel(self.model, self.breaker)

    async def answer(self) -> str:
        async with aclosing(self.guard.stream("prompt", num_predict=8)) as pieces:
            return "".join([piece.text async for piece in pieces if isinstance(piece, ModelToken)])

    def fails(self, kind: type[AssistantError] = ModelUnavailable) -> AssistantError:
        """One question that ends with the error."""
        with pytest.raises(kind) as caught:
            asyncio.run(self.answer())
        return caught.value

    def opened(self) -> Guarded:
        """After as many failures as it takes."""
        for _ in range(FAILURES):
            self.fails()
        assert self.breaker.state == "open"
        return self


@pytest.mark.parametrize("kind", [ModelUnavailable, ModelTimeout, AnswerAborted])
def test_a_model_that_fails_in_a_row_is_left_alone_and_that_is_said(kind: type[AssistantError]) -> None:
    here = Guarded()
    here.model.error = kind(WORDS, HINT)
    here.model.tokens = 3 if kind is AnswerAborted else 0
    for _ in range(FAILURES):
        here.fails(kind)

    told = here.fails()

    assert here.model.asked == FAILURES
    assert (here.breaker.state, here.breaker.openings) == ("open", 1)
    assert told.message.ja.startswith(WORDS.ja)
    assert "5 秒" in told.message.ja
    assert "5 seconds" in told.message.en
    assert told.hint == HINT
    assert not told.permanent


def test_a_whole_answer_between_failures_makes_them_forgotten() -> None:
    here = Guarded()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            here.fails()
        error, here.model.error = here.model.error, None
        assert asyncio.run(here.answer()) == "はい"
        here.model.error = error
    assert here.breaker.state == "closed"


def test_what_lies_in_the_request_or_in_the_setup_opens_nothing() -> None:
    here = Guarded()
    for error in (
        ContextOverflow(WORDS, HINT),
        ModelMissing(WORDS, HINT),
        ModelUnavailable(WORDS, HINT, permanent=True),
    ):
        here.model.error = error
        for _ in range(FAILURES + 1):
            here.fails(type(error))
    assert here.breaker.state == "closed"


def test_after_the_pause_one_question_is_let_through_and_its_first_token_lets_all_others_in() -> None:
    here = Guarded().opened()
    here.clock.now += PAUSE_SECONDS
    here.model.error, here.model.tokens = None, 1

    async def probed() -> tuple[str, str, str]:
        here.model.gate = asyncio.Event()
        here.model.tokens = 0
        probe = asyncio.create_task(here.answer())
        for _ in range(5):
            await asyncio.sleep(0)
        during = here.breaker.state
        with pytest.raises(ModelUnavailable):
            await here.answer()
        here.model.gate.set()
        return during, await probe, await here.answer()

    assert asyncio.run(probed()) == ("half open", "はい", "はい")
    assert here.breaker.state == "closed"
    assert here.model.looked_at == 1


def test_a_probe_that_the_look_refuses_costs_nobody_a_question() -> None:
    here = Guarded().opened()
    here.model.check_error = ModelUnavailable(WORDS, HINT)
    here.clock.now += PAUSE_SECONDS
    here.fails()
    assert (here.model.asked, here.model.looked_at, here.breaker.state) == (FAILURES, 1, "open")
    here.clock.now += PAUSE_SECONDS / 2
    here.fails()
    assert here.model.looked_at == 1
    here.clock.now += PAUSE_SECONDS / 2
    here.fails()
    assert here.model.looked_at == 2
    assert here.breaker.openings == 1


def test_a_caller_who_leaves_in_the_middle_is_neither_success_nor_failure_and_frees_the_probe() -> None:
    here = Guarded().opened()
    here.clock.now += PAUSE_SECONDS

    async def leave() -> None:
        here.model.gate = asyncio.Event()
        probe = asyncio.create_task(here.answer())
        for _ in range(5):
            await asyncio.sleep(0)
        assert here.breaker.state == "half open"
        probe.cancel()
        await asyncio.wait({probe})

    asyncio.run(leave())
    assert here.breaker.state == "open"
    here.model.gate, here.model.error = None, None
    assert asyncio.run(here.answer()) == "はい"


def test_answers_that_began_before_the_opening_do_not_prolong_it() -> None:
    here = Guarded()

    async def all_at_once() -> None:
        here.model.gate = asyncio.Event()
        tasks = [asyncio.create_task(here.answer()) for _ in range(FAILURES + 2)]
        for _ in range(5):
            await asyncio.sleep(0)
        here.model.gate.set()
        await asyncio.wait(tasks)
        for task in tasks:
            assert isinstance(task.exception(), ModelUnavailable)

    asyncio.run(all_at_once())
    assert here.breaker.openings == 1
    here.clock.now += PAUSE_SECONDS
    here.model.gate, here.model.error = None, None
    assert asyncio.run(here.answer()) == "はい"


class StalledEmbedder(FakeEmbedder):
    """Embeds texts, and questions when it is not stalled."""

    stalls = True
    asked = 0

    async def embed_query(self, text: str) -> Vectors:
        self.asked += 1
        if self.stalls:
            await asyncio.Event().wait()
        return await super().embed_query(text)


def test_a_question_is_embedded_in_time_or_not_at_all_and_a_silent_embedder_is_left_alone() -> None:
    clock, embedder = Clock(), StalledEmbedder()
    guard = GuardedEmbedder(embedder, Breaker("embedder", now=clock), question_seconds=0.01)
    for _ in range(FAILURES):
        with pytest.raises(EmbedderUnavailable) as late:
            asyncio.run(guard.embed_query("休暇"))
    assert "0.01" in late.value.message.en
    with pytest.raises(EmbedderUnavailable) as paused:
        asyncio.run(guard.embed_query("休暇"))
    assert "5 seconds" in paused.value.message.en
    assert embedder.asked == FAILURES
    texts: Sequence[str] = ["文"]
    assert np.array_equal(guard.embed_documents(texts), embedder.embed_documents(texts)), "ingestion is not stopped"

    embedder.stalls = False
    clock.now += PAUSE_SECONDS
    assert asyncio.run(guard.embed_query("休暇")).shape == (1, embedder.dimension)
    assert guard.breaker.state == "closed"


def test_an_embedder_that_cannot_say_its_name_is_left_alone_too() -> None:
    class Nameless(FakeEmbedder):
        asked = 0

        @property
        def embedder_id(self) -> str:
            self.asked += 1
            raise EmbedderUnavailable(WORDS, HINT)

    embedder = Nameless()
    guard = GuardedEmbedder(embedder, Breaker("embedder", now=Clock()))
    for _ in range(FAILURES + 2):
        with pytest.raises(EmbedderUnavailable):
            _ = guard.embedder_id
    assert embedder.asked == FAILURES


def test_readiness_tells_that_a_server_which_answers_again_is_still_left_alone() -> None:
    here = Guarded().opened()
    answers = DependencyState("model", "ok", "company-assistant", "", "")
    away = DependencyState("model", "warn", "away", "", "")
    other = DependencyState("vectors", "ok", "answers", "", "")
    seen = seen_through(answers, [here.breaker])
    assert (seen.state, seen.hint_ja, seen.hint_en) == ("warn", HINT.ja, HINT.en)
    assert WORDS.en in seen.seen
    assert [seen_through(state, [here.breaker]) for state in (away, other)] == [away, other]
    assert seen_through(answers, [Breaker("model")]) == answers
