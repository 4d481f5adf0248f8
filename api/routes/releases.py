"""/admin/releases: drafts, which release answers, publishing it, going back, a canary. Only for the admin scope.

Publishing and starting a canary take as long as a model takes to load and to answer three probes: they are begun, and
`GET /admin/releases` tells how they go.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request

from api import examples
from api.deps import Administrator
from api.edge import Edge, edge_of
from api.problems import caller_language
from api.release_work import Work
from api.routes.admin import note_viewed
from assistant.domain import Principal
from assistant.errors import Language, NotFound, Text
from assistant.release.content import Edits, differences, edited, read_content
from assistant.release.modelfile import parse_modelfile
from assistant.releases import Content, Release, Standing
from assistant.wire_releases import (
    CanaryIn,
    CanaryOut,
    DraftIn,
    ReasonIn,
    ReleaseDetailOut,
    ReleaseEventOut,
    ReleaseOut,
    ReleasesOut,
    ReleaseUseOut,
    ReleaseWorkOut,
    StandingOut,
)
from assistant.wire_words import Identifier

router = APIRouter(prefix="/admin/releases", tags=["administration"])


@router.get(
    "",
    operation_id="list_releases",
    summary="Releases, and which one answers",
    responses={200: {"content": examples.content("RELEASES")}, **examples.problems(401, 403, 503)},
)
async def list_releases(request: Request, _: Administrator) -> ReleasesOut:
    """The newest first, with the last hundred lines of the history."""
    edge = edge_of(request)
    ledger = edge.assistant.ledger
    standing, found, events = await anyio.to_thread.run_sync(
        lambda: (ledger.standing(), ledger.releases(), ledger.release_events())
    )
    return ReleasesOut(
        standing=StandingOut(**asdict(standing)),
        releases=[ReleaseOut(**_fields(each, standing)) for each in found],
        events=[ReleaseEventOut(**asdict(event)) for event in events],
        work=_work(edge, caller_language(request)),
    )


@router.post(
    "",
    operation_id="draft_release",
    summary="Keep a changed release as a draft",
    status_code=201,
    responses={
        201: {"content": examples.content("RELEASE_DETAIL")},
        **examples.problems(401, 403, 404, 409, 422, 503),
    },
    openapi_extra=examples.body("DRAFT"),
)
async def draft_release(body: DraftIn, request: Request, principal: Administrator) -> ReleaseDetailOut:
    """Nothing is asked of it yet. The same content is the same release, however often it is drafted."""
    call = partial(_draft, edge_of(request), body, by=_by(principal))
    draft = await anyio.to_thread.run_sync(call)
    return await _detail(request, draft.release_id)


@router.get(
    "/canary",
    operation_id="get_canary",
    summary="How the canary and the published release are doing",
    responses={200: {"content": examples.content("CANARY")}, **examples.problems(401, 403, 503)},
)
async def get_canary(request: Request, _: Administrator) -> CanaryOut:
    """Counts since the canary began; without one, there is nothing to compare."""
    return await _canary(request)


@router.put(
    "/canary",
    operation_id="set_canary",
    summary="Send a share of the conversations to a release",
    responses={
        200: {"content": examples.content("CANARY")},
        **examples.problems(401, 403, 404, 409, 422, 503),
    },
    openapi_extra=examples.body("CANARY_SET"),
)
async def set_canary(body: CanaryIn, request: Request, principal: Administrator) -> CanaryOut:
    """Begins its checks; once they are passed, the share begins. 0 percent ends it at once."""
    from assistant.wiring_releases import start_canary  # as api/main.py does: only a started server needs it

    edge, by = edge_of(request), _by(principal)
    chosen = await _release(edge, body.release_id)
    ledger = edge.assistant.ledger
    if not body.percent:
        standing = await anyio.to_thread.run_sync(ledger.standing)
        if standing.canary_id is not None:
            end = partial(ledger.set_canary, None, 0, revision=standing.revision, by=by)
            await anyio.to_thread.run_sync(end)
        return await _canary(request)
    edge.release_work.begin(
        Work("canary", chosen.release_id, by),
        lambda work: start_canary(edge.settings, ledger, chosen, percent=body.percent, by=by, told=work.told),
    )
    return await _canary(request)


@router.post(
    "/rollback",
    operation_id="roll_back_release",
    summary="Let the former release answer again",
    responses={
        200: {"content": examples.content("STANDING")},
        **examples.problems(401, 403, 409, 422, 503),
    },
    openapi_extra=examples.body("REASON"),
)
async def roll_back_release(body: ReasonIn, request: Request, principal: Administrator) -> StandingOut:
    """From the next question on; questions under way end where they began."""
    from assistant.wiring_releases import publisher_of

    edge = edge_of(request)
    publisher = await anyio.to_thread.run_sync(publisher_of, edge.settings, edge.assistant.ledger)
    return StandingOut(**asdict(await publisher.rollback(by=_by(principal), why=body.why)))


@router.get(
    "/{release_id}",
    operation_id="get_release",
    summary="One release",
    responses={200: {"content": examples.content("RELEASE_DETAIL")}, **examples.problems(401, 403, 404, 422, 503)},
)
async def get_release(release_id: Identifier, request: Request, principal: Administrator) -> ReleaseDetailOut:
    """Its text, what is another than in the published one, its comparison (questions of people among it) and its history."""
    detail = await _detail(request, release_id)
    if detail.evaluation is not None:
        await note_viewed(request, principal)
    return detail


@router.post(
    "/{release_id}/publish",
    operation_id="publish_release",
    summary="Make a release the one that answers",
    status_code=202,
    responses={
        202: {"content": examples.content("RELEASE_WORK")},
        **examples.problems(401, 403, 404, 409, 422, 503),
    },
    openapi_extra=examples.body("REASON"),
)
async def publish_release(
    release_id: Identifier, body: ReasonIn, request: Request, principal: Administrator
) -> ReleaseWorkOut:
    """Begins its checks. Passed, it answers from the next question on; refused, nothing changes. `work` tells which."""
    from assistant.wiring_releases import publisher_of

    edge, by = edge_of(request), _by(principal)
    chosen = await _release(edge, release_id)

    async def course(work: Work) -> object:
        publisher = await anyio.to_thread.run_sync(
            partial(publisher_of, edge.settings, edge.assistant.ledger, told=work.told)
        )
        return await publisher.publish(chosen.release_id, by=by, why=body.why)

    work = edge.release_work.begin(Work("publish", chosen.release_id, by), course)
    return _shown(work, caller_language(request))


def _draft(edge: Edge, body: DraftIn, *, by: str) -> Release:
    ledger = edge.assistant.ledger
    standing = ledger.standing()
    edits = Edits(**body.model_dump(exclude={"base", "why"}))
    based_on = body.base or (None if edits.is_empty else standing.release_id)
    before = read_content(edge.settings.modelfile) if based_on is None else _known(edge, based_on).content
    content = before if edits.is_empty else edited(before, edits)
    changed = differences(_answering(edge, standing), content)
    return ledger.save_draft(content, by=by, why=body.why, based_on=based_on, details={"differences": changed})


def _answering(edge: Edge, standing: Standing) -> Content:
    if standing.release_id is None:
        return read_content(edge.settings.modelfile)
    return edge.assistant.ledger.release(standing.release_id).content


def _known(edge: Edge, release_id: str) -> Release:
    """The release of exactly that id: an address names one thing. Raises NotFound."""
    release = edge.assistant.ledger.release(release_id)
    if release.release_id != release_id:
        raise NotFound(
            Text(ja=f"リリース {release_id} はありません。", en=f"There is no release {release_id}."),
            Text(ja="GET /admin/releases で確かめてください。", en="Look with GET /admin/releases."),
        )
    return release


async def _release(edge: Edge, release_id: str) -> Release:
    return await anyio.to_thread.run_sync(_known, edge, release_id)


async def _detail(request: Request, release_id: str) -> ReleaseDetailOut:
    edge = edge_of(request)

    def read() -> tuple[Release, Standing, Content, list[Any]]:
        release, standing = _known(edge, release_id), edge.assistant.ledger.standing()
        return release, standing, _answering(edge, standing), edge.assistant.ledger.release_events(release_id)

    release, standing, answering, events = await anyio.to_thread.run_sync(read)
    return ReleaseDetailOut(
        **_fields(release, standing),
        modelfile=release.content.modelfile,
        differences=differences(answering, release.content),
        evaluation=None if release.evaluation is None else dict(release.evaluation),
        events=[ReleaseEventOut(**asdict(event)) for event in events],
    )


async def _canary(request: Request) -> CanaryOut:
    edge = edge_of(request)
    ledger = edge.assistant.ledger

    def read() -> tuple[Standing, list[Any]]:
        standing = ledger.standing()
        names = [name for name in (standing.release_id, standing.canary_id) if name is not None]
        return standing, ledger.uses_since(standing.canary_since, names) if standing.canary_id else []

    standing, uses = await anyio.to_thread.run_sync(read)
    return CanaryOut(
        standing=StandingOut(**asdict(standing)),
        uses=[ReleaseUseOut(**asdict(use)) for use in uses],
        work=_work(edge, caller_language(request)),
    )


def _fields(release: Release, standing: Standing) -> dict[str, Any]:
    modelfile, tuning = parse_modelfile(release.content.modelfile), release.content.tuning
    states = {standing.canary_id: "canary", standing.release_id: "published"}
    return {
        **{
            name: getattr(release, name)
            for name in ("release_id", "why", "based_on", "created_at", "created_by", "model")
        },
        "state": states.get(release.release_id, release.state.value),
        "base_model": modelfile.base_model,
        "num_ctx": modelfile.num_ctx,
        "temperature": modelfile.parameters.get("temperature"),
        "top_k": modelfile.parameters.get("top_k"),
        "system": modelfile.system,
        "is_evaluated": release.evaluation is not None,
        **asdict(tuning),
    }


def _work(edge: Edge, language: Language) -> ReleaseWorkOut | None:
    last = edge.release_work.last
    return None if last is None else _shown(last, language)


def _shown(work: Work, language: Language) -> ReleaseWorkOut:
    problem = work.problem
    return ReleaseWorkOut(
        what=work.what,
        release_id=work.release_id,
        by=work.by,
        state=work.state,
        step=work.step,
        message=None if problem is None else problem.message.in_language(language),
        hint=None if problem is None else problem.hint.in_language(language),
    )


def _by(principal: Principal) -> str:
    """The name as the history and the audit keep it; erasing a person takes it out of both."""
    return principal.name
