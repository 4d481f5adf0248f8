"""GET, PATCH, DELETE /conversations…: the caller's own conversations. Another's looks as if there were none."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from api import examples, links
from api.deps import Asker
from api.edge import edge_of
from api.export import as_docx, as_json, as_markdown, disposition, filename
from api.ids import looked_up
from api.problems import caller_language
from assistant.domain import Principal
from assistant.wire_history import (
    ConversationDetailOut,
    ConversationIn,
    ConversationOut,
    ConversationsOut,
    ExchangeOut,
    UnfinishedOut,
)
from assistant.wire_words import PlainLine

router = APIRouter(tags=["conversations"])

EXPORT_PAGE = 100
"""Exchanges read at once for an export."""
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXPORT_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox"}


@router.get(
    "/conversations",
    operation_id="list_conversations",
    summary="The caller's conversations, the last used first",
    responses={
        200: {"content": examples.content("CONVERSATIONS"), "links": links.CONVERSATIONS},
        **examples.problems(401, 403, 404, 422, 503),
    },
)
async def list_conversations(
    request: Request,
    principal: Asker,
    *,
    query: Annotated[PlainLine | None, Query(description="Words of the title.")] = None,
    cursor: Annotated[PlainLine | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Conversations per page.")] = 50,
) -> ConversationsOut:
    """One page, and the cursor of the next."""
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.list_conversations, principal=principal, query=query, cursor=cursor, limit=limit)
    conversations, following = await anyio.to_thread.run_sync(call)
    return ConversationsOut(conversations=[ConversationOut.from_domain(c) for c in conversations], next=following)


@router.get(
    "/conversations/{conversation_id}",
    operation_id="get_conversation",
    summary="One conversation with its answers",
    responses={
        200: {"content": examples.content("CONVERSATION"), "links": links.CONVERSATION},
        **examples.problems(401, 403, 404, 422, 503),
    },
)
async def get_conversation(
    conversation_id: str,
    request: Request,
    principal: Asker,
    *,
    cursor: Annotated[PlainLine | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Exchanges per page.")] = 50,
) -> ConversationDetailOut:
    """Its exchanges from the oldest on; what they cite is seen with the caller's rights of today."""
    conversation = await _conversation(request, conversation_id, principal)
    exchanges, following = await _exchanges(request, conversation_id, principal, cursor=cursor, limit=limit)
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.unfinished, looked_up(conversation_id), principal=principal)
    unfinished = [UnfinishedOut.from_domain(one) for one in await anyio.to_thread.run_sync(call)]
    return ConversationDetailOut(
        **conversation.model_dump(), exchanges=exchanges, unfinished=unfinished, next=following
    )


@router.patch(
    "/conversations/{conversation_id}",
    operation_id="rename_conversation",
    summary="Give a conversation another title",
    responses={
        200: {"content": examples.content("CONVERSATION_RENAMED")},
        **examples.problems(401, 403, 404, 413, 422, 503),
    },
    openapi_extra=examples.body("CONVERSATION_TITLE"),
)
async def rename_conversation(
    conversation_id: str, body: ConversationIn, request: Request, principal: Asker
) -> ConversationOut:
    """The conversation with its new title."""
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.rename_conversation, looked_up(conversation_id), title=body.title, principal=principal)
    return ConversationOut.from_domain(await anyio.to_thread.run_sync(call))


@router.delete(
    "/conversations/{conversation_id}",
    operation_id="delete_conversation",
    summary="Delete a conversation with its answers",
    status_code=204,
    responses={204: {"description": "It is gone."}, **examples.problems(401, 403, 404, 503)},
)
async def delete_conversation(conversation_id: str, request: Request, principal: Asker) -> None:
    """Answers, citations and feedback go with it; nobody can bring them back."""
    ledger = edge_of(request).assistant.ledger
    await anyio.to_thread.run_sync(partial(ledger.delete_conversation, looked_up(conversation_id), principal=principal))


@router.get(
    "/conversations/{conversation_id}/export",
    operation_id="export_conversation",
    summary="A conversation as a file",
    response_class=Response,
    responses={
        200: {"content": examples.EXPORTED, "description": "The file."},
        **examples.problems(401, 403, 404, 422, 503),
    },
)
async def export_conversation(
    conversation_id: str,
    request: Request,
    principal: Asker,
    *,
    format: Annotated[
        Literal["md", "json", "docx"], Query(description="md and docx for people, json for programs.")
    ] = "md",
) -> Response:
    """The whole conversation, with the sources of each answer under it."""
    conversation = await _conversation(request, conversation_id, principal)
    exchanges: list[ExchangeOut] = []
    following: str | None = ""
    while following is not None:
        page, following = await _exchanges(
            request, conversation_id, principal, cursor=following or None, limit=EXPORT_PAGE
        )
        exchanges += page
    content: str | bytes
    language = caller_language(request, question=conversation.title)
    if format == "json":
        content, media_type = as_json(conversation, exchanges), "application/json"
    elif format == "docx":
        write = partial(as_docx, conversation, exchanges, language=language)
        content, media_type = await anyio.to_thread.run_sync(write), DOCX
    else:
        content = as_markdown(conversation, exchanges, language=language)
        media_type = "text/markdown; charset=utf-8"
    named = disposition(filename(conversation.title, format))
    return Response(content, media_type=media_type, headers={**EXPORT_HEADERS, "Content-Disposition": named})


async def _conversation(request: Request, conversation_id: str, principal: Principal) -> ConversationOut:
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.get_conversation, looked_up(conversation_id), principal=principal)
    return ConversationOut.from_domain(await anyio.to_thread.run_sync(call))


async def _exchanges(
    request: Request, conversation_id: str, principal: Principal, *, cursor: str | None, limit: int
) -> tuple[list[ExchangeOut], str | None]:
    ledger = edge_of(request).assistant.ledger
    call = partial(ledger.stored_answers, looked_up(conversation_id), principal=principal, cursor=cursor, limit=limit)
    answers, following = await anyio.to_thread.run_sync(call)
    return [ExchangeOut.from_domain(answer) for answer in answers], following
