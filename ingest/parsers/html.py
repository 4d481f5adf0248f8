"""HTML -> headings, paragraphs, list items and tables, in reading order, without scripts, styles and navigation.

Decoded here (mark, declaration, detection), walked with Beautiful Soup over lxml: it survives broken and very deep
markup, and the h1-h6 levels stay what the author wrote. Must not know mail or office files.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace

from bs4 import BeautifulSoup, Comment, Doctype, Tag
from bs4.element import NavigableString

from assistant.domain import ElementKind, ParsedDocument
from ingest.parsers import encoding
from ingest.parsers.draft import Origin, Piece, assemble, hidden_notes, tidy
from ingest.parsers.html_shown import white_texts

_DECLARED = re.compile(
    rb"<meta[^>]+charset\s*=\s*[\"']?([A-Za-z0-9_:.-]+)|<\?xml[^>]+encoding=[\"']([A-Za-z0-9_.-]+)", re.I
)
_DROPPED_NAMES = """
    script style noscript template nav svg math iframe object audio video canvas select option button input textarea
    datalist dialog head title link meta
"""
_INLINE_NAMES = """
    a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q rb rp rt ruby s samp small span
    strike strong sub sup time tt u var wbr
"""
_DROPPED = frozenset(_DROPPED_NAMES.split())
_INLINE = frozenset(_INLINE_NAMES.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING = re.compile(r"display:none|visibility:hidden|font-size:0(?![.]?[0-9])|opacity:0(?![.]?[0-9])")
_ROW_SEPARATOR = " | "
_MAIN_SHARE = 0.5


def parse_html(data: bytes, origin: Origin, *, reads_hidden: bool = False) -> ParsedDocument:
    """Elements of an HTML file; its only h1 names it, else its title tag. Hidden parts are left out and counted."""
    decoded = _decoded(data)
    soup, hidden = _shown(decoded.text, reads_hidden=reads_hidden)
    pieces = list(_pieces(_main_part(soup)))
    tops = [piece.text for piece in pieces if piece.kind is ElementKind.HEADING and piece.level == 1]
    tag = soup.find("title")
    title = tidy(tag.get_text()) if isinstance(tag, Tag) else None
    notes = {**(origin.notes or {}), **hidden_notes({"hidden_texts": hidden}, were_read=reads_hidden)}
    named = replace(origin, encoding=decoded.encoding, notes=notes)
    return assemble(pieces, named, titles=[*(tops if len(tops) == 1 else []), title])


def pieces_of_page(data: bytes, *, reads_hidden: bool = False) -> tuple[list[Piece], int]:
    """Pieces of one whole page among others, such as a chapter of a book, and how many hidden parts it has."""
    return pieces_of(_decoded(data).text, reads_hidden=reads_hidden) if data.strip() else ([], 0)


def _decoded(data: bytes) -> encoding.Decoded:
    found = _DECLARED.search(data[:4096])
    declared = (found[1] or found[2]).decode("ascii") if found is not None else None
    return encoding.decode(data, declared=declared)


def pieces_of(markup: str, *, reads_hidden: bool = False) -> tuple[list[Piece], int]:
    """Pieces of a fragment of HTML, such as the body of a mail, and how many hidden parts it has."""
    soup, hidden = _shown(markup, reads_hidden=reads_hidden)
    return list(_pieces(soup)), hidden


def _shown(markup: str, *, reads_hidden: bool) -> tuple[BeautifulSoup, int]:
    """The page without its hidden parts, or with them like the rest; and how many of them hold words."""
    soup = _soup(markup)
    hidden = 0
    for tag in soup.find_all(_is_hidden):
        if not tag.decomposed:
            hidden += tag.name not in _DROPPED and bool(tag.get_text(strip=True))
            tag.decompose()
    for place in white_texts(soup):
        hidden += 1
        for words in place:
            words.extract()
    if not reads_hidden or not hidden:
        return soup, hidden
    whole = _soup(markup)
    for tag in whole.find_all(_is_hidden):
        for name in ("hidden", "aria-hidden", "style"):
            tag.attrs.pop(name, None)
    return whole, hidden


def _is_hidden(tag: Tag) -> bool:
    style = "".join(str(tag.get("style", "")).lower().split())
    return tag.has_attr("hidden") or tag.get("aria-hidden") == "true" or bool(_HIDING.search(style))


def table_rows(markup: str) -> list[list[str]]:
    """Cells of each row of the first table in `markup`, tidied; empty rows are left out."""
    table = _soup(markup).find("table")
    return _rows(table) if isinstance(table, Tag) else []


def table_piece(rows: list[list[str]], *, page: int | None = None, has_header: bool = True) -> Piece:
    """One table as lines of `a | b | c`; its first row is the header unless told otherwise."""
    lines = [row_line(row) for row in rows]
    header = lines[0] if has_header and len(lines) > 1 and sum(bool(cell) for cell in rows[0]) > 1 else None
    return Piece(ElementKind.TABLE, "\n".join(lines), page=page, header=header)


def row_line(cells: list[str]) -> str:
    """One row of a table as text; a line break in a cell would look like a new row."""
    return _ROW_SEPARATOR.join(" ".join(cell.split()) for cell in cells).strip()


def _soup(markup: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XHTML and bodies that look like an address are read as HTML all the same
        return BeautifulSoup(markup, "lxml")


def _main_part(soup: BeautifulSoup) -> Tag:
    """The `main` or only `article` element when it holds most of the text, else everything."""
    whole = len(soup.get_text(strip=True))
    for name in ("main", "article"):
        candidates = [tag for tag in soup.find_all(name) if isinstance(tag, Tag)]
        if len(candidates) == 1 and len(candidates[0].get_text(strip=True)) >= whole * _MAIN_SHARE:
            return candidates[0]
    return soup


def _pieces(root: Tag) -> Iterator[Piece]:
    """Pieces in reading order. Text between two block marks is one piece, of the kind of its nearest block."""
    words: list[str] = []
    kind, level = ElementKind.TEXT, 0
    is_preformatted = False
    for step, entered in _walk(root):
        if isinstance(step, NavigableString):
            words.append(str(step) if is_preformatted else " ".join(re.split(r"[ \t\r\n\f]+", str(step))))
            continue
        if step.name == "br":
            words.append("\n" if entered else "")
            continue
        if step.name in _INLINE:
            continue
        yield from _closed(words, kind, level)
        words.clear()
        is_preformatted = step.name == "pre" and entered
        kind, level = _kind_within(step if entered else step.parent)
        if step.name == "table" and entered:
            yield from _table(step)
    yield from _closed(words, kind, level)


def _walk(root: Tag) -> Iterator[tuple[Tag | NavigableString, bool]]:
    """Every tag on entering (True) and leaving (False) and every text, without recursion; dropped tags not at all."""
    stack: list[tuple[Tag | NavigableString, bool]] = [(child, True) for child in reversed(list(_children(root)))]
    while stack:
        step, entered = stack.pop()
        yield step, entered
        if isinstance(step, Tag) and entered:
            stack.append((step, False))
            if step.name != "table" or _is_layout(step):
                stack.extend((child, True) for child in reversed(list(_children(step))))


def _children(tag: Tag) -> Iterator[Tag | NavigableString]:
    for child in tag.children:
        if isinstance(child, Comment | Doctype):
            continue
        if isinstance(child, Tag):
            is_page_foot = child.name == "footer" and child.find_parent(["article", "main", "section"]) is None
            if child.name in _DROPPED or is_page_foot:
                continue
            yield child
        elif isinstance(child, NavigableString):
            yield child


def _kind_within(tag: Tag | None) -> tuple[ElementKind, int]:
    while tag is not None:
        if tag.name in _HEADINGS:
            return ElementKind.HEADING, _HEADINGS[tag.name]
        if tag.name in ("li", "dt", "dd"):
            return ElementKind.LIST_ITEM, 0
        if tag.name in ("div", "section", "article", "body", "td", "blockquote", "main"):
            return ElementKind.TEXT, 0
        tag = tag.parent
    return ElementKind.TEXT, 0


def _closed(words: list[str], kind: ElementKind, level: int) -> Iterator[Piece]:
    text = tidy("".join(words))
    if text:
        yield Piece(kind, " ".join(text.split()) if kind is ElementKind.HEADING else text, level=level)


def _is_layout(table: Tag) -> bool:
    """A table that only arranges the page: it holds tables, headings or lists, or a single column."""
    if table.get("role") == "presentation" or table.find(["table", "h1", "h2", "h3", "h4", "ul", "ol"]) is not None:
        return True
    return all(len(row) < 2 for row in _rows(table))


def _table(table: Tag) -> Iterator[Piece]:
    rows = _rows(table)
    if rows and not _is_layout(table):
        caption = table.find("caption")
        if isinstance(caption, Tag) and (words := tidy(caption.get_text())):
            yield Piece(ElementKind.TEXT, words)
        yield table_piece(rows)


def _rows(table: Tag) -> list[list[str]]:
    rows = []
    for row in table.find_all("tr"):
        cells = [tidy(_cell_text(cell)) for cell in row.find_all(["td", "th"])] if isinstance(row, Tag) else []
        if any(cells):
            rows.append(cells)
    return rows


def _cell_text(cell: Tag) -> str:
    for drop in cell.find_all(["script", "style"]):
        drop.decompose()
    return cell.get_text(" ") if cell.find(["br", "p", "div", "li"]) is not None else cell.get_text()
