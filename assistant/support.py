"""Whether a passage says a sentence, and where: by its words, and by its figures to the letter. Pure; knows no marks.

Words tell only within a language: a Japanese passage can say an English sentence without sharing a word. Thresholds were
read off people's sentences beside their own and beside other passages (docs/lab-notes.md, 2026-11-26).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.domain import Passage
from assistant.figures import Figure, figures_of, source_keys
from assistant.languages import is_japanese
from assistant.text import (
    character_bigrams,
    is_readable,
    lexical_terms,
    normalise,
    overlap,
    sentence_spans,
    telling_terms,
)

PLAIN = 0.6
"""Share of a sentence's letter pairs in at most three neighbouring source sentences from which they plainly say it."""
FOREIGN = 0.3
"""Share of a sentence's telling words below which a passage of its language does not say it: people's own sentences stay
under it once in a hundred times, sentences about something else come over it as rarely."""
FIGURE_WORDS = 3
"""Words that a figure counts for, however it is written: 「入社から半年で10日」 is what 「勤続6か月で10日を付与する」 says. Of 14 such
sentences in people's words 12 seemed foreign to their own passage, 4 with this; beside other passages .99 do as before
(docs/lab-notes.md, 2026-11-28)."""
BACKED = 0.5
"""Share of a sentence's letter pairs in one place of its cited passage from which no better passage is looked for."""
MORE = 0.1
"""Share of a sentence's letter pairs that a second source has to bring, so that it is cited beside one that backs the sentence."""
REMEMBERED_SOURCES = 1_024
REMEMBERED_SPANS = 2_048
"""One sentence is looked for in one passage up to three times: to see whether it holds, whether it is plain, and to quote it."""
_WINDOW_SENTENCES = 3
_WINDOW_CHARACTERS = 400
_LEAST_TELLING_WORDS = 2
_LEAST_CHARACTERS = 20
"""Shorter lines without an end mark are headings and table cells, not sentences."""
_YES_OR_NO = re.compile(
    r"不可能|可能|不可|不要|必要|禁止|対象外|対象"
    r"|\b(?:yes|no|possible|impossible|allowed|permitted|required|necessary|mandatory|optional|prohibited|forbidden)\b"
)
_NEEDS_NO_SOURCE = re.compile(
    r"(?:次|以下|下記)の(?:とおり|通り|よう)(?:です|となります|になります|ご回答します|お答えします)?[。.]?$|\bas follows\W*$"
    r"|^(?:here (?:is|are)\b|let me know\b|please (?:let me know|feel free)\b|thank you\b|i hope (?:this|that) helps)"
    r"|^#{1,6} [^#。.!?]{1,60}$"
    r"|^(?:ご質問|お問い合わせ)(?:を?いただき)?、?(?:誠に)?ありがとう|^(?:ほかに|他に)?ご不明な?点|^お役に立"
)
"""Headings, what leads on to a list, and courtesies."""
_ENDS = ("。", "．", "｡", ".", "!", "！", "」", ")", "）")
_LIST_MARK = re.compile(r"[(（]?(?:[0-9０-９]{1,3}|[A-Za-z])[.)）．]|[①-⑳・•●○◯■□▪※◆◇]|[-+*]")
_LIST_NUMBER = re.compile(r"[(（]?[0-9０-９]{1,3}[.)）．](?![0-9０-９])|[①-⑳]")


def sayings(passage: Passage) -> str:
    """All that a passage may be cited for: its title, headings and text."""
    return "\n".join((passage.title, *passage.heading_path, passage.text))


def states_fact(sentence: str) -> bool:
    """Whether a sentence of an answer needs a source: no question, no heading of a list, no courtesy, no bare yes or no."""
    plain = sentence.rstrip(" *_#-|")
    if not plain or plain.endswith(("?", "？", ":", "：")):
        return False
    return len(_words_of(plain)) >= _LEAST_TELLING_WORDS and len(normalise(plain).strip()) > 3


def needs_no_source(sentence: str) -> bool:
    """Whether a sentence is a heading, leads on to a list or is a courtesy: it is not missed where it has no source."""
    plain = normalise(sentence).strip(" *_")
    return bool(_NEEDS_NO_SOURCE.search(plain)) and not figures_of(plain)


def _words_of(sentence: str) -> set[str]:
    """Its telling words but for those that say yes or no to a question: sources say the same in their own."""
    return set(telling_terms(_YES_OR_NO.sub(" ", normalise(sentence))))


def is_statement(sentence: str) -> bool:
    """Whether a source's line states something: no question, no heading, no lone cell, no number of a list by itself."""
    plain = sentence.rstrip()
    if plain.endswith(("?", "？")) or plain.startswith("#") or is_list_mark(plain) or not is_readable(plain):
        return False
    return plain.endswith(_ENDS) or len(plain) >= _LEAST_CHARACTERS


def is_list_mark(line: str) -> bool:
    """Whether the line is nothing but the number or mark of an item, as 「3.」."""
    return _LIST_MARK.fullmatch(line.strip()) is not None


def shares_language(one: str, other: str) -> bool:
    """Whether both texts are Japanese or neither is, so that words can be compared."""
    return is_japanese(one) == is_japanese(other)


