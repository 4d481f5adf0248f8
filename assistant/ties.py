"""Equal scores, and what decides between them: the place of a passage among the documents, never an accident.

Ids are drawn anew with each deployment and files are read side by side, so neither ids nor the order of an index may
decide: the same documents would answer the same question differently on the next machine. Sums of the same numbers
in another order differ in their last digits; scores that differ by no more than that are one score. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from assistant.domain import Passage

SAME = 1e-5
"""Scores that differ by less than this share are equal. tantivy gave one text in six segments the very same score, but sums of a
few hundred numbers in single precision may differ by 1e-6 when their order does (docs/lab-notes.md, 2026-11-27)."""

Hit = tuple[str, float]
Thing = TypeVar("Thing")


def runs(things: Sequence[Thing], score_of: Callable[[Thing], float]) -> Iterator[list[Thing]]:
    """Things of equal score together, best first."""
    run: list[Thing] = []
    last = 0.0
    for thing in sorted(things, key=lambda one: -score_of(one)):
        score = score_of(thing)
        if run and last - score > SAME * abs(last):
            yield run
            run = []
        run.append(thing)
        last = score
    if run:
        yield run


def best_first(passages: Sequence[Passage]) -> list[Passage]:
    """By score; equals in the order of their places."""
    return [one for run in runs(passages, lambda passage: passage.score) for one in sorted(run, key=place_of)]


def place_of(passage: Passage) -> tuple[str, str, int]:
    """Where the passage stands among the documents: the same in every deployment that holds them."""
    return passage.path, passage.folder, passage.ordinal


def through_tie(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """The first `limit` hits, and those behind them that are equal to the last of these."""
    kept: list[Hit] = []
    for run in runs(hits, lambda hit: hit[1]):
        if len(kept) >= limit:
            break
        kept += run
    return kept


def before_tie(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """At most `limit` hits of a list that was cut off behind them: the last run is left out, since the cut may go through it."""
    *whole, _ = runs(hits, lambda hit: hit[1])
    return [hit for run in whole for hit in run][:limit]
