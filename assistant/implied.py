"""What a text says of figures beside what it writes: by the words around one, and in a source by words that stand for one. Pure.

An answer is held to what it writes; a source may say it in words (twice a year, daily, 半額), in short (June 1-15, 9~12時) or by the
head of a table (千円). Narrow on purpose: each reading excuses a figure. Knows shapes, no answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.figure_shapes import MONTH, MONTHS, UNIT
from assistant.measures import part_keys, same_measure
from assistant.numerals import KANJI, NUMBER, scaled, value_of
from assistant.units import unit_of

_BEFORE_CHARACTERS, _AFTER_CHARACTERS = 16, 24
_WORD_BEFORE = re.compile("(?<![a-z])([a-z]{2,10})[ -]$")
_MINUS = re.compile(r"(?:(?<![\da-z%)])(?<![\d%)c]\s)-|(?:マイナス|氷点下|minus)\s?)$")
_TEMPERATURE_FOLLOWS = re.compile(
    r"\s?(?:~|-|to|から|and)\s?(?:[+-]|プラス|マイナス)?\d{1,4}(?:\.\d{1,3})?\s?(?:°c|度|degrees)"
)
_SPEED = re.compile("時速(?:約)?$")
_AS_MUCH = re.compile(" (?:the|as|that|more|higher|larger|longer|faster)(?![a-z])")
_ROOM_BEFORE = re.compile(
    r"(?:室|教室|ルーム|ゲート|ホール|座席|席|(?<![a-z])(?:room|gate|seat|hall|rm\.?))(?:名|番号)?(?:[はが:]|\sis)?\s?$"
)
_LETTER_AFTER = re.compile("[a-z](?![a-z0-9])")
_SIGNED = frozenset({"celsius", "degree"})


def with_words_around(keys: list[str], match: re.Match[str], *, is_source: bool) -> Iterator[str]:
    """The keys of a matched figure as the words next to it change or add to them: -18℃, Tier 2, 会議室3B, 時速20km, three times the."""
    text = match.string
    before = text[max(0, match.start() - _BEFORE_CHARACTERS) : match.start()]
    after = text[match.end() : match.end() + _AFTER_CHARACTERS]
    kind, _, value = keys[0].partition(":")
    if kind == "?" and _TEMPERATURE_FOLLOWS.match(after):
        kind = "celsius"
        keys = [f"{kind}:{value}", *same_measure(kind, value), *([] if is_source else [f"?:{value}"])]
    if kind in _SIGNED and _MINUS.search(before) and value != "0":
        keys = [f"{kind}:-{value}", *same_measure(kind, f"-{value}"), *([] if is_source else [f"?:-{value}"])]
    if kind == "?" and (letter := _LETTER_AFTER.match(after)):
        if is_source:
            yield f"id:{value}{letter[0]}"
        elif _ROOM_BEFORE.search(before):
            yield f"id:{value}{letter[0]}"
            return
    yield from keys
    if kind == "?":
        if word := _WORD_BEFORE.search(before):
            yield f"named:{word[1]}{value}"
        if is_source and _MINUS.search(before):
            yield f"?:-{value}"
    elif kind == "time" and _AS_MUCH.match(after):
        yield f"fold:{value}"
    elif kind == "kilometre" and _SPEED.search(before):
        yield f"kilometre_per_hour:{value}"


_COUNTED_BY = {
    "person": "person|user|employee|member|participant|visitor|guest|attendee|student|child|customer|head",
    "time": "visit|trip|session|occasion|attempt|request|use",
    "case": "application|order|case|transaction",
    "piece": "unit|item",
    "machine": "vehicle|car|bicycle|device|machine|computer|laptop",
}
_COUNTED_BY_WORD = {word: unit for unit, words in _COUNTED_BY.items() for word in words.split("|")}
_COUNTED_WORDS = "|".join([UNIT, *sorted(_COUNTED_BY_WORD, key=len, reverse=True)])
_PER = re.compile(
    rf"(?:(?<![a-z])(?:per|each|every)\s|(?<=[a-z0-9])/\s?|(?:\d|(?<![a-z])(?:{UNIT}|once|twice|times|dollars|users))\san?\s)"
    rf"({_COUNTED_WORDS})(?![a-z])"
)
_ADVERBS: dict[str, tuple[str, ...]] = {
    "hourly": ("hour:1",),
    "daily": ("day:1", "time:1"),
    "weekly": ("week:1", "time:1"),
    "biweekly": ("week:2", "same:day/14"),
    "every other week": ("week:2", "same:day/14", "time:1"),
    "monthly": ("month_long:1", "time:1"),
    "quarterly": ("quarter:1", "month_long:3", "same:month/3", "time:1"),
    "semi-annually": ("month_long:6", "same:month/6", "time:2"),
    "annually": ("year:1", "time:1"),
    "annual": ("year:1", "time:1"),
    "yearly": ("year:1", "time:1"),
}
_ADVERB = re.compile(rf"(?<![a-z-])({'|'.join(sorted(_ADVERBS, key=len, reverse=True))})(?![a-z])")
_ONCE = re.compile(
    r"(?<![a-z])(?:(once)(?=\s(?:only|more|before|after|within|during)\b|\s?[.,;)|]|\s?$)|(?:only|least|than) (once)|(twice))(?![a-z])"
)
_REGULAR = re.compile(r"毎[日週月年時回朝晩]|ごと|隔[日週月年]|[年月週日]次|(?<!twice )(?<!times )(?<![a-z])every\s")
_ORDINAL = re.compile(
    rf"(?<![a-z\d-])(?<!\d )(?<!per )(?<!a )(first|second)(?:[\s-](?:written |oral |formal )?(?:({UNIT})"
    r"|(warning|reminder|attempt|time|violation|offen[cs]e|notice|call|failure|visit|round|session|dose|interview|payment|instal+ment)"
    r"(?![a-z])|[a-z]))?(?!\w*-)"
)
_PART = re.compile(r"(?<![\d/.])([1-4])/([2-5])(?!\d|/|\.\d|\(|\s?[~-])")
_SAID_OTHERWISE: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), keys)
    for pattern, keys in (
        (r"半分|半額|折半|(?<![a-z])half(?![a-z])", ("percent:50",)),
        (r"(?<![a-z])quarter(?![a-z])", ("percent:25",)),
        (r"(?<![a-z])(?:a|one)[\s-]third(?![a-z])", ("ratio:1/3",)),
        (r"正午|(?<![a-z])noon(?![a-z])", ("clock:12:00",)),
        (r"(?<![a-z])midnight(?![a-z])", ("clock:0:00",)),
        (r"(?<![a-z])(?:doubled?|twice (?:the|as))(?![a-z])", ("fold:2",)),
    )
)
_VERSION = re.compile(r"(?<![a-z0-9])v(?:er(?:sion)?\.?\s?)?(\d+)(?![a-z0-9.]|-)|バージョン\s?(\d+)(?![\d.])")
_NAMED_MONTH = re.compile(rf"(?<![a-z])({MONTH})(?![a-z])")
_LONGEST_MONTH = 31
_SHORT_DATE = re.compile(r"(?<![\d/.])(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])(?![\d/]|\.\d)")
_FULL_DATE = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2((?:19|20)\d\d)(?![\d/-]|\.\d)")
_YEAR_AND_MONTH = re.compile(r"(?<![\d/.,-])((?:19|20)\d\d)[/.-](0?[1-9]|1[0-2])(?![\d/-]|\.\d)")
_WRITTEN_TOGETHER = re.compile(r"(?<![\d.,-])((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\d.,-])")
_COUNTED = re.compile(f"第({KANJI})")
_LATER_TIME = re.compile(
    rf"(?:午後|pm)\s*(?:\d{{1,2}}|{KANJI})時(?:(?:\d{{1,2}}|{KANJI})分|半)?(?:[~-]|から)(\d{{1,2}}|{KANJI})時(?:(\d{{1,2}}|{KANJI})分|(半))?"
)
_LAST_DAY = re.compile(
    rf"(?P<month>\d{{1,2}}|{KANJI})月(?:\d{{1,2}}|{KANJI})日(?:\(.\))?(?:[~-]|から|及び|又は|[、・])(?P<day>\d{{1,2}}|{KANJI})日"
)
_BETWEEN = r"(?:st|nd|rd|th)?\s?(?:-|~|to|and|until|till|through)\s?"
_LAST_ENGLISH_DAY = re.compile(rf"(?<![a-z])({MONTH})\.? \d{{1,2}}{_BETWEEN}(\d{{1,2}})(?![\d:]|\s?[ap]\.?m)")
_FIRST_ENGLISH_DAY = re.compile(
    rf"(?<![\d:.,])(\d{{1,2}}){_BETWEEN}\d{{1,2}}(?:st|nd|rd|th)?(?: of)? ({MONTH})(?![a-z])"
)
_FIRST_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:[~-]|から)\d{1,2}月(?!曜)")
_SCALED_HEAD = re.compile(r"[(\[:]\s?(?:単位:?\s?)?(千|百万|万|億)円")
_CELL = re.compile(rf"(?<![\d.,])({NUMBER})(?=\s?(?:[|\t\n]|$))")
_AND_A_HALF = re.compile(rf"(?<![a-z])an? ({UNIT}) and a half(?![a-z])")


def implied(folded: str) -> Iterator[str]:
    """Keys of what a source, folded, says in words or in short: twice, daily, 半額, 4/10, 4月1日~10日, 9~12時, 別表第二, (千円)."""
    yield from (key for pattern, keys in _SAID_OTHERWISE if pattern.search(folded) for key in keys)
    yield from _often(folded)
    yield from _dates(folded)
    for found in _LATER_TIME.finditer(folded):
        minute = "30" if found[3] else value_of(found[2] or "0")
        yield f"clock:{int(value_of(found[1]) or 0) % 12 + 12}:{int(minute or 0):02}"
    yield from (f"any:{value_of(found[1])}" for found in _COUNTED.finditer(folded))
    for found in _VERSION.finditer(folded):
        yield from (f"id:v{found[1] or found[2]}", f"any:{found[1] or found[2]}")
    for found in _PART.finditer(folded):
        if found[1] < found[2]:
            yield from part_keys(found[1], found[2])
    for head in {found[1] for found in _SCALED_HEAD.finditer(folded)}:
        yield from (f"yen:{scaled(found[1], head)}" for found in _CELL.finditer(folded))


def _often(folded: str) -> Iterator[str]:
    """Keys of what is said of one or two without a numeral: per person, once, annually, the second warning."""
    for found in _PER.finditer(folded):
        unit = unit_of(found[1]) or _COUNTED_BY_WORD.get(found[1])
        yield from (f"{unit}:1", "any:1", *same_measure(unit, "1"))
    for found in _ADVERB.finditer(folded):
        yield from _ADVERBS[found[1]]
    for found in _ONCE.finditer(folded):
        yield "time:2" if found[3] else "time:1"
    if _REGULAR.search(folded):
        yield "regularly:1"
    ordinals = list(_ORDINAL.finditer(folded))
    counts_times = any(found[3] for found in ordinals)  # the first warning is oral, the second written
    for found in ordinals:
        place = "1" if found[1] == "first" else "2"
        yield f"any:{place}"
        if unit := unit_of(found[2]) or ("time" if counts_times else None):
            yield f"{unit}:{place}"
    for found in _AND_A_HALF.finditer(folded):
        unit = unit_of(found[1])
        yield from (f"{unit}:1.5", *same_measure(unit, "1.5"))


def _dates(folded: str) -> Iterator[str]:
    """Keys of dates that are written in another order, or in short with others."""
    days = [found.groups() for found in (*_SHORT_DATE.finditer(folded), *_LAST_DAY.finditer(folded))]
    days += [(_number_of(found[1]), found[2]) for found in _LAST_ENGLISH_DAY.finditer(folded)]
    days += [(_number_of(found[2]), found[1]) for found in _FIRST_ENGLISH_DAY.finditer(folded)]
    for month, day in ((value_of(month), value_of(day)) for month, day in days):
        yield from (f"date:{month}-{day}", f"date:?-{month}-{day}", f"day:{day}")
    dates = [(found[1], found[2], found[3]) for found in _WRITTEN_TOGETHER.finditer(folded)]
    for found in _FULL_DATE.finditer(folded):  # whether the day or the month comes first is nowhere said
        dates += [(found[4], found[1], found[3]), (found[4], found[3], found[1])]
    for year, written_month, written_day in dates:
        month_number, day_number = int(written_month), int(written_day)
        if 1 <= month_number <= len(MONTHS) and 1 <= day_number <= _LONGEST_MONTH:
            dated = f"{month_number}-{day_number}"
            yield from (f"date:{dated}", f"date:{year}-{dated}", f"year:{year}", f"month:{month_number}")
    for found in _YEAR_AND_MONTH.finditer(folded):
        yield from (f"year:{found[1]}", f"month:{int(found[2])}")
    yield from (f"month:{_number_of(found[1])}" for found in _NAMED_MONTH.finditer(folded))
    yield from (f"month:{value_of(found[1])}" for found in _FIRST_MONTH.finditer(folded))


def _number_of(month: str) -> str:
    return str(MONTHS.index(month[:3]) + 1)
