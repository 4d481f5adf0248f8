"""nginx as the compose file starts it, in front of two servers that say what reached them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.compose.compose_file import PROJECT, load_config
from tests.compose.door import Door, write_passwords
from tests.compose.native_stack import NativeStack


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A project folder with nginx's files and passwords that another user may read; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="compose-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(PROJECT / "nginx", folder / "nginx")
        write_passwords(folder / "var" / "htpasswd")
        yield folder


@pytest.fixture(scope="module")
def door(open_folder: Path) -> Iterator[Door]:
    """nginx in front of an echoing api and ui."""
    with running_door(open_folder, PUBLISH_ASK_RATE="600r/m") as opened:
        yield opened


@pytest.fixture(scope="module")
def open_door(open_folder: Path) -> Iterator[Callable[..., Door]]:
    """The same with other variables of compose, and variables that only nginx is given: `open_door({"NGINX_…": "…"})`."""
    with ExitStack() as doors:
        yield lambda added=None, **variables: doors.enter_context(running_door(open_folder, added, **variables))


@contextmanager
def running_door(folder: Path, added: dict[str, str] | None = None, **variables: str) -> Iterator[Door]:
    """nginx in front of an echoing api and ui, until the end of the block."""
    homes = Path(tempfile.mkdtemp(dir=folder))
    homes.chmod(0o755)
    stack = NativeStack(load_config(folder, **variables), folder, homes=homes)
    stack.added["nginx"] = added or {}
    echoes = [_echo(stack, "api", 8000), _echo(stack, "ui", 8501)]
    try:
        stack.start("nginx")
        stack.wait_until_healthy("nginx", seconds=15)
        certificate = folder / "var" / "tls" / "certificate.pem"
        is_encrypted = certificate.exists()
        scheme = "https" if is_encrypted else "http"
        yield Door(stack, f"{scheme}://{stack.addresses['nginx']}:8080", certificate if is_encrypted else None)
    finally:
        stack.stop_all()
        for echo in echoes:
            echo.terminate()
            echo.wait(timeout=10)


def _echo(stack: NativeStack, name: str, port: int) -> subprocess.Popen[bytes]:
    script = Path(__file__).with_name("echo_upstream.py")
    process = subprocess.Popen([sys.executable, str(script), stack.addresses[name], str(port), name])
    deadline = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"http://{stack.addresses[name]}:{port}/", trust_env=False)
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return process
