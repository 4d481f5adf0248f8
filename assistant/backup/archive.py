"""The archive: a zip with a manifest of lengths and SHA-256 hashes. Written under another name and renamed when it is whole.

A zip, because every administrator can look into one without us. Must not know ledger or settings.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from assistant.errors import BackupError, Text

FORMAT = 1
MANIFEST = "manifest.json"
LEDGER = "ledger.db"
_PIECE_BYTES = 1 << 20
_LEVEL = 1  # texts shrink to a third at the first level already; vectors hardly at any
_OWNER_ONLY = 0o600
_MOST_MANIFEST_BYTES = 8 << 20


@dataclass(frozen=True)
class Entry:
    """One file of an archive."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself. `revision` is the ledger's newest migration, `made_at` ISO 8601 in UTC."""

    made_at: str
    revision: str
    documents: int
    chunks: int
    embedder_id: str
    files: tuple[Entry, ...]
    format: int = FORMAT

    @property
    def ledger(self) -> Entry:
        """The ledger's entry."""
        return next(entry for entry in self.files if entry.name == LEDGER)


class Writer:
    """Adds files to an archive that is being made."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed
        self.entries: list[Entry] = []

    def add(self, name: str, source: IO[bytes]) -> None:
        """Adds all that the source holds, hashed on the way."""
        hashed, size = hashlib.sha256(), 0
        with self._packed.open(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as target:
            for piece in iter(lambda: source.read(_PIECE_BYTES), b""):
                hashed.update(piece)
                size += len(piece)
                target.write(piece)
        self.entries.append(Entry(name, size, hashed.hexdigest()))

    def add_file(self, name: str, path: Path) -> None:
        """Adds a file. Raises OSError."""
        with path.open("rb") as source:
            self.add(name, source)


def write_archive(
    target: Path, fill: Callable[[Writer], None], describe: Callable[[tuple[Entry, ...]], Manifest]
) -> str:
    """Makes the archive at `target`, whole or not at all, readable for its owner alone; its SHA-256. Raises OSError."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
                writer = Writer(packed)
                fill(writer)
                manifest = asdict(describe(tuple(writer.entries)))
                packed.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name, too, is on the disk
    finally:
        os.close(folder)
    return digest


@dataclass(frozen=True)
class Archive:
    """An archive whose manifest was read."""

    path: Path
    manifest: Manifest
    packed: zipfile.ZipFile

    def verify(self) -> None:
        """Reads everything. Raises BackupError that names the first file that is not what the manifest says."""
        for entry in self.manifest.files:
            self._copy(entry, None)

    def extract(self, name: str, target: Path) -> None:
        """Writes one file, checked on the way. Raises BackupError, OSError."""
        entry = next(entry for entry in self.manifest.files if entry.name == name)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            self._copy(entry, file)

    def _copy(self, entry: Entry, target: IO[bytes] | None) -> None:
        hashed, size = hashlib.sha256(), 0
        try:
            with self.packed.open(entry.name) as source:
                for piece in iter(lambda: source.read(_PIECE_BYTES), b""):
                    hashed.update(piece)
                    size += len(piece)
                    if target is not None:
                        target.write(piece)
        except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
            raise _damaged(self.path, entry.name) from error
        if (size, hashed.hexdigest()) != (entry.size_bytes, entry.sha256):
            raise _damaged(self.path, entry.name)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive, its manifest read and understood. Raises BackupError."""
    try:
        packed = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise _unreadable(path) from error
    with packed:
        yield Archive(path, _manifest(path, packed), packed)


def _manifest(path: Path, packed: zipfile.ZipFile) -> Manifest:
    try:
        if packed.getinfo(MANIFEST).file_size > _MOST_MANIFEST_BYTES:
            raise _unreadable(path)
        told: dict[str, Any] = json.loads(packed.read(MANIFEST))
        found = int(told.pop("format"))
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(path) from error
    if found != FORMAT:
        raise BackupError(
            Text(
                ja=f"{path} の形式 {found} を、この版は知りません(知っているのは {FORMAT})。",
                en=f"{path} has the format {found}, which this version does not know (it knows {FORMAT}).",
            ),
            Text(
                ja="それを作った版以降で戻してください。",
                en="Restore it with the version that made it, or a newer one.",
            ),
        )
    try:
        entries = tuple(Entry(**entry) for entry in told.pop("files"))
        manifest = Manifest(files=entries, **told)
    except (KeyError, TypeError) as error:
        raise _unreadable(path) from error
    if LEDGER not in {entry.name for entry in entries} or not all(_is_plain(entry.name) for entry in entries):
        raise _unreadable(path)
    return manifest


def _is_plain(name: str) -> bool:
    """Whether the name stays in the folder that it is put into."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def _unreadable(path: Path) -> BackupError:
    return BackupError(
        Text(ja=f"{path} はバックアップではないか、壊れています。", en=f"{path} is no backup, or is damaged."),
        Text(
            ja="何も変更していません。別のバックアップを指定してください。", en="Nothing was changed. Name another one."
        ),
    )


def _damaged(path: Path, name: str) -> BackupError:
    return BackupError(
        Text(ja=f"{path} の中の {name} が壊れています。", en=f"{name} in {path} is damaged."),
        Text(
            ja="何も変更していません。別のバックアップを指定してください。", en="Nothing was changed. Name another one."
        ),
    )
