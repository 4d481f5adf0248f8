"""The order without a model, and what becomes of it when a reranking server is there or away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from assistant.adapters.fake import FakeReranker
from assistant.domain import Candidate, Passage
from assistant.errors import RerankerUnavailable, Text
from assistant.ports import Reranker
from assistant.rerank import COVERED_ENOUGH, RERANKED, coverage_scores, ranked
from tests.assistant.passages import passage


class AwayReranker:
    """A reranking server that does not answer."""

    name = "away"

    async def scores(self, question: str, candidates: Sequence[Candidate]) -> list[float]:
        raise RerankerUnavailable(Text("止", "away"), Text("待", "wait"))


def ordered(
    question: str, candidates: Sequence[Candidate], reranker: Reranker | None = None
) -> tuple[list[Passage], RerankerUnavailable | None]:
    return asyncio.run(ranked(question, candidates, meaning_weight=1.0, reranker=reranker))


def candidate(text: str, *, number: int, meaning: float | None = None, words: float | None = None) -> Candidate:
    return Candidate(passage(text, number=number, title=""), meaning, words)


def test_a_passage_that_covers_the_whole_question_beats_one_that_covers_half() -> None:
    some = [
        candidate("有給休暇について", number=1, meaning=0.8, words=3.0),
        candidate("有給休暇の申請期限は3営業日前", number=2, meaning=0.8, words=3.0),
    ]
    assert [one.ordinal for one in ordered("有給休暇の申請期限", some)[0]] == [2, 1]


def test_a_passage_with_the_questions_words_beats_one_that_only_shares_pairs_across_particles() -> None:
    meant = candidate("党大会で委員長に志位氏を選んだ。", number=1, meaning=0.8, words=3.0)
    pairs = candidate("党の委員の名は伏せておく。", number=2, meaning=0.8, words=3.0)
    assert [one.ordinal for one in ordered("党の委員長の名は何ですか", [pairs, meant])[0]] == [1, 2]


@pytest.mark.parametrize(
    ("question", "meant", "other"),
    [
        ("エラーE1の対処方法", "エラーE1:水を足す。", "エラーE12の対処:電源を切る。"),
        ("v2.1の変更", "v2.1の変更", "v2.10の変更"),
        ("第10条の内容", "第10条の内容", "第110条の内容"),
        ("3か月前の届出", "3か月前の届出", "23か月前の届出"),
        ("Who gets PTO?", "Staff get PTO.", "Staff get a laptop."),
        ("PCの申請", "PCの申請", "upcoming期間の申請"),
        ("the fee for IDs or an ID", "The fee for IDs", "The fee is provided for"),
        ("HRの連絡先", "HRsの連絡先", "Chromeの連絡先"),
        ("令和8年の祝日", "2026年の祝日", "2027年の祝日"),
        ("2026年の祝日", "令和八年の祝日", "令和七年の祝日"),
        ("2,000円の支給", "2000円の支給", "12,000円の支給"),
        ("2000円の支給", "2,000円の支給", "20,000円の支給"),
    ],
)
def test_a_number_or_short_word_counts_where_it_stands_by_itself(question: str, meant: str, other: str) -> None:
    scores = coverage_scores(question, [candidate(other, number=1), candidate(meant, number=2)])
    assert scores[1] > scores[0]


def test_a_passage_in_the_questions_very_words_covers_all_of_it() -> None:
    for said in ("サーバー管理の担当は情報部", "令和8年の祝日", "E-mail, Wi-Fi, AB-1234, 1,200円", "HRのPCを使う"):
        [alone] = coverage_scores(said, [candidate(said, number=1, meaning=0.5, words=1.0)])
        assert alone == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("cancel", "It can be cancelled."),
        ("pay the tax", "Paying taxes"),
        ("add a log", "Logs are added"),
        ("Wi-Fi", "The WiFi is free."),
        ("AB-1234", "AB1234"),
        ("10 GB", "10GB"),
        ("サーバ", "サーバー室"),
    ],
)
def test_words_count_in_their_other_forms(question: str, text: str) -> None:
    [none, some] = coverage_scores(question, [candidate("別 other", number=1), candidate(text, number=2)])
    assert some > none


def test_a_long_run_of_digits_is_looked_for_in_a_moment() -> None:
    started = time.process_time()
    coverage_scores("1" * 4_000 + " 1 11", [candidate("1" * 40_000, number=1)])
    assert time.process_time() - started < 2.0


def test_a_shared_product_name_does_not_bury_what_the_vectors_found_in_another_language() -> None:
    question = "NagiFlow で経費精算の締切はいつですか"
    meant = candidate("Expenses are due on the fifth of the month.", number=1, meaning=0.86)
    named = candidate("NagiFlow has a new icon.", number=2, meaning=0.80, words=9.0)
    other = candidate("The pump is loud.", number=3, meaning=0.78)
    assert ordered(question, [named, meant, other])[0][0].ordinal == 1


def test_a_passage_in_another_language_is_not_buried_by_shared_small_talk_in_the_questions_own() -> None:
    question = "How long is an account locked after five wrong passwords?"
    meant = candidate("パスワードを5回続けて誤ると、アカウントは30分間停止する。", number=1, meaning=0.88)
    some = [candidate(f"Wrong account number {n}: how long is it?", number=n, meaning=0.8, words=5.0) for n in (2, 3)]
    assert ordered(question, [*some, meant])[0][0].ordinal == 1


def test_figures_alone_are_in_no_language() -> None:
    table = candidate("1,000 | 2,000 | 3,000", number=1, meaning=0.9)
    assert coverage_scores("日当は?", [table, candidate("日当", number=2, meaning=0.1, words=1.0)])[0] < 0.5


def test_the_same_match_counts_fully_where_it_covers_the_question() -> None:
    named = candidate("NagiFlow の画面", number=2, meaning=0.80, words=9.0)
    near = candidate("別の話", number=1, meaning=0.86)
    scores = coverage_scores("NagiFlow", [near, named])
    assert scores[1] > scores[0]
    assert COVERED_ENOUGH < 1.0


def test_vectors_that_cannot_be_trusted_do_not_decide() -> None:
    near = candidate("別の話", number=1, meaning=0.9)
    worded = candidate("有給休暇の申請", number=2, meaning=0.5, words=2.0)
    assert coverage_scores("有給", [near, worded], meaning_weight=0.0)[0] == 0.0


def test_scores_lie_between_nought_and_one_and_stand_in_the_passages() -> None:
    some = [candidate(f"有給休暇 {n}", number=n, meaning=0.1 * n, words=float(n)) for n in range(1, 6)]
    passages, problem = ordered("有給休暇", some)
    assert problem is None
    assert all(0.0 <= one.score <= 1.0 for one in passages)
    assert [one.score for one in passages] == sorted((one.score for one in passages), reverse=True)


@pytest.mark.parametrize("question", ["", "??", "の", "a" * 4000])
def test_odd_questions_are_scored_too(question: str) -> None:
    assert len(coverage_scores(question, [candidate("有給休暇", number=1, meaning=0.5)])) == 1
    assert coverage_scores(question, []) == []


def test_a_reranking_server_decides_about_the_best_and_leaves_the_rest_in_place() -> None:
    some = [candidate(f"話題 {n}", number=n, meaning=1.0 - n / 100) for n in range(1, RERANKED + 6)]
    some[RERANKED - 1] = candidate("締切は翌月5日", number=RERANKED, meaning=0.7)
    passages, _ = ordered("締切は翌月5日", some, FakeReranker())
    assert passages[0].text == "締切は翌月5日"
    assert len(passages) == RERANKED + 5


def test_a_reranking_server_that_is_away_leaves_the_order_and_is_told() -> None:
    some = [candidate("有給休暇", number=n, meaning=0.5 + n / 10, words=1.0) for n in (1, 2)]
    passages, problem = ordered("有給休暇", some, AwayReranker())
    assert passages == ordered("有給休暇", some)[0]
    assert isinstance(problem, RerankerUnavailable)
