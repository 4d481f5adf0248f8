"""Whether people wait for an answer just now, told from the processes that answer to those that ingest.

    answering process  -> shared lock on questions.lock while at least one question is open ->  kernel
    ingesting process  -> "would an exclusive lock be refused?", which takes no lock        ->  kernel

The kernel lets go when a process dies, so nothing can stay stuck. The one who asks whether somebody waits never holds a
lock itself, so nobody who answers can be made to wait by it. Linux (open file description locks). Must not know what is
asked.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

FILE_NAME = "questions.lock"
_FLOCK = "hhqqi"  # type, whence, start, length, process: the kernel's struct flock on 64 bit


class OpenQuestionsFile:
    """A lock file in the data folder that both sides share; see ports.OpenQuestions."""

    def __init__(self, data_folder: Path) -> None:
        self._file = data_folder / FILE_NAME
        self._counting = threading.Lock()
        self._open = 0
        self._held: int | None = None
        self._is_told = False

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Held from a question's arrival to its end; several at once are counted. Takes some microseconds."""
        with self._counting:
            self._open += 1
            if self._held is None:
                self._held = self._locked()
        try:
            yield
        finally:
            with self._counting:
                self._open -= 1
                if not self._open and self._held is not None:
                    os.close(self._held)
                    self._held = None

    def is_any(self) -> bool:
        """Whether a question is open anywhere. False, and logged once, when that cannot be known."""
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
                seen = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, wanted)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._tell(error)
            return False
        return bool(struct.unpack(_FLOCK, seen)[0] != fcntl.F_UNLCK)

    def problem(self) -> str:
        """Why the file cannot be used, empty when it can: ingestion then does not wait for this process's questions."""
        try:
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666))
        except OSError as error:
            return f"{self._file}: {error.strerror}"
        return ""

    def _locked(self) -> int | None:
        """The descriptor that holds the shared lock; None, and logged once, when there can be none."""
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            self._tell(error)
            return None
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        except OSError as error:
            os.close(descriptor)
            self._tell(error)
            return None
        return descriptor

    def _tell(self, error: OSError) -> None:
        if not self._is_told:
            self._is_told = True
            _log.warning("ingestion_cannot_yield", file=str(self._file), problem=str(error))
