"""Lines of a whole PDF -> headings and paragraphs: margins out, wrapped lines joined, headings told apart.

A heading is what a bookmark names, what is set larger than the body, what is bold and alone on a short line, or what is
worded as one (第N条 …). Joining Japanese lines leaves no blank; English ones get one. Must not know pdfium.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.domain import ElementKind
from ingest.parsers.draft import Piece
from ingest.parsers.headings import (
    ARTICLE_LEVEL,
    division_at,
    heading_at,
    is_caption,
    is_contents_line,
    looks_like_title,
)
from ingest.parsers.pdf_lines import Line, without_spaced_letters
from ingest.parsers.pdf_tables import table_at

Outline = Mapping[tuple[int, str], int]
"""Bookmarks: (page, squeezed title) -> depth, 0 = top."""

_MARGIN_SHARE = 0.12
_PAGE_NUMBER = re.compile(
    r"^(?:page|p\.?|頁|ページ)?[-–—−‐(（\[\s]*#(?:[/／]#|of#|頁|ページ)?[-–—−‐)）\]\s]*$", re.IGNORECASE
)
_OWN_NUMBER = re.compile(r"^[0-9]+|[0-9]+(?:[/／][0-9]+)?(?=[-–—‐)）\]頁]*$)|^[ivxlc]+$|(?<=^[-–—‐(（p])[0-9]+")
_LARGER = 1.1  # 12 pt headings over 10.6 pt text are 1.13
_LONGEST_HEADING_CHARACTERS = 60
_LONGEST_LARGE_CHARACTERS = 120  # more in one block of large letters are a paragraph set larger, not a heading
_SIZE_RANKS = 4
_SENTENCE_END = ("。", "．", "！", "？", "!", "?", "：", ":", "；", ";", "、", "，", ",")
_PARAGRAPH_END = ("。", "！", "？", "」", "：", ":")
_ITEM_START = re.compile(
    r"^(?:[•・●○◯■□◆◇▪‣※＊*✓✔➢▶►–—]|[①-⑳㉑-㉟ⓐ-ⓩ❶-❿]|[（(][0-9０-９ア-ンa-zA-Zｱ-ﾝ一二三四五六七八九十]{1,2}[）)]"
    r"|[0-9０-９]{1,2}[.．)）][ \u3000]?(?=[^0-9０-９])|[0-9０-９]{1,2}[ \u3000](?=[^\s0-9０-９])|[ア-ン][ \u3000]|[-−] "
    r"|[［\[【]|[一二三四五六七八九十]{1,2}[ \u3000])"
)
_BULLET_OR_ADDRESS = re.compile(r"[•・●○◯▪‣➢►✓✔] ?|https?://")
_WIDE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
_ODD_BOLD_SHARE = 0.2
_CONTENTS_LINES = 3
_NEIGHBOURS = 6
_COVER_LINES = 12
_COVER_SHARE = 0.7
_CONTENTS_TITLE = re.compile(r"^(?:toc)?目次$|^(?:tableof)?contents$|^もくじ$")


@dataclass(frozen=True)
class Look:
    """What is ordinary in this document: the body's size, its letters, and the larger sizes, largest first."""

    body_size: float
    is_gothic: bool
    larger_sizes: tuple[float, ...]
    bold_is_rare: bool


def pieces_of(lines: Sequence[Line], outline: Outline) -> list[Piece]:
    """Headings, paragraphs and list items of lines in reading order, with the page on which each begins."""
    return _Reader(lines, outline).read()


def without_margins(lines: Sequence[Line]) -> list[Line]:
    """The lines without repeated page headers, footers and page numbers; what is set larger than the body stays."""
    pages = {line.page for line in lines}
    largest = _body_size(lines) * _LARGER
    seen: dict[tuple[str, bool], set[int]] = defaultdict(set)
    for line in lines:
        if abs(line.edge) <= _MARGIN_SHARE:
            seen[_margin_key(line)].add(line.page)
    often = 2 if len(pages) <= 3 else max(3, len(pages) * 0.3)
    numbers = {key for key, where in seen.items() if len(where) >= 2 and _PAGE_NUMBER.match(key[0])}
    repeated = {key for key, where in seen.items() if len(where) >= often}
    return [
        line
        for line in lines
        if abs(line.edge) > _MARGIN_SHARE
        or _margin_key(line) not in (numbers if line.size > largest else numbers | repeated)
    ]


