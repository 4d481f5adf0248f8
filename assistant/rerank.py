"""Orders the best candidates anew by what a fusion by rank throws away: how near, how strong, how much of the question.

score = .4 meaning + .4 words + .3 coverage, each 0 to 1 among the candidates, divided by the sum of the weights;
        coverage counts .4 for a Japanese question

    meaning    cosine, from the lowest to the highest of the candidates; 0 for one that only word search brought
    words      BM25 score by the best one; counts less where even the best candidate covers little of the question
    coverage   share of the question's terms that stand in title, headings or text, rare terms counting more; numbers and short
               words count where they stand by themselves. For a Japanese question the mean of two shares: of its character
               pairs, and of its words as its scripts tell them apart. Pairs across a particle (党の, は何) are rare and say
               nothing; whole words outvote them

A passage in another language than the question cannot share its words. For it, words and coverage together are at least what
its meaning lets expect; otherwise, among documents in both languages, any passage in the question's own would come first.

The weights were chosen on one half of five public sets and hold on the other (docs/lab-notes.md, 2026-11-26; words as scripts
tell them apart: 2026-11-27, docs/decisions/0031-whole-words-beside-pairs.md). Rare means
rare among the candidates: nothing outside what the asker may read decides. Pure; knows neither index nor ledger.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.domain import Candidate, Passage
from assistant.errors import RerankerUnavailable
from assistant.languages import is_in_other_language, is_japanese
from assistant.ports import Reranker
from assistant.text import WORD_PARTS, lexical_terms, query_weight, searched, spelled_for_terms, spelled_words
from assistant.ties import place_of, runs

MEANING, WORDS, COVERAGE = 0.4, 0.4, 0.3
JAPANESE_COVERAGE = 0.4
"""Of a Japanese question, half for pairs and half for words. jsquad held-out: nDCG@10 .959 with pairs alone (.3), .962."""
COVERED_ENOUGH = 0.4
"""Coverage of the best candidate from which word search counts fully. Below it the question is in other words, or in
another language, and a shared product name must not bury what the vectors found."""
EXPECTED_SHARE = 0.6
"""Of words and coverage, what a passage in another language gets for a meaning of 1. More finds .005 to .015 more across languages
and loses as much in the question's own, in which most people ask (docs/lab-notes.md, 2026-11-27)."""
SHARED_ACROSS = 0.5
"""Coverage by a passage in another language from which words do tell: a question of a product's name or number alone."""
LONGEST_TERMS = 128
"""Distinct terms of a question that coverage looks at: enough for any question, and a pasted page stays fast."""
SHORT_WORD = 3
"""Letters up to which a word of a question has to stand by itself, with a common ending at most: PTO is not in "laptop", HR not
in "Chrome" (docs/lab-notes.md, 2026-11-28). Longer ones are hardly found by chance, and `cancel` is meant in `cancelled`."""
FOUND_BY_CHANCE = 30
"""Characters up to which a number or identifier may be a part of another by chance. A longer one is looked for as it is, which keeps
the time of a page of digits linear."""
_GROUPING = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
_ENDING = re.compile("(?:e?s|e?d|[a-z]?ing|[a-z]ed)?(?![a-z])")

RERANKED = 30
"""The best candidates, which a reranking server gets: a small cross-encoder reads 30 pairs in about a second on two cores."""


async def ranked(
    question: str, candidates: Sequence[Candidate], *, meaning_weight: float, reranker: Reranker | None
) -> tuple[list[Passage], RerankerUnavailable | None]:
    """The passages in order, each with its score; and the error of a reranker that was asked in vain."""
    ordered = _by_score(candidates, await CoverageReranker(meaning_weight).scores(question, candidates))
    problem = None
    if reranker is not None and len(ordered) > 1:
        first, rest = ordered[:RERANKED], ordered[RERANKED:]
        try:
            first = _by_score(first, await reranker.scores(question, first))
        except RerankerUnavailable as error:
            problem = error
        ordered = [*first, *rest]
    return [candidate.passage for candidate in ordered], problem


def _by_score(candidates: Sequence[Candidate], scores: Sequence[float]) -> list[Candidate]:
    """Best first, each passage with its score; equals in the order of their places."""
    scored = [
        replace(one, passage=replace(one.passage, score=score)) for one, score in zip(candidates, scores, strict=True)
    ]
    equals = runs(scored, lambda candidate: candidate.passage.score)
    return [one for run in equals for one in sorted(run, key=lambda candidate: place_of(candidate.passage))]


@dataclass(frozen=True)
class CoverageReranker:
    """The order without a model; see ports.Reranker. `meaning_weight` is how far the vectors can be trusted, 0 to 1."""

    meaning_weight: float = 1.0

    @property
    def name(self) -> str:
        """coverage."""
        return "coverage"

    async def scores(self, question: str, candidates: Sequence[Candidate]) -> list[float]:
        """A score of 0 to 1 for each candidate."""
        return coverage_scores(question, candidates, meaning_weight=self.meaning_weight)


