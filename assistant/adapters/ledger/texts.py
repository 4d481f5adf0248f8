"""What the index of vectors must hold: each text that answers may come from once, whatever number of chunks has it.

A graph of vectors such as Chroma's loses its way among a thousand equal ones (docs/decisions/0033), so it is told of texts, by
their hash, and the ledger says which chunks have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, or_, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.indexes import LiveChunk
from assistant.adapters.ledger.transaction import Transactional, plain_rows, slices


class Texts(Transactional):
    """Reads for the index of vectors; `is_beside` as in indexes.py."""

    def live_texts(self, *, is_beside: bool = False) -> set[str]:
        """Hashes of all texts that answers may come from."""
        statement = (
            select(s.chunks.c.text_hash)
            .distinct()
            .join(s.documents, s.version_in(is_beside=is_beside) == s.chunks.c.version_id)
            .where(s.documents.c.deleted_at == "")
        )
        with self._reading() as connection:
            return {text_hash for (text_hash,) in plain_rows(connection, statement)}

    def chunks_with(self, text_hashes: Sequence[str], *, is_beside: bool = False) -> list[LiveChunk]:
        """One chunk that answers may come from for each of these texts."""
        statement = (
            select(s.chunks.c.chunk_id, s.versions.c.title, s.chunks.c.embedding_text, s.chunks.c.text_hash)
            .join(s.versions, s.versions.c.version_id == s.chunks.c.version_id)
            .join(s.documents, s.answers_with(is_beside=is_beside))
            .where(s.documents.c.deleted_at == "")
        )
        found: dict[str, LiveChunk] = {}
        for some in slices(text_hashes):
            with self._reading() as connection:
                rows = connection.execute(statement.where(s.chunks.c.text_hash.in_(some))).all()
            found |= {row.text_hash: LiveChunk(*row) for row in rows}
        return list(found.values())

    def refused_texts(self, embedder_id: str) -> set[str]:
        """Hashes of the texts that the embedder refuses."""
        with self._reading() as connection:
            statement = select(s.refusals.c.text_hash).where(s.refusals.c.embedder_id == embedder_id)
            return set(connection.execute(statement).scalars())

    def forgotten_texts(self, *, is_beside: bool = False) -> list[str]:
        """Hashes of texts of retired versions that the generation has in no other version, one being staged included."""
        kept = s.chunks.alias()
        keeps = (
            select(kept.c.chunk_id)
            .join(s.versions, s.versions.c.version_id == kept.c.version_id)
            .join(s.documents, s.documents.c.document_id == s.versions.c.document_id)
            .where(
                kept.c.text_hash == s.chunks.c.text_hash,
                or_(
                    s.versions.c.state == "staged",
                    and_(s.version_in(is_beside=is_beside) == kept.c.version_id, s.documents.c.deleted_at == ""),
                ),
            )
        )
        retired = s.versions.alias()
        statement = (
            select(s.chunks.c.text_hash)
            .distinct()
            .join(retired, retired.c.version_id == s.chunks.c.version_id)
            .where(retired.c.state == "retired", ~keeps.exists())
        )
        with self._reading() as connection:
            return list(connection.execute(statement).scalars())
