"""What the derived indexes are built from: live chunks, their vectors, and the generations."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.domain import Generation


@dataclass(frozen=True)
class LiveChunk:
    """A chunk that answers may come from, as the indexes need it."""

    chunk_id: str
    title: str
    embedding_text: str
    text_hash: str


class Indexes(Transactional):
    """Reads for building indexes; writes vectors and generations."""

    def live_chunks(self, chunk_ids: Sequence[str] | None = None) -> Iterator[LiveChunk]:
        """Chunks of the versions that answers come from, all of them or those named, ordered by id."""
        statement = (
            select(s.chunks.c.chunk_id, s.versions.c.title, s.chunks.c.embedding_text, s.chunks.c.text_hash)
            .join(s.versions, s.versions.c.version_id == s.chunks.c.version_id)
            .join(s.documents, s.documents.c.version_id == s.versions.c.version_id)
            .where(s.documents.c.deleted_at == "")
            .order_by(s.chunks.c.chunk_id)
        )
        named = [None] if chunk_ids is None else list(slices(chunk_ids))
        for some in named:
            query = statement if some is None else statement.where(s.chunks.c.chunk_id.in_(some))
            with self._reading() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                yield LiveChunk(*row)

    def live_chunk_ids(self) -> set[str]:
        """Ids of all chunks that answers may come from."""
        statement = (
            select(s.chunks.c.chunk_id)
            .join(s.documents, s.documents.c.version_id == s.chunks.c.version_id)
            .where(s.documents.c.deleted_at == "")
        )
        with self._reading() as connection:
            return set(connection.execute(statement).scalars())

    def read_vectors(self, embedder_id: str, text_hashes: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
        """Stored vectors by text hash; those never embedded are missing."""
        found: dict[str, npt.NDArray[np.float32]] = {}
        for some in slices(list(dict.fromkeys(text_hashes))):
            statement = select(s.vectors.c.text_hash, s.vectors.c.vector).where(
                s.vectors.c.embedder_id == embedder_id, s.vectors.c.text_hash.in_(some)
            )
            with self._reading() as connection:
                for text_hash, blob in connection.execute(statement):
                    found[text_hash] = np.frombuffer(blob, dtype=np.float16).astype(np.float32)
        return found

    def save_vectors(self, embedder_id: str, vectors: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Stores vectors by text hash in half precision (measured loss of rank: none); known ones are left alone."""
        with self._writing() as connection:
            for some in slices(list(vectors)):
                known = set(
                    connection.execute(
                        select(s.vectors.c.text_hash).where(
                            s.vectors.c.embedder_id == embedder_id, s.vectors.c.text_hash.in_(some)
                        )
                    ).scalars()
                )
                rows = [
                    {
                        "embedder_id": embedder_id,
                        "text_hash": text_hash,
                        "vector": vectors[text_hash].astype(np.float16).tobytes(),
                    }
                    for text_hash in some
                    if text_hash not in known
                ]
                if rows:
                    connection.execute(insert(s.vectors), rows)

    def create_generation(self, *, embedder_id: str, dimension: int) -> Generation:
        """A generation that is being built; its index has a name never used before."""
        generation_id = "g_" + uuid.uuid4().hex
        slug = re.sub(r"[^a-z0-9]+", "-", embedder_id.lower()).strip("-")[:40].strip("-")
        index_name = f"chunks-{slug}-{generation_id[-8:]}"
        with self._writing() as connection:
            connection.execute(
                insert(s.generations).values(
                    generation_id=generation_id,
                    embedder_id=embedder_id,
                    dimension=dimension,
                    index_name=index_name,
                    state="building",
                    created_at=now(),
                )
            )
        return Generation(generation_id, embedder_id, dimension, index_name, is_active=False)

    def switch_generation(self, generation_id: str) -> list[str]:
        """Answers come from this generation from now on; returns the index names that are no longer used."""
        with self._writing() as connection:
            connection.execute(
                update(s.generations)
                .where(s.generations.c.generation_id != generation_id, s.generations.c.state != "retired")
                .values(state="retired")
            )
            connection.execute(
                update(s.generations).where(s.generations.c.generation_id == generation_id).values(state="active")
            )
            return list(
                connection.execute(
                    select(s.generations.c.index_name).where(s.generations.c.state == "retired")
                ).scalars()
            )
