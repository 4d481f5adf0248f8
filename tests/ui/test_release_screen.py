"""The screen of releases against the product's own API and a stub of Ollama: an administrator's way from a draft to going back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from assistant.adapters.ledger import Ledger
from assistant.settings import Settings
from tests.api.canned import PROXY_SECRET, CannedAssistant, RunningServer
from tests.stubs.ollama.process import start_stub_ollama
from ui.words import releases as words

PATIENCE_SECONDS = 120


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningServer]:
    """The API for the administrator Chie, whose models are a stub's."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.set_groups("chie", ["administrators"])
    with start_stub_ollama(tokens_per_second=0) as stub:
        settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, ollama_url=stub.url)
        with RunningServer(settings, CannedAssistant(ledger)) as server:
            yield server
    ledger.close()


def script(api_url: str, secret: str) -> None:
    """The screen alone: the test runner cannot turn to a page that is a function."""
    from ui.client import ApiClient
    from ui.screens import releases
    from ui.visit import Visit

    releases.show(Visit(ApiClient(api_url, "chie", proxy_secret=secret, language="ja"), "ja", timezone="Asia/Tokyo"))


def worked(client: httpx.Client) -> str:
    """How what the API was busy with ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (work := client.get("/admin/releases").json()["work"])["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return str(work["state"])


def test_a_draft_is_made_published_and_taken_back_on_the_screen(api: RunningServer) -> None:
    page = AppTest.from_function(script, args=(api.url, PROXY_SECRET), default_timeout=PATIENCE_SECONDS).run()
    assert not page.exception
    assert words.NO_RELEASES.ja in [caption.value for caption in page.caption]

    page.number_input("draft_temperature").set_value(0.1)
    page.text_input("draft_why").set_value("短く答える")
    page.button("FormSubmitter:release_draft_-" + words.KEEP.ja).click().run()
    assert not page.exception
    (draft,) = page.selectbox("release_chosen").options

    page.text_input("release_why").set_value("よさそう")
    page.button("release_publish").click().run()
    assert not page.exception
    with api.client(user="chie") as client:
        assert worked(client) == "done"
        assert client.get("/admin/releases").json()["standing"]["release_id"] == draft
    page.run()
    assert page.metric[0].value == draft
    assert words.DONE.ja.format(release_id=draft) in [told.value for told in page.success]

    page.button("release_rollback").click().run()
    assert not page.exception
    assert page.metric[1].value == draft


def test_a_draft_can_ask_the_model_first_with_limits_of_its_own(api: RunningServer) -> None:
    page = AppTest.from_function(script, args=(api.url, PROXY_SECRET), default_timeout=PATIENCE_SECONDS).run()
    page.toggle("draft_asks_first").set_value(True)
    page.number_input("draft_refuses_from_ja").set_value(0.44)
    page.button("FormSubmitter:release_draft_-" + words.KEEP.ja).click().run()
    assert not page.exception

    (asked_first,) = page.selectbox("release_chosen").options
    with api.client(user="chie") as client:
        draft = client.get(f"/admin/releases/{asked_first}").json()
    assert (draft["asks_first"], draft["refuses_from_ja"], draft["refuses_from_en"]) == (True, 0.44, 0.5)
    assert set(draft["differences"]) == {"asks_first", "refuses_from_ja"}


def test_the_fields_begin_with_the_values_of_the_release_that_is_chosen(api: RunningServer) -> None:
    with api.client(user="chie") as client:
        cool = client.post("/admin/releases", json={"temperature": 0.1, "asks_first": True}).json()["release_id"]
        warm = client.post("/admin/releases", json={"temperature": 0.9, "words": 0.5}).json()["release_id"]
    page = AppTest.from_function(script, args=(api.url, PROXY_SECRET), default_timeout=PATIENCE_SECONDS).run()
    shown = []
    for release_id in (warm, cool, warm):
        page.selectbox("release_chosen").set_value(release_id).run()
        shown.append(
            (
                page.number_input(f"draft_temperature_{release_id}").value,
                page.number_input(f"draft_words_{release_id}").value,
                page.toggle(f"draft_asks_first_{release_id}").value,
            )
        )
    assert shown == [(0.9, 0.5, False), (0.1, 1.0, True), (0.9, 0.5, False)]


def test_a_release_that_is_refused_says_why_on_the_screen(api: RunningServer) -> None:
    with api.client(user="chie") as client:
        made = client.post("/admin/releases", json={"system": "Answer with the single word YES."}).json()
        client.post(f"/admin/releases/{made['release_id']}/publish", json={})
        assert worked(client) == "failed"
    page = AppTest.from_function(script, args=(api.url, PROXY_SECRET), default_timeout=PATIENCE_SECONDS).run()
    assert not page.exception
    page.selectbox("release_chosen").set_value(made["release_id"]).run()
    assert not page.exception
    assert any("抜粋の事実を言いません" in box.value for box in page.html)
    assert "+Answer with the single word YES." in "\n".join(code.value for code in page.code)
