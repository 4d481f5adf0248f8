"""The process that ingests without being asked: runs jobs left in the ledger, follows file events, scans on an interval.

                   a job in the ledger ........................ at once
    watched folder: an event, then quiet; or the interval ..... a scan
    folder with a schedule: its next time, or a missed one .... a scan

Events only make the next scan come sooner; the scan decides (shares over a network send no events). One job row a run,
with heartbeats; a worker that dies is noticed by its silence and its work is found again by the next run.
"""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from assistant.adapters.ledger.jobs import Jobs
from assistant.domain import Job
from assistant.errors import AssistantError, Overloaded
from ingest.heartbeat import beating, is_gone, worker_name
from ingest.lock import ingestion_lock
from ingest.pipeline import RunReport
from ingest.rules import IngestedFolder
from ingest.schedule import local_now, local_time, next_run

SETTLE_SECONDS = 2.0
"""Quiet time after the last event before a scan, and age of a file before it is read: nobody is still copying it."""
SETTLE_TRIES = 3
"""Looks after the time of a schedule at files that were being copied; then they wait for its next time."""
REPORT_SECONDS = 1.0
LOOK_SECONDS = 0.5
LONGEST_FILE_SECONDS = 2100.0
"""Silence between two files that is no hang: the parser's own last limit is 1,800 s."""
ALIVE_FILE = "ingest.alive"
"""In the data folder; touched at every look, after every file and while a file is read in its time, so that a health
check can see a worker that hangs."""

log = structlog.get_logger(__name__)

RunFolder = Callable[[str, Path, Callable[[int, int, str], None], Callable[[], bool]], RunReport]
"""(kind of the job, folder, progress, should_stop) -> what was done; of a plan, what it found."""


_Outcome = tuple[dict[str, int] | None, AssistantError | None, dict[str, Any] | None]


