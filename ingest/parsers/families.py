"""From the kind of a file to the family that reads it; see the package's docstring."""

from __future__ import annotations

from collections.abc import Callable

from assistant.domain import ParsedDocument
from ingest.parsers import encoding
from ingest.parsers.archive import check_archive
from ingest.parsers.draft import Origin
from ingest.parsers.kinds import Kind, kind_of
from ingest.parsers.limits import ParseLimits

_OFFICE = frozenset({Kind.DOCX, Kind.PPTX, Kind.XLSX})
_PICTURES = frozenset({Kind.PNG, Kind.JPEG, Kind.TIFF})
PageCall = Callable[[int, int], None]


def parse_bytes(
    data: bytes, *, relative_path: str, limits: ParseLimits, on_page: PageCall | None = None
) -> ParsedDocument:
    """The parsed document of a file's content; raises DocumentError as `parse_file` does."""
    kind = kind_of(data, relative_path)
    if kind in _OFFICE:
        check_archive(data, unpacked_limit_bytes=limits.unpacked_limit_bytes)
        return _parse_office(data, kind, relative_path, limits)
    if kind is Kind.PDF:
        from ingest.parsers.pdf import parse_pdf

        return parse_pdf(data, Origin(relative_path, kind, "pdfium"), limits=limits, on_page=on_page)
    if kind in _PICTURES:
        from ingest.parsers.image import parse_image

        return parse_image(data, Origin(relative_path, kind, "tesseract"), limits=limits, on_page=on_page)
    if kind in (Kind.EML, Kind.MSG):
        from ingest.parsers.mail import parse_mail

        return parse_mail(data, Origin(relative_path, kind, "oxmsg" if kind is Kind.MSG else "email"))
    return _parse_text(data, kind, relative_path, limits)


def _parse_office(data: bytes, kind: Kind, relative_path: str, limits: ParseLimits) -> ParsedDocument:
    if kind is Kind.XLSX:
        from ingest.parsers.sheet import parse_workbook

        return parse_workbook(data, Origin(relative_path, kind, "openpyxl"), limits=limits)
    from ingest.parsers.office import parse_docx, parse_pptx

    parse = parse_docx if kind is Kind.DOCX else parse_pptx
    return parse(data, Origin(relative_path, kind, "unstructured"))


def _parse_text(data: bytes, kind: Kind, relative_path: str, limits: ParseLimits) -> ParsedDocument:
    if kind is Kind.HTML:
        from ingest.parsers.html import parse_html

        return parse_html(data, Origin(relative_path, kind, "beautifulsoup"))
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
