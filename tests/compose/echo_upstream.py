"""A server behind nginx that says what reached it: `python echo_upstream.py HOST PORT NAME`.

any path       JSON: this server's name, method, path, query, every header, size of the body
…/events       five events 0.2 s apart, each saying when it was sent (monotonic seconds, the same clock everywhere)
…/endless      events until the reader leaves; …/left says how long after the last event that was noticed
…/steady       an event every 0.25 s for as many seconds as ?seconds= says, then the last one
…/silent       no word for as many seconds as ?seconds= says
…/paths        every path that was asked for so far
/oauth2/auth   what oauth2-proxy answers: 202 with headers for the cookie _oauth2_proxy=good, else 401
…/refused      503 problem with a Retry-After of its own
WebSocket      first message: path and headers; then every message comes back
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

NAME = sys.argv[3]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
seen = {"left_after_seconds": -1.0}
paths: list[str] = []
STEADY_SECONDS = 0.25


async def echo(request: Request) -> Response:
    """What reached this server."""
    paths.append(request.url.path)
    body = await request.body()
    return JSONResponse(
        {
            "server": NAME,
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "headers": [[key.decode("latin-1"), value.decode("latin-1")] for key, value in request.headers.raw],
            "body_bytes": len(body),
        },
        headers={"X-Request-Id": "of-the-upstream", "X-Powered-By": "upstream", "X-Frame-Options": "SAMEORIGIN"},
    )


async def events(_request: Request) -> Response:
    """Five events."""

    async def lines() -> AsyncIterator[str]:
        for number in range(5):
            yield f"id: {number}\ndata: {json.dumps({'sent': time.monotonic()})}\n\n"
            await asyncio.sleep(0.2)

    return StreamingResponse(lines(), media_type="text/event-stream")


async def steady(request: Request) -> Response:
    """Events at an even pace, numbered, and a last one."""
    end = time.monotonic() + float(request.query_params["seconds"])

    async def lines() -> AsyncIterator[str]:
        number = 0
        while time.monotonic() < end:
            yield f"data: {number}\n\n"
            number += 1
            await asyncio.sleep(STEADY_SECONDS)
        yield "data: last\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


async def silent(request: Request) -> Response:
    """An answer that takes its time."""
    await asyncio.sleep(float(request.query_params["seconds"]))
    return JSONResponse({})


async def asked_paths(_request: Request) -> Response:
    """What was asked for."""
    return JSONResponse(paths)


async def endless(_request: Request) -> Response:
    """Events until the reader leaves."""

    async def lines() -> AsyncIterator[str]:
        last = time.monotonic()
        try:
            while True:
                yield "data: x\n\n"
                last = time.monotonic()
                await asyncio.sleep(30)
        finally:
            seen["left_after_seconds"] = time.monotonic() - last

    return StreamingResponse(lines(), media_type="text/event-stream")


async def oauth2_check(request: Request) -> Response:
    """What oauth2-proxy answers nginx with --set-xauthrequest: 202 and who it is, or 401."""
    if request.cookies.get("_oauth2_proxy") != "good":
        return Response(status_code=401)
    headers = {"X-Auth-Request-User": "0815", "X-Auth-Request-Email": "aiko@example.com"}
    return Response(status_code=202, headers=headers)


async def left(_request: Request) -> Response:
    """How the last endless answer ended."""
    return JSONResponse(seen)


async def refused(_request: Request) -> Response:
    """A refusal of the application itself."""
    headers = {"Retry-After": "77", "Content-Type": "application/problem+json"}
    return Response('{"title":"busy","status":503}', 503, headers=headers)


async def socket(websocket: WebSocket) -> None:
    """Says what reached it, then returns every message."""
    await websocket.accept()
    await websocket.send_json({"path": websocket.url.path, "headers": websocket.headers.items()})
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


routes = [
    WebSocketRoute("/{path:path}", socket),
    Route("/oauth2/auth", oauth2_check),
    Route("/{path:path}events", events, methods=METHODS),
    Route("/{path:path}endless", endless, methods=METHODS),
    Route("/{path:path}steady", steady, methods=METHODS),
    Route("/{path:path}silent", silent, methods=METHODS),
    Route("/{path:path}paths", asked_paths),
    Route("/{path:path}left", left),
    Route("/{path:path}refused", refused, methods=METHODS),
    Route("/{path:path}", echo, methods=METHODS),
]

if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=routes),
        host=sys.argv[1],
        port=int(sys.argv[2]),
        log_level="critical",
        timeout_graceful_shutdown=1,  # some of its answers have no end
    )
