from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import Settings, load_settings


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


def test_there_are_at_most_forty_settings_and_each_says_its_reason() -> None:
    assert len(Settings.model_fields) <= 40
    assert all(field.description for field in Settings.model_fields.values())
