from __future__ import annotations

from pathlib import Path

import pytest

from assistant.domain import EVERYONE, SourceFile
from assistant.errors import SettingsError
from ingest.rules import (
    IngestedFolder,
    Rule,
    groups_of_path,
    language_of_path,
    left_out_by,
    owner_of_path,
    pipeline_suffix,
    read_folders,
    read_rules,
    reads_hidden,
    reads_scans,
)

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
        ('[[rule]]\npath = "a"', "groups"),
        ('[[rule]]\npath = "a"\nread = "no"', "read = true"),
        ('[[rule]]\npath = "a"\nocr = 1', "ocr = true"),
        ('[[rule]]\npath = "a"\nhidden = "yes"', "hidden = true"),
        ('[[rule]]\npath = "a"\nmax_bytes = "5 MB"', "max_bytes = 50_000_000"),
        ('[[rule]]\npath = "a"\nmax_bytes = true', "max_bytes = 50_000_000"),
        ('[[rule]]\npath = "a"\nmax_bytes = 0', "max_bytes = 50_000_000"),
        ('[[rule]]\npath = "a"\nlanguage = "fr"', 'language = "ja"'),
        ('[[rule]]\npath = "a"\nlanguage = ["ja"]', 'language = "ja"'),
        ('[[rule]]\npath = "a"\nowner = 3', 'owner = "'),
        ('[[rule]]\npath = "a"\ngroups = ["x", ""]', "nobody"),
        ('[[rule]]\npath = "a"\nlanguages = "ja"', "language?"),
        ('[rule]\npath = "a"', "[[rule]]"),
        ('[[folder]]\nschedule = "0 3 * * *"', "root = "),
        ('[[folder]]\nroot = "a"\nschedules = "0 3 * * *"', "schedule?"),
        ('[[folder]]\nroot = "a"\nschedule = "at noon"', 'schedule = "30 2'),
        ('[[folder]]\nroot = "a"\nschedule = "61 3 * * *"', 'schedule = "30 2'),
        ('[[folder]]\nroot = "a"\nschedule = 3', 'schedule = "30 2'),
        ('[[folder]]\nroot = "a"\n[[folder.rule]]\npath = 3', "path"),
        ('[[folder]]\nroot = "a"\n[[folder]]\nroot = "./a"', "one [[folder]]"),
    ],
)
def test_a_wrong_file_is_refused_with_the_way_to_write_it(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_rules(file)
    assert words in caught.value.hint.en


def test_each_key_is_decided_by_the_last_rule_that_names_it() -> None:
    rules = (
        Rule("*", owner="総務部", ocr=False, max_bytes=100),
        Rule("人事/**", ("hr",), read=False, language="ja"),
        Rule("人事/公開/**", read=True, ocr=True),
    )
    assert (owner_of_path("人事/a.md", rules), owner_of_path("人事/a.md", ())) == ("総務部", None)
    assert (language_of_path("人事/a.md", rules), language_of_path("b.md", rules)) == ("ja", None)
    assert (reads_scans("b.png", rules), reads_scans("人事/公開/b.png", rules), reads_scans("b.png", ())) == (
        False, True, True,
    )  # fmt: skip
    assert groups_of_path("人事/公開/a.md", rules) == ("hr",)
    assert pipeline_suffix("人事/a.md", rules) == ";language=ja;ocr=off"
    assert (pipeline_suffix("人事/公開/a.md", rules), pipeline_suffix("a.md", ())) == (";language=ja", "")


def test_hidden_parts_are_read_only_where_the_last_rule_says_so() -> None:
    rules = (Rule("契約/**", hidden=True), Rule("契約/社外/**", hidden=False))
    assert [reads_hidden(path, rules) for path in ("契約/a.docx", "契約/社外/a.docx", "b.docx")] == [True, False, False]
    suffixes = [pipeline_suffix(path, rules) for path in ("契約/a.docx", "契約/社外/a.docx", "b.docx")]
    assert suffixes == [";hidden=on", "", ""]


@pytest.mark.parametrize(
    ("path", "size_bytes", "rule"),
    [
        ("a.md", 100, None),
        ("a.md", 101, "max_bytes"),
        ("人事/a.md", 1, "excluded"),
        ("人事/公開/a.md", 1, None),
    ],
)
def test_files_are_left_out_by_name_and_by_size(path: str, size_bytes: int, rule: str | None) -> None:
    rules = (Rule("*", max_bytes=100), Rule("人事/**", read=False), Rule("人事/公開/**", read=True))
    assert left_out_by(SourceFile("f", path, size_bytes, 1), rules) == rule


def test_rules_of_one_folder_come_after_those_of_all_and_hold_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "ingest.toml"
    file.write_text(
        f"""
        [[folder]]
        root = "{tmp_path}/wiki"
        schedule = "30 2 * * 1-5"
        [[folder.rule]]
        path = "**"
        groups = ["it"]
        [[folder]]
        root = "{tmp_path}/plain"
        [[rule]]
        path = "**"
        groups = ["all"]
        """,
        encoding="utf-8",
    )
    assert read_rules(file, tmp_path / "wiki") == (Rule("**", ("all",)), Rule("**", ("it",)))
    assert read_rules(file, tmp_path / "plain") == (Rule("**", ("all",)),)
    assert read_folders(file) == (
        IngestedFolder(tmp_path / "wiki", "30 2 * * 1-5", (Rule("**", ("it",)),)),
        IngestedFolder(tmp_path / "plain"),
    )
