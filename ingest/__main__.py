"""`ingest plan | run | watch | status | retry | rebuild`: the only part of this room that reads settings."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from assistant.errors import AssistantError
from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import EXIT_FAILED, caller_language, progress_bar, telling_errors
from assistant.wiring import open_stores
from ingest.guard import ParserProcess
from ingest.index_sync import Stores, compare, rebuild
from ingest.lock import ingestion_lock
from ingest.pipeline import Run, RunReport, plan_folder
from ingest.rules import read_rules
from ingest.worker import Worker, worker_name

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Folder to store: documents become searchable.")

Folder = Annotated[Path | None, typer.Option("--folder", help="Folder to ingest; default ASSISTANT_DOCUMENTS_FOLDER.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

Progress = Callable[[int, int, str], None]

NICENESS = 10
"""Ingesting yields the processor to people: a question's p95 fell from 54-180 ms to 24-85 ms (docs/lab-notes.md)."""


def _yield_to_people() -> None:
    os.nice(NICENESS)


def _stores(settings: Settings, stop: threading.Event | None = None) -> Stores:
    parts = open_stores(settings)
    return Stores(
        parts.ledger,
        parts.embedder,
        parts.vectors,
        parts.lexical,
        settings.store_wait_seconds,
        stop or threading.Event(),
    )


def _parser(settings: Settings) -> ParserProcess:
    return ParserProcess(
        timeout_seconds=settings.parse_timeout_seconds,
        memory_bytes=settings.parse_memory_bytes,
        file_limit_bytes=settings.file_limit_bytes,
    )


def _say(ja: str, en: str) -> None:
    Console(highlight=False).print(ja if caller_language() == "ja" else en)


@app.command()
def plan(folder: Folder = None, as_json: Json = False) -> None:
    """Shows what a run would do; reads and writes no document."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        name, found = plan_folder(_stores(settings), folder or settings.documents_folder)
        counts = found.counts()
        if as_json:
            print(json.dumps({"folder": name, **counts}, ensure_ascii=False))
            return
        _print_counts(counts)
        for path, rule in found.skipped:
            print(f"  - {path}: {rule}")


@app.command()
def run(folder: Folder = None, as_json: Json = False) -> None:
    """Brings answers up to the folder. Exit 0 only if every file is searchable or skipped by rule."""
    _run(folder, as_json=as_json, is_retrying=False)


@app.command()
def retry(folder: Folder = None, as_json: Json = False) -> None:
    """Like run, and tries files that failed before once more."""
    _run(folder, as_json=as_json, is_retrying=True)


def _run(folder: Path | None, *, as_json: bool, is_retrying: bool) -> None:
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        root = (folder or settings.documents_folder).resolve()
        _yield_to_people()
        stores = _stores(settings)
        with ingestion_lock(settings.data_folder), _parser(settings) as parser, progress_bar("ingest") as bar:
            stores.ledger.abandon_jobs(folder=str(root))
            job = stores.ledger.start_job("run", folder=str(root), worker=worker_name())

            def progress(done: int, total: int, path: str) -> None:
                bar.update(bar.task_ids[0], completed=done, total=total, what=path)
                stores.ledger.report_job(job.job_id, counts={"done": done, "total": total})

            try:
                report = Run(stores, parser, read_rules(settings.rules_file), progress).run(
                    root, is_retrying=is_retrying
                )
            except AssistantError as error:
                stores.ledger.finish_job(job.job_id, counts={}, error=error.describe("en"))
                raise
            stores.ledger.finish_job(job.job_id, counts=report.counts, error=None)
        _print_report(report, as_json=as_json)
        if report.counts["failed"]:
            raise typer.Exit(EXIT_FAILED)


@app.command()
def watch(folder: Folder = None) -> None:
    """Keeps answers up to the folder until stopped; runs jobs that the API was asked for."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        _yield_to_people()
        stop = threading.Event()
        stores = _stores(settings, stop)
        root = (folder or settings.documents_folder).resolve()

        with _parser(settings) as parser:

            def run_folder(path: Path, progress: Progress, should_stop: Callable[[], bool]) -> RunReport:
                return Run(stores, parser, read_rules(settings.rules_file), progress, should_stop).run(path)

            worker = Worker(stores.ledger, run_folder, root, settings.data_folder, settings.scan_interval_seconds, stop)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            worker.loop()


