"""A loopback proxy in front of a real Ollama that writes down what the product sends and what it gets back.

Knows HTTP alone. It does not notice a caller who leaves: hang-ups are tested without it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

_UPSTREAM_SECONDS = 800.0


@dataclass
class Exchange:
    """One request and its answer; `lines` are the JSON objects of a streamed answer."""

    path: str
    body: dict[str, Any]
    status: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class RecordingProxy:
    """A running proxy."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)

    def chats(self) -> list[Exchange]:
        """The chats in order."""
        return [exchange for exchange in self.exchanges if exchange.path == "/api/chat"]


@contextmanager
def recording_proxy(upstream_url: str) -> Iterator[RecordingProxy]:
    """A proxy to `upstream_url` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the exchanges are the log."""

        def _pass_on(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            exchange = Exchange(self.path, json.loads(sent) if sent else {})
            proxy.exchanges.append(exchange)
            with httpx.stream(
                self.command, upstream_url + self.path, content=sent, timeout=_UPSTREAM_SECONDS, trust_env=False
            ) as answer:
                exchange.status = answer.status_code
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.end_headers()  # no length: HTTP/1.0 ends the answer with the connection
                for line in answer.iter_lines():
                    self.wfile.write(line.encode() + b"\n")
                    exchange.lines.append(json.loads(line))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = RecordingProxy(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
