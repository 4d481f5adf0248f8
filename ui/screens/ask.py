"""The question screen: ask, see the passages at once, read along while the answer is written, open its sources.

The box is on top and the newest turn right under it: whoever types sees what happens, whatever the page's length. The
address names the conversation, so that a page that is loaded anew, or opened on another machine, goes on with it.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Final
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from assistant.errors import Language
from assistant.wire_history import WantedOut
from ui import answer_parts, live, parts
from ui.client import ProblemError
from ui.turn_view import Places, draw_ended, places_for, talk_here
from ui.turns import Talk, Turn, Wish, turns_from
from ui.visit import Visit
from ui.words import asking, say

# Streamlit sends all turns again on every run: up to 20 KiB each, with their passages.
SHOWN_TURNS: Final = 10
EXAMPLES: Final = 3
ADDRESS: Final = "c"
# A page that is loaded anew in mid-answer may be quicker than the API that notes what had been written.
LOOKS: Final = 2
LOOK_SECONDS: Final = 0.6
EVERYWHERE: Final = Wish()


def show(visit: Visit) -> None:
    """Draw the screen, and answer a question if one was just asked."""
    language, talk = visit.language, talk_here()
    _remember(talk, visit)
    _show_news(visit)
    box = st.empty()
    wish = _wish(visit)
    introduction = st.empty()
    typed = _question_box(box, talk.box_number, language=language)
    lost = next((turn for turn in talk.turns if turn.is_lost), None)
    if lost is not None and not typed and talk.pending is None:
        talk.ask_again(lost)
    turn, talk.pending = Turn(typed, wish) if typed else talk.pending, None
    if not talk.turns and turn is None:
        with introduction.container():
            _show_introduction(visit, wish)
        return
    earlier = talk.turns[::-1]
    if turn is not None:
        talk.turns.append(turn)
        places = places_for(turn)
    for place, old in enumerate(earlier[:SHOWN_TURNS]):
        draw_ended(old, places_for(old), visit, is_last=place == 0 and turn is None)
    if len(earlier) > SHOWN_TURNS:
        st.caption(say(asking.EARLIER_HIDDEN, language, count=len(earlier) - SHOWN_TURNS))
    if turn is not None:
        _answer(turn, places, visit, needs_stop_button=not typed)
        _renew_question_box(box, talk, turn, language=language)


def _answer(turn: Turn, places: Places, visit: Visit, *, needs_stop_button: bool) -> None:
    """A question that was typed can be stopped where it was typed; one that was clicked needs a button of its own."""
    talk = talk_here()
    if talk.conversation_id is None:
        talk.conversation_id = f"c_{uuid4().hex}"
    st.query_params[ADDRESS] = talk.conversation_id  # from now on a page that is loaded anew finds the question again
    live.answer(turn, places, visit, conversation_id=talk.conversation_id, needs_stop_button=needs_stop_button)


def start_over() -> None:
    """Forget what was asked in this tab."""
    talk_here().start_over()


def forget(conversation_id: str) -> None:
    """Shows the conversation no more, if it is the one of this tab."""
    talk = talk_here()
    if talk.conversation_id == conversation_id:
        talk.start_over()


def go_on_with(conversation_id: str, visit: Visit) -> None:
    """Shows a conversation of the history in this tab; further questions are part of it. Raises ProblemError."""
    told = visit.client.conversation(conversation_id)
    talk = talk_here()
    talk.start_over()
    talk.conversation_id = conversation_id
    talk.turns.extend(turns_from(told, language=visit.language))


def _remember(talk: Talk, visit: Visit) -> None:
    """Goes on with the conversation that the address names, when the page is new."""
    named = st.query_params.get(ADDRESS)
    if named and not talk.turns and talk.pending is None and talk.conversation_id is None:
        try:
            go_on_with(named, visit)
            for _ in range(LOOKS):
                if not (talk.turns and talk.turns[-1].is_broken_off and not talk.turns[-1].text):
                    break
                time.sleep(LOOK_SECONDS)
                go_on_with(named, visit)
        except ProblemError:
            del st.query_params[ADDRESS]
    elif talk.conversation_id is not None and talk.turns and named != talk.conversation_id:
        st.query_params[ADDRESS] = talk.conversation_id


def _question_box(box: DeltaGenerator, number: int, *, language: Language) -> str | None:
    """The box, and what was typed into it. Inside a container: Streamlit moves a bare box to the foot of the page."""
    with box.container():
        return st.chat_input(say(asking.ASK_PLACEHOLDER, language), key=f"question-{number}", submit_mode="stop")


def _renew_question_box(box: DeltaGenerator, talk: Talk, turn: Turn, *, language: Language) -> None:
    """A new box in the old one's place, holding a question that must be reworded.

    An old box takes the focus when its answer is finished, and the page would jump to it under the reader's eyes.
    The number is kept only after the box is drawn: a stop in between must leave the number of the box that is there.
    """
    number = talk.box_number + 1
    if turn.must_be_reworded:
        st.session_state[f"question-{number}"] = turn.question
    _question_box(box, number, language=language)
    talk.box_number = number


def _wish(visit: Visit) -> Wish:
    """Where to look and in which language to answer, behind one small button that says what is set."""
    language = visit.language
    # Streamlit forgets a widget's value when another page is drawn; what was chosen is kept beside it.
    kept: Wish = st.session_state.setdefault("wish", EVERYWHERE)
    label = say(asking.NARROWED if kept.folders else asking.NARROW, language, count=len(kept.folders))
    with st.popover(label, icon=":material/tune:", type="tertiary"):
        folders = st.multiselect(
            say(asking.FOLDERS, language),
            sorted({*_folders(visit), *kept.folders}),
            default=list(kept.folders),
            placeholder=say(asking.ALL_FOLDERS, language),
            key="wish-folders",
        )
        answer_language = st.selectbox(
            say(asking.ANSWER_LANGUAGE, language),
            list(asking.ANSWER_LANGUAGES),
            index=list(asking.ANSWER_LANGUAGES).index(kept.language),
            format_func=lambda value: say(asking.ANSWER_LANGUAGES[value], language),
            key="wish-language",
        )
    wish = Wish(answer_language, tuple(folders), kept.document_id, kept.document_title)
    if wish.document_id:
        text = say(asking.ONLY_DOCUMENT, language, title=wish.document_title)
        if st.button(text, key="wish-document", icon=":material/close:", type="tertiary"):
            wish = Wish(wish.language, wish.folders)
            st.session_state.wish = wish
            st.rerun()
    st.session_state.wish = wish
    return wish


def _folders(visit: Visit) -> list[str]:
    """Folders of the documents that the person may read, as far as the first pages of the list tell."""
    return sorted({path.partition("/")[0] + "/" for path, _ in _known_documents(visit) if "/" in path})


def _known_documents(visit: Visit) -> list[tuple[str, str]]:
    """Path and title of some documents that the person may read, read once in a session."""
    known: list[tuple[str, str]] | None = st.session_state.get("known-documents")
    if known is None:
        try:
            listed = visit.client.documents(status="indexed", limit=100).documents
        except ProblemError:
            return []
        known = [(document.path, document.title) for document in listed]
        st.session_state["known-documents"] = known
    return known


def _examples(visit: Visit) -> list[str]:
    """Questions about documents that the person may read, others each day; general ones where there are none."""
    language = visit.language
    titles = sorted({title for _, title in _known_documents(visit) if _fits(title, language)})
    if len(titles) < EXAMPLES:
        return [say(example, language) for example in asking.EXAMPLES]
    first, step = date.today().toordinal(), max(1, len(titles) // EXAMPLES)  # noqa: DTZ011  any day will do
    chosen = [titles[(first + number * step) % len(titles)] for number in range(EXAMPLES)]
    return [say(asking.EXAMPLE_OF, language, title=title) for title in dict.fromkeys(chosen)]


def _fits(title: str, language: Language) -> bool:
    """Whether a title reads well in an example: short, and in the language of the screen."""
    return 2 < len(title) <= 30 and (language == "ja") != title.isascii()


def _show_introduction(visit: Visit, wish: Wish) -> None:
    language = visit.language
    st.html(parts.heading(asking.INTRO_TITLE, asking.INTRO, language=language))
    st.html(parts.side_title(asking.EXAMPLES_TITLE, language=language))
    for number, text in enumerate(_examples(visit)):
        st.button(text, key=f"example-{number}", on_click=talk_here().ask_next, args=(text, wish))


def _show_news(visit: Visit) -> None:
    """What the person waited for and can be answered now, once in a session or until they say that they have seen it."""
    language = visit.language
    if "news" not in st.session_state:
        try:
            st.session_state.news = [one for one in visit.client.wanted() if one.closed_at is not None]
        except ProblemError:
            return
    news: list[WantedOut] = st.session_state.news
    if not news:
        return
    st.html(answer_parts.news(language=language))
    for one in news:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(one.question, key=f"news-{one.wanted_id}", on_click=_ask_news, args=(one, visit))
            st.button(
                say(asking.SEEN, language),
                key=f"seen-{one.wanted_id}",
                on_click=_seen,
                args=(one, visit),
                type="tertiary",
            )


def _ask_news(one: WantedOut, visit: Visit) -> None:
    _seen(one, visit)
    talk_here().ask_next(one.question, EVERYWHERE)


def _seen(one: WantedOut, visit: Visit) -> None:
    try:
        visit.client.forget_wanted(one.wanted_id)
    except ProblemError:
        return
    st.session_state.news = [other for other in st.session_state.news if other is not one]
