"""Several ingestions at once, each a process of its own: they take turns, and no file is read twice."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from assistant.adapters.ledger import Ledger
from assistant.domain import Job
from assistant.errors import Overloaded
from ingest.generation_commands import _say_what_is_waited_for
from ingest.guard import ParserProcess
from ingest.lock import ingestion_lock, waiting_for_rest
from tests.ingest.running import Desk, desk, wait_until
from tests.postgresql import running_postgresql

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def at(tmp_path: Path, parser: ParserProcess) -> Iterator[Desk]:
    with desk(tmp_path, parser) as made:
        yield made


INGEST = """
import sys, time
from pathlib import Path
from assistant.errors import Overloaded
from tests.ingest.running import Desk
from assistant.adapters.fake import FakeEmbedder, InMemoryLexicalIndex, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.lock import ingestion_lock
from ingest.pipeline import Run
place = Path(sys.argv[1])
stores = Stores(Ledger.open(f"sqlite:///{place}/ledger.db"), FakeEmbedder(), InMemoryVectorIndex(), InMemoryLexicalIndex())
try:
    with ingestion_lock(place), ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as parser:
        print(Run(stores, parser).run(place / "documents").counts["done"], flush=True)
except Overloaded:
    sys.exit(75)
"""


def test_of_two_ingestions_at_once_one_reads_every_file_and_the_other_is_told_to_wait(at: Desk) -> None:
    for number in range(30):
        at.write(f"{number}.md")
    command = [sys.executable, "-c", INGEST, str(at.root.parent)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=100)[0].split() for process in both]
    codes = [process.returncode for process in both]
    if codes == [0, 0]:  # one had ended before the other began: then the other had nothing to do
        assert sorted(words[-1] for words in said) == ["0", "30"]
    else:
        assert sorted(codes) == [0, 75]
        assert said[codes.index(0)][-1] == "30"
    assert len(at.documents()) == 30
    with at.stores.ledger._reading() as connection:
        attempts = connection.exec_driver_sql("select count(*) from document_events where status = 'pending'").scalar()
    assert attempts == 30


def test_the_lock_is_freed_when_its_block_ends(tmp_path: Path) -> None:
    with ingestion_lock(tmp_path), pytest.raises(Overloaded), ingestion_lock(tmp_path):
        pass
    with ingestion_lock(tmp_path):
        pass


WATCH = """
import sys, threading, time
from pathlib import Path
from assistant.adapters.fake import FakeEmbedder, InMemoryLexicalIndex, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.pipeline import Run
from ingest.worker import Worker
place, data_folder = Path(sys.argv[1]), Path(sys.argv[2])
data_folder.mkdir()
stores = Stores(Ledger.open(sys.argv[3]), FakeEmbedder(), InMemoryVectorIndex(), InMemoryLexicalIndex())
stop = threading.Event()
with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as parser:
    def run_folder(_kind, path, progress, should_stop):
        started = time.monotonic()
        report = Run(stores, parser, (), progress, should_stop).run(path)
        print("span", started, time.monotonic(), flush=True)
        return report
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    Worker(stores.ledger, run_folder, place / "documents", data_folder, 0.5, stop).loop()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty ledger, which several processes may open."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shared.db"
        return
    with running_postgresql(tmp_path / "postgresql") as url:
        yield url


def test_two_watchers_with_data_folders_of_their_own_take_turns_on_one_ledger(at: Desk, ledger_url: str) -> None:
    for number in range(30):
        at.write(f"{number}.md")
    place, ledger = at.root.parent, Ledger.open(ledger_url)
    watchers = [
        subprocess.Popen(
            [sys.executable, "-c", WATCH, str(place), str(place / f"data-{number}"), ledger_url],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    wait_until(lambda: ledger.counts_of_truth()["searchable"] == 30, seconds=90)
    time.sleep(3)
    spans = []
    for watcher in watchers:
        said, _ = watcher.communicate("", timeout=60)
        assert watcher.returncode == 0
        spans.append([tuple(map(float, line.split()[1:])) for line in said.splitlines() if line.startswith("span")])
    assert all(spans)
    in_order = sorted(span for own in spans for span in own)
    assert all(before[1] <= after[0] for before, after in pairwise(in_order))
    with ledger._reading() as connection:
        attempts = connection.exec_driver_sql("select count(*) from document_events where status = 'pending'").scalar()
    assert attempts == 30
    ledger.close()


def test_a_rebuild_says_what_it_waits_for_and_keeps_every_other_ingestion_waiting_meanwhile(
    at: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    ledger, place = at.stores.ledger, at.root.parent
    scan = ledger.start_job("scan", folder="/srv/docs", worker="elsewhere:1")
    ledger.report_job(scan.job_id, counts={"done": 30, "total": 300})
    told: list[Job | None] = []
    has_begun, may_end = threading.Event(), threading.Event()

    def rebuild() -> None:
        with waiting_for_rest(ledger, place, told.append, look_seconds=0.05):
            has_begun.set()
            may_end.wait(60)

    with ingestion_lock(place):
        thread = threading.Thread(target=rebuild)
        thread.start()
        wait_until(lambda: bool(told))
    ledger.heartbeat(scan.job_id, worker="elsewhere:1")
    assert not has_begun.is_set()
    ledger.finish_job(scan.job_id, counts={}, error=None)
    assert has_begun.wait(60)
    with pytest.raises(Overloaded):
        ledger.start_job("scan", folder="/srv/docs", worker="elsewhere:1")
    assert not ledger.has_job()
    may_end.set()
    thread.join(60)
    assert [job and job.job_id for job in told] == [scan.job_id]
    assert set(ledger.last_runs()) == {"/srv/docs"}
    ledger.drop_job(ledger.start_job("scan", folder="/srv/docs", worker="elsewhere:1").job_id)
    for job in (told[0], None):
        _say_what_is_waited_for(job)
    with_job, without = capsys.readouterr().err.splitlines()
    assert "ingestion of /srv/docs (scan, 30 / 300 files, elsewhere:1)" in with_job
    assert "another `ingest` command" in without
