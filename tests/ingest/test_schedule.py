from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.schedule import check_schedule, local_now, local_time, next_run, next_times

MONDAY = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 - wall clock
NIGHTLY = "30 2 * * 1-5"


def test_the_next_times_leave_out_the_weekend() -> None:
    friday = datetime(2026, 11, 27, 2, 0)  # noqa: DTZ001
    assert [f"{at:%a %d %H:%M}" for at in next_times(NIGHTLY, friday, count=3)] == [
        "Fri 27 02:30", "Mon 30 02:30", "Tue 01 02:30",
    ]  # fmt: skip


def test_a_folder_that_was_never_ingested_waits_for_its_first_time() -> None:
    assert next_run(NIGHTLY, now=MONDAY, last_run=None) == datetime(2026, 11, 24, 2, 30)  # noqa: DTZ001


def test_a_time_that_was_missed_is_due_at_once() -> None:
    saturday = datetime(2026, 11, 21, 2, 30)  # noqa: DTZ001
    due = next_run(NIGHTLY, now=MONDAY, last_run=saturday)
    assert due is not None
    assert due < MONDAY


def test_a_clock_that_was_set_back_does_not_silence_a_schedule() -> None:
    due = next_run(NIGHTLY, now=MONDAY, last_run=datetime(2027, 1, 1))  # noqa: DTZ001
    assert due == datetime(2026, 11, 24, 2, 30)  # noqa: DTZ001


@pytest.mark.parametrize("wrong", ["", "* * * *", "0 0 0 1 1 1", "61 * * * *", "@daily", "0 3 * * mo"])
def test_what_is_no_schedule_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_schedule(wrong)


def test_ledger_times_are_read_on_the_wall_clock() -> None:
    now = datetime.now(UTC)
    assert abs((local_time(now.isoformat(timespec="milliseconds")) - local_now()).total_seconds()) < 5
