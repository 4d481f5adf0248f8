"""What the doctor asks of the ledger: the newest time in it, and vectors to compare an index with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.transaction import Transactional, slices

_TIMES = (s.documents.c.updated_at, s.jobs.c.created_at, s.answers.c.created_at, s.audit_entries.c.at)


class Examining(Transactional):
    """Reads for checks; writes nothing."""

    def newest_time(self) -> str:
        """The latest moment of any document, job, answer or audit entry (ISO 8601, UTC); empty in an empty ledger."""
        with self._reading() as connection:
            return max(connection.execute(select(func.max(column))).scalar() or "" for column in _TIMES)

    def chunk_vectors(self, embedder_id: str, chunk_ids: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        """The vectors of these chunks by chunk id; those that were never embedded are missing."""
        found: dict[str, npt.NDArray[np.float32]] = {}
        statement = (
            select(s.chunks.c.chunk_id, s.vectors.c.vector)
            .join(s.vectors, s.vectors.c.text_hash == s.chunks.c.text_hash)
            .where(s.vectors.c.embedder_id == embedder_id)
        )
        with self._reading() as connection:
            for some in slices(chunk_ids):
                for chunk_id, blob in connection.execute(statement.where(s.chunks.c.chunk_id.in_(some))):
                    found[chunk_id] = np.frombuffer(blob, dtype=np.float16).astype(np.float32)
        return found
