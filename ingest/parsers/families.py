"""From the kind of a file to the family that reads it; see the package's docstring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.domain import ParsedDocument
from ingest.parsers import encoding
from ingest.parsers.archive import check_archive
from ingest.parsers.convert import convert, is_converted
from ingest.parsers.draft import Origin
from ingest.parsers.kinds import Kind, kind_of
from ingest.parsers.limits import ParseLimits

_OFFICE = frozenset({Kind.DOCX, Kind.PPTX, Kind.XLSX})
_ZIPPED = _OFFICE | {Kind.XLSB, Kind.ODT, Kind.ODS, Kind.ODP, Kind.EPUB}
_PICTURES = frozenset({Kind.PNG, Kind.JPEG, Kind.TIFF})
_PARSERS = {
    Kind.DOCX: "unstructured",
    Kind.PPTX: "unstructured",
    Kind.XLSX: "openpyxl",
    Kind.EPUB: "epub",
    Kind.PDF: "pdfium",
    Kind.PNG: "tesseract",
    Kind.JPEG: "tesseract",
    Kind.TIFF: "tesseract",
    Kind.EML: "email",
    Kind.MSG: "oxmsg",
}
PageCall = Callable[[int, int], None]


def parse_bytes(
    data: bytes, *, relative_path: str, limits: ParseLimits, on_page: PageCall | None = None, mails_above: int = 0
) -> ParsedDocument:
    """The parsed document of a file's content; raises DocumentError as `parse_file` does.

    `mails_above` is how many mails the content is an attachment of.
    """
    kind = kind_of(data, relative_path)
    origin = Origin(relative_path, kind, _PARSERS.get(kind, ""))
    if kind in _ZIPPED:
        check_archive(data, unpacked_limit_bytes=limits.unpacked_limit_bytes)
    if kind in _OFFICE:
        return _parse_office(data, kind, origin, limits)
    if is_converted(kind):
        return _parse_converted(data, origin, limits)
    if kind is Kind.EPUB:
        from ingest.parsers.epub import parse_epub

        return parse_epub(data, origin, reads_hidden=limits.reads_hidden)
    if kind is Kind.PDF:
        from ingest.parsers.pdf import parse_pdf

        return parse_pdf(data, origin, limits=limits, on_page=on_page)
    if kind in _PICTURES:
        from ingest.parsers.image import parse_image

        return parse_image(data, origin, limits=limits, on_page=on_page)
    if kind in (Kind.EML, Kind.MSG):
        from ingest.parsers.mail import parse_mail

        def read(name: str, content: bytes) -> ParsedDocument:
            return parse_bytes(content, relative_path=name, limits=limits, on_page=on_page, mails_above=mails_above + 1)

        return parse_mail(data, origin, limits=limits, read=read, mails_above=mails_above)
    return _parse_text(data, kind, relative_path, limits)


def _parse_office(data: bytes, kind: Kind, origin: Origin, limits: ParseLimits) -> ParsedDocument:
    if kind is Kind.XLSX:
        from ingest.parsers.sheet import parse_workbook

        return parse_workbook(data, origin, limits=limits)
    from ingest.parsers.office import parse_docx, parse_pptx

    parse = parse_docx if kind is Kind.DOCX else parse_pptx
    return parse(data, origin, reads_hidden=limits.reads_hidden)


def _parse_converted(data: bytes, origin: Origin, limits: ParseLimits) -> ParsedDocument:
    """The document of an old or OpenDocument file; what comes out of the converter is not trusted more than a file."""
    converted, kind = convert(
        data, origin.kind, timeout_seconds=limits.converter_seconds, output_limit_bytes=limits.file_limit_bytes
    )
    check_archive(converted, unpacked_limit_bytes=limits.unpacked_limit_bytes)
    return _parse_office(converted, kind, replace(origin, parser=f"libreoffice+{_PARSERS[kind]}"), limits)


def _parse_text(data: bytes, kind: Kind, relative_path: str, limits: ParseLimits) -> ParsedDocument:
    if kind is Kind.HTML:
        from ingest.parsers.html import parse_html

        return parse_html(data, Origin(relative_path, kind, "beautifulsoup"), reads_hidden=limits.reads_hidden)
    decoded = encoding.decode(data)
    if kind is Kind.MARKDOWN:
        from ingest.parsers.markdown import parse_markdown

        return parse_markdown(decoded.text, Origin(relative_path, kind, "markdown-it", encoding=decoded.encoding))
    from ingest.parsers.text import delimiter_of, parse_plain, parse_rows

    origin = Origin(relative_path, kind, "plain", encoding=decoded.encoding)
    if kind is Kind.CSV:
        return parse_rows(decoded.text, origin, delimiter=delimiter_of(decoded.text), limits=limits)
    if kind is Kind.TSV:
        return parse_rows(decoded.text, origin, delimiter="\t", limits=limits)
    return parse_plain(decoded.text, origin)