@app.command()
def status(as_json: Json = False) -> None:
    """What is searchable, what is not and why, and whether both indexes agree with the ledger. Exit 1 if not."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        state = _status(_stores(settings))
        if as_json:
            print(json.dumps(state, ensure_ascii=False, indent=1))
        else:
            _print_status(state)
        if not state["is_true"]:
            raise typer.Exit(EXIT_FAILED)


def _status(stores: Stores) -> dict[str, Any]:
    generation = stores.ledger.active_generation()
    differences = compare(stores, generation) if generation is not None else {}
    failures = stores.ledger.failures()
    running = [job for job in stores.ledger.list_jobs() if job.state == "running"]
    return {
        "documents": stores.ledger.count_by_status(),
        **{f"ledger_{name}": count for name, count in stores.ledger.counts_of_truth().items()},
        "generation": None if generation is None else vars(generation),
        "indexes": {
            name: {"missing": len(difference.missing), "surplus": len(difference.surplus)}
            for name, difference in differences.items()
        },
        "is_true": all(difference.is_none for difference in differences.values()),
        "running_jobs": [{"job_id": job.job_id, "folder": job.folder, "counts": dict(job.counts)} for job in running],
        "failures": [
            {"path": f.path, "reason": f.reason.value, "attempts": f.attempts, "message": f.message} for f in failures
        ],
    }


@app.command(name="rebuild")
def rebuild_indexes() -> None:
    """Builds Chroma and the lexical index anew from the ledger, with the configured embedder."""
    with telling_errors():
        settings = load_settings()
        configure_logs(settings.log_level)
        stores = _stores(settings)
        with ingestion_lock(settings.data_folder), progress_bar("rebuild") as bar:
            generation = rebuild(
                stores, progress=lambda done, total: bar.update(bar.task_ids[0], completed=done, total=total)
            )
        _say(f"索引を作り直しました: {generation.index_name}", f"Indexes rebuilt: {generation.index_name}")


def _print_report(report: RunReport, *, as_json: bool) -> None:
    if as_json:
        failures = [{"path": f.path, "reason": f.reason.value, "message": f.message} for f in report.failures]
        print(
            json.dumps(
                {"folder": report.folder, **report.counts, "failures": failures, "skipped_files": report.skipped},
                ensure_ascii=False,
            )
        )
        return
    _print_counts(report.counts)
    for failure in report.failures:
        language_line = 0 if caller_language() == "ja" else -1
        print(f"  ! {failure.path}: {failure.reason.value}: {failure.message.splitlines()[language_line]}")


def _print_counts(counts: dict[str, int]) -> None:
    table = Table("", "", show_header=False, box=None)
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    Console(highlight=False).print(table)


def _print_status(state: dict[str, Any]) -> None:
    _print_counts({**state["documents"], "chunks": state["ledger_chunks"]})
    for name, difference in state["indexes"].items():
        print(f"{name}: missing {difference['missing']}, surplus {difference['surplus']}")
    for failure in state["failures"]:
        print(f"  ! {failure['path']}: {failure['reason']}")
    if state["is_true"]:
        _say("索引は台帳と一致しています。", "The indexes agree with the ledger.")
    else:
        _say(
            "索引が台帳と一致していません。`ingest run` か `ingest rebuild` で直ります。",
            "The indexes differ from the ledger. `ingest run` or `ingest rebuild` mends them.",
        )


if __name__ == "__main__":
    app()
