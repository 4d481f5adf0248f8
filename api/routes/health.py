"""GET /healthz, /readyz, /metrics: for machines that watch the server. No identity, no documents, no questions."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import examples
from api.edge import Edge, edge_of
from api.errors import shutting_down
from api.problems import caller_language
from assistant import wire
from assistant.domain import DependencyState

router = APIRouter(tags=["health"])

READINESS_SECONDS = 10.0
"""Longest look at the dependencies; each has shorter limits of its own."""


@router.get(
    "/healthz",
    operation_id="healthz",
    summary="Whether the process lives",
    responses={200: {"content": examples.content("HEALTH")}},
)
async def healthz() -> wire.HealthOut:
    """Always ok while the process can answer at all."""
    return wire.HealthOut(status="ok")


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether questions can be answered",
    responses={
        200: {"content": examples.content("READY")},
        503: {"model": wire.ReadyOut, "content": examples.content("NOT_READY"), "description": "Not ready."},
    },
)
async def readyz(request: Request, response: Response) -> wire.ReadyOut:
    """Each dependency as seen just now; 503 when one of them fails or the server is stopping."""
    language = caller_language(request)
    states = await _states(edge_of(request))
    is_ready = all(state.state != "fail" for state in states)
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return wire.ReadyOut(
        status="ready" if is_ready else "not_ready",
        dependencies=[
            wire.DependencyOut(
                name=state.name,
                state=state.state,
                seen=state.seen,
                hint=state.hint_ja if language == "ja" else state.hint_en,
            )
            for state in states
        ],
    )


async def _states(edge: Edge) -> list[DependencyState]:
    if edge.is_draining or edge.closing.is_set():
        error = shutting_down()
        return [DependencyState("api", "fail", error.message.en, error.hint.ja, error.hint.en)]
    try:
        async with asyncio.timeout(READINESS_SECONDS):
            return [*await edge.assistant.readiness(), *edge.states_of_upkeep()]
    except TimeoutError:
        return [
            DependencyState(
                name="dependencies",
                state="fail",
                seen=f"no answer within {READINESS_SECONDS:.0f} s",
                hint_ja="assistant doctor で一つずつ調べてください。",
                hint_en="Look at each with assistant doctor.",
            )
        ]


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Counters for Prometheus",
    response_class=Response,
    responses={200: {"content": examples.METRICS}},
)
async def metrics(request: Request) -> Response:
    """The counters in Prometheus' text format; nginx does not pass this address on."""
    return Response(generate_latest(edge_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)
