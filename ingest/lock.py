"""One ingestion at a time with a data folder: a lock file in it, freed by the system when its holder dies.

Workers with other data folders and the same ledger are kept apart by its jobs.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.adapters.ledger.jobs import another_is_running


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
