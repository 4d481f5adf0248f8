"""A question's events as server-sent events: numbered, with heartbeats in silence, ended by exactly one finished or error.

FastAPI's own event-stream support is not used for the response: it has begun a 200 before the first event exists, so a
store that is away could not answer 503, and its heartbeat interval is private. Its encoder of one event is used.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.types import Receive, Scope, Send

from api.edge import edge_of
from api.metrics import Metrics
from api.problems import note_error, problem_for
from assistant import wire
from assistant.domain import Cited, Event, Failed, Finished, Found, Queued, Rewritten, Token

if TYPE_CHECKING:
    from api.routes.ask import Asking

HEARTBEAT = b": hb\n\n"
MOST_TOGETHER = 64
_NEVER = re.compile(r"\bq\s*=\s*0(?:\.0*)?$")
"""A weight of 0: anything but this (RFC 9110, 12.4.2)."""
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
STATUS_HUNG_UP = 499
"""nginx's number for a caller who left; nobody receives it, the log shows it."""

Events = AsyncGenerator[Event | None, None]
Frames = AsyncGenerator[bytes, None]


def wants_events(request: Request) -> bool:
    """Whether the Accept header asks for an event stream."""
    accepted = request.headers.get("accept", "")
    parts = [[word.strip().lower() for word in part.split(";")] for part in accepted.split(",")]
    return any(kind == "text/event-stream" and not _NEVER.search(" ".join(rest)) for kind, *rest in parts)


async def open_stream(request: Request, asking: Asking, *, encode: Callable[[Request, Events], Frames]) -> Response:
    """The response that streams the question's events.

    An error that comes before any event is raised, so that it gets its own status. A question that stays silent for
    longer than a connection attempt to a dependency may take is begun with a heartbeat.
    """
    edge = edge_of(request)
    patience_seconds = edge.settings.connect_timeout_seconds + 1.0
    async with AsyncExitStack() as stack:
        events = asking.events()
        stack.push_async_callback(events.aclose)
        first = await _first(events, patience_seconds=patience_seconds)
        if isinstance(first, Failed):
            raise first.error
        if not asking.is_hung_up:
            frames = encode(request, _beginning_with(first, events))
            return EventStream(frames, asking, closing=stack.pop_all(), metrics=edge.metrics)
    return Response(status_code=STATUS_HUNG_UP)


async def _first(events: Events, *, patience_seconds: float) -> Event | None:
    deadline = time.perf_counter() + patience_seconds
    async for event in events:
        if event is not None or time.perf_counter() >= deadline:
            return event
    return None


async def _beginning_with(first: Event | None, events: Events) -> Events:
    yield first
    async with aclosing(events):
        async for event in events:
            yield event


async def _together(frames: Frames, asking: Asking) -> Frames:
    """The frames, those that wait already in one piece: under load many tokens cost hardly more than one."""
    held: list[bytes] = []
    async for frame in frames:
        held.append(frame)
        if not asking.has_more or len(held) >= MOST_TOGETHER:
            yield b"".join(held)
            held.clear()


class EventStream(StreamingResponse):
    """Sends frames and closes the question behind them, whatever way the sending ends.

    The question itself listens for the caller's hang-up, so nothing else may read from the connection meanwhile.
    """

    media_type = "text/event-stream"

    def __init__(self, frames: Frames, asking: Asking, *, closing: AsyncExitStack, metrics: Metrics) -> None:
        super().__init__(_together(frames, asking), headers=HEADERS)
        self._frames = frames
        self._closing = closing
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._metrics.streams_active.track_inprogress():
            async with self._closing, aclosing(self._frames):
                await self.stream_response(send)


async def ask_frames(request: Request, events: Events) -> Frames:
    """The contract's events as bytes: queued, rewritten, found, token, cited, finished or error, and heartbeats."""
    number = 0
    async with aclosing(events):
        async for event in events:
            if event is None:
                yield HEARTBEAT
                continue
            number += 1
            if isinstance(event, Failed):
                note_error(request, event.error)
            name, data = _named(request, event)
            yield format_sse_event(event=name, data_str=data.model_dump_json(), id=str(number))


def _named(request: Request, event: Event) -> tuple[str, wire.Wire | wire.Problem]:
    match event:
        case Queued():
            return "queued", wire.QueuedOut(position=event.position, wait_seconds=event.wait_seconds)
        case Rewritten():
            return "rewritten", wire.RewrittenOut(question=event.question)
        case Found():
            return "found", wire.FoundOut(passages=[wire.PassageOut.from_domain(p) for p in event.passages])
        case Token():
            return "token", wire.TokenOut(text=event.text)
        case Cited():
            return "cited", wire.CitedOut(citation=wire.CitationOut.from_domain(event.citation))
        case Finished():
            return "finished", wire.AnswerOut.from_domain(event.answer)
        case Failed():
            return "error", problem_for(request, event.error)
