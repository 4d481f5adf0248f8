"""The place that an answer cites, over the page: the PDF's page as a picture, or the text around the quotation.

A picture comes from the API with the reader's own rights and goes into the page itself: Streamlit's own store of pictures
would hand it to anybody who knows its address.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Final

import streamlit as st

from assistant.wire import CitationOut, DocumentOut
from ui import parts
from ui.client import ProblemError
from ui.formats import day, size
from ui.markup import passage_html, plain_html
from ui.style import step_down
from ui.turns import Wish
from ui.visit import Visit
from ui.words import say, sources

PDF: Final = "application/pdf"
# So much of the text is shown before and after the quotation.
AROUND_CHARACTERS: Final = 1200


def open_source(source: CitationOut, visit: Visit) -> None:
    """Opens the place over the page; Escape closes it."""
    language = visit.language

    @st.dialog(say(sources.DIALOG, language), width="medium")
    def place() -> None:
        try:
            document = visit.client.document(source.document_id)
        except ProblemError as error:
            st.html(parts.problem(error.problem, language=language, retry_after_seconds=None, is_partial=False))
            return
        st.html(_head(source, document, visit))
        if document.media_type == PDF and source.page is not None and document.version_id == source.version_id:
            _pages(source, document, visit)
        else:
            _text(source, document, visit)
        label = say(sources.ONLY_THIS, language)
        if st.button(label, key="only-this", icon=":material/filter_alt:", on_click=_only, args=(document,)):
            st.rerun()  # the whole page, which closes this

    place()


def _only(document: DocumentOut) -> None:
    """From now on questions are asked of this document alone, until that is taken back over the answers."""
    wish: Wish = st.session_state.get("wish", Wish())
    st.session_state.wish = replace(wish, document_id=document.document_id, document_title=document.title)


def _head(source: CitationOut, document: DocumentOut, visit: Visit) -> str:
    """Title, way, place, version and day, and the link to the original where a browser may fetch it."""
    language = visit.language
    facts = [document.path]
    if source.page is not None:
        facts.append(say(sources.PAGE, language, page=source.page))
    changed = day(document.modified, language, timezone=visit.timezone)
    facts += [say(sources.CHANGED, language, day=changed), size(document.size_bytes)]
    is_current = document.version_id == source.version_id
    badge = sources.IS_CURRENT if is_current else sources.NOT_CURRENT
    tone = "ca-badge ca-good" if is_current else "ca-badge"
    way = " › ".join(source.heading_path)
    link = ""
    if visit.links_to is not None and source.url.startswith("/documents/"):
        address = plain_html(visit.links_to + source.url)
        link = f'<p><a href="{address}" target="_blank">{parts.worded(sources.OPEN_ORIGINAL, language)}</a></p>'
    return (
        f'<div lang="{language}"><p class="ca-name ca-large">{plain_html(document.title)}</p>'
        f'<p class="ca-place">{plain_html(" · ".join(facts))} <span class="{tone}">{parts.worded(badge, language)}</span></p>'
        + (f'<p class="ca-place">{plain_html(way)}</p>' if way else "")
        + f"{link}</div>"
    )


def _pages(source: CitationOut, document: DocumentOut, visit: Visit) -> None:
    """The page with the quotation marked, and the pages beside it."""
    language, last = visit.language, document.pages or source.page or 1
    key = f"page-of-{source.version_id}-{source.start}"
    page = min(max(int(st.session_state.get(key, source.page or 1)), 1), last)
    try:
        picture = visit.client.page_picture(source.document_id, page, start=source.start, end=source.end)
    except ProblemError:
        st.caption(say(sources.NO_PICTURE, language))
        _text(source, document, visit)
        return
    label = say(sources.PICTURE_OF, language, page=page, title=document.title)
    encoded = b64encode(picture.png).decode("ascii")
    with st.container(horizontal=True, vertical_alignment="center"):
        for step, text, icon in (
            (-1, sources.PAGE_BEFORE, ":material/chevron_left:"),
            (1, sources.PAGE_AFTER, ":material/chevron_right:"),
        ):
            is_end = not 1 <= page + step <= last
            if st.button(say(text, language), key=f"{key}{step}", icon=icon, disabled=is_end, type="tertiary"):
                st.session_state[key] = page + step
                st.rerun(scope="fragment")
        st.caption(say(sources.PAGE_OF, language, page=page, pages=last))
    if page == source.page and not picture.marks:
        st.caption(say(sources.NOT_MARKED, language))
    # Where browsers know of it (ui/style.py), the page opens with the mark in sight.
    here = f'<span class="ca-here ca-down-{step_down(picture.top)}"></span>' if picture.marks else ""
    st.html(
        f'<blockquote class="ca-cited">{plain_html(source.quote)}</blockquote>'
        f'<div class="ca-view" tabindex="0"><div class="ca-frame">{here}'
        f'<img class="ca-page" alt="{plain_html(label)}" src="data:image/png;base64,{encoded}"></div></div>'
    )


def _text(source: CitationOut, document: DocumentOut, visit: Visit) -> None:
    """The text around the quotation; the quotation alone where the document has changed since."""
    language = visit.language
    start = max(0, source.start - AROUND_CHARACTERS)
    if document.version_id == source.version_id:
        try:
            limit = source.end - start + AROUND_CHARACTERS
            excerpt = visit.client.text(source.document_id, start=start, limit=limit)
        except ProblemError as error:
            st.html(parts.problem(error.problem, language=language, retry_after_seconds=None, is_partial=False))
            return
        first, last = source.start - start, source.end - start
        if excerpt.version_id == source.version_id and excerpt.text[first:last] == source.quote:
            before = "… " if start > 0 else ""
            after = " …" if excerpt.end < excerpt.characters else ""
            shown = passage_html(excerpt.text, start=first, end=last, mark_id="")
            st.html(f'<div class="ca-text ca-sheet">{before}{shown}{after}</div>')
            return
    st.caption(say(sources.CHANGED_SINCE, language))
    st.html(f'<blockquote class="ca-cited">{plain_html(source.quote)}</blockquote>')
