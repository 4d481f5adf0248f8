"""Search by meaning across languages: what is said in the question's own language lies nearer than the same in another. Pure.

    question q ─▶ q·p - q·m                   of a passage p in its own language, whose passages have the mean m
              └─▶ q' = q - m + m'             the question as if asked in the other language, whose passages have the mean m'
                  └─▶ q'·p - q'·m'            of a passage in that one; both say how much nearer than usual it is

That each language lies in a place of its own is known of multilingual embedders, and so is taking its mean away (Yang, Yang, Cer
and Darve, EMNLP 2021, "A Simple and Effective Method To Eliminate the Self Language Bias in Multilingual Representations").
Here the index stays as it is: the question moves. Must not know ledger or index; docs/decisions/0034-asked-in-both-languages.md.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from assistant.ports import Vectors
from assistant.text import japanese_share

JAPANESE_SHARE = 0.2
"""Of the letters of a question or a passage's beginning, from which it is Japanese."""
BEGINNING_CHARACTERS = 200
"""Of a passage, enough to tell its language."""
REMEMBERED_BEGINNINGS = 8_192
"""Asked twice of each of fifty candidates of a question; 5 MB."""
LEAST_PASSAGES = 30
"""Passages of a language from which their mean says something: that of 10 found .77 where that of 30 found .84 and that of all
.89 (MRR of Japanese questions on English text; docs/lab-notes.md, 2026-11-27)."""


def is_japanese(text: str) -> bool:
    """Whether a question, or the beginning of a passage, is Japanese rather than English."""
    return japanese_share(text) >= JAPANESE_SHARE


def is_in_other_language(passage: str, *, than_japanese: bool) -> bool:
    """Whether its beginning is English where the question is Japanese, or the other way round; figures are in none."""
    begins_in_japanese = _begins_in_japanese(passage[:BEGINNING_CHARACTERS])
    return begins_in_japanese is not None and begins_in_japanese != than_japanese


@lru_cache(maxsize=REMEMBERED_BEGINNINGS)
def _begins_in_japanese(beginning: str) -> bool | None:
    return is_japanese(beginning) if any(c.isalpha() for c in beginning) else None


def mean_of(documents: Sequence[Vectors]) -> str:
    """The mean vector of some documents of a language, each counting the same, as text for the ledger; "" of too few passages.

    `documents` are the vectors of their passages, a row for each.
    """
    if sum(len(vectors) for vectors in documents) < LEAST_PASSAGES:
        return ""
    mean = np.mean([vectors.mean(axis=0) for vectors in documents], axis=0)
    return base64.b64encode(mean.astype("<f2").tobytes()).decode()


@dataclass(frozen=True)
class AskedElsewhere:
    """A question as if asked in the other language: its unit vector, of shape (1, dimension), and how a cosine counts."""

    vector: Vectors
    length: float
    usual: float
    """Of the question and passages in its own language: the mean cosine."""
    usual_there: float
    """The same of `vector` as it was before it was made a unit, and passages in the other language."""
    usual_apart: float
    """Of the question as it is and passages in the other language."""

    def meaning(self, cosine: float) -> float:
        """The cosine that a passage in the question's own language would have that is as much nearer than usual."""
        return cosine * self.length - self.usual_there + self.usual

    def meaning_apart(self, cosine: float) -> float:
        """The same of a passage that only the question as it is has found."""
        return cosine - self.usual_apart + self.usual


def asked_elsewhere(question: str, vector: Vectors, means: Mapping[str, str]) -> AskedElsewhere | None:
    """The question as if asked in the other language; None where the corpus is in one, or the vector of another length."""
    own, other = ("ja", "en") if is_japanese(question) else ("en", "ja")
    if not means.get(own) or not means.get(other):
        return None
    mean, mean_there = _vector(means[own]), _vector(means[other])
    plain = vector[0]
    if not plain.shape == mean.shape == mean_there.shape:
        return None
    moved = plain - mean + mean_there
    length = float(np.linalg.norm(moved))
    if length == 0.0:
        return None
    return AskedElsewhere(
        (moved / length)[np.newaxis].astype(np.float32),
        length,
        usual=float(plain @ mean),
        usual_there=float(moved @ mean_there),
        usual_apart=float(plain @ mean_there),
    )


@lru_cache(maxsize=8)
def _vector(kept: str) -> Vectors:
    return np.frombuffer(base64.b64decode(kept), dtype="<f2").astype(np.float32)
