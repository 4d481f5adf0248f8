"""Earlier conversations: found, gone on with, renamed, deleted, saved as files. They lie with the API, for their owner alone."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

import streamlit as st

from assistant.errors import Language
from assistant.wire_history import ConversationOut
from ui import parts
from ui.client import ProblemError
from ui.formats import moment
from ui.markup import plain_html
from ui.screens import ask
from ui.visit import Visit
from ui.words import history, problems, say

TYPES = {"docx": "application/octet-stream", "md": "text/markdown", "json": "application/json"}


def show(visit: Visit) -> None:
    """Draw the screen: search, the list, paging."""
    language = visit.language
    st.html(parts.heading(history.TITLE, history.INTRO, language=language))
    query = st.text_input(say(history.SEARCH, language), key="history-query", on_change=_go_to, args=("",))
    cursor = str(st.session_state.get("history-cursor", ""))
    try:
        page = visit.client.conversations(query, cursor=cursor)
    except ProblemError as error:
        _problem(error, language)
        st.button(say(problems.RETRY_LOADING, language), key="history-again", icon=":material/refresh:")
        return
    if not page.conversations:
        st.info(say(history.NO_MATCH if query or cursor else history.NONE, language))
    for conversation in page.conversations:
        _row(conversation, visit)
    with st.container(horizontal=True):
        if cursor:
            st.button(say(history.FIRST, language), key="history-first", on_click=_go_to, args=("",))
        if page.next is not None:
            st.button(say(history.NEXT, language), key="history-next", on_click=_go_to, args=(page.next,))


def _row(conversation: ConversationOut, visit: Visit) -> None:
    """One conversation: its title opens it; what else can be done stands behind a button."""
    language, name = visit.language, conversation.conversation_id
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"conversation-{name}"):
        with st.container(gap=None):
            if st.button(conversation.title, key=f"open-{name}", type="tertiary"):
                _open(name, visit)
            when = moment(conversation.updated_at, language, timezone=visit.timezone)
            count = say(history.COUNT, language, when=when, count=conversation.answers)
            st.html(f'<span class="ca-muted ca-small" lang="{language}">{plain_html(count)}</span>')
        with st.popover(say(history.MORE, language), icon=":material/more_horiz:", type="tertiary"):
            _more(conversation, visit)


def _open(conversation_id: str, visit: Visit) -> None:
    try:
        ask.go_on_with(conversation_id, visit)
    except ProblemError as error:
        _problem(error, visit.language)
        return
    visit.go_to("ask")


def _more(conversation: ConversationOut, visit: Visit) -> None:
    language, name = visit.language, conversation.conversation_id
    title = st.text_input(
        say(history.NEW_TITLE, language), value=conversation.title, max_chars=200, key=f"title-{name}"
    )
    if st.button(say(history.RENAME, language), key=f"rename-{name}", icon=":material/edit:") and title.strip():
        _do(partial(visit.client.rename_conversation, name, title.strip()), language)
    st.html(parts.side_title(history.EXPORT, language=language))
    with st.container(horizontal=True):
        for kind, label in history.KINDS.items():
            _save(conversation, kind, say(label, language), visit)
    st.html(parts.side_title(history.DELETE, language=language))
    st.caption(say(history.DELETE_SURE, language))
    if st.button(say(history.DELETE_REALLY, language), key=f"delete-{name}", icon=":material/delete:"):
        ask.forget(name)
        _do(partial(visit.client.delete_conversation, name), language)


def _save(conversation: ConversationOut, kind: str, label: str, visit: Visit) -> None:
    """A link that the API answers with the reader's own rights; without a proxy the file comes through the screen."""
    name = conversation.conversation_id
    if visit.links_to is not None:
        address = f"{visit.links_to}/conversations/{quote(name, safe='')}/export?format={kind}"
        st.html(parts.link(label, address), width="content")
        return
    st.download_button(
        label,
        partial(visit.client.export, name, kind),
        file_name=f"{conversation.title[:60]}.{kind}",
        mime=TYPES[kind],
        key=f"save-{name}-{kind}",
        on_click="ignore",
    )


def _do(act: partial[None], language: Language) -> None:
    """Does it and draws the list anew, or says why not."""
    try:
        act()
    except ProblemError as error:
        _problem(error, language)
        return
    st.rerun()


def _problem(error: ProblemError, language: Language) -> None:
    st.html(
        parts.problem(error.problem, language=language, retry_after_seconds=error.retry_after_seconds, is_partial=False)
    )


def _go_to(cursor: str) -> None:
    st.session_state["history-cursor"] = cursor
