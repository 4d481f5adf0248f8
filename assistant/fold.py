"""What stands in one list: neighbours become one passage, copies and older versions step back, documents take turns.

ranked passages -> neighbours joined -> older versions and copies behind the newest -> turns, when the question is broad

Nothing is lost: what steps back stays at the end of the list, and an older version is named in a notice. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

from assistant.domain import Notice, Passage
from assistant.text import ERAS, character_bigrams, normalise, with_western_years, year_in_era

JOINED_CHARACTERS = 1200
"""Longest joined passage: about two chunks, so that a prompt still holds several documents."""
COPY_SHARE = 0.9
"""Shared bigrams of all from which passages of files of one name, in whatever folders, are copies. Equal texts alone are none:
statutes quote each other. Stepping back for any equal text lowered Hit@5 of lawqa_jp from .864 to .843 (docs/lab-notes.md,
2026-11-26)."""
VERSION_SHARE = 0.4
"""The same for passages of two documents whose names differ in year or version alone."""
BROAD_SHARE = 0.75
BROAD_DOCUMENTS = 4
"""A question is broad when this many documents have a passage that scores at least this share of the best one."""
TURN = 2
"""Passages of one document before the next one's turn, when the question is broad."""

_MARKS = re.compile(
    r"(?:19|20)\d\d(?:年度?版?|年)?|令和\s*[\d元]+\s*年度?版?|平成\s*[\d元]+\s*年度?版?"
    r"|第\s*(?:\d+|[一二三四五六七八九十]+)\s*版"
    r"|(?<![a-z0-9])(?:v|ver|version|rev|r|h)\.?\s*\d+(?:\.\d+)*(?![a-z])"
    r"|(?:旧|新|改訂|最新|コピー|(?<![a-z])(?:old|new|final|latest|copy)(?![a-z]))版?|[\d.]{6,}"
)
_SHORT_ERA = re.compile(r"(?<![a-z0-9])([rh])(\d{1,2})(?![\d.a-z])")
_EDITION = re.compile("第\\s*([一二三四五六七八九十]+)\\s*版")
_OLD_MARK = re.compile("旧|(?<![a-z])old(?![a-z])")
_NEW_MARK = re.compile("新|改訂|(?<![a-z])(?:new|final|latest)(?![a-z])")
_ERA_BESIDE_WESTERN = re.compile(r"(?:令和|平成|昭和|大正)\s*\S{1,3}?\s*年 (\d{4})年")
_NOT_A_NAME = re.compile(r"[\W_]+")


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
class Folded:
    """The list in its new order, and the older versions in it that have a newer one beside them."""

    passages: tuple[Passage, ...]
    notices: tuple[Notice, ...]


def fold(question: str, passages: Sequence[Passage], *, limit: int) -> Folded:
    """At most `limit` passages, ranked from 1."""
    joined = _joined(passages)
    kept, copies, notices = _newest_first(question, joined, limit)
    ordered = [*_taking_turns(kept, limit), *copies][:limit]
    ranked = tuple(replace(passage, rank=rank) for rank, passage in enumerate(ordered, start=1))
    listed = {passage.document_id for passage in ranked}
    return Folded(ranked, tuple(notice for document_id, notice in notices.items() if document_id in listed))


def _joined(passages: Sequence[Passage]) -> list[Passage]:
    """Each passage, together with a lower one of the list that follows or precedes it without a gap on the same page.

    What touches or overlaps can be put together literally; a gap would have to be invented.
    """
    rest = list(passages)
    made: list[Passage] = []
    while rest:
        whole = rest.pop(0)
        while (found := next((one for one in rest if _touches(whole, one)), None)) is not None:
            rest.remove(found)
            whole = put_together(whole, found)
        made.append(whole)
    return made


def _touches(one: Passage, other: Passage) -> bool:
    first, second = sorted((one, other), key=lambda passage: passage.start)
    shared = first.end - second.start
    return (
        one.version_id == other.version_id
        and one.page == other.page
        and one.heading_path == other.heading_path
        and shared >= 0
        and first.text[len(first.text) - shared :].startswith(second.text[:shared])
        and max(first.end, second.end) - first.start <= JOINED_CHARACTERS
    )


