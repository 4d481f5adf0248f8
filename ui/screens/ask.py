"""The question screen: ask, see the passages at once, read along while the answer is written, open its sources.

A turn is in the session from its first moment and grows with every event, so that nothing is lost when the person
stops it: Streamlit stops a script by an exception at its next call, after which the session can no longer be touched.

    waiting -> writing -> finished
          \\          \\-> stopped | failed
           \\-> finished (refused, quotes) | stopped | failed
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, cast
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from assistant.errors import Language
from assistant.wire import (
    AnswerOut,
    CitationOut,
    CitedOut,
    FoundOut,
    PassageOut,
    Problem,
    QueuedOut,
    RewrittenOut,
    TokenOut,
)
from ui import answer_parts, parts
from ui.client import ApiClient, Event, ProblemError
from ui.visit import Visit
from ui.words import asking, say

# Every redraw sends the whole answer again; faster than this nobody reads.
REDRAW_SECONDS: Final = 0.08
# Streamlit sends all turns again on every run: up to 20 KiB each, with their passages.
SHOWN_TURNS: Final = 10
# A question that is too long or no question stays so; it goes back into the box instead.
NOT_TO_BE_RETRIED: Final = frozenset({413, 422})


@dataclass
class Turn:
    """One question and all that came back so far."""

    question: str
    identifier: str = field(default_factory=lambda: uuid4().hex[:8])
    queued: QueuedOut | None = None
    rewritten: str | None = None
    passages: list[PassageOut] | None = None
    citations: list[CitationOut] = field(default_factory=list)
    text: str = ""
    answer: AnswerOut | None = None
    problem: Problem | None = None
    retry_after_seconds: float | None = None

    def take(self, event: Event) -> None:
        """Grow by one event."""
        match event:
            case QueuedOut():
                self.queued = event if event.position else None
            case RewrittenOut():
                self.queued, self.rewritten = None, event.question
            case FoundOut():
                self.queued, self.passages = None, event.passages
            case TokenOut():
                self.queued, self.text = None, self.text + event.text
            case CitedOut():
                self.citations.append(event.citation)
            case AnswerOut():
                self.answer, self.citations, self.passages = event, event.citations, event.passages
                self.rewritten = event.rewritten

    @property
    def must_be_reworded(self) -> bool:
        """Whether the question itself was refused, so that asking it again would not help."""
        return self.problem is not None and self.problem.status in NOT_TO_BE_RETRIED

    @property
    def anchors(self) -> dict[int, str]:
        """Each checked citation's number and the id of its highlighted quote on the page."""
        return {c.number: f"source-{self.identifier}-{c.number}" for c in self.citations}


@dataclass(frozen=True)
class Places:
    """Where one turn is drawn: the line of waiting, the answer, what can be clicked; the sources and the passages."""

    status: DeltaGenerator
    answer: DeltaGenerator
    actions: DeltaGenerator
    sources: DeltaGenerator
    found: DeltaGenerator


@dataclass
class Talk:
    """What one browser tab has asked so far. `box_number` tells the boxes apart that were drawn one after another."""

    turns: list[Turn] = field(default_factory=list)
    pending: str | None = None
    box_number: int = 0


def show(visit: Visit) -> None:
    """Draw the screen, and answer a question if one was just asked.

    The box is on top and the newest turn right under it: whoever types sees what happens, whatever the page's length.
    """
    client, language, links_to = visit.client, visit.language, visit.links_to
    talk = _talk()
    box, introduction = st.empty(), st.empty()
    typed = _question_box(box, talk.box_number, language=language)
    question, talk.pending = typed or talk.pending, None
    if not talk.turns and not question:
        with introduction.container():
            _show_introduction(language)
        return
    earlier = talk.turns[::-1]
    if question:
        turn = Turn(question)
        talk.turns.append(turn)
        places = _places(turn)
    for place, old in enumerate(earlier[:SHOWN_TURNS]):
        is_last = place == 0 and not question
        _draw_ended(old, _places(old), language=language, links_to=links_to, is_last=is_last)
    if len(earlier) > SHOWN_TURNS:
        st.caption(say(asking.EARLIER_HIDDEN, language, count=len(earlier) - SHOWN_TURNS))
    if question:
        # A question that was typed can be stopped where it was typed; one that was clicked needs a button of its own.
        conversation_id = next((old.answer.conversation_id for old in earlier if old.answer is not None), None)
        live = _Live(turn, places, language=language, links_to=links_to)
        _answer(live, client, conversation_id=conversation_id, needs_stop_button=not typed)
        _renew_question_box(box, talk, turn, language=language)


def start_over() -> None:
    """Forget what was asked in this tab."""
    talk = _talk()
    talk.turns.clear()
    talk.pending = None


def _talk() -> Talk:
    return cast("Talk", st.session_state.setdefault("talk", Talk()))


def _question_box(box: DeltaGenerator, number: int, *, language: Language) -> str | None:
    """The box, and what was typed into it. Inside a container: Streamlit moves a bare box to the foot of the page."""
    with box.container():
        return st.chat_input(say(asking.ASK_PLACEHOLDER, language), key=f"question-{number}", submit_mode="stop")


def _renew_question_box(box: DeltaGenerator, talk: Talk, turn: Turn, *, language: Language) -> None:
    """A new box in the old one's place, holding a question that must be reworded.

    An old box takes the focus when its answer is finished, and the page would jump to it under the reader's eyes.
    The number is kept only after the box is drawn: a stop in between must leave the number of the box that is there.
    """
    number = talk.box_number + 1
    if turn.must_be_reworded:
        st.session_state[f"question-{number}"] = turn.question
    _question_box(box, number, language=language)
    talk.box_number = number


