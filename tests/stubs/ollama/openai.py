"""The /v1 routes: the same answers in OpenAI's shape. num_ctx cannot be sent."""

from __future__ import annotations

import base64
import itertools
import json
import struct
import time
from typing import Any

from tests.stubs.ollama.chat import answer_chat
from tests.stubs.ollama.embedding import embedded
from tests.stubs.ollama.state import BARE_JSON_TYPE, EVENTS_TYPE, Call, Refusal, Shape, dumps
from tests.stubs.ollama.stub import Stub

IDS = itertools.count(100)
FINGERPRINT = "fp_ollama"
BAD_BODY = "invalid_request_error"
COPIED_OPTIONS = ("seed", "temperature", "top_p", "frequency_penalty", "presence_penalty")


async def models(stub: Stub, call: Call) -> None:
    """GET /v1/models."""
    call.reply.shape = OpenAIShape()
    data = [_model(model.name, model.modified_nanoseconds) for model in stub.library.all()]
    await call.reply.json({"object": "list", "data": data or None})


async def model(stub: Stub, call: Call) -> None:
    """GET /v1/models/{name}."""
    call.reply.shape = OpenAIShape()
    name = call.path.removeprefix("/v1/models/")
    found = stub.model(name)
    await call.reply.json(_model(name, found.modified_nanoseconds))


async def chat_completions(stub: Stub, call: Call) -> None:
    """POST /v1/chat/completions, streaming or not."""
    call.reply.shape = OpenAIShape()
    body = _object(call.body)
    options = {"temperature": 1.0, "top_p": 1.0} | {
        key: body[key] for key in COPIED_OPTIONS if body.get(key) is not None
    }
    if body.get("max_tokens") is not None:
        options["num_predict"] = body["max_tokens"]
    if body.get("stop"):
        options["stop"] = [body["stop"]] if isinstance(body["stop"], str) else body["stop"]
    wanted = body.get("response_format") or {}
    formats = {"json_object": "json", "json_schema": (wanted.get("json_schema") or {}).get("schema")}
    native = {
        "model": body.get("model"),
        "messages": [_plain(message) for message in body.get("messages") or []],
        "stream": bool(body.get("stream")),
        "options": options,
        "format": formats.get(wanted.get("type", "")),
    }
    call.reply.shape = _ChatShape(with_usage=bool((body.get("stream_options") or {}).get("include_usage")))
    await answer_chat(stub, call, native)


async def embeddings(stub: Stub, call: Call) -> None:
    """POST /v1/embeddings."""
    call.reply.shape = OpenAIShape()
    body = _object(call.body)
    native = {"model": body.get("model"), "input": body.get("input"), "dimensions": body.get("dimensions") or 0}
    answer = await embedded(stub, call, native)
    in_base64 = str(body.get("encoding_format", "")).lower() == "base64"
    data = [
        {"object": "embedding", "embedding": _base64(vector) if in_base64 else vector, "index": index}
        for index, vector in enumerate(answer["embeddings"])
    ]
    tokens = answer.get("prompt_eval_count", 0)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    await call.reply.json({"object": "list", "data": data, "model": body.get("model"), "usage": usage})


class OpenAIShape(Shape):
    """Whole answers and refusals of the /v1 routes."""

    lines_type = EVENTS_TYPE

    def whole(self, body: dict[str, Any], content_type: str) -> tuple[Any, str]:
        """The answer as it is."""
        return body, BARE_JSON_TYPE

    def refusal(self, refusal: Refusal, content_type: str) -> tuple[Any, str]:
        """An error object; the real server calls all but unreadable bodies ``api_error``."""
        return {"error": {"message": refusal.text, "type": refusal.kind, "param": None, "code": None}}, BARE_JSON_TYPE


class _ChatShape(OpenAIShape):
    """Native chat lines as events; as on the real server an error line becomes an empty chunk."""

    def __init__(self, *, with_usage: bool) -> None:
        self._with_usage = with_usage
        self._id = f"chatcmpl-{next(IDS)}"

    def whole(self, body: dict[str, Any], content_type: str) -> tuple[Any, str]:
        """A chat completion."""
        choice = {"index": 0, "message": body["message"], "finish_reason": body.get("done_reason")}
        return self._head("chat.completion", body) | {"choices": [choice], "usage": _usage(body)}, BARE_JSON_TYPE

    def line(self, body: dict[str, Any]) -> list[bytes]:
        """One event; at the end the usage where it was asked for, and the end mark."""
        content = (body.get("message") or {}).get("content", "")
        delta = {"role": "assistant", "content": content}
        chunk = self._head("chat.completion.chunk", body)
        events = [chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": body.get("done_reason")}]}]
        if body.get("done") and self._with_usage:
            events.append(chunk | {"choices": [], "usage": _usage(body)})
        pieces = [b"data: " + dumps(event) + b"\n\n" for event in events]
        return [*pieces, b"data: [DONE]\n\n"] if body.get("done") else pieces

    def _head(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": int(time.time()),
            "model": body.get("model", ""),
            "system_fingerprint": FINGERPRINT,
        }


def _usage(body: dict[str, Any]) -> dict[str, int]:
    asked, answered = body.get("prompt_eval_count", 0), body.get("eval_count", 0)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _model(name: str, modified_nanoseconds: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": modified_nanoseconds // 1_000_000_000, "owned_by": "library"}


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, list):
        content = "\n\n".join(part.get("text", "") for part in content)
    if not isinstance(content, str):
        raise Refusal(400, "invalid message content type: <nil>", kind=BAD_BODY)
    return {"role": message.get("role", ""), "content": content}


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError as problem:
        raise Refusal(400, "EOF" if not body else "invalid character in the body", kind=BAD_BODY) from problem
    if not isinstance(given, dict):
        raise Refusal(400, "json: cannot unmarshal into Go value of type openai.ChatCompletionRequest", kind=BAD_BODY)
    return given


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
