"""What stands in one list: neighbours become one passage, copies and older versions step back, documents take turns.

ranked passages -> neighbours joined -> older versions and copies behind the newest -> turns, when the question is broad

No version is lost: one that says something else, and would stand in the list without stepping back, keeps one passage at the
list's end, and is named in a notice. No older version steps back where the question compares years or asks for an earlier one.
`versions.py` reads the names of files. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from assistant.domain import Notice, Passage
from assistant.text import character_bigrams
from assistant.versions import Told, asked_of, told_by

JOINED_CHARACTERS = 1200
"""Longest joined passage: about two chunks, so that a prompt still holds several documents."""
COPY_SHARE = 0.9
"""Shared bigrams of all from which passages of files of one name, in whatever folders, are copies. Equal texts alone are none:
statutes quote each other. Stepping back for any equal text lowered Hit@5 of lawqa_jp from .864 to .843 (docs/lab-notes.md,
2026-11-26)."""
VERSION_SHARE = 0.4
"""The same for passages of two documents whose names differ in year or version alone. Of passages that say the same of another
year, those of rules share .96, of yearly reports .78, of minutes .49 to .86: no share tells what is superseded from what is a
series, so the older one keeps a place in the list (docs/lab-notes.md, 2026-11-28)."""
BROAD_SHARE = 0.75
BROAD_DOCUMENTS = 4
"""A question is broad when this many documents have a passage that scores at least this share of the best one."""
TURN = 2
"""Passages of one document before the next one's turn, when the question is broad."""


@dataclass(frozen=True)
class Folded:
    """The list in its new order, and the older versions in it that have a newer one beside them."""

    passages: tuple[Passage, ...]
    notices: tuple[Notice, ...]


@dataclass
class _Sorted:
    """Passages to show first, those that step back, those of them that an older version alone has and that would have been
    listed, and a notice for each older version, by document."""

    kept: list[Passage] = field(default_factory=list)
    back: list[Passage] = field(default_factory=list)
    older: list[Passage] = field(default_factory=list)
    notices: dict[str, Notice] = field(default_factory=dict)


def fold(question: str, passages: Sequence[Passage], *, limit: int) -> Folded:
    """At most `limit` passages, ranked from 1."""
    found = _newest_first(question, _joined(passages), limit)
    first = _taking_turns(found.kept, limit)
    places = _one_of_each(found.older)[: limit // 2]
    room = limit - len(places)
    ordered = [*first[:room], *places, *first[room:], *(one for one in found.back if one not in places)][:limit]
    ranked = tuple(replace(passage, rank=rank) for rank, passage in enumerate(ordered, start=1))
    listed = {passage.document_id for passage in ranked}
    return Folded(ranked, tuple(notice for document_id, notice in found.notices.items() if document_id in listed))


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


def _newest_first(question: str, passages: Sequence[Passage], limit: int) -> _Sorted:
    found = _Sorted()
    asked = asked_of(question)
    shown = [_Read(passage, told_by(passage), place) for place, passage in enumerate(passages[: 2 * limit])]
    copies: set[int] = set()
    for one in shown:
        passage = one.passage
        steps_back = is_unchanged = False
        for other in shown:
            if not one.is_namesake_of(other):  # texts are compared only where the names ask for it
                continue
            alike = _alike(one.bigrams, other.bigrams)
            if alike >= VERSION_SHARE and one.told.is_older_than(other.told):
                found.notices.setdefault(passage.document_id, _newer_exists(passage, other.passage))
                steps_back = steps_back or not (asked.is_for_earlier or asked.names(one.told))
                is_unchanged = is_unchanged or passage.text == other.passage.text
            elif other.place not in copies and _repeats(one, other, alike):
                copies.add(one.place)
        (found.back if steps_back or one.place in copies else found.kept).append(passage)
        if steps_back and one.place < limit and not (is_unchanged or one.place in copies):
            found.older.append(passage)
    found.kept += passages[2 * limit :]
    return found


@dataclass(frozen=True)
class _Read:
    """A passage, what the name of its file tells, and its place in the list."""

    passage: Passage
    told: Told
    place: int

    @cached_property
    def bigrams(self) -> set[str]:
        """Of its text, made only where another name asks for it."""
        return character_bigrams(self.passage.text)

    def is_namesake_of(self, other: _Read) -> bool:
        """Whether it is of another document whose name is the same without marks."""
        return bool(self.told.name) and (
            self.told.name == other.told.name and self.passage.document_id != other.passage.document_id
        )


def _one_of_each(passages: Sequence[Passage]) -> list[Passage]:
    """The first passage of each document."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.document_id, passage)
    return list(first.values())


def _repeats(one: _Read, other: _Read, alike: float) -> bool:
    """Whether one is a copy of the other and not a version of it; of two copies the original stays, or the better one.

    Annexes are numbered as copies are, and their forms are much alike: two numbers are copies of equal texts alone."""
    mine, its = one.told, other.told
    if mine.is_older_than(its) or its.is_older_than(mine) or not mine.is_copy_of(its):
        return False
    are_numbered = mine.copy_number and its.copy_number and mine.copy_number != its.copy_number
    is_behind = (mine.is_copy, one.place) > (its.is_copy, other.place)
    return is_behind and alike >= (1.0 if are_numbered else COPY_SHARE)


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
