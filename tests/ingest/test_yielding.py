"""Ingestion waits while somebody asks: the two sides are real processes, and the kernel stands between them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.open_questions import FILE_NAME, OpenQuestionsFile
from assistant.ports import Vectors
from ingest.yielding import CALL_SECONDS, Yielding, YieldingEmbedder

ASK = """
import sys
from pathlib import Path
from assistant.adapters.open_questions import OpenQuestionsFile
questions = OpenQuestionsFile(Path(sys.argv[1]))
with questions.answering():
    with questions.answering():
        print("two open", flush=True)
        sys.stdin.readline()
    print("one open", flush=True)
    sys.stdin.readline()
print("none open", flush=True)
sys.stdin.readline()
"""


@contextmanager
def asking(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has two questions open, then one, then none; a line on its input takes it on."""
    with subprocess.Popen(
        [sys.executable, "-c", ASK, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert said(process) == "two open"
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return said(process)


def test_the_next_embedding_call_waits_until_the_last_question_has_its_answer(tmp_path: Path) -> None:
    yielding = Yielding(OpenQuestionsFile(tmp_path))
    embedder = YieldingEmbedder(FakeEmbedder(), yielding)
    with asking(tmp_path) as process:
        worker = threading.Thread(target=embedder.embed_documents, args=(["a", "b"],))
        worker.start()
        time.sleep(0.3)
        assert worker.is_alive()
        assert go_on(process) == "one open"
        time.sleep(0.3)
        assert worker.is_alive()
        assert go_on(process) == "none open"
        worker.join(timeout=60.0)
        assert not worker.is_alive()
    assert yielding.waited_seconds >= 0.6


def test_a_process_that_dies_with_an_open_question_holds_nothing_up(tmp_path: Path) -> None:
    with asking(tmp_path) as process:
        assert OpenQuestionsFile(tmp_path).is_any()
        process.kill()
        process.wait()
        assert not OpenQuestionsFile(tmp_path).is_any()


def test_looking_never_keeps_an_answering_process_from_opening_a_question(tmp_path: Path) -> None:
    looking, answering = OpenQuestionsFile(tmp_path), OpenQuestionsFile(tmp_path)
    has_ended = threading.Event()

    def look() -> None:
        while not has_ended.is_set():
            looking.is_any()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(500):
            with answering.answering():
                assert looking.is_any()
            assert not looking.is_any()
    finally:
        has_ended.set()
        thread.join()


def test_somebody_who_asks_all_day_slows_ingestion_and_does_not_stop_it(tmp_path: Path) -> None:
    yielding = Yielding(OpenQuestionsFile(tmp_path), longest_wait_seconds=0.3)
    embedder = YieldingEmbedder(FakeEmbedder(), yielding)
    with asking(tmp_path):
        started = time.monotonic()
        assert embedder.embed_documents([str(n) for n in range(40)]).shape[0] == 40
        assert 0.3 <= time.monotonic() - started < 60.0


def test_a_process_that_is_asked_to_end_does_not_wait_for_people(tmp_path: Path) -> None:
    stop = threading.Event()
    yielding = Yielding(OpenQuestionsFile(tmp_path), stop, longest_wait_seconds=120.0)
    with asking(tmp_path):
        threading.Timer(0.2, stop.set).start()
        started = time.monotonic()
        yielding.wait()
        assert time.monotonic() - started < 60.0


class _Slow(FakeEmbedder):
    """Takes a tenth of a second for each text."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Slowly."""
        self.calls.append(len(texts))
        time.sleep(0.1 * len(texts))
        return super().embed_documents(texts)


def test_one_call_holds_no_more_texts_than_a_question_may_find_before_it(tmp_path: Path) -> None:
    slow = _Slow()
    embedder = YieldingEmbedder(slow, Yielding(OpenQuestionsFile(tmp_path)))
    texts = [str(n) for n in range(20)]
    vectors = embedder.embed_documents(texts)
    assert np.array_equal(vectors, FakeEmbedder().embed_documents(texts))
    assert max(slow.calls) * 0.1 <= CALL_SECONDS


def test_processes_that_share_no_folder_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = OpenQuestionsFile(tmp_path / "not there")
    with questions.answering():
        assert not questions.is_any()
    assert FILE_NAME in questions.problem()
    assert capsys.readouterr().out.count("ingestion_cannot_yield") == 1
