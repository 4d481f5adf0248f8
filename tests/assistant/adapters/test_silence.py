"""A model that falls silent in all its answers at once: who is told, when, and that nobody's answer is cut off by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from assistant.adapters.breaker import PAUSE_SECONDS, Breaker, GuardedChatModel
from assistant.adapters.silence import LEAST_ANSWERS, LEAST_SECONDS, TIMES_LONGER
from assistant.admission import Admission
from assistant.ask import ask
from assistant.domain import AnswerMode, Finished, ModelEnd, ModelToken, Question
from assistant.errors import ModelUnavailable
from assistant.line import Crowd
from tests.assistant.adapters.test_breaker import Clock
from tests.assistant.test_ask import BEN, ScriptedModel, pipeline

TURNS = 50
"""More than enough turns of the loop for everything that can go on to go on."""


class HeldModel(ScriptedModel):
    """Writes `3営業日前 [1]。`, each answer after it was let go; while `is_held` is None at once."""

    def __init__(self) -> None:
        super().__init__("3営業日前", " [1]。")
        self.is_held: asyncio.Event | None = None
        self.under_way = 0
        self.came = asyncio.Event()

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        self.under_way += 1
        self.came.set()
        if self.is_held is not None:
            await self.is_held.wait()
        async with aclosing(super().stream(prompt, num_predict=num_predict)) as pieces:
            async for piece in pieces:
                yield piece


class Here:
    """A held model behind a breaker, in virtual time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.model = HeldModel()
        self.breaker = Breaker("model", now=self.clock)
        self.guard = GuardedChatModel(self.model, self.breaker)

    async def answer(self) -> str:
        async with aclosing(self.guard.stream("prompt", num_predict=8)) as pieces:
            return "".join([piece.text async for piece in pieces if isinstance(piece, ModelToken)])

    async def answered(self, count: int = LEAST_ANSWERS, *, seconds: float = 0.5) -> None:
        """So many whole answers, each of whose first words took so long."""
        for _ in range(count):
            self.model.is_held = asyncio.Event()
            task = await self.begun(1)
            self.clock.now += seconds
            self.model.is_held.set()
            await asyncio.gather(*task)
        self.model.is_held = None

    async def begun(self, count: int) -> list[asyncio.Task[str]]:
        """So many answers more that are under way."""
        tasks = [asyncio.create_task(self.answer()) for _ in range(count)]
        await turns()
        return tasks


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def played(story: Callable[[Here], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story(Here()))


def test_a_model_that_says_nothing_to_anybody_for_much_longer_than_ever_is_left_alone_and_no_answer_is_cut_off() -> (
    None
):
    async def story(here: Here) -> None:
        await here.answered()
        here.model.is_held = asyncio.Event()
        running = await here.begun(3)
        here.clock.now += LEAST_SECONDS + 0.1
        with pytest.raises(ModelUnavailable, match="has not said a word to any question for 60 seconds") as told:
            await here.answer()
        assert "failed" not in told.value.message.en
        assert (here.model.under_way, here.breaker.openings) == (LEAST_ANSWERS + 3, 1)
        assert not any(task.done() for task in running), "who waits for a word goes on waiting for it"

        here.model.is_held.set()
        await turns()
        assert here.breaker.state == "closed", "the next word shows that it lives"
        assert await asyncio.gather(*running) == ["3営業日前 [1]。"] * 3
        assert await here.answer() == "3営業日前 [1]。"

    played(story)


def test_a_slow_model_is_given_ten_times_what_it_ever_took() -> None:
    async def story(here: Here) -> None:
        await here.answered(LEAST_ANSWERS - 1)
        await here.answered(1, seconds=25.0)
        here.model.is_held = asyncio.Event()
        running = await here.begun(2)
        here.clock.now += TIMES_LONGER * 25.0
        assert here.breaker.state == "closed"
        here.clock.now += 0.1
        assert here.breaker.state == "open"
        here.model.is_held.set()
        await asyncio.gather(*running)

    played(story)


@pytest.mark.parametrize(("known", "under_way"), [(LEAST_ANSWERS, 1), (LEAST_ANSWERS - 1, 4), (0, 4)])
def test_one_silent_answer_or_a_model_that_nobody_knows_yet_proves_nothing(known: int, under_way: int) -> None:
    async def story(here: Here) -> None:
        await here.answered(known)
        here.model.is_held = asyncio.Event()
        running = await here.begun(under_way)
        here.clock.now += 10_000.0
        assert here.breaker.state == "closed"
        here.model.is_held.set()
        await asyncio.gather(*running)

    played(story)


def test_a_word_in_any_answer_is_a_sign_of_life_and_the_silence_is_counted_from_it() -> None:
    async def story(here: Here) -> None:
        await here.answered()
        here.model.is_held = asyncio.Event()
        silent = await here.begun(3)
        held, here.model.is_held = here.model.is_held, None
        for _ in range(5):
            here.clock.now += LEAST_SECONDS - 1.0
            assert await here.answer() == "3営業日前 [1]。"
            assert here.breaker.state == "closed"
        here.clock.now += LEAST_SECONDS + 0.1
        assert here.breaker.state == "open"
        held.set()
        await asyncio.gather(*silent)

    played(story)


def test_what_one_answer_was_silent_for_alone_does_not_count_against_the_second() -> None:
    async def story(here: Here) -> None:
        await here.answered()
        here.model.is_held = asyncio.Event()
        first = await here.begun(1)
        here.clock.now += 10 * LEAST_SECONDS
        second = await here.begun(1)
        here.clock.now += LEAST_SECONDS - 1.0
        assert here.breaker.state == "closed"
        here.model.is_held.set()
        await asyncio.gather(*first, *second)

    played(story)


def test_while_it_is_left_alone_one_caller_at_a_time_tries_again() -> None:
    async def story(here: Here) -> None:
        await here.answered()
        here.model.is_held = asyncio.Event()
        running = await here.begun(2)
        here.clock.now += LEAST_SECONDS + 0.1
        assert here.breaker.state == "open"
        here.clock.now += PAUSE_SECONDS
        probe = await here.begun(1)
        assert here.breaker.state == "half open"
        with pytest.raises(ModelUnavailable):
            await here.answer()
        here.model.is_held.set()
        assert len(await asyncio.gather(*running, *probe)) == 3
        assert here.breaker.state == "closed"

    played(story)


def test_whoever_waits_in_line_behind_a_silent_model_gets_quotes_and_the_places_stay_with_those_who_hold_them() -> None:
    async def story(here: Here) -> None:
        await here.answered()
        here.model.is_held = asyncio.Event()
        line = pipeline(here.guard)  # type: ignore[arg-type]
        admission = Admission(parallel=2, queue_limit=4, is_model_away=lambda _: here.breaker.state != "closed")

        async def asked(user: str) -> Finished:
            with admission.turn(user, Crowd.PEOPLE) as turn:
                async with aclosing(ask(Question("有給休暇の申請", "ja", BEN), line, turn)) as events:
                    last = [event async for event in events][-1]
            assert isinstance(last, Finished)
            return last

        holding = [asyncio.create_task(asked(user)) for user in ("aiko", "ben")]
        while here.model.under_way < LEAST_ANSWERS + 2:  # the ledger is read in a thread
            here.model.came.clear()
            await here.model.came.wait()
        here.clock.now += LEAST_SECONDS + 0.1
        waiting = await asked("chie")
        assert waiting.answer.mode is AnswerMode.QUOTES
        assert [notice.code for notice in waiting.answer.notices] == ["model_unavailable"]
        assert (admission.active, admission.waiting) == (2, 0)
        here.model.is_held.set()
        assert [each.answer.mode for each in await asyncio.gather(*holding)] == [AnswerMode.GENERATED] * 2

    played(story)
