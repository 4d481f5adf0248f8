"""What the server does by itself beside answering: applies the users file when it changes, and keeps the audit's age."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread

from api.edge import Edge
from assistant.domain import DependencyState
from assistant.errors import AssistantError
from assistant.people import Sync
from assistant.users_file import read_users, sync_users

PRUNE_SECONDS = 24 * 3600.0

Signature = tuple[int, int, int]


class Upkeep:
    """The state of the upkeep; `users_file` says how the file stands, for /readyz."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._applied: Signature | None = None
        self._prune_at = 0.0
        self.problem: AssistantError | None = None
        self.is_gone = False

    async def once(self) -> None:
        """One look: applies a changed users file, and once a day takes old entries out of the audit."""
        await anyio.to_thread.run_sync(self._apply_users)
        now = asyncio.get_running_loop().time()
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_SECONDS
            await anyio.to_thread.run_sync(self._prune)

    def states(self) -> list[DependencyState]:
        """How the users file stands; nothing to say where there is none."""
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
async def kept_up(edge: Edge) -> AsyncIterator[None]:
    """Looks once before the first request, and then again and again until the block ends."""
    upkeep = Upkeep(edge)
    edge.states_of_upkeep = upkeep.states
    await upkeep.once()
    task = asyncio.create_task(_forever(upkeep, every_seconds=edge.settings.door.recheck_seconds))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await edge.key_uses.finish()


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
