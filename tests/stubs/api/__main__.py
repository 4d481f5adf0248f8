"""A real HTTP server that speaks the API's contract from invented documents: `python -m tests.stubs.api --port N`.

What it plays is chosen by a word in the question (PLAYS). `GET /seen` tells what it was asked, by whom, and when people
hung up. Every shape is made from assistant.wire, so that the stub cannot drift from what the screen must read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from assistant import wire
from tests.stubs.api import administration, content, history

HEARTBEAT_SECONDS = 0.4

Events = AsyncIterator[tuple[str, str]]
SEEN: list[dict[str, Any]] = []


def event(name: str, data: Any) -> tuple[str, str]:
    """One SSE event, its data as JSON."""
    return name, data.model_dump_json() if hasattr(data, "model_dump_json") else json.dumps(data, ensure_ascii=False)


async def silence(seconds: float) -> Events:
    """Heartbeats only."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(HEARTBEAT_SECONDS, left))
        yield "", "hb"


async def play_answer(asked: wire.AskIn, request_id: str) -> Events:
    """Passages, a pause in which nothing is written yet, tokens, citations, the end."""
    answer = content.answer_for(asked, request_id)
    async for beat in silence(0.5):
        yield beat
    yield event("found", wire.FoundOut(passages=answer.passages))
    async for beat in silence(1.2):
        yield beat
    for piece in content.pieces(answer.answer):
        yield event("token", wire.TokenOut(text=piece))
        await asyncio.sleep(0.02)
    for citation in answer.citations:
        yield event("cited", wire.CitedOut(citation=citation))
    yield event("finished", answer)


async def play_slow(asked: wire.AskIn, request_id: str) -> Events:
    """A token every 0.2 s, for a minute."""
    yield event("found", wire.FoundOut(passages=content.answer_for(asked, request_id).passages))
    for number in range(300):
        yield event("token", wire.TokenOut(text=f"項目{number}、"))
        await asyncio.sleep(0.2)


async def play_silent(asked: wire.AskIn, request_id: str) -> Events:
    """A model that reads for a minute and writes nothing."""
    yield event("found", wire.FoundOut(passages=content.answer_for(asked, request_id).passages))
    async for beat in silence(60):
        yield beat


async def play_queue(asked: wire.AskIn, request_id: str) -> Events:
    """Three people are in front; an event that this version of the screen does not know comes too."""
    for position, seconds in ((3, 0.5), (2, 3.0)):
        yield event("queued", wire.QueuedOut(position=position, wait_seconds=position * 4.0))
        async for beat in silence(seconds):
            yield beat
    yield event("rewritten", {"question": asked.question})
    async for item in play_answer(asked, request_id):
        yield item


async def play_whole(asked: wire.AskIn, request_id: str) -> Events:
    """Refusals and quotes: no token, only passages and the end."""
    answer = content.answer_for(asked, request_id)
    yield event("found", wire.FoundOut(passages=answer.passages))
    yield event("finished", answer)


async def play_failure(asked: wire.AskIn, request_id: str) -> Events:
    """The model dies in mid-answer."""
    yield event("found", wire.FoundOut(passages=content.answer_for(asked, request_id).passages))
    yield event("token", wire.TokenOut(text="取得日の3営業日前までに"))
    await asyncio.sleep(0.3)
    yield event("error", content.problem("answer_aborted", request_id))


async def play_cut(asked: wire.AskIn, request_id: str) -> Events:
    """The stream ends without its end mark."""
    yield event("found", wire.FoundOut(passages=content.answer_for(asked, request_id).passages))
    yield event("token", wire.TokenOut(text="取得日の"))


async def play_hang(asked: wire.AskIn, request_id: str) -> Events:
    """Not even a heartbeat."""
    yield event("found", wire.FoundOut(passages=content.answer_for(asked, request_id).passages))
    await asyncio.sleep(60)


PLAYS: dict[str, Callable[[wire.AskIn, str], Events]] = {
    "[slow]": play_slow,
    "[silent]": play_silent,
    "[queue]": play_queue,
    "[nothing]": play_whole,
    "[unanswered]": play_whole,
    "[quotes]": play_whole,
    "[failure]": play_failure,
    "[cut]": play_cut,
    "[hang]": play_hang,
}


async def ask(request: Request) -> Response:
    """POST /ask, streamed or whole."""
    asked = wire.AskIn.model_validate_json(await request.body())
    request_id = request.headers.get("X-Request-Id", "none")
    seen = remember(request, asked.model_dump())
    if "[full]" in asked.question:
        return refuse("overloaded", request_id, retry_after_seconds=12)
    if "[long]" in asked.question:
        return refuse("question_too_long", request_id)
    if "[page]" in asked.question:
        return PlainTextResponse("<html>Bad Gateway</html>", status_code=502)
    if not asked.stream:
        return JSONResponse(content.answer_for(asked, request_id).model_dump())
    play = next((play for word, play in PLAYS.items() if word in asked.question), play_answer)
    return StreamingResponse(
        as_bytes(play(asked, request_id), seen),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "X-Request-Id": request_id},
    )


