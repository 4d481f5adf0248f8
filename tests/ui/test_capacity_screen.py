"""The screen of memory against the product's own API: an administrator enters a GPU and reads whether the model fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from api.deps import ADMINISTRATORS
from assistant.adapters.ledger import Ledger
from assistant.settings import Settings
from tests.api.canned import PROXY_SECRET, CannedAssistant, RunningServer
from tests.ui.test_system_screens import opened
from ui.words import capacity as words
from ui.words import problems

LLAMA = "llama3.1:8b-instruct-q4_K_M"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningServer]:
    """The API, whose Ollama is away: the catalogue is left."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.set_groups("chie", [ADMINISTRATORS])
    settings = Settings(
        _env_file=None, proxy_secret=PROXY_SECRET, ollama_url="http://127.0.0.1:1", embed_model="own-embedder"
    )
    with RunningServer(settings, CannedAssistant(ledger)) as server:
        yield server
    ledger.close()


def verdict(page: AppTest) -> str:
    """The title of the box that says whether it fits."""
    return next(box.value.split('ca-box-title">')[1].split("<")[0] for box in page.html if "ca-box-title" in box.value)


def shown(page: AppTest) -> str:
    """The boxes of the screen."""
    return "\n".join(box.value for box in page.html)


def test_a_gpu_is_entered_and_the_screen_says_whether_the_model_fits_and_the_largest_that_does(
    api: RunningServer,
) -> None:
    page = opened(api.url, "capacity")
    assert words.OLLAMA_AWAY.ja in [caption.value for caption in page.caption]
    page.selectbox("capacity_embedder").set_value("none")
    page.selectbox("capacity_model").set_value(LLAMA)
    page.number_input("capacity_gib").set_value(4.0).run()
    assert not page.exception
    assert verdict(page) == words.NAMES["too_large"].ja
    assert page.metric[2].value == words.NOTHING_FITS.ja

    page.number_input("capacity_gib").set_value(16.0).run()
    assert not page.exception
    assert verdict(page) == words.NAMES["fits"].ja
    largest = int(page.metric[2].value.replace(",", ""))
    page.number_input("capacity_num_ctx").set_value(largest + 1024).run()
    assert verdict(page) != words.NAMES["fits"].ja
    page.number_input("capacity_num_ctx").set_value(largest).run()
    assert verdict(page) == words.NAMES["fits"].ja

    page.selectbox("capacity_flash").set_value("off").run()
    assert "KV は f16" in shown(page)
    assert words.NO_PRICES.ja in [info.value for info in page.info]


def test_a_model_that_cannot_be_planned_says_why_and_leaves_the_choice(api: RunningServer) -> None:
    page = opened(api.url, "capacity")  # the configured embedder is not of the catalogue, and Ollama is away
    assert "ca-problem" in shown(page)
    assert LLAMA in shown(page)
    page.selectbox("capacity_embedder").set_value("none").run()
    assert not page.exception
    assert page.metric


def test_an_api_that_is_away_is_said() -> None:
    assert problems.PROBLEM_API_AWAY.ja in shown(opened("http://127.0.0.1:1", "capacity"))
