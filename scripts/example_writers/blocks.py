"""The small markup of ``example_texts`` read into blocks; knows no file format."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["title", "heading", "subheading", "paragraph", "bullet", "right", "remark", "table", "page"]

_MARKS: dict[str, Kind] = {
    "### ": "subheading",
    "## ": "heading",
    "# ": "title",
    "- ": "bullet",
    "@ ": "right",
    "> ": "remark",
}
# A numbered clause (「2 前項…」) or a question of an FAQ begins a paragraph of its own.
_OWN_LINE = re.compile(r"^(\d{1,2} |[QA]\. )(?=[^\x00-\x7f])")


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, list item, table or page break, in reading order."""

    kind: Kind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def read_blocks(markup: str) -> list[Block]:
    """Return the blocks of a text in reading order; lines that follow one another become one paragraph."""
    return list(_blocks(markup.strip().splitlines()))


def read_slides(markup: str) -> list[list[Block]]:
    """Return one list of blocks per ``#`` title, the title first."""
    slides: list[list[Block]] = []
    for block in read_blocks(markup):
        if block.kind == "title":
            slides.append([])
        slides[-1].append(block)
    return slides


def is_wide(character: str) -> bool:
    """True for a character that takes two columns, as Japanese ones do."""
    return unicodedata.east_asian_width(character) in "WF"


def _blocks(lines: list[str]) -> Iterator[Block]:
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        mark = next((mark for mark in _MARKS if line.startswith(mark)), None)
        if not line:
            continue
        if line == "---":
            yield Block("page")
        elif line.startswith("|"):
            rows = [_cells(line)]
            while position < len(lines) and lines[position].startswith("|"):
                rows.append(_cells(lines[position]))
                position += 1
            yield Block("table", rows=tuple(rows))
        elif mark is not None:
            text = line.removeprefix(mark)
            if mark == "> ":
                while position < len(lines) and lines[position].startswith("> "):
                    text = _joined(text, lines[position].removeprefix("> "))
                    position += 1
            yield Block(_MARKS[mark], text)
        else:
            while position < len(lines) and _continues(lines[position]):
                line = _joined(line, lines[position])
                position += 1
            yield Block("paragraph", line)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def _continues(line: str) -> bool:
    starts_block = line.startswith((*_MARKS, "|", "---"))
    return bool(line) and not starts_block and _OWN_LINE.match(line) is None


def _joined(before: str, after: str) -> str:
    """Japanese lines are joined without a blank, English ones with one."""
    return before + ("" if is_wide(before[-1]) or is_wide(after[0]) else " ") + after
