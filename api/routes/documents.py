"""GET /documents…: the documents that the caller may read, their originals and receipts.

What may not be read answers exactly like what does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from api import examples, links
from api.deps import Reader, recheck_of
from api.edge import edge_of, request_id_of
from api.errors import RangeNotSatisfiable
from api.ids import looked_up
from api.problems import note_error
from api.rights import GuardedFile, ended, rights_ended
from assistant import domain, library, wire
from assistant.audit import Act, AuditEntry
from assistant.errors import AssistantError, NotFound, Text
from assistant.wire_excerpt import ExcerptOut
from assistant.wire_library import FolderOfLibraryOut, FoldersOfLibraryOut, listed_out
from assistant.wire_words import PlainLine

router = APIRouter(tags=["documents"])

Value = TypeVar("Value")
ONE_RANGE = re.compile(r"bytes=([0-9]{1,18})?-([0-9]{1,18})?")
SHOWN_IN_BROWSER = frozenset({"application/pdf", "text/plain"})
"""Types without active content; everything else is downloaded."""
NEVER_DECLARED = ("html", "xml", "svg", "javascript")
"""Types that a browser could run keep their bytes but lose their name."""
MEDIA_TYPE = re.compile(r"^[a-z0-9.+-]+/[a-z0-9.+-]+$")
UNDECLARED = "application/octet-stream"
CHARSETS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "cp932": "shift_jis",
    "euc_jp": "euc-jp",
    "iso2022_jp": "iso-2022-jp",
    "cp1252": "windows-1252",
}
"""Python's codec as found by ingestion -> the browsers' name for it."""
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "private, no-cache",
}


@router.get(
    "/documents",
    operation_id="list_documents",
    summary="Documents that the caller may read",
    responses={
        200: {"content": examples.content("DOCUMENTS"), "links": links.DOCUMENTS},
        **examples.problems(401, 403, 404, 422, 503),
    },
)
async def list_documents(
    request: Request,
    principal: Reader,
    *,
    query: Annotated[PlainLine | None, Query(description="Words of the title or path.")] = None,
    folder: Annotated[PlainLine | None, Query(description="Beginning of the path.")] = None,
    status: Annotated[domain.DocumentStatus | None, Query(description="State in the ledger.")] = None,
    kind: Annotated[library.Kind | None, Query(description="Kind of the file, by the ending of its name.")] = None,
    changed_since: Annotated[
        date | None, Query(description="New or with another content since that day (UTC).")
    ] = None,
    order: Annotated[Literal["path", "newest"], Query(description="By path, or the latest change first.")] = "path",
    cursor: Annotated[PlainLine | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Documents per page.")] = 50,
) -> wire.DocumentsOut:
    """One page, and the cursor of the next."""
    wanted = library.Wanted(
        query=query or None,
        folder=folder or None,
        status=None if status is None else status.value,
        kind=kind,
        changed_since=None if changed_since is None else changed_since.isoformat(),
        newest_first=order == "newest",
    )
    browse = edge_of(request).assistant.ledger.browse
    call = partial(browse, wanted, principal=principal, cursor=cursor or None, limit=limit)
    listed, following = await anyio.to_thread.run_sync(call)
    return wire.DocumentsOut(documents=[listed_out(one) for one in listed], next=following)


@router.get(
    "/folders",
    operation_id="list_folders_of_library",
    summary="Folders that hold something the caller may read",
    responses={200: {"content": examples.content("FOLDERS_OF_LIBRARY")}, **examples.problems(401, 403, 503)},
)
async def list_folders_of_library(request: Request, principal: Reader) -> FoldersOfLibraryOut:
    """The first level of each ingested folder, with the number of documents that the caller may read."""
    call = partial(edge_of(request).assistant.ledger.folders_of_library, principal=principal)
    found = await anyio.to_thread.run_sync(call)
    return FoldersOfLibraryOut(folders=[FolderOfLibraryOut(**vars(folder)) for folder in found])


@router.get(
    "/documents/{document_id}",
    operation_id="get_document",
    summary="One document",
    responses={
        200: {"content": examples.content("DOCUMENT"), "links": links.DOCUMENT},
        **examples.problems(401, 403, 404, 503),
    },
)
async def get_document(document_id: str, request: Request, principal: Reader) -> wire.DocumentOut:
    """The document as the ledger has it."""
    return listed_out(await _of_document(edge_of(request).assistant.ledger.listed, document_id, principal=principal))


@router.get(
    "/documents/{document_id}/text",
    operation_id="get_document_text",
    summary="The text that answers are made from",
    responses={200: {"content": examples.content("DOCUMENT_TEXT")}, **examples.problems(401, 403, 404, 422, 503)},
)
async def get_document_text(
    document_id: str,
    request: Request,
    principal: Reader,
    *,
    start: Annotated[int, Query(ge=0, le=1_000_000_000, description="First character.")] = 0,
    limit: Annotated[int, Query(ge=1, le=100_000, description="Characters given at most.")] = 20_000,
) -> ExcerptOut:
    """A part of the text, as it was read from the original; citations' `start` and `end` count in it."""
    call = partial(edge_of(request).assistant.ledger.document_text, start=start, limit=limit)
    excerpt = await _of_document(call, document_id, principal=principal)
    await audited(request, document_id, principal=principal)
    return ExcerptOut.from_domain(excerpt)


