"""An Excel workbook -> one heading and one table for each visible sheet; what nobody sees is left out and counted.

openpyxl reads it row by row: it keeps dates, percentages and amounts as a person sees them, where a data frame shows
2025-04-01 00:00:00 and 0.085. Formulas give the value that the application stored last. Must not run anything.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from lxml.etree import LxmlError
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from assistant.domain import ElementKind, ParsedDocument
from assistant.errors import DocumentError
from ingest.parsers import refusals
from ingest.parsers.draft import Origin, Piece, assemble, hidden_notes, tidy
from ingest.parsers.html import row_line
from ingest.parsers.limits import ParseLimits
from ingest.parsers.sheet_shown import RawRow, Unseen, comments_of, is_unseen, rows_of

_BROKEN = (
    zipfile.BadZipFile, InvalidFileException, ParseError, LxmlError, DefusedXmlException, KeyError, ValueError, TypeError,
    AttributeError, IndexError, OSError, EOFError,
)  # fmt: skip
_PERCENT = re.compile(r"(?:\.(0+))?%")
_SECTIONS_OF_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_UNIT = re.compile(r'[#,0._ ]+"([^"]*)"(?:_.)?')
_ROW_GROUP_CHARACTERS = 40_000
_DENSE_SHARE = 0.4
_VALUE = b"<v>"
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """Cells of a row by column, as shown; `is_words` when none of them is a number or date."""

    number: int
    cells: dict[int, str]
    is_words: bool
    is_marked: bool  # bold or filled: the look of a header


def parse_workbook(data: bytes, origin: Origin, *, limits: ParseLimits) -> ParsedDocument:
    """Visible sheets in order; an element's page is the number of its sheet.

    What nobody sees is left out, or read where the limits say so: comments then come at the end of their sheet.
    """
    pieces: list[Piece] = []
    hidden: Counter[str] = Counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of every extension that it does not show
            _refuse_too_many_values(data, limits)
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            title = workbook.properties.title
            for number, sheet in enumerate(workbook.worksheets, start=1):
                if sheet.sheet_state != "visible":
                    hidden["hidden_sheets"] += 1
                    if not limits.reads_hidden:
                        continue
                pieces += _pieces_of(sheet, number, limits, hidden)
            pages = len(workbook.worksheets)
    except _BROKEN as problem:
        raise refusals.corrupt("xlsx") from problem
    if not pieces:
        raise refusals.no_text()
    notes = {**(origin.notes or {}), **hidden_notes(hidden, were_read=limits.reads_hidden)}
    return assemble(pieces, replace(origin, pages=pages, notes=notes), titles=[title, _file_stem(origin)])


def _pieces_of(sheet: ReadOnlyWorksheet, number: int, limits: ParseLimits, hidden: Counter[str]) -> list[Piece]:
    unseen = Unseen()
    rows = list(_rows(sheet, limits, unseen))
    comments = comments_of(sheet)
    found = {"hidden_rows": unseen.rows, "hidden_columns": len(unseen.columns), "hidden_texts": unseen.cells}
    hidden.update(found | {"comments": len(comments)})
    pieces = list(_sheet_pieces(rows, number))
    if limits.reads_hidden:
        pieces += [Piece(ElementKind.LIST_ITEM, tidy(words), page=number) for words in comments]
    return [Piece(ElementKind.HEADING, tidy(sheet.title), level=1, page=number), *pieces] if pieces else []


def _refuse_too_many_values(data: bytes, limits: ParseLimits) -> None:
    """Raises TOO_LARGE when a sheet's XML holds more values than allowed: counting takes a hundredth of reading them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if not member.filename.startswith("xl/worksheets/") or member.file_size < limits.cell_limit * len(_VALUE):
                continue
            with archive.open(member) as sheet:
                seen, rest = 0, b""
                while block := sheet.read(_BLOCK_BYTES):
                    seen += (rest + block).count(_VALUE)
                    rest = block[1 - len(_VALUE) :]
            if seen > limits.cell_limit:
                raise _too_many_cells(limits)


def _too_many_cells(limits: ParseLimits) -> DocumentError:
    return refusals.too_large(f"{limits.cell_limit:,} セル", f"{limits.cell_limit:,} cells")


def _file_stem(origin: Origin) -> str:
    return origin.relative_path.rpartition("/")[2].rpartition(".")[0]


