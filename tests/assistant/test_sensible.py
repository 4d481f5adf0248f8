"""Which lines of a model are the follow-up made to stand alone, and what a follow-up is joined with where none is."""

from __future__ import annotations

import asyncio
import time

import pytest

from assistant.domain import Principal, Question
from assistant.grammar import language_of
from assistant.history import Exchange
from assistant.joined import join, topic_of
from assistant.leaning import leans_on_talk
from assistant.rewrite import Rewriting, Talk, is_sensible, stand_alone
from tests.assistant.test_long_runs import ALLOWED_SECONDS, RUNS
from tests.assistant.test_rewrite import OneLiner

ASKED = "有給休暇はいつまでに申請しますか?"
LEAVE = Exchange(asked=ASKED, question=ASKED, answer="有給休暇は取得日の3営業日前までに申請します [1]。", language="ja")
ASKED_EN = "How do I book a business trip?"
TRIP = Exchange(
    asked=ASKED_EN,
    question=ASKED_EN,
    answer="Business trips are booked in the travel portal and approved by the line manager [1].",
    language="en",
)


def made_of(text: str, model: OneLiner | None, *talk: Exchange) -> Rewriting:
    question = Question(text, language_of(text), Principal("ben"))
    made = asyncio.run(stand_alone(question, Talk(talk), model, budget_tokens=3000))
    assert made is not None
    return made


@pytest.mark.parametrize("follow_up", ["なぜ?", "誰に?", "どこに?", "もっと詳しく", "ありがとうございます"])
def test_a_question_that_was_asked_before_is_no_rewriting(follow_up: str) -> None:
    assert not is_sensible(ASKED, follow_up, [LEAVE])
    assert not is_sensible("有給休暇はいつまでに申請しますか。", follow_up, [LEAVE])
    joined = Exchange("パートは?", join("パートは?", ASKED, "ja"), "", "ja")
    assert not is_sensible(ASKED, follow_up, [joined])


@pytest.mark.parametrize(
    ("follow_up", "wrong", "right"),
    [
        ("なぜ?", "有給休暇の申請はいつですか?", "有給休暇を事前に申請する理由は何ですか?"),
        ("誰に?", "有給休暇の申請はいつまでですか?", "有給休暇は誰に申請しますか?"),
        ("どこに?", "有給休暇は何日ですか?", "有給休暇の申請書はどこに提出しますか?"),
        ("いつから?", "有給休暇の申請は何ですか?", "有給休暇の申請はいつからできますか?"),
        ("いくら?", "有給休暇の申請はいつまでですか?", "有給休暇の申請の手数料はいくらですか?"),
    ],
)
def test_a_rewriting_asks_what_the_follow_up_asks(follow_up: str, wrong: str, right: str) -> None:
    assert not is_sensible(wrong, follow_up, [LEAVE])
    assert is_sensible(right, follow_up, [LEAVE])


@pytest.mark.parametrize(
    ("follow_up", "wrong", "right"),
    [
        ("Why?", "How do I book business trips in the portal?", "Why must business trips be booked in the travel portal?"),
        ("Who approves it?", "When do I book a business trip?", "Who approves a business trip?"),
        ("Where?", "How do I book business trips?", "Where do I book a business trip?"),
        ("And when?", "How do I book a business trip in the portal?", "When do I book a business trip?"),
        ("How much?", "How do I book a business trip in the portal?", "How much does a business trip cost?"),
    ],
)  # fmt: skip
def test_an_english_rewriting_asks_what_the_follow_up_asks(follow_up: str, wrong: str, right: str) -> None:
    assert not is_sensible(wrong, follow_up, [TRIP])
    assert is_sensible(right, follow_up, [TRIP])