class _Events(FileSystemEventHandler):
    """Remembers when something last changed."""

    def __init__(self) -> None:
        self.last_change: float | None = None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Any event but mere reading."""
        if event.event_type not in {"opened", "closed_no_write"}:
            self.last_change = time.monotonic()


@dataclass
class _Place:
    """One folder that is kept, when it is due, and how its last scan ended (None: not scanned yet)."""

    folder: Path
    schedule: str | None
    events: _Events = field(default_factory=_Events)
    next_scan: float = 0.0
    next_time: datetime | None = None
    settle_tries: int = 0
    watched: tuple[ObservedWatch, tuple[int, int]] | None = None
    """What the observer was given, and which folder that was: one that vanished and came back is another."""
    last_outcome: tuple[object, ...] | None = None

    def is_due(self, now: datetime) -> bool:
        """By the schedule if there is one; else by the interval, or when events have settled."""
        if self.schedule is not None:
            is_time = self.next_time is not None and now >= self.next_time
            return is_time and time.monotonic() >= self.next_scan
        quiet_since = self.events.last_change
        has_settled = quiet_since is not None and time.monotonic() - quiet_since >= SETTLE_SECONDS
        return has_settled or time.monotonic() >= self.next_scan

    def plan_next(self, *, now: datetime, interval_seconds: float, is_settling: bool, has_run: bool) -> None:
        """When to look again: soon for files that were being copied, ever later for one that never rests."""
        self.settle_tries = self.settle_tries + 1 if is_settling else 0
        pause_seconds = SETTLE_SECONDS * 2.0 ** (self.settle_tries - 1) if is_settling else interval_seconds
        self.next_scan = time.monotonic() + min(pause_seconds, interval_seconds)
        if self.schedule is not None and has_run and not 0 < self.settle_tries <= SETTLE_TRIES:
            self.next_time = next_run(self.schedule, now=now, last_run=None)
            self.settle_tries = 0


@dataclass
class Worker:
    """Loops until `stop` is set. `run_folder` does one run; `folders` reads which other folders are kept, and when."""

    jobs: Jobs
    run_folder: RunFolder
    folder: Path
    data_folder: Path
    scan_interval_seconds: float
    stop: threading.Event = field(default_factory=threading.Event)
    folders: Callable[[], Sequence[IngestedFolder]] = tuple
    clock: Callable[[], datetime] = local_now
    _places: dict[Path, _Place] = field(default_factory=dict)
    _next_reading: float = 0.0
    _last_progress: float = 0.0

    def loop(self) -> None:
        """Runs queued jobs at once, and each folder when it is due."""
        observer = Observer()
        observer.start()
        try:
            while not self.stop.wait(LOOK_SECONDS):
                self._show_alive()
                self._read_folders(observer)
                if not self._do_job():
                    place = next((p for p in self._places.values() if p.is_due(self.clock())), None)
                    if place is not None:
                        self._scan(place)
        finally:
            observer.stop()
            observer.join()

    def _show_alive(self) -> None:
        self._last_progress = time.monotonic()
        self._touch_alive_file()

    def _touch_alive_file(self) -> None:
        try:
            (self.data_folder / ALIVE_FILE).touch()
        except OSError as error:  # a full disk must not end the one who waits for room on it
            log.warning("alive_file_not_written", problem=str(error))

    def _read_folders(self, observer: BaseObserver) -> None:
        """Which folders are kept; read again at each interval, so that a changed ingest.toml needs no restart."""
        if time.monotonic() < self._next_reading:
            return
        self._next_reading = time.monotonic() + self.scan_interval_seconds
        wanted: dict[Path, str | None] = {self.folder: None}
        try:
            wanted |= {place.root: place.schedule for place in self.folders()}
            last_runs = self.jobs.last_runs()
        except AssistantError as error:
            log.warning("folders_not_read", error=error.code, message=error.message.en)
            return
        for folder, place in self._places.items():
            if place.watched is not None and (folder not in wanted or wanted[folder] is not None):
                observer.unschedule(place.watched[0])
        self._places = {
            folder: place
            for folder, place in self._places.items()
            if folder in wanted and wanted[folder] == place.schedule
        }
        for folder, schedule in wanted.items():
            if folder in self._places:
                continue
            place = self._places[folder] = _Place(folder, schedule)
            if schedule is not None:
                last = last_runs.get(str(folder))
                last_run = local_time(last.finished_at) if last is not None and last.finished_at else None
                place.next_time = next_run(schedule, now=self.clock(), last_run=last_run)
                log.info("folder_scheduled", folder=str(folder), schedule=schedule, next_time=str(place.next_time))
        for place in self._places.values():
            _watch(place, observer)

    def _do_job(self) -> bool:
        """Runs the next job of the ledger, if there is one and no other ingestion is at work."""
        try:
            self.jobs.abandon_jobs(is_gone=is_gone)
            if not self.jobs.has_job():
                return False
            with ingestion_lock(self.data_folder):
                job = self.jobs.claim_job(worker=worker_name())
                if job is None:
                    return False
                counts, problem, result = self._ingest(job, Path(job.folder))
        except Overloaded:
            return False
        except AssistantError as error:
            log.warning("ledger_unavailable", error=error.code)
            return False
        if counts is not None:
            self._finish(job, counts, problem, is_kept=True, result=result)
        return True

    def _scan(self, place: _Place) -> None:
        """One run of a kept folder; one that ends as the last one did and changed nothing leaves no job row behind."""
        place.events.last_change = None
        counts: dict[str, int] | None = {}
        problem: AssistantError | None = None
        job: Job | None = None
        try:
            with ingestion_lock(self.data_folder):
                self.jobs.abandon_jobs(is_gone=is_gone)
                kind = "scan" if place.schedule is None else "schedule"
                job = self.jobs.start_job(kind, folder=str(place.folder), worker=worker_name())
                counts, problem, _ = self._ingest(job, place.folder)
        except AssistantError as error:
            problem = error
            log.warning("ingestion_stopped", folder=str(place.folder), error=error.code, hint=error.hint.en)
        place.plan_next(
            now=self.clock(),
            interval_seconds=self.scan_interval_seconds,
            is_settling=counts is not None and counts.get("settling", 0) > 0,
            has_run=job is not None,
        )
        if job is None or counts is None:
            return
        outcome = (
            problem.code if problem else None,
            counts.get("deletions_waiting", 0),
            counts.get("failed", 0),
            counts.get("skipped", 0),
        )
        has_changed = any(counts.get(name) for name in _CHANGES)
        is_news = has_changed or outcome != place.last_outcome or place.schedule is not None
        place.last_outcome = outcome
        self._finish(job, counts, problem, is_kept=is_news)

    def _ingest(self, job: Job, folder: Path) -> _Outcome:
        """(counts, problem, result) of the run; no counts when another worker has taken the job meanwhile."""
        problem: AssistantError | None = None
        counts: dict[str, int] = {}
        result: dict[str, Any] | None = None
        with beating(self.jobs, job.job_id, on_beat=self._show_alive_while_reading) as is_lost:
            try:
                report = self.run_folder(
                    job.kind, folder, self._reporter(job), lambda: self.stop.is_set() or is_lost.is_set()
                )
                counts, result = report.counts, report.result
                log.info("ingestion_finished", folder=str(folder), **counts)
            except AssistantError as error:
                problem = error
                log.warning("ingestion_stopped", folder=str(folder), error=error.code, hint=error.hint.en)
        return (None if is_lost.is_set() else counts), problem, result

    def _show_alive_while_reading(self) -> None:
        if time.monotonic() - self._last_progress < LONGEST_FILE_SECONDS:
            self._touch_alive_file()

    def _reporter(self, job: Job) -> Callable[[int, int, str], None]:
        last = 0.0

        def report(done: int, total: int, _path: str) -> None:
            nonlocal last
            self._show_alive()
            if time.monotonic() - last >= REPORT_SECONDS:
                last = time.monotonic()
                self.jobs.report_job(job.job_id, counts={"done": done, "total": total})

        return report

    def _finish(
        self,
        job: Job,
        counts: dict[str, int],
        problem: AssistantError | None,
        *,
        is_kept: bool,
        result: dict[str, Any] | None = None,
    ) -> None:
        try:
            if is_kept:
                self.jobs.finish_job(
                    job.job_id,
                    counts=counts,
                    error=problem.describe("ja") + "\n" + problem.describe("en") if problem else None,
                    result=result,
                )
            else:
                self.jobs.drop_job(job.job_id)
        except AssistantError as error:
            log.warning("ledger_unavailable", error=error.code)


def _watch(place: _Place, observer: BaseObserver) -> None:
    """Follows the events of a folder without a schedule; anew when it vanished and came back, as a mounted share does."""
    if place.schedule is not None:
        return
    try:
        state = place.folder.stat()
        identity = (state.st_dev, state.st_ino) if stat.S_ISDIR(state.st_mode) else None
    except OSError:  # not there now; the scan says so
        identity = None
    if place.watched is not None and place.watched[1] != identity:
        observer.unschedule(place.watched[0])
        place.watched = None
    if place.watched is None and identity is not None:
        try:
            place.watched = (observer.schedule(place.events, str(place.folder), recursive=True), identity)
        except OSError as error:  # gone again, or the system's limit of watched folders: scans on the interval go on
            log.warning("folder_not_watched", folder=str(place.folder), error=str(error))


_CHANGES = ("add", "change", "retry", "move", "delete", "mended", "regrouped")
