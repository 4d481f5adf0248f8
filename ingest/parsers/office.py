"""The one door to unstructured: docx and pptx -> pieces of ours.

Its spaCy model is replaced by a blank pipeline before anything else is imported, so that nothing is ever fetched; its
telemetry is switched off. Its element types are not believed: for Japanese they are noise (body text comes as Title).
Headings come from Word styles, whole bold lines and wording; slides give titles and page numbers.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from assistant.domain import ElementKind, ParsedDocument
from ingest.parsers import refusals, slides_shown, word_shown
from ingest.parsers.archive import with_plain_word_type
from ingest.parsers.draft import Origin, Piece, assemble, hidden_notes, tidy
from ingest.parsers.headings import ARTICLE_LEVEL, heading_at, is_caption, is_contents_line, looks_like_title
from ingest.parsers.html import table_piece, table_rows
from ingest.parsers.limits import Notes

os.environ.update(
    DO_NOT_TRACK="1", SCARF_NO_ANALYTICS="1", UNSTRUCTURED_DISABLE_NOTICE="1", HF_HUB_OFFLINE="1", DISABLE_TELEMETRY="1"
)

import docx
import pptx
import spacy
import unstructured.nlp.tokenize
from docx.opc.exceptions import PackageNotFoundError
from lxml.etree import LxmlError
from pptx.exc import PythonPptxError

_BLANK_PIPELINE = spacy.blank("xx")
_BLANK_PIPELINE.add_pipe("sentencizer")
unstructured.nlp.tokenize._get_nlp = lambda: _BLANK_PIPELINE

_LANGUAGES = ["jpn", "eng"]
_BROKEN_PACKAGE = (
    zipfile.BadZipFile, PackageNotFoundError, PythonPptxError, LxmlError, KeyError, ValueError, AttributeError, IndexError,
    OSError, EOFError,
)  # fmt: skip
_FOOTER_DIGITS = re.compile(r"[0-9０-９]+")
_LONGEST_FOOTER_CHARACTERS = 80
_BOLD_LEVEL = ARTICLE_LEVEL + 6
_LONGEST_BOLD_HEADING_CHARACTERS = 40


@dataclass(frozen=True)
class Seen:
    """What unstructured says of one element, without its own types."""

    name: str
    text: str
    depth: int | None
    page: int | None
    table: str | None
    is_bold: bool


def parse_docx(data: bytes, origin: Origin, *, reads_hidden: bool = False) -> ParsedDocument:
    """Paragraphs, lists and tables of a Word file; page headers and footers are left out.

    What nobody sees is left out and counted, or read where `reads_hidden` says so: comments then come at the end.
    """
    from unstructured.partition.docx import partition_docx

    data = with_plain_word_type(data)
    try:
        document = docx.Document(io.BytesIO(data))
        shown = word_shown.keep_what_is_shown(document, reads_hidden=reads_hidden)
        content = _saved(document) if shown.has_changed else io.BytesIO(data)
        seen = _seen(partition_docx(file=content, languages=_LANGUAGES, detect_language_per_element=False))
        property_title = document.core_properties.title
    except _BROKEN_PACKAGE as problem:
        raise refusals.corrupt("docx") from problem
    body = [one for one in seen if one.name not in ("Header", "Footer", "PageBreak", "PageNumber") and one.text.strip()]
    first = tidy(body[0].text) if body and body[0].name != "Table" else ""
    is_title = bool(first) and looks_like_title(first)
    pieces = list(_word_pieces(body, title=first if is_title else None))
    pieces += [Piece(ElementKind.LIST_ITEM, tidy(comment)) for comment in shown.comments]
    notes = hidden_notes(shown.notes, were_read=reads_hidden)
    noted = replace(origin, notes={**(origin.notes or {}), **notes})
    return assemble(pieces, noted, titles=[first if is_title else None, _trusted(property_title)])


def parse_pptx(data: bytes, origin: Origin, *, reads_hidden: bool = False) -> ParsedDocument:
    """Slides in order: the title as heading, then texts and tables; what nobody sees is left out and counted.

    `reads_hidden` reads hidden slides and texts, too, and the comments below their slide.
    """
    from unstructured.partition.pptx import partition_pptx

    try:
        presentation = pptx.Presentation(io.BytesIO(data))
        slides = list(presentation.slides)
        unseen = slides_shown.keep_what_is_shown(presentation, reads_hidden=reads_hidden)
        content = _saved(presentation) if unseen and not reads_hidden else io.BytesIO(data)
        hidden = {number for number, slide in enumerate(slides, start=1) if slide._element.get("show") == "0"}
        comments = {number: slides_shown.comments_of(slide) for number, slide in enumerate(slides, start=1)}
        titles = {number: _slide_title(slide) for number, slide in enumerate(slides, start=1)}
        seen = _seen(partition_pptx(file=content, languages=_LANGUAGES, detect_language_per_element=False))
    except _BROKEN_PACKAGE as problem:
        raise refusals.corrupt("pptx") from problem
    left_out = set() if reads_hidden else hidden
    shown = _without_slide_footers([one for one in seen if one.page not in left_out and one.text.strip()], len(slides))
    pieces: list[Piece] = []
    for number, title in titles.items():
        pieces += _slide_pieces(shown, number, title)
        if reads_hidden:
            pieces += [Piece(ElementKind.LIST_ITEM, tidy(words), page=number) for words in comments[number]]
    counted = {
        "hidden_slides": len(hidden),
        "hidden_texts": unseen,
        "comments": sum(len(words) for words in comments.values()),
    }
    notes: Notes = {**(origin.notes or {}), **hidden_notes(counted, were_read=reads_hidden)}
    first = next((tidy(one.text) for one in shown if one.name != "Table"), "")
    first_title = next((title for number, title in titles.items() if title and number not in left_out), None)
    return assemble(
        pieces,
        replace(origin, pages=len(slides), notes=notes),
        titles=[titles.get(1), first if looks_like_title(first) else None, first_title],
    )


def _saved(document: Any) -> io.BytesIO:
    content = io.BytesIO()
    document.save(content)
    content.seek(0)
    return content


def _seen(elements: list[Any]) -> list[Seen]:
    return [
        Seen(
            name=type(element).__name__,
            text=element.text or "",
            depth=element.metadata.category_depth,
            page=element.metadata.page_number,
            table=element.metadata.text_as_html,
            is_bold=_is_bold(element),
        )
        for element in elements
    ]


def _is_bold(element: Any) -> bool:
    contents = element.metadata.emphasized_text_contents or []
    tags = element.metadata.emphasized_text_tags or []
    bold = "".join(text for text, tag in zip(contents, tags, strict=False) if tag == "b")
    return bool(bold) and "".join(bold.split()) == "".join((element.text or "").split())


def _word_pieces(body: list[Seen], *, title: str | None) -> Iterator[Piece]:
    caption: str | None = None
    for number, one in enumerate(body):
        if one.name == "Table":
            yield from _table_pieces(replace(one, page=None))  # Word's page numbers are those of its last printing
            continue
        text = tidy(one.text)
        if number == 0 and title is not None:
            yield Piece(ElementKind.HEADING, text, level=1)
        elif one.name == "Title" and one.depth is not None and not is_contents_line(text):
            yield Piece(ElementKind.HEADING, " ".join(text.split()), level=one.depth + 1)
        elif is_caption(text) and number + 1 < len(body) and _is_article(body[number + 1]):
            caption = text
        elif one.name == "ListItem":
            yield Piece(ElementKind.LIST_ITEM, text)
        else:
            yield from _paragraph(text, caption=caption, is_bold=one.is_bold)
            caption = None


def _is_article(one: Seen) -> bool:
    """Whether `_paragraph` will make an article's heading of it, and so take the caption above."""
    text = tidy(one.text)
    found = heading_at(text) if "\n" not in text and one.name not in ("Table", "Title", "ListItem") else None
    return found is not None and found.level == ARTICLE_LEVEL


