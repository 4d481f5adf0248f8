"""A question and what came back, as it stands on the page: the answer with its buttons, the sources beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from assistant.errors import Language
from assistant.wire import AnswerOut, CitationOut, PassageOut
from ui import answer_parts, parts
from ui.client import ProblemError
from ui.source_dialog import open_source
from ui.turns import Talk, Turn
from ui.visit import Visit
from ui.words import asking, say, sources

# Whom to ask is looked up for the nearest documents only: each is one more call to the API.
OWNERS_OF: Final = 3


@dataclass(frozen=True)
class Places:
    """Where one turn is drawn: the line of waiting, the answer, what can be clicked while it grows and
    afterwards; the sources and the passages."""

    status: DeltaGenerator
    answer: DeltaGenerator
    live: DeltaGenerator
    actions: DeltaGenerator
    sources: DeltaGenerator
    found: DeltaGenerator


def talk_here() -> Talk:
    """What this tab has asked."""
    return cast("Talk", st.session_state.setdefault("talk", Talk()))


def places_for(turn: Turn) -> Places:
    """The question's heading, and empty places under it."""
    st.html(answer_parts.question(turn.question))
    left, right = st.columns([3, 2], gap="large")
    return Places(left.empty(), left.empty(), left.empty(), left.empty(), right.empty(), right.empty())


def draw_ended(turn: Turn, places: Places, visit: Visit, *, is_last: bool) -> None:
    """A turn that grows no more: finished, failed, stopped or lost."""
    language = visit.language
    places.status.empty()
    understood = answer_parts.understood(turn.rewritten, language=language)
    partial = understood + answer_parts.partial_answer(turn.text, turn.anchors)
    if turn.answer is not None:
        is_unanswered = _is_unanswered(turn.answer)
        if is_unanswered and turn.owners is None:
            turn.owners = _owners(turn, visit)
        looked = answer_parts.looked_through(turn, language=language) if is_unanswered else ""
        shown = answer_parts.answer(turn.answer, turn.anchors, language=language, looked=looked)
        earlier = answer_parts.warned_earlier(turn, language=language)
        places.answer.html(understood + shown + earlier)
    elif turn.problem is not None:
        box = parts.problem(
            turn.problem, language=language, retry_after_seconds=turn.retry_after_seconds, is_partial=bool(turn.text)
        )
        places.answer.html(partial + box)
    else:
        note = asking.BROKEN_OFF if turn.is_broken_off else asking.STOPPED
        places.answer.html(partial + answer_parts.stopped(language, is_live=False, note=note))
    places.live.empty()
    with places.actions.container():
        _actions(turn, visit, is_last=is_last)
    draw_sources(turn, places, visit, is_live=False)


def _is_unanswered(answer: AnswerOut) -> bool:
    """Whether a question was looked for and not answered: what asks nothing (thanks, an emoji) needs no owner and no news."""
    return answer.refused and answer.reason != "unreadable_question"


def _actions(turn: Turn, visit: Visit, *, is_last: bool) -> None:
    """What can be done with the turn, in one row; the opinion about an answer under it."""
    language, name, answer = visit.language, turn.identifier, turn.answer
    if answer is not None and _is_unanswered(answer) and not turn.is_from_history:
        _wish_to_be_told(turn, visit)
    with st.container(horizontal=True, gap="small", key=f"actions-{name}"):
        if answer is not None or turn.text:
            with st.popover(say(asking.COPY, language), icon=":material/content_copy:", type="tertiary"):
                st.caption(say(asking.COPY_HINT, language))
                st.code(turn.as_text(language), language=None, wrap_lines=True)
        if is_last and not turn.must_be_reworded:
            again_and_edit(turn, language, place="ended")
    if answer is not None and not turn.is_from_history:
        _opinion(turn, visit)


def again_and_edit(turn: Turn, language: Language, *, place: str) -> None:
    """The same question again, or changed; `place` tells buttons apart that one run draws twice."""
    st.button(
        say(asking.RETRY, language),
        key=f"again-{place}-{turn.identifier}",
        on_click=talk_here().ask_again,
        args=(turn,),
        icon=":material/refresh:",
        type="secondary" if turn.answer is None else "tertiary",
    )
    st.button(
        say(asking.EDIT, language),
        key=f"edit-{place}-{turn.identifier}",
        on_click=_edit,
        args=(turn,),
        icon=":material/edit:",
        type="tertiary",
    )


