"""Probe questions: what a person would type who remembers a document, made of its own rarest words. Pure; no model.

    chunks -> sentences -> words that few chunks of the document hold -> title or heading + the words in their order

The two questions come from different chunks where there are two, else from different sentences, else from the halves of
one. The same document gives the same questions. Must not know indexes or the ledger.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.errors import Language
from assistant.text import language_of, sentence_spans

PROBES = 2
_TERMS = 4
_LEAD_CHARACTERS = 24
_LONGEST_TERM_CHARACTERS = 16
_LONGEST_WORD_CHARACTERS = 24
_LONGEST_SENTENCE_CHARACTERS = 400  # a table without sentence ends: its beginning is enough
_TELLING = re.compile(
    "[\u3400-\u9fff\u3005]{2,}"  # kanji
    "|[\u30a1-\u30f6\u30fc]{3,}"  # katakana
    "|[A-Za-z]{1,4}-?\\d[A-Za-z0-9-]*"  # identifiers such as MX-2040B
    "|[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f'\u2019-]{3,}"  # words of alphabets with accents
    "|[\u0370-\u1fff\uac00-\ud7af]{2,}"  # words of other scripts
)
_ADDRESS = re.compile(r"\]\([^)\s]*\)|\b(?:https?|file|ftp)://[\w!#$%&'()*+,./:;=?@~-]+|\b\S+@\S+\.\w+")
_ANY_WORD = re.compile(r"\w+")
_NUMBERING = re.compile(r"^(第[\d〇一二三四五六七八九十百]+[章節条編款項]|[\d.()（）]+|[-#*•]+)\s*")
_SMALL_WORDS = frozenset(
    """about above after also before being below could each every from have into more most must only other over shall
    should some such than that their them then there these they this those under until were when where which while
    will with would your""".split()  # noqa: SIM905  a list of words reads better
)


@dataclass(frozen=True)
class Probe:
    """A question that must find its document again."""

    question: str
    language: Language


@dataclass(frozen=True)
class _Source:
    """One sentence with its telling words, best first in `weight`."""

    chunk: int
    lead: str
    terms: tuple[str, ...]
    weight: float


def make_probes(title: str, texts: Sequence[tuple[tuple[str, ...], str]]) -> list[Probe]:
    """At most two questions, fewer only when the text has fewer words; `texts` are (headings, text) of chunks in order."""
    plain = [(headings, _ADDRESS.sub(" ", unicodedata.normalize("NFKC", text))) for headings, text in texts]
    sources = list(_sources(title, plain, _TELLING)) or list(_sources(title, plain, _ANY_WORD))
    chosen: list[_Source] = []
    while sources and len(chosen) < PROBES:
        taken = {source.chunk for source in chosen}
        said = {term for source in chosen for term in source.terms}
        best = max(sources, key=lambda source: (source.chunk not in taken, _news(source, said), -source.chunk))
        sources.remove(best)
        if not chosen or _news(best, said) > 0:
            chosen.append(best)
    if len(chosen) == 1 and len(chosen[0].terms) > 1:
        only, half = chosen[0], (len(chosen[0].terms) + 1) // 2
        chosen = [replace(only, terms=only.terms[:half]), replace(only, terms=only.terms[half:])]
    questions = dict.fromkeys(
        _question(source, is_first=number == 0, title=title) for number, source in enumerate(chosen)
    )
    return [Probe(question, language_of(question)) for question in questions]


def _news(source: _Source, said: set[str]) -> float:
    """The weight of the source, less where another question says the same words."""
    return source.weight * sum(term not in said for term in source.terms) / len(source.terms)


def _sources(title: str, texts: Sequence[tuple[tuple[str, ...], str]], pattern: re.Pattern[str]) -> Iterator[_Source]:
    holders = Counter(term for _, text in texts for term in {w.casefold() for w in _words(text, pattern)})
    for number, (headings, text) in enumerate(texts):
        lead = headings[-1] if headings else title
        for start, end in sentence_spans(text):
            sentence = text[start : min(end, start + _LONGEST_SENTENCE_CHARACTERS)]
            words = list(dict.fromkeys(_words(sentence, pattern)))
            weights = {word: _weight(word, holders[word.casefold()], len(texts)) for word in words}
            best = sorted(words, key=lambda word: -weights[word])[:_TERMS]
            if best:
                terms = tuple(word for word in words if word in best)
                yield _Source(number, lead, terms, sum(weights[word] for word in best))


def _words(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Words in their order. A word of an alphabet is taken whole or not at all; a run of kanji may be cut."""
    words = [match[0] for match in pattern.finditer(text)]
    return [
        word if word.isascii() else word[:_LONGEST_TERM_CHARACTERS]
        for word in words
        if word.casefold() not in _SMALL_WORDS and not (word.isascii() and len(word) > _LONGEST_WORD_CHARACTERS)
    ]


def _weight(word: str, holders: int, chunks: int) -> float:
    """Rarity within the document, and length: long words are rarer in every corpus. `holders` is 0 for a word that the
    end of a sentence cut off."""
    return (1.0 + math.log((chunks + 1) / max(1, holders))) * math.sqrt(min(len(word), 8))


def _question(source: _Source, *, is_first: bool, title: str) -> str:
    """The first question leads with the title, the second with its nearest heading; words of the lead come once."""
    lead = _NUMBERING.sub("", " ".join(unicodedata.normalize("NFKC", title if is_first else source.lead).split()))
    if len(lead) > _LEAD_CHARACTERS:
        # A word of an alphabet is not cut in two: half a word matches nothing.
        is_inside_word = lead[_LEAD_CHARACTERS].isascii() and lead[_LEAD_CHARACTERS].isalnum()
        cut = lead[:_LEAD_CHARACTERS]
        lead = cut.rpartition(" ")[0] or cut if is_inside_word else cut
    lead = lead.strip()
    terms = [term for term in source.terms if term.casefold() not in lead.casefold()]
    return " ".join(part for part in (lead, *terms) if part)
