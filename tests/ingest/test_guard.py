"""The parser process: real processes, real limits, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import docx
import psutil
import pytest

from assistant.errors import DocumentError, FailureReason
from ingest import ocr
from ingest.guard import ParserProcess, ParserUnavailable
from ingest.parsers import ParseLimits, parse_file
from tests.ingest.pdf_writing import grey_page, write_pdf, write_scan

MEGABYTE = 1024**2
GIGABYTE = 1024**3


def process(*, timeout_seconds: float = 60, memory_bytes: int = 2 * GIGABYTE) -> ParserProcess:
    return ParserProcess(timeout_seconds=timeout_seconds, memory_bytes=memory_bytes, file_limit_bytes=200 * MEGABYTE)


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    with process() as running:
        yield running


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text("# 題名\n\n本文です。\n", encoding="utf-8")
    return path


@pytest.fixture
def word_file(tmp_path: Path) -> Path:
    """Its parser takes a second and more to start, which gives a signal time to arrive."""
    document = docx.Document()
    document.add_paragraph("本文です。")
    document.save(str(tmp_path / "a.docx"))
    return tmp_path / "a.docx"


def reason(parser: ParserProcess, path: Path, *, relative_path: str | None = None) -> FailureReason:
    with pytest.raises(DocumentError) as caught:
        parser.parse(path, relative_path=relative_path or path.name)
    return caught.value.reason


def is_alive(process_id: int) -> bool:
    return psutil.pid_exists(process_id) and psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE


def wait_until_gone(process_id: int) -> None:
    deadline = time.monotonic() + 30
    while is_alive(process_id):
        assert time.monotonic() < deadline, "the process is still there"
        time.sleep(0.05)


def test_what_comes_back_is_what_the_parser_made(parser: ParserProcess, note: Path) -> None:
    here = parse_file(note, relative_path="note.md", limits=ParseLimits())
    assert asdict(parser.parse(note, relative_path="note.md")) == asdict(here)


def test_one_process_serves_many_files_and_survives_refusals(parser: ParserProcess, note: Path, tmp_path: Path) -> None:
    parser.parse(note, relative_path="note.md")
    first = parser.process_id
    (tmp_path / "empty.txt").touch()
    assert reason(parser, tmp_path / "empty.txt") is FailureReason.NO_TEXT
    parser.parse(note, relative_path="note.md")
    assert parser.process_id == first


def test_a_file_that_takes_too_long_is_given_up_and_its_process_killed(word_file: Path) -> None:
    others = parsers()  # of tests that share one
    with process(timeout_seconds=0.2) as parser:
        started = time.monotonic()
        assert reason(parser, word_file) is FailureReason.TIMEOUT
        assert time.monotonic() - started < 30
        assert parser.process_id is None
        assert parsers() <= others


def parsers() -> set[int]:
    """Process ids of the parsers that this process has started."""
    return {child.pid for child in psutil.Process().children() if "ingest.parsers.child" in child.cmdline()}


@pytest.mark.parametrize(
    ("blow", "expected"),
    [
        (signal.SIGSEGV, FailureReason.PARSER_CRASHED),
        (signal.SIGKILL, FailureReason.OUT_OF_MEMORY),
        (signal.SIGXCPU, FailureReason.TIMEOUT),
    ],
)
def test_a_process_that_dies_blames_the_file_and_the_next_one_is_read(
    parser: ParserProcess, note: Path, word_file: Path, blow: signal.Signals, expected: FailureReason
) -> None:
    parser.parse(note, relative_path="note.md")
    victim = parser.process_id
    assert victim is not None
    timer = threading.Timer(0.2, os.kill, (victim, blow))
    timer.start()
    assert reason(parser, word_file) is expected
    timer.join()
    assert parser.parse(word_file, relative_path="a.docx").text == "本文です。"


def test_a_process_that_died_between_two_files_is_replaced(parser: ParserProcess, note: Path) -> None:
    parser.parse(note, relative_path="note.md")
    victim = parser.process_id
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    wait_until_gone(victim)
    assert parser.parse(note, relative_path="note.md").title == "題名"


def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(b"a line of text\n" * 8_000_000)
    with process(memory_bytes=400 * MEGABYTE) as parser:
        assert reason(parser, path) is FailureReason.OUT_OF_MEMORY


def test_faults_of_the_file_are_found_before_it_is_opened(parser: ParserProcess, tmp_path: Path) -> None:
    assert reason(parser, tmp_path / "gone.md") is FailureReason.VANISHED
    os.mkfifo(tmp_path / "pipe.md")
    assert reason(parser, tmp_path / "pipe.md") is FailureReason.UNSUPPORTED_TYPE
    with ParserProcess(timeout_seconds=5, memory_bytes=GIGABYTE, file_limit_bytes=10) as strict:
        (tmp_path / "long.md").write_text("x" * 11, encoding="utf-8")
        assert reason(strict, tmp_path / "long.md") is FailureReason.TOO_LARGE
        assert strict.process_id is None, "nothing was started for it"


def test_a_file_that_became_a_link_out_of_the_folder_is_not_opened(parser: ParserProcess, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("秘密", encoding="utf-8")
    (root / "direct.md").symlink_to(outside / "secret.md")
    (root / "folder").symlink_to(outside)
    assert reason(parser, root / "direct.md") is FailureReason.UNSUPPORTED_TYPE
    assert reason(parser, root / "folder/secret.md", relative_path="folder/secret.md") is FailureReason.UNSUPPORTED_TYPE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_told_apart(parser: ParserProcess, note: Path) -> None:
    note.chmod(0)
    assert reason(parser, note) is FailureReason.NO_PERMISSION


def test_a_process_that_cannot_start_stops_the_run_and_blames_no_file(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("/bin/false", "/nowhere/python"):
        monkeypatch.setattr(sys, "executable", program)
        with process() as parser, pytest.raises(ParserUnavailable) as caught:
            parser.parse(note, relative_path="note.md")
        assert not isinstance(caught.value, DocumentError)


def test_closing_ends_the_process_and_removes_its_scratch_folder(note: Path) -> None:
    parser = process()
    parser.parse(note, relative_path="note.md")
    running = parser.process_id
    assert running is not None
    scratch = Path(psutil.Process(running).environ()["TMPDIR"])
    assert scratch.is_dir()
    parser.close()
    wait_until_gone(running)
    assert not scratch.exists()


def test_the_process_sees_no_secret_of_its_parent(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_PROXY_SECRET", "hush")
    with process() as parser:
        parser.parse(note, relative_path="note.md")
        assert parser.process_id is not None
        assert "hush" not in str(psutil.Process(parser.process_id).environ())


PARENT = """
import sys, time
from pathlib import Path
from ingest.guard import ParserProcess
parser = ParserProcess(timeout_seconds=60, memory_bytes=2**31, file_limit_bytes=2**20)
parser.parse(Path(sys.argv[1]), relative_path="note.md")
print(parser.process_id, flush=True)
time.sleep(60)
"""


def test_the_process_dies_with_a_parent_that_is_killed(note: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(note)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(note.parent)},  # a killed parent cannot remove its scratch folder
    )
    assert parent.stdout is not None
    running = int(parent.stdout.readline())
    assert is_alive(running)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until_gone(running)


FENCED = """
import os, socket, subprocess, sys, tempfile
from ingest.parsers.child import _side_effects_refused_outside
scratch = os.path.realpath(tempfile.mkdtemp())
sys.addaudithook(_side_effects_refused_outside(scratch))
allowed = []
def attempt(name, deed):
    try:
        deed()
    except PermissionError:
        return
    allowed.append(name)
