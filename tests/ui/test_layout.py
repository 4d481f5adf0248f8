"""The menu: who sees which screens, and what a screen must bring."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from assistant.wire import MeOut
from ui import layout, screens
from ui.client import ApiClient
from ui.layout import GROUPS, groups_for
from ui.visit import Visit

ALL_SCREENS = [screen for group in GROUPS for screen in group.screens]


def visit_of(*scopes: str, is_api_away: bool = False) -> Visit:
    me = None if is_api_away else MeOut(name="aiko", groups=["everyone"], scopes=list(scopes), via="proxy")
    return Visit(ApiClient("http://127.0.0.1:9", "aiko", proxy_secret="x", language="ja"), "ja", me=me)


def test_only_administrators_are_offered_the_screens_of_administrators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "GROUPS", (GROUPS[0], layout.Group(GROUPS[-1].title, GROUPS[0].screens, scope="admin")))
    assert len(groups_for(visit_of("ask", "documents", "admin"))) == 2
    assert groups_for(visit_of("ask", "documents")) == [GROUPS[0]]
    assert groups_for(visit_of(is_api_away=True)) == [GROUPS[0]]


def test_an_address_belongs_to_one_screen_and_every_file_of_a_screen_has_its_place() -> None:
    names = [screen.name for screen in ALL_SCREENS]
    assert len(set(names)) == len(names)
    files = {path.stem for path in Path(screens.__file__).parent.glob("*.py")} - {"__init__"}
    drawn = {inspect.getmodule(screen.show).__name__.rpartition(".")[2] for screen in ALL_SCREENS}  # type: ignore[union-attr]
    assert files == drawn


def test_people_arrive_at_the_question_screen() -> None:
    assert groups_for(visit_of("ask"))[0].screens[0].name == "ask"
