"""Places in front of the model: so many answers at once, a bounded line with a fair order, honest waits.

    arrives ──▶ searched for ──▶ in line ──▶ holds a place ──▶ gone        bounds are checked at the arrival alone:
       └ full: Overloaded          └ leaves whenever it likes ┘            whoever is let in is never refused later

The order is that of assistant/line.py. One event loop owns an Admission; every method but `outlook` returns at once. Must
not know what a question says.
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
from assistant.line import Crowd, Forecast, Line, Order, Pace, Waiting, foresee

REFRESH_SECONDS = 5.0
"""Whoever waits is told anew how long it takes at least this often."""
AGAIN_SECONDS = 0.5
"""And at most this often: a screen that counts down needs no more, and two hundred who wait are told each time."""
STALE_SECONDS = 1.0
"""A forecast is made anew after this time, whatever happens: answers that do not end change it too."""
LEARNED_WEIGHT = 0.1
"""Weight of the newest wait in the correction of what is told."""
LEAST_TELLING_SECONDS = 0.2
"""Shorter waits say nothing about how good the forecast is."""
MOST_CORRECTION = math.log(4.0)
"""What is told is never more than four times, nor less than a quarter of what was played through."""
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


class Turn(Waiting):
    """One question's way through an Admission; see ports.Turn. `waited_seconds` is the time spent in line so far."""

    def __init__(self, admission: Admission, user: str, crowd: Crowd, number: int) -> None:
        super().__init__(user, crowd, number)
        self.state: Literal["arrived", "in line", "holding", "gone"] = "arrived"
        self.changed = asyncio.Event()
        self.lined_up_at: float | None = None
        self.admitted_at: float | None = None
        self.foreseen_seconds: float | None = None
        self._admission = admission
        self._told: Queued | None = None
        self._told_at = -math.inf

    @property
    def waited_seconds(self) -> float:
        """Seconds in line, up to the place."""
        if self.lined_up_at is None:
            return 0.0
        return (self._admission.now() if self.admitted_at is None else self.admitted_at) - self.lined_up_at

    @property
    def held_seconds(self) -> float:
        """Seconds since the place was given."""
        return 0.0 if self.admitted_at is None else self._admission.now() - self.admitted_at

    def line_up(self) -> None:
        """Asks for a place; nothing changes when that was done before."""
        if self.state == "arrived":
            self._admission.line_up(self)

    async def outlook(self) -> Queued | None:
        """What to tell whoever waits, as soon as there is something new: each step of the position, and the wait. Whoever
        was told to wait is told last that it is their turn, as position 0. None as soon as the place is held."""
        self.line_up()
        while self.state == "in line":
            self.changed.clear()
            pause_seconds = AGAIN_SECONDS - (self._admission.now() - self._told_at)
            if pause_seconds <= 0.0:
                outlook = self._admission.outlook(self)
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

    def leave(self, *, is_whole: bool = False) -> None:
        """Gives the place, or the place in line, to the next; `is_whole`: a whole answer was written, which teaches
        the pace. Leaving twice is no error."""
        if self.state != "gone":
            self._admission.left(self, is_whole=is_whole)