def put_together(better: Passage, *others: Passage) -> Passage:
    """One passage of neighbours whose texts touch or overlap; it keeps the name and rank of the first one given."""
    whole = better
    for other in others:
        first, second = sorted((whole, other), key=lambda passage: passage.start)
        text = first.text + second.text[max(0, first.end - second.start) :]
        joined = (*whole.joined, other.chunk_id)
        whole = replace(whole, text=text, start=first.start, end=max(first.end, second.end), joined=joined)
    return whole


def _newest_first(
    question: str, passages: Sequence[Passage], limit: int
) -> tuple[list[Passage], list[Passage], dict[str, Notice]]:
    """(passages to show first, those that step back, a notice for each older version, by document)."""
    kept: list[Passage] = []
    back: list[Passage] = []
    notices: dict[str, Notice] = {}
    asked = normalise(question)
    shown = list(passages[: 2 * limit])
    names = [_family(passage)[1] for passage in shown]
    for name, passage in zip(names, shown, strict=True):
        steps_back = False
        namesakes = [other for other, its in zip(shown, names, strict=True) if name and its == name]
        for other in namesakes if len(namesakes) > 1 else ():  # texts are compared only where the names ask for it
            if other.document_id == passage.document_id:
                continue
            alike = _alike(character_bigrams(passage.text), character_bigrams(other.text))
            if alike >= VERSION_SHARE and is_older(passage, other):
                notices.setdefault(passage.document_id, _newer_exists(passage, other))
                steps_back = steps_back or not _names_it(asked, passage)
            elif alike >= COPY_SHARE and other in kept:
                steps_back = True
        (back if steps_back else kept).append(passage)
    return [*kept, *passages[2 * limit :]], back, notices


def is_older(passage: Named, other: Named) -> bool:
    """Whether both are versions of one document, told by their names, and the first is the older one."""
    if _family(passage) != _family(other) or not _family(passage)[1]:
        return False
    mine, others = _marks(passage), _marks(other)
    return mine != others and _order(passage) < _order(other)


def _family(passage: Named) -> tuple[str, str, str]:
    """Folder, and the name without year, version and marks: equal for versions of one document."""
    path = PurePosixPath(passage.path)
    name = _NOT_A_NAME.sub("", _MARKS.sub("", normalise(path.stem)))
    return f"{passage.folder}/{path.parent}", name, path.suffix.lower() if not name else ""


def _marks(passage: Named) -> list[str]:
    return _MARKS.findall(normalise(PurePosixPath(passage.path).stem))


def _order(passage: Named) -> tuple[bool, list[int], bool, int]:
    """What the name says: 旧 or old comes before all, then the numbers (an era year as its western year; H30, R2 too), then 新
    or new; at last when the file was changed, which a copy, a restore or a slip of the pen changes too."""
    name = normalise(PurePosixPath(passage.path).stem)
    words = _ERA_BESIDE_WESTERN.sub(r"\1", with_western_years(name))
    words = _SHORT_ERA.sub(lambda found: str(ERAS["令和" if found[1] == "r" else "平成"] + int(found[2])), words)
    words = _EDITION.sub(lambda found: str(year_in_era(found[1])), words)
    numbers = [int(number) for number in re.findall(r"\d+", words)]
    return not _OLD_MARK.search(name), numbers, bool(_NEW_MARK.search(name)), passage.modified_ns


def _names_it(asked: str, passage: Passage) -> bool:
    """Whether the question names the year or version of the passage's document."""
    years = {match for mark in _marks(passage) for match in re.findall(r"\d+", mark)}
    return bool(years) and any(year in asked for year in years)


def _alike(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _newer_exists(older: Passage, newer: Passage) -> Notice:
    return Notice(
        code="newer_version_exists",
        message_ja=f"「{older.path}」には新しい版「{newer.path}」があります。",
        message_en=f"There is a newer version of {older.path}: {newer.path}.",
    )


def _taking_turns(passages: Sequence[Passage], limit: int) -> list[Passage]:
    """The order in which documents take turns, when the question is broad; else the order as it is."""
    if not passages:
        return []
    near = {one.document_id for one in passages[: 2 * limit] if one.score >= BROAD_SHARE * passages[0].score}
    if len(near) < BROAD_DOCUMENTS:
        return list(passages)
    first: list[Passage] = []
    later: list[Passage] = []
    taken: dict[str, int] = {}
    for passage in passages:
        taken[passage.document_id] = taken.get(passage.document_id, 0) + 1
        (first if taken[passage.document_id] <= TURN else later).append(passage)
    return [*first, *later]
