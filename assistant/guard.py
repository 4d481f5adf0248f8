"""Checks an answer's figures and quotations against its sources. Pure; knows no model.

answer ─▶ sentences ─▶ figures.py ─▶ stands in a passage that the sentence cites? ─ no ─▶ number_not_in_sources
                    │               │ yes: but does it say another figure in the same words? ─▶ number_not_in_sources
                    └▶ 「…」 ──────▶ likewise, literally ──────────────────────── no ─▶ quote_changed

What the person asked with may be said again, unless the question is whether it is so: then the sources must say it, or the
sentence compares it with what they say. Labels that an answer counts up itself (Step 1:, ①) are none of its figures.
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

_QUOTED = re.compile(r"「([^「」]{2,400})」|『([^『』]{2,400})』|“([^“”]{2,400})”|(?<!\d)\"([^\"\n]{2,400})\"")
"""Not the sign for inches: a 24" display."""
_LEAST_QUOTED_CHARACTERS = 8
"""A shorter 「…」 is a name or an emphasised word rather than a quotation."""
_LEFT_OUT = re.compile(r"\s*[(\[（［]?(?:…+|‥+|\.{3,}|・{3,}|[(\[（［]中?略[)\]）］])[)\]）］]?\s*")
_LABELS = tuple(
    re.compile(pattern, re.MULTILINE | re.IGNORECASE)
    for pattern in (
        r"(?:^[ \t>#*・-]{0,8}(?:ステップ|手順|step)\s?(?P<n>\d{1,2})(?=[:：.．、)）*\s])|(?:ステップ|手順|step)\s?(?P<m>\d{1,2})(?=\s?[:：]))",
        r"(?<![0-9A-Za-z条項])[(（](?P<n>\d{1,2})[)）]",
        r"(?P<n>[①-⑳])",
        r"\b(?P<n>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)(?:ly)?,",
    )
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
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
_SUPPOSED_AFTER = re.compile(r"^[^、。,.]{0,14}?(?:なら|場合|でも|だと|であれば|れば|たら|ても|とき)")
_SUPPOSED_BEFORE = re.compile(r"\bif\b[^,.;]{0,40}$", re.IGNORECASE)
_BOUND_AFTER = re.compile(
    r"^(?:の?(?:上限|下限|限度|範囲)|を?(?:超え|上回|下回)|以上|以下|以内|未満|まで|より|に(?:満た|足り)| or (?:more|less)| limit)"
)
_BOUND_BEFORE = re.compile(
    r"(?:(?:上限|下限|限度)(?:額|である)?[のはが]?|\b(?:exceeds?|above|below|over|under|than|least|most|within|beyond|up to"
    r"|(?:limit|maximum|minimum|cap) (?:of|is)))\s?[¥$€£]?$",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"named:(?:tier|level|grade|class|type|step|stage|phase|severity|sev|priority|category|version|chapter|section|part|group"
    r"|rank|zone|band|option|plan|line|model|series)\d"
)
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
    own = source_keys(asked)
    is_checked = asks_whether(asked[0] if asked else "")
    labels = _labels(answer)
    notices: list[Notice] = []
    said = [sayings(passage) for passage in passages]
    for start, end in sentence_spans(answer):
        sentence = answer[start:end]
        sources = [said[n - 1] for n in _numbers(sentence, passages) or cited]
        blanked = MARK.sub(lambda mark: " " * len(mark[0]), sentence)
        known = source_keys(sources)
        figures = [figure for figure in figures_of(blanked) if figure.start + start not in labels]
        bounds = _bounds(blanked, figures, known) if is_checked else frozenset()
        for figure in figures:
            if figure.keys & known:
                is_wrong = _is_contradicted(blanked, figure, sources)
            else:
                may_repeat = figure.keys & own and (not is_checked or _is_compared(blanked, figure, bounds))
                is_wrong = not may_repeat and not _is_denied(blanked, figure)
            if is_wrong:
                notices.append(_figure_notice(figure, offset=start))
        notices.extend(
            _quote_notice(match[0], match.start() + start, match.end() + start)
            for match in _QUOTED.finditer(blanked)
            if len(letters_of(match[0])) >= _LEAST_QUOTED_CHARACTERS and not _is_literal(match[0], [*sources, *asked])
        )
    return notices


def asks_whether(question: str) -> bool:
    """Whether a question can be answered by yes or no: 「15,000円ですか?」, "Is it 15,000 yen?"."""
    plain = normalise(question).strip()
    return bool(_ASKS_WHETHER.search(plain)) and not _ASKS_WHICH.search(plain)


def _numbers(text: str, passages: Sequence[Passage]) -> list[int]:
    return [n for n in dict.fromkeys(map(int, MARK.findall(text))) if 1 <= n <= len(passages)]


def _labels(answer: str) -> frozenset[int]:
    """The places of labels that the answer counts up from one: Step 1: … Step 2:, (1)…(2), ①…②, first, … second,"""
    places: set[int] = set()
    for pattern in _LABELS:
        counted: list[re.Match[str]] = []
        last = 0
        for match in pattern.finditer(answer):
            number = _label_number(next(group for group in match.groups() if group))
            if number <= last + 1:
                counted.append(match)
                last = max(last, number)
        if last > 1:
            places.update(place for match in counted for place in range(*match.span()))
    return frozenset(places)


def _label_number(label: str) -> int:
    return _ORDINALS.index(label.lower()) + 1 if label.lower() in _ORDINALS else int(normalise(label))


def _bounds(sentence: str, figures: Sequence[Figure], known: frozenset[str]) -> frozenset[frozenset[str]]:
    """The kinds of figures that the sources say and the sentence holds others against: 上限の12,000円, at least five."""
    return frozenset(
        frozenset(_kinds(figure.keys)) for figure in figures if figure.keys & known and _is_bound(sentence, figure)
    )


def _is_compared(sentence: str, figure: Figure, bounds: frozenset[frozenset[str]]) -> bool:
    """Whether the asker's own figure is supposed (15,000円なら) or held against a bound of its kind."""
    before = sentence[max(0, figure.start - 2 * _DENIAL_CHARACTERS) : figure.start]
    after = sentence[figure.end : figure.end + _DENIAL_CHARACTERS]
    if _SUPPOSED_AFTER.search(after) or _SUPPOSED_BEFORE.search(before):
        return True
    return frozenset(_kinds(figure.keys)) in bounds and not _is_bound(sentence, figure)


def _is_bound(sentence: str, figure: Figure) -> bool:
    before = sentence[max(0, figure.start - _DENIAL_CHARACTERS) : figure.start]
    after = sentence[figure.end : figure.end + _DENIAL_CHARACTERS]
    return bool(_BOUND_AFTER.search(after) or _BOUND_BEFORE.search(before))


def _is_literal(quotation: str, sources: Sequence[str]) -> bool:
    """Whether one of the sources says the quotation word for word; where it leaves something out, its parts in their order."""
    parts = [letters for part in _LEFT_OUT.split(quotation) if (letters := letters_of(part))]
    if len(parts) == 1:
        return parts[0] in "".join(_letters_of_source(text) for text in sources)
    return any(_in_order(parts, _letters_of_source(text)) for text in sources)


def _in_order(parts: Sequence[str], letters: str) -> bool:
    place = 0
    for part in parts:
        found = letters.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _is_denied(sentence: str, figure: Figure) -> bool:
    """15,000円ではなく, "not 15,000 yen": said in order to be denied."""
    before = sentence[max(0, figure.start - _DENIAL_CHARACTERS) : figure.start]
    after = sentence[figure.end : figure.end + _DENIAL_CHARACTERS]
    return bool(_DENIED_AFTER.search(after) or _DENIED_BEFORE.search(before))


def _is_contradicted(sentence: str, figure: Figure, sources: Sequence[str]) -> bool:
    """Whether a source says, in the words around the figure, another one of the same kind: 取得日の4営業日前までに where
    it says 取得日の3営業日前までに and has its 4営業日 elsewhere."""
    kinds = _kinds(figure.keys)
    if not kinds or _names(figure) & source_keys(sources):
        return False
    around = _around(sentence, figure)
    same = other = 0
    for source in sources:
        for words, keys, row in _said_of(source).get(around[0][-_LEAST_SIDE:], ()):
            alike = _alike(around, words)
            if keys & figure.keys or (row & _measured(figure.keys) and _begin_alike(around[0], words[0])):
                same = max(same, alike)
            elif _kinds(keys) == kinds:
                other = max(other, alike)
    return other >= _LEAST_CONTEXT and other >= same + _CLEARER_BY


def _names(figure: Figure) -> set[str]:
    """Tier 2, level 3: what a number names in a source is not another number's contradiction."""
    return {key for key in figure.keys if _NAME.match(key)}


_Said = tuple[tuple[str, str], frozenset[str], frozenset[str]]


@lru_cache(maxsize=REMEMBERED_SOURCES)
def _said_of(source: str) -> Mapping[str, Sequence[_Said]]:
    """The words around each figure of a source, its keys and those of its row, by the last letters before it: without these,
    nothing is alike."""
    said: dict[str, dict[_Said, None]] = {}
    figures = figures_of(source)
    rows = _rows(source, figures)
    for figure in figures:
        around = _around(source, figure)
        said.setdefault(around[0][-_LEAST_SIDE:], {})[around, figure.keys, rows.get(figure.start, frozenset())] = None
    return {letters: tuple(figures) for letters, figures in said.items()}


def _rows(source: str, figures: Sequence[Figure]) -> dict[int, frozenset[str]]:
    """For each figure in a line with cells the keys of all figures of its line: a row has a value for each of its columns."""
    rows: dict[int, frozenset[str]] = {}
    first = 0
    waiting = list(reversed(figures))
    for line in source.splitlines(keepends=True):
        inside: list[Figure] = []
        first += len(line)
        while waiting and waiting[-1].start < first:
            inside.append(waiting.pop())
        if "|" in line or "\t" in line:
            keys = frozenset().union(*(figure.keys for figure in inside))
            rows |= {figure.start: keys for figure in inside}
    return rows


@lru_cache(maxsize=REMEMBERED_SOURCES)
def _letters_of_source(text: str) -> str:
    return letters_of(text)


def _measured(keys: frozenset[str]) -> frozenset[str]:
    """The keys without those of the bare number, unless there are no others: ③ in a row is not its 3時間."""
    return frozenset(key for key in keys if key.partition(":")[0] not in {"?", "any"}) or keys


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
    if _begin_alike(one[0], other[0]):
        return max(before + after, _LEAST_CONTEXT)
    is_alike_before = before >= _LEAST_SIDE or one[0] == other[0] == ""
    is_alike_after = after >= _LEAST_SIDE or one[1] == other[1] == ""
    return before + after if is_alike_before and is_alike_after else 0


def _begin_alike(one: str, other: str) -> bool:
    """Whether two figures are the first behind the same beginning of their lines."""
    return one == other and _LEAST_ROW <= len(one) < _CONTEXT_CHARACTERS and not any(c.isdigit() for c in one)


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
