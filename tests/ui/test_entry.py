"""`python -m ui` starts Streamlit safely, or says which setting is wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from assistant.settings import Settings
from ui.__main__ import streamlit_command


def test_the_screen_binds_where_the_settings_say_and_reports_to_nobody() -> None:
    command = streamlit_command(Settings(_env_file=None, ui_host="127.0.0.1", ui_port=8765))
    for flag in (
        "--server.address=127.0.0.1",
        "--server.port=8765",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--client.toolbarMode=minimal",
    ):
        assert flag in command


def test_the_screen_looks_the_same_wherever_it_is_started() -> None:
    flags = streamlit_command(Settings(_env_file=None))
    assert "--theme.light.primaryColor=#2f6f8f" in flags
    assert any(flag.startswith("--theme.font=") for flag in flags)


@pytest.mark.parametrize(("locale", "expected"), [("ja_JP.UTF-8", "のことですか"), ("C.UTF-8", "Did you mean")])
def test_a_wrong_setting_ends_the_start_with_a_sentence(locale: str, expected: str) -> None:
    environment = {**os.environ, "ASSISTANT_UI_PROT": "1", "LC_ALL": locale, "PYTHONUTF8": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", "ui"], env=environment, capture_output=True, encoding="utf-8", timeout=60
    )
    assert ended.returncode == 2
    assert "ASSISTANT_UI_PORT" in ended.stderr
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr
