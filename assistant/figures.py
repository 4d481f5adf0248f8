"""What a text states to the letter: numbers with their units, dates, times, addresses and identifiers. Pure.

text -> folded characters that know their places -> Figure(place, keys)

A figure's keys are in one spelling, so that 三日 = 3日, 令和8年 = 2026年, 1万2千円 = 12,000 yen, 午後3時 = 15:00 = 3 p.m. and
5割 = 50% compare as equal. The unit stays part of the key: 3日 is neither 3か月 nor 3営業日. A figure without a unit (a cell of
a table) may mean any. Must not know answers, passages or warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from assistant.figure_shapes import FIGURE, MONTHS, folded_with_places
from assistant.implied import implied, with_words_around
from assistant.measures import joined, part_keys, same_measure, telephone
from assistant.numerals import english, plain, scaled, value_of
from assistant.text import ERAS, REMEMBERED_TEXTS
from assistant.units import unit_of

_CURRENCIES = {"¥": "円", "$": "usd", "€": "eur", "£": "pound", "gbp": "pound"}
_SHORT_ERAS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正"}
_LIST_NUMBER = re.compile(
    r"^[ \t>#*・-]{0,8}[(（]?\d{1,2}[.)）、](?=\s|[^\d\s])|^[ \t]*\d{1,2}[ \t]+(?=[^\x00-\x7f°℃])", re.MULTILINE
)
_VAGUE = frozenset(
    "一度 一時 一つ 一人 一本 一日 一点 一回 一社 一件 一枚 一個 十分 一項 一級 one".split()  # noqa: SIM905
)
"""Kanji and English numbers that mostly are ways of speaking; a source may say them, an answer is not held to them."""


_NAMED = frozenset(
    {
        "id",
        "url",
        "host",
        "mail",
        "date",
        "month_of",
        "regularly",
        "clock",
        "ref",
        "open",
        "open_clause",
        "same",
        "named",
        "ratio",
    }
)
"""Kinds of keys that are no quantity."""
_DIGITS = re.compile(r"\d+")
_YEAR_KEY = re.compile(r"(?:year|\?):([12]\d{3})")
_NEXT_YEAR = re.compile(r"翌年|年度末|(?:next|following) year", re.IGNORECASE)
_QUARTER = re.compile(r"q([1-4])")
_FISCAL = re.compile(r"fy-?(20)?(\d\d)")


@dataclass(frozen=True)
class Figure:
    """One figure at `start:end` of its text; it stands in a source that has one of `keys` among its own."""

    start: int
    end: int
    text: str
    keys: frozenset[str]


def figures_of(text: str) -> list[Figure]:
    """Every figure of the text with its place; list numbers and idioms such as 一度 are none."""
    return list(_figures_of(text))


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _figures_of(text: str) -> tuple[Figure, ...]:
    folded, places = folded_with_places(text)
    skipped = {place for match in _LIST_NUMBER.finditer(folded) for place in range(*match.span())}
    figures = []
    for match in FIGURE.finditer(folded):
        start, end = match.start() + len(match[0]) - len(match[0].lstrip()), match.start() + len(match[0].rstrip())
        if match[0].strip() in _VAGUE or start in skipped:
            continue
        keys = frozenset(_keys(match))
        if keys and start < end:
            begin, stop = places[start], places[end - 1] + 1
            figures.append(Figure(begin, stop, text[begin:stop], keys))
    return tuple(figures)


def source_keys(texts: Iterable[str]) -> frozenset[str]:
    """The keys that an answer's figures may have: those of every figure of the sources, and of the parts of dates."""
    return _source_keys(tuple(texts))


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _source_keys(texts: tuple[str, ...]) -> frozenset[str]:
    known: set[str] = set()
    for text in texts:
        folded, _ = folded_with_places(text)
        for match in FIGURE.finditer(folded):
            for key in _keys(match, is_source=True):
                known.add(key)
                unit, _, value = key.partition(":")
                if unit not in _NAMED:
                    known.add(f"any:{value}")
        known.update(implied(folded))
    following = 1 if any(_NEXT_YEAR.search(text) for text in texts) else 0
    return frozenset(known.union(_left_open(known), _months_of_years(known, following=following)))


def _months_of_years(known: set[str], *, following: int) -> Iterator[str]:
    """Each month of the sources in each of their years: 2026年4月から9月まで names September 2026 too, and no month of 2025."""
    months = [key.partition(":")[2] for key in known if key.startswith("month:")]
    years = {int(found[1]) for key in known if (found := _YEAR_KEY.fullmatch(key))} if months else set()
    for named in years | {year + following for year in years}:
        yield from (f"month_of:{named}-{month}" for month in months)


def _keys(match: re.Match[str], *, is_source: bool = False) -> Iterator[str]:
    groups = match.groupdict()
    for read in (_address_keys, _sum_keys, _date_keys, _clock_keys, _number_keys):
        keys = list(read(groups, is_source=is_source))
        if keys:
            yield from with_words_around(keys, match, is_source=is_source)
            return


