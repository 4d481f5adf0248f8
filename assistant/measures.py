"""One figure said in two ways that no spelling joins: 90 minutes and 1時間30分, 12か月 and 1年, 25% and 4分の1. Pure data and sums.

Keys of the kinds of `BESIDE` stand beside a figure's own key and never in its place. Knows no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

BESIDE = frozenset({"same", "named", "regularly"})
"""Kinds of keys that tell nothing of what a figure measures."""
_IN_SMALLER = {
    "year": ("month", 12),
    "month_long": ("month", 1),
    "week": ("day", 7),
    "day": ("day", 1),
    "hour": ("minute", 60),
    "minute": ("minute", 1),
    "kilometre": ("millimetre", 10**6),
    "metre": ("millimetre", 1000),
    "centimetre": ("millimetre", 10),
    "millimetre": ("millimetre", 1),
    "kilogram": ("gram", 1000),
    "gram": ("gram", 1),
    "tonne": ("gram", 10**6),
    "kilowatt": ("watt", 1000),
    "watt": ("watt", 1),
    "terabyte": ("megabyte", 10**6),
    "gigabyte": ("megabyte", 1000),
    "megabyte": ("megabyte", 1),
    "litre": ("millilitre", 1000),
    "millilitre": ("millilitre", 1),
    "celsius": ("degree", 1),
    "degree": ("degree", 1),
}
"""Not days in hours: nearly every text says 1日 somewhere, and would then say 24時間."""
_IN_SMALLER_BY_TWOS = {"terabyte": ("megabyte", 2**20), "gigabyte": ("megabyte", 2**10)}
_NO_DIGITS = re.compile(r"\D+")
_JOINT = re.compile(r"(?<=[a-z])[-_](?=\d)|(?<=\d)[-_](?=[a-z])")


def same_measure(unit: str | None, value: str) -> Iterator[str]:
    """The keys that a quantity shares with those of the same size in other units; none where a unit has no others."""
    for smaller, times in (table[unit] for table in (_IN_SMALLER, _IN_SMALLER_BY_TWOS) if unit in table):
        size = f"{Decimal(value) * times:f}"
        yield f"same:{smaller}/{size.rstrip('0').rstrip('.') if '.' in size else size}"


def part_keys(numerator: str, denominator: str) -> Iterator[str]:
    """Keys of 4分の1: the ratio, and the percentage where it is one."""
    yield f"ratio:{numerator}/{denominator}"
    over, under = Decimal(numerator), Decimal(denominator)
    if under and not (over * 100) % under:
        yield f"percent:{(over * 100 / under).quantize(Decimal(1)):f}"


def telephone(number: str) -> str:
    """A telephone number's digits as they are dialled at home: +81 3 … is 03…."""
    digits = _NO_DIGITS.sub("", number)
    return "0" + digits[2:] if number.startswith("+81") else digits


def joined(identifier: str) -> str:
    """An identifier without what joins its letters and digits: AB-1234 is AB1234; 1-23 is not 12-3."""
    return _JOINT.sub("", identifier)
