"""Questions without an answer, for administrators: alike ones together, how often, who answers for them, what is closed."""

from __future__ import annotations

from collections import Counter
from typing import Final

import streamlit as st

from assistant.errors import Text
from assistant.wire_questions import QuestionGroupOut
from ui import calls, parts
from ui.client import ProblemError
from ui.formats import day, number
from ui.listing import show_table
from ui.markup import visible
from ui.screens.documents import show_problem
from ui.visit import Visit
from ui.words import open_questions as words
from ui.words import say

DAYS: Final = (7, 30, 90, 365)
STATES: Final[dict[str, Text]] = {"open": words.OPEN, "owned": words.OWNED, "closed": words.CLOSED}


def show(visit: Visit) -> None:
    """Draw the screen."""
    language = visit.language
    st.html(parts.heading(words.TITLE, words.INTRO, language=language))
    days = st.selectbox(say(words.DAYS, language), DAYS, index=1, key="questions_days", width=200)
    try:
        found = calls.question_groups(visit.client, days=days)
        if not found.is_grouped:
            st.warning(say(words.NOT_GROUPED, language))
        if not found.groups:
            st.info(say(words.NONE, language))
            return
        counts = Counter(dict.fromkeys(STATES, 0))
        counts.update(group.state for group in found.groups)
        st.caption(say(words.COUNTS, language, **{state: number(count) for state, count in counts.items()}))
        for place, group in enumerate(found.groups):
            _show_group(group, place, visit)
        st.subheader(say(words.ALL, language))
        show_table(_rows(found.groups, visit), name="questions", language=language)
    except ProblemError as error:
        show_problem(error, language)


def _show_group(group: QuestionGroupOut, place: int, visit: Visit) -> None:
    language = visit.language
    state = say(STATES[group.state], language)
    title = say(words.GROUP, language, question=parts.unmarked(group.question), times=group.times, state=state)
    with st.expander(title, icon=":material/check_circle:" if group.state == "closed" else ":material/help:"):
        if len(group.questions) > 1:
            lines = "".join(f"<li>{parts.escaped(one.question)}</li>" for one in group.questions)
            st.html(f"<ul>{lines}</ul>")
        with st.form(f"owner-{place}", border=False):
            owner = st.text_input(say(words.OWNER, language), value=group.owner or "", max_chars=200)
            if st.form_submit_button(say(words.ASSIGN, language)):
                calls.assign_questions(visit.client, [one.key for one in group.questions], owner.strip() or None)
                st.toast(say(words.ASSIGNED, language))
                st.rerun()


def _rows(groups: list[QuestionGroupOut], visit: Visit) -> list[dict[str, object]]:
    language = visit.language
    return [
        {
            say(words.QUESTION, language): visible(one.question),
            say(words.REASON, language): say(words.REASONS[one.reason], language)
            if one.reason in words.REASONS
            else one.reason,
            say(words.TIMES, language): one.times,
            say(words.LAST_ASKED, language): day(one.last_asked_at, language, timezone=visit.timezone),
            say(words.STATE, language): say(STATES[group.state], language),
            say(words.OWNER, language): group.owner or "",
            say(words.CLOSED_AT, language): day(one.closed_at or "", language, timezone=visit.timezone),
        }
        for group in groups
        for one in group.questions
    ]
