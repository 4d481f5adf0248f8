"""What a text states to the letter: numbers with their units, dates, times, addresses and identifiers. Pure.

text -> folded characters that know their places -> Figure(place, keys)

A figure's keys are in one spelling, so that 三日 = 3日, 令和8年 = 2026年, 1万2千円 = 12,000 yen, 午後3時 = 15:00 = 3 p.m. and
5割 = 50% compare as equal. The unit stays part of the key: 3日 is neither 3か月 nor 3営業日. A figure without a unit (a cell of
a table) may mean any. Must not know answers, passages or warnings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from assistant.measures import joined, part_keys, same_measure, telephone
from assistant.numerals import ENGLISH_NUMBER, KANJI, NUMBER, NUMERAL, english, plain, scaled, value_of
from assistant.text import ERAS, INVISIBLE, REMEMBERED_TEXTS
from assistant.units import UNIT_WORDS, unit_of

_FOLDED = str.maketrans("〜‐‑‒–—―−", "~-------")
_CURRENCIES = {"¥": "円", "$": "usd", "€": "eur", "£": "pound", "gbp": "pound"}
_SHORT_ERAS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

_MONTH = "(?P<{0}>" + "|".join([*_FULL_MONTHS, *_MONTHS, "sept"]) + r")\.?"
_UNIT = (
    "(?:"
    + "|".join(re.escape(word) + (r"(?![a-z])" if word[-1].isalpha() and word.isascii() else "") for word in UNIT_WORDS)
    + ")"
)
_FIGURE = re.compile(
    r"(?P<url>(?:(?<![a-z])[a-z][a-z0-9+.-]{0,20}://|www\.)[^\s<>「」『』()（）\"'、。\u3041-\u309f]+)"
    r"|(?P<mail>(?<![a-z0-9])[a-z0-9._%+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    r"|(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})(?!\d|\.\d)"
    r"|(?<![a-z0-9])(?P<era2>[rhst])(?P<ey2>\d{1,2})[/.](?P<m6>0?[1-9]|1[0-2])[/.](?P<d6>\d{1,2})(?!\d|\.\d)"
    r"|(?P<tel>(?<![a-z\d.,+-])(?:\+\d{1,3}[- ]?(?:\(\d{1,4}\) ?|\d{1,4}[- ])\d{1,4}[- ]|(?=[(0])(?=(?:[-() ]{0,2}\d){10,11}(?![\d-]))"
    r"\(?\d{2,5}(?:\)[- ]?|[-( ])\d{1,4}[-) ]|(?=(?:\d+-){2}\d+(?![\d-]))(?=(?:-?\d){10,11}(?![\d-]))\d+-\d+-)\d{3,4}|(?<![a-z\d.,-])0\d{9,10}(?!\d))"
    r"|(?<![a-z0-9])v(?P<version>\d+(?:\.\d+)+)"
    r"|(?P<halfyear>半年(?!度)|(?<![a-z])half a year(?![a-z]))"
    rf"|(?P<under>\d{{1,3}}|{KANJI})分の(?P<over>\d{{1,3}}|{KANJI})"
    rf"|(?P<wari>\d|{KANJI})割(?P<bu>\d|{KANJI})分"
    rf"|(?P<hours>\d{{1,3}}|{KANJI})(?:時間|\shours?\s(?:and\s)?)(?:(?P<minutes>\d{{1,2}}|{KANJI})(?:分|\sminutes?)|(?P<hourhalf>半))"
    rf"|(?:(?:(?P<era>令和|平成|昭和|大正)(?P<ey>\d{{1,2}}|元|{KANJI})|(?P<y2>\d{{4}}|(?<!{NUMERAL})[〇一二三四五六七八九]{{4}}))年(?P<fy>度?)[\s、]*)"
    rf"(?:(?P<m2>\d{{1,2}}|{KANJI})月(?:(?P<d2>\d{{1,2}}|{KANJI})日)?)?"
    rf"|(?P<m3>\d{{1,2}}|{KANJI})月(?P<d3>\d{{1,2}}|{KANJI})日"
    rf"|(?<![a-z0-9])(?:(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH.format('n4')}(?![a-z])(?:,? (?P<y4>\d{{4}}))?)"
    rf"|(?<![a-z0-9]){_MONTH.format('n5')} (?P<d5>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,? (?P<y5>\d{{4}}))?"
    rf"|(?<![a-z0-9])(?P<n6>{'|'.join(m for m in _FULL_MONTHS if m not in {'may', 'march'})})(?![a-z])(?: (?P<y6>\d{{4}}))?"
    rf"|(?:(?P<half>午前|午後|am|pm)\s*)?(?P<h1>\d{{1,2}}|{KANJI})時(?!間)(?:(?P<i1>\d{{1,2}}|{KANJI})分|(?P<h1half>半))?"
    r"|(?:(?P<half2>午前|午後|am|pm)\s*)?(?<![\d:])(?P<h2>\d{1,2}):(?P<i2>\d{2})(?::\d{2})?(?!\d)(?:\s*(?P<ap2>[ap])\.?m\b\.?)?"
    r"|(?<![\d.])(?P<h3>\d{1,2})\s*(?P<ap3>[ap])\.?m\b\.?"
    r"|(?P<id>(?<![a-z0-9])(?:[a-z][a-z0-9]*(?:[-_./][a-z0-9]+){0,15}[-_]?\d[a-z0-9]*(?:[-_/][a-z0-9]+)*"
    rf"|(?!\d{{1,3}}-\d{{1,3}}\s?{_UNIT})"
    r"(?:\d{2,5}-\d{4}|\d+(?:-\d+){2,}(?:-[a-z0-9]+)*|\d+(?:\.\d+){2,}|\d+[a-z]*-[a-z0-9-]*\d[a-z0-9-]*))(?![a-z0-9]))"
    rf"|第?(?P<article>\d+|{KANJI})条(?:の(?P<branch>(?:\d+|{KANJI})(?:の(?:\d+|{KANJI}))*))?"
    rf"(?:\s*第?(?P<clause>\d+|{KANJI})項)?(?:\s*第?(?P<item>\d+|{KANJI})号)?"
    rf"|(?P<money>[¥$€£]|(?<![a-z])(?:usd|eur|jpy|gbp))\s*(?P<mn>{NUMBER})(?P<ml>[万億兆千百]+|\s?(?:thousand|million|billion)\b|(?:mn|bn|[kmb])\b)?"
    rf"|(?P<num>{NUMBER})(?:(?P<big>[万億兆千百](?:[\d,.]|[万億兆千百〇一二三四五六七八九十])*)|\s?(?P<bigword>thousand|million|billion|[mb]n)\b)?"
    rf"(?:st|nd|rd|th)?(?:[\s-]?(?P<unit>{_UNIT}))?"
    rf"|(?P<kanji>{KANJI})(?:(?P<kunit>{_UNIT})|(?=以上|以下|未満|を超え))"
    rf"|(?<![a-z])(?P<word>{ENGLISH_NUMBER})(?![a-z])(?:[\s-](?P<bigword2>thousand|million|billion|hundred)(?:\s(?:and\s)?(?P<rest>{ENGLISH_NUMBER})(?![a-z])"
    rf"(?:\s(?P<hundreds>hundred)(?:\s(?:and\s)?(?P<rest2>{ENGLISH_NUMBER})(?![a-z]))?)?)?)?"
    rf"(?:[\s-](?P<wunit>{_UNIT}))?"
)
_LIST_NUMBER = re.compile(
    r"^[ \t]*(?:[(（]?\d{1,2}[.)）、]|[①-⑳])(?=\s|[^\d\s])|^[ \t]*\d{1,2}[ \t]+(?=[^\x00-\x7f])", re.MULTILINE
)
_VAGUE = frozenset(
    "一度 一時 一つ 一人 一本 一日 一点 一回 一社 一件 一枚 一個 十分 一項 一級 one".split()  # noqa: SIM905
)
"""Kanji and English numbers that mostly are ways of speaking; a source may say them, an answer is not held to them."""


_NAMED = frozenset({"id", "url", "mail", "date", "clock", "ref", "open", "open_clause", "same", "named", "ratio"})
"""Kinds of keys that are no quantity."""
_DIGITS = re.compile(r"\d+")
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
    folded, places = _fold(text)
    skipped = {place for match in _LIST_NUMBER.finditer(folded) for place in range(*match.span())}
    figures = []
    for match in _FIGURE.finditer(folded):
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
        folded, _ = _fold(text)
        for match in _FIGURE.finditer(folded):
            for key in _keys(match, is_source=True):
                known.add(key)
                unit, _, value = key.partition(":")
                if unit not in _NAMED:
                    known.add(f"any:{value}")
        known.update(_halves(folded))
    return frozenset(known | set(_left_open(known)))


def _fold(text: str) -> tuple[str, list[int]]:
    """Text in one width and case, and for each of its characters the place that it has in the original."""
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        folded = _folded(character)
        pieces.append(folded)
        places.extend([place] * len(folded))
    return "".join(pieces), places


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _folded(character: str) -> str:
    """A character in one width and case; nothing of one that is invisible."""
    if INVISIBLE.match(character):
        return ""
    return unicodedata.normalize("NFKC", character).lower().translate(_FOLDED)


def _keys(match: re.Match[str], *, is_source: bool = False) -> Iterator[str]:
    groups = match.groupdict()
    for read in (_address_keys, _sum_keys, _date_keys, _clock_keys, _number_keys):
        keys = list(read(groups, is_source=is_source))
        if keys:
            yield from keys
            before = match.string[max(0, match.start() - _WORD_CHARACTERS) : match.start()]
            if keys[0].startswith("?:") and (word := _WORD_BEFORE.search(before)):
                yield f"named:{word[1]}{keys[0].removeprefix('?:')}"
            return


def _address_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    if (number := groups["tel"]) is not None:
        yield "id:" + telephone(number)
        if is_source:
            yield from (f"?:{value_of(part)}" for part in _DIGITS.findall(number))
    elif url := groups["url"]:
        yield "url:" + url.rstrip(".,;:!?)/").removeprefix("https://").removeprefix("http://")
    elif mail := groups["mail"]:
        yield "mail:" + mail
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
            yield from ("id:" + joined(part) for part in identifier.split("/") if part != identifier)


def _sum_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    """Keys of what is said with two numbers, or with none: 1時間30分, 2割5分, 3分の2, v2.1, 半年."""
    if (version := groups["version"]) is not None:
        yield from (f"?:{version}", f"any:{version}") if version.count(".") == 1 else (f"id:{version}",)
    elif groups["halfyear"] is not None:
        yield from ("month_long:6", "same:month/6")
    elif groups["under"] is not None:
        over, under = value_of(groups["over"] or "") or "0", value_of(groups["under"]) or "0"
        yield from part_keys(over, under)
        if is_source:
            yield from (f"?:{over}", f"?:{under}")
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
    month = next((_month(groups[name]) for name in ("m1", "m6", "m2", "m3", "n4", "n5", "n6") if groups[name]), None)
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
        if is_source and year:
            yield f"year:{year}"
        yield f"month:{month}"
    elif year is not None:
        yield f"year:{year}"
        yield f"?:{year}"


def _clock_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    hour_text = groups["h1"] or groups["h2"] or groups["h3"]
    if hour_text is None:
        return
    hour = int(value_of(hour_text) or 0)
    minute = 30 if groups["h1half"] else int(value_of(groups["i1"] or groups["i2"] or "0") or 0)
    half = groups["half"] or groups["half2"] or groups["ap2"] or groups["ap3"]
    if half is None:
        yield f"clock:{hour}:{minute:02}"
        yield f"clock:?{hour}:{minute:02}"
        return
    is_afternoon = half in {"午後", "pm", "p"}
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
    return str(_MONTHS.index(name[:3]) + 1) if name[:3] in _MONTHS else value_of(name)


_WORD_BEFORE = re.compile("(?<![a-z])([a-z]{2,10})[ -]$")
_WORD_CHARACTERS = 12
_SHORT_DATE = re.compile(r"(?<![\d/.])(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])(?![\d/.])")
_COUNTED = re.compile(f"第({KANJI})")
_LATER_TIME = re.compile(
    rf"(?:午後|pm)\s*(?:\d{{1,2}}|{KANJI})時(?:(?:\d{{1,2}}|{KANJI})分|半)?(?:[~-]|から)(\d{{1,2}}|{KANJI})時(?:(\d{{1,2}}|{KANJI})分|(半))?"
)
_LAST_DAY = re.compile(
    rf"(?P<month>\d{{1,2}}|{KANJI})月(?:\d{{1,2}}|{KANJI})日(?:\(.\))?(?:[~-]|から|及び|又は|[、・])(?P<day>\d{{1,2}}|{KANJI})日"
)
_SAID_OTHERWISE: tuple[tuple[str, str], ...] = (
    (r"半分|(?<![a-z])half(?![a-z])", "percent:50"),
    (r"(?<![a-z])quarter(?![a-z])", "percent:25"),
    (r"正午|(?<![a-z])noon(?![a-z])", "clock:12:00"),
    (r"(?<![a-z])midnight(?![a-z])", "clock:0:00"),
)


def _halves(folded: str) -> Iterator[str]:
    """Keys of words that stand for a figure, and of what is said in short: 4/10, 4月1日~10日, 午後2時~3時30分, 別表第二."""
    yield from (key for pattern, key in _SAID_OTHERWISE if re.search(pattern, folded))
    for found in (*_SHORT_DATE.finditer(folded), *_LAST_DAY.finditer(folded)):
        month, day = (value_of(part) for part in found.groups())
        yield from (f"date:{month}-{day}", f"date:?-{month}-{day}")
    for found in _LATER_TIME.finditer(folded):
        minute = "30" if found[3] else value_of(found[2] or "0")
        yield f"clock:{int(value_of(found[1]) or 0) % 12 + 12}:{int(minute or 0):02}"
    yield from (f"any:{value_of(found[1])}" for found in _COUNTED.finditer(folded))
