"""`assistant canary plant | check`: documents that nobody may read, and whether anybody can."""

from __future__ import annotations

import asyncio
import getpass
import json
from dataclasses import asdict
from typing import Annotated

import httpx
import typer

from assistant.adapters.canary_doors import REQUEST_SECONDS, check_doors, lines_of
from assistant.adapters.ledger import Ledger
from assistant.canary import Report, plant
from assistant.errors import Text
from assistant.settings import load_settings
from assistant.terminal import EXIT_FAILED, caller_language, telling_errors
from assistant.wiring import open_ledger

canary = typer.Typer(no_args_is_help=True, help="Planted documents that nobody may read, asked for as everybody.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@canary.command("plant")
def plant_documents() -> None:
    """Writes two documents for the group `canary` alone and asks the ingest worker to take them in."""
    with telling_errors():
        settings = load_settings()
        folder = plant(settings.data_folder.resolve())
        open_ledger(settings).create_job("run", folder=str(folder), requested_by=f"cli:{getpass.getuser()}")
        said = Text(
            ja=f"{folder} を取り込みに渡しました。取り込みの常駐がなければ `ingest run --folder {folder}`。"
            "そのあとは API が毎日調べます。すぐ調べるには `assistant canary check`。",
            en=f"{folder} is handed to the ingest worker; without one, run `ingest run --folder {folder}`. "
            "From then on the API checks daily; `assistant canary check` does it now.",
        )
        typer.echo(said.in_language(caller_language()))


@canary.command("check")
def check(
    *,
    api: Annotated[str, typer.Option(help="Address of the API; by default ASSISTANT_API_URL.")] = "",
    as_json: Json = False,
) -> None:
    """Asks for planted documents as every role through every door of the running API. Exit 1 unless all was asked and nothing told."""
    with telling_errors():
        settings = load_settings()
        report = asyncio.run(_check(open_ledger(settings), api or settings.api_url))
        typer.echo(json.dumps(asdict(report), ensure_ascii=False, indent=1) if as_json else "\n".join(lines_of(report)))
        if not report.is_good:
            raise typer.Exit(EXIT_FAILED)


async def _check(ledger: Ledger, url: str) -> Report:
    async with httpx.AsyncClient(base_url=url, timeout=REQUEST_SECONDS, trust_env=False) as client:
        return await check_doors(ledger, client, by=f"cli:{getpass.getuser()}")
