"""Open pages of the screen without a browser: raw WebSockets that speak Streamlit's protocol, as many as a measurement needs.

    page --asks to run the script, with what was typed--> nginx --> screen --> API
         <-- what to draw, piece by piece, until the script has ended

A browser would take a hundred times the processor of what it watches.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.loaded_deployment import basic

PATIENCE_SECONDS = 200.0
MESSAGE_LIMIT_BYTES = 50 << 20


class OpenPage:
    """One person's page. `drawn_at` are the times of what came in the last run, by time.monotonic()."""

    def __init__(self, url: str, user: str, *, page: str = "") -> None:
        self._address = url.replace("http://", "ws://") + "/_stcore/stream"
        self._headers, self._page = basic(user), page
        self._socket: ClientConnection | None = None
        self._widgets: dict[str, str] = {}
        self.query = ""
        self.drawn_at: list[float] = []

    async def open(self) -> None:
        """Connects, and runs the script once."""
        self._socket = await connect(
            self._address,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=self._headers,
            max_size=MESSAGE_LIMIT_BYTES,
            ping_interval=None,
            proxy=None,
        )
        await self.run()

    async def close(self) -> None:
        """The person closes the page."""
        if self._socket is not None:
            await self._socket.close()

    async def run(self, *, typed: str = "") -> float:
        """Runs the script, with a question where one is typed; seconds until it had ended."""
        assert self._socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self.query, self._page
        state.context_info.timezone, state.context_info.locale = "Asia/Tokyo", "ja-JP"
        if typed:
            widget = state.widget_states.widgets.add()
            widget.id = self._widgets["chat_input"]
            widget.chat_input_value.data = typed
        begun = time.monotonic()
        self.drawn_at = []
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._note(ForwardMsg.FromString(await self._bytes())):
                pass
        return time.monotonic() - begun

    async def _bytes(self) -> bytes:
        assert self._socket is not None
        received: Any = await self._socket.recv()
        return received if isinstance(received, bytes) else received.encode()

    def _note(self, told: ForwardMsg) -> bool:
        """Keeps what the next run needs; whether the script has ended."""
        kind = told.WhichOneof("type")
        if kind == "delta" and told.delta.WhichOneof("type") == "new_element":
            self.drawn_at.append(time.monotonic())
            element = told.delta.new_element
            if element.WhichOneof("type") == "chat_input":
                self._widgets["chat_input"] = element.chat_input.id
        elif kind == "page_info_changed":
            self.query = told.page_info_changed.query_string
        return bool(kind == "script_finished")
