"""The screens of the system, of keys, users and the audit against the product's own API: an administrator's way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from api.deps import ADMINISTRATORS
from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.people import User
from assistant.settings import Settings
from assistant.users_file import sync_users
from tests.api.canned import PROXY_SECRET, CannedAssistant, RunningServer
from tests.api.test_admin_system import AWAY, examined, with_ledger
from ui.words import people, problems, system

PATIENCE_SECONDS = 120


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Chie administers, Ben asks."""
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    sync_users(opened, [User("chie", groups=frozenset({"board", ADMINISTRATORS})), User("ben")], by="cli")
    yield opened
    opened.close()


@pytest.fixture
def api(ledger: Ledger) -> Iterator[RunningServer]:
    """The API, whose Ollama is away and whose doctor finds Chroma gone."""
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, ollama_url="http://127.0.0.1:1")
    with RunningServer(settings, CannedAssistant(ledger, **with_ledger(ledger, states=[AWAY]))) as server:
        yield server


def script(api_url: str, secret: str, name: str) -> None:
    """A screen alone: the test runner cannot turn to a page that is a function."""
    from importlib import import_module

    from assistant.wire import MeOut
    from ui.client import ApiClient
    from ui.visit import Visit

    client = ApiClient(api_url, "chie", proxy_secret=secret, language="ja")
    me = MeOut(name="chie", groups=[], scopes=["admin"], via="proxy")
    import_module(f"ui.screens.{name}").show(Visit(client, "ja", me=me, timezone="Asia/Tokyo"))


def opened(api_url: str, name: str) -> AppTest:
    """The screen of that name, drawn."""
    page = AppTest.from_function(script, args=(api_url, PROXY_SECRET, name), default_timeout=PATIENCE_SECONDS).run()
    assert not page.exception
    return page


def test_the_system_screen_shows_what_the_doctor_found_with_the_command_and_what_was_not_checked(
    api: RunningServer,
) -> None:
    page = opened(api.url, "system")
    assert system.NEVER.ja in [info.value for info in page.info]
    assert any("Ollama" in box.value and system.MODELS_AWAY.ja in box.value for box in page.html)

    page.button("system_examine").click().run()
    assert not page.exception
    with api.client(user="chie") as client:
        examined(client)
    page.run()
    assert not page.exception
    assert any(AWAY.hint_ja in box.value and "ca-problem" in box.value for box in page.html)
    assert "assistant up --only chroma" in [code.value for code in page.code]
    numbers = {metric.label: metric.value for metric in page.metric}
    assert int(numbers[system.STATES["unchecked"].ja]) > 5  # a machine on which nothing is to be seen
    assert numbers[system.STATES["fail"].ja] != "0"
    assert system.ALL_WELL.ja not in [told.value for told in page.success]


def test_a_key_is_made_shown_once_and_revoked_on_the_screen(api: RunningServer, ledger: Ledger) -> None:
    page = opened(api.url, "people")
    assert people.NO_KEYS.ja in [caption.value for caption in page.caption]
    page.text_input("key_name").set_value("a/b")
    page.button("FormSubmitter:people_key-" + people.MAKE.ja).click().run()
    assert people.NAME_WRONG.ja in [error.value for error in page.error]

    page.text_input("key_name").set_value("社内wiki")
    page.multiselect("key_groups").set_value(["board"])
    page.button("FormSubmitter:people_key-" + people.MAKE.ja).click().run()
    assert not page.exception
    (key,) = [code.value for code in page.code]
    authorization = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{api.url}/me", headers=authorization, trust_env=False).json()["groups"] == ["board", "everyone"]
    page.button("people_hide").click().run()
    assert key not in str([element.value for element in (*page.code, *page.success)])

    page.button("people_revoke").click().run()
    page.button("people_revoke_sure").click().run()
    assert not page.exception
    assert httpx.get(f"{api.url}/me", headers=authorization, trust_env=False).status_code == 401
    assert [held.state(at="") for held in ledger.list_keys()] == ["revoked"]


def test_a_user_is_disabled_and_the_audit_is_read_only_when_asked_for(api: RunningServer, ledger: Ledger) -> None:
    page = opened(api.url, "people")
    assert page.selectbox("people_user").options == ["ben"]  # nobody is offered to disable themselves
    page.button("people_user_state").click().run()
    assert not page.exception
    assert ledger.standing_of("ben").is_disabled
    assert ledger.last_entry(Act.VIEWED) is None

    page.text_input("audit_actor").set_value("chie")
    page.selectbox("audit_act").set_value("users_synced")
    page.button("FormSubmitter:people_audit-" + people.LOOK.ja).click().run()
    assert not page.exception
    table = page.dataframe[-1].value
    assert list(table[people.WHO.ja]) == ["chie"]
    assert json.loads(table[people.DETAILS.ja][0]) == {"disabled": ["ben"]}
    viewed = ledger.last_entry(Act.VIEWED)
    assert viewed is not None
    page.run()
    assert ledger.last_entry(Act.VIEWED) == viewed  # drawing the page again is no second look


def test_an_api_that_is_away_is_said_on_both_screens() -> None:
    for name in ("system", "people"):
        page = opened("http://127.0.0.1:1", name)
        assert any(problems.PROBLEM_API_AWAY.ja in box.value for box in page.html)


def test_every_act_and_every_state_of_a_key_has_its_words() -> None:
    assert set(people.ACTS) == {act.value for act in Act}
    assert set(system.STATES) == {"fail", "warn", "unchecked", "ok"}
