"""A circuit breaker around the chat model and the embedder: a server that keeps failing is left alone for a moment.

             3 failures in a row, or
             nobody is answered any more         5 s later, one caller
    closed ──────────────────────▶ open ──────────────────────────────▶ half open
      ▲                             ▲                                      │ a cheap look, then that caller's question
      │                             └──────────────── it fails ◀───────────┤
      └────────────────────────────── the first token, a vector ◀──────────┘   (everybody else is told at once meanwhile)

Ours, not a library: those there are (pybreaker, aiobreaker, circuitbreaker, purgatory) wrap a call that returns; an answer is
a stream that proves itself by its first token and may still break off, and a caller who leaves is neither success nor failure.
A person hears of it as of any model that is away: quotes and a notice. Answers under way are never cut off by it; where it
opened because a model fell silent (silence.py), their next word closes it. Must not know any vendor.
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
from assistant.adapters.silence import Silence
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
        self.now = now
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False
        self._last: AssistantError | None = None
        self.is_suspected = False
        self._turn = threading.Lock()
        self.suspects: Callable[[], AssistantError | None] = lambda: None
        """Asked while the breaker is closed: why the server should be left alone although no call has failed, or None."""

    @property
    def state(self) -> State:
        """Whether calls go through (closed), one is tried (half open), or none."""
        if self._opened_at is None and not self._grew_suspicious():
            return "closed"
        return "half open" if self._is_probing else "open"

    @property
    def is_resting(self) -> bool:
        """Whether a call would be refused just now; False as soon as one may be tried."""
        return self.state != "closed" and (self._is_probing or not self._is_due())

    @property
    def last_failure(self) -> AssistantError | None:
        """What the server failed with last."""
        return self._last

    @contextmanager
    def call(self) -> Iterator[Call | None]:
        """One call to the server, to be told how it went; None when the server is left alone just now.

        A call that ends without being told (its caller left) counts for nothing.
        """
        self._grew_suspicious()
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

    def _grew_suspicious(self) -> bool:
        """Whether the breaker has just been opened on suspicion."""
        error = self.suspects() if self._opened_at is None else None
        if error is None:
            return False
        with self._turn:
            self._last, self.is_suspected = error, True
            self._open(error)
        return True

    def _open(self, error: AssistantError) -> None:
        if self._opened_at is None:
            self.openings += 1
            _log.warning("breaker_opened", dependency=self.name, code=error.code)
        self._opened_at = self.now()

    def lives(self) -> None:
        """A call that began earlier goes on: a suspicion was wrong, failures stay what they were."""
        if self.is_suspected:
            self.succeeded(is_whole=False)

    def _is_due(self) -> bool:
        return self._opened_at is not None and self.now() - self._opened_at >= self.pause_seconds

    def succeeded(self, *, is_whole: bool) -> None:
        """The server works; only a whole success makes earlier failures forgotten."""
        with self._turn:
            if self._opened_at is not None:
                _log.info("breaker_closed", dependency=self.name)
            self._opened_at = None
            self._is_probing = self.is_suspected = False
            if is_whole:
                self._failures = 0

    def failed(self, error: AssistantError, *, is_probe: bool) -> None:
        """One more failure; calls that began before the opening do not prolong it."""
        with self._turn:
            self._last = error
            self._failures += 1
            if is_probe or (self._opened_at is None and self._failures >= self._most):
                self._open(error)


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
        self._breaker.lives()

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
        self._silence = Silence(breaker.now)
        breaker.suspects = self._fell_silent

    def resting(self) -> ModelUnavailable | None:
        """What a question would be told at once, while the model is left alone; None while it may be asked."""
        return ModelUnavailable(*_paused(self.breaker)) if self.breaker.is_resting else None

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """The model's own tokens. Raises what the model raises, and ModelUnavailable at once while it is left alone."""
        with self.breaker.call() as call:
            if call is None:
                raise ModelUnavailable(*_paused(self.breaker))
            listening, is_whole = self._silence.begin(), False
            try:
                if call.is_probe:
                    await self._model.check()
                async with aclosing(
                    self._model.stream(prompt, num_predict=num_predict, alternatives=alternatives)
                ) as pieces:
                    async for piece in pieces:
                        listening.heard()
                        call.works()
                        yield piece
                is_whole = True
                call.ended()
            except (ModelUnavailable, ModelTimeout, AnswerAborted) as error:
                call.failed(error)
                raise
            finally:
                self._silence.end(listening, is_whole=is_whole)

    def _fell_silent(self) -> ModelTimeout | None:
        seconds = self._silence.seconds
        return None if seconds is None else _silent(seconds)


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
    what = "fell silent" if breaker.is_suspected else "failed in a row"
    return DependencyState(
        state.name,
        "warn",
        f"answers, but is left alone for {breaker.pause_seconds:g} s at a time since it {what}{why}",
        "" if last is None else last.hint.ja,
        "" if last is None else last.hint.en,
    )


def _paused(breaker: Breaker) -> tuple[Text, Text]:
    """Message and hint while a server is left alone: what it failed with, and for how long nobody asks it."""
    last, seconds = breaker.last_failure, breaker.pause_seconds
    if last is None:
        raise RuntimeError("only an open breaker refuses")
    why_ja, why_en = (
        ("", "It") if breaker.is_suspected else ("続けて失敗したため、", "It failed several times in a row and")
    )
    message = Text(
        ja=f"{last.message.ja}{why_ja}{seconds:g} 秒ほど問い合わせを休んでいます。",
        en=f"{last.message.en} {why_en} is left alone for about {seconds:g} seconds.",
    )
    return message, last.hint


def _silent(seconds: float) -> ModelTimeout:
    return ModelTimeout(
        Text(
            ja=f"モデルはどの質問にも {seconds:.0f} 秒間、一語も返していません。",
            en=f"The model has not said a word to any question for {seconds:.0f} seconds.",
        ),
        Text(
            ja="モデルのサーバーが止まっていないか、ログを確かめてください。",
            en="See in the model server's log whether it hangs.",
        ),
    )


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
