"""What people do with the screen, from end to end, through the real nginx: each test a person's errand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, FileChooser, FilePayload, Locator, Page, TimeoutError, expect

from tests.browser.asking import STOP_BUTTON, ask, ended
from tests.browser.installation import (
    PDF,
    QUICK,
    SECRET,
    SLOW,
    Installation,
    running_installation,
)
from tests.browser.pictures import picture
from tests.journeys.deployment import wait_until
from ui.layout import GROUPS
from ui.words import (
    asking,
    capacity,
    documents,
    frame,
    ingestion,
    open_questions,
    people,
    releases,
    say,
    sources,
    system,
    uploads,
    use,
)
from ui.words import receipts as receipt_words

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

PATIENCE_MS = 60_000
OF_A_PDF = "身元保証書の極度額はいくらですか?"
FOLLOW_UP = "それはいつまでに提出しますか?"
STANDING_ALONE = "身元保証書はいつまでに提出しますか?"
ANSWER = "身元保証書の極度額は 1,000,000 円で、保証人は 1 名です [1]。"
NEXT_ANSWER = "身元保証書は、入社日から 2 週間以内に人事課へ提出します [1]。"
WITHOUT_ANSWER = "社宅の申し込み方を教えてください"
OF_THE_BOARD = "役員報酬の月額はいくらですか?"
LEAVE = "有給休暇はいつまでに申請しますか?"
LONG = (
    "".join(
        f"{what}は、{number} 営業日前までにワークフローシステムで申請します [1]。"
        for number, what in enumerate(("年次有給休暇", "半日単位の休暇", "慶弔休暇", "病気休暇", "育児休業"), start=3)
    )
    * 8
)
"""Minutes of a slow stub's writing: whoever presses Stop is never too late."""
HOME = "在宅勤務は週に何日までですか?"
BROUGHT = "駐輪場の利用案内.md"
BROUGHT_TEXT = "# 駐輪場の利用案内\n\n## 申し込み\n\n駐輪場の鍵は、本館 2 階の総務課が午前 9 時から貸し出す。\n"
OF_THE_BROUGHT = "駐輪場の鍵はどこで借りますか?"


@pytest.fixture(scope="module")
def installation(browser: Browser) -> Iterator[Installation]:
    expect.set_options(timeout=PATIENCE_MS)
    with running_installation(browser) as made:
        yield made


@pytest.fixture(autouse=True)
def _quick(installation: Installation) -> Iterator[None]:
    """Every test begins with a quick model and ends with closed browsers."""
    installation.stub.change_settings(tokens_per_second=QUICK)
    yield
    installation.stub.clear_faults()
    installation.close_pages()


def test_an_answer_leads_to_the_marked_place_in_the_original_and_a_follow_up_says_how_it_was_read(
    installation: Installation,
) -> None:
    page = installation.page_of("ben")
    expect(page.get_by_text(asking.INTRO_TITLE.ja)).to_be_visible()
    picture(page, "start-ja")
    installation.stub.add_fault("answer", text=ANSWER, times=1)
    ask(page, OF_A_PDF)
    ended(page, turns=1)
    expect(page.locator(".ca-answer a.ca-mark").first).to_have_text(re.compile(r"\[\d+\]"))
    picture(page, "ask-ja")
    page.locator(".ca-answer a.ca-mark").first.click()
    quote = page.locator(".ca-source .ca-text mark").first
    expect(quote).to_be_in_viewport()
    picture(page, "citation-open-ja")
    card = page.locator("details.ca-source[open]", has=page.locator(".ca-number"))
    expect(card.locator("summary .ca-path")).to_contain_text(PDF)
    link = card.get_by_text(sources.OPEN_ORIGINAL.ja).get_attribute("href") or ""
    assert re.fullmatch(r"/api/documents/d_\w+/file#page=\d+", link)
    original = page.context.request.get(installation.url + link)
    assert original.headers["content-type"] == "application/pdf"
    assert original.body() == (installation.deployment.documents / PDF).read_bytes()
    page.get_by_role("button", name=say(sources.SHOW_PLACE, "ja", number=1)).click()
    dialog = page.get_by_role("dialog")
    number = link.rpartition("=")[2]
    shown = dialog.locator("img.ca-page")
    expect(shown).to_be_visible()
    expect(shown).to_have_attribute("alt", re.compile(re.escape(f"の {number} ページ")))
    expect(dialog.get_by_text(sources.NOT_MARKED.ja)).to_have_count(0)
    assert shown.evaluate("image => image.naturalWidth") > 400
    expect(dialog.locator(".ca-here")).to_be_in_viewport()
    assert dialog.locator(".ca-view").evaluate("view => view.scrollTop") > 0, "the page is opened at its mark"
    picture(page, "page-ja")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    installation.stub.add_fault("answer", text=STANDING_ALONE, times=1)  # what the model makes of the follow-up
    installation.stub.add_fault("answer", text=NEXT_ANSWER, times=1)
    ask(page, FOLLOW_UP)
    ended(page, turns=2)
    expect(page.get_by_text(say(asking.UNDERSTOOD_AS, "ja", question=STANDING_ALONE))).to_be_visible()
    expect(page.locator(".ca-answer").first).to_contain_text("2 週間以内")
    picture(page, "follow-up-ja")


