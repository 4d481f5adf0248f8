"""What lies in a folder: source files to ingest, and what is left out by which rule. Reads names only, no content.

Links are never followed: a file reached through a link inside the folder is found at its own place, and one outside
must not be reached at all. Must not know the ledger.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.domain import SourceFile
from assistant.errors import FolderMissing, Text

_BLOCK_BYTES = 1024 * 1024
_SYSTEM_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db"})
_UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".download")
_SYSTEM_FOLDERS = frozenset({"__macosx", "$recycle.bin", "system volume information"})


@dataclass(frozen=True)
class ScanResult:
    """Files sorted by path, and (path, rule) of everything left out."""

    files: list[SourceFile]
    skipped: list[tuple[str, str]]


def scan_folder(root: Path, *, folder: str) -> ScanResult:
    """Everything under `root`, whose files belong to the folder named `folder`; raises FolderMissing.

    Rules of what is left out: not_utf8, symlink, not_regular, hidden, office_lock, system_file, unfinished, unreadable,
    vanished.
    """
    if not root.is_dir():
        raise _missing(root)
    files: list[SourceFile] = []
    skipped: list[tuple[str, str]] = []
    pending = [(os.fspath(root), "")]
    while pending:
        place, prefix = pending.pop()
        try:
            entries = list(_entries(place))
        except PermissionError as problem:
            if not prefix:
                raise _missing(root) from problem
            skipped.append((prefix.rstrip("/"), "unreadable"))
            continue
        except (FileNotFoundError, NotADirectoryError) as problem:
            if not prefix:
                raise _missing(root) from problem
            skipped.append((prefix.rstrip("/"), "vanished"))
            continue
        for entry in entries:
            path = f"{prefix}{entry.name}"
            rule = _rule(entry)
            if rule is not None:
                skipped.append((_printable(path), rule))
            elif entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, f"{path}/"))
            else:
                found = _source_file(entry, folder, path)
                if isinstance(found, SourceFile):
                    files.append(found)
                else:
                    skipped.append((path, found))
    return ScanResult(sorted(files, key=lambda file: file.path), sorted(skipped))


def sha256_of(path: Path) -> str:
    """Hash of the file's content in hexadecimal, read in blocks; raises OSError as `open` does."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _entries(place: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(place) as entries:
        yield from entries


def _rule(entry: os.DirEntry[str]) -> str | None:
    """The rule that leaves the entry out, or None."""
    name = entry.name.lower()
    if not _is_utf8(entry.name):
        return "not_utf8"
    if entry.is_symlink():
        return "symlink"
    if name.startswith("~$"):
        return "office_lock"
    if name in _SYSTEM_NAMES or name in _SYSTEM_FOLDERS:
        return "system_file"
    if name.startswith("."):
        return "hidden"
    if entry.is_dir(follow_symlinks=False):
        return None
    return "unfinished" if name.endswith(_UNFINISHED_SUFFIXES) else None


def _source_file(entry: os.DirEntry[str], folder: str, path: str) -> SourceFile | str:
    """The file, or the rule that leaves it out."""
    try:
        state = entry.stat(follow_symlinks=False)
    except OSError as problem:
        return "vanished" if problem.errno == errno.ENOENT else "unreadable"
    if not stat.S_ISREG(state.st_mode):
        return "not_regular"
    return SourceFile(folder=folder, path=path, size_bytes=state.st_size, modified_ns=state.st_mtime_ns)


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
