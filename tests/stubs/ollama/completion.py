"""One answer, token by token: waiting for a slot, the prompt's cut, the pace, the faults. Knows no HTTP shape."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from tests.stubs.ollama.answerer import answer
from tests.stubs.ollama.faults import ANSWER_KINDS, Rule
from tests.stubs.ollama.prompt import fitted
from tests.stubs.ollama.runners import Runner
from tests.stubs.ollama.state import Call, Pace, Refusal
from tests.stubs.ollama.stub import Stub
from tests.stubs.ollama.tokens import output_pieces

REPEATS_ALLOWED = 30
"""One more equal piece in a row and 0.17 ends the stream without a last line."""
LONGEST_IN_CONTEXTS = 10
"""num_predict is cut down to this many times num_ctx."""
SHORTEST_NANOSECONDS = 1_000


@dataclass(frozen=True)
class Finished:
    """The end of an answer."""

    done_reason: str
    prompt_tokens: int
    prompt_nanoseconds: int
    answer_tokens: int
    answer_nanoseconds: int


@dataclass(frozen=True)
class Request:
    """What a completion needs to know of its request."""

    prompt: str
    options: dict[str, Any]
    truncate: bool
    shift: bool
    answer_format: Any


@dataclass(frozen=True)
class _Plan:
    pieces: list[str]
    done_reason: str
    prompt_tokens: int

    def answer_tokens(self) -> int:
        """Pieces, and the end-of-text token where the model came to its own end."""
        return len(self.pieces) + (1 if self.done_reason == "stop" else 0)


async def complete(stub: Stub, runner: Runner, request: Request, *, call: Call) -> AsyncGenerator[str | Finished, None]:
    """Pieces of text, then ``Finished``; without it where a fault or the repeat guard ends the answer.

    Raises ``Refusal`` (before the first piece, or in mid-answer by a fault) and ``ConnectionCut``.
    """
    async with runner.slot():
        prefill = stub.faults.take(call.path, ("prefill",))
        started = time.perf_counter_ns()
        plan = _plan(stub, runner, request, call=call)
        await asyncio.sleep(prefill.seconds if prefill else stub.settings.prefill_seconds)
        prompt_done = time.perf_counter_ns()
        rule = stub.faults.take(call.path, ANSWER_KINDS)
        pace = Pace(stub.settings.tokens_per_second)
        last, repeats = "", 0
        is_endless = stub.faults.take(call.path, ("endless",)) is not None
        for number, piece in enumerate(itertools.cycle(plan.pieces) if is_endless else plan.pieces):
            if rule is not None and number == rule.after_tokens and _is_ended_by(rule, call, pace):
                return
            await pace.step()
            repeats = repeats + 1 if piece.strip() == last else 0
            last = piece.strip()
            if repeats > REPEATS_ALLOWED:
                return
            yield piece
            call.reply.count_token()
        if rule is not None and rule.after_tokens >= len(plan.pieces) and _is_ended_by(rule, call, pace):
            return
        yield Finished(
            plan.done_reason,
            plan.prompt_tokens,
            max(SHORTEST_NANOSECONDS, prompt_done - started),
            plan.answer_tokens(),
            max(SHORTEST_NANOSECONDS, time.perf_counter_ns() - prompt_done),
        )


def _plan(stub: Stub, runner: Runner, request: Request, *, call: Call) -> _Plan:
    """All pieces of the answer and why it will end."""
    num_ctx, options = runner.num_ctx, request.options
    if isinstance(request.answer_format, str) and request.answer_format not in ("", "json"):
        wrong = f'"\\"{request.answer_format}\\""'
        raise Refusal(500, f'invalid format: {wrong}; expected "json" or a valid JSON Schema object')
    text, prompt_tokens = fitted(
        runner.model, request.prompt, num_ctx=num_ctx, num_keep=options["num_keep"], truncate=request.truncate
    )
    fixed = stub.faults.take(call.path, ("answer",))
    said = fixed.text if fixed else answer(text, answer_format=request.answer_format)
    for stop in options["stop"]:
        said = said.split(stop, 1)[0] if stop else said
    pieces = output_pieces(said)
    longest = LONGEST_IN_CONTEXTS * num_ctx
    allowed = longest if options["num_predict"] < 0 else min(options["num_predict"], longest)
    if not request.shift:
        allowed = min(allowed, num_ctx - prompt_tokens + 1)
    if len(pieces) < allowed:
        return _Plan(pieces, "stop", prompt_tokens)
    return _Plan(pieces[:allowed], "length", prompt_tokens)


def _is_ended_by(rule: Rule, call: Call, pace: Pace) -> bool:
    """Let a fault happen; whether the answer ends here without a last line."""
    if rule.kind == "stall":
        pace.stall(rule.seconds)
        return False
    if rule.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if rule.kind == "stop":
        raise call.reply.cut()
    if rule.kind == "error":
        raise Refusal(500, rule.text)
    return True
