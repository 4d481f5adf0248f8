"""Earlier conversations, the place that a citation names, refusals and opinions; run by Streamlit's own test runner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

import ui
from tests.stubs.api.process import running_stub_api, seen_by
from ui.turns import Turn
from ui.words import asking, history, problems, say, sources

APP = str(Path(ui.__file__).with_name("app.py"))
PATIENCE_SECONDS = 60


@pytest.fixture
def api_url() -> Iterator[str]:
    """A stub API of one's own: these tests change what it remembers."""
    with running_stub_api() as url:
        yield url


def person(api_url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    for setting, value in {"API_URL": api_url, "DEMO_USER": name, "PROXY_SECRET": "x"}.items():
        monkeypatch.setenv(f"ASSISTANT_{setting}", value)
    return AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS)


def shown(screen: AppTest) -> str:
    assert not screen.exception
    return "\n".join(str(part.proto.body) for part in screen.get("html"))


def click(screen: AppTest, label: str) -> None:
    next(found for found in screen.button if found.label == label).click().run()


def history_script(api_url: str) -> None:
    """The history screen alone: the test runner cannot turn to a page that is a function."""
    import streamlit as st

    from ui.client import ApiClient
    from ui.screens import history as screen
    from ui.visit import Visit

    client = ApiClient(api_url, "aiko", proxy_secret="x", language="en")
    screen.show(Visit(client, "en", go_to=lambda name: st.session_state.update(gone_to=name)))


def test_conversations_are_found_renamed_opened_and_deleted(api_url: str) -> None:
    screen = AppTest.from_function(history_script, args=(api_url,), default_timeout=PATIENCE_SECONDS).run()
    titles = {"有給休暇の申請", "Hotel costs"}
    assert titles <= {found.label for found in screen.button}
    assert say(history.COUNT, "en", when="1 Apr 2026 00:00", count=1) in shown(screen)
    screen.text_input(key="history-query").set_value("Hotel").run()
    assert "有給休暇の申請" not in {found.label for found in screen.button}
    screen.text_input(key="history-query").set_value("").run()
    screen.text_input(key="title-conversation-2").set_value("Hotels abroad").run()
    screen.button(key="rename-conversation-2").click().run()
    assert "Hotels abroad" in {found.label for found in screen.button}
    screen.button(key="open-conversation-1").click().run()
    assert screen.session_state["gone_to"] == "ask"
    (turn,) = screen.session_state["talk"].turns
    assert [citation.number for citation in turn.citations] == [1]
    screen.button(key="delete-conversation-1").click().run()
    assert "有給休暇の申請" not in {found.label for found in screen.button}
    assert screen.session_state["talk"].turns == []


