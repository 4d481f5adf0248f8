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

from assistant.text import ERAS, INVISIBLE, REMEMBERED_TEXTS
from assistant.units import UNIT_WORDS, unit_of

_FOLDED = str.maketrans("〜‐‑‒–—―−", "~-------")
_KANJI_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0}
_KANJI_TENS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "億": 10**8, "兆": 10**12, "thousand": 1000, "million": 10**6, "billion": 10**9}
_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
 eighteen nineteen"""
_ENGLISH = {word: value for value, word in enumerate(_WORDS.split())} | {
    word: 20 + 10 * place
    for place, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
}
_ORDINALS = {
    word: place + 3
    for place, word in enumerate(["third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"])
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

_MONTH = "(?P<{0}>" + "|".join([*_FULL_MONTHS, *_MONTHS, "sept"]) + r")\.?"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMERAL = "[〇零一二三四五六七八九十百千万億兆]"
_KANJI = f"(?<!{_NUMERAL}){_NUMERAL}{{1,24}}(?!{_NUMERAL})"
"""A run is read as a whole or not at all: tried from each of its characters, a long one would take minutes."""
_UNIT = (
    "(?:"
    + "|".join(re.escape(word) + (r"(?![a-z])" if word[-1].isalpha() and word.isascii() else "") for word in UNIT_WORDS)
    + ")"
)
_ENGLISH_NUMBER = (
    rf"(?:{'|'.join(w for w in _ENGLISH if w.endswith('ty'))})[- ](?:one|two|three|four|five|six|seven|eight|nine)"
    rf"|{'|'.join(sorted(_ENGLISH, key=len, reverse=True))}|{'|'.join(_ORDINALS)}"
)
_FIGURE = re.compile(
    r"(?P<url>(?:(?<![a-z])[a-z][a-z0-9+.-]{0,20}://|www\.)[^\s<>「」『』()（）\"'、。]+)"
    r"|(?P<mail>(?<![a-z0-9])[a-z0-9._%+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    r"|(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})(?![\d.])"
    rf"|(?:(?:(?P<era>令和|平成|昭和|大正)(?P<ey>\d{{1,2}}|元|{_KANJI})|(?P<y2>\d{{4}}|(?<!{_NUMERAL})[〇一二三四五六七八九]{{4}}))年(?P<fy>度?)[\s、]*)"
    rf"(?:(?P<m2>\d{{1,2}}|{_KANJI})月(?:(?P<d2>\d{{1,2}}|{_KANJI})日)?)?"
    rf"|(?P<m3>\d{{1,2}}|{_KANJI})月(?P<d3>\d{{1,2}}|{_KANJI})日"
    rf"|(?<![a-z0-9])(?:(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH.format('n4')}(?![a-z])(?:,? (?P<y4>\d{{4}}))?)"
    rf"|(?<![a-z0-9]){_MONTH.format('n5')} (?P<d5>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,? (?P<y5>\d{{4}}))?"
    rf"|(?<![a-z0-9])(?P<n6>{'|'.join(m for m in _FULL_MONTHS if m not in {'may', 'march'})})(?![a-z])(?: (?P<y6>\d{{4}}))?"
    rf"|(?:(?P<half>午前|午後|am|pm)\s*)?(?P<h1>\d{{1,2}}|{_KANJI})時(?!間)(?:(?P<i1>\d{{1,2}}|{_KANJI})分|(?P<h1half>半))?"
    r"|(?:(?P<half2>午前|午後|am|pm)\s*)?(?<![\d:])(?P<h2>\d{1,2}):(?P<i2>\d{2})(?::\d{2})?(?!\d)(?:\s*(?P<ap2>[ap])\.?m\b\.?)?"
    r"|(?<![\d.])(?P<h3>\d{1,2})\s*(?P<ap3>[ap])\.?m\b\.?"
    r"|(?P<id>(?<![a-z0-9])(?:[a-z][a-z0-9]*(?:[-_./][a-z0-9]+){0,15}[-_]?\d[a-z0-9]*(?:[-_/][a-z0-9]+)*"
    r"|\d{2,5}-\d{4}|\d+(?:-\d+){2,}(?:-[a-z0-9]+)*|\d+(?:\.\d+){2,}|\d+[a-z]*-[a-z0-9-]*\d[a-z0-9-]*)(?![a-z0-9]))"
    rf"|第?(?P<article>\d+|{_KANJI})条(?:の(?P<branch>(?:\d+|{_KANJI})(?:の(?:\d+|{_KANJI}))*))?"
    rf"(?:\s*第?(?P<clause>\d+|{_KANJI})項)?(?:\s*第?(?P<item>\d+|{_KANJI})号)?"
    rf"|(?P<money>[¥$€£])\s*(?P<mn>{_NUMBER})(?P<ml>[万億兆千百]+|\s?(?:thousand|million|billion)\b)?"
    rf"|(?P<num>{_NUMBER})(?:(?P<big>[万億兆千百](?:[\d,.]|[万億兆千百〇一二三四五六七八九十])*)|\s?(?P<bigword>thousand|million|billion)\b)?"
    rf"(?:st|nd|rd|th)?(?:[\s-]?(?P<unit>{_UNIT}))?"
    rf"|(?P<kanji>{_KANJI})(?:(?P<kunit>{_UNIT})|(?=以上|以下|未満|を超え))"
    rf"|(?<![a-z])(?P<word>{_ENGLISH_NUMBER})(?![a-z])(?:[\s-](?P<bigword2>thousand|million|billion|hundred))?"
    rf"(?:[\s-](?P<wunit>{_UNIT}))?"
)
_LIST_NUMBER = re.compile(
    r"^[ \t]*(?:[(（]?\d{1,2}[.)）、]|[①-⑳])(?=\s|[^\d\s])|^[ \t]*\d{1,2}[ \t]+(?=[^\x00-\x7f])", re.MULTILINE
)
_VAGUE = frozenset(
    {
        "一度",
        "一時",
        "一つ",
        "一人",
        "一本",
        "一日",
        "一点",
        "一回",
        "一社",
        "一件",
        "一枚",
        "一個",
        "十分",
        "一項",
        "一級",
        "one",
    }
)
"""Kanji and English numbers that mostly are ways of speaking; a source may say them, an answer is not held to them."""


_NAMED = frozenset({"id", "url", "mail", "date", "clock", "ref", "open", "open_clause"})
"""Kinds of keys that are no quantity."""
_HEADING = re.compile(r"^[\s#]*第?$")
"""What stands before a paragraph's number where it is a heading."""


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
        article = ""
        for match in _FIGURE.finditer(folded):
            keys = list(_keys(match, is_source=True))
            for key in keys:
                known.add(key)
                unit, _, value = key.partition(":")
                if unit not in _NAMED:
                    known.add(f"any:{value}")
            if _HEADING.search(folded, folded.rfind("\n", 0, match.start()) + 1, match.start()):
                kind, _, value = keys[0].partition(":") if keys else ("", "", "")
                article = value if kind == "article" else article
                if kind == "clause" and article:
                    known.add(f"ref:{article}/{value}")
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
    for read in (_address_keys, _date_keys, _clock_keys, _number_keys):
        keys = list(read(groups, is_source=is_source))
        if keys:
            yield from keys
            return


