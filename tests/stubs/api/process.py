"""Starting and ending the test's own processes on free loopback ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_SECONDS = 120


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], *, ready_url: str, environment: dict[str, str] | None = None) -> Iterator[None]:
    """`command` as a process that answers 200 on `ready_url`; ended by its own id afterwards."""
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            _wait_until_ready(process, ready_url)
            yield
        finally:
            process.terminate()
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _wait_until_ready(process: subprocess.Popen[bytes], ready_url: str) -> None:
    until = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            said = process.stdout.read().decode(errors="replace") if process.stdout else ""
            raise AssertionError(f"the process ended with {process.returncode}: {said}")
        try:
            if httpx.get(ready_url, timeout=1, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"{ready_url} did not answer within {START_LIMIT_SECONDS} s")


@contextmanager
def running_stub_api() -> Iterator[str]:
    """The stub API's address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(["-m", "tests.stubs.api", "--port", str(port)], ready_url=f"{url}/seen"):
        yield url


def seen_by(api_url: str) -> list[dict[str, Any]]:
    """What the stub API was asked so far."""
    asked: list[dict[str, Any]] = httpx.get(f"{api_url}/seen", trust_env=False).json()
    return asked
