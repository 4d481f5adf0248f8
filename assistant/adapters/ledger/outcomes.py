"""What ingestion left behind, for administrators: failures by reason, warnings, how well scans were recognised.

Everything is counted; named are only documents that the one who looks may read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import readable
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Principal
from assistant.outcomes import OutcomeFile, Outcomes, ScannedPage, Troubled

NAMED = 50
"""Files that are named for each reason, and pages that were recognised worst; all are counted."""
BY_PAGE = "ocr_confidence_by_page"


class Outcome(Transactional):
    """Reads over all living documents."""

    def outcomes(self, *, principal: Principal) -> Outcomes:
        """Failures and warnings, the most frequent first, and the confidence of every recognised page."""
        d, v = s.documents.c, s.versions.c
        is_readable = d.document_id.in_(readable(principal)).label("is_readable")
        troubled = (
            select(d.document_id, d.folder, d.path, d.status, d.reason, d.reason_detail, d.attempts)
            .add_columns(v.receipt, v.proof, is_readable)
            .outerjoin(s.versions, v.version_id == d.version_id)
            .where(d.deleted_at == "", (d.reason.is_not(None)) | (d.status == "warn"))
            .order_by(d.folder, d.path)
        )
        scanned = (
            select(d.document_id, d.path, v.receipt, is_readable)
            .join(s.versions, v.version_id == d.version_id)
            .where(d.deleted_at == "", v.receipt["ocr_confidence"].as_float().is_not(None))
        )
        with self._reading() as connection:
            rows = connection.execute(troubled).all()
            scans = connection.execute(scanned).all()
        counts: Counter[tuple[str, bool]] = Counter()
        files: dict[tuple[str, bool], list[OutcomeFile]] = {}
        for row in rows:
            for code in _codes(row):
                key = (code, row.reason is not None)
                counts[key] += 1
                named = files.setdefault(key, [])
                if row.is_readable and len(named) < NAMED:
                    named.append(OutcomeFile(row.document_id, row.folder, row.path, row.reason_detail, row.attempts))
        return Outcomes(
            failures=_troubled(counts, files, is_failure=True),
            warnings=_troubled(counts, files, is_failure=False),
            **_pages(scans),
        )


def _codes(row: Row[Any]) -> list[str]:
    """The reason of a file that is not searchable; of another one its warnings."""
    if row.reason is not None:
        return [row.reason]
    return [*(row.receipt or {}).get("warnings", ()), *(row.proof or {}).get("warnings", ())]


def _troubled(
    counts: Counter[tuple[str, bool]], files: dict[tuple[str, bool], list[OutcomeFile]], *, is_failure: bool
) -> tuple[Troubled, ...]:
    return tuple(
        Troubled(code, count, tuple(files[code, failed]))
        for (code, failed), count in counts.most_common()
        if failed is is_failure
    )


def _pages(scans: Sequence[Row[Any]]) -> dict[str, Any]:
    """Pages by tenths of confidence (the last one with 100), and the worst that may be read."""
    tenths = [0] * 10
    worst: list[ScannedPage] = []
    for row in scans:
        for one in row.receipt.get(BY_PAGE) or ():
            tenths[min(int(one["confidence"] // 10), 9)] += 1
            if row.is_readable:
                worst.append(ScannedPage(row.document_id, row.path, one["page"], one["confidence"]))
    worst.sort(key=lambda page: (page.confidence, page.path, page.page))
    return {"pages_by_tenth": tuple(tenths), "worst_pages": tuple(worst[:NAMED])}
