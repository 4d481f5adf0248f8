"""/api/chat and /api/generate. Knows the shapes of both; what is said comes from completion.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from tests.stubs.ollama.binding import CHAT_FIELDS, GENERATE_FIELDS, bound, merged_options
from tests.stubs.ollama.completion import Finished, Request, complete
from tests.stubs.ollama.library import Model
from tests.stubs.ollama.prompt import rendered, with_modelfile
from tests.stubs.ollama.runners import Runner
from tests.stubs.ollama.state import BARE_JSON_TYPE, Call, Refusal, now_text
from tests.stubs.ollama.stub import Stub
from tests.stubs.ollama.tokens import token_numbers

Shape = Callable[[str], dict[str, Any]]
"""From a piece of text to the middle of a line: ``message`` or ``response``."""


async def chat(stub: Stub, call: Call) -> None:
    """POST /api/chat."""
    await answer_chat(stub, call, bound(call.body, CHAT_FIELDS, struct="ChatRequest"))


async def answer_chat(stub: Stub, call: Call, body: dict[str, Any]) -> None:
    """Answer a checked chat request; /v1/chat/completions comes in here too."""
    await _answer(stub, call, body, kind="chat", messages=body.get("messages") or [], shape=_message)


async def generate(stub: Stub, call: Call) -> None:
    """POST /api/generate: one user message; ``system`` replaces the Modelfile's, ``raw`` leaves the template out."""
    body = bound(call.body, GENERATE_FIELDS, struct="GenerateRequest")
    messages = [{"role": "user", "content": body["prompt"]}] if body.get("prompt") else []
    if messages and body.get("system"):
        messages.insert(0, {"role": "system", "content": body["system"]})
    await _answer(stub, call, body, kind="generate", messages=messages, shape=lambda piece: {"response": piece})


async def _answer(
    stub: Stub, call: Call, body: dict[str, Any], *, kind: str, messages: list[dict[str, Any]], shape: Shape
) -> None:
    started = time.perf_counter_ns()
    name = body.get("model")
    model = stub.model(name)
    if not messages and body.get("keep_alive") == 0:
        stub.runners.unload(model)
        await call.reply.json(_head(body) | shape("") | {"done": True, "done_reason": "unload"})
        return
    if body.get("think"):
        raise Refusal(400, f'"{name}" does not support thinking')
    if model.weights.is_embedder:
        raise Refusal(400, f'"{name}" does not support {kind}')
    if body.get("tools") and "tools" not in model.weights.capabilities:
        raise Refusal(400, f"registry.ollama.ai/library/{model.name} does not support tools")
    options = merged_options(model.parameters, body.get("options"))
    keep_alive = body.get("keep_alive")
    async with stub.runners.using(model, options=options, keep_alive_seconds=keep_alive) as runner:
        load_nanoseconds = time.perf_counter_ns() - started
        if not messages:
            await call.reply.json(_head(body) | shape("") | {"done": True, "done_reason": "load"})
            return
        request = _request(model, body, messages, options=options, num_ctx=runner.num_ctx)
        if body.get("_debug_render_only"):
            empty = {"message": {"role": "", "content": ""}} if kind == "chat" else {"response": ""}
            debug = {"done": False, "_debug_info": {"rendered_template": request.prompt}}
            await call.reply.json(_head(body) | empty | debug)
            return
        lines = _Lines(body, shape=shape, started=started, load_nanoseconds=load_nanoseconds)
        if kind == "generate" and not body.get("raw"):
            lines.prompt = request.prompt
        write = _stream if body.get("stream", True) else _once
        await write(stub, call, runner, request=request, lines=lines)


def _request(
    model: Model, body: dict[str, Any], messages: list[dict[str, Any]], *, options: dict[str, Any], num_ctx: int
) -> Request:
    truncate = body.get("truncate", True)
    prompt = str(body.get("prompt"))
    if not body.get("raw"):
        prompt = rendered(model, with_modelfile(model, messages), num_ctx=num_ctx, truncate=truncate)
    return Request(prompt, options, truncate, body.get("shift", True), body.get("format"))


class _Lines:
    """The shapes of one answer's lines."""

    def __init__(self, body: dict[str, Any], *, shape: Shape, started: int, load_nanoseconds: int) -> None:
        self._body, self._shape = body, shape
        self._started, self._load_nanoseconds = started, load_nanoseconds
        self.prompt: str | None = None
        """Set where the last line has to carry ``context``."""

    def piece(self, text: str) -> dict[str, Any]:
        """A line in the middle; also the whole answer where it ended without a last line."""
        return _head(self._body) | self._shape(text) | {"done": False}

    def last(self, text: str, end: Finished, *, said: str) -> dict[str, Any]:
        """The line with the counts; durations are nanoseconds."""
        context = {"context": token_numbers(self.prompt + said)} if self.prompt is not None else {}
        return (
            _head(self._body)
            | self._shape(text)
            | {"done": True, "done_reason": end.done_reason}
            | context
            | {
                "total_duration": time.perf_counter_ns() - self._started,
                "load_duration": self._load_nanoseconds,
                "prompt_eval_count": end.prompt_tokens,
                "prompt_eval_duration": end.prompt_nanoseconds,
                "eval_count": end.answer_tokens,
                "eval_duration": end.answer_nanoseconds,
            }
        )


async def _stream(stub: Stub, call: Call, runner: Runner, *, request: Request, lines: _Lines) -> None:
    said = ""
    try:
        async with aclosing(complete(stub, runner, request, call=call)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    await call.reply.line(lines.last("", event, said=said))
                else:
                    said += event
                    await call.reply.line(lines.piece(event))
    except Refusal as refusal:
        if not call.reply.has_started:
            await call.reply.refuse(refusal, content_type=BARE_JSON_TYPE)
            return
        await call.reply.line({"error": refusal.text})
    await call.reply.end()


async def _once(stub: Stub, call: Call, runner: Runner, *, request: Request, lines: _Lines) -> None:
    said, end = "", None
    async with aclosing(complete(stub, runner, request, call=call)) as events:
        async for event in events:
            if isinstance(event, Finished):
                end = event
            else:
                said += event
    await call.reply.json(lines.last(said, end, said=said) if end else lines.piece(said))


def _head(body: dict[str, Any]) -> dict[str, Any]:
    return {"model": body["model"], "created_at": now_text()}


def _message(piece: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": piece}}
