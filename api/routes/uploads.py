"""/uploads: files that people bring, and take back. They go into the inbox, each person's into a place of their own, and are
ingested like all others: the same guard, the same receipts, the rules of ingest.toml for that folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from starlette.requests import ClientDisconnect

from api import examples, links
from api.deps import caller
from api.edge import Edge, edge_of, request_id_of
from api.errors import BadRequest
from api.inbox import DRAFT, Draft, discard, put_in_place, receive, take_away, too_large
from assistant.audit import Act, AuditEntry
from assistant.domain import Job, JobState, Principal
from assistant.errors import AccessDenied, NotFound, Text
from assistant.library import BroughtDocument
from assistant.uploads import place_of, safe_name
from assistant.wire_library import InboxJobOut, UploadedOut, UploadOut, UploadsOut
from assistant.wire_words import PlainLine

router = APIRouter(tags=["documents"])

LISTED = 200
"""Uploads that are listed, the newest ones; a person's inbox is no archive."""


def uploader(request: Request) -> Principal:
    """The caller, if they may bring files: people by their groups, keys by the scope ingest. Raises AccessDenied."""
    principal = caller(request)
    groups = edge_of(request).settings.uploads.groups.split()
    if "ingest" not in principal.scopes and (
        "documents" not in principal.scopes or principal.groups.isdisjoint(groups)
    ):
        raise AccessDenied(
            Text(ja="ファイルを追加する権限がありません。", en="You may not bring files."),
            Text(
                ja="管理者にグループへの追加を頼んでください(ASSISTANT_UPLOADS__GROUPS)。",
                en="Ask the administrator for a group that may (ASSISTANT_UPLOADS__GROUPS).",
            ),
        )
    return principal


def remover(request: Request) -> Principal:
    """The caller, if they may take files back: whoever may bring some, and administrators. Raises AccessDenied."""
    principal = caller(request)
    return principal if "admin" in principal.scopes else uploader(request)


Uploader = Annotated[Principal, Depends(uploader)]
Remover = Annotated[Principal, Depends(remover)]


@router.post(
    "/uploads",
    operation_id="upload",
    summary="Bring a file",
    status_code=202,
    responses={
        202: {"content": examples.content("UPLOADED"), "links": links.UPLOADED},
        **examples.problems(400, 401, 403, 404, 409, 413, 422, 503),
    },
    openapi_extra={"requestBody": {"required": True, "content": examples.UPLOAD}},
)
async def upload(
    request: Request,
    principal: Uploader,
    *,
    name: Annotated[PlainLine, Query(description="Name of the file, with its ending.")],
    replace: Annotated[bool, Query(description="Whether another content becomes a new version of that file.")] = False,
) -> UploadedOut:
    """The body is the file. It is read by the next ingestion, which is asked for at once; `GET /uploads` says how it went."""
    edge = edge_of(request)
    inbox = _inbox(edge)
    target = inbox / place_of(principal.name) / safe_name(name)
    limit_bytes = edge.settings.file_limit_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise too_large(limit_bytes)
    draft = await receive(_whole(request), target, limit_bytes=limit_bytes, may_replace=replace)
    call = partial(_take_in, edge, inbox, draft, principal=principal, request_id=request_id_of(request))
    return await anyio.to_thread.run_sync(call)


@router.get(
    "/uploads",
    operation_id="list_uploads",
    summary="The caller's uploads and what became of them",
    responses={200: {"content": examples.content("UPLOADS")}, **examples.problems(401, 403, 404, 503)},
)
async def list_uploads(request: Request, principal: Uploader) -> UploadsOut:
    """The newest first. 403 for those who may not upload, 404 where no inbox is set up."""
    edge = edge_of(request)
    return await anyio.to_thread.run_sync(partial(_uploads, edge, _inbox(edge), principal=principal))


@router.delete(
    "/uploads/{place}/{name}",
    operation_id="take_back_upload",
    summary="Take an upload back",
    status_code=204,
    response_class=Response,
    responses=examples.problems(401, 403, 404, 503),
)
async def take_back_upload(
    request: Request,
    principal: Remover,
    *,
    place: Annotated[PlainLine, InPath(description="The first part of the upload's `path`.", examples=["aiko"])],
    name: Annotated[PlainLine, InPath(description="Its second part, the file's name.", examples=["出張規程.docx"])],
) -> None:
    """The file is deleted and no answer uses it from now on. One's own uploads; those of others only with the scope admin,
    else they do not exist. A copy of the same content elsewhere stays."""
    edge = edge_of(request)
    inbox = _inbox(edge)
    if place != place_of(principal.name) and "admin" not in principal.scopes:
        raise _no_upload()
    call = partial(_take_back, edge, inbox, place, name, principal=principal, request_id=request_id_of(request))
    await anyio.to_thread.run_sync(call)


def _inbox(edge: Edge) -> Path:
    """The inbox. Raises NotFound where none is set up."""
    folder = edge.settings.uploads.folder
    if folder is None:
        raise NotFound(
            Text(ja="ファイルの受け取りは設定されていません。", en="No inbox is set up here."),
            Text(
                ja="管理者が ASSISTANT_UPLOADS__FOLDER を設定すると使えます。",
                en="An administrator sets ASSISTANT_UPLOADS__FOLDER.",
            ),
        )
    return folder.resolve()


