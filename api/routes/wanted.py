"""Questions that the caller wants to be told of when the documents can answer them. Another's looks as if there were none."""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request

from api import examples, links
from api.deps import Asker
from api.edge import edge_of
from api.ids import looked_up
from assistant.wire_history import WantedListOut, WantedOut

router = APIRouter(tags=["questions"])


@router.post(
    "/answers/{answer_id}/wanted",
    operation_id="want_answer",
    summary="Be told when a question can be answered",
    responses={
        200: {"content": examples.content("WANTED"), "links": links.WANTED},
        **examples.problems(401, 403, 404, 503),
    },
)
async def want_answer(answer_id: str, request: Request, principal: Asker) -> WantedOut:
    """The wish that is kept; the same answer twice is one wish."""
    call = partial(edge_of(request).assistant.ledger.want_answer, looked_up(answer_id), principal=principal)
    return WantedOut.from_domain(await anyio.to_thread.run_sync(call))


@router.get(
    "/wanted",
    operation_id="list_wanted",
    summary="Questions that the caller waits for",
    responses={200: {"content": examples.content("WANTED_LIST")}, **examples.problems(401, 403, 503)},
)
async def list_wanted(request: Request, principal: Asker) -> WantedListOut:
    """Those that can be answered now first (`closed_at` is set), then the newest; at most 100."""
    call = partial(edge_of(request).assistant.ledger.wanted_answers, principal=principal)
    return WantedListOut(wanted=[WantedOut.from_domain(one) for one in await anyio.to_thread.run_sync(call)])


@router.delete(
    "/wanted/{wanted_id}",
    operation_id="forget_wanted",
    summary="Wait for a question no more",
    status_code=204,
    responses={204: {"description": "It is gone."}, **examples.problems(401, 403, 404, 503)},
)
async def forget_wanted(wanted_id: str, request: Request, principal: Asker) -> None:
    """Taken back, or told."""
    call = partial(edge_of(request).assistant.ledger.forget_wanted, looked_up(wanted_id), principal=principal)
    await anyio.to_thread.run_sync(call)
