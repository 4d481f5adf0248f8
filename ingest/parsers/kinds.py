"""What kind of file this is, told by its content; the name only decides between kinds of plain text.

A renamed file is read as what it is. Must not know how any kind is parsed.
"""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath

import olefile

from assistant.errors import Text
from ingest.parsers import refusals
from ingest.parsers.archive import member_names
from ingest.parsers.containers import declared_type, ole_family
from ingest.parsers.encoding import wide_codec


class Kind(StrEnum):
    """A kind of file that a parser exists for; the value is its media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    DOC = "application/msword"
    XLS = "application/vnd.ms-excel"
    XLSB = "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
    PPT = "application/vnd.ms-powerpoint"
    RTF = "application/rtf"
    ODT = "application/vnd.oasis.opendocument.text"
    ODS = "application/vnd.oasis.opendocument.spreadsheet"
    ODP = "application/vnd.oasis.opendocument.presentation"
    EPUB = "application/epub+zip"
    MSG = "application/vnd.ms-outlook"
    EML = "message/rfc822"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    CSV = "text/csv"
    TSV = "text/tab-separated-values"
    JSON = "application/json"
    TEXT = "text/plain"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TIFF = "image/tiff"


_TEXT_KINDS = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".csv": Kind.CSV,
    ".tsv": Kind.TSV,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSON,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".xhtml": Kind.HTML,
    ".eml": Kind.EML,
}
_OFFICE_SUFFIXES = frozenset(
    {".docx", ".docm", ".xlsx", ".xlsm", ".xlsb", ".pptx", ".pptm", ".odt", ".ods", ".odp", ".epub"}
)
_OLE_KINDS = {"msg": Kind.MSG, "doc": Kind.DOC, "xls": Kind.XLS, "ppt": Kind.PPT}
_DECLARED_KINDS = {
    kind.value + ending: kind for kind in (Kind.ODT, Kind.ODS, Kind.ODP) for ending in ("", "-template")
} | {Kind.EPUB.value: Kind.EPUB}
_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"{\\rtf", Kind.RTF),
)
_ARCHIVE_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!", "rar"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"BZh", "bzip2"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"MSCF", "cab"),
    (2, b"-lh", "lzh"),
    (257, b"ustar", "tar"),
)
_OTHER_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"GIF8", "GIF 画像", "GIF picture"),
    (b"BM", "BMP 画像", "BMP picture"),
    (b"SQLite format 3", "SQLite データベース", "SQLite database"),
)
_PICTURE_HINT = Text("PNG・JPEG・TIFF または PDF で保存し直してください。", "Save it as PNG, JPEG, TIFF or PDF.")
_PLAIN_HINT = Text(
    "対応形式: docx、xlsx、pptx、doc、xls、ppt、odt、ods、odp、rtf、pdf、epub、html、md、txt、csv、json、eml、msg、png、jpg、tiff。",
    "Kinds that can be read: docx, xlsx, pptx, doc, xls, ppt, odt, ods, odp, rtf, pdf, epub, html, md, txt, csv, json, eml, "
    "msg, png, jpg, tiff.",
)
_MAIL_HEADER = re.compile(
    rb"^(?:From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|X-[\w-]+):",
    re.IGNORECASE,
)
_HTML_START = re.compile(rb"^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.I | re.S)
_ODD_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # ESC starts the shifts of ISO-2022-JP
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def kind_of(data: bytes, name: str) -> Kind:
    """The kind of the file's content; raises UnsupportedDocument, or UnreadableDocument for locked or broken ones."""
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data.startswith(b"PK\x03\x04"):
        return _kind_of_archive(data, name)
    if data.startswith(olefile.MAGIC):
        return _kind_of_ole(data)
    is_binary = _looks_binary(data)
    for offset, signature, name_of_kind in _ARCHIVE_SIGNATURES:
        if is_binary and data[offset:].startswith(signature):
            raise refusals.archive(name_of_kind)
    for signature, kind_ja, kind_en in _OTHER_SIGNATURES:
        if is_binary and data.startswith(signature):
            raise refusals.unsupported(kind_ja, kind_en, hint=_PICTURE_HINT if "picture" in kind_en else _PLAIN_HINT)
    if is_binary:
        suffix = PurePosixPath(name).suffix.lower() or "?"
        raise refusals.unsupported(suffix, suffix, hint=_PLAIN_HINT)
    return _kind_of_text(data, name)


def _kind_of_archive(data: bytes, name: str) -> Kind:
    suffix = PurePosixPath(name).suffix.lower()
    try:
        names = member_names(data)
        declared = declared_type(data) if "mimetype" in names else ""
    except zipfile.BadZipFile as problem:
        if suffix in _OFFICE_SUFFIXES:
            raise refusals.corrupt(suffix.lstrip(".")) from problem
        raise refusals.archive("zip") from problem
    if declared in _DECLARED_KINDS:
        return _DECLARED_KINDS[declared]
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    for member, kind in (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX)):
        if "[Content_Types].xml" in names and any(found.startswith(member) for found in names):
            return kind
    if declared.startswith("application/vnd.oasis"):
        raise refusals.unsupported("OpenDocument の図や数式", "OpenDocument drawing or formula")
    if suffix in _OFFICE_SUFFIXES:
        raise refusals.corrupt(suffix.lstrip("."))
    raise refusals.archive("zip", files=sum(not found.endswith("/") for found in names))


def _kind_of_ole(data: bytes) -> Kind:
    family = ole_family(data)
    if family in _OLE_KINDS:
        return _OLE_KINDS[family]
    if family == "jtd":
        raise refusals.unsupported("一太郎 jtd", "Ichitaro, jtd")
    raise refusals.unsupported("旧形式の Office ファイル", "old office file")


def _looks_binary(data: bytes) -> bool:
    """Text holds no control bytes but blanks and ESC; UTF-16 says so by its mark, by a zero in every other byte, or by
    making good sense in one byte order and none in the other."""
    sample = data[:65536]
    if sample.startswith(_UTF16_MARKS):
        return False
    zeros = sample.count(0)
    if zeros and max(sample[::2].count(0), sample[1::2].count(0)) == zeros and zeros > len(sample) / 10:
        return False
    if zeros and wide_codec(sample[: len(sample) // 2 * 2]) is not None:
        return False
    return len(_ODD_CONTROLS.findall(sample)) > len(sample) / 500


def _kind_of_text(data: bytes, name: str) -> Kind:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _TEXT_KINDS:
        return _TEXT_KINDS[suffix]
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:4096]
    if _HTML_START.match(start):
        return Kind.HTML
    if len([line for line in start.split(b"\n")[:8] if _MAIL_HEADER.match(line)]) >= 3:
        return Kind.EML
    return Kind.TEXT
