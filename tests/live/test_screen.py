"""What people do with the screen when the model is real: through nginx, in a browser, with answers that take seconds.

What a 1.5B model says varies, so a plain question may be asked again; what the screen does with it may not vary.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.asking import STOP_BUTTON, ask, ended
from tests.browser.conftest import CHROMIUM, QUIET
from tests.journeys.deployment import ROOT, Deployment
from tests.journeys.front_door import running_front_door
from tests.live.asking import ANSWER_SECONDS, SMALL_PROMPTS, TRIES
from tests.live.handbook import write_handbook
from tests.live.ollama_process import LiveOllama
from ui.words import asking, say, sources

PDF = "人事/就業規則_抜粋.pdf"
OF_THE_PDF = "身元保証書の極度額はいくらですか?"
FOLLOW_UP = "それはいつまでに提出しますか?"
LONG = "火災のときの行動を1番から10番まですべて書いてください。"
PART = "# MX-5000C\n\nMX-5000C の保証期間は、納品の日から 3 年とする。\n"
OF_ANOTHER_PART = "MX-5000の保証期間は何年ですか?"
PASSWORDS = {"ben": "bens-password"}


@pytest.fixture
def url(live_ollama: LiveOllama) -> Iterator[str]:
    """Where people go: nginx in front of the screen and the API, with a few documents and the real model."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="live-screen-")))
        folder.chmod(0o755)  # nginx works as another user
        documents = write_handbook(folder / "documents")
        shutil.copy(ROOT / "examples" / PDF, documents / PDF)
        (documents / "製品.md").write_text(PART, encoding="utf-8")
        settings = SMALL_PROMPTS | {"ANSWERS": "ollama", "OLLAMA_URL": live_ollama.url}
        deployment = Deployment(folder, documents, settings)
        opened.enter_context(deployment.up("chroma,api,ui"))
        done = deployment.run("ingest", "run", "--json", timeout_seconds=ANSWER_SECONDS)
        assert done.returncode == 0, done.stderr
        yield opened.enter_context(running_front_door(folder, deployment, PASSWORDS))


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    """Ben's browser at the first screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = chromium.new_context(
            locale="ja-JP", http_credentials={"username": "ben", "password": PASSWORDS["ben"]}
        )
        opened = context.new_page()
        opened.goto(url)
        yield opened
        chromium.close()


def test_a_person_asks_opens_the_page_goes_on_is_refused_and_stops_an_answer_of_the_real_model(
    page: Page, url: str
) -> None:
    expect.set_options(timeout=60_000)
    turns = 1
    ask(page, OF_THE_PDF)
    ended(page, turns=turns, timeout_seconds=ANSWER_SECONDS)
    while page.locator(".ca-answer a.ca-mark").count() == 0 and turns < TRIES:
        turns += 1
        ask(page, OF_THE_PDF)
        ended(page, turns=turns, timeout_seconds=ANSWER_SECONDS)
    expect(page.locator(".ca-answer").first).to_contain_text(re.compile("1,000,000|100万|百万"))
    page.locator(".ca-answer a.ca-mark").first.click()
    expect(page.locator(".ca-source .ca-text mark").first).to_be_in_viewport()
    page.get_by_role("button", name=say(sources.SHOW_PLACE, "ja", number=1)).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("img.ca-page")).to_be_visible()
    expect(dialog.get_by_text(sources.NOT_MARKED.ja)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    turns += 1
    ask(page, FOLLOW_UP)
    ended(page, turns=turns, timeout_seconds=ANSWER_SECONDS)
    understood = asking.UNDERSTOOD_AS.ja.partition("{")[0]
    expect(page.get_by_text(understood).first).to_be_visible()

    turns += 1
    ask(page, OF_ANOTHER_PART)
    ended(page, turns=turns, timeout_seconds=ANSWER_SECONDS)
    expect(page.locator(".ca-refusal").first).to_contain_text(asking.REFUSED_TITLE.ja)

    ask(page, LONG)
    expect(page.locator(".ca-answer").first).to_contain_text("大声", timeout=ANSWER_SECONDS * 1000)
    page.get_by_test_id(STOP_BUTTON).click()
    expect(page.get_by_text(asking.STOPPED.ja)).to_be_visible()

    page.goto(url + "/history")
    expect(page.get_by_role("button", name=OF_THE_PDF).first).to_be_visible()
