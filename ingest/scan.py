"""What lies in a folder: source files to ingest, and what is left out by which rule. Reads names only, no content.

Links are never followed: a file reached through a link inside the folder is found at its own place, and one outside
must not be reached at all. Must not know the ledger.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from assistant.domain import SourceFile
from assistant.errors import FolderMissing, Text

_BLOCK_BYTES = 1024 * 1024
_SYSTEM_NAMES = frozenset(
    {
        ".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db",
        "__macosx", "$recycle.bin", "system volume information",
    }
)  # fmt: skip
_UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".download")
_BY_PATH = attrgetter("path")


@dataclass(frozen=True)
class ScanResult:
    """Files sorted by path, (path, rule) of everything left out, and files that somebody may still be writing."""

    files: list[SourceFile]
    skipped: list[tuple[str, str]]
    settling: list[SourceFile] = field(default_factory=list)


def scan_folder(root: Path, *, folder: str, settle_seconds: float = 0.0) -> ScanResult:
    """Everything under `root`, whose files belong to the folder named `folder`; raises FolderMissing.

    Rules of what is left out: not_utf8, symlink, not_regular, hidden, office_lock, system_file, unfinished, unreadable,
    vanished. Files whose content, time or place changed within `settle_seconds` are settling: a later scan reads them.
    """
    if not root.is_dir():
        raise _missing(root)
    result = ScanResult([], [])
    pending = [(os.fspath(root), "")]
    newest_ns = time.time_ns()
    settle_ns = int(settle_seconds * 1e9)
    while pending:
        place, prefix = pending.pop()
        try:
            with os.scandir(place) as entries:
                listed = list(entries)
        except (FileNotFoundError, NotADirectoryError) as problem:
            if not prefix:
                raise _missing(root) from problem
            result.skipped.append((prefix.rstrip("/"), "vanished"))
            continue
        except OSError as problem:  # no permission, a share that went away, a damaged disk
            if not prefix:
                raise _missing(root) from problem
            result.skipped.append((prefix.rstrip("/"), "unreadable"))
            continue
        for entry in listed:
            path = prefix + entry.name
            rule = _rule(entry)
            if rule is not None:
                result.skipped.append((_printable(path), rule))
            elif entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, f"{path}/"))
            else:
                _take(result, entry, folder, path, newest_ns=newest_ns, settle_ns=settle_ns)
    result.files.sort(key=_BY_PATH)
    result.skipped.sort()
    return result


def sha256_of(path: Path) -> str:
    """Hash of the file's content in hexadecimal, read in blocks; raises OSError as `open` does."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _rule(entry: os.DirEntry[str]) -> str | None:
    """The rule that leaves the entry out, or None."""
    name = entry.name
    if not name.isascii() and not _is_utf8(name):
        return "not_utf8"
    if entry.is_symlink():
        return "symlink"
    name = name.lower()
    if name.startswith("~$"):
        return "office_lock"
    if name in _SYSTEM_NAMES:
        return "system_file"
    if name.startswith("."):
        return "hidden"
    if name.endswith(_UNFINISHED_SUFFIXES) and not entry.is_dir(follow_symlinks=False):
        return "unfinished"
    return None


def _take(
    result: ScanResult, entry: os.DirEntry[str], folder: str, path: str, *, newest_ns: int, settle_ns: int
) -> None:
    """Puts the file where it belongs."""
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError as problem:
        result.skipped.append((path, "vanished" if problem.errno == errno.ENOENT else "unreadable"))
        return
    if not stat.S_ISREG(state.st_mode):
        result.skipped.append((path, "not_regular"))
        return
    file = SourceFile(folder, path, state.st_size, state.st_mtime_ns)
    # A copy that keeps the original's modification time still moves the time of the last change of state. The distance
    # is taken both ways: a file from a clock far ahead is not waited for.
    is_settling = settle_ns > 0 and (
        abs(newest_ns - state.st_mtime_ns) < settle_ns or abs(newest_ns - state.st_ctime_ns) < settle_ns
    )
    (result.settling if is_settling else result.files).append(file)


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _missing(root: Path) -> FolderMissing:
    return FolderMissing(
        Text(f"フォルダー {root} がないか、読めません。", f"The folder {root} does not exist or cannot be read."),
        Text(
            "--folder または ASSISTANT_DOCUMENTS_FOLDER に、読めるフォルダーを指定してください。",
            "Name a readable folder by --folder or ASSISTANT_DOCUMENTS_FOLDER.",
        ),
    )
