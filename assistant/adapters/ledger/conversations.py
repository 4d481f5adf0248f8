"""Conversations as their owner sees them: lists, one with its answers, renaming, deleting, and what they thought of answers.

Another's conversation looks as if there were none. What an answer cites is shown with today's right to read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, func, insert, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.cursors import decode_cursor, encode_cursor
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.remembering import living_versions, no_answer, unreadable_answers
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.domain import Principal
from assistant.errors import NotFound, Text
from assistant.history import CitationState, Conversation, Feedback, StoredAnswer, StoredCitation


class Conversations(Transactional):
    """Every method is for the principal's own conversations alone, and raises NotFound for any other."""

    def list_conversations(
        self, *, principal: Principal, query: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[Conversation], str | None]:
        """One page, the last used first, and the cursor of the next page or None. `query` is looked for in titles."""
        c = s.conversations.c
        statement = _conversations(principal).order_by(c.updated_at.desc(), c.conversation_id).limit(limit + 1)
        if query:
            statement = statement.where(c.title.contains(query, autoescape=True))
        if cursor:
            updated_at, conversation_id = decode_cursor(cursor)
            twin = (c.updated_at == updated_at) & (c.conversation_id > conversation_id)
            statement = statement.where((c.updated_at < updated_at) | twin)
        with self._reading() as connection:
            rows = connection.execute(statement).mappings().all()
        page = [_conversation(row) for row in rows[:limit]]
        following = encode_cursor(page[-1].updated_at, page[-1].conversation_id) if len(rows) > limit else None
        return page, following

    def get_conversation(self, conversation_id: str, *, principal: Principal) -> Conversation:
        """The conversation without its answers."""
        statement = _conversations(principal).where(s.conversations.c.conversation_id == conversation_id)
        with self._reading() as connection:
            row = connection.execute(statement).mappings().first()
        if row is None:
            raise _no_conversation()
        return _conversation(row)

    def stored_answers(
        self, conversation_id: str, *, principal: Principal, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[StoredAnswer], str | None]:
        """One page of the conversation's answers, the oldest first, and the cursor of the next page or None."""
        self.get_conversation(conversation_id, principal=principal)
        a = s.answers.c
        statement = select(s.answers).where(a.conversation_id == conversation_id, a.principal == principal.name)
        if cursor:
            created_at, answer_id = decode_cursor(cursor)
            twin = (a.created_at == created_at) & (a.answer_id > answer_id)
            statement = statement.where((a.created_at > created_at) | twin)
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(a.created_at, a.answer_id).limit(limit + 1)).mappings().all()
            page = _with_citations(connection, rows[:limit], principal)
        following = encode_cursor(page[-1].created_at, page[-1].answer_id) if len(rows) > limit else None
        return page, following

    def rename_conversation(self, conversation_id: str, *, title: str, principal: Principal) -> Conversation:
        """The conversation with its new title; its place in the list stays."""
        with self._writing() as connection:
            connection.execute(update(s.conversations).where(_own(conversation_id, principal)).values(title=title))
        return self.get_conversation(conversation_id, principal=principal)

    def delete_conversation(self, conversation_id: str, *, principal: Principal) -> None:
        """The conversation, its answers, citations, feedback and wishes are gone."""
        answer_ids = select(s.answers.c.answer_id).where(s.answers.c.conversation_id == conversation_id)
        with self._writing() as connection:
            if not connection.execute(select(s.conversations).where(_own(conversation_id, principal))).first():
                raise _no_conversation()
            for table in (s.feedback, s.wanted_answers, s.answer_citations):
                connection.execute(delete(table).where(table.c.answer_id.in_(answer_ids)))
            for table in (s.answers, s.unfinished_answers):
                connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
            connection.execute(delete(s.conversations).where(_own(conversation_id, principal)))

    def save_feedback(
        self, answer_id: str, *, rating: str, reason: str | None, text: str | None, principal: Principal
    ) -> Feedback:
        """What the principal thinks of their own answer; a second opinion replaces the first."""
        said = Feedback(answer_id=answer_id, rating=rating, reason=reason, text=text, created_at=now())
        with self._writing() as connection:
            owner = connection.execute(select(s.answers.c.principal).where(s.answers.c.answer_id == answer_id)).scalar()
            if owner is None or owner != principal.name:
                raise no_answer()
            connection.execute(delete(s.feedback).where(s.feedback.c.answer_id == answer_id))
            connection.execute(insert(s.feedback).values(**vars(said)))
        return said


