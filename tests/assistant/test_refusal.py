"""A refusal is a state: which answers say nothing, and which merely hold the agreed words."""

from __future__ import annotations

import pytest

from assistant.cite import cite
from assistant.domain import Passage
from assistant.pack import REFUSAL
from assistant.refusal import Verdict, refuses, verdict
from tests.assistant.passages import passage

LEAVE = passage("第5条 年次有給休暇は、取得日の3営業日前までに申請する。")
FAQ = passage("答えがないとき、アシスタントは「情報が不足しているため回答できません」と表示する。", number=2)


@pytest.mark.parametrize(
    "text",
    [
        REFUSAL["ja"], REFUSAL["en"], f"「{REFUSAL['ja']}」", f"{REFUSAL['ja']}。[1]", f"**{REFUSAL['ja']}**", f"{REFUSAL['ja']}…",
        f"申し訳ありませんが、{REFUSAL['ja']}。", f"Sorry, but {REFUSAL['en']}", "情報が不足しているため、回答できません!",
        "I cannot answer because the documents do not contain enough information", f"{REFUSAL['ja']}。{REFUSAL['en']}",
    ],
)  # fmt: skip
def test_the_agreed_sentence_with_marks_and_courtesies_is_a_refusal(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "3営業日前です [1]。",
        f"画面には「{REFUSAL['ja']}」と表示されます [2]。",
        f"3営業日前です [1]。{REFUSAL['ja']}。",
    ],
)
def test_an_answer_that_merely_holds_the_words_is_not_only_a_refusal(text: str) -> None:
    assert not refuses(text)


def test_an_answer_about_the_agreed_sentence_is_an_answer() -> None:
    cited = cite(
        "答えがないとき、アシスタントは「情報が不足しているため回答できません」と表示します [2]。", [LEAVE, FAQ]
    )
    assert not verdict(cited).is_refusal
    assert [citation.number for citation in cited.citations] == [2]


def test_a_part_that_is_answered_with_a_source_is_given_and_the_rest_announced() -> None:
    judged = verdict(cite(f"有給休暇は3営業日前までに申請します [1]。{REFUSAL['ja']}。", [LEAVE]))
    assert not judged.is_refusal
    assert [notice.code for notice in judged.notices] == ["partly_answered"]


@pytest.mark.parametrize(
    "text",
    [
        f"食堂は11時に開きます。{REFUSAL['ja']}。",
        "抜粋には食堂の営業時間についての記載がありません [1]。",
        "The passages do not mention the canteen's opening hours [1].",
    ],
)
def test_a_refusal_in_other_words_or_beside_unsupported_ones_is_a_refusal(text: str) -> None:
    assert verdict(cite(text, [LEAVE])).is_refusal


def test_an_answer_without_any_source_is_withheld_and_that_is_said() -> None:
    judged = verdict(cite("社員食堂の日替わり定食は650円です [1]。", [LEAVE]))
    assert judged.is_refusal
    assert [notice.code for notice in judged.notices] == ["answer_without_source"]


SECRET = passage("社外に送る文書には個人情報を記載しない。")
THIRD = passage("Documents are not provided to third parties without approval.", title="Security")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("社外に送る文書には個人情報を記載しない [1]。", SECRET),
        ("Documents are not provided to third parties without approval [1].", THIRD),
    ],
)
def test_a_sentence_of_the_source_that_merely_sounds_like_a_refusal_is_an_answer(text: str, source: Passage) -> None:
    assert verdict(cite(text, [source])) == Verdict(is_refusal=False)


@pytest.mark.parametrize(
    "text",
    [
        f"有給休暇の申請期限については、{REFUSAL['ja']} [1]。",
        "情報が不足しているため、お答えすることができません [2]。",
        "申し訳ございませんが、情報が不足しておりますので回答いたしかねます [2]。",
        f"{REFUSAL['ja']}ので、上司に確かめてください [1]。",
        "I'm sorry, I cannot answer this question because the documents do not say when leave is requested [1].",
        "I can’t answer that from the passages [1].",
        "I do not know [1].",
        "I don't have enough information about that [1].",
    ],
)  # fmt: skip
def test_the_agreed_sentence_about_a_topic_or_in_near_words_is_a_refusal_whatever_mark_it_carries(text: str) -> None:
    assert verdict(cite(text, [LEAVE, FAQ])) == Verdict(is_refusal=True)


def test_what_a_source_states_in_the_same_sentence_is_still_given() -> None:
    judged = verdict(cite(f"{REFUSAL['ja']}が、年次有給休暇は取得日の3営業日前までに申請する [1]。", [LEAVE]))
    assert [judged.is_refusal, *(notice.code for notice in judged.notices)] == [False, "partly_answered"]


def test_a_rule_about_missing_information_is_an_answer() -> None:
    desk = passage("問い合わせの情報が不足している場合は、窓口では回答できません。")
    assert not verdict(cite("情報が不足している場合は、窓口では回答できません [1]。", [desk])).is_refusal


def test_an_answer_that_tells_what_to_do_about_the_sentence_is_an_answer() -> None:
    help_page = passage("情報が不足しているため回答できませんと表示されたときは、情報システム部に問い合わせる。")
    assert not verdict(
        cite(f"{REFUSAL['ja']}と表示されたときは、情報システム部に問い合わせる [1]。", [help_page])
    ).is_refusal
