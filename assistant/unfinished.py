"""A question's note in the history while it is answered: there from its first moment, so that no hang-up, restart or power
cut loses it. The answer takes its place; what is broken off stays, with what had been written.

The note is made beside the search, and the model does not wait for it. Knows no model and no web.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import structlog

from assistant.answering import Draft, saved
from assistant.domain import Answer
from assistant.errors import StoreUnavailable
from assistant.history import Unfinished
from assistant.ports import AskLedger, Turn

_log = structlog.get_logger(__name__)


class Note:
    """The note of one question; owned by one `ask()`."""

    def __init__(self, draft: Draft, turn: Turn, ledger: AskLedger) -> None:
        self._draft, self._turn, self._ledger = draft, turn, ledger
        self._begun: asyncio.Task[None] | None = None
        self._unfinished = Unfinished(
            unfinished_id="u_" + uuid.uuid4().hex,
            conversation_id=draft.conversation_id,
            question=draft.question.text,
            language=draft.question.language,
            text="",
        )

    def begin(self, *, is_slow: bool) -> None:
        """Notes the question, meanwhile; not one whose answer, in quotations, is there at once."""
        if is_slow:
            self._begun = asyncio.create_task(self._written(self._unfinished))

    async def answered(self, answer: Answer) -> Answer:
        """The answer, stored in the note's place; see `saved`. Whoever waits for the model does not wait for that."""
        self._turn.leave()
        if self._begun is not None:
            await self._begun
        self._begun = None
        return await saved(answer, self._draft.question, self._ledger)

    async def end(self) -> None:
        """Keeps what had been written where no answer came of it, once the model is free."""
        self._turn.leave()
        if self._begun is None:
            return
        await self._begun
        if self._draft.text:
            offered = tuple(" ".join((one.chunk_id, *one.joined)) for one in self._draft.offered)
            await self._written(replace(self._unfinished, text=self._draft.text, offered=offered))

    async def _written(self, unfinished: Unfinished) -> None:
        """A ledger that is away is told with the answer (`answer_not_saved`); here it is logged."""
        principal = self._draft.question.principal
        try:
            await asyncio.to_thread(self._ledger.note_unfinished, unfinished, principal=principal)
        except StoreUnavailable as error:
            _log.warning("unfinished_question_not_noted", code=error.code)
