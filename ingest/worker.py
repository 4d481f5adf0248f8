"""The process that ingests without being asked: runs jobs left in the ledger, follows file events, scans on an interval.

Events only make the next scan come sooner; the scan decides (shares over a network send no events). One job row a run,
with heartbeats; a worker that dies is noticed by its silence and its work is found again by the next run.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from assistant.adapters.ledger.jobs import Jobs
from assistant.domain import Job
from assistant.errors import AssistantError
from ingest.lock import ingestion_lock
from ingest.pipeline import RunReport

SETTLE_SECONDS = 2.0
"""Quiet time after the last event before a scan, so that half-copied files are not read."""
HEARTBEAT_SECONDS = 1.0
LOOK_SECONDS = 0.5
ALIVE_FILE = "ingest.alive"
"""In the data folder; touched at every look and after every file, so that a health check can see a worker that hangs."""

log = structlog.get_logger(__name__)

RunFolder = Callable[[Path, Callable[[int, int, str], None], Callable[[], bool]], RunReport]


def worker_name() -> str:
    """host:pid of this process, as written into job rows."""
    return f"{socket.gethostname()}:{os.getpid()}"


class _Events(FileSystemEventHandler):
    """Remembers when something last changed."""

    def __init__(self) -> None:
        self.last_change: float | None = None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Any event but mere reading."""
        if event.event_type not in {"opened", "closed_no_write"}:
            self.last_change = time.monotonic()


@dataclass
class Worker:
    """Loops until `stop` is set. `run_folder` does one run."""

    jobs: Jobs
    run_folder: RunFolder
    folder: Path
    data_folder: Path
    scan_interval_seconds: float
    stop: threading.Event = field(default_factory=threading.Event)
    has_scanned: bool = False

    def loop(self) -> None:
        """Runs queued jobs at once, the folder after events have settled, and everything each interval."""
        events = _Events()
        observer = Observer()
        if self.folder.is_dir():
            observer.schedule(events, str(self.folder), recursive=True)
        observer.start()
        next_scan = time.monotonic()
        try:
            while not self.stop.wait(LOOK_SECONDS):
                self._show_alive()
                job = self._claim()
                if job is not None:
                    self._run(job, Path(job.folder))
                elif time.monotonic() >= next_scan or _has_settled(events):
                    events.last_change = None
                    self._run(None, self.folder)
                    next_scan = time.monotonic() + self.scan_interval_seconds
        finally:
            observer.stop()
            observer.join()

    def _show_alive(self) -> None:
        (self.data_folder / ALIVE_FILE).touch()

    def _claim(self) -> Job | None:
        try:
            return self.jobs.claim_job(worker=worker_name())
        except AssistantError as error:
            log.warning("ledger_unavailable", error=error.code)
            return None

    def _run(self, job: Job | None, folder: Path) -> None:
        """One run; a scan that finds nothing to do leaves no job row behind, but for the first, which others wait for."""
        counts: dict[str, int] = {}
        problem: AssistantError | None = None
        try:
            with ingestion_lock(self.data_folder):
                if job is None:
                    self.jobs.abandon_jobs(folder=str(folder))
                    job = self.jobs.start_job("scan", folder=str(folder), worker=worker_name())
                report = self.run_folder(folder, self._reporter(job), self.stop.is_set)
                counts = report.counts
                log.info("ingestion_finished", folder=str(folder), **counts)
        except AssistantError as error:
            problem = error
            log.warning("ingestion_stopped", folder=str(folder), error=error.code, hint=error.hint.en)
        if job is not None:
            self._finish(job, counts, problem)

    def _reporter(self, job: Job) -> Callable[[int, int, str], None]:
        last = 0.0

        def report(done: int, total: int, _path: str) -> None:
            nonlocal last
            self._show_alive()
            if time.monotonic() - last >= HEARTBEAT_SECONDS:
                last = time.monotonic()
                self.jobs.report_job(job.job_id, counts={"done": done, "total": total})

        return report

    def _finish(self, job: Job, counts: dict[str, int], problem: AssistantError | None) -> None:
        is_idle = job.kind == "scan" and problem is None and not any(counts.get(k) for k in _CHANGES)
        is_first = not self.has_scanned
        self.has_scanned = True
        try:
            if is_idle and not is_first:
                self.jobs.drop_job(job.job_id)
            else:
                self.jobs.finish_job(job.job_id, counts=counts, error=problem.describe("en") if problem else None)
        except AssistantError as error:
            log.warning("ledger_unavailable", error=error.code)


_CHANGES = ("add", "change", "retry", "move", "delete", "mended", "regrouped")


def _has_settled(events: _Events) -> bool:
    return events.last_change is not None and time.monotonic() - events.last_change >= SETTLE_SECONDS
