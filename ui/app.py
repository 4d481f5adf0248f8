"""The screen's entry point, run by `streamlit run`: who is here, in which language, and which screen.

Reads the settings and hands plain values on. Imports are absolute, because Streamlit puts this folder first on
`sys.path`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Final

import streamlit as st

from assistant.errors import Language, SettingsError
from assistant.settings import load_settings
from assistant.wire import MeOut
from ui import parts
from ui.client import ApiClient, ProblemError
from ui.identity import SECRET_HEADER, SIGN_IN_HEADER, USER_HEADER, Caller, Refused, identify
from ui.layout import groups_for
from ui.screens import ask
from ui.style import language_html, sheet
from ui.visit import Visit
from ui.words import LANGUAGE_NAMES, frame, language_of, say

# Where nginx shows the API to browsers; without nginx a browser cannot prove to the API who asks.
API_BEHIND_PROXY = "/api"
SIGN_OUT = "/sign-in/out"
# How long a person's scopes are believed before the API is asked again; it checks every call itself.
ME_SECONDS: Final = 60.0


def main() -> None:
    """Draw the page for whoever opened it."""
    language = _chosen_language()
    st.set_page_config(page_title=say(frame.APP_NAME, language), page_icon="📖", layout="wide")
    st.html(sheet(language))
    st.html(language_html(language), unsafe_allow_javascript=True)
    try:
        settings = load_settings()
    except SettingsError as error:
        sentences = [error.message.in_language(language), error.hint.in_language(language)]
        st.html(parts.warning_box(say(frame.SETTINGS_TITLE, language), sentences, language=language))
        return
    headers = st.context.headers
    caller = identify(
        headers.get_all(USER_HEADER),
        headers.get_all(SECRET_HEADER),
        proxy_secret=settings.proxy_secret,
        demo_user=settings.demo_user,
        forwarded_sign_ins=headers.get_all(SIGN_IN_HEADER),
    )
    if isinstance(caller, Refused):
        _show_refusal(caller, language)
        return
    client = ApiClient(
        settings.api_url,
        caller.user,
        proxy_secret=settings.proxy_secret,
        sign_in=caller.sign_in,
        language=language,
        connect_timeout_seconds=settings.connect_timeout_seconds,
    )
    visit = Visit(
        client,
        language,
        me=_me(client),
        links_to=API_BEHIND_PROXY if caller.via == "proxy" else None,
        timezone=st.context.timezone or "UTC",
    )
    _show_screens(visit, caller)


def _chosen_language() -> Language:
    """The language picked in this session, else the browser's."""
    if "language" not in st.session_state:
        st.session_state.language = language_of(st.context.locale)
    return "ja" if st.session_state.language == "ja" else "en"


def _show_refusal(refused: Refused, language: Language) -> None:
    if refused.why == "forged":
        title, sentence, hint = frame.FORGED_TITLE, frame.FORGED, frame.FORGED_HINT
    else:
        title, sentence, hint = frame.NOBODY_TITLE, frame.NOBODY, frame.NOBODY_HINT
    sentences = [say(sentence, language), say(hint, language)]
    st.html(parts.warning_box(say(title, language), sentences, language=language))


def _show_screens(visit: Visit, caller: Caller) -> None:
    language = visit.language
    groups = groups_for(visit)
    arrival = groups[0].screens[0]
    pages: dict[str, Any] = {}
    visit = replace(visit, go_to=lambda name: st.switch_page(pages[name]))
    menu = {
        say(group.title, language): [
            st.Page(
                partial(screen.show, visit),
                title=say(screen.title, language),
                icon=screen.icon,
                url_path=screen.name,
                default=screen is arrival,
            )
            for screen in group.screens
        ]
        for group in groups
    }
    named = zip((screen for group in groups for screen in group.screens), chain(*menu.values()), strict=True)
    pages.update((screen.name, page) for screen, page in named)
    chosen = st.navigation(menu)
    with st.sidebar:
        if st.button(say(frame.NEW_CONVERSATION, language), icon=":material/add:", width="stretch"):
            ask.start_over()
            visit.go_to(arrival.name)
        _show_sidebar(visit, caller)
    chosen.run()


def _me(client: ApiClient) -> MeOut | None:
    """Who the person is to the API, asked anew each minute; None while it is away."""
    known: tuple[float, MeOut] | None = st.session_state.get("me")
    if known is not None and time.monotonic() - known[0] < ME_SECONDS:
        return known[1]
    try:
        me = client.me()
    except ProblemError:
        return None
    st.session_state.me = (time.monotonic(), me)
    return me


def _show_sidebar(visit: Visit, caller: Caller) -> None:
    language = visit.language
    st.radio(
        say(frame.DISPLAY_LANGUAGE, language),
        list(LANGUAGE_NAMES),
        format_func=LANGUAGE_NAMES.__getitem__,
        key="language",
        horizontal=True,
    )
    st.caption(say(frame.SIGNED_IN_AS, language, user=caller.user))
    if caller.sign_in:
        st.html(parts.link(say(frame.SIGN_OUT, language), SIGN_OUT))
    if caller.via == "demo":
        st.caption(say(frame.DEMO_USER, language))
    if visit.me is None:
        st.caption(say(frame.API_AWAY, language))


if __name__ == "__main__":
    main()