def _address_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    if (number := groups["tel"]) is not None:
        yield "id:" + telephone(number)
        if is_source:
            yield from (f"?:{value_of(part)}" for part in _DIGITS.findall(number))
    elif url := groups["url"]:
        yield "url:" + url.rstrip(".,;:!?)/").removeprefix("https://").removeprefix("http://")
        if is_source and (host := _HOST_OF.match(url)):
            yield "host:" + host[1]
    elif mail := groups["mail"]:
        yield "mail:" + mail
        if is_source:
            yield "host:" + mail.partition("@")[2]
    elif host_name := groups["host"]:
        yield "host:" + host_name
        if is_source:
            yield from ("url:" + host_name, "id:" + host_name.partition(".")[0])
    elif groups["article"] is not None:
        yield from _paragraph_keys(groups, is_source=is_source)
    elif identifier := groups["id"]:
        if fiscal := _FISCAL.fullmatch(identifier):
            yield from (f"year:{fiscal[1] or '20'}{fiscal[2]}", f"?:{fiscal[1] or '20'}{fiscal[2]}")
            return
        if quarter := _QUARTER.fullmatch(identifier):
            yield f"quarter:{quarter[1]}"
        yield from ("id:" + joined(identifier), "named:" + joined(identifier))
        if is_source:  # FE-101 stands in a source that lists FE-101/102 or MX-2040B/MX-2080B
            yield from _parts_of(identifier)


def _parts_of(identifier: str) -> Iterator[str]:
    """Keys of what a source's identifier lists or spans: FE-101/102, XJ-900/900S, pages 12-15, 2025-26."""
    parts = identifier.split("/")
    if len(parts) > 1:
        yield from ("id:" + joined(part) for part in parts)
        if stem := _STEM.match(parts[0]):
            yield from ("id:" + joined(stem[0] + part) for part in parts[1:] if part[0].isdigit())
    elif span := _SPAN.fullmatch(identifier):
        first, last = span.groups()
        if len(first) == 4 and len(last) == 2:
            yield from (f"year:{first}", f"year:{first[:2]}{last}")
        elif int(first) < int(last) and last[0] != "0" and len(last) <= len(first) + 1:
            yield from (f"?:{value_of(first)}", f"?:{value_of(last)}")


def _sum_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    """Keys of what is said with two numbers, or with none: 1時間30分, 2割5分, 3分の2, v2.1, 半年."""
    if (version := groups["version"]) is not None:
        yield from (f"?:{version}", f"any:{version}") if version.count(".") == 1 else (f"id:{version}",)
    elif groups["often"] is not None:
        yield from ("time:1", "regularly:1") if groups["often"] == "once" else ("time:2",)
    elif groups["halfyear"] is not None:
        yield from ("month_long:6", "same:month/6")
    elif groups["under"] is not None:
        over, under = value_of(groups["over"] or "") or "0", value_of(groups["under"]) or "0"
        yield from part_keys(over, under)
        if is_source:
            yield from (f"?:{over}", f"?:{under}")
    elif groups["fd"] is not None:
        over = str(english(groups["fn"] or ""))
        yield from part_keys(over, "4" if groups["fd"] == "quarter" else str(english(groups["fd"])))
        if groups["fd"] == "quarter":
            yield f"quarter:{over}"
    elif groups["wari"] is not None:
        yield f"percent:{int(value_of(groups['wari']) or 0) * 10 + int(value_of(groups['bu'] or '') or 0)}"
    elif groups["hours"] is not None:
        hours = int(value_of(groups["hours"]) or 0)
        minutes = 30 if groups["hourhalf"] else int(value_of(groups["minutes"] or "0") or 0)
        yield from same_measure("minute", str(60 * hours + minutes))
        yield f"minute:{60 * hours + minutes}"
        if is_source:
            yield from (f"hour:{hours}", f"minute:{minutes}")


def _paragraph_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    """Keys of 第14条の2第3項第1号. `open:` and `open_clause:` stand for what a source leaves open, see `_left_open`."""
    branches = [number for number in (groups["branch"] or "").split("の") if number]
    article = "-".join(value_of(number) or "" for number in [groups["article"] or "", *branches])
    clause, item = (value_of(groups[name] or "") if groups[name] else None for name in ("clause", "item"))
    if is_source:
        yield from (f"article:{article}", f"named:article{article}")
        if branches:
            yield f"article:{value_of(groups['article'] or '')}"
        if clause is not None:
            yield from (f"clause:{clause}", f"ref:{article}/{clause}")
        if item is not None:
            yield from (f"item:{item}", f"ref:{article}/{clause or ''}/{item}")
    elif item is not None:
        yield from (f"ref:{article}/{clause or ''}/{item}", f"open:{article}", f"open_clause:{article}/{clause or ''}")
    elif clause is not None:
        yield from (f"ref:{article}/{clause}", f"open:{article}")
    else:
        yield from (f"article:{article}", f"named:article{article}")


