"""What all requests of one server share: the assistant, the queue, the counters, the log, and whether it is stopping.

One value per app, made by create_app; nothing here lives at import time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import Request
from structlog.typing import FilteringBoundLogger

from api.checkup import Checkup
from api.drawing import Drawing
from api.metrics import Metrics
from api.openid import OpenIdProvider
from api.rates import KeyUses, Lately, Rates
from api.release_work import ReleaseWork
from api.tracing import Traces
from assistant.admission import Admission
from assistant.domain import DependencyState
from assistant.settings import Settings

if TYPE_CHECKING:  # the adapters behind it take a second to import; only a started server needs them
    from assistant.wiring import Assistant

OPENED_SECONDS = 600.0
"""A viewer asks for one file in many ranges: within ten minutes they are one entry of the audit."""


@dataclass
class Edge:
    """Shared by all requests of one app.

    A server that stops first lets open questions finish and refuses new ones (`refuses`, `draining`); `closing` is set once,
    when those still open are ended. `open_questions` counts from a question's arrival to its last event sent.
    """

    settings: Settings
    admission: Admission
    metrics: Metrics
    log: FilteringBoundLogger
    opened: Assistant | None = None
    openid: OpenIdProvider | None = None
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    rates: Rates = field(default_factory=Rates)
    opened_lately: Lately = field(default_factory=lambda: Lately(seconds=OPENED_SECONDS))
    drawing: Drawing = field(default_factory=Drawing)
    checkup: Checkup = field(default_factory=Checkup)
    release_work: ReleaseWork = field(default_factory=ReleaseWork)
    states_of_upkeep: Callable[[], list[DependencyState]] = list
    key_uses: KeyUses = field(init=False)
    question_vectors: dict[tuple[str, str], Any] = field(default_factory=dict)
    """Vectors of questions that administrators looked at, by embedder and text; see routes/admin_questions.py."""
    asked: int = 0
    traces: Traces | None = None

    open_questions: int = 0
    is_draining: bool = False
    refuses: bool = False

    def __post_init__(self) -> None:
        self.key_uses = KeyUses(self.log)

    @contextmanager
    def question(self) -> Iterator[None]:
        """Held while a question is open."""
        self.asked += 1
        self.open_questions += 1
        try:
            yield
        finally:
            self.open_questions -= 1

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
