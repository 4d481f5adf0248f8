"""What the screens of documents and of administrators ask the API for, one function each. All raise ProblemError."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel

from assistant.wire import DocumentOut, DocumentsOut, JobOut, JobsOut
from assistant.wire_admin import FoldersOut, IngestionOut, UsageOut
from assistant.wire_library import FoldersOfLibraryOut, JobDetailOut, UploadedOut, UploadsOut, upload_address
from assistant.wire_questions import PricesShape, QuestionGroupsOut, UseOut
from ui.client import ApiClient, ProblemError


class Receipt(RootModel[dict[str, Any]]):
    """A receipt as it is: what is in it depends on the kind of file."""


def browse(client: ApiClient, **wanted: str) -> DocumentsOut:
    """One page of the documents that the person may read; empty values are left out."""
    return client.call(
        DocumentsOut, "GET", "/documents", query={name: value for name, value in wanted.items() if value}
    )


def folders_of_library(client: ApiClient) -> FoldersOfLibraryOut:
    """The folders that hold something to read."""
    return client.call(FoldersOfLibraryOut, "GET", "/folders")


def document(client: ApiClient, document_id: str) -> DocumentOut:
    """One document, of status 404 if it is not there or may not be read."""
    return client.call(DocumentOut, "GET", f"/documents/{document_id}")


def receipt(client: ApiClient, document_id: str) -> dict[str, Any]:
    """What ingestion did with the document."""
    return client.call(Receipt, "GET", f"/documents/{document_id}/receipt").root


def uploads(client: ApiClient) -> UploadsOut | None:
    """The person's uploads; None for one who may not upload, and where nobody may."""
    try:
        return client.call(UploadsOut, "GET", "/uploads")
    except ProblemError as error:
        if error.problem.status in {403, 404}:
            return None
        raise


def upload(client: ApiClient, name: str, content: bytes, *, replaces: bool) -> UploadedOut:
    """Brings a file. Of status 409 where another content has the name and `replaces` does not say so."""
    query = {"name": name, "replace": "true" if replaces else "false"}
    return client.call(UploadedOut, "POST", "/uploads", query=query, content=content)


def take_back(client: ApiClient, path: str) -> None:
    """One's own file is gone, and no answer has it any more. `path` as in the list of uploads."""
    client.send("DELETE", upload_address(path))


def folders(client: ApiClient) -> FoldersOut:
    """Every ingested folder with its numbers, for administrators."""
    return client.call(FoldersOut, "GET", "/admin/folders")


def ingestion(client: ApiClient) -> IngestionOut:
    """What ingestion left behind, for administrators."""
    return client.call(IngestionOut, "GET", "/admin/ingestion")


def question_groups(client: ApiClient, *, days: int) -> QuestionGroupsOut:
    """Questions without an answer, put together, for administrators."""
    return client.call(QuestionGroupsOut, "GET", "/admin/questions", query={"days": str(days)})


def assign_questions(client: ApiClient, keys: list[str], owner: str | None) -> None:
    """Somebody answers for these questions now; None: nobody."""
    client.send("PUT", "/admin/questions/owner", body={"keys": keys, "owner": owner})


def usage(client: ApiClient, *, days: int) -> UsageOut:
    """Questions, refusals and ratings by day, for administrators."""
    return client.call(UsageOut, "GET", "/admin/usage", query={"days": str(days)})


def use(client: ApiClient, *, days: int) -> UseOut:
    """Tokens, times, busiest folders and cost, for administrators."""
    return client.call(UseOut, "GET", "/admin/use", query={"days": str(days)})


def keep_prices(client: ApiClient, prices: PricesShape) -> PricesShape:
    """Keeps what cloud, power and hardware cost."""
    return client.call(PricesShape, "PUT", "/admin/prices", body=prices.model_dump())


def jobs(client: ApiClient, *, limit: int = 20) -> JobsOut:
    """The newest jobs."""
    return client.call(JobsOut, "GET", "/jobs", query={"limit": str(limit)})


def job(client: ApiClient, job_id: str) -> JobDetailOut:
    """One job, with what it found."""
    return client.call(JobDetailOut, "GET", f"/jobs/{job_id}")


def ask_for_job(client: ApiClient, kind: str, folder: str) -> JobOut:
    """Asks for an ingestion, a retry or a plan of a folder by its name."""
    return client.call(JobOut, "POST", "/jobs", body={"kind": kind, "folder": folder})