async def _whole(request: Request) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises BadRequest when the sender leaves before its end."""
    try:
        async for block in request.stream():
            yield block
    except ClientDisconnect as error:
        raise BadRequest(
            Text(ja="送信が途中で切れました。", en="The upload broke off."),
            Text(ja="もう一度送ってください。", en="Send it again."),
        ) from error


def _take_in(edge: Edge, inbox: Path, draft: Draft, *, principal: Principal, request_id: str) -> UploadedOut:
    """Writes who brings what, puts the file in its place, and asks for the ingestion. Raises StoreUnavailable, UploadExists."""
    ledger = edge.assistant.ledger
    path = f"{draft.target.parent.name}/{draft.target.name}"
    details = {"bytes": draft.size_bytes, "sha256": draft.sha256, "outcome": draft.outcome}
    entry = AuditEntry(
        Act.UPLOADED, principal.name, principal.via, subject=path, request_id=request_id, details=details
    )
    is_audited = False
    try:
        ledger.record(entry)
        is_audited = True
    finally:
        if not is_audited:
            discard(draft.file)
    put_in_place(draft)
    job = ledger.wanted_job("run", folder=str(inbox), requested_by=principal.name)
    brought = ledger.brought_documents(inbox, draft.target.parent.name)
    return UploadedOut(
        upload=_upload(edge, draft.target, brought.get(path), principal=principal),
        outcome=draft.outcome,
        sha256=draft.sha256,
        job_id=job.job_id,
    )


def _take_back(edge: Edge, inbox: Path, place: str, name: str, *, principal: Principal, request_id: str) -> None:
    """Writes who takes what back, takes the file away, and the document out of every answer; asks for an ingestion, which
    clears the indexes. Raises NotFound, StoreUnavailable."""
    ledger = edge.assistant.ledger
    path = f"{place}/{name}"
    # The names of what is there, and no path made of what was sent: nothing outside the inbox can be meant.
    if path not in {f"{place}/{file.name}" for file in _files_of(inbox, place)}:
        raise _no_upload()
    document = ledger.brought_documents(inbox, place).get(path)
    details = {} if document is None else {"document_id": document.document_id}
    ledger.record(
        AuditEntry(
            Act.UPLOAD_TAKEN_BACK, principal.name, principal.via, subject=path, request_id=request_id, details=details
        )
    )
    take_away(inbox / place / name)
    if document is not None:
        ledger.delete_documents([document.document_id])
    ledger.wanted_job("run", folder=str(inbox), requested_by=principal.name)


def _no_upload() -> NotFound:
    return NotFound(
        Text(ja="そのファイルは届いていません。", en="There is no such upload."),
        Text(ja="GET /uploads の path で指定してください。", en="Name it by its path in GET /uploads."),
    )


def _files_of(inbox: Path, place: str) -> list[Path]:
    """The whole files in somebody's place."""
    try:
        folder = next(folder for folder in inbox.iterdir() if folder.name == place and not folder.is_symlink())
        return [file for file in folder.iterdir() if file.is_file() and not file.name.startswith(DRAFT)]
    except (OSError, StopIteration):  # nobody of that name has brought anything yet
        return []


def _uploads(edge: Edge, inbox: Path, *, principal: Principal) -> UploadsOut:
    ledger = edge.assistant.ledger
    place = place_of(principal.name)
    brought = ledger.brought_documents(inbox, place)
    files = _files_of(inbox, place)
    files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    under_way = {JobState.QUEUED, JobState.RUNNING}
    jobs = [job for job in ledger.list_jobs() if job.state in under_way and job.folder == str(inbox)]
    return UploadsOut(
        uploads=[
            _upload(edge, file, brought.get(f"{place}/{file.name}"), principal=principal) for file in files[:LISTED]
        ],
        limit_bytes=edge.settings.file_limit_bytes,
        job=_job(jobs[-1]) if jobs else None,
    )


def _job(job: Job) -> InboxJobOut:
    total = job.counts.get("total", 0)
    share = min(job.counts.get("done", 0) / total, 1.0) if total else None
    return InboxJobOut(state="queued" if job.state is JobState.QUEUED else "running", share=share)


def _upload(edge: Edge, file: Path, document: BroughtDocument | None, *, principal: Principal) -> UploadOut:
    """The file with what the ledger has of it, if that is of this very content."""
    stat = file.stat()
    if document is not None and (document.size_bytes, document.modified_ns) != (stat.st_size, stat.st_mtime_ns):
        document = None
    readable = frozenset[str]()
    if document is not None:
        readable = edge.assistant.ledger.readable_among([document.document_id], principal=principal)
    return UploadOut(
        name=file.name,
        path=f"{file.parent.name}/{file.name}",
        size_bytes=stat.st_size,
        uploaded_at=datetime.fromtimestamp(stat.st_mtime, tz=UTC).isoformat(timespec="seconds"),
        state="waiting" if document is None else document.status,  # type: ignore[arg-type]
        reason=None if document is None else document.reason,
        detail=None if document is None else document.detail,
        document_id=document.document_id if document is not None and document.document_id in readable else None,
    )
