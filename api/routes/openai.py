"""GET /v1/models, POST /v1/chat/completions: the assistant for programs that speak OpenAI's interface.

The last user message is the question and the documents are the context; earlier messages are not read. The answer comes
from the same ask() as everywhere, with `citations` as an extra field and a list of sources under the text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response

from api import examples
from api.deps import Asker
from api.edge import edge_of, request_id_of
from api.errors import ModelUnknown
from api.openai_shapes import (
    OFFERED_MODEL,
    ChatIn,
    ChatOut,
    ChoiceOut,
    ModelOut,
    ModelsOut,
    ReplyOut,
    UsageOut,
    chunk,
    usage_chunk,
)
from api.openai_text import StreamedText, sources_of
from api.problems import note_error, openai_error, problem_for
from api.routes.ask import Asking, question_of
from api.stream import HEARTBEAT, STATUS_HUNG_UP, Events, Frames, open_stream
from assistant.domain import Answer, Failed, Finished, Found, Token
from assistant.errors import Text
from assistant.wire import CitationOut

router = APIRouter(prefix="/v1", tags=["openai"])


@router.get(
    "/models",
    operation_id="list_models",
    summary="The one model that stands for the assistant",
    responses={200: {"content": examples.content("MODELS")}, **examples.openai_problems(401, 403)},
)
async def list_models(_: Asker) -> ModelsOut:
    """The id to use as `model`."""
    return ModelsOut(data=[ModelOut(id=OFFERED_MODEL)])


@router.post(
    "/chat/completions",
    operation_id="create_chat_completion",
    summary="Ask in OpenAI's shape",
    response_model=ChatOut,
    responses={
        200: {"content": examples.content("CHAT_ANSWER") | examples.CHAT_STREAM},
        **examples.openai_problems(401, 403, 404, 413, 422, 429, 503, 504),
    },
    openapi_extra=examples.body("CHAT"),
)
async def create_chat_completion(body: ChatIn, request: Request, principal: Asker) -> ChatOut | Response:
    """The answer to the last user message, whole or as chunks."""
    question = question_of(request, body.question, principal=principal, earlier=body.earlier, talk_key=body.opening)
    if body.model not in {OFFERED_MODEL, edge_of(request).assistant.chat_model_name}:
        raise ModelUnknown(
            Text(ja=f"モデル {body.model} はありません。", en=f"There is no model {body.model}."),
            Text(ja=f"{OFFERED_MODEL} を指定してください。", en=f"Use {OFFERED_MODEL}."),
        )
    asking = Asking(request, question)
    if body.stream:
        return await open_stream(request, asking, encode=_encoder(has_sources=body.sources, has_usage=body.has_usage))
    answer = await asking.answer()
    if answer is None:
        return Response(status_code=STATUS_HUNG_UP)
    sources = sources_of(answer.citations, language=answer.language) if body.sources else ""
    return ChatOut(
        id=f"chatcmpl-{answer.answer_id}",
        created=int(time.time()),
        model=OFFERED_MODEL,
        choices=[ChoiceOut(message=ReplyOut(content=answer.text + sources))],
        usage=UsageOut.from_domain(answer.context),
        **_extras(answer),
    )


def _extras(answer: Answer) -> dict[str, Any]:
    return {
        "citations": [CitationOut.from_domain(c).model_dump(mode="json") for c in answer.citations],
        "mode": answer.mode.value,
        "refused": answer.refused,
        "warnings": list(dict.fromkeys(n.code for n in answer.notices)),
        "request_id": answer.request_id,
    }


def _encoder(*, has_sources: bool, has_usage: bool) -> Callable[[Request, Events], Frames]:
    def encode(request: Request, events: Events) -> Frames:
        return _chat_frames(request, events, has_sources=has_sources, has_usage=has_usage)

    return encode


async def _chat_frames(request: Request, events: Events, *, has_sources: bool, has_usage: bool) -> Frames:
    """Chunks, then the last one with the citations and `[DONE]`; an error ends the stream instead of `[DONE]`."""
    completion_id, created = f"chatcmpl-{request_id_of(request)}", int(time.time())
    text = StreamedText()

    def content(piece: str) -> bytes:
        return _frame(chunk(completion_id, created=created, delta={"content": piece}))

    yield _frame(chunk(completion_id, created=created, delta={"role": "assistant", "content": ""}))
    async with aclosing(events):
        async for event in events:
            match event:
                case None:
                    yield HEARTBEAT
                case Found():
                    text.passage_count = len(event.passages)
                case Token():
                    if piece := text.add(event.text):
                        yield content(piece)
                case Finished():
                    answer = event.answer
                    sources = sources_of(answer.citations, language=answer.language) if has_sources else ""
                    if piece := text.finish(answer) + sources:
                        yield content(piece)
                    extras = _extras(answer)
                    yield _frame(chunk(completion_id, created=created, delta={}, finish_reason="stop", **extras))
                    if has_usage:
                        usage = UsageOut.from_domain(answer.context)
                        yield _frame(usage_chunk(completion_id, created=created, usage=usage))
                    yield b"data: [DONE]\n\n"
                case Failed():
                    note_error(request, event.error)
                    yield _frame(openai_error(problem_for(request, event.error)))


def _frame(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
