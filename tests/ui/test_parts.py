"""What the layout makes of answers."""

from __future__ import annotations

from assistant.courtesy import INVITATION
from assistant.wire import AnswerOut, AskIn, NoticeOut
from tests.stubs.api import content
from ui import answer_parts, parts
from ui.screens import documents
from ui.words import asking
from ui.words import sources as card_words

ANCHORS = {1: "source-a-1"}


def answered(question: str) -> AnswerOut:
    return content.answer_for(AskIn(question=question), "request-1")


def sources(answer: AnswerOut, *, links_to: str | None = None) -> str:
    texts = {passage.chunk_id: passage for passage in answer.passages}
    return "".join(
        answer_parts.source(cited, texts.get(cited.chunk_id), ANCHORS, language="ja", links_to=links_to)
        for cited in answer.citations
    )


def test_a_source_shows_title_path_page_headings_and_the_quote_inside_its_passage() -> None:
    shown = sources(answered("休暇"))
    for expected in ("休暇規程", "人事/休暇規程.docx · 3 ページ", "第2章 休暇 › 第5条"):
        assert expected in shown
    assert f'取得するときは、<mark id="source-a-1">{content.LEAVE_QUOTE}</mark>。\nただし' in shown


def test_a_quote_that_is_not_at_its_place_is_shown_alone_and_never_misplaced() -> None:
    answer = answered("休暇")
    answer.citations[0].start += 1
    shown = sources(answer)
    assert f'<div class="ca-text"><mark id="source-a-1">{content.LEAVE_QUOTE}</mark></div>' in shown


def test_the_original_is_linked_only_behind_the_proxy_that_proves_who_asks() -> None:
    answer = answered("休暇")
    assert "href" not in sources(answer)
    assert 'href="/api/documents/doc-1/file#page=3" target="_blank"' in sources(answer, links_to="/api")


def test_an_address_that_is_not_a_document_is_never_linked() -> None:
    answer = answered("休暇")
    answer.citations[0].url = "//evil.invalid/documents/x"
    assert "href" not in sources(answer, links_to="/api")


def test_how_a_follow_up_was_understood_is_shown_and_escaped() -> None:
    shown = answer_parts.understood("病気の<b>場合</b>は?", language="ja")
    assert "病気の&lt;b&gt;場合&lt;/b&gt;は?" in shown
    assert answer_parts.understood(None, language="ja") == ""


def test_a_sentence_without_a_source_is_underlined_and_explained() -> None:
    answer = answered("休暇")
    sentence = "食堂は11時に開きます。"
    start = len(answer.answer)
    answer.answer += sentence
    answer.notices = [
        NoticeOut(code="sentence_without_source", message="確かめられません。", start=start, end=len(answer.answer))
    ]
    shown = answer_parts.answer(answer, ANCHORS, language="ja")
    assert f'<span class="ca-doubt">{sentence}</span>' in shown
    assert 'data-note="確かめられません。"' in shown
    assert "確かめられません。" in shown


def test_a_newer_version_is_announced_on_the_source() -> None:
    assert card_words.NOT_CURRENT.ja in sources(answered("hotel"))
    assert card_words.NOT_CURRENT.ja not in sources(answered("休暇"))


def test_an_answer_a_refusal_and_quotes_look_different() -> None:
    generated = answer_parts.answer(answered("休暇"), ANCHORS, language="ja")
    refused = answer_parts.answer(answered("休暇 [unanswered]"), ANCHORS, language="ja")
    quoted = answer_parts.answer(answered("休暇 [quotes]"), ANCHORS, language="ja")
    assert "ca-refusal" in refused
    assert asking.REFUSED_TITLE.ja in refused
    assert "ca-answer" not in refused
    assert "ca-quotes" in quoted
    assert asking.QUOTES_MODEL_AWAY.ja in quoted
    assert "ca-refusal" not in generated + quoted
    assert "ca-quotes" not in generated + refused


def test_what_asks_nothing_is_invited_to_ask_and_not_told_that_documents_hold_no_answer() -> None:
    answer = answered("休暇 [unanswered]")
    answer.reason, answer.answer = "unreadable_question", INVITATION["ja"]
    shown = answer_parts.answer(answer, ANCHORS, language="ja")
    assert asking.NO_QUESTION_TITLE.ja in shown
    assert INVITATION["ja"] in shown
    assert asking.REFUSED_TITLE.ja not in shown


def test_quotations_are_shown_letter_by_letter_and_never_laid_out_as_markdown() -> None:
    answer = answered("休暇 [quotes]")
    answer.citations[0].quote = "# 第5条\n- 1. *申請* <b>\n"
    answer.answer = f"「{answer.citations[0].quote}」 [1]"
    shown = answer_parts.answer(answer, ANCHORS, language="ja")
    assert (
        '<p class="ca-quote"># 第5条\n- 1. *申請* &lt;b&gt;\n <a class="ca-mark" href="#source-a-1">[1]</a></p>'
        in shown
    )
    assert "<li>" not in shown


def test_quotations_keep_the_order_of_the_answer() -> None:
    answer = answered("休暇 [quotes]")
    first, second = answer.citations[0].model_copy(), answer.citations[0].model_copy()
    first.number, first.quote, second.number, second.quote = 1, "一つ目。", 2, "二つ目。"
    answer.citations, answer.answer = [first, second], "「二つ目。」 [2]\n「一つ目。」 [1]"
    shown = answer_parts.answer(answer, ANCHORS, language="ja")
    assert shown.index("二つ目。") < shown.index("一つ目。")


def test_one_notice_is_a_sentence_and_several_are_a_list() -> None:
    answer = answered("hotel")
    notice = answer.notices[0]
    answer.notices = [notice]
    assert "<li>" not in answer_parts.answer(answer, ANCHORS, language="en")
    answer.notices = [notice, notice.model_copy(update={"message": "Another."})]
    assert "<li>Another.</li>" in answer_parts.answer(answer, ANCHORS, language="en")


def test_notices_and_unused_passages_are_put_into_words() -> None:
    shown = answer_parts.answer(answered("hotel"), ANCHORS, language="en")
    assert "The number 15,000 is not in the sources." in shown
    assert '<span class="ca-doubt">15,000</span>' in shown
    assert "were not used for the answer: 2." in shown


def test_a_problem_says_what_happened_what_to_do_and_its_reference() -> None:
    shown = parts.problem(
        content.problem("overloaded", "request-9"), language="ja", retry_after_seconds=12, is_partial=False
    )
    for expected in ("混み合っています", "少したってから質問してください。", "12 秒ほど", "request-9"):
        assert expected in shown


def test_a_document_that_failed_says_why() -> None:
    shown = "".join(documents.state_html(document, "ja") for document in content.DOCUMENTS)
    assert "取り込めません" in shown
    assert "パスワードで保護されています" in shown


def test_texts_of_documents_and_problems_are_escaped() -> None:
    document = content.document(9, "<b>題</b>", "<i>.txt", status="<u>", reason="<s>")
    problem = content.problem("overloaded", "<r>")
    problem.title, problem.detail, problem.hint = "<t>", "<d>", "<h>"
    box = parts.problem(problem, language="en", retry_after_seconds=None, is_partial=True)
    state = documents.state_html(document, "en")
    for tag in ("<u>", "<s>", "<r>", "<t>", "<d>", "<h>"):
        assert tag not in box + state
