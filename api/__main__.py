"""`python -m api [--socket NUMBER]`: the API on uvicorn, from the settings. Ctrl-C and SIGTERM let open answers finish and
exit 0; SIGHUP is for being started again, where somebody keeps the socket.

SIGTERM ─▶ draining: open questions go on, new ones get 503 ─▶ closing: the rest end with an error event ─▶ exit 0
              │ at most ASSISTANT_QUEUE__DRAIN_SECONDS, or until a second signal
              └ with a socket handed in (SIGTERM of systemd, SIGHUP under `assistant up`), nobody is refused: whoever holds it
                keeps new callers for the next API
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.collecting import collecting_when_idle
from api.edge import Edge
from api.logs import uvicorn_logging
from api.main import create_app
from assistant.errors import AssistantError, SettingsError, Text
from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import caller_language

GRACE_SECONDS = 5
"""How long the last events may take to be sent after draining."""
LINGER_SECONDS = 2.0
"""Callers who were accepted just before the stop bring their question within this time, and it is answered."""
LOOK_SECONDS = 0.05
FIRST_INHERITED = 3
"""Number of the first file handed in by systemd (sd_listen_fds)."""
BACKLOG = 2048
EXIT_NOT_STARTED = 2


class Server(uvicorn.Server):
    """uvicorn that sends small events at once, tells the app when stopping begins, so that streams end with an event,
    and exits normally.

    `is_shared`: others go on listening after a stop; `can_restart`: they do after SIGHUP.
    """

    def __init__(
        self, config: uvicorn.Config, *, edge: Edge, is_shared: bool = False, can_restart: bool = False
    ) -> None:
        super().__init__(config)
        self._edge = edge
        self._is_shared = is_shared
        self._signals = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if can_restart else [])]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to serve. asyncio lets only sockets that it made itself send at once; on others the second small event
        of an answer would wait 40 ms for the first one's receipt (docs/lab-notes.md, 2026-11-26)."""
        for listener in sockets or ():
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets open questions finish, ends the rest, then stops as uvicorn does: open requests, the app's lifespan."""
        await self._drain()
        self._edge.closing.set()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        """Returns when no question is open, at a second signal, or when the time is over."""
        edge = self._edge
        ends_at = time.monotonic() + edge.settings.queue.drain_seconds
        edge.log.info("draining", open_questions=edge.open_questions)
        edge.is_draining = True
        if self._is_shared:
            for server in self.servers:
                server.close()  # this process stops listening; the socket lives on in whoever handed it in
            await self._wait(lambda: False, min(ends_at, time.monotonic() + LINGER_SECONDS))
            for connection in list(self.server_state.connections):
                connection.shutdown()  # idle ones now, the others after their answer: their next question goes elsewhere
        edge.refuses = True
        await self._wait(lambda: not edge.open_questions, ends_at)

    async def _wait(self, is_over: Callable[[], bool], ends_at: float) -> None:
        closing = self._edge.closing
        while not is_over() and not closing.is_set() and time.monotonic() < ends_at:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await closing.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the stop, a second one ends what is still open."""
        if self.should_exit:
            self._edge.closing.set()
        self._is_shared = self._is_shared or sig == signal.SIGHUP
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops at SIGTERM, SIGINT and, where it is for a restart, SIGHUP; uvicorn's own version raises the signal again afterwards, which would exit
        before the assistant is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in self._signals:
                loop.remove_signal_handler(number)


async def serve(settings: Settings, *, handed_in: int | None = None) -> None:
    """Runs until told to stop, on the open socket of that number if one is given.

    Raises SettingsError for an address in use, and what opening the assistant raises.
    """
    kept = None if handed_in is None else socket.socket(fileno=handed_in)
    inherited = inherited_socket()
    with contextlib.closing(kept or inherited or _listen(settings)) as listener:
        from assistant.wiring import open_assistant  # seconds of imports that a wrong address need not wait for

        # Opened here and not by the lifespan, whose errors uvicorn would print as tracebacks.
        async with open_assistant(settings) as assistant:
            app = create_app(settings, assistant=assistant)
            await run(app, listener=listener, is_shared=inherited is not None, can_restart=kept is not None)


async def run(app: FastAPI, *, listener: socket.socket, is_shared: bool = False, can_restart: bool = False) -> None:
    """Serves the app on the listening socket until SIGTERM or SIGINT; see Server."""
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
    async with collecting_when_idle(edge):
        server = Server(config, edge=edge, is_shared=is_shared, can_restart=can_restart)
        await server.serve(sockets=[listener])


def inherited_socket() -> socket.socket | None:
    """The listening socket that systemd (or whoever speaks its protocol) hands in, or None."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=FIRST_INHERITED)


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
    arguments = argparse.ArgumentParser(prog="python -m api")
    arguments.add_argument("--socket", type=int, help="number of an open socket to listen on, kept open by the caller")
    handed_in = arguments.parse_args().socket
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        import uvloop

        uvloop.run(serve(settings, handed_in=handed_in))
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
