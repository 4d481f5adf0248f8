"""Joins the dense and the lexical ranking by rank alone. Pure; knows neither index.

Reciprocal rank fusion, score = sum of weight / (60 + rank) (Cormack, Clarke and Buettcher, SIGIR 2009). A document that a
ranking did not score above 0 gets no rank from it: giving such documents a rank anyway lowered Hit@5 of English
questions on Japanese text from .759 to .352.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.ties import runs

RANK_CONSTANT = 60
UNFIT_BELOW = 0.7
"""A ranking that finds less than this of its own probe questions is left out. On the handbook in examples/ a sound embedder
finds all of them, one that reads no Japanese half (titles hold product names), noise one in fourteen; fused at full weight
with the embedder that finds half, Hit@1 of Japanese questions fell from .89 to .46 (docs/lab-notes.md, 2026-11-23)."""
LEAST_WEIGHT = 0.25


@dataclass(frozen=True)
class Ranking:
    """One index's (chunk_id, score) list, best first, and its weight."""

    hits: Sequence[tuple[str, float]]
    weight: float = 1.0


def fuse(rankings: Sequence[Ranking]) -> list[tuple[str, float]]:
    """(chunk_id, fused score), best first. Equal scores of a ranking share the best of their ranks, so that copies stay equal."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        rank = 1
        for equal in runs([hit for hit in ranking.hits if hit[1] > 0], lambda hit: hit[1]):
            for chunk_id, _ in equal:
                scores[chunk_id] = scores.get(chunk_id, 0.0) + ranking.weight / (RANK_CONSTANT + rank)
            rank += len(equal)
    return sorted(scores.items(), key=lambda item: -item[1])


def weight_of_fitness(fitness: float) -> float:
    """Weight of a ranking that finds the right document for this share (0 to 1) of probe questions.

    0 below `UNFIT_BELOW`, from there on a line from `LEAST_WEIGHT` to 1.
    """
    if fitness < UNFIT_BELOW:
        return 0.0
    return LEAST_WEIGHT + (1.0 - LEAST_WEIGHT) * (fitness - UNFIT_BELOW) / (1.0 - UNFIT_BELOW)
