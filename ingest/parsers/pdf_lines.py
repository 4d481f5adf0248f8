"""Lines of a PDF page as pdfium gives them, with place, size and font, in reading order.

A line is placed in reading coordinates, so that horizontal and vertical writing look alike further on: `start` and
`end` run along the line, `across` runs from line to line. Must not know paragraphs or headings.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from assistant.text import with_ideographs
from ingest.parsers.draft import tidy
from ingest.parsers.html import row_line
from ingest.parsers.pdf_grid import Grid, grids_of
from ingest.parsers.pdf_shown import Sight

_CJK = r"\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uff01-\uff60\u3001-\u3003\u3008-\u3011"
_SPACED_PAIR = re.compile(rf"(?<=[{_CJK}]) (?=[{_CJK}])")
_PAIR = re.compile(rf"[{_CJK}](?=[{_CJK}])")
_SPACED_RUN = re.compile(rf"(?<![{_CJK}])(?:[{_CJK}] ){{2,}}[{_CJK}](?![{_CJK}])")
_SPACED_SHARE = 0.3
_FONT_NAME_BYTES = 128
_BOLD_WEIGHT = 600
_STRONG_NAME = re.compile(r"bold|heavy|black|demi", re.IGNORECASE)
_GOTHIC_NAME = re.compile(r"gothic|ゴシック|goth", re.IGNORECASE)
_GARBAGE = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]")
_WIDE_END = re.compile(rf"[{_CJK}]$")
_FEWEST_TABLE_LINES = 2
_CUT_SHARE = 0.15  # of a letter's height: nearer to each other, two letters are of one word
_VERTICAL_SHARE = 0.6
_BLANK = re.compile(r"\s+")
_WIDE_GAP = 2.6  # columns of a table; blanks to be filled in by hand are 2 letters wide
_FINE_GAP = 1.3
_CLOSE_GAP = 0.8  # between two columns of text set close to each other


@dataclass(frozen=True)
class Cell:
    """A part of a line with a wide gap before or after it."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class _Gap:
    """Blanks in a line: where they stand in its text, and from where to where on the page."""

    begin: int
    end: int
    left: float
    right: float


