"""One ingestion at a time with a data folder: a lock file in it, freed by the system when its holder dies.

Workers with other data folders and the same ledger are kept apart by its jobs. A rebuild waits for both, and says for
what: the watcher beside it scans every few minutes, and nobody should have to guess when it rests.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep

from assistant.adapters.ledger.jobs import REBUILD, Jobs, another_is_running
from assistant.domain import Job, JobState
from assistant.errors import Overloaded
from ingest.heartbeat import beating, is_gone, worker_name

LOOK_SECONDS = 1.0
ALL_FOLDERS = "*"


@contextmanager
def ingestion_lock(data_folder: Path) -> Iterator[None]:
    """Holds the lock. Raises Overloaded at once when another ingestion is running."""
    data_folder.mkdir(parents=True, exist_ok=True)
    with (data_folder / "ingest.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise another_is_running() from error
        yield


@contextmanager
def waiting_for_rest(
    jobs: Jobs, data_folder: Path, waits_for: Callable[[Job | None], None], *, look_seconds: float = LOOK_SECONDS
) -> Iterator[None]:
    """The only ingestion on this ledger for the time of the block, however long another one takes to end.

    `waits_for` is told once of each job that is waited for; None: a command that has no job, such as `ingest switch`.
    Raises StoreUnavailable.
    """
    told: str | None = None
    with ExitStack() as held:
        while True:
            try:
                with ExitStack() as trying:
                    trying.enter_context(ingestion_lock(data_folder))
                    jobs.abandon_jobs(is_gone=is_gone)
                    own = jobs.start_job(REBUILD, folder=ALL_FOLDERS, worker=worker_name())
                    held.enter_context(trying.pop_all())
                break
            except Overloaded:
                other = next((job for job in jobs.list_jobs() if job.state is JobState.RUNNING), None)
                name = "" if other is None else other.job_id
                if name != told:
                    told = name
                    waits_for(other)
                sleep(look_seconds)
        held.callback(jobs.drop_job, own.job_id)
        held.enter_context(beating(jobs, own.job_id))
        yield
