"""A whole deployment for load: the real API, Chroma and nginx as processes, a stub model at a known pace, raw clients.

asker --HTTP, Basic--> nginx --> API --> stub of Ollama (tokens at an even pace, so many at once as a GPU would)
      <-- events as they arrive, with their times
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
import httpx

from tests.journeys.deployment import PROXY_SECRET, ROOT, Deployment, free_ports, wait_until
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

PASSWORD = "right-password"  # noqa: S105
NOBODY = 65534
QUESTION = "有給休暇はいつまでに申請しますか?"


@dataclass
class Loaded:
    """The running deployment. `url` is nginx's."""

    stub: StubOllama
    deployment: Deployment
    url: str


@contextmanager
def loaded_deployment(*, users: list[str], settings: dict[str, str], **stub_settings: Any) -> Iterator[Loaded]:
    """The handbook's personnel rules ingested, users with passwords, `settings` beside those of a usual installation on Ollama."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        folder.chmod(0o755)
        documents = folder / "documents"
        shutil.copytree(ROOT / "examples" / "人事", documents)
        stub = running.enter_context(start_stub_ollama(load_seconds=0.0, **stub_settings))
        given = {"ANSWERS": "ollama", "EMBEDDER": "ollama", "OLLAMA_URL": stub.url, "LOG_LEVEL": "warning"}
        deployment = Deployment(folder, documents, given | settings)
        running.enter_context(deployment.up("chroma,api"))
        done = deployment.run("ingest", "run", timeout_seconds=200)
        assert done.returncode == 0, done.stderr
        url = running.enter_context(_nginx(folder, deployment, users))
        yield Loaded(stub, deployment, url)


@contextmanager
def _nginx(folder: Path, deployment: Deployment, users: list[str]) -> Iterator[str]:
    """The product's own nginx configuration in front of the API; its address."""
    home = folder / "nginx"
    home.mkdir()
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode().replace("$2b$", "$2y$", 1)
    (home / "htpasswd").write_text("".join(f"{user}:{hashed}\n" for user in users), encoding="utf-8")
    port, health_port = free_ports(2)
    environment = {
        "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
        "NGINX_LISTEN": f"127.0.0.1:{port}",
        "NGINX_HEALTH_LISTEN": f"127.0.0.1:{health_port}",
        # All askers have one address here, and nginx guards by address.
        "NGINX_ASK_RATE": "60000r/m",
        "NGINX_ASK_BURST": "1000",
        "NGINX_ASK_STREAMS": "1000",
        "NGINX_API": deployment.api_url.removeprefix("http://"),
        "NGINX_UI": deployment.ui_url.removeprefix("http://"),
        "NGINX_PASSWORDS": str(home / "htpasswd"),
        "NGINX_RUN_FOLDER": str(home / "run"),
        "ASSISTANT_PROXY_SECRET": PROXY_SECRET,
    }
    shutil.copytree(ROOT / "nginx", home / "conf")
    log_file = home / "log"  # opened anew by nginx through /dev/stdout
    log_file.touch()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # as root it would hand its work to a user who can read nothing
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    with log_file.open("ab") as log:
        command = ["sh", str(home / "conf" / "start.sh")]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, **identity)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(f"{url}/healthz") or process.poll() is not None, timeout_seconds=20)
            assert process.poll() is None, log_file.read_text()
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=2).is_success
    except httpx.HTTPError:
        return False


@dataclass
class Asked:
    """One question as its asker saw it; times by time.monotonic()."""

    asked_at: float
    status: int = 0
    retry_after: float | None = None
    token_times: list[float] = field(default_factory=list)
    queued: list[tuple[float, int, float]] = field(default_factory=list)
    ended_at: float = 0.0
    end: str = "nothing"
    queue_seconds: float = 0.0


async def asked(url: str, headers: dict[str, str], question: str = QUESTION, *, path: str = "/api/ask") -> Asked:
    """Asks for a stream on a connection of its own and reads it as raw bytes: the reader must cost less than the sender."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"question": question, "stream": True}).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    seen = Asked(time.monotonic())
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write("\r\n".join(lines).encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        seen.status = int(head.split(b" ", 2)[1])
        for line in head.decode("latin-1").lower().splitlines():
            if line.startswith("retry-after:"):
                seen.retry_after = float(line.split(":")[1])
        async for name, data in _events(reader):
            _note(seen, name, data)
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        seen.end = repr(error)
    finally:
        writer.close()
    seen.ended_at = time.monotonic()
    return seen


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bytes]]:
    """Names and data of the events of a chunked body, as they arrive."""
    name, rest = b"", b""
    while size := int((await reader.readline()).strip() or b"0", 16):
        *lines, rest = (rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n")
        for line in lines:
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: "):
                yield name, line[6:]


def _note(seen: Asked, name: bytes, data: bytes) -> None:
    now = time.monotonic()
    if name == b"token":
        seen.token_times.append(now)
    elif name == b"queued":
        told = json.loads(data)
        seen.queued.append((now, told["position"], told["wait_seconds"]))
    elif name in (b"finished", b"error"):
        ended = json.loads(data)
        seen.end = name.decode() if name == b"finished" else str(ended["code"])
        seen.queue_seconds = ended.get("timings", {}).get("queue_seconds", 0.0)
        if ended.get("mode") == "quotes":
            seen.end = "quotes"


def basic(user: str) -> dict[str, str]:
    """How a person knocks at nginx."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()}
