"""Bringing files, for those who may: choose, send, and watch them being read."""

from __future__ import annotations

from typing import Final

import streamlit as st

from assistant.errors import Language
from assistant.wire_library import UploadOut, UploadsOut
from ui import calls, document_page, parts
from ui.client import ProblemError
from ui.formats import moment, size
from ui.markup import plain_html
from ui.visit import Visit
from ui.words import documents as listing
from ui.words import say, uploads

# While files wait, the list is read again this often.
WATCH_SECONDS: Final = 2.0
LISTED: Final = 10


def show(visit: Visit) -> None:
    """Draw the box for files; nothing for those who may not bring any. Raises ProblemError."""
    found = calls.uploads(visit.client)
    if found is None:
        return
    language = visit.language
    told = st.session_state.pop("uploads_told", [])
    with st.expander(
        say(uploads.UPLOADS_TITLE, language),
        icon=":material/upload_file:",
        # Once somebody has brought something, what became of it stays in sight.
        expanded=bool(told) or _is_under_way(found) or "uploads_round" in st.session_state,
    ):
        st.caption(say(uploads.UPLOADS_INTRO, language, limit=size(found.limit_bytes)))
        _show_form(visit)
        for is_good, sentence in told:
            if is_good:
                st.success(sentence)
            else:
                st.html(sentence)
        st.fragment(_show_mine, run_every=WATCH_SECONDS if _is_under_way(found) else None)(visit)


def _is_under_way(found: UploadsOut) -> bool:
    return found.job is not None or any(one.state in {"waiting", "pending"} for one in found.uploads)


def _show_form(visit: Visit) -> None:
    language = visit.language
    round_number = int(st.session_state.get("uploads_round", 0))
    chosen = st.file_uploader(
        say(uploads.UPLOADS_CHOOSE, language), accept_multiple_files=True, key=f"uploads-files-{round_number}"
    )
    replaces = st.checkbox(say(uploads.UPLOADS_REPLACE, language), key="uploads_replace")
    if not st.button(say(uploads.UPLOADS_SEND, language), type="primary", disabled=not chosen, key="uploads_send"):
        return
    told: list[tuple[bool, str]] = []
    for file in chosen:
        with st.spinner(say(uploads.UPLOADS_SENDING, language, name=file.name)):
            told.append(_send(visit, file.name, file.getvalue(), replaces=replaces))
    # An uploader keeps its files until it is another one.
    st.session_state.uploads_round = round_number + 1
    st.session_state.uploads_told = told
    st.rerun()


def _send(visit: Visit, name: str, content: bytes, *, replaces: bool) -> tuple[bool, str]:
    """Whether the file arrived, and what to say."""
    language = visit.language
    try:
        done = calls.upload(visit.client, name, content, replaces=replaces)
    except ProblemError as error:
        return False, parts.problem(
            error.problem, language=language, retry_after_seconds=error.retry_after_seconds, is_partial=False
        )
    words = {
        "new": uploads.UPLOADED_NEW,
        "replaced": uploads.UPLOADED_REPLACED,
        "same": uploads.UPLOADED_SAME,
    }[done.outcome]
    return True, say(words, language, name=parts.unmarked(done.upload.name))


def _show_mine(visit: Visit) -> None:
    """The person's files with what became of each; drawn again by itself while any waits."""
    language = visit.language
    try:
        found = calls.uploads(visit.client)
    except ProblemError:  # the page says so when it is drawn as a whole
        return
    if found is None:
        return
    st.html(parts.side_title(uploads.MY_UPLOADS, language=language))
    if found.job is not None:
        words = uploads.JOB_QUEUED if found.job.state == "queued" else uploads.JOB_RUNNING
        st.progress(found.job.share or 0.0, text=say(words, language))
    if not found.uploads:
        st.caption(say(uploads.MY_UPLOADS_NONE, language))
    for one in found.uploads[:LISTED]:
        with st.container(horizontal=True, vertical_alignment="center", key=f"mine-{one.path}"):
            st.html(_line(one, visit))
            label = say(listing.COLUMN_DOCUMENT, language)
            if one.document_id is not None and st.button(
                label, key=f"mine-open-{one.document_id}", icon=":material/receipt_long:", type="tertiary"
            ):
                document_page.open_in_page(one.document_id)
                st.rerun(scope="app")  # a button of a fragment draws the fragment alone
            _offer_to_take_back(one, visit)
    if not _is_under_way(found) and st.session_state.get("uploads_watched"):
        st.session_state.uploads_watched = False
        st.rerun(scope="app")
    st.session_state.uploads_watched = _is_under_way(found)


def _offer_to_take_back(one: UploadOut, visit: Visit) -> None:
    """Deleting asks once more, as everywhere."""
    language = visit.language
    with st.popover(say(uploads.TAKE_BACK, language), icon=":material/undo:", type="tertiary"):
        st.caption(say(uploads.TAKE_BACK_SURE, language, name=parts.unmarked(one.name)))
        if not st.button(
            say(uploads.TAKE_BACK_REALLY, language), key=f"mine-back-{one.path}", icon=":material/delete:"
        ):
            return
    try:
        calls.take_back(visit.client, one.path)
    except ProblemError as error:
        said = parts.problem(error.problem, language=language, retry_after_seconds=None, is_partial=False)
        st.session_state.uploads_told = [(False, said)]
    else:
        st.session_state.uploads_told = [(True, say(uploads.TAKEN_BACK, language, name=parts.unmarked(one.name)))]
    st.rerun(scope="app")


def _line(one: UploadOut, visit: Visit) -> str:
    language = visit.language
    when = moment(one.uploaded_at, language, timezone=visit.timezone)
    why = _why(one, language)
    return (
        f'<div lang="{language}"><span class="ca-name">{plain_html(one.name)}</span>'
        f'<span class="ca-place">{plain_html(when)} · {plain_html(size(one.size_bytes))}</span>'
        f'<span class="ca-state ca-{one.state}">{plain_html(_state_words(one, language))}</span>'
        + (f'<span class="ca-place">{plain_html(why)}</span>' if why else "")
        + "</div>"
    )


def _state_words(one: UploadOut, language: Language) -> str:
    return say(uploads.WAITING if one.state == "waiting" else listing.STATUSES[one.state], language)


def _why(one: UploadOut, language: Language) -> str:
    lines = (one.detail or "").splitlines()
    if lines:
        return lines[0] if language == "ja" else lines[-1]
    is_known = one.state in {"indexed", "warn"}
    return say(uploads.NOT_YOURS_TO_READ, language) if is_known and one.document_id is None else ""
