"""What the doctor asks of the ledger: the newest time in it."""

from __future__ import annotations

from sqlalchemy import func, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.transaction import Transactional

_TIMES = (s.documents.c.updated_at, s.jobs.c.created_at, s.answers.c.created_at, s.audit_entries.c.at)


class Examining(Transactional):
    """Reads for checks; writes nothing."""

    def newest_time(self) -> str:
        """The latest moment of any document, job, answer or audit entry (ISO 8601, UTC); empty in an empty ledger."""
        with self._reading() as connection:
            return max(connection.execute(select(func.max(column))).scalar() or "" for column in _TIMES)
