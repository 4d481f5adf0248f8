"""The whole product in a real browser: real API, real ingestion, real Chroma; a question, its answer, its source.

Once without a model (quotations) and once with a model behind a stub Ollama, whose slots show when it is free again.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docx
import httpx
import lxml.html
import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.deployment import ROOT, Deployment, wait_until
from tests.stubs.ollama.process import StubOllama, start_stub_ollama
from ui.words import asking, problems
from ui.words import documents as listing

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

OpenPage = Callable[..., Page]
PATIENCE_MS = 30_000
LEAVE_JA = "有給休暇はいつまでに申請しますか?"
LEAVE_EN = "How far ahead must I apply for paid leave?"
SLOW_TOKENS_PER_SECOND = 8.0
STOP_BUTTON = "stChatInputStopButton"
MARK = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Product:
    """A running deployment; `stub` is its Ollama where it has one."""

    deployment: Deployment
    stub: StubOllama | None = None


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


def wait_until_read(deployment: Deployment) -> None:
    """Returns when every file of the folder is searchable."""
    files = sum(path.is_file() for path in deployment.documents.rglob("*"))
    wait_until(lambda: deployment.status()["documents"].get("indexed") == files, timeout_seconds=200)


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Two folders of the handbook and no model: answers are quotations."""
    folder = tmp_path_factory.mktemp("quoting")
    for name in ("人事", "en"):
        shutil.copytree(ROOT / "examples" / name, folder / "documents" / name)
    deployment = Deployment(folder, folder / "documents", {"DEMO_USER": "demo"})
    with deployment.up("chroma,api,ingest,ui"):
        wait_until_read(deployment)
        yield Product(deployment)


