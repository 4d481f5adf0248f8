"""Questions that somebody wants to be told of when the documents can answer them."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.remembering import no_answer
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Principal
from assistant.errors import NotFound, Text
from assistant.history import Wanted


class Wanting(Transactional):
    """Every method is for the principal's own wishes alone; another's looks as if there were none.

    `closed_at` and `closed_answer_id` are written by whoever finds out that the question can be answered now.
    """

    def want_answer(self, answer_id: str, *, principal: Principal) -> Wanted:
        """Notes the question of the principal's own answer, as it stands alone; twice is once. Raises NotFound."""
        a = s.answers.c
        with self._writing() as connection:
            asked = connection.execute(
                select(a.question, a.rewritten, a.language).where(
                    a.answer_id == answer_id, a.principal == principal.name
                )
            ).first()
            if asked is None:
                raise no_answer()
            known = select(s.wanted_answers).where(s.wanted_answers.c.answer_id == answer_id)
            row = connection.execute(known).mappings().first()
            if row is None:
                connection.execute(
                    insert(s.wanted_answers).values(
                        wanted_id="w_" + uuid.uuid4().hex,
                        principal=principal.name,
                        question=asked.rewritten or asked.question,
                        language=asked.language,
                        asked_at=now(),
                        answer_id=answer_id,
                    )
                )
                row = connection.execute(known).mappings().one()
        return _wanted(row)

    def wanted_answers(self, *, principal: Principal, limit: int = 100) -> list[Wanted]:
        """What the principal waits for: those that can be answered now first, then the newest."""
        w = s.wanted_answers.c
        query = select(s.wanted_answers).where(w.principal == principal.name)
        with self._reading() as connection:
            rows = connection.execute(
                query.order_by(w.closed_at.is_(None), w.asked_at.desc(), w.wanted_id).limit(limit)
            ).mappings()
            return [_wanted(row) for row in rows]

    def forget_wanted(self, wanted_id: str, *, principal: Principal) -> None:
        """The principal waits no more, or has been told. Raises NotFound."""
        with self._writing() as connection:
            if not connection.execute(delete(s.wanted_answers).where(_own(wanted_id, principal))).rowcount:
                raise NotFound(
                    Text(ja="その通知の依頼は見つかりません。", en="There is no such wish to be told."),
                    Text(ja="GET /wanted で一覧を確かめてください。", en="See the list at GET /wanted."),
                )


def _own(wanted_id: str, principal: Principal) -> ColumnElement[bool]:
    w = s.wanted_answers.c
    return (w.wanted_id == wanted_id) & (w.principal == principal.name)


def _wanted(row: RowMapping) -> Wanted:
    return Wanted(
        wanted_id=row["wanted_id"],
        question=row["question"],
        language="ja" if row["language"] == "ja" else "en",
        asked_at=row["asked_at"],
        answer_id=row["answer_id"],
        closed_at=row["closed_at"],
        closed_answer_id=row["closed_answer_id"],
    )
