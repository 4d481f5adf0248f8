"""Markdown -> elements over the file's own characters: what is quoted later is literally in the file.

markdown-it-py reads the blocks (CommonMark with tables), because it says which lines each block takes. Front matter
gives the title and stays outside the elements, as do comments. Must not know chunks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.domain import Element, ElementKind, ParsedDocument
from assistant.text import is_readable
from ingest.parsers.draft import Origin, finish

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_TITLE_LINE = re.compile(r"^title:[ \t]*(?P<title>.+)$", re.MULTILINE)
_HEADING_TEXT = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+(?P<text>.*?)(?:[ \t]+#+)?[ \t]*$")
_COMMENT = re.compile(r"\A\s*<!--.*?-->\s*\Z", re.DOTALL)
_TABLE_RULE = re.compile(r"^[\s|:-]+$")
_KINDS = {
    "paragraph_open": ElementKind.TEXT,
    "blockquote_open": ElementKind.TEXT,
    "fence": ElementKind.TEXT,
    "code_block": ElementKind.TEXT,
    "html_block": ElementKind.TEXT,
    "table_open": ElementKind.TABLE,
    "list_item_open": ElementKind.LIST_ITEM,
}


def parse_markdown(text: str, origin: Origin) -> ParsedDocument:
    """Elements of a Markdown text with `\\n` line ends; a file of front matter alone is that text."""
    front = _FRONT_MATTER.match(text)
    body_start = front.end() if front is not None else 0
    elements = list(_elements(text, body_start))
    if front is not None and not any(is_readable(text[e.start : e.end]) for e in elements):
        elements = [Element(ElementKind.TEXT, front.start("yaml"), front.end("yaml"))]
    return finish(text, elements, origin, titles=[_front_title(front["yaml"])] if front is not None else [])


def _front_title(front: str) -> str | None:
    try:
        values = yaml.safe_load(front)
    except yaml.YAMLError:
        line = _TITLE_LINE.search(front)
        return line["title"].strip("\"' ") if line is not None else None
    title = values.get("title") if isinstance(values, dict) else None
    return str(title) if isinstance(title, str | int) else None


def _elements(text: str, body_start: int) -> Iterator[Element]:
    body = text[body_start:]
    offsets = [body_start]
    for line in body.split("\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    depth = 0
    for token in _blocks(body):
        is_item = token.type == "list_item_open" and token.level == 1
        if token.map is None or (token.level > 0 and not is_item):
            continue
        start, end = _trimmed(text, offsets[token.map[0]], min(offsets[token.map[1]], len(text)))
        if token.type == "heading_open":
            depth = int(token.tag[1:])
            start, end = _heading_span(text, start, end)
            if start < end:
                yield Element(ElementKind.HEADING, start, end, level=depth)
        elif token.type in _KINDS and start < end and not _COMMENT.match(text[start:end]):
            kind = _KINDS[token.type]
            header = _header(text[start:end]) if kind is ElementKind.TABLE else None
            yield Element(kind, start, end, header=header)


def _blocks(body: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(body)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def _heading_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The words of a heading: without `#`, and without the rule under a setext heading."""
    block = text[start:end]
    marked = _HEADING_TEXT.match(block)
    if marked is not None:
        return start + marked.start("text"), start + marked.end("text")
    words = block.rpartition("\n")[0].rstrip()
    return start, start + len(words)


def _header(table: str) -> str | None:
    """The header row of a table as the file has it, when the rule below it says that it is one."""
    first, _, rest = table.partition("\n")
    has_rule = bool(_TABLE_RULE.match(rest.partition("\n")[0]))
    return first.strip() if has_rule and is_readable(first) else None
