"""/admin/system and /admin/doctor: queue, models in memory, the release that answers, and what the doctor finds. Admin scope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request

from api import examples
from api.deps import Administrator
from api.edge import Edge, edge_of
from api.problems import caller_language
from assistant.errors import Language, ModelError
from assistant.line import Crowd
from assistant.release.examining.finding import WORST_FIRST, Finding
from assistant.wire_system import CheckupOut, FindingOut, LineOut, RunningModelOut, SystemOut

router = APIRouter(prefix="/admin", tags=["administration"])

MODELS_SECONDS = 5.0
"""A server that does not say within this what it has in memory is told as one that does not answer; the screen waits for it."""
FOREVER = timedelta(days=3650)
"""Ollama shows an end in hundreds of years for OLLAMA_KEEP_ALIVE=-1."""


@router.get(
    "/system",
    operation_id="get_system",
    summary="Queue, models in memory, and the release that answers",
    responses={200: {"content": examples.content("SYSTEM")}, **examples.problems(401, 403, 503)},
)
async def get_system(request: Request, _: Administrator) -> SystemOut:
    """As it is just now. A model server that does not answer is told, not an error."""
    return await anyio.to_thread.run_sync(_system, edge_of(request), caller_language(request), request.app.version)


@router.get(
    "/doctor",
    operation_id="get_checkup",
    summary="What the doctor found last",
    responses={200: {"content": examples.content("CHECKUP")}, **examples.problems(401, 403, 503)},
)
async def get_checkup(request: Request, _: Administrator) -> CheckupOut:
    """The same checks as `assistant doctor`, seen from the API's process; what cannot be seen from there is `unchecked`."""
    return _checkup(edge_of(request), caller_language(request))


@router.post(
    "/doctor",
    operation_id="begin_checkup",
    summary="Let the doctor look at everything",
    status_code=202,
    responses={202: {"content": examples.content("CHECKUP_RUNNING")}, **examples.problems(401, 403, 503)},
)
async def begin_checkup(request: Request, principal: Administrator) -> CheckupOut:
    """Begins an examination, which takes seconds; GET tells how it ended. One that is under way is that one."""
    edge = edge_of(request)
    edge.checkup.begin(principal.name, partial(_examine, edge))
    return _checkup(edge, caller_language(request))


async def _examine(edge: Edge) -> list[Finding]:
    from assistant.adapters.this_machine import ThisMachine  # as api/main.py does: only a started server needs them
    from assistant.doctor_commands import examine, site_of

    site = await anyio.to_thread.run_sync(site_of, edge.settings)
    return await examine(edge.settings, site, edge.checkup.machine or ThisMachine(), assistant=edge.assistant)


def _checkup(edge: Edge, language: Language) -> CheckupOut:
    kept = edge.checkup
    findings = sorted(kept.findings, key=lambda finding: WORST_FIRST.index(finding.state))
    return CheckupOut(
        state=kept.state,
        by=kept.by,
        started_at=kept.started_at,
        ended_at=kept.ended_at,
        problem=None if kept.problem is None else kept.problem.message.in_language(language),
        findings=[FindingOut.from_domain(finding, language) for finding in findings],
    )


def _system(edge: Edge, language: Language, version: str) -> SystemOut:
    ledger, settings = edge.assistant.ledger, edge.settings
    standing, generation = ledger.standing(), ledger.active_generation()
    release = None if standing.release_id is None else ledger.release(standing.release_id)
    published = [
        event for event in ledger.release_events() if event.release_id == standing.release_id and event.act in _MOVES
    ]
    models, problem = _models(edge, language)
    return SystemOut(
        version=version,
        answers=settings.answers,
        chat_model=edge.assistant.chat_model_name,
        embedder=None if generation is None else generation.embedder_id,
        lines=_lines(edge),
        present=edge.admission.present,
        most_present=edge.admission.parallel + settings.queue_limit,
        models=models,
        models_problem=problem,
        release_id=standing.release_id,
        release_model=None if release is None else release.model,
        published_at=max((event.at for event in published), default=None),
    )


_MOVES = ("published", "adopted", "rolled_back")


def _lines(edge: Edge) -> list[LineOut]:
    names = [edge.assistant.chat_model_name, edge.settings.second.model]
    states = {breaker.name: breaker.state for breaker in edge.assistant.breakers}
    return [
        LineOut(
            model=names[place],
            parallel=places.parallel,
            answering=places.active,
            people=places.depth(Crowd.PEOPLE),
            apps=places.depth(Crowd.APPS),
            background=places.depth(Crowd.BACKGROUND),
            pace_seconds=round(places.pace_seconds, 1),
            breaker=states.get(breaker, "closed"),
        )
        for place, (places, breaker) in enumerate(zip(edge.admission.lines, ("model", "second"), strict=False))
    ]


def _models(edge: Edge, language: Language) -> tuple[list[RunningModelOut] | None, str | None]:
    """What Ollama has in memory, else why that is not known."""
    settings = edge.settings
    if settings.answers != "ollama" and settings.embedder != "ollama":
        return None, None
    from assistant.adapters.ollama_models import OllamaModels

    server = OllamaModels(
        settings.ollama_url, connect_timeout_seconds=settings.connect_timeout_seconds, read_seconds=MODELS_SECONDS
    )
    try:
        running = server.running()
    except ModelError as error:
        return None, error.message.in_language(language)
    ends = datetime.now(UTC) + FOREVER
    return [
        RunningModelOut(
            name=model.name,
            num_ctx=model.num_ctx,
            size_bytes=model.size_bytes,
            vram_bytes=model.vram_bytes,
            until=None if model.until is None or model.until > ends else model.until.isoformat(timespec="seconds"),
        )
        for model in running
    ], None
