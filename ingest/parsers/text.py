"""Plain text, CSV, TSV and JSON -> elements over the file's own characters.

A blank line ends a paragraph; a short line with the wording of a heading is one; a table keeps its rows as they are.
Must not know chunks.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from assistant.domain import Element, ElementKind, ParsedDocument
from assistant.text import is_readable
from ingest.parsers import refusals
from ingest.parsers.draft import Origin, finish
from ingest.parsers.headings import ARTICLE_LEVEL, division_at, heading_at, is_caption, looks_like_title
from ingest.parsers.limits import ParseLimits

_RULE = re.compile(r"^\s*([=\-*_~#＝─━―・])\1{2,}\s*$")
_ROW_GROUP_CHARACTERS = 40_000
_FIELD_LIMIT_CHARACTERS = 1_000_000
_WRAPPED_CHARACTERS = 25  # a line at least this long may have been wrapped by hand
_DELIMITERS = ",\t;|"


def parse_plain(text: str, origin: Origin) -> ParsedDocument:
    """Paragraphs and guessed headings of a plain text; a first line that names it is its title."""
    title = next((line.strip() for _, line in _lines(text) if line.strip() and not _RULE.match(line)), "")
    found = title if looks_like_title(title) else None
    return finish(text, plain_elements(text, title=found), origin, titles=[found])


def plain_elements(text: str, *, title: str | None) -> list[Element]:
    """Elements of a plain text, whose first line that equals `title` is a heading of level 1."""
    return _without_contents(list(_paragraphs(list(_lines(text)), title)))


def parse_rows(text: str, origin: Origin, *, delimiter: str, limits: ParseLimits) -> ParsedDocument:
    """Rows of a CSV or TSV file as table elements of whole rows, each knowing the header row."""
    rows = list(_row_spans(text, delimiter))
    if len(rows) > limits.cell_limit:
        raise refusals.too_large(f"{limits.cell_limit:,} 行", f"{limits.cell_limit:,} rows")
    header = text[rows[0][0] : rows[0][1]].strip() if len(rows) > 1 and is_readable(text[: rows[0][1]]) else None
    elements: list[Element] = []
    for start, end in rows:
        if elements and end - elements[-1].start <= _ROW_GROUP_CHARACTERS:
            elements[-1] = Element(ElementKind.TABLE, elements[-1].start, end, header=header)
        else:
            elements.append(Element(ElementKind.TABLE, start, end, header=header))
    return finish(text, elements, origin)


def delimiter_of(text: str) -> str:
    """The mark between the cells of a CSV file: the usual one that its first lines agree on, else a comma."""
    try:
        return csv.Sniffer().sniff(text[:4096], delimiters=_DELIMITERS).delimiter
    except csv.Error:
        return ","


def _row_spans(text: str, delimiter: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each row that is not blank; a quoted cell may hold line breaks."""
    csv.field_size_limit(_FIELD_LIMIT_CHARACTERS)
    lines = io.StringIO(text, newline="\n").readlines()
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    reader = csv.reader(iter(lines), delimiter=delimiter)
    first_line = 0
    try:
        for _ in reader:
            start, end = ends[first_line], ends[reader.line_num]
            first_line = reader.line_num
            if text[start:end].strip():
                yield start, start + len(text[start:end].rstrip())
    except csv.Error as problem:
        raise refusals.corrupt("csv") from problem


def _lines(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for line in text.split("\n"):
        yield position, line
        position += len(line) + 1


def _paragraphs(lines: list[tuple[int, str]], title: str | None) -> Iterator[Element]:
    """Blocks between blank lines, cut where a heading stands on its own line; rules are no text."""
    block: tuple[int, int] | None = None
    caption: int | None = None
    for number, (position, line) in enumerate(lines):
        words = line.strip()
        begin = position + len(line) - len(line.lstrip())
        is_rule = bool(_RULE.match(line))
        is_title = title is not None and words == title
        length = 0 if is_rule or is_title else _heading_length(lines, number)
        is_caption_of_article = is_caption(words) and _next_words(lines, number).startswith("第")
        if words and not length and not is_title and not is_rule and not is_caption_of_article:
            block = (begin if block is None else block[0], begin + len(words))
            continue
        if block is not None:
            yield Element(ElementKind.TEXT, *block)
            block = None
        if is_caption_of_article:
            caption = begin
        elif is_title:
            title = None
            yield Element(ElementKind.HEADING, begin, begin + len(words), level=1)
        elif length:
            found = heading_at(words)
            level = found.level if found is not None else ARTICLE_LEVEL
            yield Element(ElementKind.HEADING, begin if caption is None else caption, begin + length, level=level + 1)
            caption = None
            rest = words[length:].lstrip()
            if rest:
                block = (begin + len(words) - len(rest), begin + len(words))
    if block is not None:
        yield Element(ElementKind.TEXT, *block)


def _heading_length(lines: list[tuple[int, str]], number: int) -> int:
    """How many characters of the line are a heading; an article whose text runs on in the next line is cut at its number."""
    words = lines[number][1].strip()
    found = heading_at(words)
    if found is None:
        return 0
    following = lines[number + 1][1].strip() if number + 1 < len(lines) else ""
    runs_on = len(words) >= _WRAPPED_CHARACTERS and following and heading_at(following) is None
    if found.level == ARTICLE_LEVEL and found.length == len(words) and runs_on:
        alone = division_at(f"{words}。")
        return alone.length if alone is not None else found.length
    return found.length


def _next_words(lines: list[tuple[int, str]], number: int) -> str:
    """The next line with words, when it begins an article."""
    following = next((line.strip() for _, line in lines[number + 1 : number + 3] if line.strip()), "")
    found = heading_at(following)
    return following if found is not None and found.level == ARTICLE_LEVEL else ""


def _without_contents(elements: list[Element]) -> list[Element]:
    """Headings of one level that follow each other without text are lines of a list, not headings."""
    kept: list[Element] = []
    for index, element in enumerate(elements):
        neighbours = elements[max(index - 1, 0) : index] + elements[index + 1 : index + 2]
        is_listed = element.kind is ElementKind.HEADING and any(
            other.kind is ElementKind.HEADING and other.level == element.level for other in neighbours
        )
        kept.append(Element(ElementKind.LIST_ITEM, element.start, element.end) if is_listed else element)
    return kept
