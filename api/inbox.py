"""Uploads on disk: streamed into a hidden file, compared, and put in their place in one step. Knows no route.

body -> .upload-… (hidden: no ingestion sees it) -> the same content? -> nothing to do
                                                 -> a new name ......... linked there, never over another file
                                                 -> another content .... refused, or replaced if the person says so
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio.to_thread

from api.errors import BodyTooLarge
from assistant.errors import StoreUnavailable, Text, UploadExists, UploadRefused

DRAFT = ".upload-"
STALE_SECONDS = 24 * 3600.0
"""A draft this old belongs to an upload that no longer runs."""
_BLOCK_BYTES = 1 << 20

Outcome = Literal["new", "replaced", "same"]


@dataclass(frozen=True)
class Draft:
    """A whole body on disk, not yet in its place. `outcome` is what putting it there would be."""

    file: Path
    target: Path
    size_bytes: int
    sha256: str
    outcome: Outcome


async def receive(body: AsyncIterator[bytes], target: Path, *, limit_bytes: int, may_replace: bool) -> Draft:
    """The body as a draft beside `target`. On any error nothing is left.

    Raises BodyTooLarge, UploadRefused for an empty one, UploadExists, StoreUnavailable.
    """
    file, draft = target.with_name(DRAFT + uuid.uuid4().hex), None
    try:
        size_bytes, sha256 = await _write(body, file, limit_bytes=limit_bytes)
        outcome = await anyio.to_thread.run_sync(_outcome, target, sha256)
        if outcome == "replaced" and not may_replace:
            raise _exists(target.name)
        draft = Draft(file, target, size_bytes, sha256, outcome)
    except OSError as error:
        raise _disk_fails() from error
    finally:  # also when the client leaves
        if draft is None:
            discard(file)
    return draft


def put_in_place(draft: Draft) -> None:
    """Makes the draft the file of its name. Raises UploadExists when another one came first, StoreUnavailable."""
    try:
        if draft.outcome == "replaced":
            draft.file.replace(draft.target)
        elif draft.outcome == "new":
            os.link(draft.file, draft.target)
    except FileExistsError as error:
        raise _exists(draft.target.name) from error
    except OSError as error:
        raise _disk_fails() from error
    finally:
        discard(draft.file)


def discard(file: Path) -> None:
    """Takes a draft's file away, if it is there."""
    file.unlink(missing_ok=True)


def take_away(file: Path) -> None:
    """Deletes an upload; one that is gone by now is no error. Raises StoreUnavailable."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise _disk_fails() from error


async def _write(body: AsyncIterator[bytes], draft: Path, *, limit_bytes: int) -> tuple[int, str]:
    await anyio.to_thread.run_sync(_prepare, draft.parent)
    digest, size_bytes = hashlib.sha256(), 0
    async with await anyio.open_file(draft, "xb") as file:
        async for block in body:
            size_bytes += len(block)
            if size_bytes > limit_bytes:
                raise too_large(limit_bytes)
            digest.update(block)
            await file.write(block)
        await file.flush()
        await anyio.to_thread.run_sync(os.fsync, file.wrapped.fileno())
    if not size_bytes:
        raise UploadRefused(
            Text(ja="ファイルが空です。", en="The file is empty."),
            Text(ja="中身を確かめて、もう一度送ってください。", en="Check its content and send it again."),
        )
    return size_bytes, digest.hexdigest()


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    oldest = time.time() - STALE_SECONDS
    for draft in folder.glob(DRAFT + "*"):
        if draft.stat().st_mtime < oldest:
            discard(draft)


def _outcome(target: Path, sha256: str) -> Outcome:
    if not target.is_file():
        return "new"
    digest = hashlib.sha256()
    with target.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return "same" if digest.hexdigest() == sha256 else "replaced"


def too_large(limit_bytes: int) -> BodyTooLarge:
    """The error of a file above the limit."""
    return BodyTooLarge(
        Text(
            ja=f"ファイルが {limit_bytes:,} バイトを超えています。", en=f"The file has more than {limit_bytes:,} bytes."
        ),
        Text(
            ja="分けて送るか、管理者に相談してください(ASSISTANT_FILE_LIMIT_BYTES)。",
            en="Send it in parts, or ask the administrator (ASSISTANT_FILE_LIMIT_BYTES).",
        ),
    )


def _exists(name: str) -> UploadExists:
    return UploadExists(
        Text(ja=f"{name} はすでにあり、内容が違います。", en=f"{name} is there already, with another content."),
        Text(
            ja="新しい版として置き換えるか、別の名前で送ってください。",
            en="Replace it by a new version, or send it under another name.",
        ),
    )


def _disk_fails() -> StoreUnavailable:
    return StoreUnavailable(
        Text(ja="受け取り用のフォルダーに書き込めません。", en="The inbox cannot be written."),
        Text(
            ja="管理者に知らせてください(ASSISTANT_UPLOADS__FOLDER の権限とディスクの空き)。",
            en="Tell the administrator (permissions of ASSISTANT_UPLOADS__FOLDER, free disk space).",
        ),
    )
