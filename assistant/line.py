"""Who gets the model next, and when: the order of a waiting line and the forecast made from it. Pure, no clock, no waiting.

    crowd: the one that is furthest behind its share (people 16, apps 4, background 1)
      └─ user: the one with fewest answers under way, then the one served longest ago
           └─ question: the oldest

A lower crowd is never left without its share, so it cannot starve (docs/decisions/0015). The forecast plays the same order
forward: running answers end after what answers of their age usually still take, each place goes to the next in line.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FIRST_GUESS_SECONDS = 10.0
"""Length of an answer that is assumed before the first one has been timed."""
TIMED_ANSWERS = 64
"""Answers whose lengths are kept: enough for a distribution, few enough to follow a change of model within minutes."""
OVERDUE_SHARE = 0.5
"""An answer that has run longer than any known one is taken to need half as long again as it has run."""
REMEMBERED_USERS = 2_000
FORESEEN = 100
"""Waiting questions whose turn is played through; those behind them are reckoned by the pace alone."""


class Crowd(StrEnum):
    """Who waits together; the order is that of precedence."""

    PEOPLE = "people"
    APPS = "apps"
    BACKGROUND = "background"


SHARES: dict[Crowd, int] = {Crowd.PEOPLE: 16, Crowd.APPS: 4, Crowd.BACKGROUND: 1}
"""Places of 21 while all three wait. With crowds of equal size, people then wait a quarter as long as apps."""


@dataclass(eq=False)
class Waiting:
    """One question in line. `number` counts arrivals."""

    user: str
    crowd: Crowd
    number: int


@dataclass
class Order:
    """Decides who is next. `user_running` bounds the answers of one user at once."""

    user_running: int
    passes: dict[Crowd, float] = field(default_factory=lambda: dict.fromkeys(Crowd, 0.0))
    running: Counter[str] = field(default_factory=Counter)
    served: dict[str, int] = field(default_factory=dict)
    serial: int = 0
    reached: float = 0.0
    """How far the shares are used up: the pass of the crowd that was served last."""

    def copy(self) -> Order:
        """The same order, to be played forward."""
        return Order(
            self.user_running, dict(self.passes), Counter(self.running), dict(self.served), self.serial, self.reached
        )

    def joined(self, crowd: Crowd) -> None:
        """Notes that a crowd of which nobody waited waits again: what it did not use before is not saved up."""
        self.passes[crowd] = max(self.passes[crowd], self.reached)

    def take(self, line: Line) -> Waiting | None:
        """Takes the next one out of the line; None when everybody in it has as many answers under way as allowed."""
        # By the end of the share that the next answer would use, as weighted fair queueing does: after a pause for all,
        # people come first, not the crowd whose name happens to be behind by one answer.
        for crowd in sorted(line.crowds(), key=lambda each: self.passes[each] + 1 / SHARES[each]):
            heads = [head for head in line.heads(crowd) if self.running[head.user] < self.user_running]
            if heads:
                first = min(heads, key=lambda h: (self.running[h.user], self.served.get(h.user, -1), h.number))
                line.remove(first)
                self.reached = max(self.reached, self.passes[crowd])
                self.passes[crowd] += 1 / SHARES[crowd]
                self.running[first.user] += 1
                self.serial += 1
                self._note(first.user)
                return first
        return None

    def ended(self, user: str) -> None:
        """Notes that an answer of this user is over."""
        self.running[user] -= 1
        if self.running[user] <= 0:
            del self.running[user]

    def _note(self, user: str) -> None:
        """Remembers when a user was served last; of very many, those of long ago are forgotten."""
        self.served.pop(user, None)
        self.served[user] = self.serial
        if len(self.served) > REMEMBERED_USERS:
            del self.served[next(iter(self.served))]


class Line:
    """Those who wait, by crowd and user, each user's in the order of arrival."""

    def __init__(self) -> None:
        self._users: dict[Crowd, dict[str, deque[Waiting]]] = {crowd: {} for crowd in Crowd}

    def __len__(self) -> int:
        return sum(len(waiting) for users in self._users.values() for waiting in users.values())

    def copy(self) -> Line:
        """The same line, to be emptied."""
        copied = Line()
        copied._users = {
            crowd: {user: deque(waiting) for user, waiting in users.items()} for crowd, users in self._users.items()
        }
        return copied

    def add(self, waiting: Waiting) -> None:
        """Puts one at the end of its user's questions."""
        self._users[waiting.crowd].setdefault(waiting.user, deque()).append(waiting)

    def remove(self, waiting: Waiting) -> None:
        """Takes one out."""
        users = self._users[waiting.crowd]
        users[waiting.user].remove(waiting)
        if not users[waiting.user]:
            del users[waiting.user]

    def crowds(self) -> list[Crowd]:
        """Those of which somebody waits."""
        return [crowd for crowd, users in self._users.items() if users]

    def heads(self, crowd: Crowd) -> list[Waiting]:
        """Each user's oldest question."""
        return [waiting[0] for waiting in self._users[crowd].values()]

    def depth(self, crowd: Crowd) -> int:
        """How many of a crowd wait."""
        return sum(len(waiting) for waiting in self._users[crowd].values())

    def everybody(self) -> list[Waiting]:
        """All who wait, without order."""
        return [each for users in self._users.values() for waiting in users.values() for each in waiting]


