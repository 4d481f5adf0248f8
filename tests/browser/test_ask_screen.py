"""One question as people see it: a real Chromium, a real Streamlit, real HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.conftest import SECRET, Stack, running_screen
from tests.stubs.api.content import CHANNELS, LEAVE_QUOTE
from tests.stubs.api.process import running_stub_api, seen_by
from ui.style import LANGUAGE_SCRIPTS
from ui.words import asking, frame, say, sources

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPage = Callable[..., Page]
PATIENCE_MS = 15_000
STOP_BUTTON = "stChatInputStopButton"


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def ended_question(stack: Stack, question: str) -> dict[str, object]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for seen in seen_by(stack.api_url):
            if seen["body"].get("question") == question and seen["ended"]:
                return dict(seen)
        time.sleep(0.05)
    raise AssertionError(f"the API still answers {question!r}")


def test_the_citation_opens_its_quote(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    ask(page, "有給休暇はいつまでに申請しますか?")
    expect(page.locator(".ca-answer")).to_contain_text("取得日の3営業日前まで")
    expect(page.locator(".ca-foot")).to_be_visible()  # the sources are drawn anew, and folded, when the answer ends
    mark = page.locator("a.ca-mark").first
    expect(mark).to_have_text("[1]")
    quote = page.locator(".ca-source mark")
    expect(quote).to_be_hidden()
    mark.click()
    expect(quote).to_be_visible()
    expect(quote).to_be_in_viewport()
    expect(quote).to_have_text(LEAVE_QUOTE)
    card = page.locator(".ca-source", has=page.locator(".ca-number"))
    for shown in ("休暇規程", "人事/休暇規程.docx", "3 ページ", "第2章 休暇 › 第5条", "社員は、年次有給休暇を"):
        expect(card).to_contain_text(shown)
    expect(page.locator(".ca-status")).to_have_count(0)


def test_stop_keeps_what_was_written_and_the_api_sees_the_hang_up(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    question = "長い回答をください [slow]"
    ask(page, question)
    expect(page.locator(".ca-answer")).to_contain_text("項目3")
    clicked_at = time.time()
    page.get_by_test_id(STOP_BUTTON).click()
    seen = ended_question(stack, question)
    assert seen["ended"] == "hung up"
    assert isinstance(seen["hung_up_at"], float)
    assert seen["hung_up_at"] - clicked_at < 20  # the stub would write for longer
    expect(page.get_by_text(asking.STOPPED.ja)).to_be_visible()
    expect(page.locator(".ca-status")).to_be_hidden()
    kept = page.locator(".ca-answer").inner_text()
    assert "項目3" in kept
    ask(page, "次の質問 [quotes]")
    expect(page.get_by_text(asking.QUOTES_TITLE.ja)).to_be_visible()
    assert page.locator(".ca-answer").last.inner_text().startswith(kept)
    expect(page.get_by_text(asking.STOPPED.ja)).to_be_visible()


def test_passages_come_before_the_answer_and_stop_works_while_the_model_is_silent(
    stack: Stack, open_page: OpenPage
) -> None:
    page = open_page(stack.ui_url)
    question = "考え込む質問 [silent]"
    ask(page, question)
    expect(page.locator(".ca-more .ca-source")).to_have_count(3)
    expect(page.locator(".ca-status")).to_contain_text(asking.WAITING_MODEL.ja.partition("{elapsed")[0].format(count=3))
    assert page.locator(".ca-answer").count() == 0
    clicked_at = time.time()
    page.get_by_test_id(STOP_BUTTON).click()
    seen = ended_question(stack, question)
    assert isinstance(seen["hung_up_at"], float)
    assert seen["hung_up_at"] - clicked_at < 2


def test_a_clicked_example_can_be_stopped_and_asked_again(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    page.get_by_role("button", name=asking.EXAMPLES[0].ja).click()
    expect(page.locator(".ca-source")).to_have_count(3)
    expect(page.get_by_role("button", name=asking.EXAMPLES[1].ja)).to_have_count(0)
    page.get_by_role("button", name=asking.STOP.ja, exact=True).click()
    expect(page.get_by_text(asking.STOPPED.ja)).to_be_visible()
    page.get_by_role("button", name=asking.RETRY.ja).click()
    expect(page.locator(".ca-answer")).to_contain_text("3営業日前")
    expect(page.locator(".ca-question")).to_have_count(1)


def test_closing_the_tab_frees_the_model(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    question = "閉じられる質問 [slow]"
    ask(page, question)
    expect(page.locator(".ca-answer")).to_contain_text("項目1")
    page.close()
    assert ended_question(stack, question)["ended"] == "hung up"


def test_the_queue_is_told_with_place_and_seconds(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    ask(page, "休暇の申請 [queue]")
    expect(page.locator(".ca-status")).to_contain_text("2 番目、あと約 8 秒")
    expect(page.locator(".ca-answer")).to_contain_text("3営業日前")


def test_a_refusal_looks_different_from_an_answer(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    ask(page, "社長の好物は? [unanswered]")
    expect(page.locator(".ca-refusal")).to_contain_text(asking.REFUSED_TITLE.ja)
    expect(page.locator(".ca-refusal")).to_contain_text("答えは書かれていません")
    expect(page.locator(".ca-answer")).to_have_count(0)
    expect(page.locator(".ca-source")).to_have_count(3)


def test_a_problem_says_what_to_do_and_can_be_retried(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    ask(page, "休暇 [full]")
    box = page.get_by_role("alert").filter(has_text="混み合っています")
    for shown in ("順番待ちがいっぱいです。", "少したってから質問してください。", "12 秒ほど", "問い合わせ番号"):
        expect(box).to_contain_text(shown)
    asked_before = len(seen_by(stack.api_url))
    page.get_by_role("button", name=asking.RETRY.ja).click()
    expect(box).to_have_count(1)
    until = time.monotonic() + 30
    while len(seen_by(stack.api_url)) == asked_before and time.monotonic() < until:
        time.sleep(0.05)
    assert len(seen_by(stack.api_url)) == asked_before + 1
    expect(page.locator(".ca-question")).to_have_count(1)


def test_the_language_follows_the_browser_and_can_be_switched(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url, locale="en-US")
    expect(page.get_by_text(asking.INTRO_TITLE.en)).to_be_visible()
    expect(page.get_by_placeholder(asking.ASK_PLACEHOLDER.en)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_text("日本語", exact=True).click()
    expect(page.get_by_text(asking.INTRO_TITLE.ja)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.get_by_placeholder(asking.ASK_PLACEHOLDER.ja)).to_be_visible()
    expect(page.get_by_text(asking.INTRO_TITLE.en)).to_have_count(0)


def test_nothing_that_a_model_or_a_document_writes_is_run_or_fetched(stack: Stack, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto(stack.ui_url)
    ask(page, "画像のある回答 [invite]")
    answer = page.locator(".ca-answer")
    for channel in CHANNELS:
        expect(answer).to_contain_text(channel.splitlines()[0].partition("'")[0].partition("[赤]")[0])
    expect(page.locator(".ca-foot")).to_be_visible()  # the list is drawn anew, and folded, when the answer ends
    page.locator(".ca-more > summary").click()
    page.locator(".ca-more .ca-source > summary").first.click()
    page.get_by_role("button", name=say(sources.SHOW_PLACE, "ja", number=1)).click()
    expect(page.get_by_role("dialog")).to_contain_text(LEAVE_QUOTE)
    page.keyboard.press("Escape")
    page.get_by_text(asking.COPY.ja, exact=True).click()
    expect(page.get_by_test_id("stCode")).to_contain_text("evil.invalid")
    active = page.locator(".stHtml").locator("img, script, iframe, svg, object, embed, video, form, link")
    assert active.all_text_contents() == [LANGUAGE_SCRIPTS["ja"]]  # our own, and nothing else
    expect(answer.locator("a")).to_have_count(1)
    expect(answer.locator("a")).to_have_attribute("href", re.compile("^#source-"))
    own = (stack.ui_url, stack.ui_url.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert asked


def test_a_question_is_asked_checked_and_asked_again_by_keyboard_alone(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    go_to(page, page.get_by_test_id("stChatInputTextArea"))
    page.keyboard.type("有給休暇はいつまでに申請しますか?")
    page.keyboard.press("Enter")
    expect(page.locator(".ca-foot")).to_be_visible()
    go_to(page, page.locator("a.ca-mark").first)
    page.keyboard.press("Enter")
    expect(page.locator(".ca-source mark")).to_be_in_viewport()
    go_to(page, page.get_by_role("button", name=say(sources.SHOW_PLACE, "ja", number=1)))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("mark")).to_have_text(LEAVE_QUOTE)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    go_to(page, page.get_by_role("button", name=asking.EDIT.ja))
    page.keyboard.press("Enter")
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box.last).to_have_value("有給休暇はいつまでに申請しますか?")  # the box of before may still stand beside it
    expect(box).to_have_count(1)


def go_to(page: Page, target: Locator) -> None:
    """Presses Tab until the target has the focus."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the focus never gets there")


