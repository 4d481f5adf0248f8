"""What well-known products do by default, on the same passages and vectors, so that a figure has something beside it.

    bm25_blanks   BM25Okapi (k1 1.5, b .75) over words between blanks: the default of LangChain's BM25Retriever, and with
                  it of Open WebUI's hybrid search; a document that shares no word still gets a place
    dense         cosine alone, exact
    naive_rrf     BM25 over character bigrams and words, and cosine, joined by rank with 60, scores of 0 ranked too
    ensemble      LangChain's EnsembleRetriever as documented: BM25Retriever and a vector retriever, weights .5 and .5,
                  c 60. The recipe is repeated here: its package (langchain-classic) is no dependency of the product

Pure; each is a function of one question. Must not know indexes or the ledger.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.ports import Vectors
from assistant.text import lexical_terms

BASELINES = ("bm25_blanks", "dense", "naive_rrf", "ensemble")
DEPTH = 50
"""Passages of each list that are joined, as deep as the product is asked for."""
_K1, _B, _EPSILON, _RANK_CONSTANT = 1.5, 0.75, 0.25, 60

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """One passage as the baselines get it: the key of its document, and the text that was embedded."""

    key: str
    text: str


class Okapi:
    """BM25 as the rank_bm25 package has it: terms in more than half of the texts count a quarter of the mean idf."""

    def __init__(self, texts: Sequence[list[str]]) -> None:
        lengths = np.array([len(terms) for terms in texts], dtype=np.float64)
        self._norm = _K1 * (1 - _B + _B * lengths / max(1.0, float(lengths.mean())))
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, terms in enumerate(texts):
            for term, count in Counter(terms).items():
                postings[term].append((number, count))
        self._postings = {term: np.array(found).T for term, found in postings.items()}
        count = len(texts)
        idf = {term: math.log((count - len(f) + 0.5) / (len(f) + 0.5)) for term, f in postings.items()}
        floor = _EPSILON * sum(idf.values()) / max(1, len(idf))
        self._idf = {term: value if value > 0 else floor for term, value in idf.items()}
        self._count = count

    def scores(self, terms: Sequence[str]) -> Scores:
        """The score of each text, 0 where no term is shared."""
        found = np.zeros(self._count)
        for term in terms:
            if term in self._postings:
                rows, counts = self._postings[term]
                found[rows] += self._idf[term] * counts * (_K1 + 1) / (counts + self._norm[rows])
        return found


class Baselines:
    """All four over the same passages; `vectors` in their order."""

    def __init__(self, held: Sequence[Held], vectors: Vectors) -> None:
        self._keys = [one.key for one in held]
        self._vectors = vectors
        self._blanks = Okapi([one.text.split() for one in held])
        self._bigrams = Okapi([lexical_terms(one.text) for one in held])

    def ranked(self, question: str, vector: Vectors) -> dict[str, list[str]]:
        """Document keys by baseline, best first, each document once."""
        blanks = self._blanks.scores(question.split())
        bigrams = self._bigrams.scores(lexical_terms(question))
        dense = (self._vectors @ vector.reshape(-1)).astype(np.float64)
        rows: dict[str, list[int]] = {
            "bm25_blanks": _best(blanks),
            "dense": _best(dense),
            "naive_rrf": _joined([_best(bigrams), _best(dense)]),
            "ensemble": _joined([_best(blanks), _best(dense)]),
        }
        return {name: list(dict.fromkeys(self._keys[row] for row in some)) for name, some in rows.items()}


def _best(scores: Scores) -> list[int]:
    """Rows by falling score, also those that score 0: that is what the recipes do."""
    return [int(row) for row in np.argsort(-scores, kind="stable")[:DEPTH]]


def _joined(lists: Sequence[list[int]]) -> list[int]:
    """Reciprocal rank fusion at equal weights (equal weights of any size give the same order)."""
    scores: dict[int, float] = defaultdict(float)
    for some in lists:
        for rank, row in enumerate(some, start=1):
            scores[row] += 1.0 / (_RANK_CONSTANT + rank)
    return sorted(scores, key=lambda row: -scores[row])
