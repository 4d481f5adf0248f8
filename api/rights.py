"""Rights while a question or a download is open: asked for again and again with the very headers it came with, so that a
disabled user, a revoked or expired key or a group taken away ends it within ASSISTANT_DOOR__RECHECK_SECONDS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from assistant.domain import Principal
from assistant.errors import AccessDenied, AssistantError, NotAuthenticated, StoreUnavailable, Text

MOST_FAILURES = 2
"""Checks in a row that the ledger may leave unanswered; then the answer ends: not knowing is not a right."""


async def ended(
    recheck: Callable[[], Awaitable[Principal]], granted: Principal, *, every_seconds: float
) -> AssistantError:
    """Returns once the caller no longer holds what `granted` says, with the error that ends the question."""
    failures = 0
    while True:
        await asyncio.sleep(every_seconds)
        try:
            present = await recheck()
        except (NotAuthenticated, AccessDenied):
            return rights_ended()
        except StoreUnavailable as error:
            failures += 1
            if failures == MOST_FAILURES:
                return error
            continue
        failures = 0
        if not (present.groups >= granted.groups and present.scopes >= granted.scopes):
            return rights_ended()


def rights_ended() -> AccessDenied:
    """What the one who asks is told in the middle of an answer."""
    return AccessDenied(
        Text(
            ja="回答の途中で、質問する権限か文書を読む権限がなくなりました。",
            en="The right to ask, or to read these documents, ended while the answer was under way.",
        ),
        Text(ja="管理者に確かめてください。", en="Ask the administrator."),
    )


class GuardedFile(FileResponse):
    """A file that is sent as long as `ends` has not returned; then the connection is closed, and the bytes stay fewer than
    were announced, which every client takes as a download that failed. `on_end` hears the reason.

    A reader who takes the bytes slowly can hold a download open for hours.
    """

    def __init__(
        self,
        path: Any,
        *,
        ends: Callable[[], Awaitable[AssistantError]],
        on_end: Callable[[AssistantError], None],
        **given: Any,
    ) -> None:
        super().__init__(path, **given)
        self._ends = ends
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(super().__call__(scope, receive, send))
        ending = asyncio.ensure_future(self._ends())
        try:
            await asyncio.wait({sending, ending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            else:
                self._on_end(ending.result())
        finally:
            for task in (sending, ending):
                task.cancel()
            await asyncio.wait({sending, ending})