def _paragraph(text: str, *, caption: str | None, is_bold: bool) -> Iterator[Piece]:
    """One paragraph; the heading at its start, with the caption line before it, becomes a piece of its own."""
    found = heading_at(text) if "\n" not in text else None
    if found is not None:
        words = text[: found.length] if caption is None else f"{caption}\n{text[: found.length]}"
        yield Piece(ElementKind.HEADING, words, level=found.level + 1, is_guess=True)
        rest = text[found.length :].strip()
        if rest:
            yield Piece(ElementKind.TEXT, rest, joined=True)
        return
    is_short = (
        len(text) <= _LONGEST_BOLD_HEADING_CHARACTERS and "\n" not in text and not text.endswith(("。", ".", "、"))
    )
    if is_bold and is_short:
        yield Piece(ElementKind.HEADING, text, level=_BOLD_LEVEL, is_guess=True)
    else:
        yield Piece(ElementKind.TEXT, text)


def _table_pieces(one: Seen) -> Iterator[Piece]:
    """A table of one column only arranges the page: its cells are paragraphs."""
    rows = table_rows(one.table or "")
    if not rows:
        yield Piece(ElementKind.TEXT, tidy(one.text), page=one.page)
    elif all(sum(bool(cell) for cell in row) < 2 for row in rows):
        for row in rows:
            yield Piece(ElementKind.TEXT, next(cell for cell in row if cell), page=one.page)
    else:
        yield table_piece(rows, page=one.page)


def _without_slide_footers(shown: list[Seen], slides: int) -> list[Seen]:
    """The elements without texts that stand on most slides, such as a company's name and the slide's number."""
    where: dict[str, set[int | None]] = {}
    for one in shown:
        where.setdefault(_FOOTER_DIGITS.sub("#", tidy(one.text)), set()).add(one.page)
    often = max(3, slides * 0.6)
    return [
        one
        for one in shown
        if len(where[_FOOTER_DIGITS.sub("#", tidy(one.text))]) < often or len(one.text) > _LONGEST_FOOTER_CHARACTERS
    ]


def _slide_title(slide: Any) -> str | None:
    shape = slide.shapes.title
    return " ".join(tidy(shape.text_frame.text).split()) or None if shape is not None else None


def _slide_pieces(shown: list[Seen], number: int, title: str | None) -> Iterator[Piece]:
    if title and any(one.page == number for one in shown):
        yield Piece(ElementKind.HEADING, title, level=1, page=number)
    for one in shown:
        text = tidy(one.text)
        if one.page != number or not text or (title is not None and " ".join(text.split()) == title):
            continue
        if one.name == "Table":
            yield from _table_pieces(one)
        else:
            kind = ElementKind.LIST_ITEM if one.name == "ListItem" else ElementKind.TEXT
            yield Piece(kind, text, page=number)


def _trusted(property_title: str | None) -> str | None:
    """The title property, unless an application filled it in by itself."""
    title = (property_title or "").strip()
    return None if title.lower().startswith(("microsoft", "word document", "powerpoint", "文書", "document")) else title
