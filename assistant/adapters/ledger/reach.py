"""What a principal can reach now: the live versions that it may read, and their chunks' vectors.

A version never changes, so its vectors may be kept; which versions can be reached does change. Every transaction that
changes it writes a new token, and whoever keeps a reach compares tokens before using it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, func, insert, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import narrowed, readable
from assistant.adapters.ledger.transaction import Transactional, plain_rows, slices
from assistant.domain import Filters, Principal
from assistant.ports import VersionVectors
from assistant.reach import Reach, version_of

_REACH = "reach"
_WITH_TEXTS = (
    select(s.chunks.c.text_hash, s.chunks.c.chunk_id)
    .where(s.chunks.c.text_hash.in_(bindparam("texts", expanding=True)))
    .order_by(s.chunks.c.chunk_id)
)
"""Made once: every question asks it, and putting it together took a quarter of its time."""


class Reaching(Transactional):
    """Reads for finding candidates; texts are read by `read_passages` alone."""

    is_beside = False
    """See asking.Asking."""

    def reach_token(self) -> str:
        """Changes whenever anybody's reach may have changed; empty before the first document."""
        with self._reading() as connection:
            return connection.execute(select(s.changes.c.token).where(s.changes.c.name == _REACH)).scalar() or ""

    def read_reach(self, *, principal: Principal, filters: Filters) -> Reach:
        """The live versions that the principal may read within the filters, by id with their number of chunks."""
        statement = narrowed(
            select(s.versions.c.version_id, s.versions.c.chunk_count)
            .join(s.documents, s.version_in(is_beside=self.is_beside) == s.versions.c.version_id)
            .where(s.documents.c.deleted_at == "", s.documents.c.document_id.in_(readable(principal))),
            filters,
        )
        everything = select(func.sum(s.versions.c.chunk_count)).where(s.versions.c.state == "live")
        with self._reading() as connection:
            versions = dict(plain_rows(connection, statement))
            return Reach(versions, sum(versions.values()), int(connection.execute(everything).scalar() or 0))

    def version_vectors(self, embedder_id: str, version_ids: Sequence[str]) -> list[VersionVectors]:
        """Vectors of each version's chunks; of those with the same text the first alone. Chunks that this embedder never
        embedded are missing."""
        found: list[VersionVectors] = []
        for some in slices(version_ids):
            statement = (
                select(s.chunks.c.version_id, s.chunks.c.chunk_id, s.chunks.c.text_hash, s.vectors.c.vector)
                .join(s.vectors, s.vectors.c.text_hash == s.chunks.c.text_hash)
                .where(s.vectors.c.embedder_id == embedder_id, s.chunks.c.version_id.in_(some))
                .order_by(s.chunks.c.version_id, s.chunks.c.chunk_id)
            )
            with self._reading() as connection:
                rows = connection.execute(statement).all()
            for version_id, chunks in groupby(rows, key=lambda row: str(row.version_id)):
                first: dict[str, Any] = {}
                for row in chunks:
                    first.setdefault(row.text_hash, row)
                own = list(first.values())
                halves = np.frombuffer(b"".join(row.vector for row in own), dtype=np.float16)
                vectors = halves.reshape(len(own), -1).astype(np.float32)
                found.append(VersionVectors(version_id, tuple(row.chunk_id for row in own), vectors))
        return found

    def chunks_of_texts(self, text_hashes: Sequence[str]) -> dict[str, list[str]]:
        """Ids of the chunks with each text, of every version the first one alone, whether anybody can reach it or not."""
        found: dict[str, dict[str, str]] = {}
        for some in slices(text_hashes):
            with self._reading() as connection:
                for text_hash, chunk_id in plain_rows(connection, _WITH_TEXTS, {"texts": some}):
                    found.setdefault(text_hash, {}).setdefault(version_of(chunk_id), chunk_id)
        return {text_hash: list(of_version.values()) for text_hash, of_version in found.items()}


def renew_reach(connection: Connection) -> None:
    """Says that somebody's reach changes with this transaction."""
    token = uuid.uuid4().hex
    known = connection.execute(update(s.changes).where(s.changes.c.name == _REACH).values(token=token)).rowcount
    if not known:
        connection.execute(insert(s.changes).values(name=_REACH, token=token))