async def as_bytes(events: Events, seen: dict[str, Any]) -> AsyncIterator[bytes]:
    """The stream's bytes; notes in `seen` how it ended."""
    number = 0
    try:
        async for name, data in events:
            if name:
                number += 1
                yield f"id: {number}\nevent: {name}\ndata: {data}\n\n".encode()
            else:
                yield f": {data}\n\n".encode()
            seen["last_sent"] = time.time()
        seen["ended"] = "whole"
    finally:
        if seen["ended"] == "":
            seen["ended"] = "hung up"
            seen["hung_up_at"] = time.time()


def remember(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """Note who asked what; the names as UTF-8, as they travel."""
    seen = {
        "path": request.url.path,
        "query": dict(request.query_params),
        "body": body,
        "user": caller(request),
        "secret": request.headers.get("X-Proxy-Secret", ""),
        "language": request.headers.get("Accept-Language", ""),
        "ended": "",
    }
    SEEN.append(seen)
    return seen


def refuse(code: str, request_id: str, *, retry_after_seconds: int | None = None) -> Response:
    """A problem as an error status."""
    problem = content.problem(code, request_id)
    headers = {"Retry-After": str(retry_after_seconds)} if retry_after_seconds else None
    return JSONResponse(
        problem.model_dump(), status_code=problem.status, media_type="application/problem+json", headers=headers
    )


async def search(request: Request) -> Response:
    """POST /search."""
    asked = wire.SearchIn.model_validate_json(await request.body())
    remember(request, asked.model_dump())
    found = wire.SearchOut(
        passages=content.PASSAGES[: asked.limit], warnings=[], notices=[], timings={"retrieve_seconds": 0.01}
    )
    return JSONResponse(found.model_dump())


async def documents(request: Request) -> Response:
    """GET /documents, two on a page."""
    remember(request, {})
    query, status = request.query_params.get("query", ""), request.query_params.get("status", "")
    if query == "[failure]":
        return refuse("store_unavailable", request.headers.get("X-Request-Id", "none"))
    matching = [d for d in content.DOCUMENTS if query in d.title + d.path and status in ("", d.status)]
    first = int(request.query_params.get("cursor") or 0)
    following = str(first + 2) if first + 2 < len(matching) else None
    return JSONResponse(wire.DocumentsOut(documents=matching[first : first + 2], next=following).model_dump())


async def document(request: Request) -> Response:
    """GET /documents/{id}."""
    for known in content.DOCUMENTS:
        if known.document_id == request.path_params["document_id"]:
            return JSONResponse(known.model_dump())
    return refuse("not_found", request.headers.get("X-Request-Id", "none"))


async def folders(_request: Request) -> Response:
    """GET /folders."""
    paths = sorted({document.path.partition("/")[0] + "/" for document in content.DOCUMENTS})
    found = [{"folder": "documents", "path": path, "documents": 1} for path in paths]
    return JSONResponse({"folders": found})


def caller(request: Request) -> str:
    """The name that came along; headers travel as bytes."""
    return request.headers.get("X-Forwarded-User", "").encode("latin-1").decode()


async def uploads(request: Request) -> Response:
    """GET /uploads: administrators alone may."""
    if caller(request) == administration.ADMINISTRATOR:
        return JSONResponse(administration.UPLOADS.model_dump())
    return refuse("not_found", request.headers.get("X-Request-Id", "none"))


async def me(request: Request) -> Response:
    """GET /me."""
    user = remember(request, {})["user"]
    scopes = ["ask", "admin"] if user == administration.ADMINISTRATOR else ["ask"]
    return JSONResponse(wire.MeOut(name=user, groups=["everyone"], scopes=scopes, via="proxy").model_dump())


async def seen(_request: Request) -> Response:
    """What was asked so far."""
    return JSONResponse(SEEN)


def app() -> Starlette:
    """The stub as an ASGI application."""
    routes: list[tuple[str, Callable[[Request], Awaitable[Response]], str]] = [
        ("/ask", ask, "POST"),
        ("/search", search, "POST"),
        ("/documents", documents, "GET"),
        ("/folders", folders, "GET"),
        ("/uploads", uploads, "GET"),
        ("/documents/{document_id}", document, "GET"),
        ("/me", me, "GET"),
        ("/seen", seen, "GET"),
    ]
    own = [Route(path, play, methods=[method]) for path, play, method in routes]
    return Starlette(routes=[*own, *history.ROUTES, *administration.ROUTES])


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    uvicorn.run(app(), host="127.0.0.1", port=arguments.parse_args().port, log_level="warning")
