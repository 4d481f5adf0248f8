"""What takes minutes of releases, beside the requests: one publication or canary at a time, told by /admin/releases.

A server that stops in the middle leaves nothing half done: what answers is one row, moved at the very end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from api.errors import shutting_down
from assistant.errors import AssistantError, ReleaseConflict, Text

_log = structlog.get_logger(__name__)

What = Literal["publish", "canary"]


@dataclass
class Work:
    """One publication or canary; `problem` is why it failed."""

    what: What
    release_id: str
    by: str
    step: str = ""
    state: Literal["running", "done", "failed"] = "running"
    problem: AssistantError | None = None

    def told(self, step: str) -> None:
        """Notes the step."""
        self.step = step


class ReleaseWork:
    """The work that is under way, or was last."""

    def __init__(self) -> None:
        self.last: Work | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, work: Work, course: Callable[[Work], Awaitable[object]]) -> Work:
        """Begins it; the same one that is under way is that one. Raises ReleaseConflict while another is."""
        now = self.last
        if now is not None and now.state == "running":
            if (now.what, now.release_id) == (work.what, work.release_id):
                return now
            raise ReleaseConflict(
                Text(
                    ja=f"{now.by} が {now.release_id} を公開しようとしています。",
                    en=f"{now.by} is publishing {now.release_id} just now.",
                ),
                Text(ja="終わるのを待ってください。", en="Wait until that is done."),
            )
        self.last = work
        self._task = asyncio.create_task(self._run(work, course))
        return work

    async def ended(self) -> None:
        """Returns when nothing is under way any more."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Ends what is under way; what answered goes on answering."""
        if self._task is not None:
            self._task.cancel()
        await self.ended()
        if self.last is not None and self.last.state == "running":  # cancelled before its first step
            self.last.state, self.last.problem = "failed", shutting_down()

    async def _run(self, work: Work, course: Callable[[Work], Awaitable[object]]) -> None:
        try:
            await course(work)
            work.state = "done"
        except AssistantError as error:
            work.problem = error
            _log.warning("release_work_failed", what=work.what, release=work.release_id, error=error.code)
        finally:
            if work.state == "running":
                work.state = "failed"
                work.problem = work.problem or shutting_down()
