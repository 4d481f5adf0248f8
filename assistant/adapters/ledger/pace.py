"""How fast this deployment reads and answers: chunks for each byte of the documents it has, seconds for each chunk of its runs,
seconds of its last answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from sqlalchemy import select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.transaction import Transactional, plain_rows
from assistant.domain import JobState

RUNS = 20
"""The latest runs that made chunks; older ones may have had another embedder or machine."""


@dataclass(frozen=True)
class Pace:
    """(bytes, chunks) of the searchable documents by the ending of their names; seconds and chunks of the latest runs."""

    read: Mapping[str, tuple[int, int]]
    runs: int
    run_seconds: float
    run_chunks: int


def ending_of(path: str) -> str:
    """The last ending of the name in lower case, `.pdf`; '' without one."""
    return PurePosixPath(path).suffix.lower()


class Paces(Transactional):
    """Reads of what earlier runs have left."""

    def pace(self) -> Pace:
        """The pace of this deployment; empty on its first run."""
        d, v, j = s.documents.c, s.versions.c, s.jobs.c
        documents = (
            select(d.path, d.size_bytes, v.chunk_count)
            .join(s.versions, v.version_id == d.version_id)
            .where(d.deleted_at == "")
        )
        ended = select(j.started_at, j.finished_at, j.counts).where(
            j.state == JobState.DONE.value, j.started_at.is_not(None)
        )
        read: dict[str, tuple[int, int]] = {}
        with self._reading() as connection:
            for path, size_bytes, chunks in plain_rows(connection, documents):
                before = read.get(ending_of(path), (0, 0))
                read[ending_of(path)] = (before[0] + size_bytes, before[1] + chunks)
            jobs = connection.execute(ended.order_by(j.finished_at.desc()).limit(10 * RUNS)).all()
        runs = [
            ((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), counts["chunks"])
            for start, end, counts in jobs
            if counts.get("chunks")
        ][:RUNS]
        return Pace(read, len(runs), sum(seconds for seconds, _ in runs), sum(chunks for _, chunks in runs))

    def answered_seconds(self, limit: int) -> list[tuple[str, float]]:
        """(model, seconds without the wait in line) of the last answers that a model wrote, the oldest first."""
        a = s.answers.c
        last = (
            select(a.model, a.total_seconds - a.queue_seconds)
            .where(a.mode == "generated", a.queue_seconds.is_not(None))
            .order_by(a.created_at.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return [(model, max(seconds, 0.0)) for model, seconds in plain_rows(connection, last)][::-1]
