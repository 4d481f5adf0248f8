"""Ingesting gives way to people: no text is embedded while a question is open, within bounds.

    texts -> a few at a time -> does a person wait? -> short pauses until not, or long enough -> the embedder

Model servers embed one text after the other in the order of arrival, so what an ingestion has sent is what a question
waits for. Must not know which embedder, nor who asks.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import numpy as np

from assistant.ports import Embedder, OpenQuestions, Vectors
from assistant.wrapped import WrappedEmbedder

LONGEST_WAIT_SECONDS = 10.0
"""For one embedding call: about one answer. Somebody who asks all day must not stop ingestion altogether."""
RELIEF_SECONDS = 2.0
"""Work allowed after a wait that ended by its bound: with a question always open, ingestion has a sixth of the time."""
LOOK_SECONDS = 0.05
CALL_SECONDS = 0.15
"""Work of one embedding call, at most, but for a slow single text: what a question that arrives in its middle finds before
it. With 0.6 s waiting gained nothing (docs/lab-notes.md, 2026-11-26); a server works on the texts one by one anyway."""
FIRST_TEXTS, MOST_TEXTS = 1, 64


class Yielding:
    """Waits for people. `waited_seconds` is the time spent on it so far; `stop` ends any wait."""

    def __init__(
        self,
        questions: OpenQuestions | None = None,
        stop: threading.Event | None = None,
        *,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        self._questions = questions
        self._stop = stop or threading.Event()
        self._longest_wait_seconds = longest_wait_seconds
        self._turn = threading.Lock()
        self._free_until = 0.0
        self.waited_seconds = 0.0

    def wait(self) -> None:
        """Returns when no question is open, or after the longest wait, or when the process is asked to end."""
        if self._questions is None:
            return
        with self._turn:
            started = time.monotonic()
            if started < self._free_until or not self._questions.is_any():
                return
            give_up_at = started + self._longest_wait_seconds
            while self._questions.is_any():
                if time.monotonic() >= give_up_at:
                    self._free_until = time.monotonic() + RELIEF_SECONDS
                    break
                if self._stop.wait(LOOK_SECONDS):
                    break
            self.waited_seconds += time.monotonic() - started


class YieldingEmbedder(WrappedEmbedder):
    """The embedder, asked for a few texts at a time and only while no person waits; see ports.Embedder."""

    def __init__(self, embedder: Embedder, yielding: Yielding) -> None:
        super().__init__(embedder)
        self._yielding = yielding
        self._texts = FIRST_TEXTS

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors in order; as many texts at a time as the embedder was seen to take in CALL_SECONDS.

        Raises what the embedder raises.
        """
        if not texts:
            return self._embedder.embed_documents(texts)
        rows: list[Vectors] = []
        start = 0
        while start < len(texts):
            some = texts[start : start + self._texts]
            self._yielding.wait()
            began = time.monotonic()
            rows.append(self._embedder.embed_documents(some))
            each_seconds = max((time.monotonic() - began) / len(some), 1e-6)
            # At most twice as many as before: one quick call (short texts) must not make the next one long.
            self._texts = max(1, min(int(CALL_SECONDS / each_seconds), 2 * self._texts, MOST_TEXTS))
            start += len(some)
        return np.vstack(rows)

    async def embed_query(self, text: str) -> Vectors:
        """Vector of a probe question. Raises what the embedder raises."""
        await asyncio.to_thread(self._yielding.wait)
        return await self._embedder.embed_query(text)