def coverage_scores(question: str, candidates: Sequence[Candidate], *, meaning_weight: float = 1.0) -> list[float]:
    """See the module; 2 ms for fifty passages."""
    asks_in_japanese = is_japanese(question)
    covered, coverage_weight = _covered(
        question, [candidate.passage for candidate in candidates], is_japanese=asks_in_japanese
    )
    words_weight = WORDS * min(1.0, max(covered, default=0.0) / COVERED_ENOUGH)
    meanings = _spread([candidate.meaning for candidate in candidates])
    strongest = max((candidate.words or 0.0 for candidate in candidates), default=0.0) or 1.0
    others = [is_in_other_language(candidate.passage.text, than_japanese=asks_in_japanese) for candidate in candidates]
    shared = max((share for share, is_other in zip(covered, others, strict=True) if is_other), default=0.0)
    expected = EXPECTED_SHARE * (WORDS + coverage_weight) if shared < SHARED_ACROSS else 0.0
    scores = []
    for candidate, spread, share, is_other in zip(candidates, meanings, covered, others, strict=True):
        meaning = meaning_weight * spread
        said = words_weight * (candidate.words or 0.0) / strongest + coverage_weight * share
        if is_other:
            said = max(said, expected * meaning)
        scores.append((MEANING * meaning + said) / (MEANING + WORDS + coverage_weight))
    return scores


def _spread(values: Sequence[float | None]) -> list[float]:
    """Values from 0 (lowest) to 1 (highest); 0 where there is none, 1 where all are equal."""
    known = [value for value in values if value is not None]
    if not known:
        return [0.0] * len(values)
    low, high = min(known), max(known)
    return [0.0 if value is None else (value - low) / (high - low) if high > low else 1.0 for value in values]


def _covered(question: str, passages: Sequence[Passage], *, is_japanese: bool) -> tuple[list[float], float]:
    """How much of the question each passage covers, and what that counts for."""
    question = _GROUPING.sub("", searched(question))
    terms = lexical_terms(question, for_query=True)
    has_long_number = any(len(term) > 3 and term.isdigit() for term in terms)
    texts = [
        spelled_for_terms(" ".join((passage.title, *passage.heading_path, passage.text)), has_years=has_long_number)
        for passage in passages
    ]
    if has_long_number:
        texts = [_GROUPING.sub("", text) for text in texts]
    covered = _coverage(terms, texts)
    words = spelled_words(question) if is_japanese else []
    if not words:
        return covered, COVERAGE
    return [
        (pairs + whole) / 2 for pairs, whole in zip(covered, _coverage(words, texts), strict=True)
    ], JAPANESE_COVERAGE


def _coverage(terms: Sequence[str], texts: Sequence[str]) -> list[float]:
    """Share of the terms in each text, weighted by how few of the texts hold them.

    Terms are looked for as parts of words: `cancel` also counts in `cancelled`; not so short words and numbers (`_stands_in`).
    """
    terms = list(dict.fromkeys(terms))[:LONGEST_TERMS]
    parts = {part for term in terms if term.isascii() for part in WORD_PARTS.split(term) if part != term}
    wanted = [(term, _is_bounded(term, is_part=term in parts)) for term in terms]
    held = [
        [term in text and (not is_bounded or _stands_in(text, term)) for term, is_bounded in wanted] for text in texts
    ]
    columns = zip(terms, zip(*held, strict=True), strict=True) if texts else ()
    weights = [query_weight(term) * _rarity(sum(column), len(texts)) for term, column in columns]
    total = sum(weights) or 1.0
    return [sum(weight for weight, is_there in zip(weights, row, strict=True) if is_there) / total for row in held]


def _is_bounded(term: str, *, is_part: bool) -> bool:
    """Whether the term may not be any part of a word; wi of Wi-Fi may, since others write WiFi."""
    if not term.isascii() or len(term) > FOUND_BY_CHANCE:
        return False
    return term[0].isdigit() or term[-1].isdigit() or (len(term) <= SHORT_WORD and term.isalpha() and not is_part)


def _stands_in(text: str, term: str) -> bool:
    """Whether the term stands in the text with no digit at its digits (E1 is not in E12, nor 10 in 110), a word by itself."""
    is_word = term.isalpha()
    at = text.find(term)
    while at >= 0:
        end = at + len(term)
        before, after = text[at - 1 : at], text[end : end + 1]
        if is_word:
            if not ("a" <= before <= "z") and _ENDING.match(text, end):
                return True
        elif not ((term[0].isdigit() and before.isdigit()) or (term[-1].isdigit() and after.isdigit())):
            return True
        at = text.find(term, at + 1)
    return False


def _rarity(holders: int, passages: int) -> float:
    """BM25's idf (Robertson and Zaragoza 2009, with 1 added so that it stays above 0)."""
    return math.log(1.0 + (passages - holders + 0.5) / (holders + 0.5))
