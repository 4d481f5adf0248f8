"""One JSON line per request on standard error: id, route, status, seconds, who. Never a question unless settings say so.

structlog because it gives the same line shape to our own events and to uvicorn's. Tracebacks are reduced to error type and
places in the code: an exception's message may quote what somebody typed.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
import uuid
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from assistant.settings import Settings

REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
"""What is taken over from X-Request-Id; anything else could forge log lines or break headers."""
FRAMES_KEPT = 12
QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; logged only when they go wrong."""


def make_log(settings: Settings, *, stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger of its own (no global configuration) that writes JSON lines to `stream`, standard error by default."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    log = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=_processors(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return cast(FilteringBoundLogger, log)


def uvicorn_logging(settings: Settings) -> dict[str, Any]:
    """Logging configuration that turns uvicorn's own lines (start, stop, failures) into the same JSON."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_processors()],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {"uvicorn": {"handlers": ["stderr"], "level": settings.log_level.upper(), "propagate": False}},
    }


def _processors() -> list[Any]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        places_only,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def places_only(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replaces an exception by its type, its causes' types and the places it passed, without its message."""
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error_type"] = _type_names(error)
        event["places"] = _places(error.__traceback__)
    return event


def _type_names(error: BaseException) -> list[str]:
    names: list[str] = []
    current: BaseException | None = error
    while current is not None and len(names) < FRAMES_KEPT:
        names.append(f"{type(current).__module__}.{type(current).__qualname__}")
        current = current.__cause__ or current.__context__
    return names


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES_KEPT:]
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


class RequestLog:
    """ASGI middleware, the outermost: gives the request its id, sets the headers of every answer, writes the log line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.match(given) else uuid.uuid4().hex
        fields: dict[str, Any] = {}
        traces = scope["app"].state.edge.traces
        span = None if traces is None else traces.begin(Headers(scope=scope), request_id=request_id)
        scope.setdefault("state", {}).update(request_id=request_id, log_fields=fields, span=span)
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
                if scope["app"].state.edge.is_draining:
                    headers["Connection"] = "close"
            await send(message)

        try:
            # Whatever this process logs on the way, and the model server that it asks, has the same id.
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                await self._app(scope, receive, send_with_headers)
        finally:
            _write_line(
                scope, request_id=request_id, status=status, seconds=time.perf_counter() - started, fields=fields
            )
            if traces is not None:
                route = getattr(scope.get("route"), "path", "unknown")
                traces.end(span, method=scope["method"], route=route, status=status)


def _write_line(scope: Scope, *, request_id: str, status: int, seconds: float, fields: dict[str, Any]) -> None:
    edge = scope["app"].state.edge
    route = getattr(scope.get("route"), "path", "unknown")
    edge.metrics.requests.labels(route=route, status=str(status)).inc()
    if route in QUIET_ROUTES and status < 400:
        return
    edge.log.info(
        "request",
        request_id=request_id,
        method=scope["method"],
        route=route,
        status=status,
        seconds=round(seconds, 4),
        **fields,
    )
