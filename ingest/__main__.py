"""`ingest plan | run | watch | schedule | status | receipts | retry | ...`: with generation_commands.py (rebuild, switch,
rollback, generations) and mend_commands.py (mend) the only part of this room that reads settings."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.adapters.ledger import Ledger
from assistant.errors import AssistantError, StoreUnavailable
from assistant.generation import Generation
from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import EXIT_FAILED, progress_bar, telling_errors
from assistant.wiring import open_stores
from ingest import generation_commands, mend_commands
from ingest.asked import do_as_asked
from ingest.guard import ParserProcess
from ingest.heartbeat import beating, is_gone, worker_name
from ingest.index_sync import Difference, Stores, compare
from ingest.lock import ingestion_lock
from ingest.memory import share_arenas
from ingest.pipeline import Run, RunReport, check_known_or_there, plan_folder
from ingest.plan_shown import print_plan
from ingest.receipt import as_csv as receipts_as_csv
from ingest.report import print_report, print_status, say
from ingest.rules import IngestedFolder, Rule, canary_rules, read_folders, read_rules, refuse_lost_rules
from ingest.schedule import local_now, next_times
from ingest.worker import SETTLE_SECONDS, Worker
from ingest.yielding import Yielding, YieldingEmbedder

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Folder to store: documents become searchable.")

Folder = Annotated[Path | None, typer.Option("--folder", help="Folder to ingest; default ASSISTANT_DOCUMENTS_FOLDER.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

AllowDeletions = Annotated[
    bool,
    typer.Option(
        "--allow-deletions", help="Confirms that documents whose files are gone may be deleted, however many."
    ),
]

Progress = Callable[[int, int, str], None]

NICENESS = 10
"""Ingesting yields the processor to people: a question's p95 fell from 54-180 ms to 24-85 ms (docs/lab-notes.md)."""


def _take_little() -> None:
    os.nice(NICENESS)
    share_arenas()


def _stores(settings: Settings, stop: threading.Event | None = None) -> Stores:
    parts = open_stores(settings)
    stop = stop or threading.Event()
    yielding = Yielding(parts.questions, stop)
    return Stores(
        parts.ledger,
        YieldingEmbedder(parts.embedder, yielding),
        parts.vectors,
        parts.lexical,
        settings.store_wait_seconds,
        stop,
        yielding,
        embedders=parts.embedders.wrapped(lambda embedder: YieldingEmbedder(embedder, yielding)),
    )


def _parser(settings: Settings) -> ParserProcess:
    return ParserProcess(
        timeout_seconds=settings.parse_timeout_seconds,
        memory_bytes=settings.parse_memory_bytes,
        file_limit_bytes=settings.file_limit_bytes,
    )


def _rules(settings: Settings, ledger: Ledger, root: Path) -> tuple[Rule, ...]:
    """The rules as they are now. Raises SettingsError rather than going on without those that restrict documents."""
    refuse_lost_rules(settings.rules_file, has_restricted_documents=ledger.has_restricted_documents())
    return (*read_rules(settings.rules_file, root), *canary_rules(root, settings.data_folder))


