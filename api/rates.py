"""How often each caller may ask, and when keys were last used: what the door remembers between requests, in this process."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio
import anyio.to_thread
from structlog.typing import FilteringBoundLogger

from assistant.errors import StoreUnavailable, Text, TooManyQuestions
from assistant.people import HeldKey

MINUTE_SECONDS = 60.0
NAMES_KEPT = 1000
"""Callers remembered before those that were silent for a minute are forgotten."""


class Rates:
    """Counts the questions of the last minute by caller."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}

    def take(self, name: str, *, per_minute: int) -> None:
        """Counts one question; 0 a minute means no limit.

        Raises TooManyQuestions with the seconds after which the next one is accepted; a refused one does not count.
        """
        if per_minute == 0:
            return
        now = self._clock()
        if len(self._asked) > NAMES_KEPT:
            self._asked = {name: times for name, times in self._asked.items() if times[-1] > now - MINUTE_SECONDS}
        times = self._asked.setdefault(name, deque())
        while times and times[0] <= now - MINUTE_SECONDS:
            times.popleft()
        if len(times) < per_minute:
            times.append(now)
            return
        # The limit may have been lowered meanwhile: room is there once only the newest `per_minute` - 1 are left.
        raise _too_many(per_minute, wait_seconds=times[len(times) - per_minute] + MINUTE_SECONDS - now)


def _too_many(per_minute: int, *, wait_seconds: float) -> TooManyQuestions:
    whole_seconds = max(1, math.ceil(wait_seconds))
    return TooManyQuestions(
        Text(ja=f"質問は 1 分に {per_minute} 回までです。", en=f"At most {per_minute} questions a minute are allowed."),
        Text(ja=f"{whole_seconds} 秒後にもう一度質問してください。", en=f"Ask again in {whole_seconds} seconds."),
        retry_after_seconds=whole_seconds,
    )


class Lately:
    """What happened a moment ago and need not be written down again."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._at: dict[tuple[str, ...], float] = {}

    def has(self, *what: str) -> bool:
        """Whether it was noted within the time."""
        return self._clock() - self._at.get(what, -math.inf) < self._seconds

    def note(self, *what: str) -> None:
        """Remembers it from now on, and forgets the old."""
        now = self._clock()
        if len(self._at) > NAMES_KEPT:
            self._at = {one: at for one, at in self._at.items() if now - at < self._seconds}
        self._at[what] = now


class KeyUses:
    """Notes when keys were used, at most once a minute for each, beside the request and never in its way."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._noted = Lately(seconds=MINUTE_SECONDS)
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, held: HeldKey, write: Callable[[str], None]) -> None:
        """Starts to write that the key is used, unless that was written less than a minute ago."""
        minute_ago = (datetime.now(UTC) - timedelta(seconds=MINUTE_SECONDS)).isoformat(timespec="milliseconds")
        is_fresh = held.last_used_at is not None and held.last_used_at > minute_ago
        if is_fresh or self._noted.has(held.name):
            return
        self._noted.note(held.name)
        task = asyncio.create_task(self._write(held.name, write))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, name: str, write: Callable[[str], None]) -> None:
        try:
            # A thread of its own allowance: a ledger that is busy must not take threads away from requests.
            await anyio.to_thread.run_sync(write, name, limiter=anyio.CapacityLimiter(1))
        except StoreUnavailable as error:
            self._log.warning("key_use_not_noted", key=name, error=error.code)

    async def finish(self) -> None:
        """Waits for what is being written."""
        if self._writing:
            await asyncio.wait(self._writing)
