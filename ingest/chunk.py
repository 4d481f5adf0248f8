"""Elements -> chunks: pieces of text that can stand alone as a source.

A chunk never crosses a heading, keeps its headings in front, is cut at sentence ends, and is literally
`text[start:end]` of the version. Where a section of running text is cut, the next chunk begins with the sentence that
ended the one before it: "this" and "it" keep what they speak of. What the embedder sees has the title path in front and a table's header repeated.
The one door to langchain-text-splitters (its recursive splitter with Japanese sentence ends: it looks for blanks
otherwise and cuts words in two). Must not know parsers, embedders or the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import PurePosixPath

from langchain_text_splitters import RecursiveCharacterTextSplitter

from assistant.domain import Chunk, Element, ElementKind, ParsedDocument
from assistant.text import is_readable

CHUNKER_ID = "headings-and-sentences/2"
"""Changes when the same elements would give other chunks, so that versions are made anew."""

_LONGEST_PREFIX_CHARACTERS = 120
_LONGEST_HEADER_CHARACTERS = 200
_LONGEST_HEADING_CHARACTERS = 80
_TOLERANCE = 1.2  # 500 wanted: up to 600 stays whole
_SMALL_SHARE = 0.3  # a last piece below this joins the one before it
_LONGEST_OVERLAP_CHARACTERS = 80  # a longer sentence is not repeated
_LEFT_OUT_CHARACTERS = 40  # a parser left this much out between two elements: a chunk must not bring it back
_SEPARATORS = [
    r"\n{2,}",
    r"[。！？][」』）】]*\s*|(?<=[a-z0-9)\"'’”][.!?])\s+(?=[A-Z0-9\"'(“‘])",
    r"\n",
    r"[、，;；]",
    r"\s",
    "",
]
_SENTENCE_END = re.compile(_SEPARATORS[1])
_ENDS_SENTENCE = re.compile(r"[。！？][」』）】]*\s*$|[.!?][\"'’”)]*\s*$")
_ROW_SEPARATORS = [r"\n", *_SEPARATORS[1:]]
_HEADING_MARKUP = re.compile(r"\{#[^}]*\}|\*\*|__|`|!?\[(?P<words>[^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class _Span:
    """A stretch of text that is not divided further."""

    start: int
    end: int
    kind: ElementKind
    page: int | None = None
    header: str | None = None


@dataclass
class _Section:
    """The stretches under one heading path; `headings` of them at the start are headings."""

    path: tuple[str, ...] = ()
    spans: list[_Span] = field(default_factory=list)
    headings: int = 0

    @property
    def has_body(self) -> bool:
        """Whether anything but headings is in it."""
        return len(self.spans) > self.headings


def make_chunks(
    parsed: ParsedDocument, *, path: str, wanted_characters: int = 500, limit_characters: int = 1000
) -> list[Chunk]:
    """Chunks in reading order; `embedding_text` is never longer than `limit_characters`, and no text is left out.

    Neighbours within a section may share one sentence: a chunk's start may lie before the end of the one before it.
    `path` names the document where it has no title.
    """
    title = parsed.title.strip() or PurePosixPath(path).stem
    chunks: list[Chunk] = []
    for section in _sections(parsed):
        prefix = _prefix(title, section.path)
        room = limit_characters - len(prefix) - 1
        former: Sequence[_Span] = ()
        for group in _groups(parsed.text, section, wanted_characters, room):
            start = _overlapping_start(parsed.text, former, group, room)
            chunk = _chunk(parsed.text, group, section, prefix, len(chunks), start=start)
            former = group
            if chunk is not None:
                chunks.append(chunk)
    return chunks


def _sections(parsed: ParsedDocument) -> Iterator[_Section]:
    """One section for each heading that has text of its own; headings without text lead the next section."""
    trail: list[tuple[int, str]] = []
    section = _Section()
    former_end: int | None = None
    for element in parsed.elements:
        left_out = parsed.text[former_end : element.start] if former_end is not None else ""
        former_end = element.end
        is_gap = sum(1 for c in left_out if not c.isspace()) > _LEFT_OUT_CHARACTERS
        if element.kind is ElementKind.HEADING:
            if section.has_body or is_gap:
                yield section
                section = _Section()
            trail = [(level, words) for level, words in trail if level < element.level]
            trail.append((element.level, heading_words(parsed.text[element.start : element.end])))
            section.spans.append(_span(element))
            section.headings += 1
        else:
            if is_gap and section.spans:
                yield section
                section = _Section()
            section.spans.append(_span(element))
        section.path = tuple(words for _, words in trail)
    if section.spans:
        yield section


def heading_words(heading: str) -> str:
    """A heading as shown in a path: one line, without marks of Markdown."""
    words = _HEADING_MARKUP.sub(lambda mark: mark["words"] or "", heading)
    return " ".join(words.split())[:_LONGEST_HEADING_CHARACTERS]


def _span(element: Element) -> _Span:
    return _Span(element.start, element.end, element.kind, element.page, element.header)


def _prefix(title: str, path: Sequence[str]) -> str:
    """Title > heading > heading, cut on the left: the nearest heading says most."""
    parts = [title]
    parts.extend(words for words in path if words and words != parts[-1])
    joined = " > ".join(" ".join(part.split()) for part in parts)
    if len(joined) > _LONGEST_PREFIX_CHARACTERS:
        joined = "…" + joined[1 - _LONGEST_PREFIX_CHARACTERS :]
    return joined


def _groups(text: str, section: _Section, wanted: int, room: int) -> Iterator[list[_Span]]:
    """Stretches of a section put together to about the wanted length; its headings stay with what follows them."""
    spans = [part for span in section.spans for part in _parts(text, span, wanted, room)]
    groups: list[list[_Span]] = []
    for span in spans:
        last = groups[-1] if groups else None
        if last is not None and _fits(last, span, wanted, room):
            last.append(span)
        else:
            groups.append([span])
    if len(groups) > 1 and _reach(groups[-1]) < wanted * _SMALL_SHARE:
        joined = groups[-2] + groups[-1]
        if _reach(joined) + _header_length(joined) <= min(room, wanted * 1.6):
            groups[-2:] = [joined]
    yield from groups


def _fits(group: Sequence[_Span], span: _Span, wanted: int, room: int) -> bool:
    together = [*group, span]
    length = _reach(together)
    if length + _header_length(together) > room:
        return False
    if all(member.kind is ElementKind.HEADING for member in group):
        return True
    if any(member.header != span.header and (member.header or span.header) for member in group if member.header):
        return False
    return length <= wanted or (length <= wanted * _TOLERANCE and _reach(group) < wanted * 0.8)


def _reach(group: Sequence[_Span]) -> int:
    return group[-1].end - group[0].start


def _header_length(group: Sequence[_Span]) -> int:
    return max((len(_header(span.header)) + 1 for span in group if span.header), default=0)


def _header(header: str | None) -> str:
    return (header or "")[:_LONGEST_HEADER_CHARACTERS]


def _parts(text: str, span: _Span, wanted: int, room: int) -> list[_Span]:
    """The stretch itself when it is short enough, else its parts of about equal length, cut at sentence or row ends."""
    length = span.end - span.start
    space = room - (len(_header(span.header)) + 1 if span.header else 0)
    is_table = span.kind is ElementKind.TABLE
    if length <= min(wanted * _TOLERANCE, space * 0.8) or (span.kind is ElementKind.HEADING and length <= space):
        return [span]
    count = -(-length // wanted)
    size = min(int(length / count * 1.15) + 1, int(wanted * _TOLERANCE), space)
    pieces = _splitter(size, is_table).split_text(text[span.start : span.end])
    parts = []
    position = span.start
    for piece in pieces:
        parts.append(replace(span, start=position, end=position + len(piece)))
        position += len(piece)
    return _trimmed(text, parts)


def _trimmed(text: str, parts: list[_Span]) -> list[_Span]:
    """The parts without blanks around them."""
    kept = []
    for part in parts:
        words = text[part.start : part.end]
        start = part.start + len(words) - len(words.lstrip())
        end = part.end - (len(words) - len(words.rstrip()))
        if start < end:
            kept.append(replace(part, start=start, end=end))
    return kept


@cache
def _splitter(size: int, is_table: bool) -> RecursiveCharacterTextSplitter:  # noqa: FBT001 - both make the cache's key
    """A splitter whose pieces, put together, are the text again."""
    return RecursiveCharacterTextSplitter(
        chunk_size=size,
        chunk_overlap=0,
        separators=_ROW_SEPARATORS if is_table else _SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        strip_whitespace=False,
    )


def _overlapping_start(text: str, former: Sequence[_Span], group: Sequence[_Span], room: int) -> int:
    """Where a chunk begins: at its own text, or at the last sentence of the text before it within the section.

    Only between running text: rows of a table have their header, items of a list stand for themselves.
    """
    start = group[0].start
    if not former or any(span.kind is not ElementKind.TEXT for span in (former[-1], group[0])):
        return start
    last = text[former[-1].start : former[-1].end]
    ends = [end.end() for end in _SENTENCE_END.finditer(last) if end.end() < len(last)]
    begin = former[-1].start + (ends[-1] if ends else 0)
    is_sentence = _ENDS_SENTENCE.search(last) is not None
    fits = 0 < former[-1].end - begin <= _LONGEST_OVERLAP_CHARACTERS and group[-1].end - begin <= room
    return begin if is_sentence and fits and not any(span.header for span in group) else start


def _chunk(
    text: str, group: Sequence[_Span], section: _Section, prefix: str, ordinal: int, *, start: int
) -> Chunk | None:
    end = group[-1].end
    words = text[start:end]
    if not is_readable(text[group[0].start : end]):
        return None
    header = next((_header(span.header) for span in group if span.header), "")
    needs_header = bool(header) and header not in words
    return Chunk(
        ordinal=ordinal,
        text=words,
        start=start,
        end=end,
        page=next((span.page for span in group if span.page is not None), None),
        heading_path=section.path,
        embedding_text="\n".join([prefix, header, words] if needs_header else [prefix, words]),
    )
