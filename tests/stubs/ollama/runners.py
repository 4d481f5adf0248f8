"""Loaded models: loading, reloading, waiting for a slot, unloading. Knows no HTTP and no prompt.

A runner belongs to the model file (blob), not to a name: two models from the same file share it, and a request whose
runner options differ reloads it. Requests that fit a loaded runner wait for one of its slots, first come first served,
without limit; only requests that wait for a load are counted against the queue's limit (503).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.stubs.ollama.binding import RUNNER_OPTIONS
from tests.stubs.ollama.library import Model
from tests.stubs.ollama.state import Refusal, Settings

FOREVER_NANOSECONDS = 2**63 - 1
SMALLEST_NUM_CTX = 4
QUEUE_FULL = "server busy, please try again.  maximum pending requests exceeded"


@dataclass(eq=False)
class Runner:
    """One loaded model file."""

    model: Model
    """As it was when it was loaded: /api/ps shows this name and digest, whatever name later requests use."""
    digest: str
    options: tuple[Any, ...]
    num_ctx: int
    parallel: int
    keep_alive_seconds: float
    slots: asyncio.Semaphore
    users: int = 0
    running: int = 0
    waiting: int = 0
    idle_since_nanoseconds: int = field(default_factory=time.time_ns)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def expires_at_nanoseconds(self) -> int:
        """When it will be unloaded, in nanoseconds since 1970."""
        if self.keep_alive_seconds < 0:
            return self.idle_since_nanoseconds + FOREVER_NANOSECONDS
        return self.idle_since_nanoseconds + int(self.keep_alive_seconds * 1e9)

    def memory_bytes(self) -> int:
        """Weights, and keys and values for every slot."""
        weights = self.model.weights
        return weights.size_bytes + self.num_ctx * self.parallel * weights.kv_bytes_per_token()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the runner's slots, after waiting for it; free again at once when the holder is cancelled."""
        self.waiting += 1
        try:
            await self.slots.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self.slots.release()


class Runners:
    """All loaded models of one stub."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: dict[str, Runner] = {}
        self._load_lock = asyncio.Lock()
        self._waiting_for_load = 0

    def loaded(self) -> list[Runner]:
        """What is loaded now, the one that stays longest first."""
        now = time.time_ns()
        for blob, runner in list(self._loaded.items()):
            if not runner.users and runner.expires_at_nanoseconds() <= now:
                del self._loaded[blob]
        return sorted(self._loaded.values(), key=lambda runner: -runner.expires_at_nanoseconds())

    @asynccontextmanager
    async def using(
        self, model: Model, *, options: dict[str, Any], keep_alive_seconds: float | None
    ) -> AsyncIterator[Runner]:
        """The model's runner, loaded with these options; it is not unloaded while in use."""
        runner = await self._fitting(model, options)
        if keep_alive_seconds is not None:
            runner.keep_alive_seconds = keep_alive_seconds
        runner.users += 1
        runner.idle.clear()
        try:
            yield runner
        finally:
            runner.users -= 1
            runner.idle_since_nanoseconds = time.time_ns()
            if not runner.users:
                runner.idle.set()
                if runner.keep_alive_seconds == 0:
                    self._forget(runner)

    def unload(self, model: Model) -> None:
        """Unload the model's file as soon as nobody uses it."""
        runner = self._loaded.get(model.weights.blob)
        if runner is not None:
            runner.keep_alive_seconds = 0
            if not runner.users:
                self._forget(runner)

    async def _fitting(self, model: Model, options: dict[str, Any]) -> Runner:
        wanted = tuple(options[name] for name in RUNNER_OPTIONS)
        runner = self._loaded_with(model, wanted)
        if runner is not None:
            return runner
        if self._waiting_for_load >= self._settings.max_queue:
            raise Refusal(503, QUEUE_FULL)
        self._waiting_for_load += 1
        try:
            async with self._load_lock:
                return self._loaded_with(model, wanted) or await self._load(model, wanted)
        finally:
            self._waiting_for_load -= 1

    def _loaded_with(self, model: Model, wanted: tuple[Any, ...]) -> Runner | None:
        self.loaded()
        runner = self._loaded.get(model.weights.blob)
        return runner if runner is not None and runner.options == wanted else None

    async def _load(self, model: Model, wanted: tuple[Any, ...]) -> Runner:
        present = self._loaded.get(model.weights.blob)
        if present is None and len(self._loaded) >= self._settings.max_loaded_models:
            present = min(self._loaded.values(), key=lambda each: (each.users > 0, each.expires_at_nanoseconds()))
        if present is not None:
            while present.users:
                await present.idle.wait()
            self._forget(present)
        await asyncio.sleep(self._settings.load_seconds)
        weights = model.weights
        parallel = 1 if weights.is_embedder else self._settings.parallel
        runner = Runner(
            model=model,
            digest=model.digest(),
            options=wanted,
            num_ctx=min(max(int(wanted[0]), SMALLEST_NUM_CTX), weights.context_length),
            parallel=parallel,
            keep_alive_seconds=self._settings.keep_alive_seconds,
            slots=asyncio.Semaphore(parallel),
        )
        self._loaded[weights.blob] = runner
        return runner

    def _forget(self, runner: Runner) -> None:
        if self._loaded.get(runner.model.weights.blob) is runner:
            del self._loaded[runner.model.weights.blob]