class Pace:
    """How long answers take, learned from those that ran to their end."""

    def __init__(self) -> None:
        self._lengths: deque[float] = deque(maxlen=TIMED_ANSWERS)
        self._mean: float | None = None

    def learn(self, seconds: float) -> None:
        """Takes in one whole answer."""
        self._lengths.append(seconds)
        self._mean = sum(self._lengths) / len(self._lengths)

    @property
    def seconds(self) -> float:
        """What an answer takes on average."""
        return FIRST_GUESS_SECONDS if self._mean is None else self._mean

    def remaining_seconds(self, elapsed: float) -> float:
        """What an answer that has run for `elapsed` seconds still takes: the mean of the known longer ones."""
        longer = [length for length in self._lengths if length > elapsed]
        if longer:
            return sum(longer) / len(longer) - elapsed
        if not self._lengths and elapsed < FIRST_GUESS_SECONDS:
            return FIRST_GUESS_SECONDS - elapsed
        return OVERDUE_SHARE * elapsed


@dataclass(frozen=True)
class Forecast:
    """Who will be served as the how-manieth and in how many seconds, and when places come free."""

    turns: dict[Waiting, tuple[int, float]]
    endings: tuple[float, ...]

    def ending(self, count: int, *, pace_seconds: float, parallel: int) -> float:
        """Seconds until the `count`-th answer from now ends, reckoned by the pace beyond what was played through."""
        if count <= len(self.endings):
            return self.endings[count - 1]
        last = self.endings[-1] if self.endings else 0.0
        return last + (count - len(self.endings)) * pace_seconds / parallel


def foresee(line: Line, order: Order, pace: Pace, *, parallel: int, running: Sequence[tuple[str, float]]) -> Forecast:
    """Plays the line forward; `running` are user and elapsed seconds of the answers under way."""
    line, order = line.copy(), order.copy()
    ends = [(pace.remaining_seconds(elapsed), number, user) for number, (user, elapsed) in enumerate(running)]
    heapq.heapify(ends)
    turns: dict[Waiting, tuple[int, float]] = {}
    endings: list[float] = []
    now, number = 0.0, len(ends)
    while len(line) and len(turns) < FORESEEN:
        taken = order.take(line) if len(ends) < parallel else None
        if taken is None:
            now, _, user = heapq.heappop(ends)
            endings.append(now)
            order.ended(user)
            continue
        turns[taken] = (len(turns) + 1, now)
        number += 1
        heapq.heappush(ends, (now + pace.seconds, number, taken.user))
    for position, waiting in enumerate(sorted(line.everybody(), key=lambda w: w.number), start=len(turns) + 1):
        turns[waiting] = (position, now + math.ceil((position - len(turns)) / parallel) * pace.seconds)
    endings += sorted(end for end, _, _ in ends)
    return Forecast(turns, tuple(endings))
