"""`python -m ui` starts the screen: Streamlit with the settings' address and safe switches, in this very process."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from assistant.settings import Settings, load_settings
from assistant.terminal import telling_errors

APP = Path(__file__).with_name("app.py")
# Colours and fonts. Streamlit itself looks for this file only in the folder where the command was typed.
LOOK = Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml"


def streamlit_command(settings: Settings) -> list[str]:
    """The command line of the screen's process. Switches stand here and not only in a file, which may be absent."""
    switches = {
        "server.headless": "true",
        "server.address": settings.ui_host,
        "server.port": str(settings.ui_port),
        "server.fileWatcherType": "none",  # nobody edits the code of a running screen
        # MB; who may bring files at all says the API.
        "server.maxUploadSize": str(max(settings.file_limit_bytes >> 20, 1) if settings.uploads.folder else 1),
        "server.maxMessageSize": "50",  # MB
        "browser.gatherUsageStats": "false",  # the machine may have no way out, and must not look for one
        "client.showErrorDetails": "none",  # a traceback may hold document text
        "client.toolbarMode": "minimal",  # no Deploy button
        "runner.magicEnabled": "false",  # a stray expression must not end up on the screen
    }
    flags = [f"--{name}={value}" for name, value in [*switches.items(), *_look()]]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *flags]


def _look() -> Iterator[tuple[str, str]]:
    """Streamlit's switches for the look; none where the file is not beside the code."""
    if LOOK.is_file():
        yield from _flat(tomllib.loads(LOOK.read_text(encoding="utf-8")), "")


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def main() -> None:
    """Become Streamlit. Replacing the process lets signals reach it; exits with 2 if a setting is wrong."""
    try:
        with telling_errors():
            settings = load_settings()
    except typer.Exit as ended:
        raise SystemExit(ended.exit_code) from ended
    command = streamlit_command(settings)
    os.execv(command[0], command)  # noqa: S606  no shell, and every part is ours


if __name__ == "__main__":
    main()
