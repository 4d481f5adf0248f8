"""Who is let in, and to which model's line: so many answers at once, bounded lines with a fair order, honest waits.

    arrives ──▶ searched for ──▶ in line ──▶ holds a place ──▶ gone        bounds are checked at the arrival alone:
       └ full: Overloaded          ▲           │ the model is away         whoever is let in is never refused later
                                   └ other line ┘

Each model has places and a line of its own (assistant/places.py). One event loop owns an Admission; every method but
`outlook` returns at once. Must not know what a question says.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from assistant.domain import Principal, Queued
from assistant.errors import Overloaded, Text
from assistant.line import Crowd
from assistant.places import InPlace, Places

REFRESH_SECONDS = 5.0
"""Whoever waits is told anew how long it takes at least this often."""
AGAIN_SECONDS = 0.5
"""And at most this often: a screen that counts down needs no more, and two hundred who wait are told each time."""
YOUR_TURN = Queued(position=0, wait_seconds=0.0)
"""The wait is over: the model reads the question now."""


def user_of(principal: Principal) -> str:
    """Whose share a question counts for; an app and a person of one name are two."""
    return f"{principal.via}:{principal.name}"


def crowd_of(principal: Principal, *, is_background: bool = False) -> Crowd:
    """Where a question lines up: people come through the proxy or the command line, apps with a key."""
    if is_background:
        return Crowd.BACKGROUND
    return Crowd.APPS if principal.via == "key" else Crowd.PEOPLE


class Turn(InPlace):
    """One question's way through an Admission; see ports.Turn. `waited_seconds` is the time spent in lines so far."""

    def __init__(self, admission: Admission, user: str, crowd: Crowd, number: int) -> None:
        super().__init__(user, crowd, number)
        self.changed = asyncio.Event()
        self._admission = admission
        self._told: Queued | None = None
        self._told_at = -math.inf
        self._waited_before = 0.0
        self._places: Places | None = None
        self.is_gone = False

    @property
    def state(self) -> Literal["arrived", "in line", "holding", "gone"]:
        """How far it is."""
        if self.is_gone:
            return "gone"
        if self._places is None:
            return "arrived"
        return "in line" if self.admitted_at is None else "holding"

    @property
    def waited_seconds(self) -> float:
        """Seconds in line, up to the place."""
        return self._waited_before + self.in_line_seconds(self._admission.now())

    @property
    def held_seconds(self) -> float:
        """Seconds since the place was given."""
        return self.holding_seconds(self._admission.now())

    def line_up(self, line: int = 0) -> None:
        """Asks for a place in front of a model; nothing changes when that was done before."""
        places = self._admission.lines[line]
        if self.is_gone or self._places is places:
            return
        if self._places is not None:
            self._waited_before = self.waited_seconds
            self._places.remove(self)
        self._told, self._told_at = None, -math.inf
        self._places = places
        places.add(self)

    async def outlook(self, line: int = 0) -> Queued | None:
        """What to tell whoever waits, as soon as there is something new: each step of the position, and the wait. Whoever
        was told to wait is told last that it is their turn, as position 0. None as soon as the place is held, or when
        there is nothing to wait for because the model is left alone, which the asker then hears from the model's guard."""
        self.line_up(line)
        while self._places is not None and self.state == "in line" and not self._admission.is_model_away(line):
            self.changed.clear()
            pause_seconds = AGAIN_SECONDS - (self._admission.now() - self._told_at)
            if pause_seconds <= 0.0:
                outlook = self._places.outlook(self)
                pause_seconds += REFRESH_SECONDS - AGAIN_SECONDS
                if self._told is None or outlook.position != self._told.position or pause_seconds <= 0.0:
                    return self._tell(outlook)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_seconds):
                    await self.changed.wait()
        if self.state == "holding" and self._told is not None and self._told != YOUR_TURN:
            return self._tell(YOUR_TURN)
        return None

    def _tell(self, outlook: Queued) -> Queued:
        self._told, self._told_at = outlook, self._admission.now()
        return outlook

    def news(self) -> None:
        """Its place in line may have changed."""
        self.changed.set()

    def leave(self, *, is_whole: bool = False) -> None:
        """Gives the place, or the place in line, to the next; `is_whole`: a whole answer was written, which teaches
        the pace. Leaving twice is no error."""
        if self.is_gone:
            return
        self.is_gone = True
        self._admission.left(self)
        if self._places is not None:
            self._places.remove(self, is_whole=is_whole)