def test_the_page_stays_where_the_reader_is_when_the_answer_ends(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url, width=360)
    for question in ("一つ目 [quotes]", "二つ目 [quotes]", "三つ目 [quotes]"):
        ask(page, question)
        expect(page.locator(".ca-question").first).to_have_text(question)
        expect(page.get_by_test_id(STOP_BUTTON)).to_have_count(0)
    ask(page, "読みながら待つ質問です")
    expect(page.locator(".ca-question").first).to_have_text("読みながら待つ質問です")
    expect(page.locator(".ca-source").first).to_be_visible()
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 400)")
    expect(page.locator(".ca-foot")).to_have_count(4)
    expect(page.get_by_test_id(STOP_BUTTON)).to_have_count(0)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") > 200


def test_nothing_is_wider_than_a_small_phone(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url, width=360)
    ask(page, "有給休暇はいつまでに申請しますか? " + "長" * 80 + "x" * 80)
    expect(page.locator(".ca-foot")).to_be_visible()
    page.locator("a.ca-mark").first.click()
    expect(page.locator(".ca-source mark")).to_be_in_viewport()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 360


def test_japanese_is_typed_with_enter_without_being_sent(stack: Stack, open_page: OpenPage) -> None:
    page = open_page(stack.ui_url)
    box = page.get_by_test_id("stChatInputTextArea")
    box.click()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "きゅうか", "selectionStart": 4, "selectionEnd": 4})
    page.keyboard.press("Enter")
    keyboard.send("Input.insertText", {"text": "休暇"})
    expect(box).to_have_value(re.compile("^休暇"))
    expect(page.locator(".ca-question")).to_have_count(0)


def test_a_forwarded_name_counts_only_with_the_proxys_secret(open_page: OpenPage) -> None:
    with running_stub_api() as api_url, running_screen(api_url, demo_user="") as ui_url:
        alone = open_page(ui_url)
        expect(alone.get_by_text(frame.NOBODY_TITLE.ja)).to_be_visible()
        forged = open_page(ui_url, headers={"X-Forwarded-User": "chie"})
        expect(forged.get_by_text(frame.FORGED_TITLE.ja)).to_be_visible()
        expect(forged.get_by_test_id("stChatInputTextArea")).to_have_count(0)
        proved = open_page(ui_url, headers={"X-Forwarded-User": "ben", "X-Proxy-Secret": SECRET})
        ask(proved, "休暇は? [quotes]")
        expect(proved.get_by_text(sources.OPEN_ORIGINAL.ja).first).to_be_attached()
        link = proved.get_by_text(sources.OPEN_ORIGINAL.ja).first
        assert link.get_attribute("href") == "/api/documents/doc-1/file#page=3"
        assert link.get_attribute("target") == "_blank"
        assert {seen["user"] for seen in seen_by(api_url)} == {"ben"}
