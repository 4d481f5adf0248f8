"""GET /admin/…: numbers of use, folders, questions without an answer. Only for the admin scope; never who asked."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request

from api import examples
from api.deps import Administrator
from api.edge import Edge, edge_of, request_id_of
from api.problems import caller_language
from assistant.audit import Act, AuditEntry
from assistant.consumption import since_day
from assistant.domain import Principal
from assistant.wire import JobOut
from assistant.wire_admin import FolderOut, FoldersOut, IngestionOut, OpenQuestionsOut, RatedOut, RatingsOut, UsageOut
from assistant.wire_history import Rating
from assistant.wire_words import PlainLine

router = APIRouter(prefix="/admin", tags=["administration"])

Days = Annotated[int, Query(ge=1, le=366, description="Days looked back, today included; days are UTC.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Entries given at most.")]


@router.get(
    "/usage",
    operation_id="get_usage",
    summary="Questions, refusals and ratings by day",
    responses={200: {"content": examples.content("USAGE")}, **examples.problems(401, 403, 422, 503)},
)
async def get_usage(request: Request, _: Administrator, days: Days = 30) -> UsageOut:
    """Numbers alone."""
    since = since_day(days)
    ledger = edge_of(request).assistant.ledger
    return UsageOut.from_domain(since, await anyio.to_thread.run_sync(partial(ledger.usage_by_day, since=since)))


@router.get(
    "/folders",
    operation_id="list_folders",
    summary="Folders with their documents by status",
    responses={200: {"content": examples.content("FOLDERS")}, **examples.problems(401, 403, 503)},
)
async def list_folders(request: Request, _: Administrator) -> FoldersOut:
    """Each folder that was ever ingested, and the ingestion of it that ended last."""
    return await anyio.to_thread.run_sync(_folders, edge_of(request))


@router.get(
    "/ingestion",
    operation_id="get_ingestion",
    summary="What ingestion left behind",
    responses={200: {"content": examples.content("INGESTION")}, **examples.problems(401, 403, 503)},
)
async def get_ingestion(request: Request, principal: Administrator) -> IngestionOut:
    """Failures and warnings by how often, recognised pages by confidence, and how well the embedder reads each language.

    Everything is counted; named are only documents that the administrator's own groups may read.
    """
    ledger = edge_of(request).assistant.ledger
    found = await anyio.to_thread.run_sync(partial(ledger.outcomes, principal=principal))
    generation = await anyio.to_thread.run_sync(ledger.active_generation)
    return IngestionOut.from_domain(found, generation, language=caller_language(request))


@router.get(
    "/unanswered",
    operation_id="list_unanswered",
    summary="Questions without a good answer",
    responses={200: {"content": examples.content("UNANSWERED")}, **examples.problems(401, 403, 422, 503)},
)
async def list_unanswered(
    request: Request, principal: Administrator, days: Days = 30, limit: Limit = 50
) -> OpenQuestionsOut:
    """Refused questions, and those whose answer was rated down; the most frequent first."""
    await note_viewed(request, principal)
    since = since_day(days)
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.open_questions, since=since, limit=limit)
    return OpenQuestionsOut.from_domain(since, await anyio.to_thread.run_sync(call))


@router.get(
    "/feedback",
    operation_id="list_feedback",
    summary="What people thought of answers",
    responses={200: {"content": examples.content("RATINGS")}, **examples.problems(401, 403, 404, 422, 503)},
)
async def list_feedback(
    request: Request,
    principal: Administrator,
    *,
    rating: Annotated[Rating | None, Query(description="Only these.")] = None,
    cursor: Annotated[PlainLine | None, Query(description="`next` of the page before.")] = None,
    limit: Limit = 50,
) -> RatingsOut:
    """One page, and the cursor of the next. The answers themselves stay with those who asked."""
    await note_viewed(request, principal)
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.list_feedback, rating=rating, cursor=cursor, limit=limit)
    rated, following = await anyio.to_thread.run_sync(call)
    return RatingsOut(
        feedback=[RatedOut(**vars(feedback), question=question) for feedback, question in rated], next=following
    )


async def note_viewed(request: Request, principal: Principal) -> None:
    """Writes that an administrator reads what others asked, before they do. Raises StoreUnavailable."""
    entry = AuditEntry(
        Act.VIEWED, principal.name, principal.via, subject=request.url.path, request_id=request_id_of(request)
    )
    await anyio.to_thread.run_sync(edge_of(request).assistant.ledger.record, entry)


def _folders(edge: Edge) -> FoldersOut:
    ledger = edge.assistant.ledger
    counts, last = ledger.documents_by_folder(), ledger.last_runs()
    return FoldersOut(
        folders=[
            FolderOut(
                folder=name,
                root=str(root),
                documents=counts.get(name, {}),
                last_job=JobOut.from_domain(last[str(root)]) if str(root) in last else None,
            )
            for name, root in sorted(ledger.folders().items())
        ]
    )
