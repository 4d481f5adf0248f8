"""Scores of a question set: retrieval by ir-measures, answers by comparison with what the set asks for. Pure.

    Hit@5      a relevant document among the first five (Success@5)        containment   the asked-for strings are said
    Recall@5   share of the relevant documents among the first five        character_f1  characters shared with a reference
    nDCG@10    normalised discounted cumulative gain of the first ten

Documents are ranked by their best passage. Intervals are the middle 95 % of 1,000 resamples of the questions (percentile
bootstrap, Efron 1979). ir-measures was picked over ranx: two small packages beside scipy instead of numba and plots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from assistant.marks import MARK
from assistant.text import squeezed

RETRIEVAL = ("Hit@5", "Recall@5", "nDCG@10")
RESAMPLES = 1000
_SEED = 20261126
Interval = tuple[float, float]


def retrieval_scores(
    ranked: Mapping[str, Sequence[str]], relevant: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """Question id -> score by name, for every question of `relevant`; `ranked` are document keys, best first."""
    import ir_measures
    from ir_measures import R, Success, nDCG

    names = {Success @ 5: "Hit@5", R @ 5: "Recall@5", nDCG @ 10: "nDCG@10"}
    qrels = [ir_measures.Qrel(q, d, grade) for q, documents in relevant.items() for d, grade in documents.items()]
    run = [
        ir_measures.ScoredDoc(question, document, -float(rank))
        for question in relevant
        for rank, document in enumerate(ranked.get(question, ()), start=1)
    ]
    scores = {question: dict.fromkeys(RETRIEVAL, 0.0) for question in relevant}
    if run:
        for found in ir_measures.iter_calc(list(names), qrels, run):
            scores[found.query_id][names[found.measure]] = float(found.value)
    return scores


def mean_with_interval(values: Sequence[float]) -> tuple[float, Interval]:
    """(mean, (low, high)) of the values, four decimals; the same values always give the same interval."""
    if not values:
        return 0.0, (0.0, 0.0)
    array = np.asarray(values, dtype=np.float64)
    picks = np.random.default_rng(_SEED).integers(0, len(array), size=(RESAMPLES, len(array)))
    low, high = np.quantile(array[picks].mean(axis=1), [0.025, 0.975])
    return round(float(array.mean()), 4), (round(float(low), 4), round(float(high), 4))


def containment(answer: str, *, must_say: Sequence[str], references: Sequence[str]) -> float:
    """1 when the answer holds every string of `must_say`, or, where there are none, any reference; else 0.

    Compared without blanks after normalisation: width, case and line breaks do not count. The marks of citations say
    nothing: [3] is no 3.
    """
    said = squeezed(MARK.sub("", answer))
    if must_say:
        return float(all(squeezed(words) in said for words in must_say))
    return float(any(squeezed(reference) in said for reference in references))


def character_f1(answer: str, references: Sequence[str]) -> float:
    """The best F1, 0 to 1, of the characters that the answer, without its marks, shares with a reference, counted with
    repetition."""
    said = Counter(squeezed(MARK.sub("", answer)))
    best = 0.0
    for reference in references:
        wanted = Counter(squeezed(reference))
        shared = sum((said & wanted).values())
        if shared:
            best = max(best, 2 * shared / (sum(said.values()) + sum(wanted.values())))
    return best


def precision_recall_f1(*, hits: int, claimed: int, wanted: int) -> dict[str, float | None]:
    """precision, recall and f1 of `hits` among `claimed` and `wanted`; None where there is nothing to have a share of."""
    precision = hits / claimed if claimed else None
    recall = hits / wanted if wanted else None
    f1 = 2 * hits / (claimed + wanted) if claimed and wanted else (0.0 if wanted else None)
    found = {"precision": precision, "recall": recall, "f1": f1}
    return {name: None if value is None else round(value, 4) for name, value in found.items()}
