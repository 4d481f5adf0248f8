"""One log line for each call of the chat model: how long, how many tokens, how it ended; never a word of it.

The line carries the request's id, which nginx gave or took over and the API bound, so that one id finds a question in all
three logs. Must not know any vendor.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from assistant.domain import ModelEnd, ModelToken
from assistant.errors import AssistantError
from assistant.wrapped import WrappedChatModel

_log = structlog.get_logger(__name__)


class RecordedChatModel(WrappedChatModel):
    """A chat model whose calls are logged; see ports.ChatModel."""

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """The model's own tokens and errors. `outcome` in the log: `answered`, `left` by the reader, or the error's code."""
        begun = time.perf_counter()
        first_seconds: float | None = None
        pieces, outcome, prompt_tokens = 0, "left", None
        try:
            async with aclosing(
                self._model.stream(prompt, num_predict=num_predict, alternatives=alternatives)
            ) as answer:
                async for piece in answer:
                    if isinstance(piece, ModelEnd):
                        outcome, prompt_tokens = "answered", piece.prompt_tokens
                    elif first_seconds is None:
                        first_seconds = time.perf_counter() - begun
                    pieces += isinstance(piece, ModelToken)
                    yield piece
        except AssistantError as error:
            outcome = error.code
            raise
        finally:
            _log.info(
                "model_call",
                model=self._model.name,
                outcome=outcome,
                seconds=round(time.perf_counter() - begun, 3),
                first_token_seconds=None if first_seconds is None else round(first_seconds, 3),
                prompt_tokens=prompt_tokens,
                pieces=pieces,
            )
