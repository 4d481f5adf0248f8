"""The one pipeline with a line in front of the model: what is done before the wait, and when the place is given back."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from assistant.admission import Admission
from assistant.ask import Pipeline, ask
from assistant.domain import Cited, Event, Finished, Found, Question, Queued, SearchResult, Token
from assistant.errors import Overloaded
from assistant.line import Crowd
from assistant.retrieve import search
from tests.assistant.test_ask import BEN, ScriptedModel, pipeline


def queued_events(
    text: str, line: Pipeline, *, hold_seconds: float, conversation_id: str | None = None
) -> tuple[list[Event], Admission]:
    """The events of a question that finds the one place taken for some time."""
    admission = Admission(parallel=1, queue_limit=4)

    async def collect() -> list[Event]:
        with admission.turn("aiko", Crowd.PEOPLE) as held, admission.turn("ben", Crowd.PEOPLE) as turn:
            held.line_up()
            asyncio.get_running_loop().call_later(hold_seconds, held.leave)
            question = Question(text, "ja", BEN, conversation_id=conversation_id)
            async with aclosing(ask(question, line, turn)) as events:
                return [event async for event in events]

    return asyncio.run(collect()), admission


def test_passages_are_shown_before_the_model_is_waited_for_and_the_wait_is_in_the_timings() -> None:
    events, admission = queued_events("有給休暇の申請", pipeline(ScriptedModel("3営業日前 [1]。")), hold_seconds=0.3)
    assert [type(event) for event in events] == [Found, Queued, Queued, Token, Cited, Finished]
    assert [event.position for event in events if isinstance(event, Queued)] == [1, 0]
    assert isinstance(events[-1], Finished)
    timings = events[-1].answer.timings
    assert timings.queue_seconds > 0.0
    assert timings.first_token_seconds is not None
    assert timings.first_token_seconds >= 0.29, "the place was given back after .3 s"
    assert timings.total_seconds >= timings.first_token_seconds >= timings.queue_seconds
    assert (admission.active, admission.present) == (0, 0)


def test_a_question_without_passages_or_without_a_model_waits_for_nobody() -> None:
    for text, model in (("????", ScriptedModel("x")), ("有給休暇の申請", None)):
        events, _ = queued_events(text, pipeline(model), hold_seconds=0.05)
        assert Queued not in [type(event) for event in events]


def test_the_place_is_free_for_the_next_before_the_answer_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    line = pipeline(ScriptedModel("3営業日前まで [1]。"))
    admission = Admission(parallel=1, queue_limit=0)
    held_at_the_end: list[int] = []
    monkeypatch.setattr(
        line.indexes.ledger, "save_answer", lambda *_, **__: held_at_the_end.append(admission.active), raising=False
    )

    async def answered() -> None:
        with admission.turn("ben", Crowd.PEOPLE) as turn:
            async with aclosing(ask(Question("有給休暇の申請", "ja", BEN), line, turn)) as events:
                assert [type(event) async for event in events][-1] is Finished

    asyncio.run(answered())
    assert held_at_the_end == [0]


def test_searches_have_a_bound_of_their_own_and_take_turns() -> None:
    searches = Admission(parallel=1, queue_limit=1)
    line = pipeline(ScriptedModel("3営業日前まで [1]。"))
    bounded = replace(line, indexes=replace(line.indexes, searches=searches))
    question = Question("有給休暇の申請", "ja", BEN)

    async def outcomes() -> list[type]:
        with searches.turn("someone", Crowd.APPS) as held:
            held.line_up()
            asyncio.get_running_loop().call_later(0.1, held.leave)
            asked = [search(question, bounded.indexes, limit=3) for _ in range(2)]
            return [type(each) for each in await asyncio.gather(*asked, return_exceptions=True)]

    assert asyncio.run(outcomes()) == [SearchResult, Overloaded]
    assert searches.present == 0


def test_others_go_on_between_the_sentences_of_an_answer_that_is_checked() -> None:
    line = pipeline(ScriptedModel("有給休暇は3営業日前までに申請する [1]。" * 12))

    async def others_turns() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        async with aclosing(ask(Question("有給休暇の申請", "ja", BEN), line)) as events:
            async for event in events:
                if isinstance(event, Token):
                    break
            task = asyncio.create_task(other())
            async for event in events:
                if isinstance(event, Cited):
                    break
            task.cancel()
        return turns

    assert asyncio.run(others_turns()) >= 12
