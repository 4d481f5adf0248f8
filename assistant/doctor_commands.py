"""`assistant doctor`: gathers what is to be looked at, all at once, and prints the findings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from assistant.adapters.ledger import Ledger
from assistant.adapters.this_machine import ThisMachine
from assistant.audit import Act
from assistant.canary import readers_in, state_of
from assistant.domain import DependencyState
from assistant.errors import AssistantError
from assistant.logs import configure_logs
from assistant.machine import Machine
from assistant.release.doctor import Facts, of_generation, of_machine, of_readiness
from assistant.release.examining.finding import MARKS, WORST_FIRST, Finding, unchecked
from assistant.release.examining.indexes import compare_indexes, indexes
from assistant.release.examining.look import Site, look
from assistant.release.examining.models import Wanted
from assistant.release.modelfile import parse_modelfile, read_modelfile
from assistant.settings import Settings, load_settings
from assistant.terminal import EXIT_FAILED, caller_language, telling_errors
from assistant.users_file import users_state
from assistant.wiring import Assistant, open_assistant

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STANDARD_PORT = 80

Json = Annotated[bool, typer.Option("--json", help="Print one JSON list.")]


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(
    *,
    as_json: Json = False,
    passwords: Annotated[Path, typer.Option(help="nginx's password file.")] = Path("var/htpasswd"),
    tls: Annotated[Path, typer.Option(help="Folder of certificate.pem and key.pem.")] = Path("var/tls"),
    nginx: Annotated[
        Path | None, typer.Option(help="nginx.conf as start.sh has filled it in; otherwise it is looked for.")
    ] = None,
    ollama_log: Annotated[
        Path | None, typer.Option(help="File that Ollama logs to; otherwise its container or unit is asked.")
    ] = None,
) -> None:
    """Looks at every part and at the machine: what was seen, why it counts, what to do. Exit 1 if something fails.

    What cannot be looked at from here is `unchecked`, never `ok`.
    """
    with telling_errors():
        settings = load_settings()
        configure_logs("error")
        site = site_of(settings, passwords=passwords, tls=tls, nginx=nginx, ollama_log=ollama_log)
        findings = asyncio.run(examine(settings, site, ThisMachine()))
        if as_json:
            print_json(findings)
        else:
            typer.echo("\n".join(lines_of(findings)))
        if any(finding.state == "fail" for finding in findings):
            raise typer.Exit(EXIT_FAILED)


def print_json(findings: Sequence[Finding]) -> None:
    """One list, in the order in which the checks were made."""
    typer.echo(json.dumps([finding.as_record() for finding in findings], ensure_ascii=False, indent=1))


def lines_of(findings: Sequence[Finding]) -> Iterator[str]:
    """The worst first, and how many of each there are."""
    language = caller_language()
    for finding in sorted(findings, key=lambda finding: WORST_FIRST.index(finding.state)):
        yield from finding.lines(language)
    counts = {state: sum(finding.state == state for finding in findings) for state in WORST_FIRST}
    yield ", ".join(f"{MARKS[state].in_language(language)} {count}" for state, count in counts.items() if count)


def site_of(
    settings: Settings,
    *,
    passwords: Path = Path("var/htpasswd"),
    tls: Path = Path("var/tls"),
    nginx: Path | None = None,
    ollama_log: Path | None = None,
) -> Site:
    """The deployment in plain values. Raises SettingsError, ModelfileInvalid."""
    answers, embeds = settings.answers == "ollama", settings.embedder == "ollama"
    wanted = Wanted(
        chat_model=settings.chat_model if answers else None,
        embed_model=settings.embed_model if embeds else None,
        num_ctx=settings.num_ctx or read_modelfile(settings.modelfile).num_ctx,
        create_command=f"ollama create {settings.chat_model} -f {settings.modelfile}",
    )
    ports = {settings.api_port: "api", settings.ui_port: "ui"}
    for part, url in (("chroma", settings.chroma_url), ("ollama", settings.ollama_url)):
        address = urlsplit(url)
        if address.hostname in LOOPBACK:
            ports[address.port or STANDARD_PORT] = part
    return Site(
        wanted=wanted,
        ollama_url=settings.ollama_url.rstrip("/") if answers or embeds else None,
        chroma_url=settings.chroma_url.rstrip("/"),
        api_url=settings.api_url.rstrip("/"),
        data_folder=settings.data_folder,
        ports=ports,
        proxy_secret=settings.proxy_secret,
        database_url=settings.database_url or "",
        passwords_file=passwords,
        tls_folder=tls,
        nginx_configuration=nginx,
        ollama_log=ollama_log,
    )


async def examine(
    settings: Settings, site: Site, machine: Machine, *, assistant: Assistant | None = None
) -> list[Finding]:
    """Every finding. The machine is looked at while the stores are asked; what fails to open is a finding, too.

    A process that has the `assistant` open already hands it in.

    Raises SettingsError, ModelfileInvalid.
    """
    looking = asyncio.create_task(asyncio.to_thread(look, machine, site))
    facts = Facts()
    try:
        async with open_assistant(settings) if assistant is None else nullcontext(assistant) as opened:
            asked, facts = await _of_stores(opened, settings)
    except AssistantError as error:
        asked = of_readiness([DependencyState("ledger", "fail", error.message.en, error.hint.ja, error.hint.en)])
    return [*asked, *of_machine(await looking, site, facts)]


async def _of_stores(assistant: Assistant, settings: Settings) -> tuple[list[Finding], Facts]:
    ledger, embedders = assistant.ledger, assistant.stores.embedders
    generation = await asyncio.to_thread(ledger.active_generation)
    readiness, watch, of_it, agree, facts = await asyncio.gather(
        assistant.readiness(),
        asyncio.to_thread(_states_of_access, ledger, settings),
        asyncio.to_thread(of_generation, generation, embedders),
        asyncio.to_thread(_indexes, assistant),
        asyncio.to_thread(_facts, ledger),
    )
    return [*of_readiness([*readiness, *watch]), *of_it, *agree], facts


def _states_of_access(ledger: Ledger, settings: Settings) -> list[DependencyState]:
    last = ledger.last_entry(Act.CANARY_CHECKED)
    canary = state_of(last, readers=readers_in(ledger), most_hours=settings.door.canary_hours)
    users = users_state(ledger, settings.door.users_file)
    return [canary] if users is None else [users, canary]


def _indexes(assistant: Assistant) -> list[Finding]:
    stores = assistant.stores
    generation = stores.ledger.active_generation()
    if generation is None:
        return []
    try:
        return [indexes(compare_indexes(stores.ledger, stores.vectors, stores.lexical, generation))]
    except AssistantError as error:
        return [unchecked("indexes", error.message, error.hint)]


def _facts(ledger: Ledger) -> Facts:
    found = [entry for act in (Act.BACKED_UP, Act.RESTORED) if (entry := ledger.last_entry(act)) is not None]
    newest = max(found, key=lambda entry: str(entry.details.get("made_at", "")), default=None)
    standing = ledger.standing()
    published = None if standing.release_id is None else ledger.release(standing.release_id)
    answering = [published, None if standing.canary_id is None else ledger.release(standing.canary_id)]
    return Facts(
        newest=ledger.newest_time(),
        documents=ledger.counts_of_truth()["documents"],
        backup_made_at=str(newest.details.get("made_at", "")) if newest is not None else "",
        backup_place=newest.subject if newest is not None else "",
        release_id="" if published is None else published.release_id,
        num_ctx=None if published is None else parse_modelfile(published.content.modelfile).num_ctx,
        models=tuple(each.model for each in answering if each is not None and each.model is not None),
    )
