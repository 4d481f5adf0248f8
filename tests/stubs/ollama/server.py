"""Sockets and routes: uvicorn's HTTP parser under a bare ASGI application.

uvicorn, because its parser is a real one and every test machine has it; no framework above it, because an answer's
headers must leave with its first line, and a client that hangs up must be noticed before, between and after lines.
Knows no shape of a request or answer but those of the ``/__`` routes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tests.stubs.ollama import chat, embedding, openai, show
from tests.stubs.ollama.faults import ENTRANCE_KINDS, Rule
from tests.stubs.ollama.state import Call, ConnectionCut, LoggedRequest, Refusal, Reply, Send, decoded, dumps
from tests.stubs.ollama.stub import Stub

Route = Callable[[Stub, Call], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

HOST = "127.0.0.1"
BACKLOG = 512
IDLE_SECONDS = 75
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
ROUTES: dict[str, dict[str, Route]] = {
    "/": {"GET": show.alive, "HEAD": show.alive},
    "/api/version": {"GET": show.version, "HEAD": show.version},
    "/api/tags": {"GET": show.tags, "HEAD": show.tags},
    "/api/ps": {"GET": show.ps},
    "/api/show": {"POST": show.show},
    "/api/create": {"POST": show.create},
    "/api/copy": {"POST": show.copy},
    "/api/delete": {"DELETE": show.delete},
    "/api/pull": {"POST": show.pull},
    "/api/chat": {"POST": chat.chat},
    "/api/generate": {"POST": chat.generate},
    "/api/embed": {"POST": embedding.embed},
    "/api/embeddings": {"POST": embedding.embeddings},
    "/v1/models": {"GET": openai.models},
    "/v1/chat/completions": {"POST": openai.chat_completions},
    "/v1/embeddings": {"POST": openai.embeddings},
}
NOT_FOUND = b"404 page not found"
WRONG_METHOD = b"405 method not allowed"


class Server:
    """One listening stub."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._config = uvicorn.Config(
            cast(Any, self._application),
            interface="asgi3",
            http=H11Protocol,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()
        self._listening: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._closing: Rule | None = None
        self.port = 0

    async def open(self, port: int) -> None:
        """Listen on the loopback port (0: any free one), which ``port`` names from then on."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        self.port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: H11Protocol(self._config, self._state, {}), sock=listener, backlog=BACKLOG
        )

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._listening is not None:
            self._listening.close()
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def _application(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        body = await _whole_body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        log = self._stub.log
        entry = LoggedRequest(0, 0.0, method, path, headers, None)
        if not path.startswith("/__"):
            entry = log.add(method, path, headers=headers, body=body)
        reply = Reply(send, entry=entry, cut=lambda with_reset: self._cut(scope["client"], with_reset=with_reset))
        work = asyncio.create_task(self._answer(Call(method, path, body, reply)))
        gone = asyncio.create_task(_gone(receive))
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            log.close(entry, "hung_up")
        try:
            await work
        except asyncio.CancelledError:
            return
        except ConnectionCut:
            log.close(entry, "cut")
            await gone
            return
        finally:
            gone.cancel()
        if entry.outcome == "running":
            log.close(entry, "finished" if (entry.status or 0) < 400 else "refused")

    async def _answer(self, call: Call) -> None:
        if call.path.startswith("/__"):
            await self._control(call)
            return
        methods = ROUTES.get(call.path)
        if call.path.startswith("/v1/models/"):
            methods = {"GET": openai.model}
        if methods is None:
            await call.reply.whole(404, NOT_FOUND, content_type="text/plain")
            return
        route = methods.get(call.method)
        if route is None:
            await call.reply.whole(405, WRONG_METHOD, content_type="text/plain")
            return
        try:
            await self._enter(call)
            await route(self._stub, call)
        except Refusal as refusal:
            await call.reply.refuse(refusal)

    async def _enter(self, call: Call) -> None:
        """The faults that come before the route."""
        rule = self._stub.faults.take(call.path, ENTRANCE_KINDS)
        if rule is None:
            return
        if rule.kind == "status":
            raise Refusal(rule.status, rule.text)
        if rule.kind == "reset":
            raise call.reply.cut(with_reset=True)
        await asyncio.sleep(rule.seconds)

    async def _control(self, call: Call) -> None:
        """The routes that tests use: /__faults /__requests /__slots /__settings."""
        try:
            answer = self._controlled(call.method, call.path, decoded(call.body))
        except (ValueError, TypeError) as problem:
            await call.reply.whole(400, dumps({"error": str(problem)}), content_type="application/json")
            return
        if answer is None:
            await call.reply.whole(404, NOT_FOUND, content_type="text/plain")
            return
        await call.reply.whole(200, dumps(answer), content_type="application/json")
        if self._closing is not None:
            self._shut_for(self._closing)
            self._closing = None

    def _controlled(self, method: str, path: str, body: Any) -> Any:
        stub = self._stub
        if path == "/__faults" and method == "POST":
            added = stub.faults.add(body)
            self._closing = next((rule for rule in added if rule.kind == "closed"), None)
        elif path == "/__faults" and method == "DELETE":
            stub.faults.rules.clear()
        elif path == "/__requests" and method == "DELETE":
            stub.log.entries.clear()
        elif path == "/__settings" and method == "POST":
            stub.settings.change(body)
        answers: dict[str, Callable[[], Any]] = {
            "/__faults": stub.faults.listed,
            "/__requests": lambda: [asdict(entry) for entry in stub.log.entries],
            "/__settings": lambda: asdict(stub.settings),
            "/__slots": lambda: {
                "running": sum(runner.running for runner in stub.runners.loaded()),
                "waiting": sum(runner.waiting for runner in stub.runners.loaded()),
            },
        }
        return answers[path]() if path in answers else None

    def _shut_for(self, rule: Rule) -> None:
        """Refuse connections for the rule's seconds, then listen again on the same port."""

        async def reopen() -> None:
            await asyncio.sleep(rule.seconds)
            await self.open(self.port)

        self.close()
        self._reopening = asyncio.create_task(reopen())

    def _cut(self, client: tuple[str, int], *, with_reset: bool) -> None:
        for connection in list(self._state.connections):
            if connection.client != client:  # type: ignore[union-attr]
                continue
            transport = connection.transport
            if with_reset:
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                transport.abort()
            else:
                transport.close()


async def _whole_body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _gone(receive: Receive) -> None:
    """Return when the client has left."""
    with contextlib.suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass
