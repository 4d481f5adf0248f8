"""/mcp: the assistant's tools over streamable HTTP, where the extra `mcp` is installed.

The doorkeeper has let the caller in before; each tool asks this same application again, inside the process, with the
caller's own identity.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.errors import shutting_down
from api.problems import error_response
from assistant.errors import AccessDenied, Text

if TYPE_CHECKING:  # the package behind it is optional
    from assistant.tools import HttpTools

PATH = "/mcp"
PASSED_ON = (
    "authorization", "x-forwarded-user", "x-proxy-secret", "x-sign-in", "x-priority", "accept-language", "x-request-id",
    "traceparent",
)  # fmt: skip
"""What says who asks and whether they still may, how urgently, in which language, and which request it is."""


class McpDoor:
    """Refuses pages of other origins, then hands the request to the tools."""

    path = PATH
    """The route's name in log and metrics."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._tools: HttpTools | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Must be held while requests are served."""
        from assistant.tools import HttpTools  # a second of imports that a description of the app need not wait for

        inside = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app, raise_app_exceptions=False),
            base_url="http://api",
            timeout=None,  # noqa: S113 - the questions inside have limits of their own
        )
        tools = HttpTools(inside, identity=_identity)
        async with tools.running():
            self._tools = tools
            yield
        self._tools = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        request = Request(scope, receive)
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            refusal = AccessDenied(
                Text(ja="ほかのサイトのページからは使えません。", en="Pages of other sites may not use this."),
                Text(ja="プログラムから直接つないでください。", en="Connect from a program."),
            )
            await error_response(request, refusal)(scope, receive, send)
        elif self._tools is None:
            await error_response(request, shutting_down())(scope, receive, send)
        else:
            await self._tools(scope, receive, send)


def install(app: FastAPI) -> None:
    """Adds /mcp to the app where the package is there; otherwise the address does not exist."""
    app.state.mcp = McpDoor(app) if find_spec("mcp") is not None else None
    if app.state.mcp is not None:
        app.router.routes.append(Route(PATH, app.state.mcp, methods=["POST"]))


def running(app: FastAPI) -> AbstractAsyncContextManager[Any]:
    """Holds the tools open, if there are any; for the app's lifespan."""
    return nullcontext() if app.state.mcp is None else app.state.mcp.running()


def _identity(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in PASSED_ON if name in headers}
