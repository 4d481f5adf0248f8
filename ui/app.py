"""The screen's entry point, run by `streamlit run`: who is here, in which language, and which screen.

Reads the settings and hands plain values on. Imports are absolute, because Streamlit puts this folder first on
`sys.path`.
"""

from __future__ import annotations

import streamlit as st

from assistant.errors import Language, SettingsError
from assistant.settings import load_settings
from ui import parts, words
from ui.client import ApiClient
from ui.identity import SECRET_HEADER, SIGN_IN_HEADER, USER_HEADER, Caller, Refused, identify
from ui.screens import ask, documents

# Where nginx shows the API to browsers; without nginx a browser cannot prove to the API who asks.
API_BEHIND_PROXY = "/api"
SIGN_OUT = "/sign-in/out"


def main() -> None:
    """Draw the page for whoever opened it."""
    language = _chosen_language()
    st.set_page_config(page_title=words.say(words.APP_NAME, language), page_icon="📖", layout="wide")
    st.html(parts.STYLE)
    try:
        settings = load_settings()
    except SettingsError as error:
        sentences = [error.message.in_language(language), error.hint.in_language(language)]
        st.html(parts.warning_box(words.say(words.SETTINGS_TITLE, language), sentences, language=language))
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
    _show_screens(client, caller, language=language)


def _chosen_language() -> Language:
    """The language picked in this session, else the browser's."""
    if "language" not in st.session_state:
        st.session_state.language = words.language_of(st.context.locale)
    return "ja" if st.session_state.language == "ja" else "en"


def _show_refusal(refused: Refused, language: Language) -> None:
    if refused.why == "forged":
        title, sentence, hint = words.FORGED_TITLE, words.FORGED, words.FORGED_HINT
    else:
        title, sentence, hint = words.NOBODY_TITLE, words.NOBODY, words.NOBODY_HINT
    sentences = [words.say(sentence, language), words.say(hint, language)]
    st.html(parts.warning_box(words.say(title, language), sentences, language=language))


def _show_screens(client: ApiClient, caller: Caller, *, language: Language) -> None:
    links_to = API_BEHIND_PROXY if caller.via == "proxy" else None
    pages = [
        st.Page(
            lambda: ask.show(client, language=language, links_to=links_to),
            title=words.say(words.NAV_ASK, language),
            icon=":material/chat:",
            url_path="ask",
            default=True,
        ),
        st.Page(
            lambda: documents.show(client, language=language),
            title=words.say(words.NAV_DOCUMENTS, language),
            icon=":material/folder_open:",
            url_path="documents",
        ),
    ]
    screen = st.navigation({words.say(words.APP_NAME, language): pages})
    with st.sidebar:
        _show_sidebar(caller, language)
    screen.run()


def _show_sidebar(caller: Caller, language: Language) -> None:
    st.button(
        words.say(words.NEW_CONVERSATION, language), on_click=ask.start_over, icon=":material/add:", width="stretch"
    )
    st.radio(
        words.say(words.DISPLAY_LANGUAGE, language),
        list(words.LANGUAGE_NAMES),
        format_func=words.LANGUAGE_NAMES.__getitem__,
        key="language",
        horizontal=True,
    )
    st.caption(words.say(words.SIGNED_IN_AS, language, user=caller.user))
    if caller.sign_in:
        st.html(parts.link(words.say(words.SIGN_OUT, language), SIGN_OUT))
    if caller.via == "demo":
        st.caption(words.say(words.DEMO_USER, language))


if __name__ == "__main__":
    main()
