"""What the command lines share: the caller's language, errors as sentences, progress bars. No settings, no pipeline."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from assistant.errors import AssistantError, Language, Overloaded, SettingsError

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BUSY = 75
"""sysexits.h EX_TEMPFAIL: try again later."""


def caller_language() -> Language:
    """ja when the locale of the shell is Japanese, else en."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if locale.lower().startswith("ja") else "en"


@contextmanager
def telling_errors() -> Iterator[None]:
    """Prints an AssistantError as message and hint on stderr, and exits: 2 settings, 75 busy, 1 anything else."""
    try:
        yield
    except AssistantError as error:
        language = caller_language()
        print(error.message.in_language(language), file=sys.stderr)
        print("→ " + error.hint.in_language(language), file=sys.stderr)
        if isinstance(error, SettingsError):
            raise typer.Exit(EXIT_USAGE) from error
        raise typer.Exit(EXIT_BUSY if isinstance(error, Overloaded) else EXIT_FAILED) from error


@contextmanager
def progress_bar(description: str) -> Iterator[Progress]:
    """A bar on stderr with count, share and remaining time; the caller adds its task."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        progress.add_task(description, total=None, what="")
        yield progress
