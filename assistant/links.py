"""Links in a model's text -> words: nothing that leaves here can be clicked, loaded or carry anything out. Pure.

A document may tell the model to add a link or a picture; a program that shows Markdown would load it. So the text keeps a
link's words and loses its address. One address alone may stay, as code that no program makes a link of: one that a found
passage states to the letter, without a query, when the person asked for an address.

    pieces of text ─▶ LinkFilter ─▶ pieces that end before anything that may become a link ─▶ … ─▶ rest()

The screen links citations to its own sources by itself; a model has no part in that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from assistant.domain import Notice, Passage
from assistant.errors import Language

LEFT_OUT: dict[Language, str] = {"ja": "(アドレスは出典を参照)", "en": "(address: see the source)"}
"""What stands in an answer where an address was."""

_ADDRESS = (
    r"(?:(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://|(?<![A-Za-z])(?:javascript|data|vbscript|mailto|tel|file):(?=\S)"
    r"|(?<![A-Za-z0-9.@-])www\.(?=[\w-])|(?<![A-Za-z0-9.@:/-])//(?=[\w-]+\.[\w-])|(?<![A-Za-z0-9.@/-])(?:[a-z0-9-]+\.)+[a-z]{2,18}/(?=[\w?#%]))"
    r"[^\s<>「」『』（）、。\"`]*"
)
_URL = re.compile(_ADDRESS, re.IGNORECASE)
_IMAGE_OR_LINK = re.compile(
    r"!?\[((?:[^\[\]]|\[[^\[\]]*\]){0,500})\]\((?:\s*+[^)\s]*+\s++(?:\"[^\"]*+\"|'[^']*+')\s*+\)|[^)]*+\))"
)
"""What follows `](` is read in one way alone: with several, a thousand blanks there would take hours."""
_EMPTY_IMAGE = re.compile(r"!\[((?:[^\[\]]){0,500})\](?:\[[^\[\]]*\])?")
_REFERENCE = re.compile(r"^[ \t]{0,3}\[[^\[\]]{1,200}\]:[ \t]*\S*.*$", re.MULTILINE)
_DEFINITION = re.compile(r"^([ \t]{0,3}\[[^\[\]]{1,200}\]):", re.MULTILINE)
"""The beginning of the same. With a blank before the colon it is text: a line 「[注]: …」 of a document must stay readable."""
_TAG = re.compile(
    r"</?(?:a|area|audio|base|button|embed|form|frame|iframe|img|input|link|meta|object|script|source|style|svg|video)\b"
    r"[^<>]{0,2000}>?",
    re.IGNORECASE,
)
_AUTOLINK = re.compile(rf"<({_ADDRESS})>", re.IGNORECASE)
_COMPLETE = ((_IMAGE_OR_LINK, r"\1"), (_AUTOLINK, r"\1"))
"""What is plain as soon as its last character is there."""
_ALL = ((_REFERENCE, ""), *_COMPLETE, (_EMPTY_IMAGE, r"\1"), (_TAG, ""))
_MOST_PASSES = 20
"""Links stand in links no deeper than that, but for a text that was made to keep a server busy."""
_BINDING = re.compile(r"\](?=\(|:\s*+<?[/\\])")
"""What would still bind words to an address: a link with words or a depth that nobody writes, a definition inside a list. A
blank parts the two."""
_TRAILING = ".,;:!?)]}>'*_"
_UNFINISHED = re.compile(
    r"(?:!|<[^<>]{0,2000}|\]|/{1,2}|[A-Za-z0-9][A-Za-z0-9+.:@/-]{0,40}|" + _ADDRESS + r")\Z", re.IGNORECASE
)
_HELD_CHARACTERS = 600
"""An opening bracket that is not closed within so many characters is a slip of the pen, and the text goes on."""
_READ_AGAIN = 8
"""More than that is held back only for an address or a line of such a length. It is read again when an eighth more is there: after
each piece it would be read thousands of times."""
_ASKS_FOR_ADDRESS = re.compile(
    r"url|リンク|アドレス|サイト|ホームページ|ウェブ|web|link|address|website|portal|ポータル|online|page|ページ",
    re.IGNORECASE,
)


class LinkFilter:
    """Takes the links out of one answer while it is written; `removed` counts them."""

    def __init__(self, *, question: str, language: Language, passages: Sequence[Passage]) -> None:
        is_asked = bool(_ASKS_FOR_ADDRESS.search(unicodedata.normalize("NFKC", question)))
        self._stated = "\n".join(passage.text for passage in passages) if is_asked else ""
        self._left_out = LEFT_OUT[language]
        self._pending = self._unread = ""
        self.removed = 0

    def add(self, piece: str) -> str:
        """What may be shown now that the model has written `piece`."""
        self._unread += piece
        if len(self._pending) > _HELD_CHARACTERS and len(self._unread) * _READ_AGAIN < len(self._pending):
            return ""
        self._pending, self._unread = self._settled(self._pending + self._unread, _COMPLETE), ""
        unfinished = _UNFINISHED.search(self._pending)
        place = min(unfinished.start() if unfinished else len(self._pending), _open_bracket(self._pending))
        # A line is judged as a whole where it may define a link's address.
        line = self._pending.rfind("\n", 0, place) + 1
        if _REFERENCE.match(self._pending, line):
            place = line
        ready, self._pending = self._pending[:place], self._pending[place:]
        return self.without_links(ready)

    def rest(self) -> str:
        """What was held back until the end."""
        ready = self._pending + self._unread
        self._pending = self._unread = ""
        return self.without_links(ready)

    def without_links(self, text: str) -> str:
        """The text with links, pictures and bare addresses turned into words."""
        plain = _URL.sub(self._address, self._settled(text, _ALL))
        plain, count = _BINDING.subn("] ", self._settled(plain, _COMPLETE))
        self.removed += count
        return plain

    def _settled(self, text: str, patterns: Sequence[tuple[re.Pattern[str], str]]) -> str:
        """The text when nothing changes any more: a link may hold another."""
        for _ in range(_MOST_PASSES):
            before, text = text, self._once(text, patterns)
            if text == before:
                break
        return text

    def _once(self, text: str, patterns: Sequence[tuple[re.Pattern[str], str]]) -> str:
        for pattern, kept in patterns:
            text, count = _replaced(pattern, kept, text)
            self.removed += count if pattern is not _AUTOLINK else 0
        return text

    def _address(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(_TRAILING)
        after = match[0][len(address) :]
        is_plain = not re.search(r"[?#@%\\]", address) and address.startswith(("http://", "https://"))
        if is_plain and re.search(rf"(?<![\w/]){re.escape(address)}(?![\w/?#%.-]*[?#])", self._stated):
            return f"`{address}`{after}"
        self.removed += 1
        return self._left_out + after


def _replaced(pattern: re.Pattern[str], kept: str, text: str) -> tuple[str, int]:
    """The text without what the pattern matches, and how often it did. Where no bracket closes any more no link can end."""
    end = text.rfind(")") + 1 if pattern is _IMAGE_OR_LINK else len(text)
    plain, count = pattern.subn(kept, text[:end])
    return plain + text[end:], count


def _open_bracket(text: str) -> int:
    """Where a bracket begins that is still open or may still be followed by an address; the text's length for none."""
    opened: list[int] = []
    closed = (0, 0)
    for match in re.finditer(r"[\[\]]|\n[ \t]*\n", text):
        if match[0] == "[":
            opened.append(match.start())
        elif match[0] == "]" and opened:
            start = opened.pop()
            if not opened:
                closed = (start, match.end())
        elif match[0] != "]":
            opened.clear()
    rest = text[closed[1] :]
    if opened:
        place = opened[0]
    elif closed[1] and (not rest or (rest[0] == "(" and ")" not in rest)):
        place = closed[0]
    else:
        return len(text)
    if len(text) - place > _HELD_CHARACTERS:
        return len(text)
    return place - 1 if text[:place].endswith("!") else place


def without_markup(text: str) -> str:
    """Quoted text without what a program that shows Markdown would load or make clickable; addresses stay as words."""
    for pattern, kept in (*_COMPLETE, (_EMPTY_IMAGE, r"\1"), (_TAG, "")):
        text = _replaced(pattern, kept, text)[0]
    return _BINDING.sub("] ", _DEFINITION.sub(r"\1 :", text))


def links_removed(count: int) -> Notice:
    """The notice that says so."""
    return Notice(
        code="links_removed",
        message_ja=f"回答に書かれていたリンクやアドレスを {count} 件外しました。必要なら出典の原文で確かめてください。",
        message_en=f"{count} link(s) or address(es) were taken out of the answer. The sources have the original text.",
    )
