"""Which release answers a question: the standing row of the ledger is read for each, so that a new one needs no restart.

question ─▶ standing (one row) ─▶ same revision: the pipeline at hand
                                └ another: one is built of the release's content, once; open questions keep theirs

While a canary runs, a share of the conversations gets the other release, each always the same one. A ledger that is away
changes nothing here. Must not know settings: wiring.py hands it what builds a pipeline.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import structlog

from assistant.ask import Pipeline
from assistant.domain import DependencyState, Question
from assistant.errors import AssistantError, ModelError, StoreUnavailable
from assistant.ports import AskLedger, ModelHost
from assistant.release.drift import drift
from assistant.releases import Release, Standing

_log = structlog.get_logger(__name__)

KEPT = 4
"""Pipelines at hand: the published one, the former one, a canary and a draft that somebody looks at."""


class _Ledger(Protocol):
    def standing(self) -> Standing:
        """See ports.ReleaseLedger."""
        ...

    def release(self, release_id: str) -> Release:
        """See ports.ReleaseLedger."""
        ...

    def without_saving(self) -> AskLedger:
        """Asks without leaving an answer."""
        ...


class Following:
    """The pipelines of releases; `current` is the published one as last seen, `folder` what answers without any."""

    def __init__(
        self,
        ledger: _Ledger,
        folder: Pipeline,
        build: Callable[[Release], Pipeline],
        *,
        host: ModelHost | None = None,
        alias: str = "",
    ) -> None:
        self._ledger = ledger
        self._folder = folder
        self._build = build
        self._host = host
        self._alias = alias
        self._standing = Standing()
        self._built: dict[str, Pipeline] = {}
        self._turn = asyncio.Lock()
        self._problem: AssistantError | None = None
        self.current = folder

    async def refresh(self) -> Standing:
        """Reads the standing; builds what it names when that is new. A release that cannot be built changes nothing."""
        try:
            standing = await asyncio.to_thread(self._ledger.standing)
        except StoreUnavailable:
            return self._standing
        if standing.revision == self._standing.revision:
            return self._standing
        async with self._turn:
            if standing.revision == self._standing.revision:
                return self._standing
            try:
                built = await self._of(standing.release_id)
                if standing.canary_id is not None:
                    await self._of(standing.canary_id)
            except AssistantError as error:
                if self._problem is None or self._problem.message != error.message:
                    _log.error("release_not_followed", release=standing.release_id, error=error.code)
                self._problem = error
                return self._standing
            _log.info("release_followed", release=standing.release_id, revision=standing.revision)
            self._problem, self._standing, self.current = None, standing, built
        return standing

    async def of_question(self, question: Question) -> tuple[Question, Pipeline]:
        """The question, which may have got the id of its conversation, and what answers it."""
        standing = await self.refresh()
        if standing.canary_id is None:
            return question, self.current
        if question.conversation_id is None and not question.earlier:
            question = replace(question, conversation_id="c_" + uuid.uuid4().hex)
        key = question.conversation_id or f"{question.principal.via}:{question.principal.name}"
        chosen = standing.of_conversation(key)
        return question, (self.current if chosen == standing.release_id else await self._of(chosen))

    async def of_release(self, release_id: str) -> Pipeline:
        """What would answer with that release, for administrators. Raises NotFound."""
        release = await asyncio.to_thread(self._ledger.release, release_id)
        async with self._turn:
            return await self._of(release.release_id)

    async def rehearsing(self, release_id: str | None) -> Pipeline:
        """The same, without leaving answers behind; None: what answers now. Raises NotFound."""
        await self.refresh()
        pipeline = self.current if release_id is None else await self.of_release(release_id)
        return replace(pipeline, indexes=replace(pipeline.indexes, ledger=self._ledger.without_saving()))

    async def state(self) -> DependencyState:
        """How the published release stands: followed, and on the model host as it was published."""
        standing = await self.refresh()
        if self._problem is not None:
            seen = f"the published release cannot be used: {self._problem.message.en}"
            return DependencyState("release", "warn", seen, self._problem.hint.ja, self._problem.hint.en)
        if self._host is None or standing.release_id is None:
            return drift(None, {}, alias=self._alias)
        try:
            release = await asyncio.to_thread(self._ledger.release, standing.release_id)
            return drift(release, await self._host.digests(), alias=self._alias)
        except (ModelError, StoreUnavailable) as error:
            hint = error.hint
            return DependencyState("release", "warn", f"not checked: {error.message.en}", hint.ja, hint.en)

    async def _of(self, release_id: str | None) -> Pipeline:
        if release_id is None:
            return self._folder
        release = await asyncio.to_thread(self._ledger.release, release_id)
        key = f"{release_id} {release.model}"
        if key not in self._built:
            while len(self._built) >= KEPT:
                del self._built[next(iter(self._built))]
            self._built[key] = self._build(release)
        return self._built[key]
