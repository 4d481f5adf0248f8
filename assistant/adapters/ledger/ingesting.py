"""What ingesting writes: documents, attempts, versions, and the one write that makes a version true.

version: staged -> live -> retired -> purged. A staged version is invisible; `activate_versions` makes it live and
retires its predecessor in one transaction; a retired one is purged once the derived indexes have forgotten it. What the
generation beside the active one has of a document (`standby`, generations.py) goes with the content it was made of.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.reach import renew_reach
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.domain import EVERYONE, Chunk, DocumentStatus, ParsedDocument, SourceFile
from assistant.errors import FailureReason


def version_id_of(document_id: str, sha256: str, pipeline_id: str) -> str:
    """The same content of the same document through the same pipeline is the same version."""
    digest = hashlib.sha256("\n".join((document_id, sha256, pipeline_id)).encode()).hexdigest()
    return "v_" + digest[:32]


def chunk_id_of(version_id: str, ordinal: int) -> str:
    """Id of a chunk in every index."""
    return f"{version_id}:{ordinal:05d}"


def text_hash_of(embedding_text: str) -> str:
    """Key of a vector together with its embedder."""
    return hashlib.sha256(embedding_text.encode()).hexdigest()


class Ingesting(Transactional):
    """State changes of documents; each is one transaction and one event row."""

    def begin_attempt(
        self, document_id: str | None, source: SourceFile, *, sha256: str, groups: Sequence[str] = (EVERYONE,)
    ) -> tuple[str, int]:
        """(document_id, attempts so far with this content), counted before parsing so that a killer file is noticed.

        `document_id` None makes a new document that `groups` may read, from its first moment on.
        """
        at = now()
        with self._writing() as connection:
            if document_id is None:
                document_id = "d_" + uuid.uuid4().hex
                connection.execute(
                    insert(s.documents).values(
                        document_id=document_id,
                        folder=source.folder,
                        path=source.path,
                        title=Path(source.path).stem,
                        status=DocumentStatus.PENDING.value,
                        attempts=1,
                        size_bytes=source.size_bytes,
                        modified_ns=source.modified_ns,
                        sha256=sha256,
                        created_at=at,
                        updated_at=at,
                    )
                )
                for group in sorted(set(groups)):
                    connection.execute(insert(s.document_groups).values(document_id=document_id, group_name=group))
                _event(connection, document_id, DocumentStatus.PENDING)
                return document_id, 1
            row = connection.execute(
                select(s.documents.c.sha256, s.documents.c.attempts).where(s.documents.c.document_id == document_id)
            ).one()
            attempts = row.attempts + 1 if row.sha256 == sha256 else 1
            connection.execute(
                update(s.documents)
                .where(s.documents.c.document_id == document_id)
                .values(
                    attempts=attempts,
                    sha256=sha256,
                    size_bytes=source.size_bytes,
                    modified_ns=source.modified_ns,
                    status=DocumentStatus.PENDING.value,
                    updated_at=at,
                )
            )
            _event(connection, document_id, DocumentStatus.PENDING)
        return document_id, attempts

    def record_failure(
        self, document_id: str, *, reason: FailureReason, detail: str, status: DocumentStatus, is_counted: bool = True
    ) -> None:
        """Sets status and reason. With a final status the former version is retired: its source no longer says it.

        `is_counted` False forgets the attempts: it was not the file's fault.
        """
        with self._writing() as connection:
            values: dict[str, Any] = {
                "status": status.value,
                "reason": reason.value,
                "reason_detail": detail,
                "updated_at": now(),
            }
            if not is_counted:
                values["attempts"] = 0
            if status is not DocumentStatus.PENDING:
                renew_reach(connection)
                _retire_versions(connection, [document_id])
                values |= {"version_id": None, "other_version_id": None}
            connection.execute(update(s.documents).where(s.documents.c.document_id == document_id).values(**values))
            _event(connection, document_id, status, reason=reason)

    def forget_attempts(self, document_ids: Sequence[str]) -> None:
        """The last attempts told nothing about these files: a store or the parser could not be used at all."""
        if not document_ids:
            return
        with self._writing() as connection:
            for some in slices(document_ids):
                connection.execute(update(s.documents).where(s.documents.c.document_id.in_(some)).values(attempts=0))

    def move_documents(self, moves: Sequence[tuple[str, SourceFile]]) -> None:
        """(document_id, new place) each: identity, versions and vectors stay. Exchanged names are no conflict."""
        if not moves:
            return
        away = (
            update(s.documents).where(s.documents.c.document_id == bindparam("of")).values(path=bindparam("new_path"))
        )
        there = away.values(
            folder=bindparam("new_folder"),
            size_bytes=bindparam("new_size"),
            modified_ns=bindparam("new_time"),
            updated_at=now(),
        )
        with self._writing() as connection:
            renew_reach(connection)  # filters name folders
            connection.execute(away, [{"of": of, "new_path": f"\N{SYMBOL FOR NULL}moving/{of}"} for of, _ in moves])
            connection.execute(
                there,
                [
                    {
                        "of": of,
                        "new_path": file.path,
                        "new_folder": file.folder,
                        "new_size": file.size_bytes,
                        "new_time": file.modified_ns,
                    }
                    for of, file in moves
                ],
            )

    def touch_documents(self, touched: Sequence[tuple[str, SourceFile]]) -> None:
        """(document_id, file) each: the same content with a new modification time."""
        if not touched:
            return
        statement = (
            update(s.documents)
            .where(s.documents.c.document_id == bindparam("of"))
            .values(size_bytes=bindparam("new_size"), modified_ns=bindparam("new_time"))
        )
        with self._writing() as connection:
            connection.execute(
                statement,
                [{"of": of, "new_size": file.size_bytes, "new_time": file.modified_ns} for of, file in touched],
            )

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        """The documents are gone from every answer at once; their index entries are purged afterwards."""
        at = now()
        deleted = DocumentStatus.DELETED.value
        with self._writing() as connection:
            renew_reach(connection)
            for some in slices(document_ids):
                _retire_versions(connection, some)
                connection.execute(
                    update(s.documents)
                    .where(s.documents.c.document_id.in_(some))
                    .values(status=deleted, version_id=None, other_version_id=None, deleted_at=at, updated_at=at)
                )
                events = [{"document_id": document_id, "at": at, "status": deleted} for document_id in some]
                connection.execute(insert(s.document_events), events)

    def stage_version(
        self,
        document_id: str,
        *,
        version_id: str,
        sha256: str,
        pipeline_id: str,
        language: str,
        parsed: ParsedDocument,
        chunks: Sequence[Chunk],
        receipt: Mapping[str, Any],
    ) -> None:
        """Writes a version with its text and chunks, not yet live; replaces what an interrupted run left of it."""
        with self._writing() as connection:
            _erase_versions(connection, [version_id])
            connection.execute(
                insert(s.versions).values(
                    version_id=version_id,
                    document_id=document_id,
                    sha256=sha256,
                    pipeline_id=pipeline_id,
                    state="staged",
                    title=parsed.title,
                    parser=parsed.parser,
                    media_type=parsed.media_type,
                    pages=parsed.pages,
                    language=language,
                    chunk_count=len(chunks),
                    receipt=dict(receipt),
                    text=parsed.text,
                    created_at=now(),
                )
            )
            connection.execute(
                insert(s.chunks),
                [
                    {
                        "chunk_id": chunk_id_of(version_id, chunk.ordinal),
                        "version_id": version_id,
                        "ordinal": chunk.ordinal,
                        "text": chunk.text,
                        "start": chunk.start,
                        "end": chunk.end,
                        "page": chunk.page,
                        "heading_path": list(chunk.heading_path),
                        "embedding_text": chunk.embedding_text,
                        "text_hash": text_hash_of(chunk.embedding_text),
                    }
                    for chunk in chunks
                ],
            )
            # Parsing survived: only parsing is counted, so that an interrupted run never sets good files aside.
            connection.execute(update(s.documents).where(s.documents.c.document_id == document_id).values(attempts=0))

    def activate_versions(self, versions: Iterable[tuple[str, str, DocumentStatus]]) -> None:
        """(document_id, version_id, status) each: the version is live, its predecessor retired, in one transaction."""
        with self._writing() as connection:
            renew_reach(connection)
            for document_id, version_id, status in versions:
                _retire_versions(connection, [document_id])
                connection.execute(update(s.versions).where(s.versions.c.version_id == version_id).values(state="live"))
                title = select(s.versions.c.title).where(s.versions.c.version_id == version_id).scalar_subquery()
                connection.execute(
                    update(s.documents)
                    .where(s.documents.c.document_id == document_id)
                    .values(
                        version_id=version_id,
                        other_version_id=None,
                        title=title,
                        status=status.value,
                        reason=None,
                        reason_detail=None,
                        updated_at=now(),
                    )
                )
                _event(connection, document_id, status, version_id=version_id)

    def retire_staged(self) -> int:
        """Gives up versions that an interrupted run had staged; how many. They are staged anew by the next run."""
        with self._writing() as connection:
            return connection.execute(
                update(s.versions).where(s.versions.c.state == "staged").values(state="retired")
            ).rowcount

    def retired_chunks(self) -> dict[str, list[str]]:
        """Chunk ids of retired versions, by version id, which the indexes must forget."""
        statement = (
            select(s.versions.c.version_id, s.chunks.c.chunk_id)
            .outerjoin(s.chunks, s.chunks.c.version_id == s.versions.c.version_id)
            .where(s.versions.c.state == "retired")
        )
        by_version: dict[str, list[str]] = {}
        with self._reading() as connection:
            for version_id, chunk_id in connection.execute(statement):
                by_version.setdefault(version_id, [])
                if chunk_id is not None:
                    by_version[version_id].append(chunk_id)
        return by_version

    def purge_versions(self, version_ids: Sequence[str]) -> None:
        """Forgets the text of versions that the indexes have forgotten; their rows stay as history."""
        if not version_ids:
            return
        with self._writing() as connection:
            for some in slices(version_ids):
                connection.execute(delete(s.chunks).where(s.chunks.c.version_id.in_(some)))
                connection.execute(
                    update(s.versions)
                    .where(s.versions.c.version_id.in_(some), s.versions.c.state == "retired")
                    .values(state="purged", text="", proof=None)
                )

    def counts_of_truth(self) -> dict[str, int]:
        """Living documents, live versions and live chunks, as `ingest status` compares them with the indexes."""
        live = select(s.documents.c.version_id).where(
            s.documents.c.deleted_at == "", s.documents.c.version_id.is_not(None)
        )
        with self._reading() as connection:
            return {
                "documents": connection.execute(
                    select(func.count()).select_from(s.documents).where(s.documents.c.deleted_at == "")
                ).scalar_one(),
                "searchable": connection.execute(select(func.count()).select_from(live.subquery())).scalar_one(),
                "chunks": connection.execute(
                    select(func.count()).select_from(s.chunks).where(s.chunks.c.version_id.in_(live))
                ).scalar_one(),
            }


def _retire_versions(connection: Connection, document_ids: Sequence[str]) -> None:
    connection.execute(
        update(s.versions)
        .where(s.versions.c.document_id.in_(document_ids), s.versions.c.state.in_(["live", "standby"]))
        .values(state="retired")
    )


def _erase_versions(connection: Connection, version_ids: Sequence[str]) -> None:
    connection.execute(delete(s.chunks).where(s.chunks.c.version_id.in_(version_ids)))
    connection.execute(delete(s.versions).where(s.versions.c.version_id.in_(version_ids)))


def _event(
    connection: Connection,
    document_id: str,
    status: DocumentStatus,
    *,
    reason: FailureReason | None = None,
    version_id: str | None = None,
) -> None:
    connection.execute(
        insert(s.document_events).values(
            document_id=document_id,
            at=now(),
            status=status.value,
            reason=reason.value if reason else None,
            version_id=version_id,
        )
    )
