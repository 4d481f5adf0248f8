"""Whether a model has gone silent: answers are under way, and none of them has said a word for much longer than any before.

Only the silence itself is looked at. A server that still answers other requests (`/api/ps`, a list of models) proves nothing
about a runner that hangs, and one answer that is silent proves nothing either: its prompt may be long. Nothing is cut off
because of it (docs/decisions/0025): a slow model that lives is left to write, and its next word ends the suspicion.
Must not know what is written.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

LEAST_ANSWERS = 8
"""Whole answers before anything is known of a model's silences."""
REMEMBERED_ANSWERS = 64
TIMES_LONGER = 10.0
"""Than the longest silence in any remembered answer: a prompt that is ten times as long, or ten that are read at once."""
LEAST_SECONDS = 60.0
"""However quick the model was: it may be loaded anew, which takes most of a minute from a slow disk."""
LEAST_OPEN = 2
"""Answers under way at once; one alone proves nothing."""


class Listening:
    """One answer that is being written; see Silence."""

    def __init__(self, silence: Silence, now: Callable[[], float]) -> None:
        self._silence = silence
        self._now = now
        self._heard_at = now()
        self.longest_seconds = 0.0

    def heard(self) -> None:
        """Notes a sign of life."""
        now = self._now()
        self.longest_seconds = max(self.longest_seconds, now - self._heard_at)
        self._heard_at = now
        self._silence.heard()


class Silence:
    """All answers of one model that are being written, and how long its silences were; one event loop owns it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: set[Listening] = set()
        self._since = now()
        self._longest: deque[float] = deque(maxlen=REMEMBERED_ANSWERS)
        self._limit_seconds = math.inf

    def begin(self) -> Listening:
        """One more answer is under way; `end` must follow."""
        listening = Listening(self, self._now)
        self._open.add(listening)
        if len(self._open) <= LEAST_OPEN:
            self._since = self._now()  # what was silent before did so alone
        return listening

    def heard(self) -> None:
        """Notes a sign of life, whatever answer it belongs to."""
        self._since = self._now()

    def end(self, listening: Listening, *, is_whole: bool) -> None:
        """The answer is over; a whole one teaches how long silences are."""
        self._open.discard(listening)
        if is_whole:
            self._longest.append(listening.longest_seconds)
            if len(self._longest) >= LEAST_ANSWERS:
                self._limit_seconds = max(LEAST_SECONDS, TIMES_LONGER * max(self._longest))

    @property
    def seconds(self) -> float | None:
        """How long nobody has heard of the model, when that is much too long; None otherwise."""
        silent_seconds = self._now() - self._since
        return silent_seconds if len(self._open) >= LEAST_OPEN and silent_seconds > self._limit_seconds else None
