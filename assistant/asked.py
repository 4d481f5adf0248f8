"""What a question names to the letter, and whether the cited passages name it too. Pure; knows no model.

question ─▶ identifiers, years, dates, paragraphs ─▶ in a cited passage? ─ yes ─▶ nothing
                 │ no
                 ├─▶ an identifier, and they name one that is easily taken for it ─▶ other_identifier: no answer
                 └─▶ anything else ─▶ asked_name_missing: the answer stays, and says so

A small model that is asked about MX-5000 answers from the page of MX-5000C, and each of its figures has a source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.domain import Notice, Passage
from assistant.figures import Figure, figures_of, source_keys
from assistant.support import sayings
from assistant.text import normalise

_NAMING = frozenset({"date", "year", "article", "ref"})
"""Kinds of figures that say which one is meant; quantities, times and amounts are told about oneself: 勤続3年の社員."""
_LENGTH = re.compile(r"year:\d{1,3}$")
"""3年 is as a rule how long, not which year."""
_PIECES = re.compile(r"[a-z]+|\d+")
_BETWEEN = r"[\s\-_./]*"
_LEAST_LETTERS = 2
"""From so many equal letters at their beginning two identifiers are of one kind; with fewer, their shapes must agree."""


@dataclass(frozen=True)
class Unnamed:
    """What has to be said about names of the question that the cited passages lack; `is_other`: the answer is about
    something else, which is easily taken for what was asked."""

    notices: tuple[Notice, ...] = ()
    is_other: bool = False


def unnamed(
    question: str, answer: str, *, own: str = "", cited: Sequence[Passage], offered: Sequence[Passage]
) -> Unnamed:
    """Which identifiers, years, dates and paragraphs of the question no cited passage names.

    `own` are the person's words where `question` is a follow-up made to stand alone: 「MX-5000Dは?」 leaves the identifier of
    the question before behind, and 「2027年度は?」 its year, though both stand in `question`.
    An answer that names the other identifier itself (「MX-5000Cは…」) is no mistake: it stays, with the notice.
    """
    said = [normalise(sayings(passage)) for passage in cited]
    asked = _asked_for(own, question, _is_identifier)
    missing = [figure for figure in asked if not any(_stands_in(figure, text) for text in said)]
    known = source_keys([sayings(passage) for passage in cited])
    others = [figure for figure in _asked_for(own, question, _names_which) if not figure.keys & known]
    everywhere = [normalise(sayings(passage)) for passage in offered]
    if asked and not any(_stands_in(figure, text) for figure in asked for text in everywhere):
        for figure in missing:
            twin = _twin(figure, cited)
            if twin is not None and not _stands_in(twin, normalise(answer)):
                return Unnamed((_other_notice(figure.text, twin.text),), is_other=True)
    return Unnamed(tuple(_missing_notice(text) for text in dict.fromkeys(f.text for f in [*missing, *others])))


def _asked_for(own: str, question: str, is_meant: Callable[[Figure], bool]) -> list[Figure]:
    """The figures of a kind in the person's own words; where those have none, in the whole question."""
    return [f for f in figures_of(own) if is_meant(f)] or [f for f in figures_of(question) if is_meant(f)]


def _is_identifier(figure: Figure) -> bool:
    return "id" in _kinds(figure)


def _names_which(figure: Figure) -> bool:
    return bool(_kinds(figure) & _NAMING) and not any(_LENGTH.match(key) for key in figure.keys)


def _kinds(figure: Figure) -> set[str]:
    return {key.partition(":")[0] for key in figure.keys}


def _pieces(text: str) -> list[str]:
    return _PIECES.findall(normalise(text))


def _stands_in(figure: Figure, text: str) -> bool:
    """Whether the text names it, however it is joined (ISO9001, ISO 9001), also as the later half of MX-2040B/2080B."""
    pieces = _pieces(figure.text)
    whole = r"(?<![a-z0-9])" + _BETWEEN.join(pieces)
    first_digits = next((place for place, piece in enumerate(pieces) if piece.isdigit()), 0)
    later = r"[/,、・~]\s*" + _BETWEEN.join(pieces[first_digits:])
    return bool(re.search(rf"(?:{whole}|{later})(?![a-z0-9])", text))


def _twin(figure: Figure, passages: Sequence[Passage]) -> Figure | None:
    """The first identifier of the passages that is of the same kind as this one: MX-5000C for MX-5000."""
    for passage in passages:
        for other in figures_of(sayings(passage)):
            if _is_identifier(other) and _is_twin(_pieces(figure.text), _pieces(other.text)):
                return other
    return None


def _is_twin(one: Sequence[str], other: Sequence[str]) -> bool:
    if not one or not other or one[0] != other[0] or one[0].isdigit():
        return False
    return len(one[0]) >= _LEAST_LETTERS or [piece.isdigit() for piece in one] == [piece.isdigit() for piece in other]


def _other_notice(asked: str, found: str) -> Notice:
    return Notice(
        code="other_identifier",
        message_ja=f"「{asked}」は見つかった文書に書かれていません。書かれているのは「{found}」です。",
        message_en=f'"{asked}" does not occur in the documents found. They are about "{found}".',
    )


def _missing_notice(asked: str) -> Notice:
    return Notice(
        code="asked_name_missing",
        message_ja=f"質問の「{asked}」は、引用元の文書に書かれていません。",
        message_en=f'"{asked}" of the question does not occur in the sources cited.',
    )