def _rows(sheet: ReadOnlyWorksheet, limits: ParseLimits, unseen: Unseen) -> Iterator[Row]:
    """Rows with something in them, of what is shown; the rest is counted. Raises TOO_LARGE beyond the limit of cells."""
    seen = 0
    looks: dict[int, bool] = {}
    for raw in rows_of(sheet):
        values = {column: (cell, text) for column, cell in enumerate(raw.cells) if (text := _text_of(cell))}
        seen += len(values)
        if seen > limits.cell_limit:
            raise _too_many_cells(limits)
        hidden = {column for column, (cell, _) in values.items() if _is_hidden(column, cell, raw, looks=looks)}
        if hidden and raw.is_hidden:
            unseen.rows += 1
        elif hidden:
            unseen.columns |= hidden & raw.hidden_columns
            unseen.cells += len(hidden - raw.hidden_columns)
        shown = values if limits.reads_hidden else {column: values[column] for column in values.keys() - hidden}
        if shown:
            cells = [cell for cell, _ in shown.values()]
            yield Row(
                raw.number,
                {column: text for column, (_, text) in sorted(shown.items())},
                is_words=all(isinstance(cell.value, str) for cell in cells),
                is_marked=any((cell.font and cell.font.b) or (cell.fill and cell.fill.fill_type) for cell in cells),
            )


def _text_of(cell: Any) -> str:
    return "" if cell.value is None else _shown(cell.value, cell.number_format or "")


def _is_hidden(column: int, cell: Any, raw: RawRow, *, looks: dict[int, bool]) -> bool:
    """Whether nobody sees the cell; `looks` remembers what each of the few styles of a workbook does."""
    if raw.is_hidden or column in raw.hidden_columns:
        return True
    if cell._style_id not in looks:
        looks[cell._style_id] = is_unseen(cell)
    return looks[cell._style_id]


def _shown(value: object, number_format: str) -> str:
    """A cell's value as its format shows it, for the formats that change what is read: dates, percent, thousands."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _shown_number(value, number_format)
    return tidy(str(value))


def _shown_number(value: float, number_format: str) -> str:
    first = number_format.partition(";")[0]
    bare = _SECTIONS_OF_FORMAT.sub("", first)
    percent = _PERCENT.search(bare)
    if percent is not None:
        return f"{value * 100:.{len(percent[1] or '')}f}%"
    rounded = int(value) if float(value).is_integer() and abs(value) < 1e15 else round(value, 10)
    digits = f"{rounded:,}" if "," in bare else f"{rounded}"
    unit = _UNIT.fullmatch(first)
    if unit is not None:
        return f"{digits}{unit[1]}"
    return f"¥{digits}" if any(mark in first for mark in "¥￥") else digits


def _sheet_pieces(rows: list[Row], page: int) -> Iterator[Piece]:
    """Tables between blank rows; a single cell on its own row above a table is a line of text."""
    is_first = True
    for block in _blocks(rows):
        head = 0
        while head < len(block) and len(block[head].cells) == 1 and (len(block) == 1 or head + 1 < len(block)):
            yield Piece(ElementKind.TEXT, next(iter(block[head].cells.values())), page=page)
            head += 1
        if head < len(block):
            yield from _table(block[head:], page, is_first=is_first)
            is_first = False


def _blocks(rows: list[Row]) -> Iterator[list[Row]]:
    block: list[Row] = []
    for row in rows:
        if block and row.number > block[-1].number + 1:
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _table(block: list[Row], page: int, *, is_first: bool) -> Iterator[Piece]:
    columns = sorted({column for row in block for column in row.cells})
    is_dense = sum(len(row.cells) for row in block) >= len(block) * len(columns) * _DENSE_SHARE
    lines = []
    for row in block:
        kept = columns if is_dense else sorted(row.cells)
        lines.append(row_line([row.cells.get(column, "") for column in kept]))
    first = block[0]
    looks_alone = first.is_marked and len(block) > 1 and not block[1].is_marked
    is_header = len(block) > 1 and first.is_words and len(first.cells) > 1 and (is_first or looks_alone)
    header = lines[0] if is_header or looks_alone else None
    group: list[str] = []
    for line in lines:
        if group and sum(map(len, group)) + len(line) > _ROW_GROUP_CHARACTERS:
            yield Piece(ElementKind.TABLE, "\n".join(group), page=page, header=header)
            group = []
        group.append(line)
    yield Piece(ElementKind.TABLE, "\n".join(group), page=page, header=header)