@app.command()
def plan(folder: Folder = None, as_json: Json = False) -> None:
    """Shows what a run would do, and how long it would take; writes nothing, and reads only files that are new or differ."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        root = (folder or settings.documents_folder).resolve()
        ledger = open_stores(settings).ledger
        print_plan(
            plan_folder(ledger, root, _rules(settings, ledger, root)),
            ledger.pace(),
            folder=ledger.name_of_folder(root),
            settle_seconds=SETTLE_SECONDS,
            as_json=as_json,
        )


@app.command()
def run(folder: Folder = None, allow_deletions: AllowDeletions = False, as_json: Json = False) -> None:
    """Brings answers up to the folder. Exit 0 only if every file is searchable or skipped by rule.

    When more than a fifth of a folder is gone, nothing is deleted and the exit code is 1 until --allow-deletions confirms.
    """
    _run(folder, as_json=as_json, allows_deletions=allow_deletions)


@app.command()
def retry(folder: Folder = None, as_json: Json = False) -> None:
    """Tries the files that are not searchable once more, and nothing else. Exit 0 only if all of them are now."""
    _run(folder, as_json=as_json, is_retrying=True)


def _run(folder: Path | None, *, as_json: bool, is_retrying: bool = False, allows_deletions: bool = False) -> None:
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        root = (folder or settings.documents_folder).resolve()
        _take_little()
        stores = _stores(settings)
        check_known_or_there(stores.ledger, root)
        with ingestion_lock(settings.data_folder), _parser(settings) as parser, progress_bar("ingest") as bar:
            stores.ledger.abandon_jobs(is_gone=is_gone)
            kind = "retry" if is_retrying else "run"
            job = stores.ledger.start_job(kind, folder=str(root), worker=worker_name())

            def progress(done: int, total: int, path: str) -> None:
                bar.update(bar.task_ids[0], completed=done, total=total, what=path)
                stores.ledger.report_job(job.job_id, counts={"done": done, "total": total})

            try:
                rules = _rules(settings, stores.ledger, root)
                with beating(stores.ledger, job.job_id) as is_lost:
                    report = Run(stores, parser, rules, progress, is_lost.is_set).run(
                        root, is_retrying=is_retrying, allows_deletions=allows_deletions
                    )
            except AssistantError as error:
                stores.ledger.finish_job(
                    job.job_id, counts={}, error=error.describe("ja") + "\n" + error.describe("en")
                )
                raise
            stores.ledger.finish_job(job.job_id, counts=report.counts, error=None)
        print_report(report, as_json=as_json, is_retrying=is_retrying)
        if report.counts["failed"] or report.waiting:
            raise typer.Exit(EXIT_FAILED)


@app.command()
def watch(folder: Folder = None) -> None:
    """Keeps answers up to the folder until stopped; runs jobs that the API was asked for."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        _take_little()
        stop = threading.Event()
        stores = _stores(settings, stop)
        root = (folder or settings.documents_folder).resolve()
        inbox = settings.uploads.folder.resolve() if settings.uploads.folder is not None else None

        with _parser(settings) as parser:

            def run_folder(kind: str, path: Path, progress: Progress, should_stop: Callable[[], bool]) -> RunReport:
                rules = _rules(settings, stores.ledger, path)
                # The API puts whole files into the inbox, so that none has to rest first.
                settle_seconds = 0.0 if path == inbox else SETTLE_SECONDS
                return do_as_asked(kind, path, Run(stores, parser, rules, progress, should_stop, settle_seconds))

            worker = Worker(
                stores.ledger,
                run_folder,
                root,
                settings.data_folder,
                settings.scan_interval_seconds,
                stop,
                folders=lambda: _kept_folders(settings, inbox),
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            worker.loop()


def _kept_folders(settings: Settings, inbox: Path | None) -> tuple[IngestedFolder, ...]:
    """The folders that the rules name, and the inbox of uploads once somebody has brought something."""
    named = read_folders(settings.rules_file)
    if inbox is None or not inbox.is_dir() or any(folder.root == inbox for folder in named):
        return named
    return (*named, IngestedFolder(inbox))


@app.command()
def schedule(as_json: Json = False) -> None:
    """The folders that `ingest.toml` gives a schedule, and when `ingest watch` runs each of them next (local time)."""
    with telling_errors():
        settings = load_settings()
        now = local_now()
        times = {
            str(place.root): (
                place.schedule,
                [f"{at:%Y-%m-%d %H:%M}" for at in next_times(place.schedule, now, count=3)],
            )
            for place in read_folders(settings.rules_file)
            if place.schedule is not None
        }
        if as_json:
            rows = [{"folder": root, "schedule": cron, "next": following} for root, (cron, following) in times.items()]
            print(json.dumps(rows, ensure_ascii=False))
            return
        for root, (cron, following) in times.items():
            print(f"{root}  [{cron}]  " + "  ".join(following))
        if not times:
            say(
                f"{settings.rules_file} に schedule のあるフォルダはありません。",
                f"No folder in {settings.rules_file} has a schedule.",
            )


@app.command()
def status(as_json: Json = False) -> None:
    """What is searchable, what is not and why, and whether both indexes agree with the ledger. Exit 1 if not.

    Exit 1, too, while deletions wait for confirmation.
    """
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        state = _status(_stores(settings))
        if as_json:
            print(json.dumps(state, ensure_ascii=False, indent=1))
        else:
            print_status(state)
        if not state["is_true"] or state["deletions_waiting"]:
            raise typer.Exit(EXIT_FAILED)


def _differences(
    stores: Stores, generation: Generation | None
) -> tuple[dict[str, Difference], StoreUnavailable | None]:
    """How each index differs from the ledger, or why they could not be compared; the ledger's own figures stand either way."""
    try:
        return (compare(stores, generation) if generation is not None else {}), None
    except StoreUnavailable as error:
        return {}, error


def _status(stores: Stores) -> dict[str, Any]:
    generation = stores.ledger.active_generation()
    beside = stores.ledger.generation_beside()
    differences, unreachable = _differences(stores, generation)
    failures = stores.ledger.failures()
    running = [job for job in stores.ledger.list_jobs() if job.state == "running"]
    last_runs = [
        {
            "folder": root,
            "finished_at": job.finished_at,
            "state": job.state.value,
            "error": job.error,
            "deletions_waiting": job.counts.get("deletions_waiting", 0),
            "skipped_by_rule": {
                name.removeprefix("skipped_"): count
                for name, count in job.counts.items()
                if name.startswith("skipped_")
            },
        }
        for root, job in stores.ledger.last_runs().items()
    ]
    return {
        "documents": stores.ledger.count_by_status(),
        **{f"ledger_{name}": count for name, count in stores.ledger.counts_of_truth().items()},
        "generation": None if generation is None else generation.as_row(),
        "generation_beside": None if beside is None else beside.as_row(),
        "rebuild_due": _rebuild_due(stores, generation),
        "fitness": None if generation is None else _fitness(stores, generation),
        "indexes": {
            name: {"missing": len(difference.missing), "surplus": len(difference.surplus)}
            for name, difference in differences.items()
        },
        "indexes_error": None if unreachable is None else f"{unreachable.describe('ja')}\n{unreachable.describe('en')}",
        "is_true": unreachable is None and all(difference.is_none for difference in differences.values()),
        "deletions_waiting": sum(run["deletions_waiting"] for run in last_runs),
        "last_runs": last_runs,
        "running_jobs": [
            {"job_id": job.job_id, "kind": job.kind, "folder": job.folder, "counts": dict(job.counts)}
            for job in running
        ],
        "failures": [
            {"path": f.path, "reason": f.reason.value, "attempts": f.attempts, "message": f.message} for f in failures
        ],
        "warnings": [
            {"path": warned["path"], "warnings": warned["warnings"], "probes": warned["probes"]}
            for warned in stores.ledger.warned()
        ],
    }


def _fitness(stores: Stores, generation: Generation) -> dict[str, Any] | None:
    """What was measured, without the vectors."""
    measured = stores.ledger.fitness(generation.generation_id)
    return None if measured is None else {name: value for name, value in measured.items() if name != "means"}


def _rebuild_due(stores: Stores, generation: Generation | None) -> dict[str, Any] | None:
    """The embedder that answers come from and the configured one, where they differ; asks no server."""
    if generation is None or generation.embedder is None or stores.embedders is None:
        return None
    if stores.embedders.is_configured(generation):
        return None
    return {"answers_from": asdict(generation.embedder), "configured": asdict(stores.embedders.spec)}


@app.command()
def receipts(
    folder: Annotated[str | None, typer.Option("--folder", help="Name of one ingested folder; default all.")] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print a table for a spreadsheet (UTF-8 with its mark).")
    ] = False,
    as_json: Json = False,
) -> None:
    """What was done with every file, and whether its probe questions found it again; one line a file."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        found = open_stores(settings).ledger.receipts(folder=folder)
        if as_json:
            print(json.dumps(found, ensure_ascii=False, indent=1))
        elif as_csv:
            # Bytes, so that the marks and line ends that spreadsheets look for do not depend on the terminal.
            sys.stdout.buffer.write(receipts_as_csv(found).encode("utf-8-sig"))
        else:
            for receipt in found:
                print(f"{receipt['status']:8} {receipt['path']}: {receipt['reason'] or '-'}")


generation_commands.add_to(app, _stores, _parser)
mend_commands.add_to(app, _stores)


if __name__ == "__main__":
    app()
