"""Headings told from their wording, for texts whose own marks of headings are missing or meaningless.

第N章, 第N条（見出し）, 1. / 1.1, （１）, ■ and 【】 are headings when they stand alone on a short line; the same characters
in a sentence (第5条の規定により …) are not. Must not know any file format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"[0-9０-９一二三四五六七八九十百千〇]+"
_DIVISIONS = {"編": 1, "部": 1, "章": 2, "節": 3, "款": 4, "条": 5}
ARTICLE_LEVEL = _DIVISIONS["条"]
_DIVISION = re.compile(rf"^第[ \u3000]?{_NUMBER}[ \u3000]?([編部章節款条])(?:の[ \u3000]?{_NUMBER}(?![0-9０-９項号]))?")
_CAPTION = re.compile(r"^[ \u3000]*(?:[（(][^（）()]{1,40}[）)]|【[^【】]{1,40}】)")
_CAPTION_ALONE = re.compile(r"^[（(][^（）()]{1,40}[）)]$")
_IN_SENTENCE = re.compile(
    r"^(?:[のにはがをとでもへ、，,。）)」』】]|から|まで|及び|又は|並びに|若しくは|ただし|各号"
    r"|第[0-9０-９一二三四五六七八九十]|[0-9０-９]*項)"
)
_NUMBERED = re.compile(
    r"^(?P<number>[0-9０-９]{1,2}(?:[.．][0-9０-９]{1,2}){0,3})(?P<mark>[.．、]?)(?P<blank>[ \u3000]*)"
    r"[^\s\d０-９.．,，:：/／%％].*$"
)
_EXAMPLE = re.compile(r"^[［\[]例[ \u3000]?[0-9０-９一二三四五六七八九十]{0,2}[］\]][ \u3000]*\S")
_DIGITS = re.compile(r"[0-9０-９]+")
_PARENTHESISED = re.compile(r"^[（(][0-9０-９一二三四五六七八九十]{1,2}[）)][ \u3000]*(?=\S)")
_MARKED = re.compile(r"^[■□◆◇●▼▲][ \u3000]*\S|^【[^【】]{1,40}】$|^[〈＜《≪][^〈〉＜＞《》≪≫]{1,40}[〉＞》≫]$")
_SENTENCE = re.compile(r"[。．.!！?？、，,;；:：]$|。|です|ます|は、|[員者社]は")
_LEADERS = re.compile(r"(?:[…‥・.．･]\s?){3,}\s*[0-9０-９ivx]{0,4}\s*$")
_LONGEST_HEADING_CHARACTERS = 45


@dataclass(frozen=True)
class HeadingFound:
    """A heading at the start of a line: its level (1 = top) and how many characters of the line it takes."""

    level: int
    length: int


def is_contents_line(line: str) -> bool:
    """A line of a table of contents: dots that lead to a page number."""
    return bool(_LEADERS.search(line))


def is_caption(line: str) -> bool:
    """A line such as （目的）, which belongs to the article that follows."""
    return bool(_CAPTION_ALONE.match(line.strip()))


def division_at(line: str) -> HeadingFound | None:
    """第N編 … 第N条 at the start of `line`; the text of an article on the same line is not part of the heading."""
    found = _DIVISION.match(line)
    if found is None or is_contents_line(line):
        return None
    level, end = _DIVISIONS[found[1]], found.end()
    caption = _CAPTION.match(line[end:])
    if caption is not None:
        end += caption.end()
    rest = line[end:]
    if _IN_SENTENCE.match(rest) or (rest and not rest[0].isspace() and _SENTENCE.search(rest)):
        return None
    is_title = len(rest.strip()) <= _LONGEST_HEADING_CHARACTERS and not _SENTENCE.search(rest.strip())
    if is_title and (level < ARTICLE_LEVEL or caption is None):
        return HeadingFound(level, len(line.rstrip()))
    return HeadingFound(level, end) if level == ARTICLE_LEVEL else None


def heading_at(line: str) -> HeadingFound | None:
    """Any heading told by its wording: a division, or a short marked or numbered line that is no sentence."""
    division = division_at(line)
    stripped = line.strip()
    if division is not None or _DIVISION.match(line) or is_contents_line(line):
        return division
    if len(stripped) > _LONGEST_HEADING_CHARACTERS or _SENTENCE.search(stripped):
        return None
    if _EXAMPLE.match(stripped):
        return HeadingFound(ARTICLE_LEVEL - 1, len(line.rstrip()))
    if _MARKED.match(stripped):
        return HeadingFound(ARTICLE_LEVEL, len(line.rstrip()))
    numbered = _NUMBERED.match(stripped)
    if numbered is not None and (numbered["mark"] or numbered["blank"]):
        return HeadingFound(ARTICLE_LEVEL + len(_DIGITS.findall(numbered["number"])), len(line.rstrip()))
    if _PARENTHESISED.match(stripped):
        return HeadingFound(ARTICLE_LEVEL + 5, len(line.rstrip()))
    return None


def looks_like_title(line: str) -> bool:
    """A first line that names the document: short, no sentence, not itself a numbered heading or a contents line."""
    stripped = " ".join(line.split())
    if not stripped or len(stripped) > 60 or _SENTENCE.search(stripped) or is_contents_line(stripped):
        return False
    return heading_at(stripped) is None and not is_caption(stripped)
