"""The list of documents that the person may read, with what became of each, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from assistant.errors import FailureReason, Language
from assistant.wire import DocumentOut
from ui import parts
from ui.client import ProblemError
from ui.formats import day
from ui.markup import plain_html
from ui.visit import Visit
from ui.words import documents as listing
from ui.words import problems, say

ALL_STATUSES = ""


def show(visit: Visit) -> None:
    """Draw the screen: search field, status filter, table, paging."""
    language = visit.language
    st.html(parts.heading(listing.DOCUMENTS_TITLE, listing.DOCUMENTS_INTRO, language=language))
    left, right = st.columns([2, 1])
    query = left.text_input(
        say(listing.DOCUMENTS_SEARCH, language), key="documents_query", on_change=_go_to, args=("",)
    )
    status = right.selectbox(
        say(listing.DOCUMENTS_STATUS, language),
        [ALL_STATUSES, *listing.STATUSES],
        format_func=lambda value: say(listing.STATUSES.get(value, listing.DOCUMENTS_ALL), language),
        key="documents_status",
        on_change=_go_to,
        args=("",),
    )
    cursor = str(st.session_state.get("documents_cursor", ""))
    try:
        page = visit.client.documents(query, status=status, cursor=cursor)
    except ProblemError as error:
        st.html(
            parts.problem(
                error.problem, language=language, retry_after_seconds=error.retry_after_seconds, is_partial=False
            )
        )
        st.button(say(problems.RETRY_LOADING, language), key="documents_again", icon=":material/refresh:")
        return
    if page.documents:
        st.html(table(page.documents, language=language))
    elif query or status or cursor:
        st.info(say(listing.DOCUMENTS_NO_MATCH, language))
    else:
        st.info(say(listing.DOCUMENTS_NONE, language) + " " + say(listing.DOCUMENTS_NONE_HINT, language))
    _show_paging(cursor, page.next, language=language)


def _show_paging(cursor: str, following: str | None, *, language: Language) -> None:
    with st.container(horizontal=True):
        if cursor:
            st.button(say(listing.DOCUMENTS_FIRST, language), key="documents_first", on_click=_go_to, args=("",))
        if following is not None:
            st.button(say(listing.DOCUMENTS_NEXT, language), key="documents_next", on_click=_go_to, args=(following,))


def _go_to(cursor: str) -> None:
    st.session_state.documents_cursor = cursor


def table(listed: Sequence[DocumentOut], *, language: Language) -> str:
    """The table of documents: title and path, status and reason, day of the last change."""
    head = "".join(
        f'<th scope="col">{parts.worded(text, language)}</th>'
        for text in (listing.COLUMN_DOCUMENT, listing.COLUMN_STATUS, listing.COLUMN_CHANGED)
    )
    rows = "".join(_row(document, language) for document in listed)
    return f'<table class="ca-documents" lang="{language}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(document: DocumentOut, language: Language) -> str:
    status_text = listing.STATUSES.get(document.status)
    state = say(status_text, language) if status_text is not None else document.status
    tone = f" ca-{document.status}" if status_text is not None else ""
    reason = ""
    if document.reason is not None:
        known = document.reason in set(FailureReason)
        why = say(listing.FAILURES[FailureReason(document.reason)], language) if known else document.reason
        reason = f'<span class="ca-place">{plain_html(why)}</span>'
    return (
        f'<tr><td><span class="ca-name">{plain_html(document.title)}</span>'
        f'<span class="ca-place">{plain_html(document.path)}</span></td>'
        f'<td><span class="ca-state{tone}">{plain_html(state)}</span>{reason}</td>'
        f"<td>{plain_html(day(document.modified, language))}</td></tr>"
    )
