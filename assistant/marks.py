"""What looks like a citation mark, wherever it stands: [1], [1, 2], [1-3], 【1】, ［出典: 1］, [^1], in the digits of any script. Pure.

    a model's answer  ─▶ cite.py: known numbers become [n], unknown ones go
    a document's text ─▶ pack.py, quotes.py: round brackets, so that nobody takes it for a mark

One pattern for both: what the one would read as a mark, the other must not let through.
"""

from __future__ import annotations

import re

_GAP = r"\s{0,3}"
"""Blanks without an end would make the pattern slow on a document that has a thousand of them after a bracket."""
_LABEL = (
    rf"(?:(?:抜粋|出典|資料|文書|参照|参考|passages?|sources?|documents?|docs?\.?|refs?\.?|nos?\.?){_GAP})?"
    rf"(?:番号{_GAP})?(?:[:：]{_GAP})?\^?"
)
_NUMBER = rf"{_LABEL}\d{{1,3}}"
NUMBERS = rf"{_GAP}{_NUMBER}(?:{_GAP}(?:[,、，・;；&＆/~〜～–—-]|and|と|及び|および|\s){_GAP}{_NUMBER})*{_GAP}"
"""What stands between the brackets of a mark."""
_PAGE = rf"(?:[,、，]{_GAP}(?:pp?\.?|pages?|ページ){_GAP}\d{{1,4}}(?:ページ|頁)?{_GAP})?"
MARK = re.compile(r"\[(\d{1,3})\]")
"""A mark as it leaves the product: [n] and nothing else."""
BRACKETED = re.compile(rf"[\[［【〔]({NUMBERS}){_PAGE}[\]］】〕]", re.IGNORECASE)
_LONG = re.compile(rf"[\[［]({_GAP}(?:\d{{4,}}|\d{{1,3}}(?:[,，]\d{{3}})+){_GAP})[\]］]")
"""A year or an amount in brackets: [2026], [1,000]. There are never so many passages."""
_PARTS = re.compile(rf"(\d{{1,3}})(?:{_GAP}[~〜～–—-]{_GAP}(\d{{1,3}}))?")
_WIDEST_RANGE = 20
"""Passages of one prompt at the most; a wider range is none."""


_CODE = re.compile(r"^```.*\n(?:(?!```).*\n)*(?:```|.*\Z)|(?<!`)(`{1,2})(?!`)[^`\n]+\1(?!`)", re.MULTILINE)


def numbers_in(inside: str) -> list[int]:
    """The numbers between the brackets of a mark, in their order; a range counts with all that it spans."""
    numbers: list[int] = []
    for first, last in _PARTS.findall(inside):
        low, high = int(first), int(last or first)
        numbers += range(low, high + 1) if low <= high <= low + _WIDEST_RANGE else [low, high]
    return numbers


def without_long_numbers(text: str) -> str:
    """The text with bracketed numbers that cannot be marks in round brackets: [2026] -> (2026)."""
    return _LONG.sub(r"(\1)", text)


def unmarked(text: str) -> str:
    """The text without anything that could be taken for a mark: 「[7]を参照」 -> 「(7)を参照」."""
    return BRACKETED.sub(lambda mark: f"({mark[0][1:-1]})", without_long_numbers(text))


def with_code_unmarked(text: str) -> str:
    """The text with the brackets around numbers in code replaced by double ones: `rows[0]` cites nothing, and stays readable.
    A mark alone in code (`[1]`) is one."""

    def changed(code: re.Match[str]) -> str:
        alone = BRACKETED.fullmatch(code[0].strip("`").strip())
        return code[0].strip("`") if alone else BRACKETED.sub(lambda mark: f"\u27e6{mark[0][1:-1]}\u27e7", code[0])

    return _CODE.sub(changed, text)
