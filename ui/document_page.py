"""One document: what it is, the way to its original, and how it was read, in sentences for everybody."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from assistant.errors import Language
from assistant.wire import DocumentOut
from ui import calls, parts, receipt_parts
from ui.formats import day, size
from ui.markup import plain_html
from ui.visit import Visit
from ui.words import documents as listing
from ui.words import receipts, say

PARAMETER: Final = "document"


def open_in_page(document_id: str) -> None:
    """Make the document the page's address; drawn by the next run."""
    st.query_params[PARAMETER] = document_id


def show(visit: Visit, document_id: str) -> None:
    """Draw it. Raises ProblemError, of status 404 if it is not there or may not be read."""
    language = visit.language
    st.button(say(listing.BACK, language), icon=":material/arrow_back:", type="tertiary", on_click=_back)
    document = calls.document(visit.client, document_id)
    st.html(f'<div class="ca-intro"><h1>{plain_html(document.title)}</h1></div>')
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(_receipt(document, calls.receipt(visit.client, document_id), language))
    with right:
        st.html(_facts(document, visit))
        if visit.links_to is not None:
            address = f"{visit.links_to}/documents/{quote(document_id)}/file"
            st.link_button(say(listing.OPEN_ORIGINAL, language), address, icon=":material/open_in_new:")
        else:
            st.caption(say(listing.NO_ORIGINAL, language))


def _back() -> None:
    st.query_params.pop(PARAMETER, None)


def _receipt(document: DocumentOut, receipt: dict[str, Any], language: Language) -> str:
    tone = {"failed": "ca-problem", "warn": "ca-notice"}.get(document.status, "ca-refusal")
    if document.status == "indexed":
        tone = "ca-good"
    first, *rest = receipt_parts.sentences(receipt, language)
    lines = "".join(f"<li>{plain_html(line)}</li>" for line in rest)
    return (
        f"{parts.side_title(receipts.RECEIPT_TITLE, language=language)}"
        f'<div class="ca-box {tone}" lang="{language}"><p class="ca-box-title">{plain_html(first)}</p>'
        + (f"<ul>{lines}</ul>" if lines else "")
        + "</div>"
    )


def _facts(document: DocumentOut, visit: Visit) -> str:
    language, timezone = visit.language, visit.timezone
    known = [
        (listing.FACT_FOLDER, f"{document.folder} / {document.path}"),
        (listing.FACT_OWNER, document.owner or ""),
        (listing.FACT_CHANGED, day(document.changed or "", language, timezone=timezone)),
        (listing.FACT_ADDED, day(document.added or "", language, timezone=timezone)),
        (listing.FACT_FILE, day(document.modified, language, timezone=timezone)),
        (listing.FACT_SIZE, size(document.size_bytes)),
        (listing.FACT_VERSION, (document.version_id or "").removeprefix("v_")[:8]),
    ]
    rows = "".join(
        f"<dt>{parts.worded(name, language)}</dt><dd>{plain_html(value)}</dd>" for name, value in known if value
    )
    return f'<dl class="ca-facts" lang="{language}">{rows}</dl>'
