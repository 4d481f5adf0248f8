"""Jobs: one row per ingestion run, claimed by a conditional update, kept alive by heartbeats.

One job runs at a time on one ledger, whichever machines and data folders its workers have: a run retires what others
left half done, so two at once would take each other's work away. A unique column holds the place; the lock file of a
data folder (ingest/lock.py) only spares workers of one machine the question.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.auditing import write_entry
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional
from assistant.audit import Act, AuditEntry
from assistant.domain import Job, JobState
from assistant.errors import IdempotencyKeyReused, NotFound, Overloaded, Text

REQUEST_KEY_SECONDS = 24 * 3600.0
"""How long an Idempotency-Key stands for its job; nobody repeats a lost request after a day."""
REBUILD = "rebuild"
"""The kind of the one job that belongs to no folder."""
PLAN = "plan"
"""The kind of a job that writes nothing but its own result."""
HEARTBEAT_LIMIT_SECONDS = 60.0
"""A running job without a heartbeat for this long belongs to a dead worker and may be claimed again."""


class Jobs(Transactional):
    """Creates, claims, reports and lists jobs."""

    def create_job(self, kind: str, *, folder: str, requested_by: str, request_key: str | None = None) -> Job:
        """A queued job; the worker claims it at its next look.

        With a `request_key` that the same caller used within REQUEST_KEY_SECONDS it is the job of then. Raises
        IdempotencyKeyReused where that one is of another kind or folder.
        """
        for _ in range(2):  # a second time for one who came at the same moment and was second
            known = None if request_key is None else self._requested_job(requested_by, request_key)
            if known is not None:
                if (known.kind, known.folder) != (kind, folder):
                    raise _key_reused()
                return known
            job_id = "j_" + uuid.uuid4().hex
            with contextlib.suppress(_KeyTakenError):
                self._insert_job(job_id, kind, folder=folder, requested_by=requested_by, request_key=request_key)
                return self.get_job(job_id)
        raise _key_reused()

    def wanted_job(self, kind: str, *, folder: str, requested_by: str) -> Job:
        """A queued job of that kind and folder: one that waits already, whoever asked for it, else a new one.

        What is in the folder before this call is seen by that job: nobody has claimed it yet.
        """
        j = s.jobs.c
        waiting = select(s.jobs).where(j.kind == kind, j.folder == folder, j.state == JobState.QUEUED.value)
        with self._reading() as connection:
            row = connection.execute(waiting.order_by(j.created_at.desc()).limit(1)).mappings().first()
        return self.create_job(kind, folder=folder, requested_by=requested_by) if row is None else _job(row)

    def _requested_job(self, requested_by: str, request_key: str) -> Job | None:
        r = s.job_requests.c
        statement = (
            select(s.jobs)
            .join(s.job_requests, r.job_id == s.jobs.c.job_id)
            .where(r.principal == requested_by, r.request_key == request_key, r.created_at >= _key_limit())
        )
        with self._reading() as connection:
            row = connection.execute(statement).mappings().first()
        return None if row is None else _job(row)

    def _insert_job(self, job_id: str, kind: str, *, folder: str, requested_by: str, request_key: str | None) -> None:
        at = now()
        with self._writing() as connection, _new_key():
            connection.execute(
                insert(s.jobs).values(
                    job_id=job_id,
                    kind=kind,
                    folder=folder,
                    state=JobState.QUEUED.value,
                    requested_by=requested_by,
                    created_at=at,
                    counts={},
                )
            )
            if request_key is not None:
                connection.execute(delete(s.job_requests).where(s.job_requests.c.created_at < _key_limit()))
                connection.execute(
                    insert(s.job_requests).values(
                        principal=requested_by, request_key=request_key, job_id=job_id, created_at=at
                    )
                )
            details = {"kind": kind, "folder": folder}
            write_entry(connection, AuditEntry(Act.JOB_REQUESTED, requested_by, subject=job_id, details=details))

    def claim_job(self, *, worker: str) -> Job | None:
        """The oldest queued job, or one whose worker is silent, now running for `worker`; None when there is none, or
        while another one runs."""
        free = _free()
        try:
            with self._writing() as connection, _one_place():
                job_id = connection.execute(select(s.jobs.c.job_id).where(free).order_by(s.jobs.c.created_at)).scalar()
                if job_id is None:
                    return None
                claimed = connection.execute(
                    update(s.jobs).where(s.jobs.c.job_id == job_id, free).values(**_running(worker))
                ).rowcount
        except Overloaded:
            return None
        return self.get_job(job_id) if claimed else None

    def has_job(self) -> bool:
        """Whether a worker that asks now would get a job."""
        with self._reading() as connection:
            return connection.execute(select(s.jobs.c.job_id).where(_free()).limit(1)).first() is not None

    def start_job(self, kind: str, *, folder: str, worker: str) -> Job:
        """A job that runs at once in this process, e.g. `ingest run`. Raises Overloaded while another one runs."""
        job_id = "j_" + uuid.uuid4().hex
        own = {
            "job_id": job_id,
            "kind": kind,
            "folder": folder,
            "requested_by": worker,
            "created_at": now(),
            "counts": {},
        }
        with self._writing() as connection, _one_place():
            connection.execute(update(s.jobs).where(_silent()).values(**_ABANDONED, finished_at=now()))
            connection.execute(insert(s.jobs).values(**own, **_running(worker)))
        return self.get_job(job_id)

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
            .where(s.jobs.c.finished_at.is_not(None), _reads_files())
            .group_by(s.jobs.c.folder)
            .subquery()
        )
        statement = select(s.jobs).join(
            ended, (s.jobs.c.folder == ended.c.folder) & (s.jobs.c.finished_at == ended.c.at)
        )
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(s.jobs.c.folder)).mappings().all()
        return {row["folder"]: _job(row) for row in rows}

    def finish_job(
        self, job_id: str, *, counts: Mapping[str, int], error: str | None, result: Mapping[str, Any] | None = None
    ) -> None:
        """The end of a job; `error` None means done. `result` is what a plan found, as JSON."""
        state = JobState.DONE if error is None else JobState.FAILED
        with self._writing() as connection:
            connection.execute(
                update(s.jobs)
                .where(s.jobs.c.job_id == job_id)
                .values(
                    state=state.value,
                    counts=dict(counts),
                    error=error,
                    result=None if result is None else dict(result),
                    finished_at=now(),
                    place=None,
                )
            )

    def drop_job(self, job_id: str) -> None:
        """Removes the row of a scan that found nothing to do."""
        with self._writing() as connection:
            connection.execute(delete(s.jobs).where(s.jobs.c.job_id == job_id))

    def abandon_jobs(self, *, is_gone: Callable[[str], bool]) -> int:
        """Marks running jobs as failed whose worker, by its name, is known to be gone; how many.

        The next run finds their work in the ledger.
        """
        running = select(s.jobs.c.job_id, s.jobs.c.claimed_by).where(s.jobs.c.state == JobState.RUNNING.value)
        with self._reading() as connection:
            gone = [job_id for job_id, worker in connection.execute(running).all() if is_gone(worker or "")]
        if not gone:
            return 0
        with self._writing() as connection:
            return connection.execute(
                update(s.jobs)
                .where(s.jobs.c.job_id.in_(gone), s.jobs.c.state == JobState.RUNNING.value)
                .values(**_ABANDONED, finished_at=now())
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

    def result_of_job(self, job_id: str) -> dict[str, Any] | None:
        """What the job has found, for jobs that look instead of doing; None for others and before the end."""
        with self._reading() as connection:
            found = connection.execute(select(s.jobs.c.result).where(s.jobs.c.job_id == job_id)).scalar()
        return None if found is None else dict(found)

    def list_jobs(self, limit: int = 50) -> list[Job]:
        """Newest jobs first."""
        with self._reading() as connection:
            rows = connection.execute(select(s.jobs).order_by(s.jobs.c.created_at.desc()).limit(limit)).mappings().all()
        return [_job(row) for row in rows]


_ABANDONED = {"state": JobState.FAILED.value, "error": "the worker stopped before the end", "place": None}


@contextmanager
def _one_place() -> Iterator[None]:
    """Raises Overloaded where the unique `place` is held by another running job; the transaction is given up."""
    try:
        yield
    except IntegrityError as error:
        raise another_is_running() from error


class _KeyTakenError(Exception):
    """The same request was written by another process a moment ago."""


@contextmanager
def _new_key() -> Iterator[None]:
    """Raises _KeyTakenError where the caller's key is there already; the transaction is given up."""
    try:
        yield
    except IntegrityError as error:
        raise _KeyTakenError from error