attempt("socket", lambda: socket.socket(socket.AF_INET))
attempt("name", lambda: socket.getaddrinfo("localhost", 80))
attempt("program", lambda: subprocess.run(["true"]))
attempt("shell", lambda: os.system("true"))
attempt("write", lambda: open(sys.argv[1], "w"))
attempt("append", lambda: os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND))
attempt("remove", lambda: os.remove(sys.argv[1]))
attempt("scratch", lambda: open(scratch + "/a", "w").close())
attempt("read", lambda: open(sys.argv[1]).read())
print(",".join(allowed))
"""


def test_a_parser_reaches_no_network_no_program_and_writes_only_scratch(note: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FENCED, str(note)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "scratch,read"
    assert note.read_text(encoding="utf-8").startswith("# 題名")


@pytest.mark.skipif(not ocr.is_available(), reason="tesseract with Japanese data is not installed")
@pytest.mark.slow
def test_a_recognised_page_counts_as_progress(tmp_path: Path) -> None:
    page = grey_page(write_pdf(tmp_path / "a.pdf", [[(60, 90, 20, "安全第一のお知らせ")]]))
    scan = write_scan(tmp_path / "scan.pdf", [page] * 6)
    seen: list[tuple[int, int]] = []
    with process(timeout_seconds=60) as parser:
        parser.parse(scan, relative_path="scan.pdf", on_page=lambda done, of: seen.append((done, of)))
    assert seen == [(n, 6) for n in range(1, 7)]
