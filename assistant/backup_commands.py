"""`assistant backup | restore`: what goes in, where things go, and what the administrator is told."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.backup.archive import Archive, open_archive
from assistant.backup.making import Contents, back_up, files_of
from assistant.backup.restoring import Originals, Restored, check, compare_originals, restore, spread
from assistant.domain import Principal, Question
from assistant.errors import AssistantError, BackupError, Text
from assistant.grammar import language_of
from assistant.logs import configure_logs
from assistant.parts import environment_of, executable
from assistant.settings import SECRETS, Settings, load_settings, values_of, variables
from assistant.terminal import EXIT_FAILED, caller_language, telling_errors
from assistant.wiring import open_assistant, open_ledger

KEEP = 14
QUESTIONS = 3
MODELFILES, RULES, USERS, CANARY, RELEASES = "modelfiles", "ingest.toml", "users.toml", "canary", "releases"
ASKER = "restore"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True)
class Answered:
    """One question of the ledger's own, and at which rank its document was found; None: not among the first five."""

    question: str
    path: str
    rank: int | None
    notices: tuple[str, ...] = ()


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore_command)


def _me() -> str:
    return f"cli:{getpass.getuser()}"


def backup(
    place: Annotated[
        Path, typer.Argument(metavar="FOLDER|FILE", help="A folder of backups, or a file that ends with .zip.")
    ],
    *,
    keep: Annotated[int, typer.Option(min=1, max=1000, help="How many stay in the folder.")] = KEEP,
    as_json: Json = False,
) -> None:
    """Makes one archive of everything that cannot be made anew, while everything runs.

    The ledger as of one moment (documents' texts and vectors, rights, answers, audit), modelfiles, rules, users,
    hashes of the originals, settings without secrets. Not in it: the originals, the indexes (`ingest mend` writes
    them from the ledger), models, secrets, certificates and passwords.
    """
    with telling_errors():
        settings = load_settings()
        configure_logs("error")
        made = back_up(open_ledger(settings), _contents(settings), place, keep=keep, by=_me())
        if as_json:
            typer.echo(json.dumps(asdict(made) | {"path": str(made.path)}, ensure_ascii=False))
            return
        typer.echo(
            Text(
                ja=f"{made.path}({made.size_bytes / 1e6:,.1f} MB、文書 {made.documents:,}、断片 {made.chunks:,})",
                en=f"{made.path} ({made.size_bytes / 1e6:,.1f} MB, {made.documents:,} documents, {made.chunks:,} chunks)",
            ).in_language(caller_language())
        )


def _contents(settings: Settings) -> Contents:
    single = [(RULES, settings.rules_file), (USERS, settings.door.users_file)]
    folders = [
        (MODELFILES, settings.modelfile.parent),
        (RELEASES, settings.data_folder / RELEASES),
        (CANARY, settings.data_folder / CANARY),
    ]
    files = [(name, path) for name, path in single if path.is_file()]
    for name, folder in folders:
        files += files_of(folder, name)
    ledger = settings.data_folder / "ledger.db"
    size = 0 if settings.database_url or not ledger.is_file() else ledger.stat().st_size
    return Contents(tuple(files), tuple(_settings_lines(settings)), settings.data_folder, size)


def _settings_lines(settings: Settings) -> Iterator[str]:
    """What differs from the defaults, as `.env` holds it; of secrets only that they are set."""
    defaults = {variable.name: variable.default for variable in variables()}
    yield "# Settings at the time of the backup that differ from the defaults. Secrets are left out."
    for name, value in values_of(settings).items():
        if value is None or value == defaults[name]:
            continue
        if SECRETS.search(name):
            yield f"# {name} was set"
        else:
            yield f"{name}={_without_password(str(value).lower() if isinstance(value, bool) else str(value))}"


def _without_password(value: str) -> str:
    """An address without what stands before its @."""
    if "://" in value and "@" in (place := urlsplit(value).netloc):
        return value.replace(place, place.rsplit("@", 1)[1], 1)
    return value


def restore_command(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    *,
    as_json: Json = False,
) -> None:
    """Brings a backup into an empty deployment, writes the indexes, and asks three questions. Exit 1 if one finds nothing.

    Checks everything first; a ledger that holds something is refused. Chroma must run. Nothing is embedded again. Files
    that are there already stay; the backup's own lie in the data folder under `restored`.
    """
    with telling_errors():
        settings = load_settings()
        configure_logs("error")
        told = _restore(settings, file)
        if as_json:
            typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            typer.echo("\n".join(_lines(told)))
        if not told["is_good"]:
            raise typer.Exit(EXIT_FAILED)


def _restore(settings: Settings, file: Path) -> dict[str, Any]:
    """What was done and found, as one object. Raises BackupError, StoreUnavailable."""
    started = time.monotonic()
    with open_archive(file) as archive:
        ledger = open_ledger(settings)
        try:
            ChromaVectorIndex(url=settings.chroma_url).check()
            check(archive, ledger, settings.data_folder)
            restored = restore(archive, ledger, settings.data_folder, places=_places(settings), by=_me())
        finally:
            ledger.close()
        ledger_seconds = time.monotonic() - started
        _mend(settings)
        indexes_seconds = time.monotonic() - started - ledger_seconds
        answered = asyncio.run(_ask(settings))
        return _told(archive, restored, compare_originals(restored.folder), answered) | {
            "ledger_seconds": round(ledger_seconds, 1),
            "indexes_seconds": round(indexes_seconds, 1),
        }


