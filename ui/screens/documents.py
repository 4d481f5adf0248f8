"""The list of documents that the person may read, with what became of each, a page at a time."""

from __future__ import annotations

import streamlit as st

from assistant.errors import Language
from ui import parts, words
from ui.client import ApiClient, ProblemError

ALL_STATUSES = ""


def show(client: ApiClient, *, language: Language) -> None:
    """Draw the screen: search field, status filter, table, paging."""
    st.html(parts.heading(words.DOCUMENTS_TITLE, words.DOCUMENTS_INTRO, language=language))
    left, right = st.columns([2, 1])
    query = left.text_input(
        words.say(words.DOCUMENTS_SEARCH, language), key="documents_query", on_change=_go_to, args=("",)
    )
    status = right.selectbox(
        words.say(words.DOCUMENTS_STATUS, language),
        [ALL_STATUSES, *words.STATUSES],
        format_func=lambda value: words.say(words.STATUSES.get(value, words.DOCUMENTS_ALL), language),
        key="documents_status",
        on_change=_go_to,
        args=("",),
    )
    cursor = str(st.session_state.get("documents_cursor", ""))
    try:
        page = client.documents(query, status=status, cursor=cursor)
    except ProblemError as error:
        st.html(
            parts.problem(
                error.problem, language=language, retry_after_seconds=error.retry_after_seconds, is_partial=False
            )
        )
        st.button(words.say(words.RETRY_LOADING, language), key="documents_again", icon=":material/refresh:")
        return
    if page.documents:
        st.html(parts.documents(page.documents, language=language))
    elif query or status or cursor:
        st.info(words.say(words.DOCUMENTS_NO_MATCH, language))
    else:
        st.info(words.say(words.DOCUMENTS_NONE, language) + " " + words.say(words.DOCUMENTS_NONE_HINT, language))
    _show_paging(cursor, page.next, language=language)


def _show_paging(cursor: str, following: str | None, *, language: Language) -> None:
    with st.container(horizontal=True):
        if cursor:
            st.button(words.say(words.DOCUMENTS_FIRST, language), key="documents_first", on_click=_go_to, args=("",))
        if following is not None:
            st.button(
                words.say(words.DOCUMENTS_NEXT, language), key="documents_next", on_click=_go_to, args=(following,)
            )


def _go_to(cursor: str) -> None:
    st.session_state.documents_cursor = cursor
