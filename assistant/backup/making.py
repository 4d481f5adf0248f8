"""Makes a backup while the deployment runs: nobody waits for it, and it is the ledger of one moment.

    lock -> room on the disk? -> the ledger's copy, checked -> archive -> renamed -> an entry of the audit -> old ones go

Killed anywhere, it leaves a folder beside the archives that the next one clears away, and no archive that is not whole.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.engine import known_revisions
from assistant.audit import Act, AuditEntry
from assistant.backup.archive import LEDGER, Entry, Manifest, Writer, write_archive
from assistant.errors import BackupError, Text

PREFIX, SUFFIX = "company-assistant-", ".zip"
DRAFTS = ".company-assistant-draft-"
SETTINGS, ORIGINALS = "settings.env", "originals.csv"
ROOM_TIMES = 2
"""Beside the archives lies the ledger's copy while it is packed, and a pack of vectors is hardly smaller than they are."""


@dataclass(frozen=True)
class Contents:
    """What goes in beside the ledger: files by the name they get, and the settings as lines without secrets."""

    files: tuple[tuple[str, Path], ...]
    settings: tuple[str, ...]
    data_folder: Path
    ledger_bytes: int = 0


@dataclass(frozen=True)
class Made:
    """A backup that is whole. `removed` are older ones that gave way."""

    path: Path
    size_bytes: int
    sha256: str
    documents: int
    chunks: int
    removed: tuple[str, ...] = ()


def files_of(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """Every file below the folder, under `name`."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def target_of(place: Path, at: datetime) -> tuple[Path, bool]:
    """The archive's path, and whether `place` is a folder of archives. Raises BackupError for a file that is there."""
    if place.suffix != SUFFIX or place.is_dir():
        return place / f"{PREFIX}{at:%Y%m%dT%H%M%SZ}{SUFFIX}", True
    if place.exists():
        raise BackupError(
            Text(ja=f"{place} はもうあります。", en=f"{place} is there already."),
            Text(
                ja="別の名前か、フォルダーを指定してください(名前は付けます)。",
                en="Give another name, or a folder (it gets a name of its own).",
            ),
        )
    return place, False


def back_up(ledger: Ledger, contents: Contents, place: Path, *, keep: int, by: str) -> Made:
    """Makes one archive. In a folder, the `keep` newest ones stay. Raises BackupError, StoreUnavailable."""
    at = datetime.now(UTC)
    target, is_folder = target_of(place, at)
    with _alone(contents.data_folder), _telling_disk(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_drafts(target.parent)
        expect_room(target.parent, ROOM_TIMES * contents.ledger_bytes)
        with tempfile.TemporaryDirectory(prefix=DRAFTS, dir=target.parent) as draft:
            made = _write(ledger, contents, target, Path(draft), at=at.isoformat(timespec="milliseconds"))
        removed = _give_way(target, keep) if is_folder else ()
    details = {"made_at": at.isoformat(timespec="milliseconds"), "sha256": made.sha256, "bytes": made.size_bytes}
    counts = {"documents": made.documents, "chunks": made.chunks, "removed": len(removed)}
    ledger.record(AuditEntry(Act.BACKED_UP, by, subject=str(target), details=details | counts))
    return Made(target, made.size_bytes, made.sha256, made.documents, made.chunks, removed)


def _write(ledger: Ledger, contents: Contents, target: Path, draft: Path, *, at: str) -> Made:
    file = draft / LEDGER
    ledger.copy_to(file)
    copy = Ledger.open(f"sqlite:///{file}")  # what is said of it is what is in it
    try:
        counts, originals, generation = copy.counts_of_truth(), copy.originals(), copy.active_generation()
    finally:
        copy.close()
    embedder_id = "" if generation is None else generation.embedder_id

    def fill(writer: Writer) -> None:
        writer.add_file(LEDGER, file)
        writer.add(ORIGINALS, io.BytesIO(_csv(originals)))
        writer.add(SETTINGS, io.BytesIO("\n".join([*contents.settings, ""]).encode()))
        for name, path in contents.files:
            writer.add_file(name, path)

    def describe(entries: tuple[Entry, ...]) -> Manifest:
        return Manifest(at, known_revisions()[0], counts["documents"], counts["chunks"], embedder_id, entries)

    digest = write_archive(target, fill, describe)
    return Made(target, target.stat().st_size, digest, counts["documents"], counts["chunks"])


def _csv(originals: Sequence[tuple[str, str, str, int]]) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["folder", "path", "sha256", "bytes"])
    rows.writerows(originals)
    return out.getvalue().encode("utf-8", "surrogateescape")


@contextmanager
def _alone(data_folder: Path) -> Iterator[None]:
    """One backup of a deployment at a time; the lock is freed by the system when its holder dies."""
    with (data_folder / "backup.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError(
                Text(ja="別のバックアップが実行中です。", en="Another backup is being made."),
                Text(ja="終わってからもう一度。", en="Try again when it has ended."),
                permanent=False,
            ) from error
        yield


@contextmanager
def _telling_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_room(folder) from error
        raise BackupError(
            Text(
                ja=f"{error.filename or folder} を読み書きできません({error.strerror})。",
                en=f"{error.filename or folder} cannot be read or written ({error.strerror}).",
            ),
            Text(
                ja="場所と権限を確かめてください。書きかけは残していません。",
                en="Check the place and its permissions. Nothing half written was left.",
            ),
        ) from error


def no_room(folder: Path) -> BackupError:
    """The disk is full."""
    return BackupError(
        Text(ja=f"{folder} に空きが足りません。", en=f"There is not enough room in {folder}."),
        Text(
            ja="場所を空けるか、別のディスクを指定してください。書きかけは残していません。",
            en="Free some, or name another disk. Nothing half written was left.",
        ),
    )


def expect_room(folder: Path, wanted_bytes: int) -> None:
    """Raises BackupError when the disk has less."""
    if shutil.disk_usage(folder).free < wanted_bytes:
        raise no_room(folder)


def _clear_drafts(folder: Path) -> None:
    """What a killed backup has left. We hold the lock: nobody of this deployment is at work on one."""
    for left in folder.glob(f"{DRAFTS}*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in folder.glob(f".{PREFIX}*{SUFFIX}.*.part"):
        left.unlink(missing_ok=True)


def _give_way(target: Path, keep: int) -> tuple[str, ...]:
    """Deletes the oldest archives of the folder beyond `keep`; never the one just made."""
    archives = sorted(target.parent.glob(f"{PREFIX}*{SUFFIX}"), key=lambda path: path.name, reverse=True)
    removed = [path for path in archives[keep:] if path != target]
    for path in removed:
        path.unlink()
    return tuple(path.name for path in removed)
