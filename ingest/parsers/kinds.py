"""What kind of file this is, told by its content; the name only decides between kinds of plain text.

A renamed file is read as what it is. Must not know how any kind is parsed.
"""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from io import BytesIO
from pathlib import PurePosixPath

import olefile

from assistant.errors import Text
from ingest.parsers import refusals
from ingest.parsers.archive import member_names


class Kind(StrEnum):
    """A kind of file that a parser exists for; the value is its media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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
_OFFICE_SUFFIXES = frozenset({".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm"})
_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
)
_OTHER_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"{\\rtf", "リッチテキスト rtf", "rich text, rtf"),
    (b"GIF8", "GIF 画像", "GIF picture"),
    (b"BM", "BMP 画像", "BMP picture"),
    (b"\x1f\x8b", "gzip 圧縮", "gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z 圧縮", "7z archive"),
    (b"Rar!", "rar 圧縮", "rar archive"),
    (b"SQLite format 3", "SQLite データベース", "SQLite database"),
)
_PICTURE_HINT = Text("PNG・JPEG・TIFF または PDF で保存し直してください。", "Save it as PNG, JPEG, TIFF or PDF.")
_UNPACK_HINT = Text("展開したファイルを置いてください。", "Put the unpacked files there.")
_PLAIN_HINT = Text(
    "対応形式: docx、xlsx、pptx、pdf、html、md、txt、csv、eml、msg、png、jpg、tiff。",
    "Kinds that can be read: docx, xlsx, pptx, pdf, html, md, txt, csv, eml, msg, png, jpg, tiff.",
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
    for signature, kind_ja, kind_en in _OTHER_SIGNATURES:
        if data.startswith(signature) and (len(signature) > 2 or _looks_binary(data)):
            hint = {"picture": _PICTURE_HINT, "archive": _UNPACK_HINT}.get(kind_en.rpartition(" ")[2], _PLAIN_HINT)
            raise refusals.unsupported(kind_ja, kind_en, hint=hint)
    if _looks_binary(data):
        suffix = PurePosixPath(name).suffix.lower() or "?"
        raise refusals.unsupported(suffix, suffix, hint=_PLAIN_HINT)
    return _kind_of_text(data, name)


def _kind_of_archive(data: bytes, name: str) -> Kind:
    suffix = PurePosixPath(name).suffix.lower()
    try:
        names = member_names(data)
    except zipfile.BadZipFile as problem:
        if suffix in _OFFICE_SUFFIXES:
            raise refusals.corrupt(suffix.lstrip(".")) from problem
        raise refusals.unsupported("zip 圧縮", "zip archive", hint=_UNPACK_HINT) from problem
    if "xl/workbook.bin" in names:
        raise refusals.unsupported("Excel バイナリ xlsb", "binary Excel, xlsb")
    for member, kind in (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX)):
        if "[Content_Types].xml" in names and any(found.startswith(member) for found in names):
            return kind
    if "mimetype" in names:
        raise refusals.unsupported("OpenDocument または EPUB", "OpenDocument or EPUB")
    if suffix in _OFFICE_SUFFIXES:
        raise refusals.corrupt(suffix.lstrip("."))
    raise refusals.unsupported("zip 圧縮", "zip archive", hint=_UNPACK_HINT)


def _kind_of_ole(data: bytes) -> Kind:
    try:
        with olefile.OleFileIO(BytesIO(data)) as container:
            streams = {"/".join(path) for path in container.listdir()}
    except (OSError, ValueError, IndexError) as problem:
        raise refusals.corrupt("Office") from problem
    if "EncryptedPackage" in streams or "EncryptionInfo" in streams:
        raise refusals.encrypted()
    if any(stream.startswith("__properties_version") for stream in streams):
        return Kind.MSG
    for stream, kind_ja, kind_en in (
        ("WordDocument", "旧形式の Word doc", "old Word, doc"),
        ("Workbook", "旧形式の Excel xls", "old Excel, xls"),
        ("Book", "旧形式の Excel xls", "old Excel, xls"),
        ("PowerPoint Document", "旧形式の PowerPoint ppt", "old PowerPoint, ppt"),
    ):
        if stream in streams:
            raise refusals.unsupported(kind_ja, kind_en)
    raise refusals.unsupported("旧形式の Office ファイル", "old office file")


def _looks_binary(data: bytes) -> bool:
    """Text holds no control bytes but blanks and ESC; UTF-16 says so by its mark or by a zero in every other byte."""
    sample = data[:65536]
    if sample.startswith(_UTF16_MARKS):
        return False
    zeros = sample.count(0)
    if zeros and max(sample[::2].count(0), sample[1::2].count(0)) == zeros and zeros > len(sample) / 10:
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