def _key_limit() -> str:
    return (datetime.now(UTC) - timedelta(seconds=REQUEST_KEY_SECONDS)).isoformat(timespec="milliseconds")


def _key_reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused(
        Text(
            ja="この Idempotency-Key は、別の内容のリクエストですでに使われています。",
            en="This Idempotency-Key came before with another body.",
        ),
        Text(ja="新しいリクエストには新しいキーを付けてください。", en="Give a new request a new key."),
    )


def another_is_running() -> Overloaded:
    """The error of an ingestion that finds another one at work."""
    return Overloaded(
        Text(ja="別の取り込みが実行中です。", en="Another ingestion is running."),
        Text(
            ja="終わるのを待つか、`ingest status` で様子を見てください。",
            en="Wait for its end, or look at it with `ingest status`.",
        ),
        retry_after_seconds=HEARTBEAT_LIMIT_SECONDS,
    )


def _running(worker: str) -> dict[str, str]:
    at = now()
    return {
        "state": JobState.RUNNING.value,
        "place": "ingestion",
        "claimed_by": worker,
        "started_at": at,
        "heartbeat_at": at,
    }


def reading_now() -> ColumnElement[bool]:
    """Of the rows of jobs: an ingestion that is at work; the job of a dead worker is none."""
    return (s.jobs.c.state == JobState.RUNNING.value) & _reads_files() & ~_silent()


def _reads_files() -> ColumnElement[bool]:
    return s.jobs.c.kind.not_in([REBUILD, PLAN])


def _silent() -> ColumnElement[bool]:
    stale = (datetime.now(UTC) - timedelta(seconds=HEARTBEAT_LIMIT_SECONDS)).isoformat(timespec="milliseconds")
    return (s.jobs.c.state == JobState.RUNNING.value) & (s.jobs.c.heartbeat_at < stale)


def _free() -> ColumnElement[bool]:
    """Jobs that a worker may claim: a silent one, or a queued one while none runs."""
    other = s.jobs.alias()
    nobody_runs = ~exists(select(other.c.job_id).where(other.c.state == JobState.RUNNING.value))
    return or_((s.jobs.c.state == JobState.QUEUED.value) & nobody_runs, _silent())


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
