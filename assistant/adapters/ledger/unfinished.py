"""Questions that are being answered, or whose answer was broken off: in the history from their first moment, so that no
hang-up, restart or power cut loses them. They are no answers, and nothing counts them as such.

    asked ─▶ noted without a text ─▶ answered: the answer takes its place
                                └──▶ broken off: what had been written stays, until the question is asked again
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import readable
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.domain import Principal
from assistant.history import Unfinished


class UnfinishedAnswers(Transactional):
    """Reads the notes that `Asking` writes."""

    def unfinished(self, conversation_id: str, *, principal: Principal) -> list[Unfinished]:
        """The conversation's, the oldest first.

        `text` is None where a passage that the model had been given may no longer be read or is no longer what it was: what
        it had written rests on them all, and nothing of it was checked.
        """
        u = s.unfinished_answers.c
        query = select(s.unfinished_answers).where(
            u.conversation_id == conversation_id, u.principal == principal.name
        )  # fmt: skip
        with self._reading() as connection:
            rows = connection.execute(query.order_by(u.created_at, u.unfinished_id)).mappings().all()
            chunk_ids = {chunk_id for row in rows for each in row["offered"] for chunk_id in each.split()}
            still = _still_readable(connection, chunk_ids, principal)
        return [
            Unfinished(
                unfinished_id=row["unfinished_id"],
                conversation_id=row["conversation_id"],
                question=row["question"],
                language="ja" if row["language"] == "ja" else "en",
                text=row["text"] if still.issuperset(" ".join(row["offered"]).split()) else None,
                offered=tuple(row["offered"]),
                created_at=row["created_at"],
            )
            for row in rows
        ]


def _still_readable(connection: Connection, chunk_ids: set[str], principal: Principal) -> set[str]:
    """Those of the chunks that stand in a living version which the principal may read."""
    found: set[str] = set()
    for some in slices(sorted(chunk_ids)):
        query = (
            select(s.chunks.c.chunk_id)
            .join(s.documents, s.documents.c.version_id == s.chunks.c.version_id)
            .where(
                s.chunks.c.chunk_id.in_(some),
                s.documents.c.deleted_at == "",
                s.documents.c.document_id.in_(readable(principal)),
            )
        )
        found |= set(connection.execute(query).scalars())
    return found
