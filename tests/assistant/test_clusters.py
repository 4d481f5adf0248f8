"""Questions that ask for the same are put together, the same way every time; figures keep them apart."""

from __future__ import annotations

import numpy as np

from assistant.clusters import UNRELATED, clusters_of, figures_of, near_enough

TEXTS = ["社宅はありますか?", "社宅制度を知りたい", "MX-5000の保証は?", "MX-2040Bの保証は?", "駐車場は?"]
VECTORS = [[1.0, 0.1, 0.0], [0.98, 0.15, 0.0], [0.0, 1.0, 0.1], [0.0, 1.0, 0.12], [0.1, 0.0, 1.0]]


def test_the_most_frequent_wording_leads_its_group() -> None:
    assert clusters_of(TEXTS, VECTORS, threshold=0.9) == [[0, 1], [2], [3], [4]]
    assert clusters_of([], [], threshold=0.9) == []
    assert clusters_of(TEXTS, VECTORS, threshold=1.1) == [[place] for place in range(5)]


def test_a_question_joins_the_nearest_group_and_the_first_of_equals() -> None:
    vectors = [[1.0, 0.0], [0.0, 1.0], [0.9, 0.5], [0.7, 0.7]]
    assert clusters_of(["a", "b", "c", "d"], vectors, threshold=0.6) == [[0, 2, 3], [1]]


def test_how_near_is_enough_depends_on_what_unrelated_questions_have_in_common() -> None:
    apart = np.eye(len(UNRELATED)).tolist()
    alike = (np.eye(len(UNRELATED)) + 3.0).tolist()
    assert near_enough(apart) == 0.43
    assert 0.95 < near_enough(alike) < 1.0


def test_figures_are_one_whatever_their_width_and_case() -> None:
    assert figures_of("ＭＸ－5000の保証は3年?") == figures_of("mx-5000 3")
    assert figures_of("保証は?") == frozenset()
