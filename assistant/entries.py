"""What each line of a source is: a sentence, an entry of a list or table, or only a heading; and what an entry stands below.

text -> sentences, each with its list number -> Line(place, kind, opener, header)

An entry is rarely a sentence (「情報システム部：1004」), and says only half: the line that opens its list, and the first row of
its table, say what it is about. Pure; must not know questions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from assistant.support import is_list_mark, is_statement
from assistant.text import is_readable, sentence_spans

_ITEM = re.compile(
    r"(?:[・•●○◯■□▪※◆◇×✓✔☐☑]|[-+*][ \t]|[①-⑳]|[(（]?[0-9０-９]{1,3}[.)）．](?![0-9０-９])|[(（]?[a-zア-コ][.)）．]"
    r"|(?:step|手順)[ \t]?[0-9０-９])\s{0,4}\S",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"[^\s:：。=＝…]{1,40}(?:[ \t\u3000][^\s:：。=＝…]{1,40}){0,5}[ \t\u3000]?(?:[:：](?!//)|[=＝]|…)[\s…]{0,3}\S"
)
_NUMBERED = re.compile(r"[^\s\d][ \t\u3000]{1,4}[(（+¥￥$€£]?[0-9０-９]")
_DIVISION = re.compile(r"第|(?:article|section|chapter|part|appendix|no|table|fig(?:ure)?)\b", re.IGNORECASE)
_CELLS = re.compile(r",(?!\s|$|\d{3}(?!\d))")
"""Commas between values; 12,000 is one."""
_LEADS_ON = re.compile(
    "次の(?:表|とおり|通り|各号|もの|い?ずれか)|次に掲げる|(?:^|[ぁ-ん、。])以下の|下記|下表|[:：]$"
    r"|\bas follows\b|\bthe following\b(?! (?:day|month|year|week|morning)\b)"
    r"|\b(?:listed|shown|given|described|set out|tables?|lists?|steps?) below\b|\bbelow[.:]?$",
    re.IGNORECASE,
)
_BEGINS_WITH_FIGURE = re.compile(r"[^|\t,]{0,40}[0-9０-９]")
"""A first row whose first cell has a figure is a row like the others: the rest of a table that was cut."""
_FULL_STOPS = ("。", "．", "｡", ".", "!", "！")
_PAIR_CHARACTERS = 80
"""A longer line with a colon is a sentence that has one."""
_LEAST_COMMAS = 2
"""From so many commas without a blank behind them a line is a row of comma-separated values."""


class Kind(Enum):
    """What a line is."""

    SENTENCE = auto()
    ROW = auto()
    ENTRY = auto()
    """An item, a key with its value, a word with its number."""
    RULE = auto()
    """Marks alone, as below the first row of a table in Markdown."""
    HEADING = auto()
    """States nothing: a heading, a question, a caption."""


@dataclass(frozen=True)
class Line:
    """One line of a source with the places, among its lines, of the one that opens its list and of its table's first row."""

    start: int
    end: int
    text: str
    kind: Kind
    opener: int | None = None
    header: int | None = None

    @property
    def is_entry(self) -> bool:
        """Whether it is a part of a list or table."""
        return self.kind in {Kind.ROW, Kind.ENTRY}

    @property
    def states(self) -> bool:
        """Whether it says something that can be quoted by itself."""
        return self.is_entry or self.kind is Kind.SENTENCE

    @property
    def above(self) -> list[int]:
        """What tells what it is about, in their order."""
        return [place for place in (self.opener, self.header) if place is not None]

    @property
    def is_finished(self) -> bool:
        """Whether it ends as a sentence does."""
        return self.text.endswith(_FULL_STOPS)

    @property
    def leads_on(self) -> bool:
        """Whether it says that what it means comes next."""
        return _LEADS_ON.search(self.text) is not None


def lines_of(text: str, headings: Sequence[str]) -> list[Line]:
    """The lines of a passage that stands below `headings`, in their order; one at least."""
    found: list[Line] = []
    opener: int | None = None
    header: int | None = None
    is_in_table = False
    for start, end in _with_their_marks(text):
        line = Line(start, end, text[start:end], _kind_of(text[start:end], headings))
        place = len(found)
        if line.is_entry:
            line = replace(line, opener=opener, header=header if line.kind is Kind.ROW and is_in_table else None)
        if line.kind is Kind.ROW and not is_in_table:
            header = None if _BEGINS_WITH_FIGURE.match(line.text) else place
        if line.kind is not Kind.RULE:
            is_in_table = line.kind is Kind.ROW
            opener = opener if _goes_on(line, opener, found) else place
        found.append(line)
    return found


def _with_their_marks(text: str) -> list[tuple[int, int]]:
    """The sentences; a list's number that stands by itself, as in text of PDFs, belongs to the next."""
    spans: list[tuple[int, int]] = []
    begun: int | None = None
    for start, end in sentence_spans(text):
        if is_list_mark(text[start:end]):
            begun = start if begun is None else begun
            continue
        spans.append((start if begun is None else begun, end))
        begun = None
    return spans or [(0, len(text.rstrip()))]


def _kind_of(line: str, headings: Sequence[str]) -> Kind:
    if not is_readable(line):
        return Kind.RULE
    if line.endswith(("?", "？")) or line.startswith("#"):
        return Kind.HEADING
    if " ".join(line.split()) in headings:
        return Kind.SENTENCE if is_statement(line) else Kind.HEADING
    if "|" in line.strip("| \t") or "\t" in line or (len(_CELLS.findall(line)) >= _LEAST_COMMAS and "。" not in line):
        return Kind.ROW
    if _ITEM.match(line) or (len(line) <= _PAIR_CHARACTERS and not line.endswith("。") and _is_pair(line)):
        return Kind.ENTRY
    return Kind.SENTENCE if is_statement(line) else Kind.HEADING


def _is_pair(line: str) -> bool:
    if _PAIR.match(line):
        return True
    return not _DIVISION.match(line) and not is_statement(line) and _NUMBERED.search(line) is not None


def _goes_on(line: Line, opener: int | None, before: Sequence[Line]) -> bool:
    """Whether what opens the entries stays what it was: within a list, and over sentences between 「次の表のとおり」 and the table."""
    if line.leads_on or line.kind is Kind.HEADING:
        return False
    return line.is_entry or (opener is not None and before[opener].leads_on and not before[-1].is_entry)
