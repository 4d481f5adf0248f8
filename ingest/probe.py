"""Probe questions: what a person would type who remembers a document, made of its own rarest words. Pure; no model.

    chunks -> sentences -> words that few other documents hold -> title or heading + the words in their order

The two questions come from different chunks where both say something, else from different sentences, else from the
halves of one. What every document says ("Related reading", the name of the product) tells none from another, and nobody types it
to find one: rarity is that among all documents, as the indexes count it. The same document among the same others gives
the same questions. Must not know indexes or the ledger.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assistant.errors import Language
from assistant.grammar import language_of
from assistant.text import sentence_spans

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
_RARE = 3
_LEAST_SHARE = 0.04  # one of the 24 chunks that a long document is known by
_SHARED_BY = 5
_SHARED_SHARE = 0.01
"""A heading is shared when so many chunks of other documents, and this share of all, hold its rarest word."""
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
class Around:
    """All documents together: how many chunks they have, and how many of those hold each text of `weighed`.

    `chunk_count` is that of the document itself. Empty, only the document's own words are counted.
    """

    chunks: int = 0
    holders: Mapping[str, int] = field(default_factory=dict)
    chunk_count: int = 0

    def elsewhere(self, text: str, own_share: float) -> float:
        """Chunks of other documents that hold the text, when this share of the document's own does."""
        return max(0.0, self.holders.get(text, 0) - own_share * self.chunk_count)

    def is_shared(self, text: str, own_share: float) -> bool:
        """Whether so many others hold the text that it leads to none of them."""
        return self.elsewhere(text, own_share) >= max(_SHARED_BY, _SHARED_SHARE * self.chunks)


@dataclass(frozen=True)
class _Source:
    """One sentence with its telling words, best first in `weight`."""

    chunk: int
    lead: str
    terms: tuple[str, ...]
    weight: float


Texts = Sequence[tuple[tuple[str, ...], str]]
"""(headings, text) of chunks in their order."""


def weighed(title: str, texts: Texts) -> frozenset[str]:
    """Everything whose rarity among all documents decides on the questions: words of the text and headings."""
    plain = _plain(texts)
    leads = {_lead_of(heading) for headings, _ in plain for heading in headings}
    words = {word for _, text in plain for pattern in (_TELLING, _ANY_WORD) for word in _words(text, pattern)}
    return frozenset(words | leads)


def make_probes(title: str, texts: Texts, around: Around = Around()) -> list[Probe]:
    """At most two questions, fewer only when the text has fewer words."""
    plain = _plain(texts)
    sources = list(_sources(title, plain, _TELLING, around)) or list(_sources(title, plain, _ANY_WORD, around))
    chosen: list[_Source] = []
    while sources and len(chosen) < PROBES:
        taken = {source.chunk for source in chosen}
        said = {term for source in chosen for term in source.terms}
        best = max(sources, key=lambda source: (_news(source, said) / (1 + (source.chunk in taken)), -source.chunk))
        sources.remove(best)
        if not chosen or _news(best, said) > 0:
            chosen.append(best)
    if len(chosen) == 1 and len(chosen[0].terms) > 1:
        only, half = chosen[0], (len(chosen[0].terms) + 1) // 2
        chosen = [replace(only, terms=only.terms[:half]), replace(only, terms=only.terms[half:])]
    questions = dict.fromkeys(
        _question(title if number == 0 else source.lead, source.terms) for number, source in enumerate(chosen)
    )
    return [Probe(question, language_of(question)) for question in questions]


def _plain(texts: Texts) -> Texts:
    return [(headings, _ADDRESS.sub(" ", unicodedata.normalize("NFKC", text))) for headings, text in texts]


def _news(source: _Source, said: set[str]) -> float:
    """The weight of the source, less where another question says the same words."""
    return source.weight * sum(term not in said for term in source.terms) / len(source.terms)


def _sources(title: str, texts: Texts, pattern: re.Pattern[str], around: Around) -> Iterator[_Source]:
    own = Counter(term for headings, text in texts for term in _terms_of(" ".join((title, *headings, text)), pattern))
    under = Counter(_lead_of(heading) for headings, _ in texts for heading in set(headings))
    for number, (headings, text) in enumerate(texts):
        leads = [_lead_of(heading) for heading in reversed(headings)]
        lead = next((one for one in leads if one and not around.is_shared(one, under[one] / len(texts))), title)
        for start, end in sentence_spans(text):
            sentence = text[start : min(end, start + _LONGEST_SENTENCE_CHARACTERS)]
            words = list(dict.fromkeys(_words(sentence, pattern)))
            # A word that the end of a sentence cut off is nowhere else: 0 of its own chunks have it.
            weights = {word: _weight(word, own[word.casefold()] / len(texts), around) for word in words}
            best = sorted(words, key=lambda word: -weights[word])[:_TERMS]
            if best:
                terms = tuple(word for word in words if word in best)
                yield _Source(number, lead, terms, sum(weights[word] for word in best))


def _terms_of(text: str, pattern: re.Pattern[str]) -> set[str]:
    return {word.casefold() for word in _words(text, pattern)}


def _words(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Words in their order. A word of an alphabet is taken whole or not at all; a run of kanji may be cut."""
    words = [match[0] for match in pattern.finditer(text)]
    return [
        word if word.isascii() else word[:_LONGEST_TERM_CHARACTERS]
        for word in words
        if word.casefold() not in _SMALL_WORDS and not (word.isascii() and len(word) > _LONGEST_WORD_CHARACTERS)
    ]


def _weight(word: str, own_share: float, around: Around) -> float:
    """Rarity among all documents and within its own, and length: long words are rarer in every corpus.

    Up to `_RARE` chunks of others make no difference: a slip of the pen is rarer than any name, and nobody remembers it.
    """
    rarity = math.log((around.chunks + _RARE) / (around.elsewhere(word, own_share) + _RARE))
    return (1.0 + rarity - math.log(max(own_share, _LEAST_SHARE))) * math.sqrt(min(len(word), 8))


def _lead_of(heading: str) -> str:
    """The title or heading as it is typed: without its number, and not too long."""
    lead = _NUMBERING.sub("", " ".join(unicodedata.normalize("NFKC", heading).split()))
    if len(lead) > _LEAD_CHARACTERS:
        # A word of an alphabet is not cut in two: half a word matches nothing.
        is_inside_word = lead[_LEAD_CHARACTERS].isascii() and lead[_LEAD_CHARACTERS].isalnum()
        cut = lead[:_LEAD_CHARACTERS]
        lead = cut.rpartition(" ")[0] or cut if is_inside_word else cut
    return lead.strip()


def _question(lead: str, terms: Sequence[str]) -> str:
    """The lead and the words; those of the lead come once."""
    lead = _lead_of(lead)
    return " ".join(
        part for part in (lead, *(term for term in terms if term.casefold() not in lead.casefold())) if part
    )
