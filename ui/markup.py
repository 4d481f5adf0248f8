"""Text of models and documents made safe to show: every character escaped, every tag one of ours.

The answer's simple Markdown (paragraphs, lists, bold, code, tables) is laid out by markdown-it with its HTML, link,
image and autolink rules left out, so that a link or an image in a model's text stays plain text and nothing in it can
make a browser call an address. Citation marks `[n]` become links inside the page, to our own source cards.
Pure: knows neither Streamlit nor the API.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable, Mapping

from markdown_it import MarkdownIt
from markdown_it.token import Token

# What people cannot see but a model or a reader may be misled by: tag characters, zero widths, direction changes,
# variation selectors, and control characters other than tab and line feed.
_INVISIBLE = re.compile(
    "[\U000e0000-\U000e007f\ufe00-\ufe0f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0d-\x1f\x7f-\x9f]"
)
# Office files break lines with these; a browser would not.
_LINE_BREAKS = str.maketrans(dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n"))
# Private-use characters frame a doubted stretch while the Markdown is laid out; they become tags afterwards. The one at
# its beginning says which note belongs to it.
_FIRST_NOTE, _NOTES_LIMIT, _DOUBT_END = 0xE100, 0x400, "\ue001"
_STARTS = f"{chr(_FIRST_NOTE)}-{chr(_FIRST_NOTE + _NOTES_LIMIT - 1)}"
_PIECES = re.compile(rf"\[\d{{1,3}}\]|[{_STARTS}{_DOUBT_END}]")
_SIGNS = re.compile(r"(?:[ \t]*(?:[-*+>]|\d{1,3}[.)]|#{1,6})[ \t]+)+|[ \t]*\|[ \t]*")
_FRAMES = re.compile(f"[{_STARTS}{_DOUBT_END}]")


def visible(text: str) -> str:
    """`text` without the characters that nobody can see, and with every kind of line break as a line feed."""
    return _INVISIBLE.sub("", text.translate(_LINE_BREAKS))


def plain_html(text: str) -> str:
    """`text` escaped for the inside of an element or an attribute; nothing in it is interpreted."""
    return html.escape(visible(text))


def answer_html(text: str, *, anchors: Mapping[int, str], doubts: Iterable[tuple[int, int, str]] = ()) -> str:
    """A model's answer as safe HTML.

    `anchors` maps a citation's number to the id of its source card: those marks become links, others stay text.
    `doubts` are `start:end` stretches of `text` in characters, each with what to know about it: they are underlined, and a
    sign behind them tells it.
    """
    framed, notes = _frame(text, doubts)
    tokens = _markdown().parse(visible(framed))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
            if token.nesting == 1:
                token.attrSet("class", "ca-heading")
        elif token.type in ("fence", "code_block"):
            token.info = ""
            token.content = _FRAMES.sub("", token.content)
        elif token.type == "inline":
            token.children = _linked(token.children or [], anchors, notes)
    rendered: str = _markdown().renderer.render(tokens, _markdown().options, {})
    return rendered


def passage_html(text: str, *, start: int = 0, end: int = 0, mark_id: str = "") -> str:
    """A passage's text, escaped; characters `start:end` are highlighted and carry `mark_id` for links to find."""
    if not 0 <= start < end <= len(text):
        return plain_html(text)
    identifier = f' id="{plain_html(mark_id)}"' if mark_id else ""
    return (
        plain_html(text[:start])
        + f"<mark{identifier}>"
        + plain_html(text[start:end])
        + "</mark>"
        + plain_html(text[end:])
    )


def mark_html(number: int, anchors: Mapping[int, str]) -> str:
    """The mark `[number]`, a link to its source card where `anchors` has one."""
    anchor = anchors.get(number)
    return f"[{number}]" if anchor is None else f'<a class="ca-mark" href="#{plain_html(anchor)}">[{number}]</a>'


@functools.cache
def _markdown() -> MarkdownIt:
    """An allow-list of rules; `escape` is left out because it would eat a backslash of `\\\\server\\share`."""
    rules = ["heading", "list", "fence", "table", "blockquote", "emphasis", "backticks", "newline"]
    return MarkdownIt("zero", {"html": False, "breaks": True}).enable(rules)


def _frame(text: str, doubts: Iterable[tuple[int, int, str]]) -> tuple[str, list[str]]:
    """`text` with each doubted stretch between two private-use characters, and the notes that the first ones number.

    Of overlapping stretches the later one begins where the earlier ends.
    """
    pieces: list[str] = []
    notes: list[str] = []
    done = 0
    clean = _FRAMES.sub("\ufffd", text)
    for start, end, note in sorted(doubts):
        begin = _behind_signs(clean, max(start, done))
        if begin >= end or end > len(clean) or len(notes) == _NOTES_LIMIT:
            continue
        pieces += [clean[done:begin], chr(_FIRST_NOTE + len(notes)), clean[begin:end], _DOUBT_END]
        notes.append(note)
        done = end
    return "".join([*pieces, clean[done:]]), notes


def _behind_signs(text: str, place: int) -> int:
    """The place itself, or the one behind what makes its line a heading, an entry of a list or a row of a table: a frame
    before these would make a paragraph of it."""
    signs = _SIGNS.match(text, place)
    return signs.end() if signs and not text[text.rfind("\n", 0, place) + 1 : place].strip() else place


def _linked(children: list[Token], anchors: Mapping[int, str], notes: list[str]) -> list[Token]:
    """The line's tokens with citation marks turned into links and frames into underlines, always closed."""
    result: list[Token] = []
    note: str | None = None
    for child in children:
        if child.type != "text":
            child.content = _FRAMES.sub("", child.content)
            result.append(child)
            continue
        position = 0
        for match in _PIECES.finditer(child.content):
            result.append(_text(child.content[position : match.start()]))
            position = match.end()
            piece = match.group()
            if piece.startswith("["):
                result.append(_mark(piece, anchors))
            elif piece == _DOUBT_END:
                result += _closed(note)
                note = None
            elif note is None:
                note = notes[ord(piece) - _FIRST_NOTE]
                result.append(_tag('<span class="ca-doubt">'))
        result.append(_text(child.content[position:]))
    return result + _closed(note)


def _closed(note: str | None) -> list[Token]:
    """The end of a doubted stretch, with the sign that tells why; nothing where none is open."""
    if note is None:
        return []
    told = plain_html(note)
    return [
        _tag(f'</span><span class="ca-flag" role="note" tabindex="0" aria-label="{told}" data-note="{told}"></span>')
    ]


def _mark(piece: str, anchors: Mapping[int, str]) -> Token:
    number = int(piece[1:-1])
    return _tag(mark_html(number, anchors)) if number in anchors else _text(piece)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _tag(content: str) -> Token:
    """One of our own tags; the only place that puts markup into an answer."""
    return Token("html_inline", "", 0, content=content)
