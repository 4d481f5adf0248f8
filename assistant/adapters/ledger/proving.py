"""What proving needs: live versions whose probe questions were not asked yet, and what the questions found.

A version's proof is `{"probes": [...], "warnings": [...], "among": n}` as ingest/prove.py writes it, `n` being the entries
of the full-text index then; it says which documents were found instead by their ids, so that their names are read with
the right to read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, String, cast, func, insert, null, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.domain import DocumentStatus

PAGE = 100
"""Versions read at once; with their sampled chunks about two megabytes."""
DOUBTS = 50
"""Documents with a warning that a run asks for once more: thousands of near copies must not slow each small run."""
_SAMPLED_CHUNKS = 24


@dataclass(frozen=True)
class Provable:
    """A live version and what its probe questions are made of; `texts` are chunks spread over the whole document."""

    document_id: str
    version_id: str
    folder: str
    path: str
    modified_ns: int
    title: str
    groups: frozenset[str]
    warnings: tuple[str, ...]
    chunk_count: int
    texts: tuple[tuple[tuple[str, ...], str], ...]


@dataclass(frozen=True)
class Sampled:
    """A living document of those that stand for all."""

    document_id: str
    version_id: str
    language: str


@dataclass(frozen=True)
class Proof:
    """What is written of one version: the probes as plain values, and the warnings they came to."""

    document_id: str
    version_id: str
    status: DocumentStatus
    content: Mapping[str, Any]


class Proving(Transactional):
    """Reads for probe questions; writes proofs and the status that they give."""

    def unproved(self, *, after: str = "", limit: int = PAGE) -> list[Provable]:
        """Live versions without a proof, ordered by version id, from the one behind `after`."""
        statement = (
            select(
                s.versions.c.version_id,
                s.versions.c.chunk_count,
                s.versions.c.title,
                s.versions.c.receipt,
                s.documents.c.document_id,
                s.documents.c.folder,
                s.documents.c.path,
                s.documents.c.modified_ns,
            )
            .join(s.documents, s.documents.c.version_id == s.versions.c.version_id)
            .where(s.documents.c.deleted_at == "", s.versions.c.proof.is_(null()), s.versions.c.version_id > after)
            .order_by(s.versions.c.version_id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [
                Provable(
                    document_id=row["document_id"],
                    version_id=row["version_id"],
                    folder=row["folder"],
                    path=row["path"],
                    modified_ns=row["modified_ns"],
                    title=row["title"],
                    groups=_groups(connection, row["document_id"]),
                    warnings=tuple(row["receipt"].get("warnings", ())),
                    chunk_count=row["chunk_count"],
                    texts=_texts(connection, row["version_id"], row["chunk_count"]),
                )
                for row in connection.execute(statement).mappings().all()
            ]

    def record_proofs(self, proofs: Iterable[Proof]) -> None:
        """Writes proofs, and the status they give to documents whose version is still the same; one transaction."""
        with self._writing() as connection:
            for proof in proofs:
                connection.execute(
                    update(s.versions)
                    .where(s.versions.c.version_id == proof.version_id)
                    .values(proof=dict(proof.content))
                )
                changed = connection.execute(
                    update(s.documents)
                    .where(
                        s.documents.c.document_id == proof.document_id,
                        s.documents.c.version_id == proof.version_id,
                        s.documents.c.status != proof.status.value,
                        s.documents.c.status.in_([DocumentStatus.INDEXED.value, DocumentStatus.WARN.value]),
                    )
                    .values(status=proof.status.value, updated_at=now())
                ).rowcount
                if changed:
                    connection.execute(
                        insert(s.document_events).values(
                            document_id=proof.document_id,
                            at=now(),
                            status=proof.status.value,
                            version_id=proof.version_id,
                        )
                    )

    def doubt_again(self) -> int:
        """Takes back proofs that came to a warning, `DOUBTS` of them by lot, so that they are asked once more; how many."""
        unsettled = (
            select(s.versions.c.version_id)
            .join(s.documents, s.documents.c.version_id == s.versions.c.version_id)
            .where(
                s.documents.c.deleted_at == "",
                s.documents.c.status == DocumentStatus.WARN.value,
                s.versions.c.proof.is_not(null()),
                cast(s.versions.c.proof, String).not_like('%"warnings": []%'),
            )
            .order_by(func.random())
            .limit(DOUBTS)
        )
        with self._writing() as connection:
            chosen = connection.execute(unsettled).scalars().all()
            return connection.execute(
                update(s.versions).where(s.versions.c.version_id.in_(chosen)).values(proof=None)
            ).rowcount

    def doubt_refused(self, version_ids: Iterable[str]) -> None:
        """Takes back the proofs that speak of a refused text, and those of these versions: another embedder answers now."""
        others = select(s.documents.c.version_id).where(
            s.documents.c.status == DocumentStatus.WARN.value, s.documents.c.version_id.is_not(None)
        )
        speaks_of_one = cast(s.versions.c.proof, String).like('%"embedding_refused"%')
        with self._writing() as connection:
            connection.execute(
                update(s.versions).where(s.versions.c.version_id.in_(others), speaks_of_one).values(proof=None)
            )
            for some in slices(list(version_ids)):
                connection.execute(update(s.versions).where(s.versions.c.version_id.in_(some)).values(proof=None))

    def sample(self, *, each: int, is_beside: bool = False) -> list[Sampled]:
        """Living documents that stand for all, at most `each` of every language: chosen by path and content, so that they are
        the same ones wherever the same documents are; with `is_beside` the versions of the generation beside the active one."""
        statement = (
            select(
                s.documents.c.document_id,
                s.version_in(is_beside=is_beside).label("version_id"),
                s.documents.c.folder,
                s.documents.c.path,
                s.versions.c.language,
                s.versions.c.sha256,
            )
            .join(s.versions, s.versions.c.version_id == s.documents.c.version_id)
            .where(s.documents.c.deleted_at == "")
        )
        by_language: dict[str, list[tuple[bytes, str, Sampled]]] = {}
        with self._reading() as connection:
            for row in connection.execute(statement):
                lot = hashlib.sha256(f"{row.path}\n{row.sha256}".encode()).digest()
                one = Sampled(row.document_id, row.version_id, row.language)
                by_language.setdefault(row.language, []).append((lot, row.folder, one))
        return [one for lots in by_language.values() for *_, one in sorted(lots, key=itemgetter(0, 1))[:each]]

    def doubt_early(self, document_ids: Iterable[str], *, entries: int) -> int:
        """Takes back the proofs of these documents that were made when the index had another number of entries; how many."""
        with self._writing() as connection:
            early = [
                row.version_id
                for some in slices(list(document_ids))
                for row in connection.execute(
                    select(s.versions.c.version_id, s.versions.c.proof)
                    .join(s.documents, s.documents.c.version_id == s.versions.c.version_id)
                    .where(s.documents.c.document_id.in_(some), s.versions.c.proof.is_not(null()))
                )
                if row.proof.get("among") != entries
            ]
            for some in slices(early):
                connection.execute(update(s.versions).where(s.versions.c.version_id.in_(some)).values(proof=None))
        return len(early)

    def asked_probes(
        self, document_ids: Container[str] | None = None, *, is_beside: bool = False
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """(version id, probe) of every probe question of the living documents, or of those named; with `is_beside` the id of
        the version that the generation beside the active one has of the same document."""
        statement = (
            select(s.documents.c.document_id, s.version_in(is_beside=is_beside), s.versions.c.proof)
            .join(s.documents, s.documents.c.version_id == s.versions.c.version_id)
            .where(s.documents.c.deleted_at == "", s.versions.c.proof.is_not(null()))
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        for document_id, version_id, proof in rows:
            if document_ids is None or document_id in document_ids:
                for probe in proof["probes"]:
                    yield version_id, probe

    def probes_by_document(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(document id, path, probe) of every probe question of the living documents, found again or not."""
        statement = (
            select(s.documents.c.document_id, s.documents.c.path, s.versions.c.proof)
            .join(s.versions, s.versions.c.version_id == s.documents.c.version_id)
            .where(s.documents.c.deleted_at == "", s.versions.c.proof.is_not(null()))
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        for document_id, path, proof in rows:
            for probe in proof["probes"]:
                yield document_id, path, probe

    def searchable_paths(self) -> dict[str, frozenset[str]]:
        """Ids of the searchable documents by path; folders may have the same paths."""
        statement = select(s.documents.c.path, s.documents.c.document_id).where(
            s.documents.c.deleted_at == "", s.documents.c.version_id.is_not(None)
        )
        by_path: dict[str, set[str]] = {}
        with self._reading() as connection:
            for path, document_id in connection.execute(statement):
                by_path.setdefault(path, set()).add(document_id)
        return {path: frozenset(ids) for path, ids in by_path.items()}

    def every_group(self) -> frozenset[str]:
        """All groups that may read any document: who holds them sees what the indexes hold."""
        with self._reading() as connection:
            return frozenset(connection.execute(select(s.document_groups.c.group_name).distinct()).scalars())

    def save_fitness(self, generation_id: str, fitness: Mapping[str, Any]) -> None:
        """Writes what the vectors alone found: `{language: {"found", "probes"}, "chunks"}`; and the `means` of languages.py."""
        with self._writing() as connection:
            connection.execute(
                update(s.generations)
                .where(s.generations.c.generation_id == generation_id)
                .values(fitness=dict(fitness))
            )

    def fitness(self, generation_id: str) -> dict[str, Any] | None:
        """What was measured of the generation; None before that."""
        with self._reading() as connection:
            found = connection.execute(
                select(s.generations.c.fitness).where(s.generations.c.generation_id == generation_id)
            ).scalar()
        return dict(found) if found is not None else None


def _groups(connection: Connection, document_id: str) -> frozenset[str]:
    rows = connection.execute(
        select(s.document_groups.c.group_name).where(s.document_groups.c.document_id == document_id)
    ).scalars()
    return frozenset(rows)


def _texts(connection: Connection, version_id: str, chunk_count: int) -> tuple[tuple[tuple[str, ...], str], ...]:
    """(headings, text) of chunks spread evenly over the version, in reading order."""
    sampled = min(chunk_count, _SAMPLED_CHUNKS)
    ordinals = [number * chunk_count // sampled for number in range(sampled)]
    rows = connection.execute(
        select(s.chunks.c.heading_path, s.chunks.c.text)
        .where(s.chunks.c.version_id == version_id, s.chunks.c.ordinal.in_(ordinals))
        .order_by(s.chunks.c.ordinal)
    )
    return tuple((tuple(headings), text) for headings, text in rows)
