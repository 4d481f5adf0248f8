"""The stack as plain processes: each part its own process with its own log, started in order, watched, stopped together.

Knows commands, ports and health addresses; not what the parts do. A part that dies is started again with growing pauses;
one that dies five times in a minute ends the stack with its last log lines.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from assistant.errors import AssistantError, Text

HEALTH_TIMEOUT_SECONDS = 180.0
STOP_SECONDS = 15.0
"""Time for an orderly end before a part is killed; Chroma and uvicorn need about one second."""
LOOK_SECONDS = 0.2
CRASHES_PER_MINUTE = 5
LOG_TAIL_LINES = 12
_PR_SET_PDEATHSIG = 1


class PartFailed(AssistantError):
    """A part of the stack did not start or keeps dying; the hint shows its last log lines."""


@dataclass(frozen=True)
class Part:
    """One process. `health_url` answers 2xx when it is ready; None means alive is enough. `where` is for people."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    health_url: str | None
    where: str


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    crashes: list[float] = field(default_factory=list)


class Stack:
    """Starts, watches and stops parts. `told(name, state)` hears starting, ready, died, stopped."""

    def __init__(self, parts: Sequence[Part], *, data_folder: Path, told: Callable[[str, str], None]) -> None:
        self.parts = parts
        self._log_folder = data_folder / "logs"
        self._pid_folder = data_folder / "run"
        self._told = told
        self._running: dict[str, _Running] = {}

    def start(self) -> None:
        """Starts every part and returns when all are healthy. Raises PartFailed."""
        for folder in (self._log_folder, self._pid_folder):
            folder.mkdir(parents=True, exist_ok=True)
        for part in self.parts:
            self._told(part.name, "starting")
            self._running[part.name] = _Running(part, self._spawn(part))
        for part in self.parts:
            self._wait_until_healthy(part)
            self._told(part.name, "ready")

    def watch(self, should_stop: Callable[[], bool]) -> None:
        """Restarts what dies until `should_stop()`. Raises PartFailed for a part that keeps dying."""
        while not should_stop():
            time.sleep(LOOK_SECONDS)
            for running in self._running.values():
                if running.process.poll() is not None and not should_stop():
                    self._restart(running)

    def pids(self) -> dict[str, int]:
        """Process id of each part."""
        return {name: running.process.pid for name, running in self._running.items()}

    def stop(self) -> None:
        """Ends all parts in reverse order: politely, then by force."""
        for running in reversed(self._running.values()):
            _signal_group(running.process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for running in reversed(self._running.values()):
            try:
                running.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(running.process, signal.SIGKILL)
                running.process.wait()
            self._told(running.part.name, "stopped")
        self._running.clear()

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        with (self._log_folder / f"{part.name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  commands are made by the stack's own builders
                list(part.command),
                env={**os.environ, **part.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  single-threaded at this point
            )
        (self._pid_folder / f"{part.name}.pid").write_text(f"{process.pid}\n")
        return process

    def _restart(self, running: _Running) -> None:
        now = time.monotonic()
        running.crashes = [at for at in running.crashes if now - at < 60] + [now]
        self._told(running.part.name, "died")
        if len(running.crashes) >= CRASHES_PER_MINUTE:
            raise self._failure(running.part)
        time.sleep(min(4.0, 0.25 * 2 ** (len(running.crashes) - 1)))
        running.process = self._spawn(running.part)

    def _wait_until_healthy(self, part: Part) -> None:
        deadline = time.monotonic() + HEALTH_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self._running[part.name].process.poll() is not None:
                raise self._failure(part)
            if part.health_url is None or is_healthy(part.health_url):
                return
            time.sleep(LOOK_SECONDS)
        raise self._failure(part)

    def _failure(self, part: Part) -> PartFailed:
        log = self._log_folder / f"{part.name}.log"
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:])
        return PartFailed(
            Text(ja=f"{part.name} を起動できません。", en=f"{part.name} does not start."),
            Text(ja=f"記録 {log} の末尾:\n{tail}", en=f"End of its log {log}:\n{tail}"),
        )


def is_healthy(url: str) -> bool:
    """Whether the address answers with 2xx within a second."""
    try:
        return httpx.get(url, timeout=1.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    """Asks the kernel to end this child when its parent dies, even by SIGKILL (Linux prctl)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
