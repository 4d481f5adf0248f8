"""Citation marks of an answer -> citations whose quote is the exact source text. Pure; knows no model.

                      ┌ says something else: removed ┐
answer ─▶ [n] known? ─┤                              ├─▶ not backed by any? the passage that plainly says it instead
                      └ may say it: kept             ┘      └ none left ─▶ sentence_without_source, with its place

The model writes marks in many ways (marks.py); what leaves here is only [n] with an entry for each n. The text itself is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from assistant.domain import Citation, Notice, Passage
from assistant.marks import BRACKETED, MARK, numbers_in, with_code_unmarked, without_long_numbers
from assistant.support import is_backed, is_foreign, needs_no_source, plain_source, quote_span, says_more, states_fact
from assistant.text import overlap, sentence_spans

_MARKS_AFTER_END = re.compile(r"(?:([。!?！？])(\s*(?:\[\d{1,3}\])+)[。.]?|(\.)(\s*(?:\[\d{1,3}\])+)(?!\s?[.,;、。]))")
"""「…です。[1]」. In "until 6 p.m. [1]." the full stop before the mark is the abbreviation's."""
_BETWEEN_MARKS = re.compile(r"(?<=\])\s?(?:[,、，・&]|と|及び|および|and)\s?(?=\[\d{1,3}\])")
_HEADED_TABLE = re.compile(r"\n[ \t]*\|?[ \t]*:?-{2,}")
"""What follows the head of a table."""
_END_MARKS = "。.!?！？"


@dataclass(frozen=True)
class CitedText:
    """An answer with checked marks and its citations; how many of its sentences state a fact, and how many of those
    have a source; and what had to be changed or could not be supported."""

    text: str
    citations: tuple[Citation, ...]
    notices: tuple[Notice, ...]
    facts: int = 0
    sourced: int = 0


@dataclass(frozen=True)
class _Judged:
    """One sentence with the marks that hold. `needs_source` when it states a fact."""

    text: str
    numbers: tuple[int, ...]
    needs_source: bool
    removed: int


def cite(answer: str, passages: Sequence[Passage]) -> CitedText:
    """The answer with marks [n] to `passages` (numbered from 1), each with a citation that quotes its source."""
    steps = citing(answer, passages)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            cited: CitedText = ended.value
            return cited


def citing(answer: str, passages: Sequence[Passage]) -> Generator[None, None, CitedText]:
    """The same in steps of some milliseconds, one for each sentence: a server lets others go on between them."""
    text, unknown = _checked_marks(answer.strip(), len(passages))
    pieces: list[str] = []
    sentences_of: dict[int, list[str]] = {}
    notices: list[Notice] = []
    position = length = facts = sourced = moved = 0
    for start, end in sentence_spans(text):
        judged = _judged(text[start:end], passages, is_head=bool(_HEADED_TABLE.match(text, end)))
        length += start - position
        pieces += [text[position:start], judged.text]
        position = end
        moved += judged.removed
        facts += judged.needs_source
        sourced += judged.needs_source and bool(judged.numbers)
        if judged.needs_source and not judged.numbers:
            notices.append(_unsourced_notice(length, length + len(judged.text)))
        for number in judged.numbers:
            sentences_of.setdefault(number, []).append(MARK.sub("", judged.text))
        length += len(judged.text)
        yield
    citations = tuple(
        citation_of(n, passages[n - 1], _best_span(passages[n - 1], sentences_of[n])) for n in sorted(sentences_of)
    )
    counted = [_unknown_notice(unknown)] if unknown else []
    counted += [_moved_notice(moved)] if moved else []
    return CitedText("".join([*pieces, text[position:]]), citations, (*counted, *notices), facts, sourced)


