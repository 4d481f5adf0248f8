from __future__ import annotations

from pathlib import Path

import pytest

from assistant.domain import EVERYONE
from assistant.errors import SettingsError
from ingest.rules import Rule, groups_of_path, read_rules

RULES = (Rule("人事/**", ("hr",)), Rule("人事/公開/**", (EVERYONE,)), Rule("人事/限定/**", ("board",)))


@pytest.mark.parametrize(
    ("path", "groups"),
    [
        ("経費/a.md", (EVERYONE,)),
        ("人事/a.md", ("hr",)),
        ("人事/限定/深い/a.md", ("board",)),
        ("人事/公開/a.md", (EVERYONE,)),
    ],
)
def test_the_last_matching_rule_says_who_may_read(path: str, groups: tuple[str, ...]) -> None:
    assert groups_of_path(path, RULES) == groups


def test_without_a_file_everyone_may_read(tmp_path: Path) -> None:
    assert read_rules(tmp_path / "none.toml") == ()


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text('[[rule]]\npath = "a/**"\ngroups = ["x"]\n[[rule]]\npath = "b/**"\ngroups = []\n')
    assert read_rules(file) == (Rule("a/**", ("x",)), Rule("b/**", ()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[rule]]\npath = "a"\ngroup = ["x"]', "groups"),
        ('[[rules]]\npath = "a"', "rule"),
        ("[[rule]]\npath = 3\ngroups = []", "path"),
        ('[[rule]]\npath = "a"\ngroups = "x"', "groups"),
        ("not toml", "[[rule]]"),
    ],
)
def test_a_wrong_file_is_refused_with_the_way_to_write_it(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_rules(file)
    assert words in caught.value.hint.en