def test_stop_keeps_what_was_written_and_a_refusal_names_whom_to_ask_and_takes_an_opinion(
    installation: Installation,
) -> None:
    page = installation.page_of("ben")
    expect(page.get_by_text(asking.INTRO_TITLE.ja)).to_be_visible()
    installation.stub.change_settings(tokens_per_second=SLOW)
    installation.stub.add_fault("answer", text=LONG, times=1)
    ask(page, LEAVE)
    expect(page.locator(".ca-status")).to_be_visible()
    expect(page.locator(".ca-source").first).to_be_visible()
    expect(page.locator(".ca-answer")).not_to_be_empty()
    picture(page, "waiting-ja")
    page.get_by_test_id(STOP_BUTTON).click()
    expect(page.get_by_text(asking.STOPPED.ja)).to_be_visible()
    wait_until(lambda: installation.stub.slots()["running"] == 0, timeout_seconds=60)
    expect(page.locator(".ca-answer")).not_to_be_empty()
    picture(page, "stopped-ja")
    installation.stub.change_settings(tokens_per_second=QUICK)
    ask(page, WITHOUT_ANSWER)
    ended(page, turns=1)
    refusal = page.locator(".ca-refusal")
    expect(refusal).to_contain_text(asking.REFUSED_TITLE.ja)
    expect(refusal).to_contain_text(say(asking.LOOKED_FOR, "ja", question=WITHOUT_ANSWER))
    expect(refusal).to_contain_text("人事部 佐藤")
    page.get_by_role("button", name=asking.TELL_ME.ja).click()
    expect(page.get_by_text(asking.WILL_TELL.ja)).to_be_visible()
    picture(page, "refusal-ja")
    page.get_by_test_id("stFeedback").last.get_by_role("radio").last.click()
    page.get_by_text(asking.REASONS["incomplete"].ja, exact=True).click()
    expect(page.get_by_text(asking.THANKS.ja)).to_be_visible()
    picture(page, "opinion-ja")
    wait_until(lambda: opinions(installation, "ben") == [("down", "incomplete")], timeout_seconds=60)


def opinions(installation: Installation, user: str) -> list[tuple[str, str]]:
    """What the person said of the answers of all their conversations."""
    found: list[tuple[str, str]] = []
    for one in installation.get(user, "/api/conversations").json()["conversations"]:
        told = installation.get(user, f"/api/conversations/{one['conversation_id']}").json()
        said = [exchange["feedback"] for exchange in told["exchanges"] if exchange["feedback"]]
        found += [(each["rating"], each["reason"]) for each in said]
    return found


def test_a_conversation_outlives_a_killed_api_and_goes_on_in_another_browser(installation: Installation) -> None:
    page = installation.page_of("dan", locale="en-US")
    expect(page.get_by_text(asking.INTRO_TITLE.en)).to_be_visible()
    ask(page, "How far ahead must I apply for paid leave?")
    ended(page, turns=1)
    expect(page.locator(".ca-answer")).to_contain_text("three business days")
    picture(page, "ask-en")
    killed = psutil.Process(installation.deployment.pid_of("api"))
    killed.kill()
    psutil.wait_procs([killed], timeout=60)
    wait_until(lambda: is_ready(installation), timeout_seconds=120)
    other = installation.page_of("dan", "/history", width=360, height=740)
    row = other.get_by_role("button", name="How far ahead must I apply for paid leave?")
    expect(row).to_be_visible()
    picture(other, "history-phone-ja")
    row.click()
    expect(other.locator(".ca-answer")).to_contain_text("three business days")
    ask(other, HOME)
    expect(other.locator(".ca-answer").first).to_contain_text(re.compile(r"週.*日"))
    ended(other, turns=2)
    assert other.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 360
    picture(other, "phone-ja")
    page.reload()
    expect(page.locator(".ca-question")).to_have_count(2)


