"""GET /admin/questions, PUT /admin/questions/owner: questions without an answer, put together and given to somebody.

GET /admin/use, PUT /admin/prices: what answering used, and what it costs here and in a cloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request

from api import examples
from api.deps import Administrator
from api.edge import Edge, edge_of
from api.routes.admin import Days, Limit, note_viewed
from assistant import history
from assistant.adapters.ledger.unanswered import question_key
from assistant.clusters import UNRELATED, clusters_of, near_enough
from assistant.consumption import since_day
from assistant.errors import EmbedderUnavailable, ModelMissing
from assistant.release.cost import Prices, Used, cost_of
from assistant.wire_questions import (
    AskedQuestionOut,
    CostOut,
    NamedCountOut,
    OwnerIn,
    PricesShape,
    QuestionGroupOut,
    QuestionGroupsOut,
    TimesOut,
    UseOut,
)

router = APIRouter(prefix="/admin", tags=["administration"])

PRICES = "prices"
KEPT_VECTORS = 2000
"""Vectors of questions that a server keeps, about 6 MB of 768 numbers each; they are made anew after a restart."""


@router.get(
    "/questions",
    operation_id="list_question_groups",
    summary="Questions without a good answer, put together",
    responses={200: {"content": examples.content("QUESTION_GROUPS")}, **examples.problems(401, 403, 422, 503)},
)
async def list_question_groups(
    request: Request, principal: Administrator, days: Days = 30, limit: Limit = 100
) -> QuestionGroupsOut:
    """Wordings that ask for the same by the embedder, the most frequent first, with owner and whether they are answered now."""
    await note_viewed(request, principal)
    edge, since = edge_of(request), since_day(days)
    ledger = edge.assistant.ledger
    found = await anyio.to_thread.run_sync(partial(ledger.open_questions, since=since, limit=limit))
    states = await anyio.to_thread.run_sync(ledger.question_states, [question_key(one.question) for one in found])
    groups, is_grouped = await _groups(edge, [one.question for one in found])
    return QuestionGroupsOut(
        since=since,
        is_grouped=is_grouped,
        groups=sorted(
            (_group([found[place] for place in places], states) for places in groups),
            key=lambda group: (group.state == "closed", -group.times, group.question),
        ),
    )


@router.put(
    "/questions/owner",
    operation_id="assign_questions",
    summary="Say who answers for questions",
    status_code=204,
    responses={204: {"description": "It is noted."}, **examples.problems(401, 403, 413, 422, 503)},
    openapi_extra=examples.body("QUESTIONS_OWNER"),
)
async def assign_questions(body: OwnerIn, request: Request, principal: Administrator) -> None:
    """The owner is free text: a person, a department."""
    call = partial(edge_of(request).assistant.ledger.assign_questions, body.keys, owner=body.owner, by=principal.name)
    await anyio.to_thread.run_sync(call)


@router.get(
    "/use",
    operation_id="get_use",
    summary="Tokens, times, busiest folders and cost",
    responses={200: {"content": examples.content("USE")}, **examples.problems(401, 403, 422, 503)},
)
async def get_use(request: Request, _: Administrator, days: Days = 30) -> UseOut:
    """Measured numbers, and what they cost at the prices that were entered."""
    return await anyio.to_thread.run_sync(_use, edge_of(request), days)


@router.put(
    "/prices",
    operation_id="keep_prices",
    summary="Enter prices",
    responses={200: {"content": examples.content("PRICES")}, **examples.problems(401, 403, 413, 422, 503)},
    openapi_extra=examples.body("PRICES"),
)
async def keep_prices(body: PricesShape, request: Request, principal: Administrator) -> PricesShape:
    """What cloud, power and hardware cost; kept in the ledger."""
    call = partial(edge_of(request).assistant.ledger.keep_value, PRICES, body.model_dump(), by=principal.name)
    await anyio.to_thread.run_sync(call)
    return body


async def _groups(edge: Edge, texts: Sequence[str]) -> tuple[list[list[int]], bool]:
    """Groups of places in `texts`, and whether the embedder made them; without it each text stands alone."""
    alone = [[place] for place in range(len(texts))]
    if len(texts) < 2:
        return alone, True
    try:
        embedder = await anyio.to_thread.run_sync(edge.assistant.stores.embedder_in_use)
        kept = edge.question_vectors
        for text in (*UNRELATED, *texts):
            key = (embedder.embedder_id, text)
            if key not in kept:
                if len(kept) >= KEPT_VECTORS:
                    kept.pop(next(iter(kept)))
                kept[key] = (await embedder.embed_query(text))[0]
    except (EmbedderUnavailable, ModelMissing) as error:
        edge.log.warning("questions_not_grouped", error=error.code)
        return alone, False
    vectors = [[kept[embedder.embedder_id, text] for text in some] for some in (UNRELATED, texts)]
    return clusters_of(texts, vectors[1], threshold=near_enough(vectors[0])), True


def _group(found: Sequence[history.OpenQuestion], states: dict[str, history.QuestionState]) -> QuestionGroupOut:
    questions = []
    for one in found:
        state = states.get(question_key(one.question))
        closed_at = state.closed_at if state is not None and (state.closed_at or "") > one.last_asked_at else None
        questions.append(AskedQuestionOut(**vars(one), key=question_key(one.question), closed_at=closed_at))
    owner = next((states[one.key].owner for one in questions if one.key in states and states[one.key].owner), None)
    is_closed = all(one.closed_at is not None for one in questions)
    return QuestionGroupOut(
        question=questions[0].question,
        times=sum(one.times for one in questions),
        last_asked_at=max(one.last_asked_at for one in questions),
        state="closed" if is_closed else "owned" if owner else "open",
        owner=owner,
        questions=questions,
    )


def _use(edge: Edge, days: int) -> UseOut:
    ledger, since = edge.assistant.ledger, since_day(days)
    used = ledger.consumption(since=since)
    kept: Any = ledger.kept_value(PRICES)
    prices = PricesShape.model_validate(kept) if kept is not None else None
    cost = None
    if prices is not None:
        measured = Used(days, used.prompt_tokens, used.answer_tokens, used.busy_seconds)
        cost = CostOut(**vars(cost_of(measured, Prices(**prices.model_dump()))))
    shows_people = edge.settings.audit.questions == "text"
    return UseOut(
        since=since,
        askers=used.askers,
        prompt_tokens=used.prompt_tokens,
        answer_tokens=used.answer_tokens,
        busy_seconds=round(used.busy_seconds, 1),
        times=[TimesOut(**vars(day)) for day in used.days],
        folders=[NamedCountOut(name=name, count=count) for name, count in used.folders],
        people=[NamedCountOut(name=name, count=count) for name, count in used.people] if shows_people else [],
        prices=prices,
        cost=cost,
    )
