"""Checks an answer's figures and quotations against its sources. Pure; knows no model.

answer ─▶ sentences ─▶ figures.py ─▶ stands in a passage that the sentence cites? ─ no ─▶ number_not_in_sources
                    │               │ yes: but does it say another figure in the same words? ─▶ number_not_in_sources
                    └▶ 「…」 ──────▶ likewise, literally ──────────────────────── no ─▶ quote_changed

What the person asked with may be said again, unless the question is whether it is so: then the sources must say it.
The answer is never changed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from assistant.domain import Notice, Passage
from assistant.figures import Figure, figures_of, source_keys
from assistant.marks import MARK
from assistant.measures import BESIDE
from assistant.support import REMEMBERED_SOURCES, sayings
from assistant.text import letters_of, normalise, sentence_spans

_QUOTED = re.compile(r"「([^「」]{2,400})」|『([^『』]{2,400})』|“([^“”]{2,400})”|\"([^\"\n]{2,400})\"")
_LEAST_QUOTED_CHARACTERS = 8
"""A shorter 「…」 is a name or an emphasised word rather than a quotation."""
_ASKS_WHICH = re.compile(
    r"何|いつ|いくつ|いくら|誰|だれ|どこ|どの|どれ|どちら|どう|どんな|なぜ|幾|(?:^|\b)(?:what|when|where|which|who|whom|how|why)\b"
)
_ASKS_WHETHER = re.compile(
    r"(?:ですか|ますか|ませんか|でしょうか|ましたか|よいか|良いか|いいか|正しいか|よね)[?。]*\s*$"
    r"|^\s*(?:is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have)\b"
)
_CONTEXT_CHARACTERS = 16
_LEAST_CONTEXT, _LEAST_SIDE, _CLEARER_BY, _LEAST_ROW = 6, 2, 4, 3
"""From how many equal characters around two figures, at least so many on each side, they are said of the same thing; and
by how many the wrong one must be clearer than the right one (trials: docs/lab-notes.md, 2026-11-26)."""
_NOT_COMPARED = frozenset(
    {"?", "any", "id", "url", "mail", "article", "clause", "item", "chapter", "ref", "open", "open_clause"}
)
"""Kinds of figures that stand side by side in the same words: identifiers, addresses, paragraphs of a law."""
_DENIED_AFTER = re.compile(r"^.{0,3}(?:では|じゃ|で)な[いくか]")
_DENIAL_CHARACTERS = 40
"""More than either of the two can span."""
_DENIED_BEFORE = re.compile(r"\b(?:not|isn't|no longer|instead of|rather than)\s[^.]{0,12}$", re.IGNORECASE)


def unsourced(answer: str, passages: Sequence[Passage], *, asked: Sequence[str]) -> list[Notice]:
    """A notice for each figure and quotation that the passages cited by its sentence lack, with its place in `answer`.

    `passages` are numbered from 1 as the marks are. A sentence without a mark is held to all cited passages, an answer
    without any to all passages. `asked` are the person's own words: the question, and those before it.
    """
    cited = _numbers(answer, passages) or list(range(1, len(passages) + 1))
    excused = frozenset[str]() if asks_whether(asked[0] if asked else "") else source_keys(asked)
    notices: list[Notice] = []
    said = [sayings(passage) for passage in passages]
    for start, end in sentence_spans(answer):
        sentence = answer[start:end]
        sources = [said[n - 1] for n in _numbers(sentence, passages) or cited]
        blanked = MARK.sub(lambda mark: " " * len(mark[0]), sentence)
        known = source_keys(sources)
        for figure in figures_of(blanked):
            if figure.keys & known:
                is_wrong = _is_contradicted(blanked, figure, sources)
            else:
                is_wrong = not figure.keys & excused and not _is_denied(blanked, figure)
            if is_wrong:
                notices.append(_figure_notice(figure, offset=start))
        quoted = [match for match in _QUOTED.finditer(blanked) if len(letters_of(match[0])) >= _LEAST_QUOTED_CHARACTERS]
        plain = "".join(_letters_of_source(text) for text in [*sources, *asked]) if quoted else ""
        notices.extend(
            _quote_notice(match[0], match.start() + start, match.end() + start)
            for match in quoted
            if letters_of(match[0]) not in plain
        )
    return notices


def asks_whether(question: str) -> bool:
    """Whether a question can be answered by yes or no: 「15,000円ですか?」, "Is it 15,000 yen?"."""
    plain = normalise(question).strip()
    return bool(_ASKS_WHETHER.search(plain)) and not _ASKS_WHICH.search(plain)


def _numbers(text: str, passages: Sequence[Passage]) -> list[int]:
    return [n for n in dict.fromkeys(map(int, MARK.findall(text))) if 1 <= n <= len(passages)]


def _is_denied(sentence: str, figure: Figure) -> bool:
    """15,000円ではなく, "not 15,000 yen": said in order to be denied."""
    before = sentence[max(0, figure.start - _DENIAL_CHARACTERS) : figure.start]
    after = sentence[figure.end : figure.end + _DENIAL_CHARACTERS]
    return bool(_DENIED_AFTER.search(after) or _DENIED_BEFORE.search(before))


def _is_contradicted(sentence: str, figure: Figure, sources: Sequence[str]) -> bool:
    """Whether a source says, in the words around the figure, another one of the same kind: 取得日の4営業日前までに where
    it says 取得日の3営業日前までに and has its 4営業日 elsewhere."""
    kinds = _kinds(figure.keys)
    if not kinds:
        return False
    around = _around(sentence, figure)
    same = other = 0
    for source in sources:
        for words, keys in _said_of(source).get(around[0][-_LEAST_SIDE:], ()):
            alike = _alike(around, words)
            if keys & figure.keys:
                same = max(same, alike)
            elif _kinds(keys) == kinds:
                other = max(other, alike)
    return other >= _LEAST_CONTEXT and other >= same + _CLEARER_BY


@lru_cache(maxsize=REMEMBERED_SOURCES)
def _said_of(source: str) -> Mapping[str, Sequence[tuple[tuple[str, str], frozenset[str]]]]:
    """The words around each figure of a source and its keys, by the last letters before it: without these, nothing is alike."""
    said: dict[str, dict[tuple[tuple[str, str], frozenset[str]], None]] = {}
    for figure in figures_of(source):
        around = _around(source, figure)
        said.setdefault(around[0][-_LEAST_SIDE:], {})[around, figure.keys] = None
    return {letters: tuple(figures) for letters, figures in said.items()}


@lru_cache(maxsize=REMEMBERED_SOURCES)
def _letters_of_source(text: str) -> str:
    return letters_of(text)


def _kinds(keys: frozenset[str]) -> set[str]:
    kinds = {key.partition(":")[0] for key in keys} - BESIDE
    return {"bare"} if kinds <= {"?", "any"} else kinds - _NOT_COMPARED


def _around(text: str, figure: Figure) -> tuple[str, str]:
    """The letters before and after the figure on its line."""
    before = text[max(0, figure.start - 2 * _CONTEXT_CHARACTERS) : figure.start].rpartition("\n")[2]
    after = text[figure.end : figure.end + 2 * _CONTEXT_CHARACTERS].partition("\n")[0]
    return letters_of(before)[-_CONTEXT_CHARACTERS:], letters_of(after)[:_CONTEXT_CHARACTERS]


def _alike(one: tuple[str, str], other: tuple[str, str]) -> int:
    """Equal letters next to two figures, both sides together; 0 unless both sides are alike, or both end there.

    A first figure behind the same beginning of the line, as in a row of a table, is alike without more.
    """
    before = _common(one[0][::-1], other[0][::-1])
    after = _common(one[1], other[1])
    if one[0] == other[0] and _LEAST_ROW <= before < _CONTEXT_CHARACTERS and not any(c.isdigit() for c in one[0]):
        return max(before + after, _LEAST_CONTEXT)
    is_alike_before = before >= _LEAST_SIDE or one[0] == other[0] == ""
    is_alike_after = after >= _LEAST_SIDE or one[1] == other[1] == ""
    return before + after if is_alike_before and is_alike_after else 0


def _common(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _figure_notice(figure: Figure, *, offset: int) -> Notice:
    return Notice(
        code="number_not_in_sources",
        message_ja=f"「{figure.text}」は引用元の文書に見つかりません。原文を確かめてください。",
        message_en=f'"{figure.text}" does not occur in the sources. Check the original.',
        start=figure.start + offset,
        end=figure.end + offset,
    )


def _quote_notice(quotation: str, start: int, end: int) -> Notice:
    return Notice(
        code="quote_changed",
        message_ja=f"{quotation} は引用元の文のとおりではありません。原文を確かめてください。",
        message_en=f"{quotation} is not word for word what the sources say. Check the original.",
        start=start,
        end=end,
    )
