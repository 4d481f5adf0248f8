"""The stack as plain processes: each part its own process with its own log, started in order, watched, stopped together.

    start: lock of each part -> its port is free -> spawn -> healthy         watch: died -> pause -> spawn -> healthy
    a part's lock is held by its process too, so that two processes never work on one data folder, however one ended

Knows commands, ports and health addresses; not what the parts do. A part that dies is started again with growing pauses;
one that dies five times in a minute ends the stack with its last log lines. A part may be handed its listening socket, which
stays open here: whoever comes while it is started again waits in the socket's line and is not refused. What a part keeps that can be written anew
(Chroma's vectors) is moved aside first: damaged, it would keep the whole stack down.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Literal

import httpx

from assistant.errors import AssistantError, SettingsError, Text

HEALTH_TIMEOUT_SECONDS = 180.0
STOP_SECONDS = 10.0
"""Time for an orderly end before a part is killed; Chroma and uvicorn need about one second."""
LOCK_WAIT_SECONDS = 5.0
"""Parts of an `assistant up` that was killed end by themselves within about a second."""
LOOK_SECONDS = 0.2
CRASHES_PER_MINUTE = 5
LONGEST_PAUSE_SECONDS = 4.0
LOG_TAIL_LINES = 12
BACKLOG = 2048
"""Callers who may wait for a part that is started again; the kernel allows 4,096."""
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded here: a child between fork and exec should do as little as possible

State = Literal["starting", "ready", "died", "set_aside", "stopped"]
Told = Callable[[str, State], None]


class PartFailed(AssistantError):
    """A part of the stack did not start or keeps dying; the hint shows its last log lines."""


@dataclass(frozen=True)
class Listens:
    """Where a part listens, and the setting that decides it."""

    host: str
    port: int
    variable: str


@dataclass(frozen=True)
class Part:
    """One process. `health_url` answers 2xx when it is ready; None means alive is enough. `where` is for people."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    health_url: str | None
    where: str
    listens: Listens | None = None
    stop_seconds: float = STOP_SECONDS
    """Time for an orderly end. A part that is given more has work to finish that needs the others: it is stopped first."""
    socket_option: str | None = None
    """Option of the command that takes the number of the open socket on which the part shall listen; None: it opens its own."""
    derived_folder: Path | None = None
    """What the part keeps there can be written anew: moved aside when the part does not start with it."""


@dataclass
class _Running:
    part: Part
    lock: IO[bytes]
    process: subprocess.Popen[bytes]
    log_from_bytes: int
    listener: socket.socket | None = None
    is_ready: bool = False
    aside: Path | None = None
    has_set_aside: bool = False
    restart_at: float | None = None
    crashes: list[float] = field(default_factory=list)


