"""An answer without a model: the sentences of the passages that say most about the question, literally.

Used when the deployment has no chat model, and whenever the model is away while documents can still be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.cite import CitedText, citation_of
from assistant.domain import Passage
from assistant.languages import is_in_other_language, is_japanese
from assistant.marks import unmarked
from assistant.support import is_statement
from assistant.text import lexical_terms, sentence_spans

QUOTED_PASSAGES = 3
QUOTE_CHARACTERS = 240
"""A quote grows over neighbouring sentences up to this length."""
RANK_WEIGHT = 0.15
"""How much a passage's rank counts beside its sentence's own share of the question's terms."""
FOLLOWING_WEIGHT = 0.5
"""What a sentence gets of the share of the one before it: an answer follows its question or heading."""
KEPT_SHARE = 0.5
"""A further quote is shown when it scores at least this share of the best one; a neighbour likewise joins its quote."""


@dataclass(frozen=True)
class _Quote:
    number: int
    start: int
    end: int
    score: float


def quote(question: str, passages: Sequence[Passage]) -> CitedText:
    """The best literal sentences of up to three passages, each on its own line with its mark [n] and citation.

    What looks like a mark in a sentence stands in round brackets here; the citation's quote is the source's own.
    """
    terms = set(lexical_terms(question, for_query=True))
    best = [_best_quote(number, passage.text, terms) for number, passage in enumerate(passages, start=1)]
    ranked = sorted(_by_rank_across(question, passages, best), key=lambda candidate: -candidate.score)
    told = [c for c in ranked[:QUOTED_PASSAGES] if c.score >= ranked[0].score * KEPT_SHARE]
    lines: dict[str, _Quote] = {}
    for candidate in told:
        lines.setdefault(passages[candidate.number - 1].text[candidate.start : candidate.end], candidate)
    return CitedText(
        text="\n".join(f"「{unmarked(sentence)}」 [{candidate.number}]" for sentence, candidate in lines.items()),
        citations=tuple(
            citation_of(c.number, passages[c.number - 1], (c.start, c.end))
            for c in sorted(lines.values(), key=lambda c: c.number)
        ),
        notices=(),
    )


def _by_rank_across(question: str, passages: Sequence[Passage], best: Sequence[_Quote]) -> list[_Quote]:
    """The quotes, those of passages in another language than the question at least as good as any of a passage that was
    found behind: they cannot share the question's words. Of these, too, more is shown, as no word says which sentence is meant."""
    asks_in_japanese, behind = is_japanese(question), 0.0
    found: list[_Quote] = []
    for one in reversed(best):
        text, shown = passages[one.number - 1].text, one
        if behind > one.score and is_in_other_language(text, than_japanese=asks_in_japanese):
            ends = [end for _, end in sentence_spans(text) if end > one.end and _fits(one.start, end)]
            shown = replace(one, score=behind, end=max(ends, default=one.end))
        behind = max(behind, shown.score)
        found.append(shown)
    return found[::-1]


def _best_quote(number: int, text: str, terms: set[str]) -> _Quote:
    spans = sentence_spans(text) or [(0, len(text.rstrip()))]
    shares = [_share(text[slice(*span)], terms) for span in spans]
    scores = [
        share + FOLLOWING_WEIGHT * (shares[i - 1] if i else 0.0) if is_statement(text[slice(*spans[i])]) else 0.0
        for i, share in enumerate(shares)
    ]
    best = max(range(len(spans)), key=lambda i: scores[i])
    first = last = best
    if best and scores[best - 1] >= scores[best] * KEPT_SHARE and _fits(spans[best - 1][0], spans[last][1]):
        first = best - 1
    if (
        best + 1 < len(spans)
        and scores[best + 1] >= scores[best] * KEPT_SHARE
        and _fits(spans[first][0], spans[best + 1][1])
    ):
        last = best + 1
    return _Quote(number, spans[first][0], spans[last][1], scores[best] + RANK_WEIGHT / number)


def _fits(start: int, end: int) -> bool:
    return end - start <= QUOTE_CHARACTERS


def _share(sentence: str, terms: set[str]) -> float:
    return len(terms & set(lexical_terms(sentence))) / len(terms) if terms else 0.0
