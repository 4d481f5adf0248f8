"""An answer without a model: the sentences of the passages that say most about the question, literally.

Used when the deployment has no chat model, and whenever the model is away while documents can still be found. An entry of a list
or table is quoted with what it stands below, and 「次の表のとおりとする。」 with the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.cite import CitedText, citation_of
from assistant.domain import Passage
from assistant.entries import Kind, Line, lines_of
from assistant.languages import is_in_other_language, is_japanese
from assistant.marks import unmarked
from assistant.support import is_list_mark
from assistant.text import lexical_terms, sentence_spans

QUOTED_PASSAGES = 3
QUOTE_CHARACTERS = 240
"""A quote grows over neighbouring sentences, and over the list or table that it leads on to, up to this length."""
RANK_WEIGHT = 0.15
"""How much a passage's rank counts beside its sentence's own share of the question's terms."""
FOLLOWING_WEIGHT = 0.5
"""What a sentence gets of the share of the one before it: an answer follows its question or heading. Each entry of a list gets
it of what stands above the list. That words of ASCII or rare ones count more lost (docs/lab-notes.md, 2026-11-28)."""
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
    best = [_best_quote(number, passage, terms) for number, passage in enumerate(passages, start=1)]
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
            ends = [
                end
                for start, end in sentence_spans(text)
                if end > one.end and _fits(one.start, end) and not is_list_mark(text[start:end])
            ]
            shown = replace(one, score=behind, end=max(ends, default=one.end))
        behind = max(behind, shown.score)
        found.append(shown)
    return found[::-1]


def _best_quote(number: int, passage: Passage, terms: set[str]) -> _Quote:
    lines = lines_of(passage.text, passage.heading_path)
    held = [terms & set(lexical_terms(line.text)) for line in lines]
    first, last, score = _Choice(lines, held, len(terms) or 1).best()
    return _Quote(number, lines[first].start, lines[last].end, score + RANK_WEIGHT / number)


class _Choice:
    """Which lines of one passage are quoted, given the terms of the question that each of them holds."""

    def __init__(self, lines: Sequence[Line], held: Sequence[set[str]], terms: int) -> None:
        self._lines, self._held, self._terms = lines, held, terms
        self._below: dict[int, list[int]] = {}
        for place, line in enumerate(lines):
            for above in line.above:
                self._below.setdefault(above, []).append(place)
        self._scores = [self._score(place) for place in range(len(lines))]

    def best(self) -> tuple[int, int, float]:
        """Places of the first and the last line to quote, and how good the best of them is."""
        best = max(range(len(self._lines)), key=lambda place: (self._scores[place], self._lines[place].states))
        if not self._lines[best].is_entry:
            first, last = self._led(best, *self._with_neighbours(best))
        elif self._leads(best):
            first, last = self._led(best, best, best)
        else:
            first, last = self._around(best) if self._adds(best) else self._whole(best)
        return first, last, self._scores[best]

    def _score(self, place: int) -> float:
        line = self._lines[place]
        if not line.states:
            return 0.0
        before = self._held[place - 1] if place else set[str]()
        if line.is_entry:  # what both hold counts once: a row is no better for standing below one that is much like it
            before = self._context(place) - self._held[place]
        return (len(self._held[place]) + FOLLOWING_WEIGHT * len(before)) / self._terms

    def _context(self, place: int) -> set[str]:
        """The terms in what an entry stands below."""
        return set[str]().union(*(self._held[above] for above in self._lines[place].above))

    def _adds(self, place: int) -> int:
        """How many terms an entry has that no line above it has: without any, the question is about all of the list."""
        return len(self._held[place] - self._context(place))

    def _leads(self, place: int) -> bool:
        """Whether what comes next belongs to the line: it says so, or it stands above entries without being a sentence itself."""
        line = self._lines[place]
        return line.leads_on or (place in self._below and not line.is_finished)

    def _with_neighbours(self, best: int) -> tuple[int, int]:
        first = last = best
        least = self._scores[best] * KEPT_SHARE
        if best and self._scores[best - 1] >= least > 0 and self._fits(best - 1, last):
            first = best - 1
        if best + 1 < len(self._lines) and self._scores[best + 1] >= least and self._fits(first, best + 1):
            last = best + 1
        return first, last

    def _led(self, best: int, first: int, last: int) -> tuple[int, int]:
        """The quote with what it leads on to; only what of that is asked for, where not all fits."""
        leading = next((place for place in range(first, last + 1) if self._leads(place)), None)
        if leading is None:
            return first, last
        meant = max(self._below.get(leading, ()), key=self._adds, default=leading)
        if (
            self._adds(meant)
            and not self._fits(first, meant)
            and self._scores[meant] >= self._scores[best] * KEPT_SHARE
        ):
            return self._around(meant)
        return first, self._as_far_as_fits(first, last)

    def _whole(self, entry: int) -> tuple[int, int]:
        """An entry's list from its beginning, as far as it fits; the entry alone where that would not reach it."""
        opener = self._lines[entry].opener
        first = min([*self._beginnings(entry), 0 if opener is None else self._below[opener][0]])
        if self._held[entry] and not self._fits(first, entry):
            return self._around(entry)
        return first, self._as_far_as_fits(first, first)

    def _around(self, entry: int) -> tuple[int, int]:
        """An entry with what it stands below, where that fits, and what follows if it says as much."""
        first = next((above for above in self._beginnings(entry) if self._fits(above, entry)), entry)
        beside = entry + 1
        if beside == len(self._lines) or not self._fits(first, beside):
            return first, entry
        by_itself = self._lines[beside].is_entry
        least = KEPT_SHARE * (len(self._held[entry]) if by_itself else self._scores[entry])
        found = len(self._held[beside]) if by_itself else self._scores[beside]
        return first, beside if found >= least else entry

    def _beginnings(self, entry: int) -> list[int]:
        """What an entry's quote may begin with: the line that opens its list if that tells something, its table's first row."""
        line = self._lines[entry]
        return [
            above for above in line.above if above == line.header or self._held[above] or self._lines[above].leads_on
        ]

    def _as_far_as_fits(self, first: int, last: int) -> int:
        """The last line of a list that is quoted from `first` on; `last` is quoted in any case."""
        begun = False
        for place in range(last + 1, len(self._lines)):
            line = self._lines[place]
            begun = begun or line.is_entry
            if not self._fits(first, place) or (begun and not line.is_entry and line.kind is not Kind.RULE):
                break
            last = place
        return last

    def _fits(self, first: int, last: int) -> bool:
        return _fits(self._lines[first].start, self._lines[last].end)


def _fits(start: int, end: int) -> bool:
    return end - start <= QUOTE_CHARACTERS
