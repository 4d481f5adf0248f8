"""The value of a number in digits, in kanji, in both, or in English words. Pure; knows no units."""

from __future__ import annotations

import re
from decimal import Decimal

_KANJI_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0}
_KANJI_TENS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {
    "万": 10**4,
    "億": 10**8,
    "兆": 10**12,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_LARGE |= {"k": 1000, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
 eighteen nineteen"""
_ENGLISH = {word: value for value, word in enumerate(_WORDS.split())} | {
    word: 20 + 10 * place
    for place, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
}
_ORDINALS = {
    word: place + 1
    for place, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
    )
}

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
NUMERAL = "[〇零一二三四五六七八九十百千万億兆]"
KANJI = f"(?<!{NUMERAL}){NUMERAL}{{1,24}}(?!{NUMERAL})"
"""A run is read as a whole or not at all: tried from each of its characters, a long one would take minutes."""
_TENS = "|".join(word for word in _ENGLISH if word.endswith("ty"))
ENGLISH_NUMBER = (
    rf"(?:{_TENS})[- ](?:one|two|three|four|five|six|seven|eight|nine)|(?:{_TENS})-(?:{'|'.join(_ORDINALS)})"
    rf"|{'|'.join(sorted(_ENGLISH, key=len, reverse=True))}|{'|'.join([*_ORDINALS][2:])}"
)
"""Not first and second by themselves, which seldom count; nor "thirty second", which is as a rule half a minute."""


def english(word: str) -> int:
    """twenty-one -> 21, third -> 3."""
    parts = re.split(r"[- ]", word)
    return sum(_ENGLISH.get(part, _ORDINALS.get(part, 0)) for part in parts)


def scaled(number: str, large: str | None) -> str | None:
    """1万2千 -> 12000, 1.5万 -> 15000, 2 million -> 2000000; None for what cannot be read."""
    digits = number.replace(",", "")
    if not large:
        return plain(Decimal(digits))
    word = large.strip()
    if word == "hundred":
        return plain(Decimal(digits) * 100)
    if word in _LARGE and word.isascii():
        return plain(Decimal(digits) * _LARGE[word])
    return value_of(digits + word.replace(",", ""))


def value_of(text: str) -> str | None:
    """The value of digits, kanji digits or both, in plain decimal; None when it is none: 二〇二六, 十五, 1万2千, 3億5000万."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return plain(Decimal(text))
    if re.fullmatch("[〇零一二三四五六七八九]{2,}", text):
        return str(int("".join(str(_KANJI_DIGITS[c]) for c in text)))
    total = part = Decimal(0)
    pending: Decimal | None = None
    for piece in re.findall(r"\d+(?:\.\d+)?|[〇零一二三四五六七八九]+|[^\d.]", text):
        if piece in _LARGE:
            total += (part + (pending or 0) or Decimal(1)) * _LARGE[piece]
            part, pending = Decimal(0), None
        elif piece in _KANJI_TENS:
            part += (Decimal(1) if pending is None else pending) * _KANJI_TENS[piece]
            pending = None
        elif piece[0] in _KANJI_DIGITS:
            pending = Decimal("".join(str(_KANJI_DIGITS[digit]) for digit in piece))
        elif piece[0].isdigit():
            pending = Decimal(piece)
        else:
            return None
    return plain(total + part + (pending or 0))


def plain(value: Decimal) -> str:
    """The value without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text.lstrip("0") or "0"
