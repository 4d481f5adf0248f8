"""The documents as people look through them: kinds of files, what is asked for, one entry of the list. Frozen values only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, get_args

from assistant.domain import Document

Kind = Literal["pdf", "word", "sheet", "slides", "text", "web", "mail", "picture", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OTHER: Kind = "other"
ENDINGS: dict[Kind, tuple[str, ...]] = {
    "pdf": (".pdf",),
    "word": (".docx", ".docm", ".doc", ".rtf", ".odt"),
    "sheet": (".xlsx", ".xlsm", ".xlsb", ".xls", ".csv", ".tsv", ".ods"),
    "slides": (".pptx", ".pptm", ".ppt", ".odp"),
    "text": (".txt", ".md", ".markdown", ".epub", ".json", ".jsonl"),
    "web": (".html", ".htm", ".xhtml"),
    "mail": (".eml", ".msg"),
    "picture": (".png", ".jpg", ".jpeg", ".tif", ".tiff"),
}
"""What people call a file by the ending of its name; `other` is everything else."""


def kind_of(path: str) -> Kind:
    """The kind of the file by its name's ending."""
    ending = PurePosixPath(path).suffix.lower()
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), OTHER)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for. `folder` is the beginning of a path, `changed_since` ISO 8601 in UTC; None: all."""

    query: str | None = None
    folder: str | None = None
    status: str | None = None
    kind: Kind | None = None
    changed_since: str | None = None
    newest_first: bool = False


@dataclass(frozen=True)
class Listed:
    """A document with the time it came, the time since which it says what it says, and who answers for it (or None)."""

    document: Document
    added_at: str
    changed_at: str
    owner: str | None


@dataclass(frozen=True)
class FolderOfLibrary:
    """A folder by the beginning of its paths (`人事/`; '' for files beside the folders), and its number of documents."""

    folder: str
    path: str
    documents: int


@dataclass(frozen=True)
class BroughtDocument:
    """What the ledger has of an uploaded file. `detail` says why in Japanese and English, where it is not searchable."""

    document_id: str
    path: str
    status: str
    reason: str | None
    detail: str | None
    size_bytes: int
    modified_ns: int