def is_foreign(sentence: str, passage: Passage) -> bool:
    """Whether the passage plainly does not say the sentence; False also where words cannot tell."""
    said = sayings(passage)
    if not shares_language(sentence, passage.text):
        return False
    figures = figures_of(sentence)
    known = source_keys([said]) if figures else frozenset[str]()
    words = _words_of(_without(figures, sentence))
    count = len(words) + FIGURE_WORDS * len(figures)
    shared = len(words & set(lexical_terms(said))) + FIGURE_WORDS * sum(bool(one.keys & known) for one in figures)
    return count > 0 and (shared == 0 or (count > _LEAST_TELLING_WORDS and shared < FOREIGN * count))


def _without(figures: Sequence[Figure], sentence: str) -> str:
    ends = [0, *(figure.end for figure in figures)]
    starts = [*(figure.start for figure in figures), len(sentence)]
    return " ".join(sentence[end:start] for end, start in zip(ends, starts, strict=True))


def is_backed(sentence: str, passage: Passage) -> bool:
    """Whether the passage has the sentence's figures and, in its language, about half of it in one place."""
    if lacks_figures(sentence, sayings(passage)):
        return False
    start, end = quote_span(sentence, passage.text)
    return not shares_language(sentence, passage.text) or overlap(sentence, passage.text[start:end]) >= BACKED


def says_more(sentence: str, passage: Passage, beside: Sequence[Passage]) -> bool:
    """Whether the passage has a part of the sentence that the places which back it in `beside` do not have."""

    def said_by(one: Passage) -> set[str]:
        start, end = quote_span(sentence, one.text)
        return character_bigrams(one.text[start:end])

    wanted = character_bigrams(sentence)
    more = wanted & said_by(passage) - set[str]().union(*map(said_by, beside))
    return len(more) >= MORE * len(wanted)


def lacks_figures(sentence: str, source: str) -> bool:
    """Whether the sentence has a figure that the source lacks."""
    figures = figures_of(sentence)
    known = source_keys([source]) if figures else frozenset[str]()
    return any(not figure.keys & known for figure in figures)


def plain_source(sentence: str, passages: Sequence[Passage]) -> int:
    """Number of the passage that plainly says the sentence, its figures in the very same place; 0 for none."""
    best, number = PLAIN, 0
    for place, passage in enumerate(passages, start=1):
        if overlap(sentence, passage.text) < best:
            continue  # no place of it can have more of the sentence than the whole has
        start, end = quote_span(sentence, passage.text)
        said = passage.text[start:end]
        share = overlap(sentence, said)
        if share >= best and not lacks_figures(sentence, "\n".join((passage.title, *passage.heading_path, said))):
            best, number = share + 1e-9, place
    return number or _by_figures(sentence, passages)


def quote_span(sentence: str, source: str) -> tuple[int, int]:
    """(start, end) in `source` of the sentence that best supports `sentence`, with its neighbours where they say more of it.

    Without anything in common, the first line that states something.
    """
    return _quote_span(sentence, source)


@lru_cache(maxsize=REMEMBERED_SPANS)
def _quote_span(sentence: str, source: str) -> tuple[int, int]:
    lines = _lines_of(source)
    spans = [(line.start, line.end) for line in lines]
    if not spans:
        return 0, len(source)
    keys = [figure.keys for figure in figures_of(sentence)]
    wanted = character_bigrams(sentence)

    def support(first: int, last: int) -> float:
        known = frozenset[str]().union(*(line.keys for line in lines[first : last + 1])) if keys else frozenset[str]()
        said = source[spans[first][0] : spans[last][1]]
        return overlap(sentence, said) + sum(bool(key & known) for key in keys) / max(4, len(keys))

    shares = [
        (len(wanted & line.bigrams) / len(wanted) if wanted else 0.0)
        + (sum(bool(key & line.keys) for key in keys) / max(4, len(keys)) if keys else 0.0)
        for line in lines
    ]
    place = max(range(len(spans)), key=shares.__getitem__)
    if shares[place] == 0:
        return next((span for span in spans if is_statement(source[slice(*span)])), spans[0])
    first = last = place
    while last - first + 1 < _WINDOW_SENTENCES:
        so_far = support(first, last)
        wider = [(max(0, first - 1), last), (first, min(len(spans) - 1, last + 1))]
        fitting = [w for w in wider if spans[w[1]][1] - spans[w[0]][0] <= _WINDOW_CHARACTERS]
        best = max(fitting, key=lambda w: support(*w), default=(first, last))
        if support(*best) < so_far + 0.1:
            break
        first, last = best
    return spans[first][0], spans[last][1]


@dataclass(frozen=True)
class _Line:
    """One sentence of a source, taken apart."""

    start: int
    end: int
    bigrams: frozenset[str]
    keys: frozenset[str]


@lru_cache(maxsize=REMEMBERED_SOURCES)
def _lines_of(source: str) -> tuple[_Line, ...]:
    return tuple(
        _Line(start, end, frozenset(character_bigrams(source[start:end])), _keys_of(source[start:end]))
        for start, end in sentence_spans(source)
    )


def _keys_of(line: str) -> frozenset[str]:
    """The figures that a line states; "3." before the third step of a list is none."""
    number = _LIST_NUMBER.match(line)
    return source_keys([line[number.end() :] if number else line])


def _by_figures(sentence: str, passages: Sequence[Passage]) -> int:
    """Number of the only passage, in another language, that has all of at least two figures; 0 for none."""
    figures = figures_of(sentence)
    if len({figure.keys for figure in figures}) < 2:
        return 0
    holding = [
        place
        for place, passage in enumerate(passages, start=1)
        if not shares_language(sentence, passage.text) and not lacks_figures(sentence, sayings(passage))
    ]
    return holding[0] if len(holding) == 1 else 0
