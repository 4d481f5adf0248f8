"""`python -m ui` starts the screen: Streamlit with the settings' address and safe switches, in this very process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from assistant.settings import Settings, load_settings
from assistant.terminal import telling_errors

APP = Path(__file__).with_name("app.py")


def streamlit_command(settings: Settings) -> list[str]:
    """The command line of the screen's process. Switches stand here and not only in a file, which may be absent."""
    switches = {
        "server.headless": "true",
        "server.address": settings.ui_host,
        "server.port": str(settings.ui_port),
        "server.fileWatcherType": "none",  # nobody edits the code of a running screen
        "server.maxUploadSize": "50",  # MB; nothing is uploaded, and the default of 200 is an open door
        "server.maxMessageSize": "50",  # MB
        "browser.gatherUsageStats": "false",  # the machine may have no way out, and must not look for one
        "client.showErrorDetails": "none",  # a traceback may hold document text
        "client.toolbarMode": "minimal",  # no Deploy button
        "runner.magicEnabled": "false",  # a stray expression must not end up on the screen
    }
    flags = [f"--{name}={value}" for name, value in switches.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *flags]


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
