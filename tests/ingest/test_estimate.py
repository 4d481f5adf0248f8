from __future__ import annotations

import pytest

from assistant.adapters.ledger.pace import Pace
from assistant.domain import SourceFile
from ingest.estimate import estimate
from ingest.plan import Plan, Work

SEEN = Pace({".md": (10_000, 20), ".pdf": (100_000, 10)}, runs=2, run_seconds=60.0, run_chunks=30)


def plan_of(*files: tuple[str, int]) -> Plan:
    return Plan(work=[Work(SourceFile("f", path, size, 1), "hash", None, "add") for path, size in files])


def test_time_follows_from_the_chunks_that_files_of_this_ending_gave() -> None:
    found = estimate(plan_of(("a.md", 50_000), ("b.PDF", 100_000)), SEEN)
    assert (found.files, found.bytes, found.chunks, found.runs) == (2, 150_000, 110, 2)
    assert found.seconds == pytest.approx(220.0)


def test_an_ending_never_seen_counts_as_all_the_others() -> None:
    assert estimate(plan_of(("a.docx", 110_000)), SEEN).chunks == 30


def test_a_first_run_has_no_pace_rather_than_an_invented_one() -> None:
    found = estimate(plan_of(("a.md", 50_000)), Pace({}, 0, 0.0, 0))
    assert (found.files, found.bytes, found.chunks, found.seconds, found.runs) == (1, 50_000, None, None, 0)


def test_a_run_of_a_few_chunks_is_no_measure() -> None:
    found = estimate(plan_of(("a.md", 50_000)), Pace({".md": (100, 1)}, 1, 9.0, 3))
    assert (found.chunks, found.seconds) == (500, None)


def test_nothing_to_read_takes_no_time() -> None:
    assert estimate(Plan(), Pace({}, 0, 0.0, 0)).seconds == 0.0
