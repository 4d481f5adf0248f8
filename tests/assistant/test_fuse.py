from __future__ import annotations

from assistant.fuse import LEAST_WEIGHT, UNFIT_BELOW, Ranking, fuse, weight_of_fitness


def test_a_chunk_found_by_both_rankings_comes_first() -> None:
    fused = fuse([Ranking([("a", 0.9), ("b", 0.8)]), Ranking([("b", 12.0), ("c", 3.0)])])
    assert [chunk_id for chunk_id, _ in fused] == ["b", "a", "c"]


def test_a_chunk_scored_zero_gets_no_rank() -> None:
    assert fuse([Ranking([("a", 0.5), ("b", 0.0)])]) == [("a", 1 / 61)]


def test_a_ranking_of_weight_zero_changes_no_order() -> None:
    dense = Ranking([("a", 0.9), ("b", 0.8)])
    fused = fuse([dense, Ranking([("b", 5.0)], weight=0.0)])
    assert [chunk_id for chunk_id, _ in fused] == ["a", "b"]


def test_a_ranking_that_finds_too_few_of_its_own_probe_questions_weighs_nothing() -> None:
    assert weight_of_fitness(UNFIT_BELOW - 0.01) == 0.0
    assert weight_of_fitness(UNFIT_BELOW) == LEAST_WEIGHT
    assert weight_of_fitness(1.0) == 1.0
    shares = [weight_of_fitness(share / 100) for share in range(101)]
    assert shares == sorted(shares)