def _edit(turn: Turn) -> None:
    """The question goes back into the box, to be changed and asked again."""
    talk = talk_here()
    talk.box_number += 1
    st.session_state[f"question-{talk.box_number}"] = turn.question


@st.fragment
def _wish_to_be_told(turn: Turn, visit: Visit) -> None:
    language = visit.language
    if turn.answer is None:
        return
    place = st.empty()
    if not turn.is_wanted:
        label = say(asking.TELL_ME, language)
        if not place.button(label, key=f"want-{turn.identifier}", icon=":material/notifications:"):
            return
        try:
            visit.client.want(turn.answer.answer_id)
        except ProblemError as error:
            st.caption(error.problem.detail)
            return
        turn.is_wanted = True
    place.caption(say(asking.WILL_TELL, language))


@st.fragment
def _opinion(turn: Turn, visit: Visit) -> None:
    """Thumbs, and for a thumb down the reason; sent at each click."""
    language, name = visit.language, turn.identifier
    if turn.answer is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<span class="ca-muted ca-small">{parts.worded(asking.WAS_IT_GOOD, language)}</span>', width="content")
        thumb = st.feedback("thumbs", key=f"thumb-{name}")
    if thumb is None:
        return
    reason, text = None, ""
    if thumb == 0:
        reason = st.pills(
            say(asking.WHY_NOT, language),
            list(asking.REASONS),
            format_func=lambda value: say(asking.REASONS[value], language),
            key=f"reason-{name}",
        )
        text = st.text_input(say(asking.WHAT_IS_WRONG, language), key=f"text-{name}", max_chars=2000)
    said = ("up" if thumb == 1 else "down", reason, text)
    if st.session_state.get(f"said-{name}") != said:
        try:
            visit.client.rate(turn.answer.answer_id, *said)
        except ProblemError as error:
            st.caption(error.problem.detail)
            return
        st.session_state[f"said-{name}"] = said
    st.caption(say(asking.THANKS, language))


def _owners(turn: Turn, visit: Visit) -> list[tuple[str, str]]:
    """Who answers for the nearest documents, with the folder; nothing where nobody is named or the API is away."""
    found: dict[str, str] = {}
    for passage in (turn.passages or [])[: OWNERS_OF * 2]:
        folder = passage.path.rpartition("/")[0]
        if folder in found or len(found) == OWNERS_OF:
            continue
        try:
            found[folder] = visit.client.owner(passage.document_id)
        except ProblemError:
            break
    return [(folder, owner) for folder, owner in found.items() if owner]


def draw_sources(turn: Turn, places: Places, visit: Visit, *, is_live: bool) -> None:
    """The cited sources with their numbers, and under them the other passages, each passage once.

    While the answer grows there are no buttons: a click would start the script anew, and end the answer.
    """
    if not turn.passages and not turn.citations:
        return
    language, links_to = visit.language, visit.links_to
    passages = turn.passages or []
    cited = {citation.chunk_id for citation in turn.citations}
    others = [passage for passage in passages if passage.chunk_id not in cited]
    if turn.citations:
        with places.sources.container(gap="xsmall"):
            _cited(turn, visit, is_live=is_live)
    if others or (passages and not turn.citations):
        title = sources.FOUND_OTHERS if turn.citations else sources.FOUND
        is_open = not turn.citations and not (is_live and turn.text)
        places.found.html(
            answer_parts.found(others, title=title, is_open=is_open, language=language, links_to=links_to)
        )
    else:
        places.found.empty()


def _cited(turn: Turn, visit: Visit, *, is_live: bool) -> None:
    language = visit.language
    texts: dict[str, PassageOut] = {passage.chunk_id: passage for passage in turn.passages or []}
    st.html(parts.side_title(sources.SOURCES, language=language))
    for citation in _in_order(turn.citations):
        st.html(
            answer_parts.source(
                citation,
                texts.get(citation.chunk_id),
                turn.anchors,
                language=language,
                links_to=visit.links_to,
            )
        )
        if not is_live:
            label = say(sources.SHOW_PLACE, language, number=citation.number)
            key = f"place-{turn.identifier}-{citation.number}"
            if st.button(label, key=key, icon=":material/plagiarism:", type="tertiary"):
                open_source(citation, visit)


def _in_order(citations: Sequence[CitationOut]) -> list[CitationOut]:
    return sorted(citations, key=lambda citation: citation.number)