def _left_open(known: set[str]) -> Iterator[str]:
    """Articles of which the sources name no clause, and clauses of which they name no item: an answer may name any."""
    paths = [key.partition(":")[2] for key in known if key.startswith("ref:")]
    named = {path[:place] for path in paths for place, character in enumerate(path) if character == "/"}
    for key in known:
        kind, _, value = key.partition(":")
        if kind == "article" and value not in named:
            yield f"open:{value}"
        elif kind == "ref" and value.count("/") == 1 and value not in named:
            yield f"open_clause:{value}"


def _date_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    year = _year(groups)
    month = next(
        (_month(groups[name]) for name in ("m1", "m6", "m2", "m3", "n4", "n5", "n6", "n7", "n8") if groups[name]), None
    )
    day = next((value_of(found) for name in ("d1", "d6", "d2", "d3", "d4", "d5") if (found := groups[name])), None)
    if month is not None and day is not None:
        dated = f"{month}-{day}"
        if is_source:
            yield f"date:{dated}"
            yield f"date:{year}-{dated}" if year else f"date:?-{dated}"
            yield from (f"day:{day}", f"month:{month}", *([f"year:{year}"] if year else []))
        else:
            yield from ([f"date:{year}-{dated}", f"date:?-{dated}"] if year else [f"date:{dated}"])
    elif month is not None:
        if year and not is_source:
            yield f"month_of:{year}-{month}"
            return
        if year:
            yield f"year:{year}"
        yield f"month:{month}"
    elif year is not None:
        yield f"year:{year}"
        yield f"?:{year}"


def _clock_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    hour_text = groups["h1"] or groups["h2"] or groups["h3"] or groups["h4"]
    if hour_text is None:
        return
    hour = int(value_of(hour_text) or 0)
    minute = 30 if groups["h1half"] else int(value_of(groups["i1"] or groups["i2"] or groups["i4"] or "0") or 0)
    half = next((groups[name] for name in _HALVES_OF_DAYS if groups[name]), None)
    if (last := groups["h5"]) is not None:  # 3 to 6 pm, but 11 to 2 pm
        is_same_half = hour % 12 < int(last) % 12
        half = groups["ap5"] if is_same_half else "p" if groups["ap5"] == "a" else "a"
    if half is None:
        yield f"clock:{hour}:{minute:02}"
        yield f"clock:?{hour}:{minute:02}"
        return
    is_afternoon = half in {"午後", "pm", "p", "afternoon", "evening"}
    full = hour % 12 + 12 if is_afternoon else hour % 12 if hour == 12 else hour
    yield f"clock:{full}:{minute:02}"
    if is_source:
        yield f"clock:?{hour}:{minute:02}"


def _number_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    unit: str | None
    if (number := groups["mn"]) is not None:
        value, unit = (
            scaled(number, groups["ml"]),
            unit_of(_CURRENCIES.get(groups["money"] or "", groups["money"])),
        )
    elif (number := groups["num"]) is not None:
        value, unit = scaled(number, groups["big"] or groups["bigword"]), unit_of(groups["unit"])
    elif (number := groups["kanji"]) is not None:
        value, unit = value_of(number), unit_of(groups["kunit"])
    elif (number := groups["word"]) is not None:
        value, unit = scaled(str(english(number)), groups["bigword2"]), unit_of(groups["wunit"])
        rest = english(groups["rest"] or "") * (100 if groups["hundreds"] else 1) + english(groups["rest2"] or "")
        value = str(int(value or 0) + rest)
    else:
        return
    if value is None:
        return
    if groups["half1"] or groups["khalf"] or groups["whalf"]:
        value = plain(Decimal(value) + Decimal("0.5"))
    if unit == "tenth":
        value, unit = str(plain(Decimal(value) * 10)), "percent"
    yield f"{unit or '?'}:{value}"
    yield from same_measure(unit, value)
    if unit is None and not is_source:
        yield f"any:{value}"
    elif unit is not None and not is_source:
        yield f"?:{value}"


def _year(groups: dict[str, str | None]) -> str | None:
    if (era := groups["era"]) is not None:
        counted = "1" if groups["ey"] == "元" else value_of(groups["ey"] or "")
        return None if counted is None else str(ERAS[era] + int(counted))
    if (short := groups["era2"]) is not None:
        return str(ERAS[_SHORT_ERAS[short]] + int(groups["ey2"] or 0))
    return next((value_of(groups[name] or "") for name in ("y1", "y2", "y4", "y5", "y6") if groups[name]), None)


def _month(name: str | None) -> str | None:
    if name is None:
        return None
    return str(MONTHS.index(name[:3]) + 1) if name[:3] in MONTHS else value_of(name)


_HALVES_OF_DAYS = ("half", "half2", "ap2", "ap3", "part2", "part3")
_HOST_OF = re.compile(r"(?:[a-z0-9+.-]{1,21}://)?([a-z0-9.-]{1,253})")
_STEM = re.compile("[a-z]{1,10}[-_]?(?=\\d)")
_SPAN = re.compile(r"(\d{1,4})-(\d{1,4})")