def _conversations(principal: Principal) -> Select[tuple[object, ...]]:
    counts = [
        select(func.count()).where(table.c.conversation_id == s.conversations.c.conversation_id).scalar_subquery()
        for table in (s.answers, s.unfinished_answers)
    ]
    return select(s.conversations, (counts[0] + counts[1]).label("answers")).where(
        s.conversations.c.principal == principal.name
    )


def _own(conversation_id: str, principal: Principal) -> ColumnElement[bool]:
    c = s.conversations.c
    return (c.conversation_id == conversation_id) & (c.principal == principal.name)


def _conversation(row: RowMapping) -> Conversation:
    return Conversation(
        conversation_id=row["conversation_id"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        answers=row["answers"],
    )


def _with_citations(connection: Connection, rows: Iterable[RowMapping], principal: Principal) -> list[StoredAnswer]:
    """The answers with what may still be seen of their citations."""
    answers = list(rows)
    answer_ids = [row["answer_id"] for row in answers]
    cited: dict[str, list[RowMapping]] = defaultdict(list)
    query = select(s.answer_citations).where(s.answer_citations.c.answer_id.in_(answer_ids))
    for row in connection.execute(query.order_by(s.answer_citations.c.number)).mappings():
        cited[row["answer_id"]].append(row)
    all_cited = [row for rows_of_one in cited.values() for row in rows_of_one]
    living = living_versions(connection, {row["document_id"] for row in all_cited}, principal)
    places = _places(connection, sorted({row["chunk_id"] for row in all_cited}))
    opinions = _opinions(connection, answer_ids)
    closed = unreadable_answers(connection, answer_ids, principal)
    return [
        StoredAnswer(
            answer_id=row["answer_id"],
            conversation_id=row["conversation_id"],
            question=row["question"],
            rewritten=row["rewritten"],
            text=None if row["answer_id"] in closed else row["text"],
            language="ja" if row["language"] == "ja" else "en",
            mode=row["mode"],
            refused=row["refused"],
            reason=row["reason"],
            release_id=row["release_id"],
            model=row["model"],
            warnings=tuple(dict.fromkeys(row["notices"])),
            citations=tuple(
                _citation(one, living.get(one["document_id"]), places.get(one["chunk_id"]))
                for one in cited[row["answer_id"]]
            ),
            feedback=opinions.get(row["answer_id"]),
            total_seconds=row["total_seconds"],
            created_at=row["created_at"],
        )
        for row in answers
    ]


def _places(connection: Connection, chunk_ids: list[str]) -> dict[str, RowMapping]:
    """Page and headings of the chunks that are still stored."""
    c = s.chunks.c
    found: dict[str, RowMapping] = {}
    for some in slices(chunk_ids):
        query = select(c.chunk_id, c.page, c.heading_path).where(c.chunk_id.in_(some))
        found |= {row["chunk_id"]: row for row in connection.execute(query).mappings()}
    return found


def _opinions(connection: Connection, answer_ids: list[str]) -> dict[str, Feedback]:
    query = select(s.feedback).where(s.feedback.c.answer_id.in_(answer_ids))
    return {row["answer_id"]: Feedback(**row) for row in connection.execute(query).mappings()}


def _citation(cited: RowMapping, today: RowMapping | None, place: RowMapping | None) -> StoredCitation:
    state = CitationState.GONE
    if today is not None:
        is_same = today["version_id"] == cited["version_id"] or today["sha256"] == cited["sha256"]
        state = CitationState.CURRENT if is_same else CitationState.CHANGED
    seen = place if today is not None else None
    return StoredCitation(
        number=cited["number"],
        document_id=cited["document_id"],
        version_id=cited["version_id"],
        chunk_id=cited["chunk_id"],
        start=cited["start"],
        end=cited["end"],
        state=state,
        title=None if today is None else today["title"],
        path=None if today is None else today["path"],
        page=None if seen is None else seen["page"],
        heading_path=() if seen is None else tuple(seen["heading_path"]),
        quote=None if today is None else cited["quote"],
    )


def _no_conversation() -> NotFound:
    return NotFound(
        Text(ja="その会話は見つかりません。", en="There is no such conversation."),
        Text(ja="GET /conversations で一覧を確かめてください。", en="See the list at GET /conversations."),
    )