@router.get(
    "/documents/{document_id}/receipt",
    operation_id="get_receipt",
    summary="What ingestion did with a document",
    responses={200: {"content": examples.content("RECEIPT")}, **examples.problems(401, 403, 404, 503)},
)
async def get_receipt(document_id: str, request: Request, principal: Reader) -> dict[str, Any]:
    """Parser, encoding, counts and, where it failed, the reason."""
    return await _of_document(edge_of(request).assistant.ledger.receipt, document_id, principal=principal)


@router.get(
    "/documents/{document_id}/file",
    operation_id="get_file",
    summary="The original file",
    response_class=FileResponse,
    responses={
        200: {"content": examples.FILE, "description": "The original, byte for byte."},
        206: {"content": examples.FILE, "description": "The bytes of a Range request."},
        304: {"description": "The caller has these bytes (If-None-Match)."},
        **examples.problems(401, 403, 404, 416, 503),
    },
)
async def get_file(document_id: str, request: Request, principal: Reader) -> Response:
    """The bytes as they lie in the folder; PDF and plain text open in the browser, the rest is downloaded."""
    ledger = edge_of(request).assistant.ledger
    document = await _of_document(ledger.get_document, document_id, principal=principal)
    location = await _of_document(ledger.document_location, document_id, principal=principal)
    receipt = await _of_document(ledger.receipt, document_id, principal=principal)
    media_type = _declared_type(document.media_type, encoding=receipt.get("encoding"))
    try:
        stat = await anyio.to_thread.run_sync(location.stat)
    except OSError as error:
        raise NotFound(
            Text(ja="元のファイルがもうありません。", en="The original file is no longer there."),
            Text(
                ja="フォルダーを確かめるか、管理者に聞いてください。",
                en="Look into the folder, or ask the administrator.",
            ),
        ) from error
    response = GuardedFile(
        location,
        ends=partial(_right_ends, request, document_id, granted=principal),
        on_end=partial(note_error, request),
        stat_result=stat,
        media_type=media_type,
        filename=PurePosixPath(document.path).name,
        content_disposition_type="inline" if media_type.split(";")[0] in SHOWN_IN_BROWSER else "attachment",
        headers=FILE_HEADERS,
    )
    if _has_it(request, etag=response.headers["etag"]):
        kept = {name: response.headers[name] for name in ("etag", "last-modified", "cache-control")}
        return Response(status_code=304, headers=kept)
    _check_range(request, response, size_bytes=stat.st_size)
    await audited(request, document_id, principal=principal)
    return response


async def _right_ends(request: Request, document_id: str, *, granted: domain.Principal) -> AssistantError:
    """Returns once the caller may not read the document any more, with the reason."""
    recheck, edge = recheck_of(request), edge_of(request)

    async def may_still_read() -> domain.Principal:
        present = await recheck()
        try:
            await _of_document(edge.assistant.ledger.get_document, document_id, principal=present)
        except NotFound as error:
            raise rights_ended() from error
        return present

    return await ended(may_still_read, granted, every_seconds=edge.settings.door.recheck_seconds)


def _has_it(request: Request, *, etag: str) -> bool:
    """Whether the caller's If-None-Match names these very bytes."""
    wanted = request.headers.get("if-none-match", "")
    return any(one.strip().removeprefix("W/") in {etag, "*"} for one in wanted.split(","))


async def audited(request: Request, document_id: str, *, principal: domain.Principal) -> None:
    """Writes who opens which document before its bytes leave. Raises StoreUnavailable."""
    edge = edge_of(request)
    if edge.opened_lately.has(principal.name, document_id):
        return
    request_id = request_id_of(request)
    entry = AuditEntry(Act.OPENED, principal.name, principal.via, request_id=request_id, documents=(document_id,))
    await anyio.to_thread.run_sync(edge.assistant.ledger.record, entry)
    edge.opened_lately.note(principal.name, document_id)


async def _of_document(call: Callable[..., Value], document_id: str, *, principal: domain.Principal) -> Value:
    """The ledger's answer about a document that the principal may read."""
    return await anyio.to_thread.run_sync(partial(call, looked_up(document_id), principal=principal))


def _check_range(request: Request, response: FileResponse, *, size_bytes: int) -> None:
    """Drops a Range header that is not one plain range, as RFC 9110 allows, or is for other bytes than these (If-Range),
    and refuses one behind the end."""
    wanted = request.headers.get("range")
    if wanted is None:
        return
    match = ONE_RANGE.fullmatch(wanted.strip())
    if request.headers.get("if-range", response.headers["etag"]) not in {
        response.headers["etag"],
        response.headers["last-modified"],
    }:
        match = None
    first, last = (match[1], match[2]) if match is not None else (None, None)
    if (first is None and last is None) or (first is not None and last is not None and int(first) > int(last)):
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0].lower() != b"range"]
        return
    is_behind = int(first) >= size_bytes if first is not None else size_bytes == 0 or int(last or 0) == 0
    if is_behind:
        raise RangeNotSatisfiable(
            Text(ja="その範囲はファイルの終わりより後です。", en="The range lies behind the end of the file."),
            Text(ja=f"ファイルは {size_bytes:,} バイトです。", en=f"The file has {size_bytes:,} bytes."),
            size_bytes=size_bytes,
        )


def _declared_type(known: str | None, *, encoding: str | None) -> str:
    """The type to declare: the ledger's, with the charset that ingestion found, and never one that a browser runs."""
    plain = (known or "").split(";")[0].strip().lower()
    if not MEDIA_TYPE.match(plain) or any(word in plain for word in NEVER_DECLARED):
        return UNDECLARED
    if not plain.startswith("text/"):
        return plain
    charset = CHARSETS.get(encoding or "")
    return UNDECLARED if charset is None else f"{plain}; charset={charset}"
