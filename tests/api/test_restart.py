"""A restart in mid-load: answers under way are finished, and whoever comes meanwhile is answered by the next process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.__main__ import inherited_socket
from tests.api.canned import PROXY_SECRET, asking
from tests.api.test_process import ROOT, environment

ASKERS = 8
LONGEST_SECONDS = 60.0
# systemd hands a socket in as file 3 and names the process: exec keeps the shell's process id.
HAND_IN = 'exec 3<&"$1"; shift; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'


@contextmanager
def api_on(listener: socket.socket, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """An API process that listens on a socket which outlives it."""
    command = [sys.executable, "-m", "tests.api.canned_process", str(folder), "steady"]
    with subprocess.Popen(
        ["bash", "-c", HAND_IN, "bash", str(listener.fileno()), *command],
        env=environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[listener.fileno()],
        text=True,
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == listener.getsockname()[1]
        try:
            yield process
        finally:
            process.kill()


class Load:
    """People who ask one question after the other, each on a new connection, and write down how each ended."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._url = url
        self._headers = headers
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(f"user-{n}",)) for n in range(ASKERS)]
        self.ends: list[str] = []

    def _ask(self, user: str) -> None:
        headers = self._headers or {"X-Forwarded-User": user, "X-Proxy-Secret": PROXY_SECRET}
        while not self._is_over.is_set():
            try:
                with (
                    httpx.Client(
                        base_url=self._url, headers=headers, trust_env=False, timeout=LONGEST_SECONDS
                    ) as client,
                    asking(client) as stream,
                ):
                    self.ends.append(str(stream.response.status_code) + stream.rest()[-1].name)
            except (httpx.HTTPError, IndexError) as error:
                self.ends.append(repr(error))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Returns when so many questions have ended."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while len(self.ends) < count:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("is_overlapping", [True, False], ids=["the next is started first", "one after the other"])
def test_no_stream_breaks_and_nobody_is_refused_while_the_api_is_restarted(
    tmp_path: Path, is_overlapping: bool, record_property: Callable[[str, object], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with api_on(listener, tmp_path) as old, Load(url) as load:
            load.wait_for(ASKERS // 2)
            if is_overlapping:
                with api_on(listener, tmp_path):
                    old.terminate()
                    assert old.wait(timeout=30) == 0
                    load.wait_for(len(load.ends) + ASKERS)
                    load.__exit__()
            else:
                old.terminate()
                assert old.wait(timeout=30) == 0
                with api_on(listener, tmp_path):
                    load.wait_for(len(load.ends) + ASKERS)
                    load.__exit__()
    record_property("streams", len(load.ends))
    record_property("broken", sum(end != "200finished" for end in load.ends))
    assert set(load.ends) == {"200finished"}


@pytest.mark.parametrize(("pid", "files"), [(None, None), ("1", "1"), ("our own", "2")])
def test_a_socket_that_was_meant_for_another_process_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, pid: str | None, files: str | None
) -> None:
    meant_for = str(os.getpid()) if pid == "our own" else pid
    for name, value in (("LISTEN_PID", meant_for), ("LISTEN_FDS", files)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert inherited_socket() is None
