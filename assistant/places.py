"""The places in front of one model and the line for them: who is next, and how long the others will wait.

The order is that of assistant/line.py. Must not know bounds (assistant/admission.py checks them at the arrival), nor what
a question says.
"""

from __future__ import annotations

from collections.abc import Callable

from assistant.domain import Queued
from assistant.line import Crowd, Forecast, Line, Newcomers, Order, Pace, Waiting, foresee

STALE_SECONDS = 1.0
"""A forecast is made anew after this time, whatever happens: answers that do not end change it too."""


class InPlace(Waiting):
    """A question in front of one model: when it lined up, and when it was given a place."""

    def __init__(self, user: str, crowd: Crowd, number: int) -> None:
        super().__init__(user, crowd, number)
        self.lined_up_at: float | None = None
        self.admitted_at: float | None = None

    def in_line_seconds(self, now: float) -> float:
        """Seconds in this line, up to the place."""
        if self.lined_up_at is None:
            return 0.0
        return (now if self.admitted_at is None else self.admitted_at) - self.lined_up_at

    def holding_seconds(self, now: float) -> float:
        """Seconds since the place was given."""
        return 0.0 if self.admitted_at is None else now - self.admitted_at

    def news(self) -> None:
        """Called when its place in line may have changed."""


class Places:
    """`parallel` answers of one model at once, of one user at most `user_running`."""

    def __init__(self, parallel: int, *, user_running: int, now: Callable[[], float]) -> None:
        self.parallel = parallel
        self._now = now
        self._order = Order(user_running)
        self._line = Line()
        self._holding: dict[InPlace, None] = {}
        self._pace = Pace()
        self._forecast: tuple[float, Forecast] | None = None
        self._newcomers = Newcomers()

    @property
    def active(self) -> int:
        """Questions that hold a place now."""
        return len(self._holding)

    @property
    def waiting(self) -> int:
        """Questions in line now."""
        return len(self._line)

    @property
    def pace_seconds(self) -> float:
        """What an answer takes on average."""
        return self._pace.seconds

    def depth(self, crowd: Crowd) -> int:
        """Questions of a crowd in line now."""
        return self._line.depth(crowd)

    def learn(self, seconds: float) -> None:
        """Takes in how long a whole answer of this model took, from before this process began."""
        self._pace.learn(seconds)

    def add(self, question: InPlace) -> None:
        """Takes a question into the line, or at once to a place."""
        if not self._line.depth(question.crowd):
            self._order.joined(question.crowd)
        question.lined_up_at, question.admitted_at = self._now(), None
        self._newcomers.came(question.crowd)
        self._line.add(question)
        self._go_on()

    def remove(self, question: InPlace, *, is_whole: bool = False) -> None:
        """Takes a question out, wherever it is; `is_whole` when a whole answer was written, which teaches the pace."""
        if question in self._holding:
            del self._holding[question]
            self._order.ended(question.user)
            self._newcomers.ended(question.crowd)
            if is_whole:
                self._pace.learn(question.holding_seconds(self._now()))
        else:
            self._line.remove(question)
        self._go_on()

    def outlook(self, question: InPlace) -> Queued:
        """Position and seconds of a question in line."""
        position, seconds = self._foreseen().turns[question]
        made_at = self._forecast[0] if self._forecast is not None else self._now()
        left = max(0.0, seconds - (self._now() - made_at))
        return Queued(position=position, wait_seconds=round(left, 1))

    def ending_seconds(self, count: int) -> float:
        """Seconds until the `count`-th answer from now ends."""
        return self._foreseen().ending(count, pace_seconds=self._pace.seconds, parallel=self.parallel)

    def endings_of(self, user: str) -> list[float]:
        """Seconds until each question of a user ends, as foreseen; without order."""
        turns, now = self._foreseen().turns, self._now()
        ends = [self._pace.remaining_seconds(q.holding_seconds(now)) for q in self._holding if q.user == user]
        return ends + [turns[q][1] + self._pace.seconds for q in self._line.everybody() if q.user == user]

    def _go_on(self) -> None:
        """Gives free places to those whose turn it is, and lets the others see what has changed."""
        while len(self._holding) < self.parallel:
            taken = self._order.take(self._line)
            if not isinstance(taken, InPlace):
                break
            taken.admitted_at = self._now()
            self._holding[taken] = None
            taken.news()
        self._forecast = None
        for waiting in self._line.everybody():
            if isinstance(waiting, InPlace):
                waiting.news()

    def _foreseen(self) -> Forecast:
        now = self._now()
        if self._forecast is None or now - self._forecast[0] > STALE_SECONDS:
            running = [(question, question.holding_seconds(now)) for question in self._holding]
            made = foresee(
                self._line, self._order, self._pace, self._newcomers, parallel=self.parallel, running=running
            )
            self._forecast = (now, made)
        return self._forecast[1]
