"""The reading order of a PDF page: columns one after the other, and what stands above everything first.

A PDF draws its text in any order. Pages of two or three columns are often drawn row by row, so that a line of pdfium's
runs across the gap between them; slides draw their title last.

        a line across the page                a line across the page
        left 1 | right 1            ->        left 1, left 2, right 1, right 2
        left 2 | right 2                      another line across the page
        another line across the page

Columns of running text are told from columns of a table by their lines: most of them fill their column. Must not know
pdfium, paragraphs or headings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ingest.parsers.pdf_lines import Cell, Line

_FEWEST_ROWS = 5  # with text on both sides of a gap, before it can be the gap between two columns
_FEWEST_BAND_ROWS = 3
_FULL_SHARE = 0.6  # of the column's width, by the middle line; cells of a table are shorter
_NARROWEST_GAP = 0.8  # heights of a letter
_NARROWEST_COLUMN = 10.0
_UNEVEN = 1.7  # columns of text are about as wide as each other; labels beside their text are not
_COLUMNS_LIMIT = 3
_MOST_LINES = 1500  # of one page: beyond it, what is drawn is no text for reading
_SAME_ROW = 0.6
_WIDE_GAP = 2.6
_GLYPH_OVERHANG = 0.2


@dataclass(frozen=True)
class _Part:
    """A line or a part of one between two gaps."""

    start: float
    end: float
    across: float
    size: float


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """The lines of one page of horizontal writing as they are read; lines that run across columns are cut in parts.

    What stands on its side comes last: it labels the page or a table.
    """
    if not _FEWEST_ROWS <= len(lines) <= _MOST_LINES:
        return list(lines)
    upright, turned = [line for line in lines if line.size], [line for line in lines if not line.size]
    gaps = _column_gaps(upright)
    if not gaps:
        return [*_top_first(upright), *turned]
    return [*_through_bands(upright, gaps), *turned]


def _column_gaps(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Gaps between columns of running text, from the left; none on a page of one column."""
    parts = [part for line in lines for part in _parts(line)]
    found: list[tuple[float, float]] = []
    beside = _gaps_in_rows(parts)
    while len(found) < _COLUMNS_LIMIT - 1:
        gap = _most_shared(beside)
        if gap is None:
            break
        beside = [other for other in beside if other[1] <= gap[0] or other[0] >= gap[1]]
        found.append(gap)
    found.sort()
    return found if found and _are_filled(parts, found) else []


def _parts(line: Line) -> list[_Part]:
    cells = line.close_cells or (Cell(line.text, line.start, line.end),)
    return [_Part(cell.start, cell.end, line.across, line.size) for cell in cells if cell.end > cell.start]


def _gaps_in_rows(parts: Sequence[_Part]) -> list[tuple[float, float]]:
    """(left, right) of each gap between neighbours in one row."""
    ordered = sorted(parts, key=lambda part: part.across)
    gaps = []
    for index, part in enumerate(ordered):
        right_of = []
        for step in (-1, 1):
            other = index + step
            while 0 <= other < len(ordered) and abs(ordered[other].across - part.across) < _SAME_ROW * part.size:
                if ordered[other].start >= part.end:
                    right_of.append(ordered[other].start)
                other += step
        if right_of and min(right_of) - part.end >= _NARROWEST_GAP * part.size:
            gaps.append((part.end, min(right_of)))
    return gaps


