"""Says every few seconds that a worker lives, also while one long file is parsed. Must not know what the job does."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from assistant.adapters.ledger.jobs import Jobs
from assistant.errors import AssistantError

HEARTBEAT_SECONDS = 10.0
"""Six beats fit into the silence after which the ledger gives a job to another worker."""

log = structlog.get_logger(__name__)


def worker_name() -> str:
    """host:pid of this process, as written into job rows."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_gone(worker: str) -> bool:
    """Whether the worker of that name is known to have ended: a process of this machine that is no more, or this one,
    which asks before it begins another job. Of other machines nothing is known until they are silent for too long."""
    host, _, process_id = worker.rpartition(":")
    if host != socket.gethostname() or not process_id.isdigit():
        return False
    if worker == worker_name():
        return True
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def beating(
    jobs: Jobs, job_id: str, *, on_beat: Callable[[], None] = lambda: None, every_seconds: float = HEARTBEAT_SECONDS
) -> Iterator[threading.Event]:
    """Heartbeats of this process for its job until the block ends.

    The event is set when the job was given to another worker, because this one was silent for too long (a machine that
    slept): it must then stop between two files.
    """
    is_lost, has_ended = threading.Event(), threading.Event()

    def beat() -> None:
        while not has_ended.wait(every_seconds):
            try:
                if not jobs.heartbeat(job_id, worker=worker_name()):
                    log.warning("job_lost", job_id=job_id)
                    is_lost.set()
                    return
            except AssistantError as error:
                log.warning("ledger_unavailable", error=error.code)
            on_beat()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job_id}", daemon=True)
    thread.start()
    try:
        yield is_lost
    finally:
        has_ended.set()
        thread.join()
