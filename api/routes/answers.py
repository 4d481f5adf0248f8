"""Answers given earlier: whether what one cited still stands, and what its asker thinks of it.

Another's answer looks as if there were none.
"""

from __future__ import annotations

from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request

from api import examples
from api.deps import Asker
from api.edge import edge_of
from api.ids import looked_up
from assistant.text import without_control_characters
from assistant.wire_history import FeedbackIn, FeedbackOut, ValidityOut

router = APIRouter(tags=["questions"])


@router.get(
    "/answers/{answer_id}/validity",
    operation_id="get_answer_validity",
    summary="Whether what an answer cited still stands",
    responses={200: {"content": examples.content("VALIDITY")}, **examples.problems(401, 403, 404, 503)},
)
async def get_answer_validity(answer_id: str, request: Request, principal: Asker) -> ValidityOut:
    """Each citation as current, changed or gone, seen with the caller's rights of today."""
    read = partial(edge_of(request).assistant.ledger.answer_validity, looked_up(answer_id), principal=principal)
    return ValidityOut.from_domain(answer_id, await anyio.to_thread.run_sync(read))


@router.post(
    "/answers/{answer_id}/feedback",
    operation_id="give_feedback",
    summary="Say what an answer was worth",
    responses={200: {"content": examples.content("FEEDBACK")}, **examples.problems(401, 403, 404, 413, 422, 503)},
    openapi_extra=examples.body("FEEDBACK_GIVEN"),
)
async def give_feedback(answer_id: str, body: FeedbackIn, request: Request, principal: Asker) -> FeedbackOut:
    """What is kept; a second one replaces the first."""
    edge = edge_of(request)
    text = without_control_characters(body.text or "").strip() or None
    save = partial(
        edge.assistant.ledger.save_feedback,
        looked_up(answer_id),
        rating=body.rating,
        reason=body.reason,
        text=text,
        principal=principal,
    )
    said = FeedbackOut.from_domain(await anyio.to_thread.run_sync(save))
    edge.metrics.feedback.labels(rating=said.rating).inc()
    return said
