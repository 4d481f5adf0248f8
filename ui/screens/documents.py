"""The documents that the person may read: look through them, see what is new, open one and how it was read; bring files.

One document is a part of this page (`?document=…`), so that its address can be sent to a colleague; what a colleague may not
read looks to them as if it were not there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from assistant.errors import FailureReason, Language
from assistant.library import KINDS
from assistant.wire import DocumentOut
from ui import calls, document_page, parts, upload_box
from ui.client import ProblemError
from ui.formats import day
from ui.markup import plain_html
from ui.visit import Visit
from ui.words import documents as listing
from ui.words import problems, say

ALL: Final = ""
PAGE_DOCUMENTS: Final = 25
WEEK_DAYS: Final = 7
NEWEST: Final = 8
_FILTERS: Final = ("query", "folder", "kind", "status", "since")


def show(visit: Visit) -> None:
    """Draw one document if its address asks for it, else the list."""
    document_id = str(st.query_params.get(document_page.PARAMETER, ""))
    try:
        if document_id:
            document_page.show(visit, document_id)
        else:
            _show_list(visit)
    except ProblemError as error:
        show_problem(error, visit.language)


def show_problem(error: ProblemError, language: Language) -> None:
    """What went wrong, and a button that tries once more."""
    st.html(
        parts.problem(error.problem, language=language, retry_after_seconds=error.retry_after_seconds, is_partial=False)
    )
    st.button(say(problems.RETRY_LOADING, language), key="documents_again", icon=":material/refresh:")


def _show_list(visit: Visit) -> None:
    language = visit.language
    st.html(parts.heading(listing.DOCUMENTS_TITLE, listing.DOCUMENTS_INTRO, language=language))
    upload_box.show(visit)
    wanted = _filters(visit)
    cursor = str(st.session_state.get("documents_cursor", ""))
    if not any(wanted.values()) and not cursor:
        _show_news(visit)
    since = wanted.pop("since")
    page = calls.browse(
        visit.client, **wanted, changed_since=_day_before(int(since or 0)), cursor=cursor, limit=str(PAGE_DOCUMENTS)
    )
    if page.documents:
        _show_rows(page.documents, visit)
    elif any(wanted.values()) or since or cursor:
        st.info(say(listing.DOCUMENTS_NO_MATCH, language))
    else:
        st.info(say(listing.DOCUMENTS_NONE, language) + " " + say(listing.DOCUMENTS_NONE_HINT, language))
    _show_paging(cursor, page.next, language=language)


def _filters(visit: Visit) -> dict[str, str]:
    """What the person looks for, by the API's names; empty values mean everything."""
    language = visit.language
    found = calls.folders_of_library(visit.client).folders
    names = {folder.path: folder.path.rstrip("/") for folder in found if folder.path}
    query = st.text_input(say(listing.DOCUMENTS_SEARCH, language), key="documents_query", on_change=_first_page)
    columns = st.columns(4)
    chosen = [
        columns[0].selectbox(
            say(listing.DOCUMENTS_FOLDER, language),
            [ALL, *names],
            format_func=lambda path: names.get(path, say(listing.DOCUMENTS_ALL, language)),
            key="documents_folder",
            on_change=_first_page,
        ),
        columns[1].selectbox(
            say(listing.DOCUMENTS_KIND, language),
            [ALL, *KINDS],
            format_func=lambda kind: say(listing.KINDS.get(kind, listing.DOCUMENTS_ALL), language),
            key="documents_kind",
            on_change=_first_page,
        ),
        columns[2].selectbox(
            say(listing.DOCUMENTS_STATUS, language),
            [ALL, *(status for status in listing.STATUSES if status != "deleted")],
            format_func=lambda value: say(listing.STATUSES.get(value, listing.DOCUMENTS_ALL), language),
            key="documents_status",
            on_change=_first_page,
        ),
        columns[3].selectbox(
            say(listing.DOCUMENTS_SINCE, language),
            list(listing.SINCE),
            format_func=lambda days: say(listing.SINCE[days], language),
            key="documents_since",
            on_change=_first_page,
        ),
    ]
    return dict(zip(_FILTERS, [query, *(str(value or "") for value in chosen)], strict=True))


def _show_news(visit: Visit) -> None:
    """What came or changed in the last week, the newest first."""
    language, since = visit.language, _day_before(WEEK_DAYS)
    news = calls.browse(visit.client, changed_since=since, order="newest", limit=str(NEWEST)).documents
    with st.expander(say(listing.NEW_THIS_WEEK, language), icon=":material/fiber_new:", expanded=False):
        if not news:
            st.caption(say(listing.NOTHING_NEW, language))
        for document in news:
            is_new = (document.added or "") >= since
            label = say(listing.NEW if is_new else listing.CHANGED, language)
            with st.container(horizontal=True, vertical_alignment="center"):
                _title_button(document, key=f"news-{document.document_id}")
                st.html(
                    f'<span class="ca-place" lang="{language}">{plain_html(label)} '
                    f"{plain_html(day(document.changed or '', language, timezone=visit.timezone))}</span>"
                )


def _show_rows(documents: list[DocumentOut], visit: Visit) -> None:
    for document in documents:
        with st.container(border=True, gap="small"):
            left, right = st.columns([5, 2], vertical_alignment="center")
            with left:
                _title_button(document, key=f"open-{document.document_id}")
                st.html(f'<span class="ca-place">{plain_html(document.path)}</span>')
            right.html(_state(document, visit))


def _title_button(document: DocumentOut, *, key: str) -> None:
    st.button(
        parts.unmarked(document.title or document.path),
        key=key,
        type="tertiary",
        on_click=document_page.open_in_page,
        args=(document.document_id,),
    )


def _state(document: DocumentOut, visit: Visit) -> str:
    language = visit.language
    when = day(document.changed or document.modified, language, timezone=visit.timezone)
    return (
        f'<div lang="{language}">{state_html(document, language)}<span class="ca-place">{plain_html(when)}</span></div>'
    )


def state_html(document: DocumentOut, language: Language) -> str:
    """Whether it can be searched, with a dot in its colour, and why not."""
    status_text = listing.STATUSES.get(document.status)
    state = say(status_text, language) if status_text is not None else document.status
    tone = f" ca-{document.status}" if status_text is not None else ""
    reason = ""
    if document.reason is not None:
        reason = f'<span class="ca-place">{plain_html(reason_words(document.reason, language))}</span>'
    return f'<span class="ca-state{tone}">{plain_html(state)}</span>{reason}'


def reason_words(code: str, language: Language) -> str:
    """What a reason is called; the code itself for one that this screen does not know."""
    return say(listing.FAILURES[FailureReason(code)], language) if code in set(FailureReason) else code


def _show_paging(cursor: str, following: str | None, *, language: Language) -> None:
    with st.container(horizontal=True):
        if cursor:
            st.button(say(listing.DOCUMENTS_FIRST, language), key="documents_first", on_click=_go_to, args=("",))
        if following is not None:
            st.button(say(listing.DOCUMENTS_NEXT, language), key="documents_next", on_click=_go_to, args=(following,))


def _first_page() -> None:
    _go_to("")


def _go_to(cursor: str) -> None:
    st.session_state.documents_cursor = cursor


def _day_before(days: int) -> str:
    """The day that many days ago in UTC; "" for 0."""
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat() if days else ""
