"""The services of docker-compose.yml as plain processes of this machine, images aside: the file's own commands,
environments, health checks and mounts, with three things translated.

    a service's name, 0.0.0.0, 127.0.0.1  ->  that service's own loopback address (ports stay as they are)
    a path in a container                 ->  what the file mounts there, or a folder of the test
    the `ollama` program                  ->  ollama_program.py, which runs the stub server

Knows what the file says, not what the services do.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.compose.compose_file import PROJECT, Config, Service, dockerfile_stages, image_environment
from tests.compose.processes import processes_of_session

HEALTH_SECONDS = 90.0
STOP_SECONDS = 10.0
NOBODY = 65534
PATH = os.pathsep.join([str(Path(sys.executable).parent), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def free_addresses(names: Sequence[str], ports: Sequence[int]) -> dict[str, str]:
    """One loopback address for each name, in a network of its own on which none of the ports is taken."""
    for _ in range(100):
        network = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"
        addresses = {name: f"{network}.{number}" for number, name in enumerate(names, start=10)}
        if all(_is_free(address, port) for address in addresses.values() for port in ports):
            return addresses
    raise AssertionError("no free loopback network")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


@dataclass
class Running:
    """One service's process, which leads its own group."""

    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        """All it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass
class NativeStack:
    """Starts, asks and stops services. `programs` is a folder that stands first on PATH; `homes` one for the
    services' own files, `folder` without it; `added` are variables that a test gives a service, untranslated."""

    config: Config
    folder: Path
    programs: Path | None = None
    homes: Path | None = None
    addresses: dict[str, str] = field(init=False)
    running: dict[str, Running] = field(default_factory=dict)
    added: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ports = [8000, 8079, 8080, 8501, 11434]
        self.addresses = free_addresses(sorted(self.config["services"]), ports)

    def service(self, name: str) -> Service:
        """The service as the file describes it."""
        found: Service = self.config["services"][name]
        return found

    def translated(self, name: str, text: str) -> str:
        """One word of a command or environment with paths and addresses of this machine."""
        own, mounts = self.addresses[name], self.mounts(name)
        paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
        names = "|".join(self.addresses)
        pattern = rf"(?<![\w.~-])(?P<path>{paths})(?![\w-])|(?P<any>0\.0\.0\.0|127\.0\.0\.1)|(?<![\w.-])(?P<name>{names})(?=:\d)"

        def replacement(found: re.Match[str]) -> str:
            if found["path"]:
                return str(mounts[found["path"]])
            return own if found["any"] else self.addresses[found["name"]]

        return re.sub(pattern, replacement, text)

    def mounts(self, name: str) -> dict[str, Path]:
        """Path in the container -> path here, for volumes, secrets, tmpfs and files that the image copies in."""
        service = self.service(name)
        found: dict[str, Path] = {}
        for volume in service.get("volumes", []):
            source, target = _source_and_target(volume)
            is_named = source in self.config["volumes"]
            found[target] = self.folder / "volumes" / source if is_named else self.folder / source
        for secret in service.get("secrets", []):
            source = secret if isinstance(secret, str) else secret["source"]
            found[f"/run/secrets/{source}"] = Path(self.config["secrets"][source]["file"])
        for entry in service.get("tmpfs", []):
            target = entry.split(":")[0]
            found[target] = self.home(name) / target.strip("/")
        for word, rest in dockerfile_stages().get(service.get("build", {}).get("target", ""), []):
            if word == "COPY" and "--from" not in rest:
                source, target = rest.split()[-2:]
                found[target] = PROJECT / source
        return found

    def environment(self, name: str) -> dict[str, str]:
        """What the process is given: the image's variables, then the service's, translated, and nothing else."""
        service = self.service(name)
        target = service.get("build", {}).get("target")
        given: Mapping[str, Any] = {**(image_environment(target) if target else {}), **service.get("environment", {})}
        # A name without a value is one that .env could have set and did not.
        values = {key: self.translated(name, str(value)) for key, value in given.items() if value is not None}
        first = [str(self.programs)] if self.programs else []
        return {**values, "PATH": os.pathsep.join([*first, PATH]), "LANG": "C.UTF-8", **self.added.get(name, {})}

    def words(self, name: str) -> list[str]:
        """The service's own command line, translated."""
        service = self.service(name)
        given = [*service.get("entrypoint", []), *service.get("command", [])]
        return [self.translated(name, word) for word in given]

    def home(self, name: str) -> Path:
        """Folder of a service's own files here: what tmpfs is there, and its log."""
        return (self.homes or self.folder) / "services" / name

    def start(self, name: str) -> Running:
        """Starts one service. Folders that it may write to exist afterwards.

        nginx is never root there and so not here either: as root it would hand its work to a user who can read nothing.
        """
        for target in [self.home(name), *self.mounts(name).values()]:
            if self.folder in target.parents and not target.exists():
                target.mkdir(parents=True)
        log = self.home(name) / "log"
        log.touch()
        other: dict[str, Any] = {}
        if os.geteuid() == 0 and "build" not in self.service(name):
            other = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            for path in (self.home(name), *self.home(name).rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.words(name),
                cwd=self.home(name),
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **other,
            )
        self.running[name] = Running(process, log)
        return self.running[name]

    def health(self, name: str) -> subprocess.CompletedProcess[str]:
        """The service's own health check, run once."""
        kind, *words = self.service(name)["healthcheck"]["test"]
        assert kind == "CMD", f"{name}: a health check without a shell can be run anywhere"
        command = [self.translated(name, word) for word in words]
        environment = self.environment(name)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    def wait_until_healthy(self, name: str, *, seconds: float = HEALTH_SECONDS) -> None:
        """Returns when the health check passes; fails with the service's log when it ended or the time is over."""
        deadline = time.monotonic() + seconds
        running = self.running[name]
        while (asked := self.health(name)).returncode != 0:
            has_ended = running.process.poll() is not None
            if has_ended or time.monotonic() > deadline:
                end = f"ended with {running.process.returncode}" if has_ended else "not healthy in time"
                raise AssertionError(f"{name}: {end}\n{asked.stdout}{asked.stderr}\n{running.text()[-6000:]}")
            time.sleep(0.2)

    def stop(self, name: str) -> float:
        """Asks a service to end as Docker would, by SIGTERM to its first process; seconds until it had."""
        process = self.running.pop(name).process
        begun = time.monotonic()
        process.terminate()
        try:
            process.wait(timeout=60)
        finally:
            _kill_session(process)
        return time.monotonic() - begun

    def stop_all(self) -> None:
        """Ends everything that still runs: politely, then by force."""
        for running in self.running.values():
            running.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for running in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            _kill_session(running.process)
        self.running.clear()

    def start_order(self) -> list[str]:
        """Names such that each comes after those it depends on."""
        ordered: list[str] = []
        waiting = sorted(self.config["services"])
        while waiting:
            ready = [name for name in waiting if set(self.service(name).get("depends_on", {})) <= set(ordered)]
            assert ready, f"services wait for each other: {waiting}"
            ordered += ready
            waiting = [name for name in waiting if name not in ready]
        return ordered


def _source_and_target(volume: str | dict[str, Any]) -> tuple[str, str]:
    if isinstance(volume, str):
        source, target = volume.split(":")[:2]
        return source, target
    return volume["source"], volume["target"]


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    """The process and all it started, those in process groups of their own included."""
    for pid in processes_of_session(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=10)
