from __future__ import annotations

from assistant.fuse import Ranking, fuse


def test_a_chunk_found_by_both_rankings_comes_first() -> None:
    fused = fuse([Ranking([("a", 0.9), ("b", 0.8)]), Ranking([("b", 12.0), ("c", 3.0)])])
    assert [chunk_id for chunk_id, _ in fused] == ["b", "a", "c"]


def test_a_chunk_scored_zero_gets_no_rank() -> None:
    assert fuse([Ranking([("a", 0.5), ("b", 0.0)])]) == [("a", 1 / 61)]


def test_a_ranking_of_weight_zero_changes_no_order() -> None:
    dense = Ranking([("a", 0.9), ("b", 0.8)])
    fused = fuse([dense, Ranking([("b", 5.0)], weight=0.0)])
    assert [chunk_id for chunk_id, _ in fused] == ["a", "b"]
