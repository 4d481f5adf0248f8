"""A whole deployment for load: the real API, Chroma and nginx as processes, a stub model at a known pace, raw clients.

asker --HTTP, Basic--> nginx --> API --> stub of Ollama (tokens at an even pace, so many at once as a GPU would)
      <-- events as they arrive, with their times
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.journeys.deployment import ROOT, Deployment
from tests.journeys.front_door import running_front_door
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

PASSWORD = "right-password"  # noqa: S105
QUESTION = "有給休暇はいつまでに申請しますか?"


@dataclass
class Loaded:
    """The running deployment. `url` is nginx's."""

    stub: StubOllama
    deployment: Deployment
    url: str


@contextmanager
def loaded_deployment(
    *, users: list[str], settings: dict[str, str], parts: str = "chroma,api", **stub_settings: Any
) -> Iterator[Loaded]:
    """The handbook's personnel rules ingested, users with passwords, `settings` beside those of a usual installation on Ollama."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        folder.chmod(0o755)
        documents = folder / "documents"
        shutil.copytree(ROOT / "examples" / "人事", documents)
        stub = running.enter_context(start_stub_ollama(load_seconds=0.0, **stub_settings))
        given = {"ANSWERS": "ollama", "EMBEDDER": "ollama", "OLLAMA_URL": stub.url, "LOG_LEVEL": "warning"}
        deployment = Deployment(folder, documents, given | settings)
        running.enter_context(deployment.up(parts))
        done = deployment.run("ingest", "run", timeout_seconds=200)
        assert done.returncode == 0, done.stderr
        url = running.enter_context(running_front_door(folder, deployment, dict.fromkeys(users, PASSWORD)))
        yield Loaded(stub, deployment, url)


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
