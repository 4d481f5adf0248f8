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
from collections.abc import Callable, Sequence

from assistant.domain import Notice, Passage
from assistant.errors import Language

LEFT_OUT: dict[Language, str] = {"ja": "(アドレスは出典を参照)", "en": "(address: see the source)"}
"""What stands in an answer where an address was."""

_JAPANESE = r"\u3005-\u3007\u3040-\u30ff\u3400-\u9fff"
_NOT_OF_ADDRESS = rf"\s<>\"`()\u3000-\u303f\uff01-\uff60{_JAPANESE}"
"""What ends an address: Japanese text goes on behind it without a blank."""
_FILE_ENDING = (
    r"(?:js|exe|msi|dll|docx?|xlsx?|pptx?|pdf|txt|csv|tsv|html?|jsx|tsx|json|xml|ya?ml|ini|bat|log|png|jpe?g|gif)/"
)
"""`setup.exe/uninstall.exe` is no address. None of these ends a host's name."""
_ADDRESS = (
    r"(?:(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://"
    r"|(?<![A-Za-z])(?:(?:javascript|vbscript|mailto):(?=\S)|data:(?=[a-z]+/)|file:(?=/))"
    r"|(?<![A-Za-z0-9.@-])www\.(?=[\w-])|(?<![A-Za-z0-9.@:/-])//(?=[\w-]+\.[\w-])"
    rf"|(?<![A-Za-z0-9.@/-])(?!asp\.net/)(?:[a-z0-9-]+\.)+(?!{_FILE_ENDING})[a-z]{{2,18}}/(?=[\w?#%]))"
    rf"(?:[^{_NOT_OF_ADDRESS}]|\([^{_NOT_OF_ADDRESS}]*\)|[{_JAPANESE}]+(?=[./?=&%#-][A-Za-z0-9]))*"
)
_URL = re.compile(_ADDRESS, re.IGNORECASE)
_IMAGE_OR_LINK = re.compile(
    r"!?\[((?:[^\[\]]|\[[^\[\]]*\]){0,500})\]\((\s*+[^)\s]*+\s++(?:\"[^\"]*+\"|'[^']*+')\s*+(?=\))|[^)]*+)\)"
)
"""What follows `](` is read in one way alone: with several, a thousand blanks there would take hours."""
_TARGET = re.compile(r"[:/\\#?@<%]")
_JAPANESE_OR_BLANK = re.compile(rf"[\s{_JAPANESE}]")
_MARK_WORDS = re.compile(r"\s*\d{1,3}(?:\s*[,、]\s*\d{1,3})*\s*")


def _words_of_link(match: re.Match[str]) -> str:
    """A link's words; those in round brackets as well where they are no address: 「申請します[1](半休は前日まで)」."""
    words, target = match[1], match[2]
    kept = f"[{words}]" if _MARK_WORDS.fullmatch(words) and not match[0].startswith("!") else words
    if _is_target(match):
        return kept
    return f"{kept} ({target})" if kept != words else f"{words}({target})"


def _is_target(match: re.Match[str]) -> bool:
    target = match[2].strip()
    return match[0].startswith("!") or bool(_TARGET.search(target)) or not _JAPANESE_OR_BLANK.search(target)


