"""Disk full, folder unmounted, embedder down, database locked, each in the middle of a run: the run says so and ends, what
was searchable stays so, and the next run, or the watcher by itself, finishes the job."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assistant.adapters.fake import InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.adapters.openai_compatible import OpenAICompatibleEmbedder
from assistant.domain import ParsedDocument
from assistant.errors import AssistantError, EmbedderUnavailable, FolderMissing, StoreUnavailable
from ingest.guard import ParserProcess, ParserUnavailable
from ingest.index_sync import Stores, compare
from ingest.pipeline import Run, RunReport
from ingest.worker import Worker
from tests.ingest.running import Desk, wait_until
from tests.stubs.embeddings import MODEL, EmbeddingServer

SMALL_BYTES = 6 << 20
FILES = 8
HALF_WAY = 4


@dataclass
class Place:
    """A desk whose parts can be broken: a small disk, a mounted folder, an embedder on a server."""

    at: Desk
    small: Path
    embedder: EmbeddingServer
    ledger_file: Path
    locks: list[sqlite3.Connection] = field(default_factory=list)

    def fill_disk(self) -> None:
        """Not a byte is left."""
        with (self.small / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"\0" * 4096)
            except OSError:
                return

    def free_disk(self) -> None:
        """Room again."""
        (self.small / "ballast").unlink()

    def take_folder_away(self) -> None:
        """As an umount of a share, whose mount point stays as an empty folder."""
        self.at.root.rename(self.at.root.with_name("elsewhere"))
        self.at.root.mkdir()

    def bring_folder_back(self) -> None:
        """Mounted again."""
        self.at.root.rmdir()
        self.at.root.with_name("elsewhere").rename(self.at.root)

    def unmount(self) -> None:
        """The real thing, on a bind mount."""
        subprocess.run(["umount", "-l", str(self.at.root)], check=True)

    def mount(self) -> None:
        """Mounted again."""
        subprocess.run(["mount", "--bind", str(self.at.root.with_name("elsewhere")), str(self.at.root)], check=True)

    def prepare_mount(self) -> None:
        """The folder becomes a mount point of another one with the same files."""
        shutil.move(str(self.at.root), self.at.root.with_name("elsewhere"))
        self.at.root.mkdir()
        self.mount()

    def lock_ledger(self) -> None:
        """Another process keeps the database for itself."""
        self.locks.append(sqlite3.connect(self.ledger_file, isolation_level=None, check_same_thread=False))
        self.locks[-1].execute("begin exclusive")

    def unlock_ledger(self) -> None:
        """And gives it back."""
        self.locks.pop().close()


class Breaking:
    """The parser; before its fourth file something breaks."""

    def __init__(self, parser: ParserProcess, break_it: Callable[[], None]) -> None:
        self._parser, self._break_it = parser, break_it
        self.files = 0

    def parse(
        self, path: Path, *, relative_path: str, reads_scans: bool = True, reads_hidden: bool = False
    ) -> ParsedDocument:
        """As the parser does."""
        self.files += 1
        if self.files == HALF_WAY:
            self._break_it()
        return self._parser.parse(path, relative_path=relative_path, reads_scans=reads_scans, reads_hidden=reads_hidden)


FAULTS: dict[str, tuple[str, str, type[AssistantError], str]] = {
    "ledger's disk full": ("fill_disk", "free_disk", StoreUnavailable, "disk space"),
    "lexical index's disk full": ("fill_disk", "free_disk", StoreUnavailable, "free space"),
    "folder gone": ("take_folder_away", "bring_folder_back", FolderMissing, "Mount the share again"),
    "folder unmounted": ("unmount", "mount", FolderMissing, "Mount the share again"),
    "embedder down": ("stop", "start", EmbedderUnavailable, "Start the server"),
    "database locked": ("lock_ledger", "unlock_ledger", StoreUnavailable, "ASSISTANT_DATABASE_URL"),
}


@pytest.fixture(params=list(FAULTS))
def fault(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path, fault: str) -> Iterator[Place]:
    small, root = tmp_path / "small", tmp_path / "documents"
    small.mkdir()
    root.mkdir()
    is_mounting = fault.endswith(("full", "unmounted"))
    if is_mounting and os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    if fault.endswith("full"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "none", str(small)], check=True)
    embedder = EmbeddingServer()
    ledger_file = (small if fault.startswith("ledger") else tmp_path) / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{ledger_file}", busy_timeout_seconds=0.5)
    lexical = TantivyLexicalIndex((small if fault.startswith("lexical") else tmp_path) / "lexical")
    stores = Stores(
        ledger,
        OpenAICompatibleEmbedder(url=embedder.url, model=MODEL),
        InMemoryVectorIndex(),
        lexical,
        wait_seconds=1.0,
    )
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as parser:
        made = Place(Desk(root, stores, parser), small, embedder, ledger_file)
        for number in range(FILES):
            made.at.write(f"old-{number}.md")
        if fault == "folder unmounted":
            made.prepare_mount()
        yield made
    ledger.close()
    embedder.stop()
    for mounted in (small, root) if is_mounting else ():
        subprocess.run(["umount", "-l", str(mounted)], capture_output=True)


def ways(place: Place, fault: str) -> tuple[Callable[[], None], Callable[[], None], type[AssistantError], str]:
    begin, end, error, hint = FAULTS[fault]
    owner = place.embedder if hasattr(place.embedder, begin) else place
    return getattr(owner, begin), getattr(owner, end), error, hint


def searchable(at: Desk) -> set[str]:
    """Paths of what answers may come from."""
    return {path for path, document in at.documents().items() if document.version_id is not None}


def check_all_is_well(at: Desk) -> None:
    assert searchable(at) == {file.name for file in at.root.iterdir()}
    assert len(searchable(at)) == 2 * FILES
    assert {document.status.value for document in at.documents().values()} <= {"indexed", "warn"}
    assert at.stores.ledger.failures() == []
    generation = at.stores.ledger.active_generation()
    assert generation is not None
    assert all(difference.is_none for difference in compare(at.stores, generation).values())


def test_a_run_says_what_is_wrong_and_the_next_one_finishes_the_job(place: Place, fault: str) -> None:
    at = place.at
    begin, end, kind, hint = ways(place, fault)
    assert at.run().counts["failed"] == 0
    before = searchable(at)
    for number in range(FILES):
        at.write(f"new-{number}.md")
    at.write("old-0.md", "# old-0.md\n\n新しい規程です。届出は5日前までに行う。\n")
    for _ in range(4):  # more often than a file is tried that ends its parser
        with pytest.raises(kind) as caught:
            Run(at.stores, Breaking(at.parser, begin)).run(at.root)
        assert hint in caught.value.hint.en
        end()
    assert searchable(at) >= before
    assert at.run().counts["failed"] == 0
    check_all_is_well(at)


def test_the_watcher_survives_and_goes_on_by_itself(place: Place, fault: str) -> None:
    at = place.at
    begin, end, _, _ = ways(place, fault)
    at.run()
    problems = threading.Event()
    breaking = Breaking(at.parser, begin)

    def run_folder(
        _kind: str, path: Path, progress: Callable[[int, int, str], None], should_stop: Callable[[], bool]
    ) -> RunReport:
        try:
            return Run(at.stores, breaking, (), progress, should_stop).run(path)
        except AssistantError:
            problems.set()
            raise

    stop = threading.Event()
    worker = Worker(at.stores.ledger, run_folder, at.root, place.small, 0.5, stop)
    thread = threading.Thread(target=worker.loop)
    for number in range(FILES):
        at.write(f"new-{number}.md")
    thread.start()
    try:
        wait_until(problems.is_set)
        end()
        wait_until(lambda: len(searchable(at)) == 2 * FILES, seconds=60)
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join(timeout=30)
    check_all_is_well(at)


@pytest.mark.parametrize("fault", ["temporary folder's disk full"])
def test_a_full_temporary_folder_is_not_the_file_s_fault(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    at = place.at
    monkeypatch.setattr(tempfile, "tempdir", str(place.small))
    (at.root / "cut.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    for _ in range(4):
        place.fill_disk()
        with pytest.raises(ParserUnavailable) as caught:
            at.run()
        assert "Make room there" in caught.value.hint.en
        place.free_disk()
    report = at.run()  # now it is
    assert [(failure.path, failure.reason.value) for failure in report.failures] == [("cut.pdf", "corrupt")]
    at.parser.close()
