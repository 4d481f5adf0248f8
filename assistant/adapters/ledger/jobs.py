"""Jobs: one row per ingestion run, claimed by a conditional update, kept alive by heartbeats."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, or_, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Job, JobState
from assistant.errors import NotFound, Text

HEARTBEAT_LIMIT_SECONDS = 60.0
"""A running job without a heartbeat for this long belongs to a dead worker and may be claimed again."""


class Jobs(Transactional):
    """Creates, claims, reports and lists jobs."""

    def create_job(self, kind: str, *, folder: str, requested_by: str) -> Job:
        """A queued job; the worker claims it at its next look."""
        job_id = "j_" + uuid.uuid4().hex
        with self._writing() as connection:
            connection.execute(
                insert(s.jobs).values(
                    job_id=job_id,
                    kind=kind,
                    folder=folder,
                    state=JobState.QUEUED.value,
                    requested_by=requested_by,
                    created_at=now(),
                    counts={},
                )
            )
        return self.get_job(job_id)

    def claim_job(self, *, worker: str) -> Job | None:
        """The oldest queued job, or one whose worker is silent, now running for `worker`; None when there is none."""
        free = _free()
        with self._writing() as connection:
            job_id = connection.execute(select(s.jobs.c.job_id).where(free).order_by(s.jobs.c.created_at)).scalar()
            if job_id is None:
                return None
            at = now()
            claimed = connection.execute(
                update(s.jobs)
                .where(s.jobs.c.job_id == job_id, free)
                .values(state=JobState.RUNNING.value, claimed_by=worker, started_at=at, heartbeat_at=at)
            ).rowcount
        return self.get_job(job_id) if claimed else None

    def has_job(self) -> bool:
        """Whether a worker that asks now would get a job."""
        with self._reading() as connection:
            return connection.execute(select(s.jobs.c.job_id).where(_free()).limit(1)).first() is not None

    def start_job(self, kind: str, *, folder: str, worker: str) -> Job:
        """A job that runs at once in this process, e.g. `ingest run`."""
        job = self.create_job(kind, folder=folder, requested_by=worker)
        at = now()
        with self._writing() as connection:
            connection.execute(
                update(s.jobs)
                .where(s.jobs.c.job_id == job.job_id)
                .values(state=JobState.RUNNING.value, claimed_by=worker, started_at=at, heartbeat_at=at)
            )
        return self.get_job(job.job_id)

    def report_job(self, job_id: str, *, counts: Mapping[str, int]) -> None:
        """Progress and a heartbeat."""
        with self._writing() as connection:
            connection.execute(
                update(s.jobs).where(s.jobs.c.job_id == job_id).values(counts=dict(counts), heartbeat_at=now())
            )

    def heartbeat(self, job_id: str, *, worker: str) -> bool:
        """Says that the worker lives; False when the job is no longer its own and it must stop."""
        with self._writing() as connection:
            alive = connection.execute(
                update(s.jobs)
                .where(
                    s.jobs.c.job_id == job_id,
                    s.jobs.c.claimed_by == worker,
                    s.jobs.c.state == JobState.RUNNING.value,
                )
                .values(heartbeat_at=now())
            ).rowcount
        return bool(alive)

    def last_runs(self) -> dict[str, Job]:
        """The job of each folder that ended last, by the folder's root."""
        ended = (
            select(s.jobs.c.folder, func.max(s.jobs.c.finished_at).label("at"))
            .where(s.jobs.c.finished_at.is_not(None))
            .group_by(s.jobs.c.folder)
            .subquery()
        )
        statement = select(s.jobs).join(
            ended, (s.jobs.c.folder == ended.c.folder) & (s.jobs.c.finished_at == ended.c.at)
        )
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(s.jobs.c.folder)).mappings().all()
        return {row["folder"]: _job(row) for row in rows}

    def finish_job(self, job_id: str, *, counts: Mapping[str, int], error: str | None) -> None:
        """The end of a job; `error` None means done."""
        state = JobState.DONE if error is None else JobState.FAILED
        with self._writing() as connection:
            connection.execute(
                update(s.jobs)
                .where(s.jobs.c.job_id == job_id)
                .values(state=state.value, counts=dict(counts), error=error, finished_at=now())
            )

    def drop_job(self, job_id: str) -> None:
        """Removes the row of a scan that found nothing to do."""
        with self._writing() as connection:
            connection.execute(delete(s.jobs).where(s.jobs.c.job_id == job_id))

    def abandon_jobs(self, *, folder: str) -> int:
        """Marks running jobs of a folder whose process is gone as failed; how many. Called under the ingestion lock."""
        with self._writing() as connection:
            return connection.execute(
                update(s.jobs)
                .where(s.jobs.c.folder == folder, s.jobs.c.state == JobState.RUNNING.value)
                .values(state=JobState.FAILED.value, error="the worker stopped before the end", finished_at=now())
            ).rowcount

    def get_job(self, job_id: str) -> Job:
        """The job. Raises NotFound."""
        with self._reading() as connection:
            row = connection.execute(select(s.jobs).where(s.jobs.c.job_id == job_id)).mappings().first()
        if row is None:
            raise NotFound(
                Text(ja="そのジョブは見つかりません。", en="There is no such job."),
                Text(ja="GET /jobs で一覧を確かめてください。", en="See the list at GET /jobs."),
            )
        return _job(row)

    def list_jobs(self, limit: int = 50) -> list[Job]:
        """Newest jobs first."""
        with self._reading() as connection:
            rows = connection.execute(select(s.jobs).order_by(s.jobs.c.created_at.desc()).limit(limit)).mappings().all()
        return [_job(row) for row in rows]


def _free() -> ColumnElement[bool]:
    stale = (datetime.now(UTC) - timedelta(seconds=HEARTBEAT_LIMIT_SECONDS)).isoformat(timespec="milliseconds")
    return or_(
        s.jobs.c.state == JobState.QUEUED.value,
        (s.jobs.c.state == JobState.RUNNING.value) & (s.jobs.c.heartbeat_at < stale),
    )


def _job(row: RowMapping) -> Job:
    return Job(
        job_id=row["job_id"],
        kind=row["kind"],
        folder=row["folder"],
        state=JobState(row["state"]),
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        counts=dict(row["counts"]),
        error=row["error"],
    )