_EMPTY_IMAGE = re.compile(r"!\[((?:[^\[\]]){0,500})\](?:\[[^\[\]]*\])?")
_REFERENCE = re.compile(r"^[ \t]{0,3}\[[^\[\]]{1,200}\]:[ \t]*\S*.*$", re.MULTILINE)
_DEFINITION = re.compile(r"^([ \t]{0,3}\[[^\[\]]{1,200}\]):", re.MULTILINE)
"""The beginning of the same. With a blank before the colon it is text: a line 「[注]: …」 of a document must stay readable."""
_PLACEHOLDER = re.compile(
    r"<(?=(?:area|audio|base|button|embed|form|frame|input|link|meta|object|source|style|video)\b[^<>=/]{0,80}>)",
    re.IGNORECASE,
)
"""`cp <source> <destination>`: a blank behind the bracket makes it text."""
_TAG = re.compile(
    r"</?(?:a|area|audio|base|button|embed|form|frame|iframe|img|input|link|meta|object|script|source|style|svg|video)\b"
    r"[^<>]{0,2000}>?",
    re.IGNORECASE,
)
_AUTOLINK = re.compile(r"<((?:[A-Za-z][A-Za-z0-9+.-]{1,31}:|[^\s<>@]{1,64}@)[^\s<>]*)>")
"""In angle brackets every scheme and every e-mail address is a link."""
_COMPLETE = ((_IMAGE_OR_LINK, _words_of_link), (_AUTOLINK, r"\1"))
"""What is plain as soon as its last character is there."""
_ALL = ((_REFERENCE, ""), *_COMPLETE, (_EMPTY_IMAGE, r"\1"), (_PLACEHOLDER, "< "), (_TAG, ""))
_UNCOUNTED = (_IMAGE_OR_LINK, _AUTOLINK, _PLACEHOLDER)
"""They leave all words where they are, but for links and pictures, of which those with an address are counted."""
_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_IN_LINE, _IN_ENTRY = "\x00", "- "
"""Stand for what has been shown of a line already: words, or nothing but the signs of a list or a quotation."""
_ONLY_SIGNS = re.compile(r"(?:[ \t>*+-]|\d{1,3}[.)])+")
_DEFINED_IN_ENTRY = re.compile(rf"^((?:{_ONLY_SIGNS.pattern})\[[^\[\]]{{1,200}}\]):", re.MULTILINE)
"""A definition of a link inside a list or a quotation. As with `_DEFINITION`, a blank before the colon makes it text."""
_MOST_PASSES = 20
"""Links stand in links no deeper than that, but for a text that was made to keep a server busy."""
_BINDING = re.compile(r"\](?=\(|:\s*+<?[/\\])")
"""What would still bind words to an address: a link with words or a depth that nobody writes, a definition inside a list. A
blank parts the two."""
_TRAILING = ".,;:!?)]}>'*_"
_UNFINISHED = re.compile(
    r"(?:!|`|<[^<>]{0,2000}|\]|/{1,2}[A-Za-z0-9.-]{0,80}|`?[A-Za-z0-9][A-Za-z0-9+.:@/-]{0,40}|"
    rf"`?{_ADDRESS}(?:\([^{_NOT_OF_ADDRESS}]*|[{_JAPANESE}]+[./?=&%#-]?)?)\Z",
    re.IGNORECASE,
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
        self._before = ""
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
        if (line or not self._before) and _REFERENCE.match(self._pending, line):
            place = line
        ready, self._pending = self._pending[:place], self._pending[place:]
        return self._shown(ready)

    def rest(self) -> str:
        """What was held back until the end."""
        ready = self._pending + self._unread
        self._pending = self._unread = ""
        return self._shown(ready)

    def _shown(self, ready: str) -> str:
        """The piece without links. One that goes on in a line begins none: `[1]: ` in it defines no link."""
        before = self._before
        last = before + ready if "\n" not in ready else ready.rpartition("\n")[2]
        signs = _ONLY_SIGNS.match(last)
        is_entry = signs is not None and signs.end() == len(last) and bool(last.strip(" \t"))
        self._before = _IN_ENTRY if is_entry else _IN_LINE if last.strip(" \t") else ""
        return self.without_links(before + ready)[len(before) :]

    def without_links(self, text: str) -> str:
        """The text with links, pictures and bare addresses turned into words."""
        plain = _DEFINED_IN_ENTRY.sub(r"\1 :", self._settled(text, _ALL))
        plain = _URL.sub(self._address, plain)
        plain, count = _BINDING.subn("] ", self._settled(plain, _COMPLETE))
        self.removed += count
        return plain

    def _settled(self, text: str, patterns: Sequence[_Rule]) -> str:
        """The text when nothing changes any more: a link may hold another."""
        for _ in range(_MOST_PASSES):
            before, text = text, self._once(text, patterns)
            if text == before:
                break
        return text

    def _once(self, text: str, patterns: Sequence[_Rule]) -> str:
        for pattern, kept in patterns:
            if pattern is _IMAGE_OR_LINK:
                self.removed += sum(map(_is_target, pattern.finditer(text, 0, _last_end(pattern, text))))
            text, count = _replaced(pattern, kept, text)
            self.removed += count if pattern not in _UNCOUNTED else 0
        return text

    def _address(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(_TRAILING)
        after = match[0][len(address) :]
        is_plain = not re.search(r"[?#@%\\]", address) and address.startswith(("http://", "https://"))
        if is_plain and re.search(rf"(?<![\w/]){re.escape(address)}(?![\w/?#%.-]*[?#])", self._stated):
            is_code = match.string[: match.start()].endswith("`")
            return address + after if is_code else f"`{address}`{after}"
        self.removed += 1
        return self._left_out + after


def _replaced(pattern: re.Pattern[str], kept: str | Callable[[re.Match[str]], str], text: str) -> tuple[str, int]:
    """The text without what the pattern matches, and how often it did."""
    end = _last_end(pattern, text)
    plain, count = pattern.subn(kept, text[:end])
    return plain + text[end:], count


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    """Where the text ends for a pattern: where no bracket closes any more no link can end."""
    return text.rfind(")") + 1 if pattern is _IMAGE_OR_LINK else len(text)


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
    for pattern, kept in _ALL[1:]:
        text = _replaced(pattern, kept, text)[0]
    return _BINDING.sub("] ", _DEFINITION.sub(r"\1 :", text))


def links_removed(count: int) -> Notice:
    """The notice that says so."""
    return Notice(
        code="links_removed",
        message_ja=f"回答に書かれていたリンクやアドレスを {count} 件外しました。必要なら出典の原文で確かめてください。",
        message_en=f"{count} link(s) or address(es) were taken out of the answer. The sources have the original text.",
    )