@pytest.fixture(scope="module")
def generating(tmp_path_factory: pytest.TempPathFactory, quoting: Product) -> Iterator[Product]:
    """Another API and screen on the same documents, with a model that writes slowly enough to be watched."""
    folder, first = tmp_path_factory.mktemp("generating"), quoting.deployment
    shutil.copytree(first.folder / "var" / "lexical", folder / "var" / "lexical")
    stores = {
        "CHROMA_URL": first.settings["CHROMA_URL"],
        "DATABASE_URL": f"sqlite:///{first.folder / 'var' / 'ledger.db'}",
    }
    with start_stub_ollama(tokens_per_second=SLOW_TOKENS_PER_SECOND) as stub:
        settings = {"DEMO_USER": "demo", "ANSWERS": "ollama", "OLLAMA_URL": stub.url, **stores}
        deployment = Deployment(folder, first.documents, settings)
        with deployment.up("api,ui"):
            yield Product(deployment, stub)


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def text_of(source: Path) -> str:
    """What a person can read in the file, by another library than the product's where there is one."""
    if source.suffix == ".docx":
        opened = docx.Document(str(source))
        cells = [cell.text for table in opened.tables for row in table.rows for cell in row.cells]
        return "\n".join([paragraph.text for paragraph in opened.paragraphs] + cells)
    if source.suffix == ".html":
        return str(lxml.html.fromstring(source.read_bytes()).text_content())
    for encoding in ("utf-8", "cp932"):
        try:
            return source.read_text(encoding=encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError(f"{source} is no text")


def without_blank_lines(text: str) -> str:
    """Both libraries set paragraphs apart, one of them with a blank line."""
    return "\n".join(line for line in text.splitlines() if line.strip())


def opened_source(page: Page) -> tuple[Locator, str, str]:
    """Clicks the answer's first mark: the source's card, the highlighted quote, and the path on the card."""
    mark = page.locator(".ca-answer a.ca-mark").first
    number = (mark.text_content() or "").strip("[]")
    mark.click()
    card = page.locator("details.ca-source", has=page.locator(".ca-number", has_text=re.compile(f"^{number}$")))
    quote = card.locator(".ca-text mark")
    expect(quote).to_be_visible()
    expect(quote).to_be_in_viewport()
    return card, quote.text_content() or "", card.locator("summary .ca-path").text_content() or ""


def path_on(card_line: str) -> str:
    return card_line.split(" · ")[0]


@pytest.mark.parametrize(
    ("locale", "question", "said", "folder"),
    [("ja-JP", LEAVE_JA, "3営業日前", "人事/"), ("en-US", LEAVE_EN, "three business days", "en/")],
)
def test_an_answer_in_quotations_cites_what_is_literally_in_the_source_file(
    quoting: Product, open_page: OpenPage, locale: str, question: str, said: str, folder: str
) -> None:
    language = locale[:2]
    page = open_page(quoting.deployment.ui_url, locale=locale)
    ask(page, question)
    expect(page.locator(".ca-source").first).to_be_visible()
    expect(page.locator(".ca-answer")).to_contain_text(said)
    label = asking.QUOTES_TITLE.ja if language == "ja" else asking.QUOTES_TITLE.en
    expect(page.locator(".ca-quotes")).to_contain_text(label)
    assert MARK.search(page.locator(".ca-answer").inner_text())
    _, quote, line = opened_source(page)
    assert said in quote
    assert path_on(line).startswith(folder)
    file = quoting.deployment.documents / path_on(line)
    assert without_blank_lines(quote) in without_blank_lines(text_of(file))


def test_every_quotation_of_an_answer_is_in_the_file_that_its_card_names(quoting: Product, open_page: OpenPage) -> None:
    page = open_page(quoting.deployment.ui_url)
    for question in (
        "育児休業は何日前までに申し出ますか?",
        "慶弔見舞金はいくらですか?",
        "在宅勤務は週に何日までですか?",
    ):
        ask(page, question)
        expect(page.locator(".ca-question").first).to_have_text(question)
        expect(page.get_by_test_id(STOP_BUTTON)).to_have_count(0)
    cards = page.locator("details.ca-source", has=page.locator(".ca-number"))
    assert cards.count() >= 3
    for card in cards.all():
        quote = card.locator(".ca-text mark").text_content() or ""
        path = path_on(card.locator("summary .ca-path").text_content() or "")
        assert quote
        assert has_words_of(quote, quoting.deployment.documents / path), path


def has_words_of(quote: str, source: Path) -> bool:
    """Whether each line and table cell of the quote is in the file; readers break lines and part cells differently."""
    text = re.sub(r"\s", "", text_of(source))
    pieces = [re.sub(r"\s", "", piece) for piece in re.split(r"\n| \| ", quote)]
    return any(pieces) and all(piece in text for piece in pieces)


def test_the_documents_screen_lists_what_can_be_searched(quoting: Product, open_page: OpenPage) -> None:
    page = open_page(f"{quoting.deployment.ui_url}/documents")
    cards = page.locator(".stMain .ca-state")
    files = sum(path.is_file() for path in quoting.deployment.documents.rglob("*"))
    expect(cards).to_have_count(files)
    expect(page.get_by_text("人事/休暇規程.docx")).to_be_visible()
    expect(cards.filter(has_text=listing.STATUSES["indexed"].ja)).to_have_count(files)
    search = page.get_by_label(listing.DOCUMENTS_SEARCH.ja)
    search.fill("Leave")
    search.press("Enter")
    expect(cards).to_have_count(1)


def test_a_question_asked_while_the_api_starts_again_waits_and_is_answered(
    quoting: Product, open_page: OpenPage
) -> None:
    deployment = quoting.deployment
    page = open_page(deployment.ui_url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    psutil.Process(deployment.pid_of("api")).kill()
    ask(page, LEAVE_JA)
    expect(page.locator(".ca-answer")).to_contain_text("3営業日前", timeout=90_000)
    assert page.get_by_role("alert").filter(has_text=problems.PROBLEM_API_AWAY.ja).count() == 0
    wait_until(lambda: is_ready(deployment), timeout_seconds=60)


def is_ready(deployment: Deployment) -> bool:
    try:
        return httpx.get(f"{deployment.api_url}/readyz", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def stub_of(product: Product) -> StubOllama:
    assert product.stub is not None
    return product.stub


def test_passages_come_first_and_the_models_words_come_one_by_one(generating: Product, open_page: OpenPage) -> None:
    stub_of(generating).add_fault(
        "stall", path="/api/chat", after_tokens=5, seconds=5
    )  # long enough to be seen writing
    page = open_page(generating.deployment.ui_url)
    ask(page, LEAVE_JA)
    expect(page.locator(".ca-source").first).to_be_visible()
    answer = page.locator(".ca-answer")
    expect(answer).not_to_be_empty()
    beginning = answer.inner_text()
    expect(page.locator(".ca-foot")).to_contain_text("company-assistant")
    whole = answer.inner_text()
    assert 0 < len(beginning) < len(whole)
    assert whole.startswith(beginning[:-1].rstrip())
    assert MARK.search(whole)
    expect(page.locator(".ca-quotes")).to_have_count(0)
    _, quote, line = opened_source(page)
    assert has_words_of(quote, generating.deployment.documents / path_on(line))


def test_stop_frees_the_models_slot_within_a_second(generating: Product, open_page: OpenPage) -> None:
    stub = stub_of(generating)
    stub.add_fault("endless", path="/api/chat")  # nobody is too late to stop it
    page = open_page(generating.deployment.ui_url)
    ask(page, "年次有給休暇の申請の手続きを教えてください")
    expect(page.locator(".ca-answer")).not_to_be_empty()
    assert stub.slots()["running"] == 1
    page.get_by_test_id(STOP_BUTTON).click()
    clicked = time.monotonic()
    wait_until(lambda: stub.slots()["running"] == 0, timeout_seconds=20, pause_seconds=0.02)
    seconds = time.monotonic() - clicked
    print(f"slot free {seconds:.2f} s after the click")
    assert stub.requests("/api/chat")[-1]["outcome"] == "hung_up"
    expect(page.get_by_text(asking.STOPPED.ja)).to_be_visible()


def test_an_api_that_dies_in_mid_answer_frees_the_model_and_the_question_is_asked_again(
    generating: Product, open_page: OpenPage
) -> None:
    stub = stub_of(generating)
    stub.add_fault("endless", path="/api/chat")
    page = open_page(generating.deployment.ui_url)
    ask(page, LEAVE_JA)
    expect(page.locator(".ca-answer")).not_to_be_empty()
    os.kill(generating.deployment.pid_of("api"), signal.SIGKILL)
    expect(page.locator(".ca-status")).to_contain_text(asking.WAITING_RETURN.ja)
    expect(page.locator(".ca-foot")).to_contain_text("company-assistant", timeout=120_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    outcomes = [seen["outcome"] for seen in stub.requests("/api/chat")]
    assert "hung_up" in outcomes
    assert outcomes[-1] == "finished"


def test_a_model_that_goes_away_leaves_quotations_with_the_reason(generating: Product, open_page: OpenPage) -> None:
    stub_of(generating).add_fault("status", path="/api/chat", status=500, text="out of memory")
    try:
        page = open_page(generating.deployment.ui_url)
        ask(page, LEAVE_JA)
        expect(page.locator(".ca-quotes")).to_contain_text(asking.QUOTES_MODEL_AWAY.ja)
        expect(page.locator(".ca-answer")).to_contain_text("3営業日前")
        expect(page.locator(".ca-notice")).to_be_visible()
    finally:
        stub_of(generating).clear_faults()
