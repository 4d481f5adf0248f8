"""One document as people see it: its row, its text, its original; counts for status. (Lists: library.py.)"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import RowMapping, Select, func, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import readable
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Document, DocumentStatus, Failure, Principal
from assistant.errors import FailureReason, NotFound, Text
from assistant.excerpt import Excerpt


def document_not_found() -> NotFound:
    """The error for a document that is not there, and for one that may not be read: they look the same."""
    return NotFound(
        Text(ja="その文書は見つかりません。", en="There is no such document."),
        Text(
            ja="番号を確かめるか、文書一覧から選んでください。",
            en="Check the id, or choose from the list of documents.",
        ),
    )


class Documents(Transactional):
    """Reads of documents; every method but the counts checks the right to read."""

    def get_document(self, document_id: str, *, principal: Principal) -> Document:
        """The document. Raises NotFound when it is not there or may not be read."""
        with self._reading() as connection:
            row = (
                connection.execute(documents_for(principal).where(s.documents.c.document_id == document_id))
                .mappings()
                .first()
            )
        if row is None:
            raise document_not_found()
        return document_of(row)

    def document_text(self, document_id: str, *, principal: Principal, start: int, limit: int) -> Excerpt:
        """At most `limit` characters of the text that answers are made from, from the character `start` on.

        Raises NotFound when it is not there, may not be read, or has no text.
        """
        document = self.get_document(document_id, principal=principal)
        v = s.versions.c
        query = select(
            func.substr(v.text, start + 1, limit).label("text"), func.length(v.text).label("characters"), v.title
        ).where(v.version_id == document.version_id)
        with self._reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None or document.version_id is None:
            raise document_not_found()
        return Excerpt(
            document_id=document_id,
            version_id=document.version_id,
            title=row["title"],
            path=document.path,
            text=row["text"],
            start=start,
            characters=row["characters"],
        )

    def document_location(self, document_id: str, *, principal: Principal) -> Path:
        """Absolute path of the original. Raises NotFound also when the file is gone or leads out of its folder."""
        document = self.get_document(document_id, principal=principal)
        with self._reading() as connection:
            root = connection.execute(
                select(s.folders.c.root).where(s.folders.c.folder == document.folder)
            ).scalar_one()
        location = (Path(root) / document.path).resolve()
        if not location.is_relative_to(Path(root).resolve()) or not location.is_file():
            raise document_not_found()
        return location

    def count_by_status(self) -> dict[str, int]:
        """Living documents by status, for `ingest status` and metrics (no titles, no paths)."""
        with self._reading() as connection:
            rows = connection.execute(
                select(s.documents.c.status, func.count())
                .where(s.documents.c.deleted_at == "")
                .group_by(s.documents.c.status)
            ).all()
        return {str(row[0]): int(row[1]) for row in rows}

    def failures(self, *, folder: str | None = None) -> list[Failure]:
        """Files that are not searchable, with the reason, ordered by path."""
        statement = (
            select(s.documents)
            .where(s.documents.c.deleted_at == "", s.documents.c.reason.is_not(None))
            .order_by(s.documents.c.path)
        )
        if folder is not None:
            statement = statement.where(s.documents.c.folder == folder)
        with self._reading() as connection:
            rows = connection.execute(statement).mappings().all()
        return [
            Failure(
                path=row["path"],
                reason=FailureReason(row["reason"]),
                message=row["reason_detail"] or "",
                attempts=row["attempts"],
            )
            for row in rows
        ]


def documents_for(principal: Principal) -> Select[tuple[object, ...]]:
    """Living documents that the principal may read, each with what its version says."""
    return (
        select(
            s.documents,
            s.versions.c.media_type,
            s.versions.c.pages,
            s.versions.c.language,
            func.coalesce(s.versions.c.chunk_count, 0).label("chunk_count"),
        )
        .outerjoin(s.versions, s.versions.c.version_id == s.documents.c.version_id)
        .where(s.documents.c.deleted_at == "", s.documents.c.document_id.in_(readable(principal)))
    )


def document_of(row: RowMapping) -> Document:
    """A row of `documents_for`."""
    return Document(
        document_id=row["document_id"],
        folder=row["folder"],
        path=row["path"],
        title=row["title"],
        status=DocumentStatus(row["status"]),
        reason=FailureReason(row["reason"]) if row["reason"] else None,
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        modified_ns=row["modified_ns"],
        version_id=row["version_id"],
        chunk_count=row["chunk_count"],
        pages=row["pages"],
        language=row["language"],
    )
