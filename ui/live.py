"""A question while it is being answered: what comes is drawn at once, and whatever ends it early frees the model.

    waiting -> writing -> finished
          \\          \\-> stopped | failed | lost with the browser, and asked again when it is back
           \\-> finished (refused, quotes) | stopped | failed

A turn is in the session from its first moment and grows with every event, so that nothing is lost when the person
stops it: Streamlit stops a script by an exception at its next call, after which the session can no longer be touched.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Final

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from assistant.errors import Language
from assistant.wire import CitedOut, FoundOut, TokenOut
from ui import answer_parts
from ui.client import LOST, Event, ProblemError
from ui.turn_view import Places, again_and_edit, draw_ended, draw_sources
from ui.turns import Turn
from ui.visit import Visit
from ui.words import asking, say

# Every redraw sends the whole answer again; faster than this nobody reads.
REDRAW_SECONDS: Final = 0.08
# One process draws everybody's answers: with many at once each is drawn less often, so that fifty leave it room
# (docs/lab-notes.md, 2026-11-27). Only their number is shared.
REDRAW_SECONDS_EACH: Final = 0.006
_under_way: set[str] = set()
# A restarted API answers within seconds; after this the person decides.
RETURN_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 1.0


def answer(turn: Turn, places: Places, visit: Visit, *, conversation_id: str | None, needs_stop_button: bool) -> None:
    """Ask the API and draw what comes. A question whose API went away in the middle is asked once more when it is back."""
    live = _Live(turn, places, visit)
    live.start(needs_stop_button=needs_stop_button)
    is_ended = False
    _under_way.add(turn.identifier)
    try:
        _listen(turn, live, visit, conversation_id=conversation_id)
        has_begun = turn.passages is not None or turn.queued is not None
        if turn.problem is not None and turn.problem.code == LOST and has_begun and live.wait_for_api():
            turn.problem, turn.text, turn.passages, turn.citations = None, "", None, []
            _listen(turn, live, visit, conversation_id=conversation_id)
        is_ended = True
    finally:
        _under_way.discard(turn.identifier)
        turn.is_lost = not is_ended and not _is_browser_there()
    live.end()


def _listen(turn: Turn, live: _Live, visit: Visit, *, conversation_id: str | None) -> None:
    wish = turn.wish
    asked = visit.client.ask_stream(
        turn.question,
        conversation_id=conversation_id,
        language=wish.language,
        folders=wish.folders,
        document_ids=(wish.document_id,) if wish.document_id else (),
    )
    try:
        with closing(asked) as events:
            for event in events:
                turn.take(event)
                live.draw_after(event)
    except ProblemError as error:
        turn.problem, turn.retry_after_seconds = error.problem, error.retry_after_seconds


def _is_browser_there() -> bool:
    """Whether the page is still connected: a script ends early when somebody stops it, and when their browser goes away."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is None or not exists() or get_instance().is_active_session(context.session_id)


class _Live:
    """Draws a turn while it grows; every event but a quick token calls Streamlit, so that Stop is noticed at once."""

    def __init__(self, turn: Turn, places: Places, visit: Visit) -> None:
        self.turn = turn
        self._places = places
        self._visit = visit
        self._started = self._drawn = time.monotonic()
        self._status = ""

    def start(self, *, needs_stop_button: bool) -> None:
        """Nothing has come yet. What can be done with a stopped answer is drawn before it is stopped, and shown afterwards."""
        turn, language = self.turn, self._visit.language
        with self._places.live.container():
            if needs_stop_button:
                st.button(say(asking.STOP, language), key=f"stop-{turn.identifier}", icon=":material/stop:")
            with st.container(horizontal=True, gap="small", key=f"stopped-{turn.identifier}"):
                again_and_edit(turn, language, place="live")
        self.draw()

    def end(self) -> None:
        """Nothing more will come."""
        draw_ended(self.turn, self._places, self._visit, is_last=True)

    def draw(self) -> None:
        """The line of waiting and the answer so far."""
        turn, now, language = self.turn, time.monotonic(), self._visit.language
        self._drawn = now
        status = answer_parts.status(_waiting(turn, now - self._started, language=language))
        if status != self._status:  # it changes each second, the answer many times a second
            self._status = status
            self._places.status.html(status)
        note = answer_parts.stopped(language, is_live=True)
        understood = answer_parts.understood(turn.rewritten, language=language)
        self._places.answer.html(understood + answer_parts.partial_answer(turn.text, turn.anchors) + note)

    def draw_after(self, event: Event) -> None:
        """What `event` changed."""
        pause_seconds = max(REDRAW_SECONDS, REDRAW_SECONDS_EACH * len(_under_way))
        if isinstance(event, TokenOut) and time.monotonic() - self._drawn < pause_seconds:
            return
        self.draw()
        if isinstance(event, FoundOut | CitedOut):
            draw_sources(self.turn, self._places, self._visit, is_live=True)

    def wait_for_api(self) -> bool:
        """Whether the API came back in time; the line of waiting says what is going on."""
        until, self._status = time.monotonic() + RETURN_SECONDS, ""
        while time.monotonic() < until:
            waiting = say(asking.WAITING_RETURN, self._visit.language)
            self._places.status.html(answer_parts.status(waiting))
            try:
                self._visit.client.me()
            except ProblemError as error:
                if error.problem.code != LOST and error.problem.status != 503:
                    return False
            else:
                return True
            time.sleep(LOOK_SECONDS)
        return False


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
