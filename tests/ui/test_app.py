"""The whole screen run by Streamlit's own test runner against the stub API."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui
from assistant.errors import FailureReason
from ui.words import asking, frame, problems, sources
from ui.words import documents as listing

APP = str(Path(ui.__file__).with_name("app.py"))
PATIENCE_SECONDS = 100


@pytest.fixture
def screen(api_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The screen of the demo user, run once; nothing of the environment's own settings counts."""
    for name, value in {"API_URL": api_url, "DEMO_USER": "aiko", "PROXY_SECRET": "x"}.items():
        monkeypatch.setenv(f"ASSISTANT_{name}", value)
    return AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS).run()


def shown(screen: AppTest) -> str:
    assert not screen.exception
    return "\n".join(str(part.proto.body) for part in screen.get("html"))


def button(screen: AppTest, label: str) -> None:
    next(found for found in screen.button if found.label == label).click().run()


def test_the_empty_page_offers_examples_in_the_chosen_language(screen: AppTest) -> None:
    assert asking.INTRO_TITLE.en in shown(screen)
    assert [found.label for found in screen.main.button] == [example.en for example in asking.EXAMPLES]
    screen.radio[0].set_value("ja").run()
    assert asking.INTRO_TITLE.ja in shown(screen)
    assert [found.label for found in screen.main.button] == [example.ja for example in asking.EXAMPLES]


def test_a_question_is_answered_with_its_source_and_the_next_one_stands_above_it(screen: AppTest) -> None:
    screen.chat_input[0].set_value("What is the limit for hotel costs?").run()
    assert "Hotel costs are refunded up to 12,000 yen a night" in shown(screen)
    assert '<mark id="source-' in shown(screen)
    screen.chat_input[0].set_value("有給休暇は? [quotes]").run()
    page = shown(screen)
    assert page.index("有給休暇は?") < page.index("What is the limit")
    assert asking.QUOTES_TITLE.en in page


def test_a_click_on_an_example_asks_it(screen: AppTest) -> None:
    button(screen, asking.EXAMPLES[0].en)
    assert asking.EXAMPLES[0].en in shown(screen)
    assert sources.SOURCES.en in shown(screen)


def test_a_failed_question_can_be_asked_again_and_does_not_stay_twice(screen: AppTest) -> None:
    screen.chat_input[0].set_value("休暇 [failure]").run()
    assert "モデルが途中で止まりました。" in shown(screen)
    assert problems.INTERRUPTED.en in shown(screen)
    button(screen, asking.RETRY.en)
    assert shown(screen).count("休暇 [failure]") == 1


def test_a_question_that_must_be_reworded_comes_back_into_the_box_without_a_retry(screen: AppTest) -> None:
    screen.chat_input[0].set_value("休暇 [long]").run()
    assert "質問は4000文字までです。" in shown(screen)
    assert asking.RETRY.en not in [found.label for found in screen.main.button]
    assert screen.chat_input[-1].proto.value == "休暇 [long]"


def test_starting_over_forgets_the_questions(screen: AppTest) -> None:
    screen.chat_input[0].set_value("休暇 [quotes]").run()
    button(screen, frame.NEW_CONVERSATION.en)
    assert asking.INTRO_TITLE.en in shown(screen)


def test_an_api_that_is_away_is_said_in_words(screen: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_API_URL", "http://127.0.0.1:9")
    screen.chat_input[0].set_value("VPN?").run()
    assert problems.PROBLEM_API_AWAY.en.replace("'", "&#x27;") in shown(screen)
    assert asking.RETRY.en in [found.label for found in screen.main.button]


def test_without_an_identity_nothing_is_shown_but_what_to_do(screen: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_DEMO_USER", "")
    screen.run()
    assert frame.NOBODY_TITLE.en in shown(screen)
    assert not screen.chat_input
    assert not screen.sidebar.button


def test_a_wrong_setting_is_said_in_words(screen: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_NUM_CTX", "a lot")
    screen.run()
    assert frame.SETTINGS_TITLE.en in shown(screen)
    assert "ASSISTANT_NUM_CTX" in shown(screen)


def documents_script(api_url: str) -> None:
    """The documents screen alone: the test runner cannot turn to a page that is a function."""
    from ui.client import ApiClient
    from ui.screens import documents
    from ui.visit import Visit

    documents.show(Visit(ApiClient(api_url, "aiko", proxy_secret="x", language="en"), "en"))


def test_documents_are_listed_searched_and_paged(api_url: str) -> None:
    screen = AppTest.from_function(documents_script, args=(api_url,), default_timeout=PATIENCE_SECONDS).run()
    assert "人事/休暇規程.docx" in shown(screen)
    button(screen, listing.DOCUMENTS_NEXT.en)
    assert listing.FAILURES[FailureReason.ENCRYPTED].en in shown(screen)
    assert "人事/休暇規程.docx" not in shown(screen)
    screen.text_input[0].set_value("Travel").run()
    assert "finance/travel-policy.md" in shown(screen)
    screen.text_input[0].set_value("nothing like it").run()
    assert [found.value for found in screen.info] == [listing.DOCUMENTS_NO_MATCH.en]
    screen.text_input[0].set_value("[failure]").run()
    assert "文書の保管庫が応答しません" in shown(screen)
