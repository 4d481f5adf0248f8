"""When an answer says nothing: the agreed sentence, a sentence to the same effect, or nothing that has a source. Pure.

A refusal is a state of the answer, not a phrase in it:

A clause refuses when it is the agreed sentence, says so of a topic or in near words, or says that something is not written or not
known (silence.py) and its source denies nothing of the kind: it repeats the source's words whether it refuses or answers, so that
only a denial in the source makes it an answer (「監査文書に個人情報は含まれていません」). A sentence refuses with one of its clauses.

every sentence refuses                        -> refused, not_in_documents
some refuse, the others have no source        -> refused, not_in_documents
some refuse, the others have one              -> an answer, with the notice partly_answered
none refuses, and no fact has a source        -> refused, not_in_documents, with the notice answer_without_source

A document that quotes the agreed sentence does not make an answer about it a refusal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.cite import CitedText
from assistant.domain import Notice
from assistant.figures import figures_of, source_keys
from assistant.marks import MARK
from assistant.pack import REFUSAL
from assistant.silence import (
    cannot_answer,
    clauses,
    denials,
    is_of_kind,
    names_passages,
    own_words,
    silence,
)
from assistant.support import BACKED, shares_language
from assistant.text import lexical_terms, normalise, overlap, sentence_spans

_BETWEEN = re.compile(r"[\s\"'“”‘’「」『』。、.,!?:;*_`()（）\[\]#>-]+")
_COURTESY = re.compile(
    r"^(?:申し訳(?:ありません|ございません)が|恐れ入りますが|すみませんが|残念ながら|sorry(?:but)?|iamsorrybut|imsorrybut|unfortunately)+"
)
_DENIED = 0.5
"""Share of a clause's telling words in a denying sentence of its source from which that denies the same. From .4 to .6 nothing
differs; with letter pairs in their place three right answers of 32 were lost (docs/lab-notes.md, 2026-11-28)."""
_NEGATIONS = frozenset({"no", "not", "cannot"})
_LEAST_REST = 8
"""Letters that a sentence must have beside its refusal to answer as well: 「…できませんが、3営業日前までに申請します」."""


@dataclass(frozen=True)
class Verdict:
    """Whether the answer is a refusal, and what has to be said about it."""

    is_refusal: bool
    notices: tuple[Notice, ...] = ()


def refuses(text: str) -> bool:
    """Whether the text is nothing but the agreed sentence, in either language, with courtesies and marks around it."""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    said = [sentence for sentence in sentences if _bare(sentence)]
    return bool(said) and all(_is_agreed(sentence) for sentence in said)


def verdict(cited: CitedText) -> Verdict:
    """What the checked answer amounts to."""
    if refuses(cited.text):
        return Verdict(is_refusal=True)
    sentences = [cited.text[start:end] for start, end in sentence_spans(cited.text)]
    said = {sentence: _said(sentence, cited) for sentence in sentences}
    nothing = [sentence for sentence in sentences if said[sentence].refuses]
    has_source = any(
        one.is_stated if one.refuses else bool(MARK.search(sentence) and _bare(sentence))
        for sentence, one in said.items()
    )
    if nothing and not has_source:
        return Verdict(is_refusal=True)
    if nothing:
        return Verdict(is_refusal=False, notices=(_PARTLY,))
    if not cited.citations:
        return Verdict(is_refusal=True, notices=(_WITHOUT_SOURCE,))
    return Verdict(is_refusal=False)


def _bare(sentence: str) -> str:
    return _BETWEEN.sub("", normalise(MARK.sub("", sentence)))


def _is_agreed(sentence: str) -> bool:
    bare = _COURTESY.sub("", _bare(sentence))
    return any(bare == _bare(agreed) for agreed in REFUSAL.values())


@dataclass(frozen=True)
class _Said:
    """Whether a sentence refuses, and whether a source states what it says beside that."""

    refuses: bool
    is_stated: bool = False


def _said(sentence: str, cited: CitedText) -> _Said:
    if _is_agreed(sentence):
        return _Said(refuses=True)
    numbers = set(map(int, MARK.findall(sentence)))
    quotes = [citation.quote for citation in cited.citations if citation.number in numbers]
    parts, whole = clauses(sentence), own_words(sentence)
    silent = [part for part in parts if silence(part) or cannot_answer(part) or _is_agreed(part)]
    suspect = [*silent, whole] if cannot_answer(whole) else silent
    if all(not _is_agreed(part) and any(_denies(quote, part) for quote in quotes) for part in suspect):
        return _Said(refuses=False)
    rest = " ".join(part for part in parts if part not in silent)
    return _Said(refuses=True, is_stated=any(_states(quote, rest) for quote in quotes))


def _denies(quote: str, clause: str) -> bool:
    """Whether the source denies just what the clause does: in shared words, or, in another language, at all."""
    denying = [denial for denial in denials(quote) if is_of_kind(clause, denial)]
    if names_passages(clause) and not names_passages(quote):
        return False
    if not shares_language(clause, quote):
        return bool(denying)
    words = set(lexical_terms(clause, for_query=True)) - _NEGATIONS
    return any(len(words & set(lexical_terms(denial))) >= _DENIED * len(words) for denial in denying)


def _states(quote: str, rest: str) -> bool:
    """Whether the source states what stands beside a refusal; in another language its figures tell."""
    if len(_bare(rest)) < _LEAST_REST:
        return False
    if shares_language(rest, quote):
        return overlap(rest, quote) >= BACKED
    known = source_keys([quote])
    return any(figure.keys & known for figure in figures_of(rest))


_PARTLY = Notice(
    code="partly_answered",
    message_ja="質問の一部は、見つかった文書に書かれていません。",
    message_en="The documents found do not say everything that was asked.",
)
_WITHOUT_SOURCE = Notice(
    code="answer_without_source",
    message_ja="モデルの書いた文を裏づける箇所が文書に見つからないため、回答を示していません。",
    message_en="The model's sentences are not confirmed by any passage, so they are not shown.",
)
