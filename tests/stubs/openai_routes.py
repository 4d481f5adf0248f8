"""vLLM's routes beside the chat: /v1/models with the window, /tokenize for a chat. Shapes of vLLM 0.33 (protocol.py of its
entrypoints/serve/tokenize and entrypoints/openai/models)."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class OpenAIRoutes:
    """A running server; `requests` holds path and body of each POST."""

    model = "qwen"
    count = 321

    def __init__(self, *, window: int) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self, window))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> OpenAIRoutes:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler_of(routes: OpenAIRoutes, window: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/v1/models":
                self._say(200, {"object": "list", "data": [{"id": routes.model, "max_model_len": window}]})
            else:
                self._say(404, {"detail": "Not Found"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            routes.requests.append((self.path, body))
            if self.path == "/tokenize" and "messages" in body:
                self._say(200, {"count": routes.count, "max_model_len": window, "tokens": [1] * routes.count})
            else:
                self._say(404, {"detail": "Not Found"})

        def _say(self, status: int, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    return Handler