class Admission:
    """`parallel` places, at most `queue_limit` questions beyond them; of one user `user_running` and `user_waiting`.

    With a second model, `second_parallel` places more, in front of which people line up apart. While `is_model_away` says so
    of a line's model nobody waits in that line; it is asked at least every REFRESH_SECONDS.
    """

    def __init__(
        self,
        *,
        parallel: int,
        queue_limit: int,
        user_running: int | None = None,
        user_waiting: int | None = None,
        second_parallel: int = 0,
        is_model_away: Callable[[int], bool] = lambda line: False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_model_away = is_model_away
        self.now = now
        self._queue_limit = queue_limit
        own = user_running or parallel
        self.lines = [Places(parallel, user_running=own, now=now)]
        if second_parallel:
            its_own = math.ceil(second_parallel * own / parallel)  # the same share of its places as of the first's
            self.lines.append(Places(second_parallel, user_running=its_own, now=now))
        self._user_limit = own + (queue_limit if user_waiting is None else user_waiting)
        self._present: Counter[str] = Counter()
        self._arrivals = 0
        self._promised: deque[float] = deque()

    @property
    def parallel(self) -> int:
        """Questions that may hold a place at once."""
        return sum(places.parallel for places in self.lines)

    @property
    def active(self) -> int:
        """Questions that hold a place now."""
        return sum(places.active for places in self.lines)

    @property
    def waiting(self) -> int:
        """Questions in line now."""
        return sum(places.waiting for places in self.lines)

    @property
    def present(self) -> int:
        """Questions let in and not gone: searched for, in line, or holding a place."""
        return self._present.total()

    def depth(self, crowd: Crowd) -> int:
        """Questions of a crowd in line now."""
        return sum(places.depth(crowd) for places in self.lines)

    @contextmanager
    def turn(self, user: str, crowd: Crowd) -> Iterator[Turn]:
        """A question's turn; left at the end of the block at the latest. Raises Overloaded when it is not let in."""
        if self._present[user] >= self._user_limit:
            raise self._own_limit(user)
        if self.present >= self.parallel + self._queue_limit:
            raise self._full()
        self._arrivals += 1
        turn = Turn(self, user, crowd, self._arrivals)
        self._present[user] += 1
        try:
            yield turn
        finally:
            turn.leave()

    def left(self, turn: Turn) -> None:
        """Notes that a question is gone; see Turn.leave."""
        self._present[turn.user] -= 1
        if not self._present[turn.user]:
            del self._present[turn.user]

    def _full(self) -> Overloaded:
        """The machine's bound: come back when a place in line has come free that nobody else was told of."""
        now = self.now()
        while self._promised and self._promised[0] <= now:
            self._promised.popleft()
        count = len(self._promised) + 1
        seconds = min(places.ending_seconds(count) for places in self.lines)
        self._promised.append(max(now + seconds, self._promised[-1] if self._promised else 0.0))
        return _overloaded(
            seconds,
            Text(
                ja=f"質問が混み合っています(実行中 {self.active} 件、待ち {self.waiting} 件)。",
                en=f"Too many questions at once ({self.active} running, {self.waiting} waiting).",
            ),
            is_own=False,
        )

    def _own_limit(self, user: str) -> Overloaded:
        """The user's own bound: come back when the first of their questions ends."""
        ends = [seconds for places in self.lines for seconds in places.endings_of(user)]
        return _overloaded(
            min(ends, default=self.lines[0].pace_seconds),
            Text(
                ja=f"あなたの質問がすでに {self._present[user]} 件、回答中か順番待ちです。",
                en=f"You already have {self._present[user]} questions being answered or waiting.",
            ),
            is_own=True,
        )


def _overloaded(seconds: float, message: Text, *, is_own: bool) -> Overloaded:
    wait_seconds = max(1.0, seconds)
    whole_seconds = math.ceil(wait_seconds)
    return Overloaded(
        message,
        Text(
            ja=f"{whole_seconds} 秒ほど待ってから、もう一度質問してください。",
            en=f"Ask again in about {whole_seconds} seconds.",
        ),
        retry_after_seconds=wait_seconds,
        is_own=is_own,
    )
