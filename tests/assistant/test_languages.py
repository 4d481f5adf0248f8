"""Across languages: what a passage means counts from what is usual of passages in its language."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.languages import LEAST_PASSAGES, asked_elsewhere, is_in_other_language, mean_of
from assistant.ports import Vectors

TOPICS, DIMENSION = 60, 64
OWN = np.random.default_rng(7).normal(size=(TOPICS, DIMENSION)).astype(np.float32)
PLACE = dict(
    zip(("ja", "en"), 6 * np.random.default_rng(8).normal(size=(2, DIMENSION)).astype(np.float32), strict=True)
)


def unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)


def in_language(language: str) -> Vectors:
    """The topics as an embedder puts them: each language around a place of its own."""
    return unit(OWN + PLACE[language])


MEANS = {language: mean_of([in_language(language)]) for language in PLACE}


def test_a_question_finds_its_topic_in_the_other_language_where_cosines_alone_do_not() -> None:
    japanese, english = in_language("ja"), in_language("en")
    plain = moved = 0
    for topic in range(TOPICS):
        question = japanese[[topic]]
        asked = asked_elsewhere("有給休暇の申請期限", question, MEANS)
        assert asked is not None
        others = np.delete(japanese @ question[0], topic)
        right = float(english[topic] @ question[0])
        there = [asked.meaning(float(each)) for each in english @ asked.vector[0]]
        plain += right > others.max()
        moved += there[topic] > others.max() and there[topic] == max(there)
    assert (plain, moved) == (0, TOPICS)


def test_the_same_in_either_language_means_as_much() -> None:
    question = in_language("en")[[3]]
    asked = asked_elsewhere("How long is the notice?", question, MEANS)
    assert asked is not None
    there = in_language("ja")[3]
    assert asked.meaning(float(there @ asked.vector[0])) == pytest.approx(1.0, abs=0.1)
    assert asked.meaning_apart(float(there @ question[0])) == pytest.approx(1.0, abs=0.25)
    assert float(there @ question[0]) < 0.5


def test_a_corpus_in_one_language_or_with_a_handful_of_passages_of_the_other_is_asked_as_it_is() -> None:
    question = in_language("ja")[[0]]
    few = mean_of([in_language("en")[: LEAST_PASSAGES - 1]])
    for means in ({}, {"ja": MEANS["ja"]}, {"en": MEANS["en"]}, MEANS | {"en": few}):
        assert asked_elsewhere("有給休暇", question, means) is None


def test_a_vector_of_another_length_is_left_to_the_search_to_refuse() -> None:
    assert asked_elsewhere("有給休暇", np.ones((1, 3), dtype=np.float32), MEANS) is None


def test_each_document_counts_the_same_in_the_mean() -> None:
    long, short = np.tile(unit(OWN[:1]), (300, 1)), unit(OWN[1:2])
    balanced, question = {"ja": mean_of([long, short]), "en": MEANS["en"]}, unit(OWN[:1])
    asked = asked_elsewhere("休暇", question, balanced)
    assert asked is not None
    assert asked.usual == pytest.approx(float((question[0] @ long[0] + question[0] @ short[0]) / 2), abs=0.01)


def test_figures_are_in_no_language() -> None:
    assert not is_in_other_language("12,000 / 2026-04-01", than_japanese=True)
    assert is_in_other_language("The pump MX-2040B", than_japanese=True)
    assert not is_in_other_language("The pump MX-2040B", than_japanese=False)
    assert is_in_other_language("ポンプ MX-2040B の点検", than_japanese=False)
