"""`assistant release prune`: takes models of old releases away from the model host, after asking."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer

from assistant.errors import Text
from assistant.logs import configure_logs
from assistant.release.prune import Old, freed_bytes, old_models, take_away
from assistant.releases import ModelFile
from assistant.settings import load_settings
from assistant.terminal import caller_language, telling_errors
from assistant.wiring import open_ledger
from assistant.wiring_releases import publisher_of

KEPT_DAYS: Final = 30
"""A month: long enough to notice by Monday's questions, or a month's end, that an earlier release was better."""


def add_to(release: typer.Typer) -> None:
    """Adds the command to `assistant release`."""
    release.command("prune")(prune_models)


def prune_models(
    *,
    older_than_days: Annotated[
        int, typer.Option(min=0, help="Releases with which nothing was done for so many days.")
    ] = KEPT_DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and take nothing away.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Takes models of old releases from the model host; the published one, the one before and the canary stay."""
    with telling_errors():
        configure_logs("error")
        settings, language = load_settings(), caller_language()
        ledger = open_ledger(settings)
        host = publisher_of(settings, ledger).host
        files = asyncio.run(host.files())
        old = old_models(ledger, files, older_than_days=older_than_days)
        if not as_json:
            typer.echo("\n".join(line.in_language(language) for line in _lines(old, files)))
        if old and not dry_run and not yes:
            asked = Text(ja="取り除きますか", en="Take them away")
            typer.confirm(asked.in_language(language), abort=True, err=True)
        taken = [] if dry_run else asyncio.run(take_away(ledger, host, old, by=f"cli:{getpass.getuser()}"))
        freed = freed_bytes([each.model for each in (old if dry_run else taken)], files)
        if as_json:
            told = {
                "old": [asdict(each) for each in old],
                "taken": [each.model for each in taken],
                "freed_bytes": freed,
            }
            typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        elif taken:
            done = Text(
                ja=f"{len(taken)} 件を取り除きました({freed / 1e9:.1f} GB)。",
                en=f"{len(taken)} taken away ({freed / 1e9:.1f} GB).",
            )
            typer.echo(done.in_language(language))


def _lines(old: Sequence[Old], files: Mapping[str, ModelFile]) -> Iterator[Text]:
    if not old:
        yield Text(ja="取り除けるモデルはありません。", en="There is no model to take away.")
        return
    for each in old:
        yield Text(
            ja=f"{each.model}  最後の操作 {each.last_at[:10]}", en=f"{each.model}  last touched {each.last_at[:10]}"
        )
    freed = freed_bytes([each.model for each in old], files)
    yield Text(
        ja=f"空くのは {freed / 1e9:.1f} GB です。ほかのモデルと同じ重みは残ります。もう一度公開すれば作り直されます。",
        en=f"This frees {freed / 1e9:.1f} GB: weights that other models share stay. Published again, a model is made anew.",
    )