class Admission:
    """`parallel` places, at most `queue_limit` questions beyond them; of one user `user_running` and `user_waiting`."""

    def __init__(
        self,
        *,
        parallel: int,
        queue_limit: int,
        user_running: int | None = None,
        user_waiting: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.parallel = parallel
        self.now = now
        self._queue_limit = queue_limit
        self._user_running = user_running or parallel
        self._user_limit = self._user_running + (queue_limit if user_waiting is None else user_waiting)
        self._order = Order(self._user_running)
        self._line = Line()
        self._holding: dict[Turn, None] = {}
        self._present: Counter[str] = Counter()
        self._arrivals = 0
        self._pace = Pace()
        self._forecast: tuple[float, Forecast] | None = None
        self._promised: deque[float] = deque()
        self._corrections = dict.fromkeys(Crowd, 0.0)

    @property
    def active(self) -> int:
        """Questions that hold a place now."""
        return len(self._holding)

    @property
    def waiting(self) -> int:
        """Questions in line now."""
        return len(self._line)

    @property
    def present(self) -> int:
        """Questions let in and not gone: searched for, in line, or holding a place."""
        return self._present.total()

    def depth(self, crowd: Crowd) -> int:
        """Questions of a crowd in line now."""
        return self._line.depth(crowd)

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

    def line_up(self, turn: Turn) -> None:
        """Takes a turn into the line; see Turn.line_up."""
        if not self._line.depth(turn.crowd):
            self._order.joined(turn.crowd)
        turn.state, turn.lined_up_at = "in line", self.now()
        self._line.add(turn)
        self._go_on()
        if turn.state == "in line":
            turn.foreseen_seconds = self._foreseen().turns[turn][1]

    def outlook(self, turn: Turn) -> Queued:
        """Position and seconds of a turn in line."""
        position, seconds = self._foreseen().turns[turn]
        made_at = self._forecast[0] if self._forecast is not None else self.now()
        left = max(0.0, seconds - (self.now() - made_at)) * math.exp(self._corrections[turn.crowd])
        return Queued(position=position, wait_seconds=round(left, 1))

    def left(self, turn: Turn, *, is_whole: bool) -> None:
        """Takes a turn out, wherever it is; see Turn.leave."""
        if turn.state == "in line":
            self._line.remove(turn)
        elif turn.state == "holding":
            del self._holding[turn]
            self._order.ended(turn.user)
            if is_whole:
                self._pace.learn(turn.held_seconds)
        turn.state = "gone"
        self._present[turn.user] -= 1
        if not self._present[turn.user]:
            del self._present[turn.user]
        self._go_on()

    def _go_on(self) -> None:
        """Gives free places to those whose turn it is, and lets the others see what has changed."""
        while len(self._holding) < self.parallel:
            taken = self._order.take(self._line)
            if not isinstance(taken, Turn):
                break
            taken.state, taken.admitted_at = "holding", self.now()
            self._holding[taken] = None
            self._learn_from(taken)
            taken.changed.set()
        self._forecast = None
        for waiting in self._line.everybody():
            if isinstance(waiting, Turn):
                waiting.changed.set()

    def _learn_from(self, turn: Turn) -> None:
        """Compares a wait with what was foreseen when it began: those who come later and overtake are not foreseen."""
        waited, foreseen = turn.waited_seconds, turn.foreseen_seconds
        if foreseen is None or max(waited, foreseen) < LEAST_TELLING_SECONDS:
            return
        known = self._corrections[turn.crowd]
        ratio = max(waited, LEAST_TELLING_SECONDS) / max(foreseen, LEAST_TELLING_SECONDS)
        corrected = known + LEARNED_WEIGHT * (math.log(ratio) - known)
        self._corrections[turn.crowd] = max(-MOST_CORRECTION, min(MOST_CORRECTION, corrected))

    def _foreseen(self) -> Forecast:
        now = self.now()
        if self._forecast is None or now - self._forecast[0] > STALE_SECONDS:
            running = [(turn.user, turn.held_seconds) for turn in self._holding]
            made = foresee(self._line, self._order, self._pace, parallel=self.parallel, running=running)
            self._forecast = (now, made)
        return self._forecast[1]

    def _full(self) -> Overloaded:
        """The machine's bound: come back when a place in line has come free that nobody else was told of."""
        now = self.now()
        while self._promised and self._promised[0] <= now:
            self._promised.popleft()
        count = len(self._promised) + 1
        seconds = self._foreseen().ending(count, pace_seconds=self._pace.seconds, parallel=self.parallel)
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
        turns = self._foreseen().turns
        ends = [self._pace.remaining_seconds(turn.held_seconds) for turn in self._holding if turn.user == user]
        ends += [turns[waiting][1] + self._pace.seconds for waiting in self._line.everybody() if waiting.user == user]
        return _overloaded(
            min(ends, default=self._pace.seconds),
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