class Stack:
    """Starts, watches and stops parts. `told(name, state)` hears starting, ready, died, stopped."""

    def __init__(self, parts: Sequence[Part], *, data_folder: Path, told: Told) -> None:
        self.parts = parts
        self._log_folder = data_folder / "logs"
        self._pid_folder = data_folder / "run"
        self._told = told
        self._running: dict[str, _Running] = {}

    def start(self, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Starts every part; True once all are healthy, False if `should_stop()` came first.

        Raises SettingsError before anything is started when a part runs already or its port is taken; PartFailed.
        """
        for folder in (self._log_folder, self._pid_folder):
            folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as locks:
            held = {part.name: locks.enter_context(self._locked(part)) for part in self.parts}
            listeners: dict[str, socket.socket] = {}
            for part in self.parts:
                if part.listens is not None:
                    listener = locks.enter_context(listening(part.name, part.listens))
                    if part.socket_option is not None:
                        listeners[part.name] = listener
                    else:
                        listener.close()  # the port is free
            locks.pop_all()
        for part in self.parts:
            self._told(part.name, "starting")
            listener_or_none = listeners.get(part.name)
            process, log_from_bytes = self._spawn(part, held[part.name], listener_or_none)
            self._running[part.name] = _Running(part, held[part.name], process, log_from_bytes, listener_or_none)
        return all(self._wait_until_healthy(running, should_stop) for running in self._running.values())

    def watch(self, should_stop: Callable[[], bool], *, looked: Callable[[], None] = lambda: None) -> None:
        """Restarts what dies until `should_stop()`, calling `looked` each time. Raises PartFailed if one keeps dying."""
        while not should_stop():
            time.sleep(LOOK_SECONDS)
            for running in self._running.values():
                self._look_after(running)
            looked()

    def pids(self) -> dict[str, int]:
        """Process id of each part."""
        return {name: running.process.pid for name, running in self._running.items()}

    def stop(self) -> None:
        """Ends all parts, those with work to finish first, then in reverse order: politely, then by force."""
        newest_first = list(self._running.values())[::-1]
        order = sorted(newest_first, key=lambda running: -running.part.stop_seconds)
        for stop_seconds, group in itertools.groupby(order, key=lambda running: running.part.stop_seconds):
            self._stop(list(group), stop_seconds)
        self._running.clear()

    def hurry(self) -> None:
        """Asks every part once more to end, which a part that finishes its work takes as: at once."""
        for running in self._running.values():
            if running.process.poll() is None:
                _signal_group(running.process, signal.SIGTERM)

    def _stop(self, parts: list[_Running], stop_seconds: float) -> None:
        for running in parts:
            _signal_group(running.process, signal.SIGTERM)
        deadline = time.monotonic() + stop_seconds
        for running in parts:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            _signal_group(running.process, signal.SIGKILL)
            running.process.wait()
            running.lock.close()
            if running.listener is not None:
                running.listener.close()
            self._told(running.part.name, "stopped")

    def _locked(self, part: Part) -> IO[bytes]:
        """The part's lock file, held. Raises SettingsError while another stack runs this part on this data folder."""
        lock = (self._pid_folder / f"{part.name}.lock").open("ab")
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() < deadline:
                    time.sleep(LOOK_SECONDS)
                    continue
                lock.close()
                raise self._runs_already(part) from error
            return lock

    def _runs_already(self, part: Part) -> SettingsError:
        pid_file = self._pid_folder / f"{part.name}.pid"
        pid = pid_file.read_text().strip() if pid_file.is_file() else "?"
        folder = self._pid_folder.parent
        return SettingsError(
            Text(
                ja=f"{folder} の {part.name} はすでに動いています(プロセス {pid})。",
                en=f"{part.name} of {folder} is running already (process {pid}).",
            ),
            Text(
                ja="先に動いている assistant up を Ctrl-C で止めるか、ASSISTANT_DATA_FOLDER に別のフォルダを指定してください。",
                en="Stop the other assistant up with Ctrl-C, or set ASSISTANT_DATA_FOLDER to another folder.",
            ),
        )

    def _spawn(
        self, part: Part, lock: IO[bytes], listener: socket.socket | None
    ) -> tuple[subprocess.Popen[bytes], int]:
        """The new process, and where its lines begin in its log. It holds the part's lock as long as it lives."""
        command, handed = list(part.command), [lock.fileno()]
        if listener is not None and part.socket_option is not None:
            command += [part.socket_option, str(listener.fileno())]
            handed.append(listener.fileno())
        with (self._log_folder / f"{part.name}.log").open("ab") as log:
            log_from_bytes = log.tell()
            try:
                process = subprocess.Popen(  # noqa: S603  commands are made by the stack's own builders
                    command,
                    env={**os.environ, **part.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=handed,
                    preexec_fn=partial(_die_with, os.getpid()),  # noqa: PLW1509  one call into a loaded library
                )
            except OSError as error:
                raise PartFailed(
                    Text(ja=f"{part.name} を起動できません({error})。", en=f"{part.name} cannot be started ({error})."),
                    Text(ja="`make install` を実行し直してください。", en="Run `make install` again."),
                ) from error
        fresh = self._pid_folder / f"{part.name}.pid.new"
        fresh.write_text(f"{process.pid}\n")
        fresh.replace(self._pid_folder / f"{part.name}.pid")  # whoever reads it never sees half of it
        return process, log_from_bytes

    def _look_after(self, running: _Running) -> None:
        """One step of a part's life: dead -> waiting for its restart -> started -> ready."""
        now = time.monotonic()
        if running.restart_at is not None:
            if now >= running.restart_at:
                running.restart_at = None
                self._told(running.part.name, "starting")
                running.process, running.log_from_bytes = self._spawn(running.part, running.lock, running.listener)
        elif running.process.poll() is not None:
            _signal_group(running.process, signal.SIGKILL)  # what it had started itself
            running.is_ready = False
            was_asked = running.listener is not None and running.process.returncode == 0
            running.crashes = [at for at in running.crashes if now - at < 60] + ([] if was_asked else [now])
            self._told(running.part.name, "died")
            if len(running.crashes) >= CRASHES_PER_MINUTE:
                if self._started_empty(running):
                    return
                raise self._failure(running)
            running.restart_at = now + min(LONGEST_PAUSE_SECONDS, 0.125 * 2 ** len(running.crashes))
        elif not running.is_ready and _is_part_healthy(running.part):
            self._note_ready(running)

    def _note_ready(self, running: _Running) -> None:
        running.is_ready = True
        running.aside = None
        self._told(running.part.name, "ready")

    def _started_empty(self, running: _Running) -> bool:
        """Whether the part was started once more, without its data, which lies beside it under another name.

        Once in the life of a stack; data that were not to blame are put back.
        """
        folder = running.part.derived_folder
        if folder is None or running.has_set_aside:
            if folder is not None and running.aside is not None:
                shutil.rmtree(folder)
                running.aside.rename(folder)
                running.aside = None
            return False
        running.has_set_aside = True
        running.aside = folder.with_name(f"{folder.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        folder.rename(running.aside)
        folder.mkdir()
        running.crashes.clear()
        self._told(running.part.name, "set_aside")
        running.process, running.log_from_bytes = self._spawn(running.part, running.lock, running.listener)
        return True

    def _wait_until_healthy(self, running: _Running, should_stop: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + HEALTH_TIMEOUT_SECONDS
        while time.monotonic() < deadline and not should_stop():
            if running.process.poll() is not None and not self._started_empty(running):
                raise self._failure(running)
            if _is_part_healthy(running.part):
                self._note_ready(running)
                return True
            time.sleep(LOOK_SECONDS)
        if should_stop():
            return False
        raise self._failure(running)

    def _failure(self, running: _Running) -> PartFailed:
        """Why the part does not run, with the last lines that this very process wrote."""
        name = running.part.name
        path = self._log_folder / f"{name}.log"
        with path.open("rb") as log:
            log.seek(running.log_from_bytes)
            lines = log.read().decode("utf-8", "replace").splitlines()
        tail = "\n".join(lines[-LOG_TAIL_LINES:]) or "-"
        status = running.process.poll()
        if status is None:
            seconds = round(HEALTH_TIMEOUT_SECONDS)
            why = Text(ja=f"{seconds} 秒待っても応答しません", en=f"no answer within {seconds} s")
        else:
            why = Text(ja=f"終了コード {status}", en=f"exit code {status}")
        return PartFailed(
            Text(ja=f"{name} を起動できません({why.ja})。", en=f"{name} does not run ({why.en})."),
            Text(ja=f"記録 {path} の末尾:\n{tail}", en=f"End of its log {path}:\n{tail}"),
        )


def listening(name: str, listens: Listens) -> socket.socket:
    """A socket that listens where the part shall. Raises SettingsError that names the port and the setting."""
    try:
        family, _, _, _, address = socket.getaddrinfo(listens.host, listens.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        place = f"{listens.host}:{listens.port}"
        raise SettingsError(
            Text(
                ja=f"{name} が使うポート {listens.port} で待ち受けられません({place}: {error.strerror})。",
                en=f"Port {listens.port}, which {name} needs, cannot be used ({place}: {error.strerror}).",
            ),
            Text(
                ja=f"そのポートを使っているプログラムを止めるか、{listens.variable} に別のポートを指定してください。",
                en=f"Stop the program that listens there, or set {listens.variable} to another port.",
            ),
        ) from error


def is_healthy(url: str) -> bool:
    """Whether the address answers with 2xx within a second."""
    try:
        return httpx.get(url, timeout=1.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _is_part_healthy(part: Part) -> bool:
    return part.health_url is None or is_healthy(part.health_url)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _die_with(parent: int) -> None:
    """Asks the kernel to end this child when its parent dies, even by SIGKILL (Linux prctl)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it went between the two calls
        os.kill(os.getpid(), signal.SIGTERM)
