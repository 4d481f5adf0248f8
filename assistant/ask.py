"""One question from first to last, as typed events: rewritten, found, queued …, token …, cited …, finished or failed.

         rewrite.py  retrieve.py         answering.py: pack.py, adapters/, links.py     cite.py, refusal.py, guard.py
question ────────────────────▶ passages ──────────────────────────────────▶ text ─────────────────────────▶ answer
                                  │                              model away │
                                  └───────────────── quotes.py ◀────────────┘

Every face (JSON, stream, command line, evaluation, OpenAI-compatible) consumes this one generator. Closing it frees the
model at once, and leaves what was written in the history. It never ends without exactly one Finished or Failed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from assistant.answering import Draft, Writing, finish, nothing_found, safely_quoted, talk_of, told_of_reading
from assistant.backends import SecondModel, at_work, order_of, written
from assistant.courtesy import asks
from assistant.domain import Cited, Event, Failed, Finished, Found, Question, Rewritten
from assistant.errors import AnswerAborted, AssistantError, ModelMissing, ModelTimeout, ModelUnavailable
from assistant.ports import ChatModel, NoLine, Turn
from assistant.retrieve import Indexes, search
from assistant.rewrite import needs_rewriting, stand_alone
from assistant.unfinished import Note


@dataclass(frozen=True, kw_only=True)
class Pipeline(Writing):
    """What one question needs. `model` None means quotes only; `budget_tokens` is the space for a prompt in each."""

    indexes: Indexes
    model: ChatModel | None
    release_id: str
    passages_limit: int
    second: SecondModel | None = None


async def ask(question: Question, pipeline: Pipeline, turn: Turn | None = None) -> AsyncGenerator[Event, None]:
    """Events of one question; the last is Finished or Failed. `turn` is waited for when the model is needed."""
    turn, draft = turn or NoLine(), Draft(question, pipeline.release_id, started=time.perf_counter())
    order = order_of(question, pipeline.model, pipeline.second, conversation_id=draft.conversation_id)
    note = Note(draft, turn, pipeline.indexes.ledger)
    try:
        draft.talk = await talk_of(question, pipeline.indexes.ledger)
        note.begin(is_slow=bool(order))
        helper, budget_tokens = at_work(order), pipeline.budget_tokens
        if helper is not None and needs_rewriting(question, draft.talk):
            while (outlook := await turn.outlook(helper.line)) is not None:  # the place is kept for the answer
                yield outlook
        alone = await stand_alone(question, draft.talk, helper.model if helper else None, budget_tokens=budget_tokens)
        if alone is not None:
            draft.rewritten(alone)
            yield Rewritten(alone.text)
        if asks(question.text):
            draft.found(await search(draft.standing, pipeline.indexes, limit=pipeline.passages_limit))
        yield Found(draft.passages)
        if not draft.passages:
            answer = nothing_found(draft)
        elif not order:
            answer = safely_quoted(draft, None)
        else:
            try:
                async with aclosing(written(draft, order, turn, pipeline)) as pieces:
                    async for piece in pieces:
                        yield piece
                turn.leave(is_whole=True)
                answer = await finish(draft)
            except (ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted) as error:
                answer = safely_quoted(draft, error)
        answer = await told_of_reading(answer, pipeline.indexes.ledger)
        for citation in answer.citations:
            yield Cited(citation)
        yield Finished(await note.answered(answer))
    except AssistantError as error:
        yield Failed(error)
    finally:
        await note.end()
