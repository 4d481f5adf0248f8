"""What every room of the stub shares: settings, one request being answered, the log of requests, refusals.

It knows HTTP's pieces (status, lines) but no route and no model.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"
BARE_JSON_TYPE = "application/json"
LINES_TYPE = "application/x-ndjson"
EVENTS_TYPE = "text/event-stream"
LOGGED_REQUESTS = 5_000

Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Settings:
    """The stub's pace and size. All of it can be changed while it runs by ``POST /__settings``."""

    tokens_per_second: float = 400.0
    prefill_seconds: float = 0.0
    """Time from a free slot to the first token, every time."""
    load_seconds: float = 0.2
    """Time that loading or reloading a model takes."""
    embed_seconds_per_text: float = 0.0
    parallel: int = 4
    """Slots of a chat model (an embedding model always has one). Read when a model is loaded."""
    max_loaded_models: int = 3
    max_queue: int = 512
    """Requests that may wait for a load; waiting for a slot of a loaded model has no limit."""
    keep_alive_seconds: float = -1.0
    embed_dimension: int = 768
    """Read at the start only."""
    is_on_gpu: bool = False
    version: str = "0.17.7"

    def change(self, values: dict[str, Any]) -> None:
        """Set the named fields; ``ValueError`` names an unknown one."""
        known = {each.name: each for each in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
            setattr(self, name, type(getattr(self, name))(value))


class Refusal(Exception):
    """An answer ``{"error": text}`` with a status, or an error line when the stream has begun."""

    def __init__(self, status: int, text: str, *, kind: str = "api_error") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.kind = kind
        """OpenAI's ``type``; used by the /v1 routes only."""


class ConnectionCut(Exception):
    """The stub closed the connection itself; nothing more can be sent on it."""


@dataclass
class LoggedRequest:
    """One request as it was received, and what became of it."""

    number: int
    at_seconds: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    outcome: str = "running"
    """running | finished | refused | hung_up (the client left) | cut (a fault closed it)"""
    status: int | None = None
    tokens_sent: int = 0
    seconds: float | None = None


@dataclass
class RequestLog:
    """The last requests to the stub's own routes (not those that begin with ``/__``)."""

    started_at: float = field(default_factory=time.monotonic)
    entries: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=LOGGED_REQUESTS))
    count: int = 0

    def add(self, method: str, path: str, *, headers: dict[str, str], body: bytes) -> LoggedRequest:
        """The new entry; its body is decoded JSON, or text where it is none, or None where it is empty."""
        self.count += 1
        entry = LoggedRequest(self.count, time.monotonic() - self.started_at, method, path, headers, decoded(body))
        self.entries.append(entry)
        return entry

    def close(self, entry: LoggedRequest, outcome: str) -> None:
        """Write down how a request ended."""
        entry.outcome = outcome
        entry.seconds = time.monotonic() - self.started_at - entry.at_seconds


def decoded(body: bytes) -> Any:
    """JSON where it is JSON, else text, else None."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


class Shape:
    """How answers are written: as Ollama's own routes do."""

    lines_type = LINES_TYPE

    def whole(self, body: dict[str, Any], content_type: str) -> tuple[Any, str]:
        """A whole answer and its content type."""
        return body, content_type

    def refusal(self, refusal: Refusal, content_type: str) -> tuple[Any, str]:
        """A refusal before the first byte, and its content type."""
        return {"error": refusal.text}, content_type

    def line(self, body: dict[str, Any]) -> list[bytes]:
        """The pieces that one line becomes."""
        return [dumps(body) + b"\n"]


class Reply:
    """One HTTP answer. Its status and headers leave together with the first bytes, as they do in Go's net/http."""

    def __init__(self, send: Send, *, entry: LoggedRequest, cut: Callable[[bool], None]) -> None:
        self._send = send
        self._entry = entry
        self._cut = cut
        self.shape = Shape()
        self.has_started = False
        self.is_finished = False

    async def json(self, body: dict[str, Any], *, content_type: str = JSON_TYPE) -> None:
        """The whole answer, 200, as one JSON document."""
        shaped, shaped_type = self.shape.whole(body, content_type)
        await self.whole(200, dumps(shaped), content_type=shaped_type)

    async def refuse(self, refusal: Refusal, *, content_type: str = JSON_TYPE) -> None:
        """The whole answer, an error."""
        shaped, shaped_type = self.shape.refusal(refusal, content_type)
        await self.whole(refusal.status, dumps(shaped), content_type=shaped_type)

    async def whole(self, status: int, body: bytes, *, content_type: str | None) -> None:
        """The whole answer; no content type for an empty one."""
        headers = [(b"content-length", str(len(body)).encode())]
        if content_type:
            headers.append((b"content-type", content_type.encode()))
        await self._start(status, headers)
        await self._send({"type": "http.response.body", "body": body})
        self.is_finished = True

    async def line(self, body: dict[str, Any]) -> None:
        """One line of an answer that goes on (chunked)."""
        for piece in self.shape.line(body):
            await self._start_lines()
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        """The proper end of a chunked answer, with or without lines before it."""
        await self._start_lines()
        await self._send({"type": "http.response.body", "body": b""})
        self.is_finished = True

    def cut(self, *, with_reset: bool = False) -> ConnectionCut:
        """Close the connection under the answer: what was sent arrives, or (with_reset) not even that."""
        self._cut(with_reset)
        return ConnectionCut()

    def count_token(self) -> None:
        """One more token of this answer has left."""
        self._entry.tokens_sent += 1

    async def _start_lines(self) -> None:
        if not self.has_started:
            await self._start(200, [(b"content-type", self.shape.lines_type.encode())])

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.has_started = True
        self._entry.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})


@dataclass(frozen=True)
class Call:
    """One request with its answer."""

    method: str
    path: str
    body: bytes
    reply: Reply


def dumps(body: Any) -> bytes:
    """JSON as Go writes it: no blanks, no escapes for letters."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def now_text(nanoseconds: int | None = None) -> str:
    """RFC 3339 in UTC with nine decimals, of now or of nanoseconds since 1970."""
    moment = time.time_ns() if nanoseconds is None else nanoseconds
    seconds, rest = divmod(moment, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


class Pace:
    """Even steps in time: the n-th step ends n/rate seconds after the start, however late the ones before were."""

    def __init__(self, steps_per_second: float) -> None:
        self._rate = steps_per_second
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()

    async def step(self) -> None:
        """Wait for the next step; a rate of 0 or less is without waiting."""
        if self._rate <= 0:
            await asyncio.sleep(0)
            return
        self._due += 1 / self._rate
        await asyncio.sleep(max(0.0, self._due - self._loop.time()))

    def stall(self, seconds: float) -> None:
        """Put all further steps off."""
        self._due = max(self._due, self._loop.time()) + seconds
