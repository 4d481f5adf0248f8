"""Terms under which a text is found that writes the same in another way. Pure; for the full-text index and its questions alone.

    第十二条   -> 12                      三十日      -> 30             2,000円, 2千円       -> 2000
    2026年4月1日, 2026/04/01, 令和8年四月一日, R8.4.1, April 1, 2026   -> 20260401     4月1日 -> 4/1
    取り扱い   -> 取扱                    鍵を        -> 鍵             getUserName          -> get, user, name
    AB-1234    -> ab1234                  e-mail      -> email          policies, boxes      -> policy, box
    Version 2.1 -> v2.1, 2.1              C#          -> c#            bonuses, PCs          -> bonus, pc
    10 GB, 9 a.m. -> 10gb, 9am            U.S.        -> us            FY2026, FY26          -> 2026
    1.5万円    -> 15000                   0x80070005  -> 80070005      Node.js               -> nodejs

They stand beside the terms of text.py and never in their place, so that what is written alike is still found first, and what
is not meant (一般, 統一) costs nothing but a rare term. Change them, or `lexical_terms`: raise TERMS_ID.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from assistant.text import ERAS, SAYS_NOTHING, lexical_terms, searched, singular

TERMS_ID = 3
"""Which terms an index is made of. One made of others is written anew from the ledger by the next ingestion."""

_KANJI = r"\u3400-\u4dbf\u4e00-\u9fff"
_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0}
_TENS = {"十": 10, "百": 100, "千": 1000}
_NUMERALS = "".join([*_DIGITS, *_TENS, "万億"])
_LONGEST_NUMERAL = 16
_COUNTERS = (
    "条|項|号|章|節|款|編|年|月|日|か月|週|時|分|秒|回|円|名|人|歳|割|階|級|種|件|部|枚|台|個|本|倍|営業日|丁目|番|度|点|社|"
    "通|冊|泊|カ国|か国|か所|パーセント|キロ|メートル|%"
)
_COUNTED = re.compile(
    rf"(?<!\d)(?:(?<![{_KANJI}])|(?<=[第年月条項号章和成正治]))[\d{_NUMERALS}]{{1,{_LONGEST_NUMERAL + 1}}}(?={_COUNTERS})"
)
_FRACTION = re.compile(rf"(?<![\d.,])(\d{{1,5}})\.(\d{{1,4}})(千|百万|万|億)(?={_COUNTERS})")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_SHORT_ERAS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_ERA = (
    rf"(?:(?P<era>{'|'.join(ERAS)})\s*(?P<counted>\d{{1,2}}|元)|(?<![a-z0-9])(?P<short>[rhst])(?P<in_short>\d{{1,2}}))"
)
_DATE = re.compile(
    rf"(?:(?<!\d)(?P<year>\d{{4}})|{_ERA})\s*[年/.-]\s*(?P<month>\d{{1,2}})\s*[月/.-]\s*(?P<day>\d{{1,2}})(?!\d|\.\d)"
)
_SHORT_YEAR = re.compile(r"(?<![a-z0-9])(?P<short>[rhst])(?P<in_short>\d{1,2})(?=年|[./]\d{1,2}[./]\d{1,2}(?![\d.]))")
_MONTH_DAY = re.compile(r"(?<!\d)(?P<month>\d{1,2})月\s*(?P<day>\d{1,2})日")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})(?:uary|ruary|ch|il|e|y|ust|tember|t|ober|ember)?\.?"
_ENGLISH_DATES = (
    re.compile(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,? (?P<year>\d{{4}}))?"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?![a-z])(?:,? (?P<year>\d{{4}}))?"),
)
_BETWEEN = re.compile(rf"(?=([{_KANJI}])[いきしちみりぎびえけせめれげべっ]([{_KANJI}]))")
_ALONE = re.compile(rf"(?<![{_KANJI}々])[{_KANJI}](?=[をはがのもにとでへや])|(?<=[\u3041-\u30ff])[{_KANJI}](?![\w々])")
_TELLS_NOTHING = SAYS_NOTHING | frozenset(_NUMERALS) | frozenset("何誰幾")
_PARTED = re.compile(r"(?<![^\W_])[a-z0-9]+(?:[-_][a-z0-9]+){1,4}(?![^\W_])")
_PLURAL = re.compile(r"(?<![^\W_])(?:([a-z]{2,})ies|([a-z]+(?:ss|[^ao]us|x|ch|sh|zz)|bus)es)(?![^\W_])")
_CAMEL = re.compile("(?<![A-Za-z])[A-Za-z]*[a-z][A-Z][A-Za-z]*")
_HUMP = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LETTERS_AND_DIGITS = re.compile(r"([a-z]+)(\d+)")
_WORD = re.compile("[a-z0-9]+")
_VERSION = re.compile(r"(?:(?<![a-z0-9])v(?:er(?:sion)?)?|バージヨン)\.? ?(\d+(?:\.\d+)*)")
_UNITS = "[kmgtp]i?b|[kmgt]?bps|bit|bytes?|[nmck]?m|[mk]?g|t|m?l|[kmgt]?hz|[kmg]?wh?|k?v|mah?|dpi|ppi|rpm|ppm|fps|h|ms|min|sec"
_QUANTITY = re.compile(rf"(?<![a-z0-9.,])(\d{{1,3}}(?:,\d{{3}})+|\d+)(\.\d+)?( ?)({_UNITS}|[ap]\.?m)(?![a-z0-9])")
_INITIALS = re.compile(r"(?<![a-z0-9.])(?:ph|[a-z])(?:\.[a-z]){1,5}(?![a-z0-9])")
_FISCAL_YEAR = re.compile(r"(?<![a-z0-9])fy ?'?(20)?(\d\d)(?!\d)")
_HEXADECIMAL = re.compile("(?<![a-z0-9])0x([0-9a-f]{4,16})(?![a-z0-9])")
_DOTTED_NAME = re.compile(r"(?<![a-z0-9.])([a-z]{2,20})\.(js|net)(?![a-z0-9])")
_ACRONYMS = re.compile("(?<![A-Za-z])[A-Z]{2}(?=s(?![A-Za-z]))")
_WITH_SIGN = re.compile(r"(?<![a-z0-9])[a-z](?:\+\+|#)(?![a-z0-9])")
_LEAST_JOINED, _MOST_JOINED = 4, 30
_MOST_PAIRS = 64


def index_terms(text: str) -> list[str]:
    """All terms of a stored text."""
    return [*lexical_terms(text), *_other_spellings(searched(text)), *_acronyms(text), *_humps(text)]


def question_terms(text: str) -> list[str]:
    """All terms of a question, each once, those that it is written with first."""
    others = [*_other_spellings(searched(text)), *_acronyms(text)]
    return list(dict.fromkeys([*lexical_terms(text, for_query=True), *others]))


def guessed_terms(text: str) -> dict[str, str]:
    """Terms that a question may mean, by the term in whose stead they stand ("" for none): `login` for log in, windows and 11
    for windows11. Worth a search only where an index holds them, and not the term itself."""
    words = _WORD.findall(searched(text))[:_MOST_PAIRS]
    pairs = [one + other for one, other in pairwise(words)]
    guessed = {joined: "" for joined in pairs if _LEAST_JOINED < len(joined) <= _MOST_JOINED and not joined.isdigit()}
    for word in words:
        if parts := _LETTERS_AND_DIGITS.fullmatch(word):
            guessed |= {part: word for part in parts.groups() if len(part) > 1}
    return guessed


def _other_spellings(plain: str) -> Iterator[str]:
    yield from _figures(plain)
    if not plain.isascii():
        yield from (one + other for one, other in _BETWEEN.findall(plain))
        yield from (kanji for kanji in _ALONE.findall(plain) if kanji not in _TELLS_NOTHING)
    yield from _technical(plain)
    for run in _PARTED.findall(plain):
        joined = run.replace("-", "").replace("_", "")
        if len(joined) <= _MOST_JOINED and (len(joined) > _LEAST_JOINED or not joined.isdigit()):
            yield singular(joined)
    for before_ies, before_es in _PLURAL.findall(plain):
        yield f"{before_ies}y" if before_ies else singular(before_es)


def _technical(plain: str) -> Iterator[str]:
    """Names and measures that some write in one piece and others in two, or with marks."""
    for found in _VERSION.finditer(plain):
        number = found[1]
        if found[0] != f"v{number}":
            yield f"v{number}"
        if "." in number:
            yield number
    yield from _WITH_SIGN.findall(plain)
    for whole, fraction, blank, unit in _QUANTITY.findall(plain):
        if blank or "," in whole or "." in unit:
            yield whole.replace(",", "") + fraction + unit.replace(".", "")
    yield from (found.replace(".", "") for found in _INITIALS.findall(plain))
    yield from (f"20{year}" for _, year in _FISCAL_YEAR.findall(plain))
    yield from _HEXADECIMAL.findall(plain)
    yield from (singular(name + end) for name, end in _DOTTED_NAME.findall(plain))


def _figures(plain: str) -> Iterator[str]:
    """Numbers in digits, and dates in one form."""
    written: list[str] = []

    def in_digits(match: re.Match[str]) -> str:
        if match[0].isdecimal() or len(match[0]) > _LONGEST_NUMERAL:
            return match[0]
        value = _value(match[0])
        written.append(str(value))
        return str(value)

    def whole(match: re.Match[str]) -> str:
        value, rest = divmod(int(match[1] + match[2]) * _value(f"1{match[3]}"), 10 ** len(match[2]))
        if rest:
            return match[0]
        written.append(str(value))
        return str(value)

    digits = plain if plain.isascii() else _COUNTED.sub(in_digits, _FRACTION.sub(whole, plain))
    yield from written
    yield from (grouped.replace(",", "") for grouped in _GROUPED.findall(digits))
    yield from (
        str(ERAS[_SHORT_ERAS[found["short"]]] + int(found["in_short"])) for found in _SHORT_YEAR.finditer(digits)
    )
    for found in _DATE.finditer(digits):
        year, month, day = _year(found), int(found["month"]), int(found["day"])
        yield from _date(year, month, day)
        if "月" not in found[0] and _is_day(month, day):
            yield f"{month}/{day}"
    for found in _MONTH_DAY.finditer(digits):
        yield f"{int(found['month'])}/{int(found['day'])}"
    for pattern in _ENGLISH_DATES:
        for found in pattern.finditer(digits):
            month, day = _MONTHS.index(found["name"]) + 1, int(found["day"])
            yield f"{month}/{day}"
            if found["year"]:
                yield from _date(int(found["year"]), month, day)


def _year(found: re.Match[str]) -> int:
    if found["year"]:
        return int(found["year"])
    era = found["era"] or _SHORT_ERAS[found["short"]]
    return ERAS[era] + (1 if found["counted"] == "元" else int(found["counted"] or found["in_short"]))


def _date(year: int, month: int, day: int) -> Iterator[str]:
    if _is_day(month, day):
        yield f"{year}{month:02}{day:02}"


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _value(numeral: str) -> int:
    """1万2千, 百二十三, 二〇二六: the number."""
    whole = part = 0
    digits = ""
    for character in numeral:
        if character.isdecimal():
            digits += character
        elif character in _DIGITS:
            digits += str(_DIGITS[character])
        elif character in _TENS:
            part += _TENS[character] * int(digits or 1)
            digits = ""
        else:
            whole += (part + int(digits or (0 if part else 1))) * (10**4 if character == "万" else 10**8)
            part, digits = 0, ""
    return whole + part + int(digits or 0)


def _humps(text: str) -> Iterator[str]:
    """get, user and name of getUserName."""
    for word in _CAMEL.findall(unicodedata.normalize("NFKC", text)):
        yield from (part.lower() for part in _HUMP.findall(word) if len(part) > 1)


def _acronyms(text: str) -> Iterator[str]:
    """pc of PCs; longer ones lose their s like every word."""
    yield from (found.lower() for found in _ACRONYMS.findall(unicodedata.normalize("NFKC", text)))