def _places(settings: Settings) -> dict[str, Path]:
    return {
        MODELFILES: settings.modelfile.parent,
        RULES: settings.rules_file,
        USERS: settings.door.users_file,
        RELEASES: settings.data_folder / RELEASES,
        CANARY: settings.data_folder / CANARY,
    }


def _mend(settings: Settings) -> None:
    """Runs `ingest mend`, whose bar is shown. Raises BackupError."""
    done = subprocess.run(  # noqa: S603  the product's own command
        [executable("ingest"), "mend", "--json"],
        env={**os.environ, **environment_of(settings)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(
            Text(
                ja=f"台帳は戻りましたが、索引を書けませんでした(`ingest mend` が {done.returncode} で終了)。",
                en=f"The ledger is back, but the indexes could not be written: `ingest mend` ended with {done.returncode}.",
            ),
            Text(
                ja="上の理由を直し、`ingest mend` を実行してください。それで続きから書きます。",
                en="Mend what stands above and run `ingest mend`: it goes on from there.",
            ),
        )


async def _ask(settings: Settings) -> list[Answered]:
    """Three of the questions that once found their document, asked again by somebody who may read everything."""
    async with open_assistant(settings) as assistant:
        ledger = assistant.ledger
        chosen = await asyncio.to_thread(_questions, ledger)
        reader = Principal(ASKER, groups=await asyncio.to_thread(ledger.every_group), via="cli")
        answered = []
        for document_id, path, text in chosen:
            question = Question(text=text, language=language_of(text), principal=reader)
            try:
                found = await assistant.search(question, limit=5)
            except AssistantError as error:
                answered.append(Answered(text, path, None, (error.code,)))
                continue
            rank = next((p.rank for p in found.passages if p.document_id == document_id), None)
            answered.append(Answered(text, path, rank, tuple(notice.code for notice in found.notices)))
        return answered


def _questions(ledger: Ledger) -> list[tuple[str, str, str]]:
    asked = [
        (document_id, path, str(probe["question"]))
        for document_id, path, probe in ledger.probes_by_document()
        if probe["rank"] is not None and not probe.get("gives_way")
    ]
    return spread(asked, QUESTIONS)


def _told(archive: Archive, restored: Restored, originals: Originals, answered: list[Answered]) -> dict[str, Any]:
    return {
        "made_at": archive.manifest.made_at,
        "documents": archive.manifest.documents,
        "chunks": archive.manifest.chunks,
        "rows": restored.rows,
        "files_placed": list(restored.placed),
        "files_kept": list(restored.kept),
        "folder": str(restored.folder),
        "originals_same": originals.same,
        "originals_changed": list(originals.changed),
        "originals_missing": list(originals.missing),
        "questions": [asdict(each) for each in answered],
        "is_good": all(each.rank is not None for each in answered),
    }


def _lines(told: dict[str, Any]) -> Iterator[str]:
    language = caller_language()

    def say(ja: str, en: str) -> str:
        return Text(ja=ja, en=en).in_language(language)

    yield say(
        f"{told['made_at'][:16]}Z のバックアップを戻しました: 文書 {told['documents']:,}、断片 {told['chunks']:,}"
        f"(台帳 {told['ledger_seconds']} 秒、索引 {told['indexes_seconds']} 秒)。",
        f"Restored the backup of {told['made_at'][:16]}Z: {told['documents']:,} documents, {told['chunks']:,} chunks "
        f"(ledger {told['ledger_seconds']} s, indexes {told['indexes_seconds']} s).",
    )
    yield say(
        f"原本: 同じ {told['originals_same']:,}、変わった {len(told['originals_changed']):,}、ない {len(told['originals_missing']):,}。",
        f"Originals: {told['originals_same']:,} the same, {len(told['originals_changed']):,} changed, "
        f"{len(told['originals_missing']):,} not there.",
    )
    for path in told["files_kept"]:
        yield say(
            f"{path} は今のままにしました。バックアップのものは {told['folder']} に。",
            f"{path} was left as it is; the backup's own is in {told['folder']}.",
        )
    for each in told["questions"]:
        where = (
            say("見つかりません", "not found")
            if each["rank"] is None
            else say(f"{each['rank']} 位", f"rank {each['rank']}")
        )
        yield f"{'ok  ' if each['rank'] is not None else 'FAIL'} {each['question']} → {each['path']} ({where})"
    if not told["questions"]:
        yield say("尋ねられる質問が台帳にありません。", "The ledger holds no question to ask.")
    yield say(
        f"秘密は入っていません。{told['folder']}/settings.env を見て .env を作り直してください。",
        f"Secrets are not in it: make .env anew, with {told['folder']}/settings.env at hand.",
    )