@pytest.mark.parametrize(
    ("follow_up", "line", "told"),
    [
        ("Can I cancel it?", "Can a business trip be cancelled?", TRIP),
        ("What about contractors?", "How does a contractor book a business trip?", TRIP),
        ("And part-timers?", "How do part-time employees book a business trip?", TRIP),
        ("What’s the deadline?", "What is the deadline for booking a business trip?", TRIP),
        ("翌年に繰越しできますか?", "有給休暇を翌年に繰り越すことはできますか?", LEAVE),
        ("パートは?", "パートタイマーは有給休暇をいつまでに申請しますか?", LEAVE),
    ],
)
def test_a_telling_word_may_come_back_in_another_form(follow_up: str, line: str, told: Exchange) -> None:
    assert is_sensible(line, follow_up, [told])


def test_a_word_of_another_meaning_is_no_form_of_it() -> None:
    assert not is_sensible("How does a contract book a business trip?", "What about contractors?", [TRIP])
    assert not is_sensible("Do internal business trips book the travel portal?", "What about interns?", [TRIP])


def test_words_that_nobody_said_are_found_out_beside_a_long_answer() -> None:
    answer = (
        "Leave is requested in the time system at least three business days ahead and approved by the line manager. "
        * 4
    )
    told = Exchange("How many days of paid leave do I get?", "How many days of paid leave do I get?", answer, "en")
    assert not is_sensible("How do I request paid sabbatical insurance?", "How do I do it?", [told])


@pytest.mark.parametrize(
    ("follow_up", "line", "told"),
    [
        ("Why?", "Why must paid leave be requested in advance?", LEAVE),
        ("契約社員も同じですか?", "出張の予約は契約社員も同じですか?", TRIP),
    ],
)
def test_a_follow_up_in_the_other_language_is_rewritten_and_announced(
    follow_up: str, line: str, told: Exchange
) -> None:
    made = made_of(follow_up, OneLiner(line), told)
    assert made.text == line
    assert [notice.code for notice in made.notices] == ["follow_up_unchecked"]
    assert line in made.notices[0].message_ja
    assert line in made.notices[0].message_en


@pytest.mark.parametrize(
    ("follow_up", "line", "told"),
    [
        ("Why?", "Is the weather nice in Paris today?", LEAVE),
        ("Why?", "有給休暇はなぜ事前に申請しますか?", LEAVE),
        ("契約社員も同じですか?", "今日の東京の天気は何ですか?", TRIP),
        ("契約社員も同じですか?", "契約社員も出張を7日前に予約しますか?", TRIP),
    ],
)
def test_nonsense_in_the_other_language_is_not_taken(follow_up: str, line: str, told: Exchange) -> None:
    assert [notice.code for notice in made_of(follow_up, OneLiner(line), told).notices] == ["follow_up_joined"]


def test_the_twentieth_follow_up_without_a_model_still_has_the_topic() -> None:
    talk = [LEAVE]
    for follow_up in ["パートは?", "理由は?", "それは誰が承認しますか?", "例外はありますか?"] * 5:
        text = made_of(follow_up, None, *talk).text
        assert text == f"{follow_up} (前の質問: {ASKED})"
        talk.append(Exchange(asked=follow_up, question=text, answer="", language="ja"))


def test_the_topic_is_that_of_the_last_question_that_stood_alone() -> None:
    nested = "Why? (the question before: パートは? (前の質問: 有給休暇はいつまでに申請しますか?))"
    assert topic_of(Exchange("Why?", nested, "", "en")) == ASKED
    assert topic_of(LEAVE) == ASKED
    typed = "書式「(前の質問: …)」とは何ですか?"
    assert topic_of(Exchange(typed, typed, "", "ja")) == typed


@pytest.mark.parametrize("run", RUNS)
def test_a_long_run_in_a_conversation_is_read_in_a_moment(run: str) -> None:
    text = RUNS[run]
    told = Exchange(ASKED, f"{ASKED} (前の質問: {text})", text, "ja")
    started = time.process_time()
    topic_of(told)
    leans_on_talk(text)
    is_sensible(f"有給休暇{text}"[:300], text[:4_000], [told])
    assert time.process_time() - started < ALLOWED_SECONDS
