"""A look into the zip directory of an office file before anything is unpacked.

Declared sizes can lie; the memory limit of the parser process is the second wall. Must not know office formats.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from pathlib import PurePosixPath

from ingest.parsers import refusals

_MEMBER_LIMIT = 20_000
_ENTRY_LIMIT_SHARE = 0.5  # of the whole: one sheet or picture may be at most half of it
_RATIO_LIMIT = 200  # real office XML packs 5 to 50 times, an attack 1000 times
_RATIO_MATTERS_BYTES = 10 * 1024 * 1024
_ENCRYPTED_FLAG = 0x1
_CONTENT_TYPES = "[Content_Types].xml"
_PLAIN_WORD_TYPE = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_OTHER_WORD_TYPE = re.compile(
    rb"application/vnd\.ms-word\.(?:document|template)\.macroEnabled(?:Template)?\.main\+xml"
    rb"|application/vnd\.openxmlformats-officedocument\.wordprocessingml\.template\.main\+xml"
)


def member_names(data: bytes) -> list[str]:
    """Names in the zip directory; raises `zipfile.BadZipFile` when there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except (struct.error, NotImplementedError, ValueError) as problem:
        raise zipfile.BadZipFile from problem


def check_archive(data: bytes, *, unpacked_limit_bytes: int) -> None:
    """Returns when the zip is fit to unpack; raises ARCHIVE_BOMB or ENCRYPTED otherwise."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
    if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
        raise refusals.encrypted()
    if len(members) > _MEMBER_LIMIT or sum(member.file_size for member in members) > unpacked_limit_bytes:
        raise refusals.archive_bomb()
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise refusals.archive_bomb()
    for member in members:
        if member.file_size > unpacked_limit_bytes * _ENTRY_LIMIT_SHARE or _is_outside(member.filename):
            raise refusals.archive_bomb()
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > _RATIO_MATTERS_BYTES and ratio > _RATIO_LIMIT:
            raise refusals.archive_bomb()


def with_plain_word_type(data: bytes) -> bytes:
    """A Word file with macros or a template as a plain Word file: only what it calls itself differs, nothing is run."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        types = archive.read(_CONTENT_TYPES)
        if not _OTHER_WORD_TYPE.search(types):
            return data
        types = _OTHER_WORD_TYPE.sub(_PLAIN_WORD_TYPE, types)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as plain:
            for member in archive.infolist():
                body = types if member.filename == _CONTENT_TYPES else archive.read(member)
                plain.writestr(member.filename, body)
    return content.getvalue()


def _is_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts
