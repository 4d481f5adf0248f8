"""What was answered before: the exchanges of a conversation, and whether what an answer cited still stands."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from sqlalchemy import Connection, RowMapping, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import readable
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Principal
from assistant.errors import Language, NotFound, Text
from assistant.history import CitationState, CitationValidity, Exchange


class Remembering(Transactional):
    """Reads of stored answers; each only for the one who asked, and with today's right to read."""

    def exchanges(self, conversation_id: str, *, principal: Principal, limit: int) -> list[Exchange]:
        """The last exchanges of the principal's own conversation, oldest first; empty for a new one.

        An answer that cites a document which the principal may no longer read comes without its text, and so does a
        question whose answer was broken off: what is asked next leans on it all the same.
        """
        query = (
            select(s.answers)
            .where(s.answers.c.conversation_id == conversation_id, s.answers.c.principal == principal.name)
            .order_by(s.answers.c.created_at.desc(), s.answers.c.answer_id)
            .limit(limit)
        )
        broken_off = (
            select(s.unfinished_answers)
            .where(
                s.unfinished_answers.c.conversation_id == conversation_id,
                s.unfinished_answers.c.principal == principal.name,
            )
            .order_by(s.unfinished_answers.c.created_at.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
            closed = unreadable_answers(connection, [row["answer_id"] for row in rows], principal)
            others = connection.execute(broken_off).mappings().all()
        told = [(row["created_at"], _exchange(row, is_closed=row["answer_id"] in closed)) for row in reversed(rows)]
        told += [(row["created_at"], _broken_off(row)) for row in reversed(others)]
        return [exchange for _, exchange in sorted(told, key=itemgetter(0))][-limit:]

    def answer_validity(self, answer_id: str, *, principal: Principal) -> list[CitationValidity]:
        """Each citation of the principal's own answer, by number. Raises NotFound for no answer and another's.

        A document that is deleted and one that may no longer be read look alike: gone.
        """
        with self._reading() as connection:
            owner = connection.execute(select(s.answers.c.principal).where(s.answers.c.answer_id == answer_id)).scalar()
            if owner is None or owner != principal.name:
                raise no_answer()
            cited = (
                connection.execute(
                    select(s.answer_citations)
                    .where(s.answer_citations.c.answer_id == answer_id)
                    .order_by(s.answer_citations.c.number)
                )
                .mappings()
                .all()
            )
            living = living_versions(connection, {row["document_id"] for row in cited}, principal)
        return [_validity(row, living.get(row["document_id"])) for row in cited]


def _exchange(row: RowMapping, *, is_closed: bool) -> Exchange:
    language: Language = "ja" if row["language"] == "ja" else "en"
    return Exchange(
        asked=row["question"],
        question=row["rewritten"] or row["question"],
        answer="" if is_closed else row["text"],
        language=language,
        offered=tuple(row["offered"] or ()),
    )


def _broken_off(row: RowMapping) -> Exchange:
    language: Language = "ja" if row["language"] == "ja" else "en"
    return Exchange(row["question"], row["question"], "", language, tuple(row["offered"] or ()))


def unreadable_answers(connection: Connection, answer_ids: list[str], principal: Principal) -> set[str]:
    """Those of the answers that cite a document which the principal may not read."""
    query = select(s.answer_citations.c.answer_id).where(
        s.answer_citations.c.answer_id.in_(answer_ids),
        s.answer_citations.c.document_id.not_in(readable(principal)),
    )
    return set(connection.execute(query).scalars())


def living_versions(connection: Connection, document_ids: Iterable[str], principal: Principal) -> dict[str, RowMapping]:
    """The live versions of those documents that still exist and that the principal may read."""
    query = (
        select(
            s.documents.c.document_id,
            s.documents.c.path,
            s.versions.c.version_id,
            s.versions.c.title,
            s.versions.c.sha256,
            s.versions.c.text,
        )
        .join(s.versions, s.documents.c.version_id == s.versions.c.version_id)
        .where(
            s.documents.c.document_id.in_(list(document_ids)),
            s.documents.c.deleted_at == "",
            s.documents.c.document_id.in_(readable(principal)),
        )
    )
    return {row["document_id"]: row for row in connection.execute(query).mappings()}


def _validity(cited: RowMapping, now: RowMapping | None) -> CitationValidity:
    if now is None:
        return CitationValidity(cited["number"], cited["document_id"], CitationState.GONE, None, None, None)
    is_same = now["version_id"] == cited["version_id"] or now["sha256"] == cited["sha256"]
    return CitationValidity(
        number=cited["number"],
        document_id=cited["document_id"],
        state=CitationState.CURRENT if is_same else CitationState.CHANGED,
        title=now["title"],
        path=now["path"],
        is_quote_there=cited["quote"] in now["text"],
    )


def no_answer() -> NotFound:
    """The error for no answer, and for another's."""
    return NotFound(
        Text(ja="その回答は見つかりません。", en="There is no such answer."),
        Text(ja="answer_id を確かめてください。", en="Check the answer_id."),
    )
