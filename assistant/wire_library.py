"""Pydantic shapes of the documents as a library, of uploads, and of a planned ingestion."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from assistant import library
from assistant.wire import DocumentOut, JobOut


class LibraryShape(BaseModel):
    """Base of these shapes."""

    model_config = ConfigDict(extra="forbid")


class FolderOfLibraryOut(LibraryShape):
    """A folder that holds something the caller may read: `path` is what `GET /documents?folder=` takes, '' the files
    beside all folders; `documents` counts what the caller may read."""

    folder: str
    path: str
    documents: int


class FoldersOfLibraryOut(LibraryShape):
    """Folders by name."""

    folders: list[FolderOfLibraryOut]


class UploadOut(LibraryShape):
    """One file that the caller brought. `state`: `waiting` for ingestion, or the document's status in the ledger.

    `document_id` is null while there is none, and where the folder's rules do not let the uploader read it.
    """

    name: str
    path: str
    size_bytes: int
    uploaded_at: str
    state: Literal["waiting", "pending", "indexed", "warn", "failed", "skipped"]
    reason: str | None
    detail: str | None
    document_id: str | None


def upload_address(path: str) -> str:
    """Where an upload is named by its `path`: the parts of /uploads/{place}/{name}, each escaped."""
    place, _, name = path.partition("/")
    return f"/uploads/{quote(place, safe='')}/{quote(name, safe='')}"


class UploadedOut(LibraryShape):
    """What became of an upload: a `new` file, a new version of one that was there (`replaced`), or the `same` content
    as before, which changes nothing. `job_id` is the ingestion that will read it."""

    upload: UploadOut
    outcome: Literal["new", "replaced", "same"]
    sha256: str
    job_id: str


class InboxJobOut(LibraryShape):
    """The ingestion of the inbox under way. `share` is how much of it is done, 0 to 1; other people's files are in it, so
    neither they nor their number is told."""

    state: Literal["queued", "running"]
    share: float | None


class UploadsOut(LibraryShape):
    """The caller's files in the inbox, the newest first, the largest file taken, and the ingestion under way, if any."""

    uploads: list[UploadOut]
    limit_bytes: int
    job: InboxJobOut | None


class PlannedFileOut(LibraryShape):
    """One file of a plan; `note` is where it moved from, the rule that leaves it out, or why it cannot be opened."""

    path: str
    bytes: int | None = None
    note: str | None = None


class PlanOut(LibraryShape):
    """What a run would do. `files` names the first of each kind, of those that the caller may see; `counts` has all.

    `seconds` is null while this deployment knows no pace of its own; else it is from `runs` earlier runs.
    """

    counts: dict[str, int]
    files: dict[str, list[PlannedFileOut]]
    read_files: int
    read_bytes: int
    seconds: float | None
    runs: int


class JobDetailOut(JobOut):
    """A job with what it found, where it only looked (`plan`)."""

    result: PlanOut | None = None


def listed_out(listed: library.Listed) -> DocumentOut:
    """The document as sent to clients, with its kind, its times and who answers for it."""
    more = {
        "kind": library.kind_of(listed.document.path),
        "added": listed.added_at,
        "changed": listed.changed_at,
        "owner": listed.owner,
    }
    return DocumentOut.from_domain(listed.document).model_copy(update=more)
