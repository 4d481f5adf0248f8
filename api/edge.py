"""What all requests of one server share: the assistant, the queue, the counters, the log, and whether it is stopping.

One value per app, made by create_app; nothing here lives at import time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import Request
from structlog.typing import FilteringBoundLogger

from api.metrics import Metrics
from assistant.admission import Admission
from assistant.settings import Settings

if TYPE_CHECKING:  # the adapters behind it take a second to import; only a started server needs them
    from assistant.wiring import Assistant


@dataclass
class Edge:
    """Shared by all requests of one app. `closing` is set once, when the server begins to stop."""

    settings: Settings
    admission: Admission
    metrics: Metrics
    log: FilteringBoundLogger
    opened: Assistant | None = None
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def assistant(self) -> Assistant:
        """The open assistant; the app's lifespan sets it before the first request."""
        if self.opened is None:
            raise RuntimeError("the app's lifespan has not run")
        return self.opened


def edge_of(request: Request) -> Edge:
    """The edge that this request belongs to."""
    edge: Edge = request.app.state.edge
    return edge


def request_id_of(request: Request) -> str:
    """The id given to this request; the same in header, log, problem and answer."""
    request_id: str = request.state.request_id
    return request_id


def log_fields(request: Request) -> dict[str, Any]:
    """Fields that the request's one log line will carry."""
    fields: dict[str, Any] = request.state.log_fields
    return fields