def squeezed(text: str) -> str:
    """Text for comparing a bookmark with a line: NFKC, no blanks, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def _margin_key(line: Line) -> tuple[str, bool]:
    return _OWN_NUMBER.sub("#", squeezed(line.text)), line.edge > 0


def _body_size(lines: Sequence[Line]) -> float:
    """The size in which most characters are set, in points."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _look(lines: Sequence[Line]) -> Look:
    body = _body_size(lines)
    body_lines = [line for line in lines if abs(line.size - body) <= 0.5]
    larger = sorted({round(line.size) for line in lines if line.size > body * _LARGER and _may_be_heading(line.text)})
    characters = sum(len(line.text) for line in body_lines) or 1
    gothic = sum(len(line.text) for line in body_lines if line.is_gothic)
    bold = sum(len(line.text) for line in body_lines if line.is_bold)
    return Look(
        body_size=body,
        is_gothic=gothic > characters / 2,
        larger_sizes=tuple(float(size) for size in reversed(larger)),
        bold_is_rare=bold < characters * _ODD_BOLD_SHARE,
    )


def _contents_pages(lines: Sequence[Line]) -> frozenset[int]:
    leaders = Counter(line.page for line in lines if is_contents_line(line.text))
    sure = {page for page, count in leaders.items() if count >= _CONTENTS_LINES}
    return frozenset(page for page in leaders if sure & {page - 1, page, page + 1})


def _right_edges(lines: Sequence[Line]) -> list[float]:
    """For each line, how far the lines of its own column around it reach."""
    edges = []
    for index, line in enumerate(lines):
        around = lines[max(index - _NEIGHBOURS, 0) : index + _NEIGHBOURS + 1]
        column = sorted(
            other.end
            for other in around
            if other.page == line.page and other.start < line.end and other.end > line.start
            and abs(other.start - line.start) <= 4 * line.size
        )  # fmt: skip
        edges.append(column[max(int(len(column) * 0.9) - 1, 0)] if column else line.end)
    return edges


def _may_be_heading(text: str) -> bool:
    return (
        len(text) <= _LONGEST_HEADING_CHARACTERS
        and not text.endswith(_SENTENCE_END)
        and not is_contents_line(text)
        and sum(c.isalpha() for c in text) >= 2
        and not _BULLET_OR_ADDRESS.match(text)
    )


