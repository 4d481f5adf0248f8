"""What the stub API remembers: conversations, opinions, wishes; and a document's text, receipt and pages."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant import wire
from assistant.wire_excerpt import ExcerptOut
from assistant.wire_history import (
    ConversationDetailOut,
    ConversationOut,
    ConversationsOut,
    ExchangeOut,
    StoredCitationOut,
    UnfinishedOut,
    WantedListOut,
    WantedOut,
)
from tests.stubs.api import content

AT = "2026-04-01T00:00:00.000+00:00"
TITLES = {"conversation-1": "有給休暇の申請", "conversation-2": "Hotel costs"}
UNFINISHED = UnfinishedOut(
    question="And abroad?", language="en", text="Abroad, up to 20,000 yen", created_at="2026-04-01T01:00:00.000+00:00"
)
WISHES: dict[str, WantedOut] = {}
SAID: list[dict[str, Any]] = []


def listed(identifier: str) -> ConversationOut:
    """A conversation in the list."""
    return ConversationOut(
        conversation_id=identifier, title=TITLES[identifier], created_at=AT, updated_at=AT, answers=1
    )


def exchange() -> ExchangeOut:
    """One question of the past, with a citation that still stands and one that is gone."""
    asked = wire.AskIn(question="有給休暇はいつまでに申請しますか?")
    answer = content.answer_for(asked, "request-1")
    cited = [
        StoredCitationOut(**{**c.model_dump(exclude={"url"}), "state": "current", "url": c.url})
        for c in answer.citations
    ]
    gone = {**cited[0].model_dump(), "number": 2, "state": "gone", "is_current": False, "heading_path": []}
    cited.append(StoredCitationOut(**(gone | dict.fromkeys(("title", "path", "page", "quote", "url")))))
    return ExchangeOut(
        answer_id="answer-1",
        question=asked.question,
        rewritten=None,
        answer=answer.answer,
        withheld=False,
        refused=False,
        reason=None,
        mode="generated",
        language="ja",
        warnings=["number_not_in_sources"],
        citations=cited,
        feedback=None,
        release_id="release-1",
        model="company-assistant",
        total_seconds=2.1,
        created_at=AT,
    )


async def conversations(request: Request) -> Response:
    """GET /conversations."""
    query = request.query_params.get("query", "")
    found = [listed(identifier) for identifier, title in TITLES.items() if query in title]
    return JSONResponse(ConversationsOut(conversations=found, next=None).model_dump())


async def conversation(request: Request) -> Response:
    """GET, PATCH, DELETE /conversations/{id}."""
    identifier = request.path_params["identifier"]
    if identifier not in TITLES:
        problem = content.problem("not_found", "none")
        return JSONResponse(problem.model_dump(), status_code=404)
    if request.method == "DELETE":
        del TITLES[identifier]
        return Response(status_code=204)
    if request.method == "PATCH":
        TITLES[identifier] = (await request.json())["title"]
        return JSONResponse(listed(identifier).model_dump())
    return JSONResponse(
        ConversationDetailOut(
            **listed(identifier).model_dump(),
            exchanges=[exchange()],
            unfinished=[UNFINISHED] if identifier == "conversation-2" else [],
            next=None,
        ).model_dump()
    )


async def export(request: Request) -> Response:
    """GET /conversations/{id}/export."""
    return Response(f"{request.path_params['identifier']}.{request.query_params['format']}".encode())


async def opinion(request: Request) -> Response:
    """POST /answers/{id}/feedback."""
    SAID.append({"answer_id": request.path_params["identifier"], **await request.json()})
    return JSONResponse({**SAID[-1], "created_at": AT})


async def want(request: Request) -> Response:
    """POST /answers/{id}/wanted."""
    identifier = request.path_params["identifier"]
    wish = WantedOut(
        wanted_id="w_1",
        question="社宅の申し込み方は?",
        language="ja",
        asked_at=AT,
        answer_id=identifier,
        closed_at=None,
        closed_answer_id=None,
    )
    WISHES[wish.wanted_id] = wish
    return JSONResponse(wish.model_dump())


async def wanted(_request: Request) -> Response:
    """GET /wanted."""
    return JSONResponse(WantedListOut(wanted=list(WISHES.values())).model_dump())


async def forget(request: Request) -> Response:
    """DELETE /wanted/{id}."""
    WISHES.pop(request.path_params["identifier"], None)
    return Response(status_code=204)


async def close(_request: Request) -> Response:
    """POST /close: the wishes can be answered now."""
    for identifier, wish in WISHES.items():
        WISHES[identifier] = wish.model_copy(update={"closed_at": AT, "closed_answer_id": "answer-1"})
    return JSONResponse({})


async def said(_request: Request) -> Response:
    """GET /said: the opinions so far."""
    return JSONResponse(SAID)


async def text(request: Request) -> Response:
    """GET /documents/{id}/text: blanks, with each passage of the document at its place."""
    identifier, start = request.path_params["identifier"], int(request.query_params["start"])
    whole = [" "] * 6000
    found = [p for p in content.PASSAGES if p.document_id == identifier]
    for passage in found:
        whole[passage.start : passage.end] = passage.text
    part = "".join(whole)[start : start + int(request.query_params["limit"])]
    version_id = found[0].version_id if found else "none"
    excerpt = ExcerptOut(
        document_id=identifier,
        version_id=version_id,
        title="t",
        path="p",
        text=part,
        start=start,
        end=start + len(part),
        characters=6000,
    )
    return JSONResponse(excerpt.model_dump())


async def receipt(_request: Request) -> Response:
    """GET /documents/{id}/receipt."""
    return JSONResponse({"owner": "総務部 佐藤"})


async def page(request: Request) -> Response:
    """GET /documents/{id}/pages/{page}: a small picture."""
    written = io.BytesIO()
    Image.new("RGB", (20, 30), "white").save(written, "PNG")
    marks = "1" if request.path_params["page"] == 3 else "0"
    return Response(written.getvalue(), media_type="image/png", headers={"X-Marked-Lines": marks})


ROUTES = [
    Route("/conversations", conversations),
    Route("/conversations/{identifier}", conversation, methods=["GET", "PATCH", "DELETE"]),
    Route("/conversations/{identifier}/export", export),
    Route("/answers/{identifier}/feedback", opinion, methods=["POST"]),
    Route("/answers/{identifier}/wanted", want, methods=["POST"]),
    Route("/wanted", wanted),
    Route("/wanted/{identifier}", forget, methods=["DELETE"]),
    Route("/close", close, methods=["POST"]),
    Route("/said", said),
    Route("/documents/{identifier}/text", text),
    Route("/documents/{identifier}/receipt", receipt),
    Route("/documents/{identifier}/pages/{page:int}", page),
]
