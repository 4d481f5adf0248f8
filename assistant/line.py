"""Who gets the model next, and when: the order of a waiting line and the forecast made from it. Pure, no clock, no waiting.

    crowd: the one that is furthest behind its share (people 16, apps 4, background 1)
      └─ user: the one with fewest answers under way, then the one served longest ago
           └─ question: the oldest

A lower crowd is never left without its share, so it cannot starve (docs/decisions/0015). The forecast plays the same order
forward: answers are as long and as different as the last ones were, each place goes to the next in line, and for each answer
that ends as many newcomers of its crowd line up as did lately, some of whom overtake (docs/lab-notes.md, 2026-11-27).
"""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FIRST_GUESS_SECONDS = 10.0
"""Length of an answer that is assumed where none was ever timed: not in this process, nor in the ledger."""
TIMED_ANSWERS = 64
"""Answers whose lengths are kept: enough for a distribution, few enough to follow a change of model within minutes."""
OVERDUE_SHARE = 0.5
"""An answer that has run longer than any known one is taken to need half as long again as it has run."""
REMEMBERED_USERS = 2_000
FORESEEN = 100
"""Answers that are played through; whoever waits longer is reckoned by the pace of those. 400 foresaw no better."""
FIRST_NEWCOMERS = 0.25
"""Newcomers for each answer before any was counted: between people who ask once and go (0), and those who ask on (1)."""
NEWCOMERS_WEIGHT = 0.1
NEWCOMERS_AT_ONCE = 2
"""Of those who come between two endings so many are counted: a crowd that comes at once is no habit."""
SPREAD = (math.sqrt(5.0) - 1.0) / 2.0
"""Multiples of the golden ratio, without their whole part, lie evenly in 0 to 1 however many are taken."""


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


class Newcomers:
    """How many questions of a crowd come for each of its answers that ends, by askers who go on and by those who are new."""

    def __init__(self) -> None:
        self._came: Counter[Crowd] = Counter()
        self._each = dict.fromkeys(Crowd, FIRST_NEWCOMERS)

    def came(self, crowd: Crowd) -> None:
        """Counts a question that lines up."""
        self._came[crowd] += 1

    def ended(self, crowd: Crowd) -> None:
        """Counts an answer that is over."""
        came = min(self._came.pop(crowd, 0), NEWCOMERS_AT_ONCE)
        self._each[crowd] += NEWCOMERS_WEIGHT * (came - self._each[crowd])

    def for_each_ending(self, crowd: Crowd) -> float:
        """Questions for each answer, 0 to NEWCOMERS_AT_ONCE."""
        return self._each[crowd]


class Pace:
    """How long answers take, learned from those that ran to their end."""

    def __init__(self) -> None:
        self._lengths: deque[float] = deque(maxlen=TIMED_ANSWERS)
        self._sorted: list[float] = []

    def learn(self, seconds: float) -> None:
        """Takes in one whole answer."""
        self._lengths.append(seconds)
        self._sorted = sorted(self._lengths)

    @property
    def seconds(self) -> float:
        """What an answer takes on average."""
        return sum(self._sorted) / len(self._sorted) if self._sorted else FIRST_GUESS_SECONDS

    def length(self, share: float) -> float:
        """The length that this share (0 to 1) of the known answers do not exceed."""
        return _quantile(self._sorted, share) if self._sorted else FIRST_GUESS_SECONDS

    def remaining_seconds(self, elapsed: float, *, share: float = 0.5) -> float:
        """What an answer that has run for `elapsed` seconds still takes, if that share of the known longer ones take no more."""
        longer = self._sorted[bisect.bisect_right(self._sorted, elapsed) :]
        if longer:
            return _quantile(longer, share) - elapsed
        if not self._sorted and elapsed < FIRST_GUESS_SECONDS:
            return FIRST_GUESS_SECONDS - elapsed
        return OVERDUE_SHARE * elapsed


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Each value in the middle of its part of 0 to 1, straight lines between them."""
    at = min(max(share * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


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


class _Newcomer(Waiting):
    """Somebody who has not come yet: the one whose answer ends asks again, or another in their place."""


def foresee(
    line: Line,
    order: Order,
    pace: Pace,
    newcomers: Newcomers,
    *,
    parallel: int,
    running: Sequence[tuple[Waiting, float]],
) -> Forecast:
    """Plays the line forward; `running` are the questions being answered, and for how many seconds already."""
    line, order = line.copy(), order.copy()
    left = len(line)
    numbers = itertools.count(1 + max((waiting.number for waiting in line.everybody()), default=0))
    # The one that has run longest is taken to end soonest: of four alike one ends after a fifth of the time, on average.
    oldest = sorted(running, key=lambda each: -each[1])
    shares = [(nth + 1) / (len(oldest) + 1) for nth in range(len(oldest))]
    ends = [
        (pace.remaining_seconds(elapsed, share=share), next(numbers), waiting)
        for share, (waiting, elapsed) in zip(shares, oldest, strict=True)
    ]
    heapq.heapify(ends)
    coming = dict.fromkeys(Crowd, 0.5)
    turns: dict[Waiting, tuple[int, float]] = {}
    endings: list[float] = []
    now, begun = 0.0, 0
    while len(turns) < left and len(endings) < FORESEEN:
        taken = order.take(line) if len(ends) < parallel else None
        if taken is None:
            now, _, ended = heapq.heappop(ends)
            endings.append(now)
            order.ended(ended.user)
            coming[ended.crowd] += newcomers.for_each_ending(ended.crowd)
            while coming[ended.crowd] >= 1.0:
                coming[ended.crowd] -= 1.0
                if not line.depth(ended.crowd):
                    order.joined(ended.crowd)
                line.add(_Newcomer(ended.user, ended.crowd, next(numbers)))
            continue
        if not isinstance(taken, _Newcomer):
            turns[taken] = (len(turns) + 1, now)
        begun += 1
        heapq.heappush(ends, (now + pace.length(begun * SPREAD % 1.0), next(numbers), taken))
    behind = [waiting for waiting in line.everybody() if not isinstance(waiting, _Newcomer)]
    step_seconds = now / len(turns) if now else pace.seconds / parallel
    for nth, waiting in enumerate(sorted(behind, key=lambda w: w.number), start=1):
        turns[waiting] = (len(turns) + 1, now + nth * step_seconds)
    endings += sorted(end for end, _, _ in ends)
    return Forecast(turns, tuple(endings))