def _most_shared(gaps: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The narrow strip that lies in the most gaps, when these are enough; a strip is as narrow as its narrowest gap."""
    best: list[tuple[float, float]] = []
    for left, _ in gaps:
        sharing = [gap for gap in gaps if gap[0] - _GLYPH_OVERHANG <= left < gap[1]]
        if len(sharing) > len(best):
            best = sharing
    if len(best) < _FEWEST_ROWS:
        return None
    return max(left for left, _ in best), min(right for _, right in best)


def _are_filled(parts: Sequence[_Part], gaps: Sequence[tuple[float, float]]) -> bool:
    """Whether every column is wide and most of its lines fill it."""
    widths = []
    edges = [-float("inf"), *((left + right) / 2 for left, right in gaps), float("inf")]
    for begin, end in itertools.pairwise(edges):
        column = [part for part in parts if begin <= part.start and part.end <= end]
        if len(column) < _FEWEST_ROWS:
            return False
        width = max(part.end for part in column) - min(part.start for part in column)
        size = median(part.size for part in column)
        if width < _NARROWEST_COLUMN * size or median(part.end - part.start for part in column) < _FULL_SHARE * width:
            return False
        widths.append(width)
    return max(widths) <= _UNEVEN * min(widths)


def _bands(lines: Sequence[Line], gaps: Sequence[tuple[float, float]]) -> Iterator[list[Line]]:
    """Lines from the top, divided wherever one crosses a gap between columns."""
    band: list[Line] = []
    crosses_before = False
    for line in sorted(lines, key=lambda line: line.across):
        crosses = any(_crosses(part, gap) for part in _parts(line) for gap in gaps)
        if band and crosses != crosses_before:
            yield band
            band = []
        band.append(line)
        crosses_before = crosses
    if band:
        yield band


def _crosses(part: _Part, gap: tuple[float, float]) -> bool:
    return part.start < gap[0] - _GLYPH_OVERHANG * part.size and part.end > gap[1] + _GLYPH_OVERHANG * part.size


def _through_bands(lines: Sequence[Line], gaps: Sequence[tuple[float, float]]) -> Iterator[Line]:
    """Column by column where a band has them; the bands between as drawn, for cells of a table are drawn one by one."""
    drawn = {line: index for index, line in enumerate(lines)}
    others: list[Line] = []
    for band in _bands(lines, gaps):
        columns = _columns(band, gaps)
        if sum(len(column) >= _FEWEST_BAND_ROWS for column in columns) < 2:
            others.extend(band)
            continue
        yield from _top_first(sorted(others, key=drawn.__getitem__))
        others.clear()
        for column in columns:
            yield from column
    yield from _top_first(sorted(others, key=drawn.__getitem__))


def _columns(band: Sequence[Line], gaps: Sequence[tuple[float, float]]) -> list[list[Line]]:
    """The lines of a band in the columns where they lie, those that run across a gap cut."""
    columns: list[list[Line]] = [[] for _ in range(len(gaps) + 1)]
    middles = [(left + right) / 2 for left, right in gaps]
    for line in band:
        for part in _cut(line, middles):
            columns[sum(part.start >= middle - part.size for middle in middles)].append(part)
    return columns


def _cut(line: Line, middles: Sequence[float]) -> list[Line]:
    """The line's parts on either side of the gaps."""
    cells = line.close_cells
    groups: dict[int, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(sum(cell.start >= middle for middle in middles), []).append(cell)
    if len(groups) < 2:
        return [line]
    return [_line_of(line, group) for group in groups.values()]


def _line_of(line: Line, cells: Sequence[Cell]) -> Line:
    text = " ".join(cell.text for cell in cells)
    wide: list[Cell] = []
    for cell in cells:
        if wide and cell.start - wide[-1].end <= _WIDE_GAP * line.size:
            wide[-1] = Cell(f"{wide[-1].text} {cell.text}", wide[-1].start, cell.end)
        else:
            wide.append(cell)
    return replace(
        line,
        text=text,
        start=cells[0].start,
        end=cells[-1].end,
        cells=tuple(wide),
        fine_cells=tuple(cells),
        close_cells=tuple(cells),
    )


def _top_first(lines: Sequence[Line]) -> list[Line]:
    """The lines as drawn, but a run that stands above all that was drawn before it comes first: a title drawn last."""
    ordered: list[Line] = []
    for run in _runs(lines):
        top = min((line.across for line in ordered), default=float("inf"))
        is_above = bool(ordered) and run[-1].across + run[-1].size <= top
        ordered = [*run, *ordered] if is_above else [*ordered, *run]
    return ordered


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Stretches in which every line is drawn below the one before it, or beside it."""
    run: list[Line] = []
    for line in lines:
        if run and line.across < run[-1].across - _SAME_ROW * line.size:
            yield run
            run = []
        run.append(line)
    if run:
        yield run
