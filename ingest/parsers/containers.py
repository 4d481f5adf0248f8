"""What is inside the two containers of office files: the OLE files of old ones, and the `mimetype` of the zip ones.

Told by their own marks, passwords included, before any converter sees the file. Must not know how a kind is parsed.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

import olefile

from ingest.parsers import refusals

_RECORD_HEAD = struct.Struct("<HH")
_FILE_PASS = 0x002F  # the record of an xls file that says how the rest is locked
_RECORDS_BEFORE_LOCK = 20
_WORD_FLAGS_OFFSET = 0x0B
_WORD_ENCRYPTED = 0x01
_LOCKED_SLIDES = 0xF3D1C4DF
_LONGEST_MIMETYPE_BYTES = 200
_MANIFEST = "META-INF/manifest.xml"
_LONGEST_MANIFEST_BYTES = 4 * 1024 * 1024

_STREAMS: tuple[tuple[str, str], ...] = (
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
    ("DocumentText", "jtd"),
)


def ole_family(data: bytes) -> str:
    """`msg`, `doc`, `xls`, `ppt`, `jtd` or nothing; raises ENCRYPTED or CORRUPT."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            streams = {"/".join(path) for path in container.listdir()}
            family = next((family for stream, family in _STREAMS if stream in streams), "")
            is_locked = bool({"EncryptedPackage", "EncryptionInfo"} & streams) or _is_locked(container, family, streams)
    except (OSError, ValueError, IndexError, TypeError, struct.error) as problem:
        raise refusals.corrupt("Office") from problem
    if is_locked:
        raise refusals.encrypted()
    return "msg" if any(stream.startswith("__properties_version") for stream in streams) else family


def _is_locked(container: olefile.OleFileIO[str], family: str, streams: set[str]) -> bool:
    """Whether an old office file needs a password, by the places that its formats name for it."""
    if family == "doc":
        head = container.openstream("WordDocument").read(_WORD_FLAGS_OFFSET + 1)
        return len(head) > _WORD_FLAGS_OFFSET and bool(head[_WORD_FLAGS_OFFSET] & _WORD_ENCRYPTED)
    if family == "xls":
        book = container.openstream("Workbook" if "Workbook" in streams else "Book").read(65536)
        return _FILE_PASS in _first_records(book)
    if family == "ppt" and "Current User" in streams:
        user = container.openstream("Current User").read(16)
        return len(user) == 16 and struct.unpack_from("<I", user, 12)[0] == _LOCKED_SLIDES
    return False


def _first_records(book: bytes) -> Iterator[int]:
    position = 0
    for _ in range(_RECORDS_BEFORE_LOCK):
        if position + _RECORD_HEAD.size > len(book):
            return
        kind, length = _RECORD_HEAD.unpack_from(book, position)
        yield kind
        position += _RECORD_HEAD.size + length


def declared_type(data: bytes) -> str:
    """The media type that an OpenDocument or EPUB file declares of itself; raises ENCRYPTED or `zipfile.BadZipFile`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            with archive.open("mimetype") as content:
                declared = content.read(_LONGEST_MIMETYPE_BYTES).decode("ascii", "replace").strip()
            if _MANIFEST in archive.namelist() and declared.startswith("application/vnd.oasis"):
                with archive.open(_MANIFEST) as content:
                    if b"encryption-data" in content.read(_LONGEST_MANIFEST_BYTES):
                        raise refusals.encrypted()
    except (KeyError, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as problem:
        raise zipfile.BadZipFile from problem
    return declared
