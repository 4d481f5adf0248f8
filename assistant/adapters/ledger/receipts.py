"""Receipts: what ingestion did with each source file, and whether it was found again afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import readable
from assistant.adapters.ledger.documents import Documents
from assistant.domain import Principal

_PATHS_LIMIT = 500


class Receipts(Documents):
    """Reads of receipts; one document's checks the right to read, all of them are for administrators."""

    def receipt(self, document_id: str, *, principal: Principal) -> dict[str, Any]:
        """What ingestion did with the document. Raises NotFound.

        Of the documents that its probe questions found instead, those that the principal may not read are left out.
        """
        self.get_document(document_id, principal=principal)
        with self._reading() as connection:
            row = connection.execute(_receipts().where(s.documents.c.document_id == document_id)).one()
        return _receipt_of(row, self._paths([row], principal=principal))

    def receipts(self, *, folder: str | None = None) -> list[dict[str, Any]]:
        """Receipts of all living documents, or of one folder by its name, ordered by folder and path."""
        statement = _receipts().order_by(s.documents.c.folder, s.documents.c.path)
        if folder is not None:
            statement = statement.where(s.documents.c.folder == folder)
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        paths = self._paths(rows, principal=None)
        return [_receipt_of(row, paths) for row in rows]

    def warned(self) -> list[dict[str, Any]]:
        """Receipts of the searchable documents that somebody should look at, ordered by folder and path."""
        statement = _receipts().where(s.documents.c.status == "warn").order_by(s.documents.c.folder, s.documents.c.path)
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        return [_receipt_of(row, {}) for row in rows]

    def _paths(self, rows: Sequence[Row[Any]], *, principal: Principal | None) -> dict[str, str]:
        """Paths of the documents that were found instead, by id; only of those that the principal may read."""
        wanted = sorted({other for row in rows for probe in _probes(row) for other in probe.get("instead", ())})
        paths: dict[str, str] = {}
        for start in range(0, len(wanted), _PATHS_LIMIT):
            statement = select(s.documents.c.document_id, s.documents.c.path).where(
                s.documents.c.deleted_at == "",
                s.documents.c.document_id.in_(wanted[start : start + _PATHS_LIMIT]),
            )
            if principal is not None:
                statement = statement.where(s.documents.c.document_id.in_(readable(principal)))
            with self._reading() as connection:
                paths.update({row.document_id: row.path for row in connection.execute(statement)})
        return paths


def _receipts() -> Select[Any]:
    return (
        select(
            s.documents.c.document_id,
            s.documents.c.folder,
            s.documents.c.path,
            s.documents.c.status,
            s.documents.c.reason,
            s.documents.c.reason_detail,
            s.documents.c.attempts,
            s.documents.c.sha256,
            s.documents.c.version_id,
            s.versions.c.receipt,
            s.versions.c.proof,
        )
        .outerjoin(s.versions, s.versions.c.version_id == s.documents.c.version_id)
        .where(s.documents.c.deleted_at == "")
    )


def _probes(row: Row[Any]) -> list[dict[str, Any]]:
    return list(row.proof["probes"]) if row.proof else []


def _receipt_of(row: Row[Any], paths: Mapping[str, str]) -> dict[str, Any]:
    receipt = dict(row.receipt or {})
    warnings = [*receipt.pop("warnings", ()), *(row.proof or {}).get("warnings", ())]
    if receipt and row.proof is None:
        warnings.append("not_asked_yet")
    probes = [
        {**probe, "instead": [paths[other] for other in probe.get("instead", ()) if other in paths]}
        for probe in _probes(row)
    ]
    return {
        "document_id": row.document_id,
        "folder": row.folder,
        "path": row.path,
        "status": row.status,
        "reason": row.reason or next(iter(warnings), None),
        "detail": row.reason_detail,
        "attempts": row.attempts,
        "sha256": row.sha256,
        "version_id": row.version_id,
        **receipt,
        "warnings": warnings,
        "probes": probes,
    }