def _address_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    if url := groups["url"]:
        yield "url:" + url.rstrip(".,;:!?)/").removeprefix("https://").removeprefix("http://")
    elif mail := groups["mail"]:
        yield "mail:" + mail
    elif groups["article"] is not None:
        yield from _paragraph_keys(groups, is_source=is_source)
    elif identifier := groups["id"]:
        yield "id:" + identifier
        if is_source:  # FE-101 stands in a source that lists FE-101/102 or MX-2040B/MX-2080B
            yield from ("id:" + part for part in identifier.split("/") if part != identifier)


def _paragraph_keys(groups: dict[str, str | None], *, is_source: bool) -> Iterator[str]:
    """Keys of 第14条の2第3項第1号. `open:` and `open_clause:` stand for what a source leaves open, see `_left_open`."""
    branches = [number for number in (groups["branch"] or "").split("の") if number]
    article = "-".join(_value(number) or "" for number in [groups["article"] or "", *branches])
    clause, item = (_value(groups[name] or "") if groups[name] else None for name in ("clause", "item"))
    if is_source:
        yield f"article:{article}"
        if branches:
            yield f"article:{_value(groups['article'] or '')}"
        if clause is not None:
            yield from (f"clause:{clause}", f"ref:{article}/{clause}")
        if item is not None:
            yield from (f"item:{item}", f"ref:{article}/{clause or ''}/{item}")
    elif item is not None:
        yield from (f"ref:{article}/{clause or ''}/{item}", f"open:{article}", f"open_clause:{article}/{clause or ''}")
    elif clause is not None:
        yield from (f"ref:{article}/{clause}", f"open:{article}")
    else:
        yield f"article:{article}"


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
    month = next((_month(groups[name]) for name in ("m1", "m2", "m3", "n4", "n5", "n6") if groups[name]), None)
    day = next((_value(found) for name in ("d1", "d2", "d3", "d4", "d5") if (found := groups[name])), None)
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
    hour = int(_value(hour_text) or 0)
    minute = 30 if groups["h1half"] else int(_value(groups["i1"] or groups["i2"] or "0") or 0)
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
            _scaled(number, groups["ml"]),
            unit_of({"¥": "円", "$": "usd", "€": "eur"}.get(groups["money"] or "", "pound")),
        )
    elif (number := groups["num"]) is not None:
        value, unit = _scaled(number, groups["big"] or groups["bigword"]), unit_of(groups["unit"])
    elif (number := groups["kanji"]) is not None:
        value, unit = _value(number), unit_of(groups["kunit"])
    elif (number := groups["word"]) is not None:
        value, unit = _scaled(str(_english(number)), groups["bigword2"]), unit_of(groups["wunit"])
    else:
        return
    if value is None:
        return
    if unit == "tenth":
        value, unit = str(_plain(Decimal(value) * 10)), "percent"
    yield f"{unit or '?'}:{value}"
    if unit is None and not is_source:
        yield f"any:{value}"
    elif unit is not None and not is_source:
        yield f"?:{value}"


