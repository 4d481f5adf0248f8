"""Fetches one of the model files that the product knows, with a progress bar; prints its path.

python scripts/fetch_model.py qwen2.5-coder-1.5b [--folder FOLDER] [--path FILE] [--source official --source mirror]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from assistant.adapters.model_files import MODEL_FILES, Source, obtain
from assistant.errors import AssistantError, Text


def main() -> int:
    """0 with the path on stdout; 1 with the reason on stderr."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(description="Fetches a model file that the product knows.")
    parser.add_argument("name", choices=sorted(MODEL_FILES))
    parser.add_argument("--folder", type=Path, default=cache / "company-assistant" / "models")
    parser.add_argument("--path", type=Path, help="a copy that is on this machine already")
    parser.add_argument("--source", action="append", choices=["given", "official", "mirror"])
    arguments = parser.parse_args()
    console = Console(stderr=True)
    sources: list[Source] = arguments.source or ["given", "official", "mirror"]
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        bar = bars.add_task(arguments.name, total=None)

        def show(done_bytes: int, total_bytes: int, source: Source) -> None:
            bars.update(bar, completed=done_bytes, total=total_bytes, description=f"{arguments.name} ({source})")

        def say(text: Text) -> None:
            console.print(text.en, highlight=False)

        try:
            model = obtain(
                MODEL_FILES[arguments.name],
                folder=arguments.folder,
                given_path=arguments.path,
                progress=show,
                announce=say,
                sources=sources,
            )
        except AssistantError as error:
            console.print(error.describe("en"), highlight=False)
            return 1
    console.print(f"{arguments.name}: {'fetched' if model.is_new else 'was there'}, source: {model.source}")
    print(model.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
