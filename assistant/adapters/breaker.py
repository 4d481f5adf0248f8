"""A circuit breaker around the chat model and the embedder: a server that keeps failing is left alone for a moment.

             3 failures in a row                 5 s later, one caller
    closed ──────────────────────▶ open ──────────────────────────────▶ half open
      ▲                             ▲                                      │ a cheap look, then that caller's question
      │                             └──────────────── it fails ◀───────────┤
      └────────────────────────────── the first token, a vector ◀──────────┘   (everybody else is told at once meanwhile)

Ours, not a library: those there are (pybreaker, aiobreaker, circuitbreaker, purgatory) wrap a call that returns; an answer is
a stream that proves itself by its first token and may still break off, and a caller who leaves is neither success nor failure.
A person hears of it as of any model that is away: quotes and a notice. Must not know any vendor.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Literal

import structlog

from assistant.adapters.model_http import QUESTION_SECONDS
from assistant.domain import DependencyState, ModelEnd, ModelToken
from assistant.errors import (
    AnswerAborted,
    AssistantError,
    EmbedderUnavailable,
    ModelTimeout,
    ModelUnavailable,
    Text,
)
from assistant.ports import ChatModel, Embedder, Vectors
from assistant.wrapped import WrappedChatModel, WrappedEmbedder

_log = structlog.get_logger(__name__)

FAILURES = 3
"""In a row: one may be chance, and two people should not lose their answers to one prompt that the server dislikes."""
PAUSE_SECONDS = 5.0
"""A server that restarts is back within this time or a few of it; a look costs nobody more than a connection attempt."""
State = Literal["closed", "half open", "open"]


class Breaker:
    """Counts failures in a row of one server; thread-safe."""

    def __init__(
        self,
        name: str,
        *,
        failures: int = FAILURES,
        pause_seconds: float = PAUSE_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.pause_seconds = pause_seconds
        self.openings = 0
        self._most = failures
        self._now = now
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False
        self._last: AssistantError | None = None
        self._turn = threading.Lock()

    @property
    def state(self) -> State:
        """Whether calls go through (closed), one is tried (half open), or none."""
        if self._opened_at is None:
            return "closed"
        return "half open" if self._is_probing else "open"

    @property
    def is_resting(self) -> bool:
        """Whether a call would be refused just now; False as soon as one may be tried."""
        return self._opened_at is not None and (self._is_probing or not self._is_due())

    @property
    def last_failure(self) -> AssistantError | None:
        """What the server failed with last."""
        return self._last

    @contextmanager
    def call(self) -> Iterator[Call | None]:
        """One call to the server, to be told how it went; None when the server is left alone just now.

        A call that ends without being told (its caller left) counts for nothing.
        """
        with self._turn:
            is_open = self._opened_at is not None
            is_probe = is_open and not self._is_probing and self._is_due()
            if is_probe:
                self._is_probing = True
        if is_open and not is_probe:
            yield None
            return
        try:
            yield Call(self, is_probe=is_probe)
        finally:
            if is_probe:
                self._is_probing = False

    def _is_due(self) -> bool:
        return self._opened_at is not None and self._now() - self._opened_at >= self.pause_seconds

    def succeeded(self, *, is_whole: bool) -> None:
        """The server works; only a whole success makes earlier failures forgotten."""
        with self._turn:
            if self._opened_at is not None:
                _log.info("breaker_closed", dependency=self.name)
            self._opened_at = None
            self._is_probing = False
            if is_whole:
                self._failures = 0

    def failed(self, error: AssistantError, *, is_probe: bool) -> None:
        """One more failure; calls that began before the opening do not prolong it."""
        with self._turn:
            self._last = error
            self._failures += 1
            if is_probe or (self._opened_at is None and self._failures >= self._most):
                if self._opened_at is None:
                    self.openings += 1
                    _log.warning("breaker_opened", dependency=self.name, code=error.code)
                self._opened_at = self._now()


class Call:
    """One call through a breaker."""

    def __init__(self, breaker: Breaker, *, is_probe: bool) -> None:
        self._breaker = breaker
        self.is_probe = is_probe

    def works(self) -> None:
        """The server has begun to answer."""
        if self.is_probe:
            self._breaker.succeeded(is_whole=False)
            self.is_probe = False

    def ended(self) -> None:
        """The server has answered, be it with a refusal of this very request."""
        self._breaker.succeeded(is_whole=True)

    def failed(self, error: AssistantError) -> None:
        """The server did not answer, or not to the end. What no retry would help against is an answer."""
        if error.permanent:
            self.ended()
        else:
            self._breaker.failed(error, is_probe=self.is_probe)


class GuardedChatModel(WrappedChatModel):
    """A chat model behind a breaker; its `check` asks whatever the breaker says."""

    def __init__(self, model: ChatModel, breaker: Breaker) -> None:
        super().__init__(model)
        self.breaker = breaker

    def resting(self) -> ModelUnavailable | None:
        """What a question would be told at once, while the model is left alone; None while it may be asked."""
        return ModelUnavailable(*_paused(self.breaker)) if self.breaker.is_resting else None

    async def stream(self, prompt: str, *, num_predict: int) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """The model's own tokens. Raises what the model raises, and ModelUnavailable at once while it is left alone."""
        with self.breaker.call() as call:
            if call is None:
                raise ModelUnavailable(*_paused(self.breaker))
            try:
                if call.is_probe:
                    await self._model.check()
                async with aclosing(self._model.stream(prompt, num_predict=num_predict)) as pieces:
                    async for piece in pieces:
                        call.works()
                        yield piece
                call.ended()
            except (ModelUnavailable, ModelTimeout, AnswerAborted) as error:
                call.failed(error)
                raise


