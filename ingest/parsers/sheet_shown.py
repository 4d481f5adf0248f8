"""A sheet as it is shown: which rows, columns and cells nobody sees, and what the comments on it say.

Rows and columns are hidden by hand, by a filter, by a folded group or by having no size; cells by white letters on no
ground, or by a format that shows nothing. openpyxl reads a large workbook row by row, and then keeps neither rows nor
columns: its own reader of sheets is asked for both. Must not know elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.functions import fromstring

_NOTHING = ";;;"  # a format without a look for numbers, for zero, and for words
_TRUE = frozenset({"1", "true"})
_WHITEST = 0xFA
_WHITE_THEME = 0  # the first colour of a theme is its ground
_THREADED = "Comment:"  # Excel puts a notice for older programs in front of such a comment's own words


@dataclass
class Unseen:
    """What nobody sees on a sheet, of that which holds something: rows, columns by number from 0, and single cells."""

    rows: int = 0
    columns: set[int] = field(default_factory=set)
    cells: int = 0


@dataclass(frozen=True)
class RawRow:
    """A row as it is stored; `hidden_columns` are numbers from 0."""

    number: int
    cells: tuple[Any, ...]
    is_hidden: bool
    hidden_columns: frozenset[int]


def rows_of(sheet: Any) -> Iterator[RawRow]:
    """Every stored row of a sheet of a workbook that was opened for reading only."""
    book = sheet.parent
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        columns: frozenset[int] | None = None
        for number, cells in parser.parse():
            if columns is None:  # they stand in front of the rows
                columns = _hidden_columns(parser.column_dimensions)
            look = parser.row_dimensions.pop(str(number), {})
            yield RawRow(number, sheet._get_row(cells), _is_hidden(look, "ht"), columns)


def is_unseen(cell: Any) -> bool:
    """Whether the cell's own look hides its value."""
    if (cell.number_format or "").replace(" ", "") == _NOTHING:
        return True
    return _is_white(getattr(cell.font, "color", None)) and not _has_ground(cell.fill)


def comments_of(sheet: Any) -> list[str]:
    """The words of each comment on the sheet."""
    archive, path = sheet.parent._archive, sheet._worksheet_path
    members = set(archive.namelist())
    if get_rels_path(path) not in members:
        return []
    found = []
    for relation in get_dependents(archive, get_rels_path(path)):
        if relation.Type.endswith("/comments") and relation.target in members:
            for comment in fromstring(archive.read(relation.target)).iter("{*}comment"):
                words = "".join(part.text or "" for part in comment.iter("{*}t"))
                found.append(words.partition(_THREADED)[2] if words.startswith("[Threaded comment]") else words)
    return [words for words in found if words.strip()]


def _hidden_columns(looks: dict[str, dict[str, str]]) -> frozenset[int]:
    hidden: set[int] = set()
    for look in looks.values():
        if _is_hidden(look, "width"):
            first = int(look["min"])
            hidden.update(range(first - 1, min(int(look.get("max", first)), 16_384)))
    return frozenset(hidden)


def _is_hidden(look: dict[str, str], size: str) -> bool:
    return look.get("hidden") in _TRUE or look.get(size) in ("0", "0.0")


def _is_white(colour: Any) -> bool:
    if colour is None:
        return False
    if colour.type == "theme":
        return bool(colour.theme == _WHITE_THEME and not colour.tint)
    rgb = colour.rgb if colour.type == "rgb" else ""
    return isinstance(rgb, str) and len(rgb) == 8 and all(part >= _WHITEST for part in bytes.fromhex(rgb)[1:])


def _has_ground(fill: Any) -> bool:
    """Whether anything but white lies behind the letters. A gradient always does."""
    kind = getattr(fill, "fill_type", None)
    return kind is not None and not (kind == "solid" and _is_white(fill.fgColor))
