"""Checks an answer's figures against its sources. Pure; knows no model.

Every number in the answer must occur in the passages that it was written from, after normalisation (full width, thousands
separators, kanji digits of everyday use). A figure that does not is reported with its place; the answer is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain import Notice, Passage
from assistant.text import normalise, with_western_years

_MARK = re.compile(r"\[\d{1,2}\]")
_NUMBER = re.compile("[0-9\uff10-\uff19][0-9\uff10-\uff19,\uff0c]*(?:[.\uff0e][0-9\uff10-\uff19]+)?")
_KANJI_DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789")
_KANJI_NUMBER = re.compile(r"[一二三四五六七八九十]+(?=[日月年回人件名社割円つ週時分条章か個ヶヵ営])")


def numbers_without_source(answer: str, passages: Sequence[Passage], *, question: str) -> list[Notice]:
    """One notice for each number of the answer that neither the passages nor the question contain."""
    known = _numbers_of(" ".join([question, *(f"{p.title} {' '.join(p.heading_path)} {p.text}" for p in passages)]))
    blanked = _MARK.sub(lambda mark: " " * len(mark[0]), answer)
    notices = []
    for match in _NUMBER.finditer(blanked):
        if _plain(match[0]) not in known:
            notices.append(
                Notice(
                    code="number_not_in_sources",
                    message_ja=f"「{match[0]}」は引用元の文書に見つかりません。原文を確かめてください。",
                    message_en=f'"{match[0]}" does not occur in the sources. Check the original.',
                    start=match.start(),
                    end=match.end(),
                )
            )
    return notices


def _numbers_of(text: str) -> set[str]:
    prepared = with_western_years(normalise(text))
    numbers = {_plain(number) for number in _NUMBER.findall(prepared)}
    return numbers | {str(_from_kanji(number)) for number in _KANJI_NUMBER.findall(prepared)}


def _plain(number: str) -> str:
    digits = normalise(number).replace(",", "")
    whole, _, fraction = digits.partition(".")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def _from_kanji(number: str) -> int:
    """Value of a kanji number below 100, e.g. 三 = 3, 十五 = 15, 二十 = 20."""
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return int(number.translate(_KANJI_DIGITS))
    return int(tens.translate(_KANJI_DIGITS) or 1) * 10 + int(ones.translate(_KANJI_DIGITS) or 0)
