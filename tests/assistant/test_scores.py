from __future__ import annotations

import math

import pytest

from assistant.release.scores import (
    character_f1,
    containment,
    mean_with_interval,
    precision_recall_f1,
    retrieval_scores,
)


def test_scores_are_those_of_the_ranked_documents() -> None:
    ranked = {"q1": ["a", "b"], "q2": ["x", "y", "z", "v", "w", "b", "a"]}
    scores = retrieval_scores(ranked, {"q1": {"a": 1, "c": 1}, "q2": {"a": 1}})
    assert scores["q1"]["Hit@5"] == 1.0
    assert scores["q1"]["Recall@5"] == 0.5
    assert scores["q2"] == {"Hit@5": 0.0, "Recall@5": 0.0, "nDCG@10": pytest.approx(1 / 3)}


def test_a_question_that_found_nothing_scores_zero_and_counts() -> None:
    assert retrieval_scores({}, {"q": {"a": 1}}) == {"q": {"Hit@5": 0.0, "Recall@5": 0.0, "nDCG@10": 0.0}}


def test_an_interval_holds_its_mean_and_narrows_with_more_questions() -> None:
    mean, (low, high) = mean_with_interval([1.0, 0.0] * 20)
    assert low < mean == 0.5 < high
    _, (narrow_low, narrow_high) = mean_with_interval([1.0, 0.0] * 500)
    assert narrow_high - narrow_low < high - low
    assert mean_with_interval([1.0, 0.0] * 20) == mean_with_interval([1.0, 0.0] * 20)


def test_widths_and_blanks_do_not_hide_what_was_said() -> None:
    assert containment("申請は３ 営業日前\nまで", must_say=["3営業日前"], references=()) == 1.0
    assert containment("3営業日前", must_say=["3営業日前", "部長"], references=()) == 0.0
    assert containment("it was Paris", must_say=(), references=["London", "Paris"]) == 1.0


def test_character_f1_is_that_of_the_nearest_reference() -> None:
    assert character_f1("東京都", ["東京都"]) == 1.0
    assert character_f1("東京", ["大阪", "東京都"]) == pytest.approx(0.8)
    assert character_f1("", ["東京都"]) == 0.0


def test_the_mark_of_a_citation_is_no_figure_that_was_asked_for() -> None:
    assert containment("週2日です [3]。", must_say=["3"], references=()) == 0.0
    assert containment("週3日です [1]。", must_say=["3"], references=()) == 1.0
    assert character_f1("東京都 [12]", ["東京都"]) == 1.0


def test_a_share_of_nothing_is_no_figure() -> None:
    assert precision_recall_f1(hits=0, claimed=0, wanted=3) == {"precision": None, "recall": 0.0, "f1": 0.0}
    assert precision_recall_f1(hits=0, claimed=2, wanted=0) == {"precision": 0.0, "recall": None, "f1": None}
    assert precision_recall_f1(hits=0, claimed=0, wanted=0) == {"precision": None, "recall": None, "f1": None}
    assert precision_recall_f1(hits=1, claimed=2, wanted=1) == {"precision": 0.5, "recall": 1.0, "f1": 0.6667}


def test_graded_relevance_counts_as_gain_and_a_document_that_is_not_there_counts_as_missed() -> None:
    scores = retrieval_scores({"問 1": ["規程/休暇 1", "b"]}, {"問 1": {"規程/休暇 1": 1, "b": 3, "gone": 2}})
    ideal = 3 + 2 / math.log2(3) + 1 / 2
    assert scores["問 1"] == {
        "Hit@5": 1.0,
        "Recall@5": pytest.approx(2 / 3),
        "nDCG@10": pytest.approx((1 + 3 / math.log2(3)) / ideal),
    }
