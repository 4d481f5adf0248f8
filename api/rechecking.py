"""Asks questions without an answer again once the documents have changed, and closes those that are answered now.

Each is asked as the person who asked it: with their rights, through the whole pipeline, behind everybody else in line. It is
closed only when the pipeline answers it; a quotation because the model is away closes nothing. A few at a time: whatever is
left waits for the next look.
"""

from __future__ import annotations

import uuid
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio.to_thread

from api.edge import Edge
from assistant.admission import user_of
from assistant.domain import Answer, AnswerMode, Failed, Finished, JobState, Principal, Question
from assistant.errors import AssistantError
from assistant.history import DueQuestion
from assistant.line import Crowd

QUESTIONS_A_PASS = 5
LOOKED_BACK_DAYS = 90
REQUEST_PREFIX = "again-"
"""Beginning of the request ids in audit and log, which tells these from what people ask."""


async def recheck(edge: Edge) -> int:
    """How many questions were asked again; 0 while an ingestion runs, people wait, or nothing has changed. Raises AssistantError."""
    ledger = edge.assistant.ledger
    if edge.admission.waiting or edge.refuses or await anyio.to_thread.run_sync(_is_ingesting, edge):
        return 0
    changed_at = await anyio.to_thread.run_sync(ledger.last_change)
    if changed_at is None:
        return 0
    since = (datetime.now(UTC) - timedelta(days=LOOKED_BACK_DAYS)).date().isoformat()
    due = await anyio.to_thread.run_sync(
        partial(ledger.due_questions, changed_at=changed_at, since=since, limit=QUESTIONS_A_PASS)
    )
    for question in due:
        await _ask_again(edge, question)
    return len(due)


def _is_ingesting(edge: Edge) -> bool:
    return any(job.state in {JobState.QUEUED, JobState.RUNNING} for job in edge.assistant.ledger.list_jobs(10))


async def _ask_again(edge: Edge, due: DueQuestion) -> None:
    ledger = edge.assistant.ledger
    standing = await anyio.to_thread.run_sync(ledger.standing_of, due.principal)
    answer = None
    principal = Principal(due.principal, groups=standing.groups, via="proxy")
    if not standing.is_disabled:
        answer = await _answer(edge, due, principal)
    is_answered = answer is not None and not answer.refused and _is_real(edge, answer)
    if is_answered and answer is not None and due.wanted_id is not None:
        save = partial(ledger.save_answer, answer, question=due.question, principal=principal)
        await anyio.to_thread.run_sync(save)
        await anyio.to_thread.run_sync(partial(ledger.close_wanted, due.wanted_id, answer_id=answer.answer_id))
    await anyio.to_thread.run_sync(partial(ledger.note_tried, due.key, is_answered=is_answered))
    edge.log.info("question_asked_again", question=due.key[:16], is_answered=is_answered)


async def _answer(edge: Edge, due: DueQuestion, principal: Principal) -> Answer | None:
    """The answer; None where there was none, for whatever reason."""
    question = Question(
        text=due.question,
        language="ja" if due.language == "ja" else "en",
        principal=principal,
        request_id=REQUEST_PREFIX + uuid.uuid4().hex[:24],
    )
    with edge.admission.turn(user_of(principal), Crowd.BACKGROUND) as turn:
        async with aclosing(edge.assistant.ask(question, turn)) as events:
            async for event in events:
                if isinstance(event, Failed):
                    edge.log.warning("question_not_asked_again", error=event.error.code)
                    return None
                if isinstance(event, Finished):
                    return event.answer
    return None


def _is_real(edge: Edge, answer: Answer) -> bool:
    """Whether this is what the deployment gives when all is well, and not quotations in the place of an answer."""
    return answer.mode is AnswerMode.GENERATED or edge.assistant.chat_model_name == "quotes"


async def rechecked(edge: Edge) -> int:
    """`recheck`, with failures of the stores or the model in the log: the next look tries again."""
    try:
        return await recheck(edge)
    except AssistantError as error:
        edge.log.warning("questions_not_asked_again", error=error.code)
        return 0
