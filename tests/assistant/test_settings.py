from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.parts import environment_of
from assistant.settings import Audit, Settings, known_variables, load_settings, variables


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("ASSISTANT_"):
            monkeypatch.delenv(name)


def test_an_unknown_setting_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_NUM_CTXX", "8192")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert "ASSISTANT_NUM_CTXX" in caught.value.message.ja
    assert "ASSISTANT_NUM_CTX " in caught.value.hint.ja


def test_an_unknown_setting_in_the_env_file_is_refused(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("ASSISTANT_CHROMA_URI=http://127.0.0.1:1\n")
    with pytest.raises(SettingsError, match="ASSISTANT_CHROMA_URI"):
        load_settings(env_file=env_file)


def test_a_value_out_of_range_names_the_variable_and_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_API_PORT", "99999")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert "ASSISTANT_API_PORT" in caught.value.message.ja
    assert "99999" in caught.value.message.en


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("ASSISTANT_API_PORT=8001\nASSISTANT_UI_PORT=8601\n")
    monkeypatch.setenv("ASSISTANT_API_PORT", "8002")
    settings = load_settings(env_file=env_file)
    assert (settings.api_port, settings.ui_port) == (8002, 8601)


def test_a_setting_of_a_group_is_read_and_the_others_of_it_keep_their_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("ASSISTANT_AUDIT__KEEP_DAYS=30\nASSISTANT_AUDIT__QUESTIONS=text\n")
    monkeypatch.setenv("ASSISTANT_AUDIT__KEEP_DAYS", "90")
    audit = load_settings(env_file=env_file).audit
    assert (audit.keep_days, audit.questions) == (90, "text")
    assert load_settings(env_file=None).audit == Audit(keep_days=90)


@pytest.mark.parametrize(
    "given", ["ASSISTANT_AUDIT__KEEP_DAY", "ASSISTANT_AUDIT_KEEP_DAYS", "ASSISTANT_AUDIT__KEEP_DAYS__X"]
)
def test_an_unknown_setting_of_a_group_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(given, "90")
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert given in caught.value.message.en
    assert "ASSISTANT_AUDIT__KEEP_DAYS?" in caught.value.hint.en


def test_a_group_is_not_set_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_AUDIT", '{"keep_days": 90}')
    with pytest.raises(SettingsError, match="There is no setting ASSISTANT_AUDIT"):
        load_settings(env_file=None)


@pytest.mark.parametrize("given", ["0", "many"])
def test_a_bad_value_in_a_group_names_its_variable(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("ASSISTANT_AUDIT__KEEP_DAYS", given)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert f"ASSISTANT_AUDIT__KEEP_DAYS has the value '{given}'" in caught.value.message.en
    assert "Days that the audit" in caught.value.hint.en


def test_child_processes_are_given_the_settings_of_groups_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    given = environment_of(Settings(audit=Audit(keep_days=7)))
    assert set(given) <= set(known_variables())
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert load_settings(env_file=None).audit == Audit(keep_days=7)


def test_there_are_at_most_forty_settings_outside_groups_and_twelve_in_each() -> None:
    groups = Counter(variable.group for variable in variables())
    assert groups.pop(None) <= 40
    assert len(groups) <= 8
    assert max(groups.values()) <= 12


def test_every_setting_and_every_group_says_its_reason() -> None:
    assert [variable.name for variable in variables() if not variable.description] == []
    assert [group for group in {variable.group for variable in variables()} - {None} if not group.__doc__] == []