class _Reader:
    """Goes through the lines once and collects pieces."""

    def __init__(self, lines: Sequence[Line], outline: Outline) -> None:
        self._lines = lines
        self._outline = outline
        self._look = _look(lines)
        self._ranks = min(len(self._look.larger_sizes), _SIZE_RANKS)
        self._contents_pages = _contents_pages(lines)
        self._right_edges = _right_edges(lines)
        cover = [line for line in lines if line.page == 1]
        large = [self._size_level(line) for line in cover if self._is_large(line)]
        is_cover = bool(large) and len(cover) <= _COVER_LINES and len(large) >= len(cover) * _COVER_SHARE
        self._cover = (
            1 if is_cover else None
        )  # on a cover only the largest line is a heading: the rest are date and author
        self._cover_level = min(large, default=1)
        self._pieces: list[Piece] = []

    def read(self) -> list[Piece]:
        """All pieces in reading order."""
        index = 0
        while index < len(self._lines):
            table = table_at(self._lines, index) if _may_be_table(self._lines[index]) else None
            if table is not None:
                self._pieces.append(table[0])
                index = table[1]
                continue
            level = self._heading_level(index)
            index = self._take_paragraph(index) if level is None else self._take_heading(index, level)
        return self._pieces

    def _heading_level(self, index: int) -> int | None:
        """The level of the heading that the line is or begins, or None."""
        line = self._lines[index]
        if line.page in self._contents_pages:
            return max(self._ranks, 1) if _CONTENTS_TITLE.match(squeezed(line.text)) else None
        if self._is_large(line) and _may_be_heading(line.text) and not self._is_in_large_paragraph(index):
            level = self._size_level(line)
            return level if line.page != self._cover or level == self._cover_level else None
        depth = self._outline.get((line.page, squeezed(line.text)))
        if depth is not None:
            return self._ranks + depth + 1
        if is_caption(line.text) and index + 1 < len(self._lines) and _is_article(self._lines[index + 1]):
            return self._ranks + ARTICLE_LEVEL
        found = heading_at(without_spaced_letters(line.text))
        stands_out = self._stands_out(line)
        is_dotted = found is not None and ARTICLE_LEVEL + 2 <= found.level <= ARTICLE_LEVEL + 4
        if found is not None and (found.level <= ARTICLE_LEVEL or is_dotted or stands_out):
            return self._ranks + found.level
        if stands_out and _may_be_heading(line.text) and len(line.text) <= _LONGEST_HEADING_CHARACTERS / 2:
            return self._ranks + ARTICLE_LEVEL + 4
        return None

    def _size_level(self, line: Line) -> int:
        size, sizes = float(round(line.size)), self._look.larger_sizes
        return min(sizes.index(size) if size in sizes else 0, _SIZE_RANKS - 1) + 1

    def _is_large(self, line: Line) -> bool:
        return line.size > self._look.body_size * _LARGER

    def _is_in_large_paragraph(self, index: int) -> bool:
        """Whether the line and those directly above and below, set alike, are too long for a heading."""
        first = last = index
        while first > 0 and index - first < _NEIGHBOURS and _is_set_alike(self._lines[first - 1], self._lines[first]):
            first -= 1
        while last + 1 < len(self._lines) and last - index < _NEIGHBOURS:
            if not _is_set_alike(self._lines[last], self._lines[last + 1]):
                break
            last += 1
        characters = sum(len(line.text) for line in self._lines[first : last + 1])
        is_sentence = self._lines[last].text.endswith(_PARAGRAPH_END) and characters > _LONGEST_HEADING_CHARACTERS
        return is_sentence or characters > _LONGEST_LARGE_CHARACTERS

    def _stands_out(self, line: Line) -> bool:
        """Bold in a document that is not bold, or Gothic letters among Mincho ones."""
        return (line.is_bold and self._look.bold_is_rare) or (line.is_gothic and not self._look.is_gothic)

    def _take_heading(self, index: int, level: int) -> int:
        """Adds the heading that begins at `index` (and its body's first words) and returns where to go on."""
        line = self._lines[index]
        if self._is_large(line):
            return self._take_large_heading(index, level)
        text, caption = without_spaced_letters(line.text), ""
        if is_caption(line.text):
            caption, index = f"{text}\n", index + 1
            text = without_spaced_letters(self._lines[index].text)
        found = heading_at(text)
        length = found.length if found is not None else len(text)
        if found is not None and self._is_full(index) and self._runs_on(index):
            length = (division_at(f"{text}。") or found).length  # the title is the article's first line of text
        self._pieces.append(
            Piece(ElementKind.HEADING, caption + text[:length].rstrip(), level=level, page=line.page, is_guess=True)
        )
        if text[length:].strip():
            self._pieces.append(Piece(ElementKind.TEXT, text[length:].strip(), page=line.page, joined=True))
        return index + 1

    def _take_large_heading(self, index: int, level: int) -> int:
        line = self._lines[index]
        text = without_spaced_letters(line.text)
        index += 1
        while index < len(self._lines) and _continues_title(
            self._lines[index - 1], self._lines[index], is_cover=level == 1 and line.page == 1
        ):
            text += _glue(text, self._lines[index].text) + self._lines[index].text
            index += 1
        self._pieces.append(Piece(ElementKind.HEADING, text, level=level, page=line.page))
        return index

    def _take_paragraph(self, index: int) -> int:
        """Adds the paragraph that begins at `index`, or goes on with the text after an article's heading."""
        text, page = without_spaced_letters(self._lines[index].text), self._lines[index].page
        goes_on = bool(self._pieces) and self._pieces[-1].joined and self._continues(index)
        if goes_on:
            former = self._pieces.pop()
            text, page = former.text + _glue(former.text, text) + text, former.page or page
        index += 1
        while index < len(self._lines) and self._continues(index) and self._heading_level(index) is None:
            words = without_spaced_letters(self._lines[index].text)
            text += _glue(text, words) + words
            index += 1
        kind = ElementKind.LIST_ITEM if _ITEM_START.match(text) and not goes_on else ElementKind.TEXT
        self._pieces.append(Piece(kind, text, page=page, joined=goes_on))
        return index

    def _is_full(self, index: int) -> bool:
        line = self._lines[index]
        return line.end >= self._right_edges[index] - 1.6 * line.size or line.text.endswith(("、", "，", ","))

    def _runs_on(self, index: int) -> bool:
        return index + 1 < len(self._lines) and self._continues(index + 1)

    def _continues(self, index: int) -> bool:
        """Whether the line goes on with the sentence of the line before: that one was full and did not end."""
        former, line = self._lines[index - 1], self._lines[index]
        if former.rows or line.rows:
            return False
        has_ended = former.text.endswith(_PARAGRAPH_END) and not _is_open(former.text)
        if has_ended or _ITEM_START.match(line.text) or is_contents_line(former.text):
            return False
        if abs(former.size - line.size) > 0.12 * max(former.size, line.size):
            return False
        if line.page != former.page:
            return line.page == former.page + 1 and self._is_full(index - 1) and len(former.text) > 10
        step = line.across - former.across
        if abs(step) < 0.5 * line.size:
            return (
                0 <= line.start - former.end < 1.5 * line.size
            )  # one printed line in two parts; farther off is a table cell
        if len(line.cells) > 1 and table_at(self._lines, index) is not None:
            return False
        is_near = 0 < step <= 2.2 * line.size and -4 * line.size <= line.start - former.start <= 6 * line.size
        return is_near and (self._is_full(index - 1) or _is_wrapped_latin(former, self._right_edges[index - 1]))


