"""Bounds in front of the assistant: how many questions at once, how many may wait, how large a body may be.

Admission is one strict first-come queue for everybody: simple, and nobody can be overtaken. It holds a place for a whole
`ask()`, finding and writing together, so passages appear when the place is given and not while waiting. Must not know what
a question says or who asks it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Receive

from api.errors import BodyTooLarge
from assistant.domain import Queued
from assistant.errors import Overloaded, Text

BODY_LIMIT_BYTES = 1_000_000
"""No JSON body of this API needs more; a question has at most some thousand characters."""
FIRST_GUESS_SECONDS = 10.0
"""Pace assumed before the first answer has been timed."""
PACE_WEIGHT = 0.3
"""Weight of the newest answer in the moving average: three answers make up two thirds of it."""


@dataclass(eq=False)
class _Waiter:
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    is_admitted: bool = False


class Admission:
    """Places in front of the model: `parallel` at once, at most `queue_limit` waiting, first come first served."""

    def __init__(self, *, parallel: int, queue_limit: int, on_waiting: Callable[[int], None] = lambda _: None) -> None:
        self._parallel = parallel
        self._queue_limit = queue_limit
        self._on_waiting = on_waiting
        self._active = 0
        self._waiting: deque[_Waiter] = deque()
        self._pace_seconds: float | None = None

    @property
    def active(self) -> int:
        """Questions that hold a place now."""
        return self._active

    @property
    def waiting(self) -> int:
        """Questions in the queue now."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self, tell: Callable[[Queued], Awaitable[None]]) -> AsyncIterator[float]:
        """Holds one place; yields the seconds waited. `tell` gets the position at first and at each change.

        Raises Overloaded when the queue is full. Leaving or being cancelled frees the place at once.
        """
        if self._active >= self._parallel and len(self._waiting) >= self._queue_limit:
            raise self._overloaded()
        waiter = _Waiter()
        asked_at = time.perf_counter()
        self._waiting.append(waiter)
        self._admit()
        try:
            await self._wait(waiter, tell)
            admitted_at = time.perf_counter()
            yield admitted_at - asked_at
            # Only answers that ran to their end teach the pace: a hang-up says nothing about it.
            self._learn(time.perf_counter() - admitted_at)
        finally:
            if waiter.is_admitted:
                self._active -= 1
            else:
                self._waiting.remove(waiter)
            self._admit()

    async def _wait(self, waiter: _Waiter, tell: Callable[[Queued], Awaitable[None]]) -> None:
        told_position = 0
        while not waiter.is_admitted:
            waiter.changed.clear()
            outlook = self._outlook(waiter)
            if outlook.position != told_position:
                told_position = outlook.position
                await tell(outlook)
            if not waiter.is_admitted:
                await waiter.changed.wait()

    def _admit(self) -> None:
        """Gives free places to those in front and lets the others see their new position."""
        while self._waiting and self._active < self._parallel:
            first = self._waiting.popleft()
            first.is_admitted = True
            first.changed.set()
            self._active += 1
        for waiter in self._waiting:
            waiter.changed.set()
        self._on_waiting(len(self._waiting))

    def _outlook(self, waiter: _Waiter) -> Queued:
        position = self._waiting.index(waiter) + 1
        return Queued(position=position, wait_seconds=round(self._wait_seconds(position), 1))

    def _wait_seconds(self, position: int) -> float:
        pace = FIRST_GUESS_SECONDS if self._pace_seconds is None else self._pace_seconds
        return pace * math.ceil(position / self._parallel)

    def _learn(self, held_seconds: float) -> None:
        if self._pace_seconds is None:
            self._pace_seconds = held_seconds
        else:
            self._pace_seconds += PACE_WEIGHT * (held_seconds - self._pace_seconds)

    def _overloaded(self) -> Overloaded:
        wait_seconds = max(1.0, self._wait_seconds(len(self._waiting) + 1))
        whole_seconds = math.ceil(wait_seconds)
        return Overloaded(
            Text(
                ja=f"質問が混み合っています(実行中 {self._active} 件、待ち {len(self._waiting)} 件)。",
                en=f"Too many questions at once ({self._active} running, {len(self._waiting)} waiting).",
            ),
            Text(
                ja=f"{whole_seconds} 秒ほど待ってから、もう一度質問してください。",
                en=f"Ask again in about {whole_seconds} seconds.",
            ),
            retry_after_seconds=wait_seconds,
        )


async def read_body(receive: Receive, *, declared_bytes: int | None) -> list[Message] | None:
    """The messages of the whole body, or None when the caller left.

    Raises BodyTooLarge above BODY_LIMIT_BYTES, before reading when the length is declared.
    """
    if declared_bytes is not None and declared_bytes > BODY_LIMIT_BYTES:
        raise _body_too_large()
    messages: list[Message] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        messages.append(message)
        size_bytes += len(message.get("body", b""))
        if size_bytes > BODY_LIMIT_BYTES:
            raise _body_too_large()
        if not message.get("more_body", False):
            return messages


def replaying(messages: list[Message], receive: Receive) -> Receive:
    """A receive that gives `messages` again and then goes on with `receive`."""
    left = deque(messages)

    async def replay() -> Message:
        return left.popleft() if left else await receive()

    return replay


def _body_too_large() -> BodyTooLarge:
    return BodyTooLarge(
        Text(
            ja=f"本文が {BODY_LIMIT_BYTES:,} バイトを超えています。",
            en=f"The body has more than {BODY_LIMIT_BYTES:,} bytes.",
        ),
        Text(ja="質問を短くして送ってください。", en="Send a shorter question."),
    )
