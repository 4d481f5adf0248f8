"""What the name of a file tells: which document it is a version of, which version, and whether it is a copy.

年度, 版, v2 and the like are marks; what remains is the name of the document. Two files of one folder are versions when their
names differ in marks alone. Month and day are no marks: minutes of different days are different documents, and a rule of
2024-04-01 has a newer version of 2025-04-01. A digit is a mark only where nothing else is as likely: a name that is not
understood leaves two documents side by side, one that is misunderstood hides the right one behind the wrong one. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

from assistant.text import ERAS, normalise, year_in_era

LAST_CENTURY_FROM = 40
"""24年度 is 2024, and 98年度 1998."""

_FIRST = ((1,),)
_NUMERALS = "一二三四五六七八九十"
_MONTH_AND_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
_MARKS = re.compile(
    rf"""
    # 2024, 2024年度版, FY2024, 202404, 20240401; not 2001号, 2040B, 12024, 2024001
    (?:(?<![a-z])fy[ _-]?)?(?<!\d)(?P<western>19[5-9]\d|20[0-3]\d)
    (?:年度?版?|版|(?![\da-z号番室型教階名人円件]|-\d{{5}})|(?=(?:0[1-9]|1[0-2])(?!\d)|{_MONTH_AND_DAY}))
    # 令和6年度版, 令和六年, 令和6.4.1
  | (?P<era>令和|平成|昭和)\s*(?P<year_of_era>\d{{1,2}}|元|[{_NUMERALS}]{{1,3}})(?:(?!\d)|(?={_MONTH_AND_DAY}))
    (?:年度?)?版?
    # R6, R6.4.1, R060401, H30年度; not R101, H100, and not H1 and H2, which are halves of a year
  | (?<![a-z\d])(?:r\.?(?P<reiwa>0?[1-9]|[12]\d|元)|h\.?(?P<heisei>0?[3-9]|[12]\d|3[01]|元))
    (?:(?![\da-z])|(?={_MONTH_AND_DAY}))(?:年度?)?版?
    # FY24, 24年度; 240401 and 24.4.1, of which the day remains
  | (?<![a-z])fy[ _-]?(?P<fiscal>\d\d)(?!\d) | (?<!\d)(?P<short>\d\d)年[度版]版?
  | (?<![a-z\d.])(?P<day>[123]\d)
    (?={_MONTH_AND_DAY}|(?P<mark>[.-])(?:0?[1-9]|1[0-2])(?P=mark)(?:0?[1-9]|[12]\d|3[01])(?![\d.]))
    # v1.2, Ver. 2, rev_3, rev.B
  | (?<![a-z\d])(?:v|ver|version|rev|revision|バージョン|edition)[.\s_-]{{0,2}}(?P<version>\d+(?:\.\d+)*)(?![a-z\d]|\.\d)
  | (?<![a-z\d])rev[.\s_-]{{0,2}}(?P<letter>[a-z])(?![a-z\d])
    # 第2版, 第1.1版, 第十版, 2版, 初版, 2nd edition; not A4版
  | 第\s*(?P<edition>\d{{1,3}}(?:\.\d+)*|[{_NUMERALS}]{{1,3}})\s*版 | (?<![a-z\d.])(?P<bare_edition>\d{{1,2}})版
  | (?P<first>初版) | (?<!\d)(?P<ordinal>\d{{1,2}})(?:st|nd|rd|th)[\s_-]*ed(?:ition)?(?![a-z])
    # 1.2.3, 1.2.3.4; not at the beginning, where it numbers a chapter, and no address (10.0.0.1)
  | (?<=[^\d.第])(?P<dotted>\d{{1,2}}\.\d+\.\d+|\d\.\d+\.\d+\.\d+)(?!\.?\d|[章節条項])
    """,
    re.VERBOSE,
)
_NO_YEAR_AFTER = re.compile(
    r"(?:[第室号棟番型#]|(?<![a-z])[a-z]{1,4}|(?<![a-z])[a-z]{1,2}-|(?<![a-z])(?:no|room|model|type|form)[.\s_-]{1,2})$"
)
"""MX-2030, MX2030, 会議室2001, No. 2001; but handbook2024."""
_LOOKED_BACK = 12
"""Characters before a year that are looked at: longer than what may stand there, so that a long text is read once."""

_BEFORE, _AFTER = r"(?<![^\W_月日])", r"(?P<again>[ _]?\d{1,2})?(?![^\W_])"
_OLD = "旧|廃止|バックアップ"
_NEW = "新|改[訂定正]?|修正|更新|最新|最終|確定|完成|決定"
_DRAFT = "案|素案|草案|原案|ドラフト|たたき台|下書き|暫定"
_OLD_EN = "old|obsolete|outdated|deprecated|superseded|archived?|backup|bak"
_NEW_EN = "new|final|latest|updated|revised|amended"
_ANY_EN = f"{_OLD_EN}|{_NEW_EN}|draft"
_NOT_WITH_NEW = "(?!規(?![程則約定格])|[製商]?品|聞|人|任|卒|入|社員|職員|会員|技術|事業|工場|店|館|棟|車|薬|型|築|株|年|設|[潟宿橋])"
_WORDS = re.compile(
    rf"""
    {_BEFORE}(?P<ja>{_OLD}|{_NEW}|{_DRAFT}){_AFTER}
  | (?P<edition>旧|改[訂定正]|修正|更新|最新|最終|確定|完成|決定|新|暫定)版(?P<again_edition>[ _]?\d{{1,2}}(?!\d))?
  | ^[\W_]*(?P<first>旧(?!姓|正月|館)|新{_NOT_WITH_NEW})(?=\w)
  | (?<![a-z])(?P<last>{_ANY_EN})(?P<again_last>[\s_-]?\d{{1,2}})?(?=(?:[\W\d_]*(?:{_ANY_EN})(?![a-z]))*[\W\d_]*$)
  | [(\[【](?P<in_brackets>{_ANY_EN})[)\]】]
  | ^[\W_]*(?P<leading>(?:old|obsolete|outdated|deprecated|superseded|draft)(?=[\W_])|(?:{_NEW_EN})(?=_|[\s-]*[^\W\da-z_]))
    """,
    re.VERBOSE,
)
"""Words with a border on both sides, with 版 behind, or where the name begins or ends: 契約更新, 料金改定のお知らせ and
new-hire-guide are what a document is about. 新 in front is a mark where what follows has no meaning of its own with it
(新規程, not 新規, 新製品, 新人)."""
_WORD_GROUPS = ("ja", "edition", "first", "last", "in_brackets", "leading")
_COPIED = re.compile(
    r"^copy (?:\(\d{1,2}\) )?of |^コピー ?(?:\(\d{1,2}\) ?)?~ ?"
    r"|(?: ?の ?|[ _(-]{1,3})?(?:コピー|複製) ?(?:\(?\d{1,2}\)?)?\)?$|[ _(-]{1,3}copy ?(?:\(?\d{1,2}\)?)?\)?$"
    r"|[ _]?[(\[](?P<number>\d{1,2})[)\]]$"
)
"""As Windows, macOS, browsers and people write it."""
_NOT_A_NAME = re.compile(r"(?P<between_digits>(?<=\d)[\W_]+(?=\d))|[\W_]+")

_FOR_EARLIER = re.compile(
    r"推移|比較|比べ|過去|昨年|去年|前[年期回]|各年|年ごと|年別|経年|年々|歴代|(?<!復)旧(?!姓|正月|館|暦)"
    r"|改[訂定正]前|変更前の|変更点|(?:から|何が|どう|どこが|どのように)変わ|(?:前|以前|古い|昔)の(?:版|規[程則定約]|もの)"
    r"|\b(?:trends?|compar(?:e|ed|es|ing|ison)|previous(?:ly)?|historical(?:ly)?|year[- ](?:over|on|by)[- ]year"
    r"|(?:last|prior|earlier|former) (?:fiscal )?years?|(?:last|past) \w+ years|past years"
    r"|(?:prior|earlier|former|older) (?:versions?|editions?|rules?|polic(?:y|ies))|(?:version|revision) history"
    r"|(?:the|an|our|your) old|changed? (?:since|from|between|over)|before the (?:change|revision|amendment))\b"
)
"""Not 復旧, 住所が変わったとき, per year, prior approval or how old."""


class Named(Protocol):
    """What tells versions of one document apart: a passage has it, and so has a document."""

    @property
    def folder(self) -> str:
        """The folder that it was ingested from."""

    @property
    def path(self) -> str:
        """Its path in there."""

    @property
    def modified_ns(self) -> int:
        """When the source file was changed."""


@dataclass(frozen=True)
class Told:
    """What a name tells. `name` is what remains without marks: equal for versions and copies of one document, or empty."""

    folder: str
    name: str
    years: tuple[int, ...]
    numbers: tuple[tuple[int, ...], ...]
    is_old: bool
    is_new: bool
    is_draft: bool
    is_copy: bool
    copy_number: str
    """The number in brackets at its end, of a copy or of an annex."""
    modified_ns: int

    def is_older_than(self, other: Told) -> bool:
        """Whether both are versions of one document, and this is the older one. That one is a copy says nothing of it."""
        if not self.name or (self.folder, self.name) != (other.folder, other.name):
            return False
        if self.copy_number and other.copy_number and self.copy_number != other.copy_number:
            return False  # 別紙(1) of 2024 and 別紙(2) of 2025
        return self._marks != other._marks and self._comes_before(other)

    def is_copy_of(self, other: Told) -> bool:
        """Whether the names, in whatever folders, may be those of one text: no year or version of them contradicts it."""
        return (
            bool(self.name)
            and self.name == other.name
            and (not self.years or not other.years or self.years == other.years)
            and (not self.numbers or not other.numbers or self.numbers == other.numbers)
        )

    @cached_property
    def _marks(self) -> tuple[object, ...]:
        return self.years, self.numbers, self.is_old, self.is_new, self.is_draft

    @cached_property
    def _kinds(self) -> set[str]:
        kinds = {"year": self.years, "number": self.numbers not in ((), _FIRST), "new": self.is_new}
        return {kind for kind, has in kinds.items() if has}

    @cached_property
    def _order(self) -> tuple[object, ...]:
        numbers = self.numbers or (_FIRST if self.is_new else ())  # 改訂版 comes after 初版
        return self.years, numbers, self.is_new, self.modified_ns

    def _comes_before(self, other: Told) -> bool:
        """旧 or old comes before all, a draft before what came of it, then years and numbers decide, then 改訂 or new; at last
        when the file was changed, which a copy, a restore or a slip of the pen changes too."""
        if self.is_old != other.is_old:
            return self.is_old
        if self.is_draft != other.is_draft:  # a draft of 2025 is no older version of what is in force in 2024
            return self.is_draft and (self.years, self.numbers) <= (other.years, other.numbers)
        if self.years and other.years and self.years != other.years:
            return self.years < other.years
        if not (self._kinds <= other._kinds or other._kinds <= self._kinds):  # 改訂版 beside v2 tells no order
            return self.modified_ns < other.modified_ns
        return self._order < other._order


@dataclass(frozen=True)
class Asked:
    """What a question says about versions."""

    years: frozenset[int]
    numbers: frozenset[tuple[int, ...]]
    is_for_earlier: bool
    """It compares years or versions, or asks for an earlier one."""

    def names(self, told: Told) -> bool:
        """Whether it names the year or version of this document."""
        return bool(self.years.intersection(told.years)) or any(
            number[: len(asked)] == asked for asked in self.numbers for number in told.numbers
        )


def is_older(passage: Named, other: Named) -> bool:
    """Whether both are versions of one document, told by their names, and the first is the older one."""
    return told_by(passage).is_older_than(told_by(other))


def told_by(named: Named) -> Told:
    """What the name of its file tells."""
    path = PurePosixPath(named.path)
    stem, is_copy, copy_number = _without_copy_marks(normalise(path.stem).strip())
    without_numbers, years, numbers = _without_numbers(stem)
    words: list[str] = []

    def note(found: re.Match[str]) -> str:
        words.append(next(found[group] for group in _WORD_GROUPS if found[group]))
        again = found["again"] or found["again_edition"] or found["again_last"]
        if again:
            numbers.append((int(again.strip(" _-")),))
        return " "

    name = _WORDS.sub(note, without_numbers)
    return Told(
        folder=f"{named.folder}/{path.parent}",
        name=_NOT_A_NAME.sub(lambda found: "." if found["between_digits"] else "", name),
        years=tuple(years),
        numbers=tuple(numbers),
        is_old=any(re.fullmatch(f"{_OLD}|{_OLD_EN}", word) for word in words),
        is_new=any(re.fullmatch(f"{_NEW}|{_NEW_EN}", word) for word in words),
        is_draft=any(re.fullmatch(f"{_DRAFT}|draft", word) for word in words),
        is_copy=is_copy,
        copy_number=copy_number,
        modified_ns=named.modified_ns,
    )


def asked_of(question: str) -> Asked:
    """What the question says about years and versions."""
    plain = normalise(question)
    _, years, numbers = _without_numbers(plain)
    is_for_earlier = len(set(years)) > 1 or _FOR_EARLIER.search(plain) is not None
    return Asked(frozenset(years), frozenset(numbers), is_for_earlier)


def _without_copy_marks(stem: str) -> tuple[str, bool, str]:
    """(the name, whether it is a copy's, the number in brackets at its end)."""
    is_copy, number = False, ""
    while (found := _COPIED.search(stem)) is not None:
        rest = f"{stem[: found.start()]}{stem[found.end() :]}".strip()
        if not _NOT_A_NAME.sub("", rest):
            break
        stem, is_copy, number = rest, True, found["number"] or number
    return stem, is_copy, number


def _without_numbers(text: str) -> tuple[str, list[int], list[tuple[int, ...]]]:
    """(the normalised text with blanks for its years and versions, the western years, the numbers of versions)."""
    years: list[int] = []
    numbers: list[tuple[int, ...]] = []

    def note(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - _LOOKED_BACK) : found.start()]
        if found["western"] and "年" not in found[0] and _NO_YEAR_AFTER.search(before):
            return found[0]
        year = _year_of(found)
        if year is None:
            numbers.append(_version_of(found))
        else:
            years.append(year)
        return " "

    return _MARKS.sub(note, text), years, numbers


def _year_of(found: re.Match[str]) -> int | None:
    """The western year that a mark stands for."""
    if found["western"]:
        return int(found["western"])
    for era, years in ((found["era"], found["year_of_era"]), ("令和", found["reiwa"]), ("平成", found["heisei"])):
        if years:
            return ERAS[era] + year_in_era(years)
    two_digits = found["fiscal"] or found["short"] or found["day"]
    return int(two_digits) + (2000 if int(two_digits) < LAST_CENTURY_FROM else 1900) if two_digits else None


def _version_of(found: re.Match[str]) -> tuple[int, ...]:
    """The numbers of a version or edition, 2 of B."""
    if found["letter"]:
        return (ord(found["letter"]) - ord("a") + 1,)
    edition = found["edition"]
    if edition and edition[0] in _NUMERALS:
        return (year_in_era(edition),)
    written = edition or found["version"] or found["dotted"] or found["bare_edition"] or found["ordinal"] or "1"
    return tuple(int(number) for number in written.split("."))
