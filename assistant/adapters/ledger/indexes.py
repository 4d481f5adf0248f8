"""What the derived indexes are built from: the chunks of each generation, and their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, insert, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.transaction import Transactional, plain_rows, slices
from assistant.generation import GenerationState


@dataclass(frozen=True)
class LiveChunk:
    """A chunk that answers may come from, as the indexes need it."""

    chunk_id: str
    title: str
    embedding_text: str
    text_hash: str


class Indexes(Transactional):
    """Reads for building indexes; writes vectors.

    `is_beside` asks for what the generation beside the active one must hold: where it has no version of its own, it has
    the live one.
    """

    def live_chunks(self, chunk_ids: Sequence[str] | None = None, *, is_beside: bool = False) -> Iterator[LiveChunk]:
        """Chunks of the versions that answers come from, all of them or those named, ordered by id."""
        statement = (
            select(s.chunks.c.chunk_id, s.versions.c.title, s.chunks.c.embedding_text, s.chunks.c.text_hash)
            .join(s.versions, s.versions.c.version_id == s.chunks.c.version_id)
            .join(s.documents, s.answers_with(is_beside=is_beside))
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

    def live_chunk_ids(self, *, is_beside: bool = False) -> set[str]:
        """Ids of all chunks that answers may come from."""
        statement = (
            select(s.chunks.c.chunk_id)
            .join(s.documents, s.version_in(is_beside=is_beside) == s.chunks.c.version_id)
            .where(s.documents.c.deleted_at == "")
        )
        with self._reading() as connection:
            return {chunk_id for (chunk_id,) in plain_rows(connection, statement)}

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

    def refused_chunks(self, embedder_id: str, *, is_beside: bool = False) -> dict[str, str]:
        """Paths of their documents by the ids of chunks that the embedder refuses: words alone find these. One short
        query where there are none."""
        statement = (
            select(s.chunks.c.chunk_id, s.documents.c.path)
            .join(s.documents, s.version_in(is_beside=is_beside) == s.chunks.c.version_id)
            .where(s.documents.c.deleted_at == "")
        )
        found: dict[str, str] = {}
        with self._reading() as connection:
            refused = connection.execute(
                select(s.refusals.c.text_hash).where(s.refusals.c.embedder_id == embedder_id)
            ).scalars()
            for some in slices(list(refused)):
                rows = connection.execute(statement.where(s.chunks.c.text_hash.in_(some)))
                found |= {row.chunk_id: row.path for row in rows}
        return found

    def save_refusal(self, embedder_id: str, text_hash: str) -> None:
        """The embedder makes no vector of the text; idempotent."""
        is_it = (s.refusals.c.embedder_id == embedder_id) & (s.refusals.c.text_hash == text_hash)
        with self._writing() as connection:
            connection.execute(delete(s.refusals).where(is_it))
            connection.execute(insert(s.refusals).values(embedder_id=embedder_id, text_hash=text_hash))

    def forget_unused_vectors(self) -> int:
        """Forgets what was made by embedders that no generation uses any more; how many vectors. Looks at every key of the
        vectors, so only where a generation was given up."""
        used = select(s.generations.c.embedder_id).where(
            s.generations.c.state.not_in([GenerationState.RETIRED.value, GenerationState.GONE.value])
        )
        with self._writing() as connection:
            connection.execute(delete(s.refusals).where(s.refusals.c.embedder_id.not_in(used)))
            return connection.execute(delete(s.vectors).where(s.vectors.c.embedder_id.not_in(used))).rowcount

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
                    connection.execute(
                        delete(s.refusals).where(
                            s.refusals.c.embedder_id == embedder_id, s.refusals.c.text_hash.in_(some)
                        )
                    )
