"""How figures are written in Japanese and English: one pattern, over text in one width and case. Pure data; knows no keys.

What a match means is told by figures.py, what a source implies without writing it by implied.py.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from assistant.numerals import ENGLISH_NUMBER, KANJI, NUMBER, NUMERAL
from assistant.text import INVISIBLE, REMEMBERED_TEXTS
from assistant.units import UNIT_WORDS

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTH = "|".join([*_FULL_MONTHS, *MONTHS, "sept"])
_NAMED_MONTH = f"(?P<{{0}}>{MONTH})" + r"\.?"
_BEFORE_MONTHS = "".join(
    rf"(?<=\b{word} )|"
    for word in "in by from to of until till since every each during through early late before after between and or".split()  # noqa: SIM905
).rstrip("|")
_FOLDED = str.maketrans("〜‐‑‒–—―−", "~-------")
_VERB = re.compile(
    r"(?<![\w.@/-])(?<!\bon )(?<!\bby )(?<!\bof )(?<!\bin )(?<!\bevery )(?<!\buntil )(?<!\bsince )"
    r"(?:may|march)(?![\w@/-]|\.\w)(?!,? \d{4})"
)
"""In small letters, and not behind "in" or before a year, these are no months: level 3 may apply."""
_DAIJI = re.compile("[壱弐参四五六七八九拾百千萬万億]{2,24}(?=円)")
_AS_USUAL = str.maketrans("壱弐参拾萬", "一二三十万")
_NO_UNIT_BEFORE = {"月": "(?!曜)", "日": "(?!曜)"}
"""第1月曜日 is no month."""
UNIT = (
    "(?:"
    + "|".join(
        re.escape(word) + (r"(?![a-z])" if word[-1].isalpha() and word.isascii() else _NO_UNIT_BEFORE.get(word, ""))
        for word in UNIT_WORDS
    )
    + ")"
)
_AND_A_HALF = "半(?![期年月角額分数ば日])"
_LARGE = r"\s?(?:thousand|million|billion|trillion)\b"
_PART_OF_DAY = "in the (?P<{0}>morning|afternoon|evening)"
_HOST = (
    r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,5}\.(?:com|org|jp|local)"
    r"|[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}\.(?:net|internal|lan|corp|info|biz|io|dev|cloud|edu|gov|eu|uk|de|us)"
)
"""With few endings, for file names (config.yaml) and products (Node.js) look like hosts."""
FIGURE = re.compile(
    r"(?P<url>(?:(?<![a-z])[a-z][a-z0-9+.-]{0,20}://|www\.)[^\s<>「」『』()（）\"'`|*、。\u3041-\u309f]+)"
    r"|(?P<mail>(?<![a-z0-9])[a-z0-9._%+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    rf"|(?P<host>(?<![a-z0-9@._-])(?:{_HOST})(?![a-z0-9-]|\.[a-z0-9]))"
    r"|(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})(?!\d|\.\d)"
    r"|(?<![a-z0-9])(?P<era2>[rhst])(?P<ey2>\d{1,2})[/.](?P<m6>0?[1-9]|1[0-2])[/.](?P<d6>\d{1,2})(?!\d|\.\d)"
    r"|(?P<tel>(?<![a-z\d.,+-])(?:\+\d{1,3}[- ]?(?:\(\d{1,4}\) ?|\d{1,4}[- ])\d{1,4}[- ]|(?=[(0])(?=(?:[-() ]{0,2}\d){10,11}(?![\d-]))"
    r"\(?\d{2,5}(?:\)[- ]?|[-( ])\d{1,4}[-) ]|(?=(?:\d+-){2}\d+(?![\d-]))(?=(?:-?\d){10,11}(?![\d-]))\d+-\d+-)\d{3,4}|(?<![a-z\d.,-])0\d{9,10}(?!\d))"
    r"|(?<![a-z0-9])v(?:er\.?)?(?P<version>\d+(?:\.\d+)+)"
    r"|(?P<halfyear>半年(?!度)|(?<![a-z])half a year(?![a-z]))"
    rf"|(?P<under>\d{{1,3}}|{KANJI})分の(?P<over>\d{{1,3}}|{KANJI})"
    rf"|(?P<wari>\d|{KANJI})割(?P<bu>\d|{KANJI})分"
    rf"|(?P<hours>\d{{1,3}}|{KANJI})(?:時間|\shours?\s(?:and\s)?)(?:(?P<minutes>\d{{1,2}}|{KANJI})(?:分|\sminutes?)|(?P<hourhalf>半))"
    rf"|(?:(?:(?P<era>令和|平成|昭和|大正)(?P<ey>\d{{1,2}}|元|{KANJI})|(?P<y2>\d{{4}}|(?<!{NUMERAL})[〇一二三四五六七八九]{{4}}))年(?P<fy>度?)[\s、]*)"
    rf"(?:(?P<m2>\d{{1,2}}|{KANJI})月(?:(?P<d2>\d{{1,2}}|{KANJI})日)?)?"
    rf"|(?P<m3>\d{{1,2}}|{KANJI})月(?P<d3>\d{{1,2}}|{KANJI})日"
    rf"|(?<![a-z0-9])(?:(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:(?: of)? |-){_NAMED_MONTH.format('n4')}(?![a-z])(?:(?:,? |-)(?P<y4>\d{{4}}))?)"
    rf"|(?<![a-z0-9]){_NAMED_MONTH.format('n5')} (?P<d5>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,? (?P<y5>\d{{4}}))?"
    rf"|(?<![a-z0-9])(?:(?P<n6>{'|'.join(m for m in _FULL_MONTHS if m not in {'may', 'march'})})(?![a-z])"
    rf"|(?P<n7>{MONTH})(?=\.?,? \d{{4}}(?!\d))|(?:{_BEFORE_MONTHS})(?P<n8>{MONTH})(?![a-z]))(?:\.?,? (?P<y6>\d{{4}})(?!\d))?"
    rf"|(?:(?P<half>午前|午後|am|pm)\s*)?(?P<h1>\d{{1,2}}|{KANJI})(?:時(?!間)(?:(?P<i1>\d{{1,2}}|{KANJI})分|(?P<h1half>半))?"
    rf"|(?=(?:[~-]|から)(?:\d{{1,2}}|{KANJI})時(?!間)))"
    r"|(?<![\d.:])(?P<h4>\d{1,2})(?::(?P<i4>\d{2}))?(?=\s?(?:-|~|to|and|until|till)\s?(?P<h5>\d{1,2})(?::\d{2})?\s?(?P<ap5>[ap])\.?m\b)"
    r"|(?:(?P<half2>午前|午後|am|pm)\s*)?(?<![\d:])(?P<h2>\d{1,2}):(?P<i2>\d{2})(?::\d{2})?(?!\d)(?:\s*(?P<ap2>[ap])\.?m\b\.?"
    rf"|\s{_PART_OF_DAY.format('part2')})?"
    rf"|(?<![\d.])(?P<h3>\d{{1,2}})(?:\s*(?P<ap3>[ap])\.?m\b\.?|\so['’]clock(?:\s{_PART_OF_DAY.format('part3')})?)"
    r"|(?P<id>(?<![a-z0-9])(?!(?:ac|dc)\d+(?:[~-]\d+)?v(?![a-z0-9]))(?:[a-z][a-z0-9]*(?:[-_./][a-z0-9]+){0,15}[-_]?\d[a-z0-9]*(?:[-_/][a-z0-9]+)*"
    rf"|(?!\d{{1,3}}-\d{{1,3}}\s?{UNIT})"
    r"(?:\d{2,5}-\d{4}|\d+(?:-\d+){2,}(?:-[a-z0-9]+)*|\d+(?:\.\d+){2,}|\d+[a-z]*-[a-z0-9-]*\d[a-z0-9-]*))(?![a-z0-9]))"
    rf"|第?(?P<article>\d+|{KANJI})条(?:の(?P<branch>(?:\d+|{KANJI})(?:の(?:\d+|{KANJI}))*))?"
    rf"(?:\s*第?(?P<clause>\d+|{KANJI})項)?(?:\s*第?(?P<item>\d+|{KANJI})号)?"
    rf"|(?P<money>[¥$€£]|(?<![a-z])(?:usd|eur|jpy|gbp))\s*(?P<mn>{NUMBER})(?P<ml>[万億兆千百]+|{_LARGE}|(?:mn|bn|[kmb])\b)?"
    rf"|(?P<num>{NUMBER})(?:(?P<big>[万億兆千百](?:[\d,.]|[万億兆千百〇一二三四五六七八九十])*)|(?P<bigword>{_LARGE}|\s?[mb]n\b|k(?![a-z0-9])))?"
    rf"(?:st|nd|rd|th)?(?:[\s-]?(?P<unit>{UNIT})(?P<half1>{_AND_A_HALF})?)?"
    rf"|(?P<kanji>{KANJI})(?:(?P<kunit>{UNIT})(?P<khalf>{_AND_A_HALF})?|(?=以上|以下|未満|を超え))"
    r"|(?<![a-z])(?P<often>once|twice)(?=\s(?:an?|per|each|every|daily|weekly|monthly|yearly|annually)\b)"
    r"|(?<![a-z])(?P<fn>one|two|three|four|five)[\s-](?P<fd>third|quarter|fourth|fifth|tenth)s?(?![a-z])"
    rf"|(?<![a-z])(?P<word>{ENGLISH_NUMBER})(?![a-z])(?:[\s-](?P<bigword2>thousand|million|billion|trillion|hundred)(?:\s(?:and\s)?(?P<rest>{ENGLISH_NUMBER})(?![a-z])"
    rf"(?:\s(?P<hundreds>hundred)(?:\s(?:and\s)?(?P<rest2>{ENGLISH_NUMBER})(?![a-z]))?)?)?)?"
    rf"(?P<whalf>\sand\sa\shalf)?(?:[\s-](?P<wunit>{UNIT}))?"
)


def folded_with_places(text: str) -> tuple[str, list[int]]:
    """Text in one width and case, and for each of its characters the place that it has in the original."""
    text = _VERB.sub(lambda verb: verb[0].replace("a", "e"), text)
    text = _DAIJI.sub(lambda sum_of_money: sum_of_money[0].translate(_AS_USUAL), text)
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
