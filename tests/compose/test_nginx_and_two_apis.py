"""A new API beside the old one, as `docker compose up --scale api=2` starts it: nobody is refused while the old one stops."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.api.canned import PROXY_SECRET
from tests.api.test_process import ROOT, environment
from tests.api.test_restart import Load
from tests.compose.door import Door, basic

OLD, NEW = "127.0.0.1", "127.0.0.2"
PATIENCE_SECONDS = 90.0


class Names:
    """A name server that says of every name the addresses in `known`, for one second. `times_asked` counts questions."""

    def __init__(self) -> None:
        self.known = [OLD]
        self.times_asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._answer)

    def _answer(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(512)
            if question == b"end":
                return
            self.times_asked += 1
            count = len(self.known).to_bytes(2)
            head = question[:2] + b"\x81\x80" + b"\0\x01" + count + b"\0\0\0\0"
            records = b"".join(
                b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04" + socket.inet_aton(address) for address in self.known
            )
            self._socket.sendto(head + question[12:] + records, asker)

    def __enter__(self) -> Names:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"end", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


@contextmanager
def api_at(address: str, port: int, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """An API process with a scripted model, and its port."""
    command = [sys.executable, "-m", "tests.api.canned_process", str(folder), "steady", address, str(port)]
    with subprocess.Popen(
        command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Returns when it is so; fails after a long time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_nobody_is_refused_while_a_new_api_takes_over_from_the_old_one_behind_nginx(
    open_door: Callable[..., Door], tmp_path: Path
) -> None:
    with ExitStack() as running:
        names = running.enter_context(Names())
        old, port = running.enter_context(api_at(OLD, 0, tmp_path))
        given = {
            "NGINX_API": f"api.test:{port}",
            "NGINX_RESOLVER": names.address,
            "ASSISTANT_PROXY_SECRET": PROXY_SECRET,
        }
        door = open_door(given, PUBLISH_ASK_RATE="6000r/m")
        load = running.enter_context(Load(door.url + "/api", basic("aiko")))
        load.wait_for(4)
        running.enter_context(api_at(NEW, port, tmp_path))
        names.known = [OLD, NEW]
        asked = names.times_asked
        wait_until(lambda: names.times_asked > asked)  # nginx keeps names for 10 s: now it knows both addresses
        old.terminate()
        wait_until(lambda: old.poll() is not None)
        assert old.returncode == 0
        load.wait_for(len(load.ends) + 16)
        load.__exit__()
        log = door.log()
    assert set(load.ends) == {"200finished"}
    assert '"503, 200"' in log or '"502, 200"' in log, "some were passed on to the new one"
