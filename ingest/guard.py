"""The wall between this program and the files: parsing happens in a process of its own, with limits, one file at a time.

           parse(path)                       frames                       parse_file
pipeline -------------> ParserProcess <=================> parser process ------------> parsed document
                             |  no answer in time: the whole process group is killed
                             |  gone: told why by its exit status; the next file gets a new process

Parsers hang, use up memory and crash on damaged files: isolation is the answer, because patching never ends. A file
gets the blame only for what happens after the process has said that it is ready; a process that cannot start is an
error of the installation and stops the run. Must not import any parser library.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

import ingest
from assistant.domain import ParsedDocument
from assistant.errors import AssistantError, DocumentError, Text
from ingest.parsers import ParseLimits, refusals
from ingest.parsers.child import OUT_OF_MEMORY_EXIT, Frame, error_from, frame_length, parsed_from, write_frame

_log = structlog.get_logger(__name__)

_START_SECONDS = 60.0
_LONGEST_SECONDS = 1800.0  # one file, however often it shows progress
_FILES_PER_PROCESS = 200
_RECYCLE_RESIDENT_BYTES = 900 * 1024 * 1024  # unstructured alone takes 400 MB
_READ_BYTES = 1024 * 1024
_LEAST_SCRATCH_BYTES = 4 * 1024 * 1024  # LibreOffice's own profile alone takes 2 MB
_KEPT_VARIABLES = ("PATH", "TESSDATA_PREFIX", "LD_LIBRARY_PATH")
_ERROR_TAIL_BYTES = 2000


class ParserUnavailable(AssistantError):
    """The parser process cannot be started or lacks a library; no file is to blame, the run must stop."""


class _Ended(Exception):
    """The process closed its output."""


class _Late(Exception):
    """No frame came in time."""


class ParserProcess:
    """A reusable parser process; a context manager. One file at a time, from any thread.

    The process dies with this one, even when that is killed.
    `timeout_seconds` is the time without any sign of progress; a recognised page is one.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        memory_bytes: int,
        file_limit_bytes: int,
        limits: ParseLimits | None = None,
    ) -> None:
        settled = asdict(limits or ParseLimits())
        self._limits = ParseLimits(**{**settled, "file_limit_bytes": file_limit_bytes})
        self._timeout_seconds = timeout_seconds
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._starting: ThreadPoolExecutor | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._unread = bytearray()
        self._files = 0
        self._resident_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Id of the running parser process, for watching it."""
        return self._process.pid if self._process is not None else None

    def parse(
        self,
        path: Path,
        *,
        relative_path: str,
        reads_scans: bool = True,
        reads_hidden: bool = False,
        on_page: Callable[[int, int], None] | None = None,
    ) -> ParsedDocument:
        """The parsed document; raises DocumentError for the file's own faults, ParserUnavailable for the installation's.

        `reads_scans` False leaves pages without text unrecognised; `reads_hidden` reads parts that nobody sees, too.
        """
        self._check_file(path, relative_path)
        if self._files >= _FILES_PER_PROCESS or self._resident_bytes > _RECYCLE_RESIDENT_BYTES:
            self.close()
        process = self._running()
        self._files += 1
        request: Frame = {
            "path": str(path),
            "relative_path": relative_path,
            "limits": asdict(self._limits) | {"reads_scans": reads_scans, "reads_hidden": reads_hidden},
            "processor_seconds": max(self._timeout_seconds * 2, _LONGEST_SECONDS / 4),
        }
        try:
            write_frame(_pipe(process.stdin), request)
            reply = self._reply(process, on_page)
        except (_Ended, BrokenPipeError):
            blame = self._blame(process, relative_path)
            _check_scratch()
            raise blame from None
        except _Late:
            self.close()
            raise refusals.too_slow(self._timeout_seconds) from None
        try:
            return self._result(reply, relative_path)
        except DocumentError:
            _check_scratch()
            raise

    def close(self) -> None:
        """Ends the parser process and everything that it started."""
        process, self._process = self._process, None
        self._unread.clear()
        self._files = self._resident_bytes = 0
        if process is not None:
            _kill_group(process)
        if self._errors is not None:
            self._errors.close()
            self._errors = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None
        if self._starting is not None:
            self._starting.shutdown()
            self._starting = None

    def _starter(self) -> ThreadPoolExecutor:
        """The thread that starts the process: it must live as long, for Linux ends a child with the thread it came from."""
        if self._starting is None:
            self._starting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parser-starter")
        return self._starting

    def _check_file(self, path: Path, relative_path: str) -> None:
        """Refuses what must not even be opened: gone, no regular file, out of the folder through a link, too large."""
        try:
            state = path.lstat()
            root = path.absolute().parents[len(Path(relative_path).parts) - 1]
            is_inside = path.resolve(strict=True).is_relative_to(root.resolve())
            is_readable = os.access(path, os.R_OK)
        except (FileNotFoundError, NotADirectoryError) as problem:
            raise refusals.vanished() from problem
        except PermissionError as problem:
            raise refusals.no_permission() from problem
        except OSError as problem:  # a share that went away
            raise refusals.unreadable() from problem
        if not stat.S_ISREG(state.st_mode) or not is_inside:
            raise refusals.unsupported("通常のファイルではないもの", "not a regular file")
        if not is_readable:
            raise refusals.no_permission()
        if state.st_size > self._limits.file_limit_bytes:
            megabytes = f"{self._limits.file_limit_bytes / (1024 * 1024):g} MB"
            raise refusals.too_large(megabytes, megabytes)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        try:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process, closed in close()
            self._scratch = tempfile.TemporaryDirectory(prefix="parser-")
            self._process = (
                self._starter()
                .submit(
                    subprocess.Popen,  # this interpreter, this package, no shell
                    [sys.executable, "-m", "ingest.parsers.child", str(os.getpid()), str(self._memory_bytes)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    env=_environment(self._scratch.name),
                    start_new_session=True,
                )
                .result()
            )
        except OSError as problem:
            raise _unavailable(str(problem)) from problem
        process = self._process
        try:
            ready = self._frame(process, time.monotonic() + _START_SECONDS)
        except (_Ended, _Late, ValueError) as problem:
            seen = self._error_tail()
            self.close()
            raise _unavailable(seen) from problem
        if "ready" not in ready:
            raise _unavailable("no ready frame")
        if not ready.get("is_offline"):
            _log.warning("the kernel does not hold the parser process off the network: only its Python code is held")
        return process

    def _reply(self, process: subprocess.Popen[bytes], on_page: Callable[[int, int], None] | None) -> Frame:
        last = time.monotonic() + _LONGEST_SECONDS
        while True:
            reply = self._frame(process, min(time.monotonic() + self._timeout_seconds, last))
            if "page" not in reply:
                return reply
            if on_page is not None:
                on_page(*reply["page"])

    def _frame(self, process: subprocess.Popen[bytes], deadline: float) -> Frame:
        head = self._read(process, 4, deadline)
        body = self._read(process, frame_length(head), deadline)
        frame: Frame = json.loads(body)
        return frame

    def _read(self, process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        output = _pipe(process.stdout).fileno()
        while len(self._unread) < size:
            ready, _, _ = select.select([output], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise _Late
            received = os.read(output, _READ_BYTES)
            if not received:
                raise _Ended
            self._unread += received
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def _result(self, reply: Frame, relative_path: str) -> ParsedDocument:
        self._resident_bytes = int(reply.get("resident_bytes", 0))
        if "parsed" in reply:
            return parsed_from(reply["parsed"])
        if "refused" in reply:
            raise error_from(reply["refused"])
        _log.error("parser library missing", path=relative_path, library=reply.get("broken"))
        raise _unavailable(str(reply.get("broken")))

    def _blame(self, process: subprocess.Popen[bytes], relative_path: str) -> DocumentError:
        """Why the process ended while it had this file."""
        status = process.wait()
        seen = self._error_tail()
        _log.warning("parser process ended", path=relative_path, status=status, last_words=seen)
        self.close()
        if status == OUT_OF_MEMORY_EXIT or "MemoryError" in seen or "bad_alloc" in seen:
            return refusals.out_of_memory()
        if status == -signal.SIGXCPU:
            return refusals.too_slow(self._timeout_seconds)
        # Not surely the file's fault (SIGKILL is the system short of memory): the next runs try it in a fresh process.
        blamed = refusals.out_of_memory() if status == -signal.SIGKILL else refusals.crashed()
        blamed.permanent = False
        return blamed

    def _error_tail(self) -> str:
        if self._errors is None:
            return ""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(size - _ERROR_TAIL_BYTES, 0))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise _Ended
    return stream


def _environment(scratch: str) -> dict[str, str]:
    """Only what the process needs: no secret of the parent's environment goes near a hostile file."""
    package_root = str(Path(ingest.__file__).resolve().parents[1])
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        "TMPDIR": scratch,
        "HOME": scratch,
        "PYTHONPATH": package_root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
    }


def _check_scratch() -> None:
    """Returns when the temporary folder has room; else no failure says anything about a file. Raises ParserUnavailable."""
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < _LEAST_SCRATCH_BYTES:
        raise ParserUnavailable(
            Text(
                f"一時フォルダー {folder} に空きがなく、文書を読めません。",
                f"The temporary folder {folder} is full, so documents cannot be read.",
            ),
            Text(
                "空きを作るか、TMPDIR に別のフォルダーを指定してください。次の取り込みが続きから読みます。",
                "Make room there, or set TMPDIR to another folder. The next ingestion goes on from here.",
            ),
        )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):  # a request that it never read
                stream.close()


def _unavailable(seen: str) -> ParserUnavailable:
    return ParserUnavailable(
        Text(
            f"文書を読むプロセスを起動できません（{seen}）。",
            f"The process that reads documents cannot start ({seen}).",
        ),
        Text(
            "依存パッケージを入れ直し、メモリの空きを確認してから、取り込みをやり直してください。",
            "Install the dependencies again, check that memory is free, then ingest again.",
        ),
    )