def _show_introduction(language: Language) -> None:
    st.html(parts.heading(asking.INTRO_TITLE, asking.INTRO, language=language))
    st.html(parts.side_title(asking.EXAMPLES_TITLE, language=language))
    for number, example in enumerate(asking.EXAMPLES):
        text = say(example, language)
        st.button(text, key=f"example-{number}", on_click=_ask_next, args=(text,))


def _ask_next(question: str) -> None:
    _talk().pending = question


def _ask_again(turn: Turn) -> None:
    talk = _talk()
    if turn in talk.turns:
        talk.turns.remove(turn)
    talk.pending = turn.question


def _places(turn: Turn) -> Places:
    st.html(answer_parts.question(turn.question))
    left, right = st.columns([3, 2], gap="large")
    return Places(left.empty(), left.empty(), left.empty(), right.empty(), right.empty())


def _answer(live: _Live, client: ApiClient, *, conversation_id: str | None, needs_stop_button: bool) -> None:
    """Ask the API and draw what comes. Whatever ends it early closes the stream, which frees the model."""
    live.start(needs_stop_button=needs_stop_button)
    turn = live.turn
    try:
        with closing(client.ask_stream(turn.question, conversation_id=conversation_id)) as events:
            for event in events:
                turn.take(event)
                live.draw_after(event)
    except ProblemError as error:
        turn.problem, turn.retry_after_seconds = error.problem, error.retry_after_seconds
    live.end()


class _Live:
    """Draws a turn while it grows; every event but a quick token calls Streamlit, so that Stop is noticed at once."""

    def __init__(self, turn: Turn, places: Places, *, language: Language, links_to: str | None) -> None:
        self.turn = turn
        self._places = places
        self._language = language
        self._links_to = links_to
        self._started = self._drawn = time.monotonic()

    def start(self, *, needs_stop_button: bool) -> None:
        """Nothing has come yet."""
        if needs_stop_button:
            self._places.actions.button(
                say(asking.STOP, self._language), key=f"stop-{self.turn.identifier}", icon=":material/stop:"
            )
        self.draw()

    def end(self) -> None:
        """Nothing more will come."""
        _draw_ended(self.turn, self._places, language=self._language, links_to=self._links_to, is_last=True)

    def draw(self) -> None:
        """The line of waiting and the answer so far."""
        turn, now = self.turn, time.monotonic()
        self._drawn = now
        self._places.status.html(answer_parts.status(_waiting(turn, now - self._started, language=self._language)))
        note = answer_parts.stopped(self._language, is_live=True)
        understood = answer_parts.understood(turn.rewritten, language=self._language)
        self._places.answer.html(understood + answer_parts.partial_answer(turn.text, turn.anchors) + note)

    def draw_after(self, event: Event) -> None:
        """What `event` changed."""
        if isinstance(event, TokenOut) and time.monotonic() - self._drawn < REDRAW_SECONDS:
            return
        self.draw()
        if isinstance(event, FoundOut | CitedOut):
            _draw_sources(
                self.turn, self._places, language=self._language, links_to=self._links_to, is_open=not self.turn.text
            )


def _waiting(turn: Turn, elapsed_seconds: float, *, language: Language) -> str:
    elapsed = round(elapsed_seconds)
    if turn.text:
        return say(asking.WRITING, language, elapsed_seconds=elapsed)
    if turn.queued is not None:
        return say(
            asking.WAITING_QUEUE,
            language,
            position=turn.queued.position,
            wait_seconds=round(turn.queued.wait_seconds),
            elapsed_seconds=elapsed,
        )
    if turn.passages is not None:
        return say(asking.WAITING_MODEL, language, count=len(turn.passages), elapsed_seconds=elapsed)
    return say(asking.WAITING_SEARCH, language, elapsed_seconds=elapsed)


def _draw_ended(turn: Turn, places: Places, *, language: Language, links_to: str | None, is_last: bool) -> None:
    """A turn that grows no more: finished, failed or stopped."""
    places.status.empty()
    understood = answer_parts.understood(turn.rewritten, language=language)
    partial = understood + answer_parts.partial_answer(turn.text, turn.anchors)
    if turn.answer is not None:
        places.answer.html(understood + answer_parts.answer(turn.answer, turn.anchors, language=language))
    elif turn.problem is not None:
        box = parts.problem(
            turn.problem, language=language, retry_after_seconds=turn.retry_after_seconds, is_partial=bool(turn.text)
        )
        places.answer.html(partial + box)
    else:
        places.answer.html(partial + answer_parts.stopped(language, is_live=False))
    if is_last and turn.answer is None and not turn.must_be_reworded:
        places.actions.button(
            say(asking.RETRY, language),
            key=f"again-{turn.identifier}",
            on_click=_ask_again,
            args=(turn,),
            icon=":material/refresh:",
        )
    else:
        places.actions.empty()
    _draw_sources(turn, places, language=language, links_to=links_to, is_open=not turn.citations)


def _draw_sources(turn: Turn, places: Places, *, language: Language, links_to: str | None, is_open: bool) -> None:
    """The cited sources with their numbers, and under them the other passages, each passage once."""
    if not turn.passages:
        return
    cited = {citation.chunk_id for citation in turn.citations}
    others = [passage for passage in turn.passages if passage.chunk_id not in cited]
    if turn.citations:
        places.sources.html(
            answer_parts.sources(turn.citations, turn.passages, turn.anchors, language=language, links_to=links_to)
        )
    if others or not turn.citations:
        title = asking.FOUND_OTHERS if turn.citations else asking.FOUND
        places.found.html(
            answer_parts.found(others, title=title, is_open=is_open, language=language, links_to=links_to)
        )
    else:
        places.found.empty()