def _may_be_table(line: Line) -> bool:
    return len(line.cells) > 1 or bool(line.rows)


def _is_open(text: str) -> bool:
    """A bracket is still open: 。 within it ends no paragraph."""
    return text.count("（") > text.count("）") or text.count("「") > text.count("」")


def _is_article(line: Line) -> bool:
    found = heading_at(without_spaced_letters(line.text))
    return found is not None and found.level == ARTICLE_LEVEL


def _continues_title(former: Line, line: Line, *, is_cover: bool) -> bool:
    """A large heading on two lines: the same size, directly below, and not numbered again; on a cover it may be short."""
    is_below = 0 < line.across - former.across <= former.size * 1.8 and line.page == former.page
    is_alike = abs(line.size - former.size) < 0.3 and abs(line.start - former.start) <= 2 * line.size
    return is_below and is_alike and (is_cover or len(former.text) >= 15) and heading_at(line.text) is None


def _is_set_alike(upper: Line, lower: Line) -> bool:
    is_below = 0 < lower.across - upper.across <= 2.2 * upper.size and lower.page == upper.page
    return is_below and abs(lower.size - upper.size) < 0.3


def _is_wrapped_latin(former: Line, edge: float) -> bool:
    """English wraps at words, so that a full line may end well before the edge."""
    return not _WIDE.search(former.text[-1:]) and not former.text.endswith(".") and former.end >= edge * 0.8


def _glue(former: str, following: str) -> str:
    if not former or not following or _WIDE.match(former[-1]) or _WIDE.match(following[0]):
        return ""
    return "" if former.endswith(("-", "/")) and following[0].islower() and former[-2:-1].isalpha() else " "


def paragraphs_of_scan(paragraphs: Sequence[str], page: int) -> Iterator[Piece]:
    """Pieces of one recognised page, whose letters have no size: headings by wording alone, the first line as title."""
    rest = list(paragraphs)
    title, _, below = rest[0].partition("\n") if rest else ("", "", "")
    if page == 1 and looks_like_title(title):
        yield Piece(ElementKind.HEADING, title, level=1, page=page)
        rest[:1] = [below] if below else []
    for text in rest:
        found = heading_at(text) if "\n" not in text else None
        if found is None:
            yield Piece(ElementKind.LIST_ITEM if _ITEM_START.match(text) else ElementKind.TEXT, text, page=page)
            continue
        yield Piece(ElementKind.HEADING, text[: found.length], level=found.level + 1, page=page, is_guess=True)
        if text[found.length :].strip():
            yield Piece(ElementKind.TEXT, text[found.length :].strip(), page=page, joined=True)
