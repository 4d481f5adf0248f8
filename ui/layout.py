"""The screens and their places in the menu: the one file that lists them.

A new screen is a file in `ui/screens/` with `show(visit)`, its words in `ui/words/`, and one line here. The name of a
screen is its address, and its title stands in `ui/words/frame.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from assistant.errors import Text
from ui.screens import ask, capacity, documents, history, ingestion, people, questions, releases, system, use
from ui.visit import Visit
from ui.words import frame


@dataclass(frozen=True)
class Screen:
    """One page: its address, its title in the menu, its icon, and what draws it."""

    name: str
    title: Text
    icon: str
    show: Callable[[Visit], None]


@dataclass(frozen=True)
class Group:
    """Screens under one heading; with a `scope`, only for those who hold it."""

    title: Text
    screens: tuple[Screen, ...]
    scope: str | None = None


GROUPS: Final[tuple[Group, ...]] = (
    Group(
        frame.GROUP_ASK,
        (
            Screen("ask", frame.NAV_ASK, ":material/chat:", ask.show),
            Screen("history", frame.NAV_HISTORY, ":material/history:", history.show),
        ),
    ),
    Group(
        frame.GROUP_DOCUMENTS,
        (Screen("documents", frame.NAV_DOCUMENTS, ":material/folder_open:", documents.show),),
    ),
    Group(
        frame.GROUP_ADMIN,
        (
            Screen("ingestion", frame.NAV_INGESTION, ":material/sync:", ingestion.show),
            Screen("questions", frame.NAV_QUESTIONS, ":material/live_help:", questions.show),
            Screen("releases", frame.NAV_RELEASES, ":material/publish:", releases.show),
            Screen("use", frame.NAV_USE, ":material/monitoring:", use.show),
            Screen("system", frame.NAV_SYSTEM, ":material/stethoscope:", system.show),
            Screen("capacity", frame.NAV_CAPACITY, ":material/memory:", capacity.show),
            Screen("people", frame.NAV_PEOPLE, ":material/key:", people.show),
        ),
        scope="admin",
    ),
)


def groups_for(visit: Visit) -> list[Group]:
    """The groups that the person may see, without empty ones. The first screen of the first is where they arrive."""
    return [group for group in GROUPS if group.screens and (group.scope is None or visit.has(group.scope))]
