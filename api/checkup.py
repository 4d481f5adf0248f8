"""The doctor's examination beside the requests: one at a time, begun by an administrator, told by GET /admin/doctor.

What was found last is shown until the next one has ended, and is forgotten when the server stops: an old finding is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from api.errors import internal_error
from assistant.errors import AssistantError
from assistant.machine import Machine
from assistant.release.examining.finding import Finding

_log = structlog.get_logger(__name__)


@dataclass
class Checkup:
    """The examination that is under way, or was last. `machine` is what is looked at; None: this one."""

    machine: Machine | None = None
    state: Literal["never", "running", "done", "failed"] = "never"
    by: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    findings: list[Finding] = field(default_factory=list)
    problem: AssistantError | None = None
    _task: asyncio.Task[list[Finding]] | None = None

    def begin(self, by: str, examine: Callable[[], Coroutine[Any, Any, list[Finding]]]) -> None:
        """Begins one, unless one is under way: its findings are as new as those of a second would be."""
        if self.state == "running":
            return
        self.state, self.by, self.started_at, self.problem = "running", by, _now(), None
        self._task = asyncio.create_task(examine())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[list[Finding]]) -> None:
        self.ended_at = _now()
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.state, self.findings = "done", task.result()
            return
        self.state, self.findings = "failed", []
        self.problem = error if isinstance(error, AssistantError) else internal_error()
        if not task.cancelled():
            _log.error("checkup_failed", exc_info=error)

    async def close(self) -> None:
        """Ends what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
