"""Asks the running API as so many users at once, step by step, and notes what each of them saw.

    users x questions -> POST /ask (stream) -> queued, found, token … finished -> Sample -> Step

Over HTTP, whole, as people and apps ask: a test of the model alone would miss search, the line and the checks. Must not know
settings or the ledger; what the figures mean is release/load_steps.py's.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Final

import httpx

from assistant.errors import Text
from assistant.release.load_steps import End, Sample, Step, has_had_enough

SILENCE_SECONDS: Final = 330.0
_CONNECT_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 10.0
"""Longest rest of one user who was turned away, whatever Retry-After says: the step must come to its end."""
_BUSY: Final = 429


@dataclass(frozen=True)
class Course:
    """How it is to be measured. At least `questions` in a step, and two of each user; no new one after `most_seconds`."""

    url: str
    questions: Sequence[str]
    users: Sequence[int]
    each_step: int = 20
    most_seconds: float = 300.0
    target_seconds: float = 5.0


HeadersOf = Callable[[int], Mapping[str, str]]
"""What proves who the n-th user is."""


async def measure(
    course: Course, headers_of: HeadersOf, *, say: Callable[[Text], None], done: Callable[[Step], None]
) -> list[Step]:
    """The steps, from few users to many. Ends early where a larger one could only be worse, and says so."""
    steps: list[Step] = []
    mix = cycle(course.questions)
    for users in course.users:
        if has_had_enough(steps, target_seconds=course.target_seconds):
            say(
                Text(
                    ja=f"{users} 人以上は測りません。{steps[-1].users} 人でもう目標を大きく超えています。",
                    en=f"{users} users and more are left out: {steps[-1].users} are far beyond the target already.",
                )
            )
            break
        steps.append(await _step(course, users, headers_of, mix))
        done(steps[-1])
    return steps


async def _step(course: Course, users: int, headers_of: HeadersOf, mix: Iterator[str]) -> Step:
    left = max(course.each_step, 2 * users)
    samples: list[Sample] = []
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=users)
    timeout = httpx.Timeout(SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    started = time.monotonic()

    async def user(number: int, client: httpx.AsyncClient) -> None:
        nonlocal left
        while left > 0 and time.monotonic() - started < course.most_seconds:
            left -= 1
            samples.append(await ask_once(client, next(mix), headers_of(number)))

    async with (
        httpx.AsyncClient(base_url=course.url.rstrip("/"), timeout=timeout, limits=limits, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(users):
            group.create_task(user(number, client))
    return Step(users, time.monotonic() - started, tuple(samples))


async def ask_once(client: httpx.AsyncClient, question: str, headers: Mapping[str, str]) -> Sample:
    """One question and what came of it. Nothing is raised: what fails is a Sample that says so."""
    started = time.monotonic()
    times: list[float] = []
    body = {"question": question, "stream": True}
    try:
        async with client.stream("POST", "/ask", json=body, headers=dict(headers)) as response:
            if not response.is_success:
                return await _refused(response, started)
            async for name, data in _events(response):
                if name == "token":
                    times.append(time.monotonic())
                elif name in ("finished", "error"):
                    return _sample(name, data, started, times)
    except httpx.HTTPError as error:
        return Sample("failed", time.monotonic() - started, code=type(error).__name__)
    return Sample("failed", time.monotonic() - started, code="no_end")


def _sample(name: str, data: Mapping[str, Any], started: float, times: Sequence[float]) -> Sample:
    total = time.monotonic() - started
    if name == "error":
        return Sample("failed", total, code=str(data.get("code", "error")))
    end: End = "answered" if data.get("mode") == "generated" else "quotes"
    timings = data.get("timings") or {}
    return Sample(
        end,
        total,
        first_token_seconds=times[0] - started if times else total,
        wait_seconds=float(timings.get("queue_seconds") or 0.0),
        pieces=max(len(times) - 1, 0),
        writing_seconds=times[-1] - times[0] if len(times) > 1 else 0.0,
        code=str(data.get("reason") or ""),
    )


async def _refused(response: httpx.Response, started: float) -> Sample:
    """A user who is turned away rests as long as told, so that the line is not hammered."""
    await response.aread()
    total = time.monotonic() - started
    if response.status_code != _BUSY:
        return Sample("failed", total, code=str(response.status_code))
    told = response.headers.get("retry-after", "1")
    await asyncio.sleep(min(float(told) if told.isdigit() else 1.0, _PATIENCE_SECONDS))
    return Sample("turned_away", total, code="429")


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    name = ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)
