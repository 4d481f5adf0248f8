"""A whole deployment for tests: its own data folder, free loopback ports, the real commands as child processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PROXY_SECRET = "secret-of-the-test"


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody uses now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass
class Deployment:
    """Environment and commands of one deployment; `up` starts its processes."""

    folder: Path
    documents: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chroma, api, ui, chat = free_ports(4)
        self.api_url = f"http://127.0.0.1:{api}"
        self.ui_url = f"http://127.0.0.1:{ui}"
        defaults = {
            "DATA_FOLDER": str(self.folder / "var"),
            "DOCUMENTS_FOLDER": str(self.documents),
            "CHROMA_URL": f"http://127.0.0.1:{chroma}",
            "EMBEDDED_CHAT_URL": f"http://127.0.0.1:{chat}",
            "API_PORT": str(api),
            "API_URL": self.api_url,
            "UI_PORT": str(ui),
            "EMBEDDER": "embedded",
            "ANSWERS": "quotes",
            "PROXY_SECRET": PROXY_SECRET,
            "MODELFILE": str(ROOT / "modelfiles/company-assistant.Modelfile"),
            "RULES_FILE": str(self.folder / "ingest.toml"),
        }
        self.settings = defaults | self.settings

    @property
    def environment(self) -> dict[str, str]:
        """The child's environment: nothing of the caller's ASSISTANT_ settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
        return kept | {"LANG": "C.UTF-8"} | {f"ASSISTANT_{name}": value for name, value in self.settings.items()}

    def run(self, *command: str, timeout_seconds: float = 240, **extra: str) -> subprocess.CompletedProcess[str]:
        """Runs `assistant …` or `ingest …` to its end, in a folder without a .env file."""
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.folder, env=self.environment | extra, capture_output=True, text=True, timeout=timeout_seconds,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """`ingest status --json`."""
        found = self.status_if_chroma_is_back()
        assert found is not None, "Chroma does not answer"
        return found

    def status_if_chroma_is_back(self) -> dict[str, Any] | None:
        """`ingest status --json`; None while Chroma, killed a moment ago, does not answer."""
        done = self.run("ingest", "status", "--json")
        assert done.stdout, done.stderr
        found = dict(json.loads(done.stdout))
        if found["indexes_error"] is None:
            return found
        assert "does not answer" in found["indexes_error"], found["indexes_error"]
        return None

    def is_api_back(self) -> bool:
        """Whether the API, killed a moment ago, answers again."""
        return is_answering(f"{self.api_url}/healthz")

    def ask(self, question: str, **body: Any) -> httpx.Response:
        """POST /ask as Ben, through the proxy's header."""
        headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET} | body.pop("headers", {})
        return httpx.post(
            f"{self.api_url}/ask", json={"question": question, **body}, headers=headers, timeout=200, trust_env=False
        )

    @contextmanager
    def up(self, only: str) -> Iterator[subprocess.Popen[str]]:
        """`assistant up --only …` until the block ends."""
        process = self.start(only)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)

    def start(self, only: str) -> subprocess.Popen[str]:
        """Starts `assistant up --only …` and returns once it has printed its table of parts."""
        log = self.folder / "up.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [str(BIN / "assistant"), "up", "--only", only],
                cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=output, text=True,
            )  # fmt: skip
        try:
            wait_until(lambda: "pid" in log.read_text() or process.poll() is not None, timeout_seconds=100)
            assert process.poll() is None, log.read_text()
        except AssertionError:
            process.kill()
            raise
        return process

    def pid_of(self, part: str) -> int:
        """The process id of a part, as the stack last started it."""
        return int((self.folder / "var" / "run" / f"{part}.pid").read_text())


def is_answering(url: str) -> bool:
    """Whether something behind this address answers, and without an error."""
    try:
        return httpx.get(url, timeout=10, trust_env=False).is_success
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float, pause_seconds: float = 0.2) -> None:
    """Returns when the condition holds; fails after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(pause_seconds)
