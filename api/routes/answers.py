"""GET /answers/{id}/validity: whether what a stored answer cited still stands. Another's answer looks as if there were none."""

from __future__ import annotations

import re
from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request

from api import examples
from api.deps import Asker
from api.edge import edge_of
from assistant.wire_history import ValidityOut

router = APIRouter(tags=["questions"])

_ANSWER_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


@router.get(
    "/answers/{answer_id}/validity",
    operation_id="get_answer_validity",
    summary="Whether what an answer cited still stands",
    responses={200: {"content": examples.content("VALIDITY")}, **examples.problems(401, 403, 404, 503)},
)
async def get_answer_validity(answer_id: str, request: Request, principal: Asker) -> ValidityOut:
    """Each citation as current, changed or gone, seen with the caller's rights of today."""
    asked_id = answer_id if _ANSWER_ID.match(answer_id) else "none"
    read = partial(edge_of(request).assistant.ledger.answer_validity, asked_id, principal=principal)
    return ValidityOut.from_domain(answer_id, await anyio.to_thread.run_sync(read))
