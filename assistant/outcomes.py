"""What ingestion left behind, as administrators see it. Frozen values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OutcomeFile:
    """One file; `detail` says in Japanese and English, a line each, what is wrong and what to do."""

    document_id: str
    folder: str
    path: str
    detail: str | None
    attempts: int


@dataclass(frozen=True)
class Troubled:
    """Files with one reason or warning: how many there are, and those that may be named."""

    code: str
    count: int
    files: tuple[OutcomeFile, ...]


@dataclass(frozen=True)
class ScannedPage:
    """A page whose letters were recognised; `confidence` is the recogniser's own, 0 to 100."""

    document_id: str
    path: str
    page: int
    confidence: float


@dataclass(frozen=True)
class Outcomes:
    """Failures and warnings, the most frequent first; recognised pages by tenths of confidence, and the worst of them."""

    failures: tuple[Troubled, ...]
    warnings: tuple[Troubled, ...]
    pages_by_tenth: tuple[int, ...]
    worst_pages: tuple[ScannedPage, ...]
