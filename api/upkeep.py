"""What the server does by itself beside answering: applies the users file when it changes, keeps the audit's age, once a day
asks for the canary's documents at its own doors, and asks questions without an answer again after the documents changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio.to_thread
import httpx
from fastapi import FastAPI

from api.edge import Edge
from api.rechecking import rechecked
from assistant.audit import Act
from assistant.domain import DependencyState
from assistant.errors import AssistantError
from assistant.people import Sync
from assistant.users_file import read_users, sync_users

PRUNE_SECONDS = 24 * 3600.0
CANARY_SECONDS = 600.0
"""Longest answer to a question of the canary, which comes after everybody else's."""
CANARY_PAUSE_SECONDS = 600.0
"""After a check that could not be made, or found nothing planted."""
RECHECK_SECONDS = 30.0
"""Between two looks for questions that the documents may answer now."""

Signature = tuple[int, int, int]
_OVER = DependencyState(
    "upkeep",
    "warn",
    "has ended: the users file is not followed, the audit not pruned, the canary not asked for",
    "API を起動し直し、ログの upkeep_ended を管理者に知らせてください。",
    "Start the API again, and look at upkeep_ended in its log.",
)


class Upkeep:
    """The state of the upkeep; `users_file` says how the file stands, for /readyz."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._edge: Edge = app.state.edge
        self._canary: asyncio.Task[None] | None = None
        self._canary_at = 0.0
        self._questions: asyncio.Task[int] | None = None
        self._questions_at = 0.0
        self._applied: Signature | None = None
        self._prune_at = 0.0
        self.problem: AssistantError | None = None
        self.is_gone = False
        self.is_over = False

    async def once(self) -> None:
        """One look: applies a changed users file, and once a day takes old entries out of the audit."""
        await anyio.to_thread.run_sync(self._apply_users)
        now = asyncio.get_running_loop().time()
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_SECONDS
            await anyio.to_thread.run_sync(self._prune)
        await self._watch_canary()
        self._watch_questions()

    async def _watch_canary(self) -> None:
        """Shows the last check, whoever made it, and begins one that is due; it takes its time beside the next looks."""
        hours = self._edge.settings.door.canary_hours
        try:
            last = await anyio.to_thread.run_sync(self._edge.assistant.ledger.last_entry, Act.CANARY_CHECKED)
        except AssistantError as error:
            self._edge.log.warning("canary_not_known", error=error.code)
            return
        if last is not None:
            self._edge.metrics.canary_leaks.set(len(last.details["leaks"]))
            if not (last.details["problem"] or last.details["unchecked"]):
                self._edge.metrics.canary_checked.set(datetime.fromisoformat(last.at).timestamp())
        due = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")
        now = asyncio.get_running_loop().time()
        if self._canary is not None and self._canary.done() and not self._canary.cancelled():
            if problem := self._canary.exception():
                self._edge.log.error("canary_failed", exc_info=problem)
            self._canary = None
        if hours and self._canary is None and now >= self._canary_at and (last is None or last.at < due):
            self._canary_at = now + min(hours * 3600, CANARY_PAUSE_SECONDS)
            self._canary = asyncio.create_task(self._check_canary())

    def _watch_questions(self) -> None:
        """Begins to ask open questions again, unless that is under way; it takes its time beside the next looks."""
        now = asyncio.get_running_loop().time()
        if (self._questions is None or self._questions.done()) and now >= self._questions_at:
            self._questions_at = now + RECHECK_SECONDS
            self._questions = asyncio.create_task(rechecked(self._edge))

    async def _check_canary(self) -> None:
        from assistant.adapters.canary_doors import check_doors  # as the assistant: only a started server needs it

        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://api", timeout=CANARY_SECONDS) as client:
                report = await check_doors(self._edge.assistant.ledger, client, by="api")
        except AssistantError as error:
            self._edge.log.warning("canary_not_checked", error=error.code)
            return
        if report.leaks:
            self._edge.log.error("canary_leaks", leaks=[vars(leak) for leak in report.leaks])
        elif report.planted:
            self._edge.log.info("canary_checked", roles=report.roles, requests=report.requests, is_good=report.is_good)

    async def close(self) -> None:
        """Ends checks that are under way; the canary's key is taken back."""
        for task in (self._canary, self._questions):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    def ended(self, task: asyncio.Task[None]) -> None:
        """Notes that nothing is kept up any more, for a reason that nobody foresaw: the log has it, /readyz says it."""
        if not task.cancelled():
            self.is_over = True
            self._edge.log.error("upkeep_ended", exc_info=task.exception())

    def states(self) -> list[DependencyState]:
        """How the upkeep and the users file stand; nothing to say where all is well and there is no file."""
        return [*([_OVER] if self.is_over else []), *self._states_of_file()]

    def _states_of_file(self) -> list[DependencyState]:
        file = self._edge.settings.door.users_file
        if self.problem is not None:
            seen = f"{file} is not applied: {self.problem.message.en}"
            return [DependencyState("users_file", "warn", seen, self.problem.hint.ja, self.problem.hint.en)]
        if self.is_gone:
            return [
                DependencyState(
                    "users_file",
                    "warn",
                    f"{file} is gone; what it said last still holds",
                    "ファイルを戻してください。",
                    "Put the file back.",
                )
            ]
        return [] if self._applied is None else [DependencyState("users_file", "ok", f"{file} is applied", "", "")]

    def _apply_users(self) -> None:
        file = self._edge.settings.door.users_file
        signature = _signature(file)
        self.is_gone = signature is None and self._applied is not None
        if signature is None or signature == self._applied:
            return
        log = self._edge.log
        try:
            done = sync_users(self._edge.assistant.ledger, read_users(file), by="api")
        except AssistantError as error:
            if self.problem is None or self.problem.message != error.message:
                log.warning("users_file_not_applied", file=str(file), error=error.code, message=error.message.en)
            self.problem = error
            return
        self._applied, self.problem = signature, None
        if not done.is_empty:
            log.info("users_file_applied", file=str(file), **_counts(done))

    def _prune(self) -> None:
        try:
            gone = self._edge.assistant.ledger.prune_audit(keep_days=self._edge.settings.audit.keep_days)
        except AssistantError as error:
            self._edge.log.warning("audit_not_pruned", error=error.code)
            return
        if gone:
            self._edge.log.info("audit_pruned", entries=gone)


@asynccontextmanager
async def kept_up(app: FastAPI) -> AsyncIterator[None]:
    """Looks once before the first request, and then again and again until the block ends."""
    upkeep = Upkeep(app)
    edge: Edge = app.state.edge
    edge.states_of_upkeep = upkeep.states
    await upkeep.once()
    task = asyncio.create_task(_forever(upkeep, every_seconds=edge.settings.door.recheck_seconds))
    task.add_done_callback(upkeep.ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await upkeep.close()
        await edge.key_uses.finish()
        await edge.release_work.close()
        await edge.checkup.close()


async def _forever(upkeep: Upkeep, *, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        await upkeep.once()


def _signature(file: Path) -> Signature | None:
    """What tells one content of the file from another, or None where there is none."""
    try:
        state = os.stat(file)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _counts(done: Sync) -> dict[str, int]:
    return {
        name: len(getattr(done, name))
        for name in ("added", "changed", "disabled", "enabled", "missing", "unused_groups")
    }
