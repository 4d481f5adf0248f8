"""Days, times, numbers and sizes in the reader's own way."""

from __future__ import annotations

import pytest

from ui.formats import day, moment, number, percent, size

LATE = "2026-11-26T23:30:00+00:00"


def test_a_day_is_the_readers_day_in_the_readers_language() -> None:
    assert day(LATE, "ja", timezone="Asia/Tokyo") == "2026年11月27日"
    assert day(LATE, "en", timezone="Asia/Tokyo") == "27 Nov 2026"
    assert day(LATE, "en") == "26 Nov 2026"
    assert moment(LATE, "ja", timezone="Asia/Tokyo") == "2026年11月27日 08:30"
    assert moment("2026-01-05T07:05:09", "en") == "5 Jan 2026 07:05"
    assert day("", "ja") == moment("", "en") == ""


def test_a_time_zone_that_nobody_knows_reads_as_utc() -> None:
    assert day(LATE, "en", timezone="../../etc/passwd") == day(LATE, "en", timezone="Mars/Olympus") == "26 Nov 2026"


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KB"),
        (1_500_000, "1.4 MB"),
        (52_428_800, "50 MB"),
        (1 << 50, "1,024 TB"),
    ],
)
def test_a_size_is_told_as_file_managers_do(size_bytes: int, shown: str) -> None:
    assert size(size_bytes) == shown


def test_thousands_are_parted_and_shares_are_percent() -> None:
    assert (number(1234567), number(0.126, digits=2), percent(0.984)) == ("1,234,567", "0.13", "98%")
