"""A tiny OpenAI-compatible embedding server: hashed words and bigrams over real HTTP, so that tests of stores need no model.

It can be stopped and started again on its port, and made slow.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from assistant.adapters.fake import FakeEmbedder

MODEL = "hashed-words"
DIMENSION = 256


class EmbeddingServer:
    """`url` is the base address. `seconds_per_text` is how long it takes; `texts` counts what it was given."""

    def __init__(self, *, seconds_per_text: float = 0.0) -> None:
        self.seconds_per_text = seconds_per_text
        self.texts = 0
        self._port = 0
        self._turn = threading.Lock()
        self._embedder = FakeEmbedder(dimension=DIMENSION)
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a deployment that embeds here."""
        return {"EMBEDDER": "openai", "OPENAI_URL": self.url, "EMBED_MODEL": MODEL}

    def start(self) -> None:
        """Listens, on the same port as before."""
        server = self._server = _Server(("127.0.0.1", self._port), _handler_of(self))
        self._port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def rows(self, texts: list[str]) -> list[list[float]]:
        """The vectors, after the time that they take."""
        with self._turn:  # one text after the other, in the order of arrival, as Ollama does
            self.texts += len(texts)
            time.sleep(self.seconds_per_text * len(texts))
        rows: list[list[float]] = self._embedder.embed_documents(texts).tolist()
        return rows


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


def _handler_of(server: EmbeddingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            rows = server.rows(texts)
            data = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(rows)]
            self._answer({"object": "list", "data": data, "model": MODEL})

        def do_GET(self) -> None:
            self._answer({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

        def _answer(self, value: dict[str, Any]) -> None:
            content = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:  # the asking process was killed
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