def _year(groups: dict[str, str | None]) -> str | None:
    if (era := groups["era"]) is not None:
        counted = "1" if groups["ey"] == "元" else _value(groups["ey"] or "")
        return None if counted is None else str(ERAS[era] + int(counted))
    return next((_value(groups[name] or "") for name in ("y1", "y2", "y4", "y5", "y6") if groups[name]), None)


def _month(name: str | None) -> str | None:
    if name is None:
        return None
    return str(_MONTHS.index(name[:3]) + 1) if name[:3] in _MONTHS else _value(name)


def _english(word: str) -> int:
    parts = re.split(r"[- ]", word)
    return sum(_ENGLISH.get(part, _ORDINALS.get(part, 0)) for part in parts)


def _scaled(number: str, large: str | None) -> str | None:
    """1万2千 -> 12000, 1.5万 -> 15000, 2 million -> 2000000; None for what cannot be read."""
    plain = number.replace(",", "")
    if not large:
        return _plain(Decimal(plain))
    word = large.strip()
    if word == "hundred":
        return _plain(Decimal(plain) * 100)
    if word in _LARGE and word.isascii():
        return _plain(Decimal(plain) * _LARGE[word])
    return _value(plain + word.replace(",", ""))


def _value(text: str) -> str | None:
    """The value of digits, kanji digits or both, in plain decimal; None when it is none: 二〇二六, 十五, 1万2千, 3億5000万."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return _plain(Decimal(text))
    if re.fullmatch("[〇零一二三四五六七八九]{2,}", text):
        return str(int("".join(str(_KANJI_DIGITS[c]) for c in text)))
    total = part = Decimal(0)
    pending: Decimal | None = None
    for piece in re.findall(r"\d+(?:\.\d+)?|[^\d.]", text):
        if piece in _LARGE:
            total += (part + (pending or 0) or Decimal(1)) * _LARGE[piece]
            part, pending = Decimal(0), None
        elif piece in _KANJI_TENS:
            part += (Decimal(1) if pending is None else pending) * _KANJI_TENS[piece]
            pending = None
        elif piece in _KANJI_DIGITS:
            pending = Decimal(_KANJI_DIGITS[piece])
        elif piece[0].isdigit():
            pending = Decimal(piece)
        else:
            return None
    return _plain(total + part + (pending or 0))


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text.lstrip("0") or "0"


_SAID_OTHERWISE: tuple[tuple[str, str], ...] = (
    (r"半分|(?<![a-z])half(?![a-z])", "percent:50"),
    (r"半年|half a year", "month_long:6"),
    (r"正午|(?<![a-z])noon(?![a-z])", "clock:12:00"),
    (r"(?<![a-z])midnight(?![a-z])", "clock:0:00"),
)


def _halves(folded: str) -> Iterator[str]:
    """Keys of words that stand for a figure."""
    yield from (key for pattern, key in _SAID_OTHERWISE if re.search(pattern, folded))