def _judged(sentence: str, passages: Sequence[Passage], *, is_head: bool) -> _Judged:
    marked = [int(number) for number in dict.fromkeys(MARK.findall(sentence))]
    said = MARK.sub("", sentence)
    if not states_fact(said) or (not marked and (is_head or needs_no_source(said))):
        return _Judged(sentence, tuple(marked), needs_source=False, removed=0)
    kept = [number for number in marked if not is_foreign(said, passages[number - 1])]
    backing = [number for number in kept if is_backed(said, passages[number - 1])]
    if backing:
        sources = [passages[number - 1] for number in backing]
        kept = [number for number in kept if number in backing or says_more(said, passages[number - 1], sources)]
    elif (better := plain_source(said, passages)) and better not in kept:
        kept = [better]
    if kept == marked:
        return _Judged(sentence, tuple(kept), needs_source=True, removed=0)
    removed = len([number for number in marked if number not in kept])
    return _Judged(_with_marks(sentence, kept), tuple(kept), needs_source=True, removed=removed)


def _with_marks(sentence: str, numbers: Sequence[int]) -> str:
    """The sentence with these marks alone, before its end mark."""
    bare = re.sub(r"(?<!\s)\s+(?=[。.!?！？]|$)", "", MARK.sub("", sentence))
    if not numbers:
        return bare
    if bare.startswith("|") and bare.endswith("|"):  # behind the last cell's words, or the row has one cell too many
        return f"{bare[:-1].rstrip()} {''.join(f'[{number}]' for number in numbers)} |"
    body = bare.rstrip(_END_MARKS)
    return f"{body} {''.join(f'[{number}]' for number in numbers)}{bare[len(body) :]}"


def _checked_marks(answer: str, passage_count: int) -> tuple[str, int]:
    """The answer with marks to known passages alone, each as [n], and how many others there were."""
    removed = 0

    def single(match: re.Match[str]) -> str:
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers_in(match[1])))

    def known(match: re.Match[str]) -> str:
        nonlocal removed
        is_known = 1 <= int(match[1]) <= passage_count
        removed += not is_known
        return f"[{int(match[1])}]" if is_known else ""

    text = BRACKETED.sub(single, without_long_numbers(with_code_unmarked(answer)))
    text = MARK.sub(known, _BETWEEN_MARKS.sub("", text))
    # A mark belongs to the sentence before it: 「…です。[1]」 becomes 「…です [1]。」, so that splitting keeps it there.
    text = _MARKS_AFTER_END.sub(lambda match: f" {(match[2] or match[4]).strip()}{match[1] or match[3]}", text)
    return re.sub(r"[ \t]{2,}", " ", text), removed


def _best_span(passage: Passage, sentences: Sequence[str]) -> tuple[int, int]:
    """The place that one of the sentences has most of; each place and each sentence is looked at once."""
    different = dict.fromkeys(sentences)
    spans = dict.fromkeys(quote_span(sentence, passage.text) for sentence in different)

    def share(span: tuple[int, int]) -> float:
        quoted = passage.text[slice(*span)]
        return max(overlap(sentence, quoted) for sentence in different)

    return next(iter(spans)) if len(spans) == 1 else max(spans, key=share)


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


def _unknown_notice(count: int) -> Notice:
    return Notice(
        code="unknown_citations_removed",
        message_ja=f"存在しない抜粋を指す引用番号を {count} 件取り除きました。",
        message_en=f"{count} citation mark(s) to passages that do not exist were removed.",
    )


def _moved_notice(count: int) -> Notice:
    return Notice(
        code="wrong_citations_removed",
        message_ja=f"その文のことが書かれていない抜粋を指す引用番号を {count} 件取り除きました。",
        message_en=f"{count} citation mark(s) to passages that say something else were removed.",
    )


def _unsourced_notice(start: int, end: int) -> Notice:
    return Notice(
        code="sentence_without_source",
        message_ja="下線の文は、見つかった文書では確かめられません。原文を確かめてください。",
        message_en="The underlined sentence is not confirmed by the documents found. Check the originals.",
        start=start,
        end=end,
    )