def is_ready(installation: Installation) -> bool:
    try:
        return httpx.get(f"{installation.deployment.api_url}/readyz", timeout=10, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def test_a_question_is_there_with_what_had_come_when_its_page_is_loaded_anew_or_opened_elsewhere(
    installation: Installation,
) -> None:
    page = installation.page_of("aiko")
    expect(page.get_by_text(asking.INTRO_TITLE.ja)).to_be_visible()
    installation.stub.change_settings(tokens_per_second=SLOW)
    installation.stub.add_fault("answer", text=LONG, times=1)
    ask(page, LEAVE)
    expect(page.locator(".ca-answer")).to_contain_text("年次有給休暇は")
    address = page.url
    assert "c=c_" in address
    page.reload()
    expect(page.locator(".ca-question")).to_have_text(LEAVE)
    expect(page.get_by_text(asking.BROKEN_OFF.ja)).to_be_visible()
    conversation = f"/api/conversations/{address.rpartition('=')[2]}"
    wait_until(lambda: installation.get("aiko", conversation).json()["unfinished"][0]["text"] != "", timeout_seconds=60)
    page.reload()
    expect(page.locator(".ca-answer")).to_contain_text("年次有給休暇は")
    expect(page.get_by_text(asking.BROKEN_OFF.ja)).to_be_visible()
    wait_until(lambda: installation.stub.slots()["running"] == 0, timeout_seconds=60)
    picture(page, "broken-off-ja")
    page.close()
    installation.stub.change_settings(tokens_per_second=QUICK)
    elsewhere = installation.page_of("aiko", "/history")
    row = elsewhere.get_by_role("button", name=LEAVE)
    expect(row).to_be_visible()
    picture(elsewhere, "history-ja")
    row.click()
    elsewhere.get_by_role("button", name=asking.RETRY.ja).last.click()
    ended(elsewhere, turns=1)
    expect(elsewhere.locator(".ca-question")).to_have_count(1)
    told = installation.get("aiko", conversation).json()
    assert [one["question"] for one in told["exchanges"]] == [LEAVE]
    assert told["unfinished"] == []


def test_two_people_ask_at_once_and_neither_sees_what_is_only_the_others(installation: Installation) -> None:
    installation.stub.change_settings(tokens_per_second=SLOW)
    chie, dan = installation.page_of("chie"), installation.page_of("dan")
    for page, user in ((chie, "chie"), (dan, "dan")):
        expect(page.get_by_text(say(frame.SIGNED_IN_AS, "ja", user=user))).to_be_visible()
    ask(chie, OF_THE_BOARD)
    expect(chie.locator(".ca-answer")).not_to_be_empty()
    ask(dan, OF_THE_BOARD)  # while hers is being written, in the same process
    expect(dan.locator(".ca-source").first).to_be_visible()
    installation.stub.change_settings(tokens_per_second=QUICK)
    ended(chie, turns=1)
    expect(chie.locator(".ca-source").filter(has_text=SECRET).first).to_be_attached()
    ended(dan, turns=1)
    expect(dan.locator(".stMain")).not_to_contain_text("役員報酬規程")
    (forbidden,) = installation.get("chie", "/api/documents?query=役員報酬").json()["documents"]
    address = f"/documents?document={forbidden['document_id']}"
    chie.goto(installation.url + address)
    expect(chie.locator(".ca-facts")).to_be_visible()
    dan.goto(installation.url + address)
    expect(dan.get_by_role("alert")).to_be_visible()
    expect(dan.locator(".stMain")).not_to_contain_text("役員報酬")
    assert installation.get("dan", f"/api/documents/{forbidden['document_id']}/file").status_code == 404
    dan.goto(f"{installation.url}/history")
    expect(dan.get_by_role("button", name=OF_THE_BOARD)).to_have_count(1)
    assert installation.get("dan", "/api/documents?query=役員報酬").json()["documents"] == []
    dan.goto(f"{installation.url}/ingestion")  # an address of administrators
    expect(dan.get_by_text(asking.INTRO_TITLE.ja)).to_be_visible()


def test_a_file_that_is_brought_is_read_opened_with_its_receipt_and_cited(installation: Installation) -> None:
    dan = installation.page_of("dan", "/documents")
    expect(dan.get_by_role("heading", level=1)).to_have_text(documents.DOCUMENTS_TITLE.ja)
    expect(dan.get_by_text("休暇規程.docx").first).to_be_visible()
    expect(dan.get_by_text(uploads.UPLOADS_TITLE.ja)).to_have_count(0)
    picture(dan, "documents-ja")
    page = installation.page_of("aiko", "/documents")
    page.get_by_text(uploads.UPLOADS_TITLE.ja).click()
    box = page.get_by_test_id("stFileUploaderDropzone")
    button = box.get_by_role("button", name=uploads.UPLOADS_BUTTON.ja)
    expect(button).to_be_visible()
    assert not {"Upload", "per file"} & {line.strip() for line in box.inner_text().splitlines()}
    picture(page, "upload-empty-ja")
    brought: FilePayload = {"name": BROUGHT, "mimeType": "text/markdown", "buffer": BROUGHT_TEXT.encode()}
    chooser_of(page, button).set_files(brought)
    send = page.get_by_role("button", name=uploads.UPLOADS_SEND.ja, exact=True)
    expect(send).to_be_enabled()
    picture(page, "upload-ja")
    send.click()
    expect(page.get_by_text(say(uploads.UPLOADED_NEW, "ja", name=BROUGHT))).to_be_visible()
    expect(page.locator('[class*="st-key-mine-"] .ca-indexed').last).to_be_visible(timeout=240_000)
    picture(page, "uploaded-ja")
    page.reload()  # a list that has been watched is drawn twice for a moment
    page.get_by_text(uploads.UPLOADS_TITLE.ja).click()
    page.locator('[class*="st-key-mine-open-"] button').click()
    expect(page.locator(".ca-box.ca-good")).to_contain_text(receipt_words.SEARCHABLE.ja)
    picture(page, "document-ja")
    page.goto(installation.url)
    ask(page, OF_THE_BROUGHT)
    ended(page, turns=1)
    expect(page.locator(".ca-answer")).to_contain_text("本館 2 階の総務課")
    page.locator(".ca-answer a.ca-mark").first.click()
    expect(page.locator("details.ca-source[open] summary .ca-path").first).to_contain_text(BROUGHT)


def chooser_of(page: Page, button: Locator) -> FileChooser:
    """What Enter on the button opens. A page that is drawn meanwhile takes the focus away: then it is pressed again."""
    for _ in range(6):
        settled(page)
        with suppress(TimeoutError):
            with page.expect_file_chooser(timeout=10_000) as chosen:
                button.press("Enter")
            return chosen.value
    raise AssertionError("no chooser of files opens")


def test_every_screen_of_administrators_opens_with_its_figures_in_both_languages(installation: Installation) -> None:
    for question in (OF_A_PDF, LEAVE, WITHOUT_ANSWER):
        assert installation.post("ben", "/api/ask", {"question": question}).is_success
    page = installation.page_of("chie", "/ingestion")
    expect(page.get_by_role("heading", level=1)).to_have_text(ingestion.TITLE.ja)
    expect(page.get_by_text(re.compile("件|ページ")).first).to_be_visible()
    settled(page)
    picture(page, "ingestion-ja", whole=True)
    go(page, frame.NAV_QUESTIONS.ja, open_questions.TITLE.ja)
    expect(page.get_by_text(WITHOUT_ANSWER).first).to_be_visible()
    settled(page)
    picture(page, "questions-ja")
    go(page, frame.NAV_RELEASES.ja, releases.TITLE.ja)
    settled(page)
    picture(page, "releases-ja")
    go(page, frame.NAV_USE.ja, use.TITLE.ja)
    expect(page.get_by_test_id("stMetricValue").first).not_to_have_text("0")
    settled(page)
    picture(page, "use-ja", whole=True)
    go(page, frame.NAV_SYSTEM.ja, system.TITLE.ja)
    settled(page)
    picture(page, "system-ja", whole=True)
    go(page, frame.NAV_CAPACITY.ja, capacity.TITLE.ja)
    settled(page)
    picture(page, "capacity-ja", whole=True)
    go(page, frame.NAV_PEOPLE.ja, people.TITLE.ja)
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    settled(page)
    picture(page, "people-ja", whole=True)
    page.get_by_text("English", exact=True).click()
    titles = {"questions": open_questions.TITLE}
    for screen in GROUPS[-1].screens:
        title = titles.get(screen.name) or import_module(f"ui.words.{screen.name}").TITLE
        go(page, screen.title.en, title.en)
        settled(page)


def go(page: Page, name: str, title: str) -> None:
    """By the menu to another screen."""
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def settled(page: Page) -> None:
    """Waits until the screen is drawn to its end; nothing on it may have failed."""
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_attached()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("alert").filter(has=page.locator(".ca-problem"))).to_have_count(0)
