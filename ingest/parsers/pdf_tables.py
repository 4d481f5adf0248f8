"""Tables of a PDF, told from wide gaps within lines that stand below each other; a PDF has no other trace of them.

Must not know pdfium.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain import ElementKind
from ingest.parsers.draft import Piece
from ingest.parsers.html import row_line
from ingest.parsers.pdf_lines import Cell, Line

_GOES_ON = re.compile(r"(?:[をにはがの、]|として|から)$")
_FOLLOWS_ON = re.compile(r"^[をにがはのでとや」）)、。：～:]")
_FEWEST_ROWS = 2
_FEWEST_COLUMNS = 2
_ROW_STEP = 3.6  # heights of a letter between two rows
_WRAP_STEP = 1.8
_SAME_ROW_STEP = 0.9  # a cell of two lines beside cells of one stands half a line higher
_ALIGNED = 1.2


def table_at(lines: Sequence[Line], index: int) -> tuple[Piece, int] | None:
    """The table that begins at `index` and the index after it, or None: two rows or more with columns in line."""
    if lines[index].rows:
        return _ruled(lines[index]), index + 1
    if not _is_row(lines[index].cells):
        return None
    rows = [list(lines[index].cells)]
    end = index + 1
    while end < len(lines) and _joins(rows, lines[end - 1], lines[end]):
        end += 1
    if len(rows) < _FEWEST_ROWS:
        return None
    words = [row_line([cell.text for cell in row]) for row in rows]
    has_header = len(rows[0]) == max(map(len, rows)) and not any(cell.text[:1].isdigit() for cell in rows[0])
    header = words[0] if has_header else None
    return Piece(ElementKind.TABLE, "\n".join(words), page=lines[index].page, header=header), end


def _ruled(line: Line) -> Piece:
    """A table drawn with rules; its header is the first row that names every column."""
    widest = max(row.count(" | ") for row in line.rows)
    first = next(index for index, row in enumerate(line.rows) if row.count(" | ") == widest)
    is_header = first < min(2, len(line.rows) - 1) and not line.rows[first][:1].isdigit()
    return Piece(ElementKind.TABLE, line.text, page=line.page, header=line.rows[first] if is_header else None)


def _joins(rows: list[list[Cell]], former: Line, line: Line) -> bool:
    """Takes the line in when it belongs to the table: a further row, the rest of the last one, a cell's second line."""
    if line.page != former.page or line.rows:
        return False
    step = line.across - former.across
    if abs(step) <= _SAME_ROW_STEP * line.size and line.start >= former.end:
        rows[-1].extend(line.cells)
        return True
    cells = max(line.cells, line.fine_cells, key=lambda found: _matching(rows[-1], found, line.size))
    is_below = 0 < step <= _ROW_STEP * line.size
    if is_below and _matching(rows[-1], cells, line.size) >= _FEWEST_COLUMNS and _is_row(cells):
        rows.append(list(cells))
        return True
    column = _wrapped_column(rows[-1], line)
    if column is None or not 0 < step <= _WRAP_STEP * line.size:
        return False
    begun = rows[-1][column]
    rows[-1][column] = Cell(f"{begun.text} {line.text}", begun.start, max(begun.end, line.end))
    return True


def _is_row(cells: Sequence[Cell]) -> bool:
    """Cells, and not a sentence with blanks to be filled in by hand."""
    if len(cells) < _FEWEST_COLUMNS or any(_is_open(cell.text) for cell in cells):
        return False
    goes_on = any(_GOES_ON.search(cell.text) for cell in cells[:-1]) or cells[-1].text.endswith("、")
    return not goes_on and not any(_FOLLOWS_ON.match(cell.text) for cell in cells[1:])


def _is_open(text: str) -> bool:
    return any(text.count(opening) != text.count(closing) for opening, closing in ("（）", "「」", "()"))


def _matching(row: Sequence[Cell], cells: Sequence[Cell], size: float) -> int:
    """How many columns stand below each other, by their left, middle or right."""
    return sum(any(_match(cell, other, size) for cell in cells) for other in row)


def _match(first: Cell, second: Cell, size: float) -> bool:
    near = _ALIGNED * size
    middles = (first.start + first.end) / 2 - (second.start + second.end) / 2
    return min(abs(first.start - second.start), abs(first.end - second.end), abs(middles)) <= near


def _wrapped_column(row: Sequence[Cell], line: Line) -> int | None:
    """The column, other than the first, whose text goes on in a line of a single cell."""
    if len(line.cells) > 1:
        return None
    own = line.cells[0]
    fitting = [number for number, cell in enumerate(row) if number > 0 and _match(cell, own, line.size)]
    return fitting[0] if fitting else None
