"""The watching process on a real folder and a real ledger; other processes are real ones, too."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from assistant.adapters.ledger import schema as s
from assistant.domain import DocumentStatus, JobState
from assistant.errors import FailureReason
from ingest.asked import do_as_asked
from ingest.guard import ParserProcess
from ingest.heartbeat import beating, is_gone, worker_name
from ingest.pipeline import Run, RunReport
from ingest.rules import IngestedFolder, read_folders, read_rules
from ingest.worker import ALIVE_FILE, SETTLE_SECONDS, Worker
from tests.ingest.running import Desk, desk, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def at(tmp_path: Path, parser: ParserProcess) -> Iterator[Desk]:
    with desk(tmp_path, parser) as made:
        yield made


@contextmanager
def watching(
    at: Desk,
    *listed: IngestedFolder,
    clock: Callable[[], datetime] | None = None,
    settle_seconds: float = SETTLE_SECONDS,
) -> Iterator[list[Path]]:
    """A worker at work; gives the folders of its runs, in order."""
    runs: list[Path] = []
    stop = threading.Event()

    rules_file = at.root.parent / "ingest.toml"

    def run_folder(
        kind: str, path: Path, progress: Callable[[int, int, str], None], should_stop: Callable[[], bool]
    ) -> RunReport:
        rules = read_rules(rules_file, path)
        report = do_as_asked(kind, path, Run(at.stores, at.parser, rules, progress, should_stop, settle_seconds))
        runs.append(path)
        return report

    def folders() -> tuple[IngestedFolder, ...]:
        return (*listed, *read_folders(rules_file))

    worker = Worker(at.stores.ledger, run_folder, at.root, at.root.parent, 1.0, stop, folders=folders)
    if clock is not None:
        worker.clock = clock
    # The parser process dies with the thread that starts it, so it must not be the fixture's.
    thread = threading.Thread(target=worker.loop)
    thread.start()
    try:
        yield runs
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()
        at.parser.close()


def test_a_new_file_becomes_searchable_once_it_has_settled(at: Desk) -> None:
    with watching(at) as runs:
        wait_until(lambda: len(runs) >= 1)
        at.write("a.md")
        wait_until(lambda: "a.md" in at.documents())
        assert (at.root.parent / ALIVE_FILE).exists()
    (document,) = at.documents().values()
    assert document.chunk_count == 1


def test_the_watcher_never_deletes_much_by_itself_and_says_so_once(at: Desk) -> None:
    for number in range(6):
        at.write(f"{number}.md")
    at.run()
    for file in at.root.iterdir():
        file.unlink()
    with watching(at) as runs:
        wait_until(lambda: len(runs) >= 3)
    assert len(at.documents()) == 6
    last = at.stores.ledger.last_runs()[str(at.root)]
    assert last.counts["deletions_waiting"] == 6
    assert len(at.stores.ledger.list_jobs()) == 1


def test_scans_that_find_nothing_leave_one_job_behind(at: Desk) -> None:
    with watching(at) as runs:
        wait_until(lambda: len(runs) >= 3)
    assert [job.state for job in at.stores.ledger.list_jobs()] == [JobState.DONE]


def test_a_scheduled_folder_runs_at_its_time_and_not_before(at: Desk, tmp_path: Path) -> None:
    other = tmp_path / "wiki"
    other.mkdir()
    times = [datetime(2026, 11, 23, 2, 0)]  # noqa: DTZ001 - wall clock
    with watching(at, IngestedFolder(other, "30 2 * * *"), clock=lambda: times[0]) as runs:
        wait_until(lambda: runs.count(at.root) >= 2)
        assert other not in runs
        times[0] += timedelta(minutes=30)
        wait_until(lambda: other in runs)
        seen = len(runs)
        wait_until(lambda: len(runs) >= seen + 2)
        assert runs.count(other) == 1
    assert at.stores.ledger.last_runs()[str(other)].kind == "schedule"


def test_a_job_waits_while_another_ingestion_holds_the_lock(at: Desk) -> None:
    at.write("a.md")
    job = at.stores.ledger.create_job("run", folder=str(at.root), requested_by="chie")
    with (at.root.parent / "ingest.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with watching(at) as runs:
            time.sleep(1.5)
            assert (runs, at.stores.ledger.get_job(job.job_id).state) == ([], JobState.QUEUED)
            fcntl.flock(lock, fcntl.LOCK_UN)
            wait_until(lambda: at.stores.ledger.get_job(job.job_id).state is JobState.DONE)


def test_two_workers_never_get_the_same_job(at: Desk) -> None:
    ledger = at.stores.ledger
    wanted = {ledger.create_job("run", folder=f"/{n}", requested_by="chie").job_id for n in range(20)}
    taken: list[str] = []

    def take(worker: str) -> None:
        while len(taken) < len(wanted):
            if (job := ledger.claim_job(worker=worker)) is not None:
                taken.append(job.job_id)
                ledger.finish_job(job.job_id, counts={}, error=None)

    threads = [threading.Thread(target=take, args=(f"worker-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(wanted)


def test_a_job_lives_while_one_long_file_is_read(at: Desk) -> None:
    ledger = at.stores.ledger
    job = ledger.start_job("run", folder=str(at.root), worker=worker_name())
    beats: list[float] = []
    with beating(ledger, job.job_id, on_beat=lambda: beats.append(time.monotonic()), every_seconds=0.1) as is_lost:
        with ledger._writing() as connection:
            connection.execute(update(s.jobs).values(heartbeat_at="2020-01-01T00:00:00.000+00:00"))
        wait_until(lambda: len(beats) >= 2)
        assert not ledger.has_job()
        assert ledger.claim_job(worker="other") is None
        assert not is_lost.is_set()
    count = len(beats)
    time.sleep(0.3)
    assert len(beats) == count


def test_a_worker_that_was_silent_too_long_learns_that_its_job_is_lost(at: Desk) -> None:
    ledger = at.stores.ledger
    job = ledger.start_job("run", folder=str(at.root), worker=worker_name())
    with ledger._writing() as connection:
        connection.execute(update(s.jobs).values(heartbeat_at="2020-01-01T00:00:00.000+00:00"))
    taken = ledger.claim_job(worker="other")
    assert taken is not None
    assert taken.job_id == job.job_id
    with beating(ledger, job.job_id, every_seconds=0.05) as is_lost:
        wait_until(is_lost.is_set)


WRITING = """
import sys, time
with open(sys.argv[1], "w", encoding="utf-8") as file:
    for number in range(50):
        file.write(f"## {number}\\n\\n第{number}条の本文です。届出は{number}日前までに行う。\\n\\n")
        file.flush()
        time.sleep(0.1)
