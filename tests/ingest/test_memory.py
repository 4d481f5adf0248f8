"""The ingesting process shares its memory arenas between threads."""

from __future__ import annotations

import subprocess
import sys

import lxml.etree
import pytest

from ingest.memory import share_arenas

TOUCH = """
import ctypes, threading
{first}
def touch(wait):
    held = [bytearray(100_000) for _ in range(20)]
    wait.wait()
barrier = threading.Barrier(9)
for _ in range(8):
    threading.Thread(target=touch, args=(barrier,), daemon=True).start()
c = ctypes.CDLL(None)
c.stdout_file = ctypes.c_void_p.in_dll(c, "stdout")
c.malloc_info(0, c.stdout_file)
c.fflush(None)
barrier.wait()
"""
SHARED = "from ingest.memory import share_arenas\nassert share_arenas()"


def arenas(first: str) -> int:
    """Arenas of a process in which eight threads hold memory."""
    done = subprocess.run([sys.executable, "-c", TOUCH.format(first=first)], capture_output=True, text=True, check=True)
    return len(lxml.etree.fromstring(done.stdout.encode()).findall("heap"))


@pytest.mark.skipif(sys.platform != "linux", reason="arenas are glibc's")
def test_threads_share_two_arenas_instead_of_having_one_each() -> None:
    assert arenas("") > 2
    assert arenas(SHARED) == 2


def test_a_c_library_without_arenas_is_no_error() -> None:
    class Library:
        """musl."""

    assert share_arenas(Library()) is False  # type: ignore[arg-type]
