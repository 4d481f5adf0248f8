"""Citation marks of an answer -> citations whose quote is the exact source text. Pure; knows no model.

The model writes [1], [1, 2] or 【1】; what leaves here is only [n] with an entry for each n. Marks to unknown passages are
removed and reported. A sentence without a mark gets one when a passage plainly says it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.domain import Citation, Notice, Passage
from assistant.text import normalise, overlap, sentence_spans

_BRACKETED = re.compile(
    r"[\[［【〔]\s*(?:抜粋|passage|source|出典)?\s*(?:番号)?\s*"
    r"([0-9０-９]{1,3}(?:\s*[,、，・;&]\s*[0-9０-９]{1,3})*)\s*[\]］】〕]",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[(\d{1,3})\]")
_MARKS_AFTER_END = re.compile(r"([。.!?！？])(\s*(?:\[\d{1,3}\])+)")
_DIGITS = re.compile(r"[0-9０-９]{1,3}")
SUPPORT = 0.6
"""Share of a sentence's bigrams found in one source sentence from which the source plainly says it."""
SPREAD_WEIGHT = 0.9
"""What words found all over a passage count beside words found in one of its sentences."""
_FIGURE = re.compile(r"[0-9]+(?:[:.,][0-9]+)*")  # 8:45 is one figure, not an 8 and a 45


@dataclass(frozen=True)
class CitedText:
    """An answer with checked marks, its citations, and what had to be removed or could not be supported."""

    text: str
    citations: tuple[Citation, ...]
    notices: tuple[Notice, ...]


def cite(answer: str, passages: Sequence[Passage]) -> CitedText:
    """The answer with marks [n] to `passages` (numbered from 1), each with a citation that quotes its source."""
    text, removed = _checked_marks(answer.strip(), len(passages))
    text = _with_missing_marks(text, passages)
    sentences_of: dict[int, list[str]] = {}
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        for number in dict.fromkeys(int(n) for n in _MARK.findall(sentence)):
            sentences_of.setdefault(number, []).append(_MARK.sub("", sentence))
    citations = tuple(
        citation_of(n, passages[n - 1], _best_span(passages[n - 1], sentences_of[n])) for n in sorted(sentences_of)
    )
    notices = (_removed_notice(removed),) if removed else ()
    return CitedText(text, citations, notices)


def quote_span(sentence: str, source: str) -> tuple[int, int]:
    """(start, end) in `source` of the sentence that best supports `sentence`, or its first one if none does."""
    spans = sentence_spans(source)
    if not spans:
        return 0, len(source)
    best = max(spans, key=lambda span: overlap(sentence, source[span[0] : span[1]]))
    return best if overlap(sentence, source[best[0] : best[1]]) > 0 else spans[0]


def _checked_marks(answer: str, passage_count: int) -> tuple[str, int]:
    removed = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal removed
        numbers = [int(number) for number in _DIGITS.findall(match[1])]
        known = [number for number in dict.fromkeys(numbers) if 1 <= number <= passage_count]
        removed += len(numbers) - len(known)
        return "".join(f"[{number}]" for number in known)

    text = _BRACKETED.sub(replace, answer)
    # A mark belongs to the sentence before it: 「…です。[1]」 becomes 「…です [1]。」, so that splitting keeps it there.
    text = _MARKS_AFTER_END.sub(lambda match: f" {match[2].strip()}{match[1]}", text)
    return re.sub(r"[ \t]{2,}", " ", text), removed


def _with_missing_marks(text: str, passages: Sequence[Passage]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        pieces.append(text[position:start])
        pieces.append(sentence if _MARK.search(sentence) else _supported(sentence, passages))
        position = end
    return "".join([*pieces, text[position:]])


def _supported(sentence: str, passages: Sequence[Passage]) -> str:
    """The sentence with the mark of the passage that plainly says it, or as it was.

    A passage says it when it holds every figure of the sentence and most of its words; one whose single sentence does
    is preferred to one where they are spread.
    """
    best_support, best_number = 0.0, 0
    figures = set(_FIGURE.findall(normalise(sentence)))
    for number, passage in enumerate(passages, start=1):
        if not figures <= set(_FIGURE.findall(normalise(passage.text))):
            continue
        start, end = quote_span(sentence, passage.text)
        in_one_sentence = overlap(sentence, passage.text[start:end])
        support = max(in_one_sentence, SPREAD_WEIGHT * overlap(sentence, passage.text))
        if support > best_support:
            best_support, best_number = support, number
    if best_support < SUPPORT:
        return sentence
    body = sentence.rstrip("。.!?！？")
    return f"{body} [{best_number}]{sentence[len(body) :]}"


def _best_span(passage: Passage, sentences: Sequence[str]) -> tuple[int, int]:
    return max(
        (quote_span(sentence, passage.text) for sentence in sentences),
        key=lambda span: max(overlap(sentence, passage.text[span[0] : span[1]]) for sentence in sentences),
    )


def citation_of(number: int, passage: Passage, span: tuple[int, int]) -> Citation:
    """The citation [number] that quotes `passage.text[span]`, with offsets in the version's text."""
    start, end = span
    return Citation(
        number=number,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        version_id=passage.version_id,
        title=passage.title,
        path=passage.path,
        page=passage.page,
        heading_path=passage.heading_path,
        quote=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
    )


def _removed_notice(count: int) -> Notice:
    return Notice(
        code="unknown_citations_removed",
        message_ja=f"存在しない抜粋を指す引用番号を {count} 件取り除きました。",
        message_en=f"{count} citation mark(s) to passages that do not exist were removed.",
    )