@dataclass(frozen=True)
class Line:
    """One line of text. Places and `size` are in points; `page` counts from 1; `edge` is how far it is from the page's
    top or bottom as a share of the height, negative from the bottom. A line without wide gaps is one cell; `fine_cells`
    are cut at narrower gaps, too, as they occur between the columns of a table that is known to be one; `close_cells`
    also at those between columns of running text. With `rows` it stands for a whole table drawn with rules."""

    text: str
    page: int
    start: float
    end: float
    across: float
    size: float
    is_bold: bool
    is_gothic: bool
    edge: float
    cells: tuple[Cell, ...] = ()
    fine_cells: tuple[Cell, ...] = ()
    close_cells: tuple[Cell, ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageLines:
    """Lines of a page that hold a character: horizontal ones as drawn, vertical ones from the right.

    Those of size 0 stand on their side on a page of horizontal writing; `unseen` is how many lines nobody sees.
    """

    lines: list[Line]
    unseen: int
    is_vertical: bool = False


def read_lines(
    page: pdfium.PdfPage, number: int, *, has_large_picture: Callable[[], bool], reads_hidden: bool = False
) -> PageLines:
    """The lines of a page, without those that nobody sees unless `reads_hidden`."""
    text_page = page.get_textpage()
    sight = Sight(page, text_page, has_large_picture)
    unseen = 0
    try:
        text = with_ideographs(_page_text(text_page))
        width, height = page.get_size()
        placed: list[tuple[Line, bool | None]] = []
        spoken: list[tuple[int, str]] = []
        position = 0
        for words in re.split(r"(\r\n|[\r\n])", text):
            is_unseen = bool(words.strip()) and _is_unseen(sight, words, position)
            unseen += is_unseen
            if words.strip() and (reads_hidden or not is_unseen):
                placed.append(_line(text_page, words, position, number, width, height))
                spoken.append((position, words))
            position += len(words)
        if sum(len(line.fine_cells) > 1 for line, _ in placed) >= _FEWEST_TABLE_LINES:
            placed = _with_tables(placed, spoken, grids_of(page), text_page, height)
    finally:
        text_page.close()
    is_vertical = [vertical for _, vertical in placed if vertical is not None]
    if is_vertical and sum(is_vertical) >= len(is_vertical) * _VERTICAL_SHARE:
        return PageLines(_as_columns([line for line, _ in placed], width, height), unseen, is_vertical=True)
    turned = [replace(line, size=0.0) if vertical else line for line, vertical in placed]  # of no size: no heading
    return PageLines(turned, unseen)


def _with_tables(
    placed: list[tuple[Line, bool | None]],
    spoken: Sequence[tuple[int, str]],
    grids: Sequence[Grid],
    text_page: pdfium.PdfTextPage,
    height: float,
) -> list[tuple[Line, bool | None]]:
    """The lines, those within a grid of rules put together to one that stands for the table."""
    for grid in grids:
        members = [
            index
            for index, (line, is_vertical) in enumerate(placed)
            if not is_vertical
            and not line.rows
            and grid.holds(line.start, line.end, height - line.across - line.size / 2)
        ]
        rows = grid.rows(_cell_words(grid, [spoken[index] for index in members], text_page)) if members else []
        if not rows:
            continue
        texts = tuple(row_line(row) for row in rows)
        text = "\n".join(texts)
        whole = (Cell(text, grid.lefts[0], grid.lefts[-1]),)
        table = replace(
            placed[members[0]][0], text=text, start=grid.lefts[0], end=grid.lefts[-1], rows=texts,
            across=min(placed[index][0].across for index in members), cells=whole, fine_cells=whole, close_cells=whole,
        )  # fmt: skip
        placed[members[0]] = (table, False)
        kept = [index for index in range(len(placed)) if index not in members[1:]]
        placed, spoken = [placed[index] for index in kept], [spoken[index] for index in kept]
    return placed


def _cell_words(
    grid: Grid, spoken: Sequence[tuple[int, str]], text_page: pdfium.PdfTextPage
) -> dict[tuple[int, int], str]:
    """The words in each cell, parts on several lines joined as wrapped text is; none where a rule cuts a word: it is a
    part of a drawing then."""
    found: dict[tuple[int, int], str] = {}
    for position, words in spoken:
        begun: tuple[int, int] | None = None
        end = -float("inf")
        for index, letter in enumerate(words):
            if letter.isspace():
                if begun is not None:
                    found[begun] += " "
                continue
            left, bottom, right, top = text_page.get_charbox(position + index, loose=True)
            cell = grid.cell_at((left + right) / 2, (bottom + top) / 2)
            if begun is not None and cell != begun and left - end < _CUT_SHARE * (top - bottom):
                return {}
            end = right
            if cell != begun:
                former = found.get(cell, "")
                is_wide = bool(_WIDE_END.search(former.rstrip())) or bool(_WIDE_END.search(letter))
                found[cell] = former.rstrip() if is_wide else f"{former} "
                begun = cell
            found[cell] += letter
    return {cell: without_spaced_letters(tidy(words)) for cell, words in found.items()}


def _is_unseen(sight: Sight, words: str, position: int) -> bool:
    """Whether the first, middle and last letter of a line cannot be seen; one that can is enough to keep the line."""
    letters = [position + index for index, letter in enumerate(words) if not letter.isspace()]
    return all(sight.is_unseen(letters[at]) for at in {0, len(letters) // 2, len(letters) - 1})


def garbage_share(lines: Sequence[Line]) -> float:
    """Share of characters without meaning, as fonts without a character map give them, 0 to 1."""
    text = "".join(line.text for line in lines)
    return len(_GARBAGE.findall(text)) / len(text) if text else 0.0


def without_spaced_letters(text: str) -> str:
    """就 業 規 則 -> 就業規則, for lines whose letters are set apart; single blanks between words stay."""
    pairs = len(_PAIR.findall(text))
    spaced = len(_SPACED_PAIR.findall(text))
    if spaced > 2 and spaced >= (pairs + spaced) * _SPACED_SHARE:
        return _SPACED_PAIR.sub("", text)
    return _SPACED_RUN.sub(lambda run: run[0].replace(" ", ""), text)


def _page_text(text_page: pdfium.PdfTextPage) -> str:
    """The page's text with exactly one character for each of pdfium's character numbers."""
    text: str = text_page.get_text_range()
    count: int = text_page.count_chars()
    if len(text) == count:
        return text
    numbers = (pdfium_c.FPDFText_GetUnicode(text_page.raw, index) for index in range(count))
    return "".join(chr(number) if 0 < number < 0x110000 else " " for number in numbers)


def _line(
    text_page: pdfium.PdfTextPage, words: str, position: int, number: int, width: float, height: float
) -> tuple[Line, bool | None]:
    """The line, and whether it is written vertically (None when it is too short to tell)."""
    first = position + len(words) - len(words.lstrip())
    last = position + len(words.rstrip()) - 1
    left, bottom, right, top = text_page.get_charbox(first, loose=True)
    end_left, end_bottom, end_right, end_top = text_page.get_charbox(last, loose=True)
    middle = next((i for i in range((first + last) // 2, last + 1) if not words[i - position].isspace()), first)
    name, weight = _font(text_page, middle)
    down, along = top - end_bottom, end_right - left
    is_vertical = None if last - first < 2 else abs(down) > 2 * abs(along)
    line = Line(
        text=tidy(words),
        page=number,
        start=min(left, end_left),
        end=max(right, end_right),
        across=height - max(top, end_top),
        size=round(_size(text_page, middle) or abs(top - bottom), 1),
        is_bold=weight >= _BOLD_WEIGHT or bool(_STRONG_NAME.search(name)),
        is_gothic=bool(_GOTHIC_NAME.search(name)),
        edge=_edge(max(top, end_top), min(bottom, end_bottom), height),
    )
    if is_vertical:
        return replace(line, start=height - top, end=height - end_bottom, across=width - max(right, end_right)), True
    gaps = _gaps(text_page, words, position)
    wide, fine, close = (
        _cells(words, line, [gap for gap in gaps if gap.right - gap.left > width * line.size])
        for width in (_WIDE_GAP, _FINE_GAP, _CLOSE_GAP)
    )
    return replace(line, cells=wide, fine_cells=fine, close_cells=close), is_vertical


def _gaps(text_page: pdfium.PdfTextPage, words: str, position: int) -> list[_Gap]:
    gaps = []
    for blank in _BLANK.finditer(words.rstrip()):
        if blank.start() > 0:
            _, _, left, _ = text_page.get_charbox(position + blank.start() - 1, loose=True)
            right, _, _, _ = text_page.get_charbox(position + blank.end(), loose=True)
            gaps.append(_Gap(blank.start(), blank.end(), left, right))
    return gaps


def _cells(words: str, line: Line, gaps: Sequence[_Gap]) -> tuple[Cell, ...]:
    """The line cut at gaps."""
    cells: list[Cell] = []
    begin, start = 0, line.start
    for gap in gaps:
        cells.append(Cell(tidy(words[begin : gap.begin]), start, gap.left))
        begin, start = gap.end, gap.right
    return (*cells, Cell(tidy(words[begin:]), start, line.end))


def _edge(top: float, bottom: float, height: float) -> float:
    from_top, from_bottom = (height - top) / height, bottom / height
    return from_top if from_top < from_bottom else -from_bottom


def _as_columns(lines: list[Line], width: float, height: float) -> list[Line]:
    """Vertical writing is read from the right; PDFs often store it from the left."""
    turned = [
        line if line.across <= width else replace(line, across=width - line.end, start=0.0, end=height)
        for line in lines
    ]
    return sorted(turned, key=lambda line: (round(line.across), line.start))


def _size(text_page: pdfium.PdfTextPage, index: int) -> float:
    """The size as seen: the font's own size times the scale of the text matrix (some PDFs write every font as 1 pt)."""
    matrix = pdfium_c.FS_MATRIX()
    size = float(pdfium_c.FPDFText_GetFontSize(text_page.raw, index))
    if pdfium_c.FPDFText_GetMatrix(text_page.raw, index, matrix):
        size *= math.hypot(matrix.c, matrix.d)
    return size


def _font(text_page: pdfium.PdfTextPage, index: int) -> tuple[str, int]:
    name = ctypes.create_string_buffer(_FONT_NAME_BYTES)
    flags = ctypes.c_int()
    pdfium_c.FPDFText_GetFontInfo(text_page.raw, index, name, _FONT_NAME_BYTES, flags)
    weight = int(pdfium_c.FPDFText_GetFontWeight(text_page.raw, index))
    try:
        return name.value.decode("utf-8"), weight
    except UnicodeDecodeError:
        return name.value.decode("cp932", "replace"), weight