def test_a_conversation_goes_on_where_its_address_is_opened(api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = person(api_url, "aiko", monkeypatch)
    screen.query_params["c"] = "conversation-1"
    screen.run()
    assert "有給休暇はいつまでに申請しますか?" in shown(screen)
    assert asking.WARNED_EARLIER.en in shown(screen)
    screen.chat_input[0].set_value("そのあとは? [quotes]").run()
    asked = next(seen for seen in seen_by(api_url) if seen["path"] == "/ask")
    assert asked["body"]["conversation_id"] == "conversation-1"


def test_a_question_that_was_broken_off_is_shown_as_such_and_can_be_asked_again(
    api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = person(api_url, "aiko", monkeypatch)
    screen.query_params["c"] = "conversation-2"
    screen.run()
    assert "Abroad, up to 20,000 yen" in shown(screen)
    assert asking.BROKEN_OFF.en in shown(screen)
    click(screen, asking.RETRY.en)
    asked = next(seen for seen in seen_by(api_url) if seen["path"] == "/ask")
    assert (asked["body"]["question"], asked["body"]["conversation_id"]) == ("And abroad?", "conversation-2")
    assert asking.BROKEN_OFF.en not in shown(screen)


def test_a_refusal_says_what_was_looked_for_and_whom_to_ask_and_tells_when_there_is_an_answer(
    api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = person(api_url, "aiko", monkeypatch).run()
    screen.chat_input[0].set_value("社宅の申し込み方は? [unanswered]").run()
    page = shown(screen)
    assert say(asking.LOOKED_IN, "en", places=asking.EVERYWHERE.en) in page
    assert "総務部 佐藤" in page
    click(screen, asking.TELL_ME.en)
    assert asking.WILL_TELL.en in [found.value for found in screen.caption]
    assert asking.NEWS.en not in shown(person(api_url, "aiko", monkeypatch).run())
    httpx.post(f"{api_url}/close", trust_env=False)
    later = person(api_url, "aiko", monkeypatch).run()
    assert asking.NEWS.en in shown(later)
    click(later, asking.SEEN.en)
    assert asking.NEWS.en not in shown(later)
    assert httpx.get(f"{api_url}/wanted", trust_env=False).json() == {"wanted": []}


def test_an_opinion_is_sent_with_its_reason(api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = person(api_url, "aiko", monkeypatch).run()
    screen.chat_input[0].set_value("What is the limit for hotel costs?").run()
    screen.get("feedback")[0].set_value(0).run()
    told = httpx.get(f"{api_url}/said", trust_env=False).json()
    assert told[0] == {"answer_id": "answer-1", "rating": "down", "reason": None, "text": None}


def test_the_cited_place_is_shown_in_the_documents_own_text(api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = person(api_url, "aiko", monkeypatch).run()
    screen.chat_input[0].set_value("What is the limit for hotel costs?").run()
    click(screen, say(sources.SHOW_PLACE, "en", number=1))
    assert "<mark>refunded up to 12,000 yen a night</mark>" in shown(screen)
    assert sources.IS_CURRENT.en in shown(screen)
    click(screen, sources.ONLY_THIS.en)
    assert say(asking.ONLY_DOCUMENT, "en", title="Travel Policy") in {found.label for found in screen.button}
    screen.chat_input[-1].set_value("And abroad? [quotes]").run()
    assert any(seen["body"].get("filters") == {"folders": [], "document_ids": ["doc-2"]} for seen in seen_by(api_url))


def test_two_people_in_one_process_share_nothing(api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    aiko = person(api_url, "aiko", monkeypatch).run()
    ben = person(api_url, "ben", monkeypatch).run()
    monkeypatch.setenv("ASSISTANT_DEMO_USER", "aiko")
    aiko.chat_input[0].set_value("愛子の秘密の質問 [quotes]").run()
    monkeypatch.setenv("ASSISTANT_DEMO_USER", "ben")
    ben.chat_input[0].set_value("ben's own question [quotes]").run()
    assert "愛子" not in shown(ben)
    assert "ben" not in shown(aiko)
    third = person(api_url, "chie", monkeypatch).run()
    assert "秘密" not in shown(third)
    assert "own question" not in shown(third)
    users = {seen["body"]["question"]: seen["user"] for seen in seen_by(api_url) if seen["path"] == "/ask"}
    assert users == {"愛子の秘密の質問 [quotes]": "aiko", "ben's own question [quotes]": "ben"}


def test_a_question_whose_browser_went_away_is_asked_again_when_it_is_back(
    api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = person(api_url, "aiko", monkeypatch).run()
    screen.session_state["talk"].turns.append(Turn("VPN? [quotes]", is_lost=True))
    screen.run()
    assert shown(screen).count("VPN? [quotes]") == 1
    assert asking.QUOTES_TITLE.en in shown(screen)
    screen.run()
    assert [seen["body"]["question"] for seen in seen_by(api_url) if seen["path"] == "/ask"] == ["VPN? [quotes]"]


def test_a_question_whose_api_went_away_is_asked_once_more_before_that_is_a_problem(
    api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = person(api_url, "aiko", monkeypatch).run()
    screen.chat_input[0].set_value("VPN? [cut]").run()
    assert problems.PROBLEM_CUT.en in shown(screen)
    assert len([seen for seen in seen_by(api_url) if seen["path"] == "/ask"]) == 2
