"""When a folder with a schedule is due: cron expressions in local time. Must not know what a run does.

cronsim reads the expressions: one small package without dependencies, kept by the makers of a cron monitoring product.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from cronsim import CronSim, CronSimError


def local_now() -> datetime:
    """The wall clock of this machine, without a zone: schedules mean what a person reads on it."""
    return datetime.now().astimezone().replace(tzinfo=None)


def local_time(written: str) -> datetime:
    """A ledger time (ISO 8601 in UTC) on the wall clock of this machine."""
    return datetime.fromisoformat(written).astimezone().replace(tzinfo=None)


def check_schedule(schedule: str) -> None:
    """Raises ValueError, which says what is wrong, for anything but five fields of a cron expression."""
    if len(schedule.split()) != 5:
        raise ValueError("not five fields")
    try:
        CronSim(schedule, local_now())
    except CronSimError as error:
        raise ValueError(str(error)) from error


def next_times(schedule: str, after: datetime, *, count: int = 1) -> list[datetime]:
    """The next `count` times of the schedule, all later than `after`; fewer when the schedule has no more."""
    times: Iterator[datetime] = CronSim(schedule, after)
    return list(islice(times, count))


def next_run(schedule: str, *, now: datetime, last_run: datetime | None) -> datetime | None:
    """When the folder is due: in the past when a time was missed since `last_run`, e.g. because the machine was off.

    A folder that was never ingested waits for its first time. None when the schedule never comes.
    """
    times = next_times(schedule, now if last_run is None else min(last_run, now))
    return times[0] if times else None