"""


def test_a_file_that_is_written_slowly_is_read_once_and_whole(at: Desk) -> None:
    at.write("a.md")
    with watching(at) as runs:
        wait_until(lambda: "a.md" in at.documents())
        subprocess.run([sys.executable, "-c", WRITING, str(at.root / "slow.md")], check=True, timeout=60)
        assert "slow.md" not in at.documents()
        assert len(runs) >= 2  # it was looked at meanwhile
        wait_until(lambda: "slow.md" in at.documents())
    with at.stores.ledger._reading() as connection:
        texts = connection.exec_driver_sql(
            "select text from versions where text like '%本文%' and text like '%49%'"
        ).all()
        attempts = connection.exec_driver_sql("select count(*) from document_events where status = 'pending'").scalar()
    assert (len(texts), attempts) == (1, 2)


def test_a_folder_that_vanishes_and_comes_back_is_followed_again(at: Desk) -> None:
    at.write("a.md")
    away = at.root.parent / "away"
    with watching(at) as runs:
        wait_until(lambda: "a.md" in at.documents())
        at.root.rename(away)
        wait_until(lambda: (last := at.stores.ledger.last_runs().get(str(at.root))) is not None and bool(last.error))
        assert sorted(at.documents()) == ["a.md"]
        shutil.copytree(away, at.root)
        seen = len(runs)
        wait_until(lambda: len(runs) > seen)
        at.write("b.md")
        wait_until(lambda: "b.md" in at.documents())
    assert sorted(at.documents()) == ["a.md", "b.md"]


def test_rules_that_became_wrong_stop_the_ingestion_until_they_are_mended(at: Desk) -> None:
    rules = at.root.parent / "ingest.toml"
    rules.write_text('[[rule]]\npath = "限定/*"\ngroups = ["board"]\n', encoding="utf-8")
    at.write("a.md")
    with watching(at) as runs:
        wait_until(lambda: "a.md" in at.documents())
        rules.write_text('[[rule]]\npath = "限定/*"\ngruops = ["board"]\n', encoding="utf-8")
        at.write("限定/secret.md")
        wait_until(lambda: (last := at.stores.ledger.last_runs().get(str(at.root))) is not None and bool(last.error))
        problem = at.stores.ledger.last_runs()[str(at.root)].error or ""
        assert "gruops" in problem
        assert "groups のことですか" in problem
        assert at.stores.ledger.counts_of_truth()["documents"] == 1
        other = at.root.parent / "wiki"
        other.mkdir()
        (other / "w.md").write_text("# 手順\n\n本文です。\n", encoding="utf-8")
        rules.write_text(
            f'[[rule]]\npath = "限定/*"\ngroups = ["board"]\n[[folder]]\nroot = "{other}"\n', encoding="utf-8"
        )
        wait_until(lambda: at.stores.ledger.counts_of_truth()["documents"] == 3)
        wait_until(lambda: other in runs)
    assert sorted(at.documents()) == ["a.md", "w.md"]


def test_a_worker_is_known_to_be_gone_only_on_its_own_machine() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    host = worker_name().rpartition(":")[0]
    assert is_gone(f"{host}:{ended.pid}")
    assert is_gone(worker_name())
    assert not is_gone(f"{host}:{os.getppid()}")
    assert not is_gone(f"elsewhere:{ended.pid}")
    assert not is_gone("")


def test_a_plan_asked_for_is_found_in_its_job_and_changes_nothing(at: Desk) -> None:
    (at.root.parent / "ingest.toml").write_text('[[rule]]\npath = "限定/**"\ngroups = ["board"]\n', encoding="utf-8")
    other = at.root.parent / "wiki"
    for path in ("人事/a.md", "限定/b.md"):
        (other / path).parent.mkdir(parents=True)
        (other / path).write_text("# 規程", encoding="utf-8")
    ledger = at.stores.ledger
    job = ledger.create_job("plan", folder=str(other), requested_by="chie")
    with watching(at):
        wait_until(lambda: ledger.get_job(job.job_id).state is JobState.DONE)
    found = ledger.result_of_job(job.job_id)
    assert found is not None
    assert [(file["path"], file["groups"]) for file in found["files"]["add"]] == [
        ("人事/a.md", ["everyone"]),
        ("限定/b.md", ["board"]),
    ]
    assert (found["counts"]["add"], found["read_files"]) == (2, 2)
    assert at.documents() == {}
    assert str(other) not in ledger.last_runs()


def test_a_retry_asked_for_tries_only_what_is_not_searchable(at: Desk) -> None:
    at.write("a.md")
    at.run()
    (document_id,) = (document.document_id for document in at.documents().values())
    ledger = at.stores.ledger
    ledger.record_failure(
        document_id, reason=FailureReason.TIMEOUT, detail="遅い。\nSlow.", status=DocumentStatus.FAILED
    )
    at.write("b.md")
    job = ledger.create_job("retry", folder=str(at.root), requested_by="chie")
    with watching(at, settle_seconds=0.0):
        wait_until(lambda: ledger.get_job(job.job_id).state is JobState.DONE)
    assert at.documents()["a.md"].status is DocumentStatus.INDEXED
    counts = ledger.get_job(job.job_id).counts
    assert (counts["retry"], counts["add"]) == (1, 0)
