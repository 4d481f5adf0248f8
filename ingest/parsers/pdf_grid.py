"""Tables of a PDF that are drawn with rules: which letters stand in which cell.

        │ 区分 │ 日数 │        rules along and across that touch each other make a grid; a cell without a rule
        ├──────┼──────┤        between it and its neighbour is one with it. What is merged downwards is said
        │ 本社 │ 10日 │        again in each row: a row must stand for itself.

A grid of a few full sentences or of empty boxes only arranges the page and is no table. Must not know lines.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

_THICKEST_POINTS = 2.5
_SHORTEST_POINTS = 4.0
_TOUCH_POINTS = 2.0
_MOST_OBJECTS = 6000  # of one page: a drawing, not a table
_FEWEST_RULES = 3
_BOX_SEGMENTS = 5  # a beginning, three sides or four, an end
_FILLED_SHARE = 0.5
_LONGEST_CELL_CHARACTERS = 300

Rule = tuple[float, float, float]
"""A rule's place, and from where to where it runs; places of rules along the page are heights."""


@dataclass(frozen=True)
class Grid:
    """Places of the rules from the left and from the bottom, and the rules themselves."""

    lefts: tuple[float, ...]
    heights: tuple[float, ...]
    upright: tuple[Rule, ...]
    level: tuple[Rule, ...]

    def holds(self, left: float, right: float, height: float) -> bool:
        """Whether a line of text lies within it."""
        is_within = self.lefts[0] - _TOUCH_POINTS <= left and right <= self.lefts[-1] + _TOUCH_POINTS
        return is_within and self.heights[0] <= height <= self.heights[-1]

    def cell_at(self, across: float, height: float) -> tuple[int, int]:
        """(row from the top, column) of the cell at a place; of cells that are one, the first."""
        column = min(max(bisect_right(self.lefts, across) - 1, 0), len(self.lefts) - 2)
        level = min(max(bisect_right(self.heights, height) - 1, 0), len(self.heights) - 2)
        while column > 0 and not _has_rule(self.upright, self.lefts[column], height):
            column -= 1
        while level < len(self.heights) - 2 and not _has_rule(self.level, self.heights[level + 1], across):
            level += 1
        return len(self.heights) - 2 - level, column

    def rows(self, words: dict[tuple[int, int], str]) -> list[list[str]]:
        """The words of each row's cells; none at all where this is no table."""
        rows = []
        for row in range(len(self.heights) - 1):
            level = len(self.heights) - 2 - row
            height = (self.heights[level] + self.heights[level + 1]) / 2
            anchors = [
                self.cell_at((left + right) / 2, height)
                for left, right in zip(self.lefts, self.lefts[1:], strict=False)
            ]
            rows.append([words.get(anchor, "") for anchor in dict.fromkeys(anchors)])
        filled = [row for row in rows if any(row)]
        cells = [cell for row in filled for cell in row]
        is_table = len(filled) > 1 and max(map(len, filled)) > 1 and sum(map(bool, cells)) >= len(cells) * _FILLED_SHARE
        return filled if is_table and max(map(len, cells)) <= _LONGEST_CELL_CHARACTERS else []


def grids_of(page: pdfium.PdfPage) -> list[Grid]:
    """The grids of two rows and two columns or more that are drawn on a page."""
    upright, level = _rules(page)
    if len(upright) < _FEWEST_RULES or len(level) < _FEWEST_RULES:
        return []
    return [grid for group in _touching(_joined(upright), _joined(level)) if (grid := _grid(*group)) is not None]


def _has_rule(rules: Sequence[Rule], place: float, at: float) -> bool:
    return any(abs(rule[0] - place) <= _TOUCH_POINTS and rule[1] - 1 <= at <= rule[2] + 1 for rule in rules)


def _rules(page: pdfium.PdfPage) -> tuple[list[Rule], list[Rule]]:
    """Thin shapes and the edges of drawn boxes, upright and level ones."""
    upright: list[Rule] = []
    level: list[Rule] = []
    count = pdfium_c.FPDFPage_CountObjects(page.raw)
    if count > _MOST_OBJECTS:
        return upright, level
    sides = [ctypes.c_float() for _ in range(4)]
    for index in range(count):
        drawn = pdfium_c.FPDFPage_GetObject(page.raw, index)
        if pdfium_c.FPDFPageObj_GetType(drawn) != pdfium_c.FPDF_PAGEOBJ_PATH:
            continue
        pdfium_c.FPDFPageObj_GetBounds(drawn, *sides)
        left, bottom, right, top = (side.value for side in sides)
        if right - left <= _THICKEST_POINTS < top - bottom:
            upright.append(((left + right) / 2, bottom, top))
        elif top - bottom <= _THICKEST_POINTS < right - left:
            level.append(((bottom + top) / 2, left, right))
        elif right - left > _THICKEST_POINTS and _is_drawn_box(drawn):
            upright += [(left, bottom, top), (right, bottom, top)]
            level += [(bottom, left, right), (top, left, right)]
    return upright, level


def _is_drawn_box(drawn: pdfium_c.FPDF_PAGEOBJECT) -> bool:
    mode, is_stroked = ctypes.c_int(), ctypes.c_int()
    is_known = pdfium_c.FPDFPath_GetDrawMode(drawn, mode, is_stroked)
    return bool(is_known and is_stroked.value) and pdfium_c.FPDFPath_CountSegments(drawn) <= _BOX_SEGMENTS


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Rules on one line that touch each other as one rule."""
    joined: list[Rule] = []
    for place, start, end in sorted((round(place), start, end) for place, start, end in rules):
        if joined and joined[-1][0] == place and start <= joined[-1][2] + _TOUCH_POINTS:
            joined[-1] = (place, joined[-1][1], max(joined[-1][2], end))
        else:
            joined.append((place, start, end))
    return [rule for rule in joined if rule[2] - rule[1] >= _SHORTEST_POINTS]


def _touching(upright: Sequence[Rule], level: Sequence[Rule]) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Groups of rules that hang together."""
    rest_upright, rest_level = list(upright), list(level)
    while rest_upright:
        ups, levels = [rest_upright.pop()], list[Rule]()
        has_grown = True
        while has_grown:
            new_levels = [one for one in rest_level if any(_touch(up, one) for up in ups)]
            levels += new_levels
            rest_level = [one for one in rest_level if one not in new_levels]
            new_ups = [up for up in rest_upright if any(_touch(up, one) for one in levels)]
            ups += new_ups
            rest_upright = [up for up in rest_upright if up not in new_ups]
            has_grown = bool(new_levels or new_ups)
        yield ups, levels


def _touch(up: Rule, level: Rule) -> bool:
    is_across = level[1] - _TOUCH_POINTS <= up[0] <= level[2] + _TOUCH_POINTS
    return is_across and up[1] - _TOUCH_POINTS <= level[0] <= up[2] + _TOUCH_POINTS


def _grid(upright: Sequence[Rule], level: Sequence[Rule]) -> Grid | None:
    lefts, heights = _places(upright), _places(level)
    if len(lefts) < _FEWEST_RULES or len(heights) < _FEWEST_RULES:
        return None
    return Grid(tuple(lefts), tuple(heights), tuple(upright), tuple(level))


def _places(rules: Sequence[Rule]) -> list[float]:
    places: list[float] = []
    for place in sorted(rule[0] for rule in rules):
        if not places or place - places[-1] > _TOUCH_POINTS + 1:
            places.append(place)
    return places
