"""`python -m api`: the API on uvicorn, from the settings. Ctrl-C and SIGTERM end open streams properly and exit 0."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from api.edge import Edge
from api.logs import uvicorn_logging
from api.main import create_app
from assistant.errors import AssistantError, SettingsError, Text
from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import caller_language

GRACE_SECONDS = 20
"""How long open requests may take to end after SIGTERM; below the 30 s a container is given to stop."""
BACKLOG = 2048
EXIT_NOT_STARTED = 2


class Server(uvicorn.Server):
    """uvicorn that sends small events at once, tells the app when stopping begins, so that streams end with an event,
    and exits normally."""

    def __init__(self, config: uvicorn.Config, *, edge: Edge) -> None:
        super().__init__(config)
        self._edge = edge

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to serve. asyncio lets only sockets that it made itself send at once; on others the second small event
        of an answer would wait 40 ms for the first one's receipt (docs/lab-notes.md, 2026-11-26)."""
        for listener in sockets or ():
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends open questions, then stops as uvicorn does: waiting for open requests, then the app's lifespan."""
        self._edge.closing.set()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops at SIGTERM and SIGINT; uvicorn's own version raises the signal again afterwards, which would exit
        before the assistant is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


async def serve(settings: Settings) -> None:
    """Runs until told to stop. Raises SettingsError for an address in use, and what opening the assistant raises."""
    with contextlib.closing(_listen(settings)) as listener:
        from assistant.wiring import open_assistant  # seconds of imports that a wrong address need not wait for

        # Opened here and not by the lifespan, whose errors uvicorn would print as tracebacks.
        async with open_assistant(settings) as assistant:
            await run(create_app(settings, assistant=assistant), listener=listener)


async def run(app: FastAPI, *, listener: socket.socket) -> None:
    """Serves the app on the listening socket until SIGTERM or SIGINT."""
    edge: Edge = app.state.edge
    config = uvicorn.Config(
        app,
        log_config=uvicorn_logging(edge.settings),
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    host, port = listener.getsockname()[:2]
    edge.log.info("listening", host=host, port=port)
    await Server(config, edge=edge).serve(sockets=[listener])


def _listen(settings: Settings) -> socket.socket:
    address = (settings.api_host, settings.api_port)
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        shown = f"{settings.api_host}:{settings.api_port}"
        raise SettingsError(
            Text(
                ja=f"{shown} で待ち受けられません({error.strerror})。",
                en=f"Cannot listen on {shown} ({error.strerror}).",
            ),
            Text(
                ja="別のプログラムが使っていないか調べるか、ASSISTANT_API_HOST と ASSISTANT_API_PORT を変えてください。",
                en="See whether another program uses it, or change ASSISTANT_API_HOST and ASSISTANT_API_PORT.",
            ),
        ) from error


def main() -> int:
    """The exit code: 0 after a normal stop, 2 when it could not start; the reason is printed as a sentence."""
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        asyncio.run(serve(settings))
    except AssistantError as error:
        language = caller_language()
        print(error.message.in_language(language), file=sys.stderr)
        print("→ " + error.hint.in_language(language), file=sys.stderr)
        return EXIT_NOT_STARTED
    except KeyboardInterrupt:  # before the server took over the signal
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
