"""From what a parser saw to one text with elements in it; every element is literally `text[start:end]`.

Two ways in: `assemble` for formats whose text is put together here (office, PDF, HTML, mail), and `finish` for text
formats whose characters stay the file's own. Must not know any format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from assistant.domain import Element, ElementKind, ParsedDocument
from assistant.text import is_readable
from ingest.parsers import refusals
from ingest.parsers.headings import ARTICLE_LEVEL
from ingest.parsers.kinds import Kind
from ingest.parsers.limits import Notes

_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ue000-\uf8ff\u00ad\u200b]")
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_EDGES = re.compile(r" *\n *")
_LONGEST_TITLE_CHARACTERS = 120
_ARTICLE_RUN = 3  # two explained articles may share one text, three never do
_NUMBERED_RUN = 2  # 1. … 2. … without text between them is a list


@dataclass(frozen=True)
class Piece:
    """One thing that a parser saw, not yet placed. `joined` keeps it on the line of the piece before it.

    `is_guess` marks a heading told from its wording: a run of such headings without text between is a table of contents.
    """

    kind: ElementKind
    text: str
    level: int = 0
    page: int | None = None
    header: str | None = None
    joined: bool = False
    is_guess: bool = False


@dataclass(frozen=True)
class Origin:
    """Where a text comes from and what is known of it besides."""

    relative_path: str
    kind: Kind
    parser: str
    pages: int | None = None
    encoding: str | None = None
    notes: Notes | None = None


HIDDEN_READ = "hidden_parts_read"
"""Note of a file whose hidden parts are in its text, because a rule of the folder says so."""


HIDDEN_KINDS = (
    "hidden_sheets", "hidden_rows", "hidden_columns", "hidden_slides", "hidden_texts", "comments", "tracked_deletions",
)  # fmt: skip
"""Notes that count what a reader does not see."""


def hidden_notes(counts: Mapping[str, int], *, were_read: bool) -> dict[str, str | int | float]:
    """How many hidden parts there are, by kind, and whether they were read; nothing where there are none."""
    found: dict[str, str | int | float] = {name: count for name, count in counts.items() if count}
    return {**found, HIDDEN_READ: 1} if found and were_read else found


def counted_hidden(notes: Notes) -> dict[str, int]:
    """The counts of hidden parts among a file's notes, by kind."""
    return {name: count for name in HIDDEN_KINDS if isinstance(count := notes.get(name), int)}


def tidy(text: str) -> str:
    """The text without control characters, with single blanks and `\\n` as the only line break."""
    text = _UNWANTED.sub("", _LINE_BREAKS.sub("\n", text))
    return _EDGES.sub("\n", _BLANKS.sub(" ", text)).strip()


def assemble(pieces: Iterable[Piece], origin: Origin, *, titles: Sequence[str | None] = ()) -> ParsedDocument:
    """One text of all pieces. `titles` are candidates before the first heading; the file's name is the last resort."""
    parts: list[str] = []
    elements: list[Element] = []
    length = 0
    former: Piece | None = None
    for piece in without_contents_runs([p for p in pieces if p.text.strip()]):
        gap = _gap(former, piece)
        start = length + len(gap)
        parts += (gap, piece.text)
        length = start + len(piece.text)
        elements.append(Element(piece.kind, start, length, level=piece.level, page=piece.page, header=piece.header))
        former = piece
    return finish("".join(parts), elements, origin, titles=titles)


def finish(
    text: str, elements: Sequence[Element], origin: Origin, *, titles: Sequence[str | None] = ()
) -> ParsedDocument:
    """The parsed document; raises UnreadableDocument(NO_TEXT) when no element holds a letter."""
    if not any(is_readable(text[element.start : element.end]) for element in elements):
        raise refusals.no_text()
    return ParsedDocument(
        title=_title(text, elements, origin, titles),
        text=text,
        elements=tuple(elements),
        parser=origin.parser,
        media_type=origin.kind.value,
        pages=origin.pages,
        encoding=origin.encoding,
        notes=dict(origin.notes or {}),
    )


def appended(parsed: ParsedDocument, name: str, other: ParsedDocument) -> ParsedDocument:
    """`parsed`, then a heading `name`, then the whole of `other` below it; pages of `other` are none of this file's."""
    start = len(parsed.text) + 2
    shift = start + len(name) + 1
    below = [
        replace(
            element,
            start=element.start + shift,
            end=element.end + shift,
            level=element.level + 1 if element.kind is ElementKind.HEADING else 0,
            page=None,
        )
        for element in other.elements
    ]
    heading = Element(ElementKind.HEADING, start, start + len(name), level=1)
    return replace(parsed, text=f"{parsed.text}\n\n{name}\n{other.text}", elements=(*parsed.elements, heading, *below))


def without_contents_runs(pieces: Sequence[Piece]) -> list[Piece]:
    """Guessed headings of one level that follow each other without text become list items."""
    kept: list[Piece] = []
    index = 0
    while index < len(pieces):
        end = index + 1
        while end < len(pieces) and _same_guess(pieces[index], pieces[end]):
            end += 1
        run = pieces[index:end]
        if len(run) >= (_ARTICLE_RUN if run[0].level <= ARTICLE_LEVEL else _NUMBERED_RUN):
            run = [replace(piece, kind=ElementKind.LIST_ITEM, level=0) for piece in run]
        kept.extend(run)
        index = end
    return kept


def _same_guess(first: Piece, second: Piece) -> bool:
    both = first.kind is second.kind is ElementKind.HEADING
    return both and first.is_guess and second.is_guess and first.level == second.level


def _gap(former: Piece | None, piece: Piece) -> str:
    if former is None:
        return ""
    if piece.joined:
        return " "
    is_list = former.kind is piece.kind and piece.kind in (ElementKind.LIST_ITEM, ElementKind.TABLE)
    return "\n" if is_list or former.kind is ElementKind.HEADING else "\n\n"


def _title(text: str, elements: Sequence[Element], origin: Origin, titles: Sequence[str | None]) -> str:
    first_heading = next((text[e.start : e.end] for e in elements if e.kind is ElementKind.HEADING), None)
    for candidate in (*titles, first_heading):
        line = " ".join((candidate or "").split())
        if line and is_readable(line):
            return line[:_LONGEST_TITLE_CHARACTERS]
    return PurePosixPath(origin.relative_path).stem
