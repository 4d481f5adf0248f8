"""Start and steer a stub Ollama from a test. Knows the stub's command line and its ``/__`` routes, nothing else of it.

``start_stub_ollama(tokens_per_second=50)`` returns a running stub (a context manager); ``add_fault("status",
status=500, text="no")`` makes its next answer fail; ``requests("/api/chat")[0]["body"]`` is what the product sent.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

PROJECT_FOLDER = Path(__file__).resolve().parents[3]
START_SECONDS = 120.0
STOP_SECONDS = 30.0
CONTROL_SECONDS = 60.0


class StubOllama:
    """One running stub; a context manager that stops it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url
        self.pid = process.pid
        self.port = int(url.rsplit(":", 1)[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it in an orderly way; nothing happens where it is gone already."""
        if self.is_running:
            self._process.terminate()
        self._wait()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        if self.is_running:
            self._process.kill()
        self._wait()

    def wait_until_gone(self, *, seconds: float = STOP_SECONDS) -> None:
        """Wait for a process that a fault kills; ``TimeoutExpired`` where it lives on."""
        self._process.wait(seconds)
        self._close_pipes()

    def add_fault(self, kind: str, **fields: Any) -> None:
        """One rule of ``tests/stubs/ollama/faults.py``; ``ValueError`` with the stub's words for a wrong one."""
        self._control("POST", "/__faults", {"kind": kind, **fields})

    def clear_faults(self) -> None:
        """Take all rules away."""
        self._control("DELETE", "/__faults")

    def change_settings(self, **values: Any) -> None:
        """Change pace or size: the fields of ``tests/stubs/ollama/state.py`` ``Settings``."""
        self._control("POST", "/__settings", values)

    def requests(self, path: str | None = None) -> list[dict[str, Any]]:
        """What the stub received, oldest first: method, path, headers, body, outcome, status, tokens_sent, seconds."""
        entries: list[dict[str, Any]] = self._control("GET", "/__requests")
        return [entry for entry in entries if path is None or entry["path"] == path]

    def forget_requests(self) -> None:
        """Empty that list."""
        self._control("DELETE", "/__requests")

    def slots(self) -> dict[str, int]:
        """``running`` and ``waiting`` requests over all loaded models."""
        counts: dict[str, int] = self._control("GET", "/__slots")
        return counts

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, self.url + path, json=body, timeout=CONTROL_SECONDS, trust_env=False)
        if answer.status_code != 200:
            raise ValueError(f"{method} {path}: {answer.text}")
        return answer.json()

    def _wait(self) -> None:
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()


def start_stub_ollama(*, port: int = 0, models: Sequence[str] | None = None, **settings: Any) -> StubOllama:
    """A stub that listens and answers; it ends with the process that started it, however that ends.

    ``models`` are names of the catalogue (default: the product's three); ``settings`` are fields of ``Settings``.
    ``RuntimeError`` with the stub's own words where it does not start.
    """
    command = [sys.executable, "-m", "tests.stubs.ollama", "--port", str(port), "--until-stdin-ends"]
    if models is not None:
        command += ["--models", ",".join(models)]
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        command += ([option] if value else []) if isinstance(value, bool) else [option, str(value)]
    process = subprocess.Popen(command, cwd=PROJECT_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    is_ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if is_ready else b""
    if not line:
        process.kill()
        process.communicate()
        raise RuntimeError(f"the stub Ollama did not start (its words are on stderr): {' '.join(command)}")
    return StubOllama(process, json.loads(line)["url"])
