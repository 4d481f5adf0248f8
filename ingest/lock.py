"""One ingestion at a time on a machine: a lock file in the data folder, freed by the system when its holder dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import Overloaded, Text

RETRY_AFTER_SECONDS = 60.0


@contextmanager
def ingestion_lock(data_folder: Path) -> Iterator[None]:
    """Holds the lock. Raises Overloaded at once when another ingestion is running."""
    data_folder.mkdir(parents=True, exist_ok=True)
    with (data_folder / "ingest.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Overloaded(
                Text(ja="別の取り込みが実行中です。", en="Another ingestion is running."),
                Text(
                    ja="終わるのを待つか、`ingest status` で様子を見てください。",
                    en="Wait for its end, or look at it with `ingest status`.",
                ),
                retry_after_seconds=RETRY_AFTER_SECONDS,
            ) from error
        yield
