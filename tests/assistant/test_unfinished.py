"""What the history holds of a question that is being answered, and of one that was broken off, over the real ledger."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.adapters.fake import FakeChatModel
from assistant.adapters.ledger import Ledger
from assistant.ask import Pipeline, ask
from assistant.domain import Event, Failed, Finished, Found, Principal, Question, Token
from assistant.errors import AccessDenied, Text
from tests.api.whole import whole_assistant

BEN = Principal("ben")
ASKED = Question(
    text="年次有給休暇の申請はいつまで?", language="ja", principal=BEN, request_id="r", conversation_id="c_1"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
def pipeline(ledger: Ledger, tmp_path: Path) -> Pipeline:
    made = whole_assistant(ledger, tmp_path).pipeline
    assert made is not None
    return made


async def asked(pipeline: Pipeline, *, until: type[Event] | None = None) -> list[Event]:
    """The question's events; hung up after the first of the kind."""
    seen: list[Event] = []
    async with aclosing(ask(ASKED, pipeline)) as events:
        async for event in events:
            seen.append(event)
            if until is not None and isinstance(event, until):
                break
    return seen


def kept(ledger: Ledger) -> list[tuple[str, str | None]]:
    """Questions without an answer, with what had been written."""
    return [(one.question, one.text) for one in ledger.unfinished("c_1", principal=BEN)]


def answers(ledger: Ledger) -> list[str]:
    stored, _ = ledger.stored_answers("c_1", principal=BEN)
    return [one.question for one in stored]


def test_what_was_written_before_a_hang_up_is_kept_and_gives_way_to_the_answer(
    ledger: Ledger, pipeline: Pipeline
) -> None:
    events = asyncio.run(asked(pipeline, until=Token))
    written = "".join(event.text for event in events if isinstance(event, Token))
    assert written
    assert kept(ledger) == [(ASKED.text, written)]
    assert answers(ledger) == []
    (listed,), _ = ledger.list_conversations(principal=BEN)
    assert (listed.title, listed.answers) == (ASKED.text, 1)
    assert isinstance(asyncio.run(asked(pipeline))[-1], Finished)
    assert kept(ledger) == []
    assert answers(ledger) == [ASKED.text]


def test_a_question_is_in_the_history_before_its_answer_and_stays_when_nothing_was_written(
    ledger: Ledger, pipeline: Pipeline
) -> None:
    asyncio.run(asked(pipeline, until=Found))
    assert kept(ledger) == [(ASKED.text, "")]


def test_a_question_that_is_cancelled_while_the_model_is_silent_is_kept(ledger: Ledger, pipeline: Pipeline) -> None:
    async def cancelled() -> None:
        has_begun = asyncio.Event()

        class Silent(FakeChatModel):
            async def stream(self, prompt: str, *, num_predict: int, alternatives: int = 0):  # type: ignore[no-untyped-def]
                has_begun.set()
                await asyncio.sleep(600)
                yield

        silent = replace(pipeline, model=Silent())
        task = asyncio.create_task(asked(silent))
        await has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert kept(ledger) == [(ASKED.text, "")]


def test_an_error_that_ends_the_answer_leaves_what_was_written(ledger: Ledger, pipeline: Pipeline) -> None:
    class Ending(FakeChatModel):
        async def stream(self, prompt: str, *, num_predict: int, alternatives: int = 0):  # type: ignore[no-untyped-def]
            async for piece in super().stream(prompt, num_predict=num_predict):
                yield piece
                raise AccessDenied(Text("終", "over"), Text("終", "over"))

    events = asyncio.run(asked(replace(pipeline, model=Ending())))
    assert isinstance(events[-1], Failed)
    ((question, text),) = kept(ledger)
    assert question == ASKED.text
    assert text


def test_a_comparison_of_releases_leaves_no_note(ledger: Ledger, pipeline: Pipeline) -> None:
    indexes = replace(pipeline.indexes, ledger=ledger.without_saving())
    asyncio.run(asked(replace(pipeline, indexes=indexes), until=Token))
    assert ledger.list_conversations(principal=BEN) == ([], None)