class GuardedEmbedder(WrappedEmbedder):
    """An embedder whose questions are behind a breaker and a time limit; see ports.Embedder. Ingestion waits and tries again
    by rules of its own, so its texts go straight through."""

    def __init__(self, embedder: Embedder, breaker: Breaker, *, question_seconds: float = QUESTION_SECONDS) -> None:
        super().__init__(embedder)
        self._question_seconds = question_seconds
        self._identity: str | None = None
        self.breaker = breaker

    @property
    def embedder_id(self) -> str:
        """The embedder's own. Raises what it raises, and EmbedderUnavailable at once while it is left alone."""
        if self._identity is None:
            with self.breaker.call() as call:
                if call is None:
                    raise EmbedderUnavailable(*_paused(self.breaker))
                try:
                    self._identity = self._embedder.embedder_id
                except EmbedderUnavailable as error:
                    call.failed(error)
                    raise
                call.works()
        return self._identity

    async def embed_query(self, text: str) -> Vectors:
        """Vector of a question. Raises EmbedderUnavailable after the time limit, or at once while it is left alone."""
        with self.breaker.call() as call:
            if call is None:
                raise EmbedderUnavailable(*_paused(self.breaker))
            try:
                async with asyncio.timeout(self._question_seconds):
                    vector = await self._embedder.embed_query(text)
            except TimeoutError as late:
                error = _too_late(self._question_seconds)
                call.failed(error)
                raise error from late
            except EmbedderUnavailable as error:
                call.failed(error)
                raise
            call.ended()
            return vector

    def check(self) -> None:
        """The embedder's own, whatever the breaker says; its identity is asked for anew afterwards."""
        self._embedder.check()
        self._identity = None


def seen_through(state: DependencyState, breakers: Sequence[Breaker]) -> DependencyState:
    """The state; a dependency that answers, but is left alone because it failed before, is `warn`."""
    breaker = next((each for each in breakers if each.name == state.name and each.state != "closed"), None)
    if breaker is None or state.state != "ok":
        return state
    last = breaker.last_failure
    why = "" if last is None else f": {last.message.en}"
    return DependencyState(
        state.name,
        "warn",
        f"answers, but is left alone for {breaker.pause_seconds:g} s at a time since it failed in a row{why}",
        "" if last is None else last.hint.ja,
        "" if last is None else last.hint.en,
    )


def _paused(breaker: Breaker) -> tuple[Text, Text]:
    """Message and hint while a server is left alone: what it failed with, and for how long nobody asks it."""
    last, seconds = breaker.last_failure, breaker.pause_seconds
    if last is None:
        raise RuntimeError("only an open breaker refuses")
    message = Text(
        ja=f"{last.message.ja}続けて失敗したため、{seconds:g} 秒ほど問い合わせを休んでいます。",
        en=f"{last.message.en} It failed several times in a row and is left alone for about {seconds:g} seconds.",
    )
    return message, last.hint


def _too_late(seconds: float) -> EmbedderUnavailable:
    return EmbedderUnavailable(
        Text(
            ja=f"質問の埋め込みが {seconds:g} 秒以内に終わりませんでした。",
            en=f"The question was not embedded within {seconds:g} seconds.",
        ),
        Text(
            ja="少し待って再度お試しください。続くときは埋め込みサーバーのログを確かめてください。",
            en="Wait a little and ask again. If it goes on, look into the embedding server's log.",
        ),
    )
