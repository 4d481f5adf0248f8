"""create_app: settings -> the HTTP application. The only place that knows all routes.

Nothing is opened at import time: the assistant is opened by the app's lifespan and closed at its end.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import FastAPI
from structlog.typing import FilteringBoundLogger

from api import problems
from api.deps import Doorkeeper
from api.description import describe
from api.edge import Edge
from api.logs import RequestLog, make_log
from api.metrics import Metrics
from api.openid import OpenIdProvider
from api.routes import (
    admin,
    admin_capacity,
    admin_people,
    admin_questions,
    admin_system,
    answers,
    ask,
    conversations,
    documents,
    health,
    jobs,
    mcp,
    me,
    openai,
    pictures,
    releases,
    sign_in,
    uploads,
    wanted,
)
from api.tracing import Traces
from api.upkeep import kept_up
from assistant.adapters.breaker import Breaker
from assistant.admission import Admission
from assistant.line import TIMED_ANSWERS
from assistant.settings import Settings

if TYPE_CHECKING:  # see api/edge.py
    from assistant.wiring import Assistant

VERSION = "0.1.0"
MODELS = ("model", "second")
"""Names of the breakers around the models, in the order of their lines."""
DESCRIPTION = """Questions answered from the company's own documents, with sources.

Every error is an RFC 9457 problem with `detail` and `hint` in the language of `Accept-Language` (ja or en); under `/v1`
errors have OpenAI's shape."""


def create_app(
    settings: Settings, *, assistant: Assistant | None = None, log: FilteringBoundLogger | None = None
) -> FastAPI:
    """The application. Without an `assistant` its lifespan opens the one that the settings describe, and closes it.

    The lifespan raises what opening raises: SettingsError, ModelfileInvalid, StoreUnavailable.
    """
    app = FastAPI(
        title="Company assistant",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # their pages load scripts from the internet
        redoc_url=None,
        redirect_slashes=False,  # it would not know of the /api in front of it behind nginx
    )
    app.state.edge = _edge(settings, assistant, log or make_log(settings))
    parts = (
        ask,
        answers,
        conversations,
        documents,
        pictures,
        uploads,
        jobs,
        me,
        admin,
        releases,
        admin_questions,
        admin_people,
        admin_system,
        admin_capacity,
        openai,
        sign_in,
        health,
        wanted,
    )
    for resource in parts:
        app.include_router(resource.router)
    mcp.install(app)
    problems.install(app)
    app.add_middleware(Doorkeeper)
    app.add_middleware(RequestLog)  # added last, so outermost
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _edge(settings: Settings, assistant: Assistant | None, log: FilteringBoundLogger) -> Edge:
    metrics = Metrics()
    parallel, queue = settings.model_parallel, settings.queue

    def breakers() -> Sequence[Breaker]:
        return edge.opened.breakers if edge.opened is not None else ()

    def is_model_away(line: int) -> bool:
        return any(each.name == MODELS[line] and each.state != "closed" for each in breakers())

    admission = Admission(
        is_model_away=is_model_away,
        parallel=parallel,
        queue_limit=settings.queue_limit,
        user_running=queue.user_running or math.ceil(parallel / 2),
        user_waiting=queue.user_waiting,
        second_parallel=0 if settings.second.kind == "none" else settings.second.parallel,
    )
    metrics.watch(admission)
    traces = Traces(settings.traces.url) if settings.traces.url else None
    edge = Edge(settings=settings, admission=admission, metrics=metrics, log=log, opened=assistant, traces=traces)
    if settings.sign_in.issuer:
        edge.openid = OpenIdProvider(settings.sign_in, proxy_secret=settings.proxy_secret)
    metrics.watch_breakers(breakers)
    return edge


async def _paced(edge: Edge) -> None:
    """Lets each line know how long its model's last answers took, so that the first who wait are not told a guess."""
    lines = edge.admission.lines
    answers = await anyio.to_thread.run_sync(edge.assistant.ledger.answered_seconds, TIMED_ANSWERS * len(lines))
    for model, seconds in answers:
        is_second = len(lines) > 1 and model == edge.settings.second.model
        lines[int(is_second)].learn(seconds)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    edge: Edge = app.state.edge
    try:
        if edge.opened is not None:
            await _paced(edge)
            async with mcp.running(app), kept_up(app):  # the canary uses the tools, too
                yield
            return
        from assistant.wiring import open_assistant

        async with open_assistant(edge.settings) as assistant, mcp.running(app):
            edge.opened = assistant
            await _paced(edge)
            async with kept_up(app):
                yield
            edge.closing.set()
    finally:
        if edge.traces is not None:
            await anyio.to_thread.run_sync(edge.traces.close)
