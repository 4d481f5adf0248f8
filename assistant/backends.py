"""Which model answers a question, and which one is asked when that one does not.

              below the share              ┌ fails before its first piece, or rests ─▶ the other one ─ fails too ─▶ quotes
    key ─▶ 0.00 … 99.99 ──────▶ second ────┤   (a notice says so)
                        ──────▶ first  ────┘

The key is a person's name, so that they stay with one model; of an app it is the conversation, so that one large app moves
gradually as well. A larger share only adds people to those that the second model had already. Must not know vendors.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from assistant.admission import user_of
from assistant.answering import Draft, Writing, generate
from assistant.domain import Notice, Question, Queued, Token
from assistant.errors import AnswerAborted, AssistantError, ModelMissing, ModelTimeout, ModelUnavailable
from assistant.ports import ChatModel, MayRest, Turn

_log = structlog.get_logger(__name__)

MOVED_CODE = "other_model_asked"
"""Code of the notice that a question went to the other model."""
_BUCKETS = 10_000
"""Hundredths of a percent."""


@dataclass(frozen=True)
class SecondModel:
    """The other chat model and the share of people, in percent, whose questions it gets first."""

    model: ChatModel
    share_percent: float = 0.0


@dataclass(frozen=True)
class Backend:
    """A chat model and the number of the line in front of it."""

    model: ChatModel
    line: int

    def resting(self) -> AssistantError | None:
        """Why it is left alone just now; None while it may be asked."""
        return self.model.resting() if isinstance(self.model, MayRest) else None


def order_of(
    question: Question, first: ChatModel | None, second: SecondModel | None, *, conversation_id: str
) -> tuple[Backend, ...]:
    """The models in the order in which this question goes to them; empty without a model."""
    if first is None:
        return ()
    if second is None:
        return (Backend(first, 0),)
    backends = (Backend(first, 0), Backend(second.model, 1))
    is_moved = bucket_of(key_of(question, conversation_id)) < second.share_percent
    return backends[::-1] if is_moved else backends


def key_of(question: Question, conversation_id: str) -> str:
    """What decides about the share: the person; of an app the conversation."""
    user = user_of(question.principal)
    return f"{user}:{question.talk_key or conversation_id}" if question.principal.via == "key" else user


def bucket_of(key: str) -> float:
    """A number from 0 to 99.99 that is the key's own, the same in every process and release."""
    number = int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8], "big")
    return number % _BUCKETS * 100 / _BUCKETS


def at_work(order: tuple[Backend, ...]) -> Backend | None:
    """The first model that does not rest; the first of all when every one does, None without any."""
    return next((backend for backend in order if backend.resting() is None), next(iter(order), None))


async def written(
    draft: Draft, order: tuple[Backend, ...], turn: Turn, writing: Writing
) -> AsyncGenerator[Token | Queued, None]:
    """Tokens of the first model that begins to answer, and the wait for each. Closing it frees the model at once.

    A model that fails once it has begun is not replaced: the reader has seen the beginning of its answer.

    Raises what the last model raised: ContextOverflow, ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted.
    """
    begins_with = at_work(order)
    for number, backend in enumerate(order, start=1):
        other = order[number] if number < len(order) else None
        if other is begins_with and other is not None and (why := backend.resting()) is not None:
            _moved(draft, why, backend, other)  # without standing in its line
            continue
        while (outlook := await turn.outlook(backend.line)) is not None:
            yield outlook
        draft.queue_seconds = turn.waited_seconds
        tokens = generate(draft, backend.model, writing)
        try:
            async with aclosing(tokens):
                async for token in tokens:
                    yield token
            return
        except (ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted) as error:
            if draft.text or other is None:
                raise
            _moved(draft, error, backend, other)


def _moved(draft: Draft, error: AssistantError, asked: Backend, other: Backend) -> None:
    name = other.model.name
    _log.warning("other_model_asked", code=error.code, model=asked.model.name, other=name)
    draft.notices.append(
        Notice(
            code=MOVED_CODE,
            message_ja=f"{error.message.ja}そこで、もう一つのモデル {name} に質問しました。",
            message_en=f"{error.message.en} The question went to the other model, {name}, instead.",
        )
    )
