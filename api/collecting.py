"""Python's garbage collection, moved to moments in which nobody waits for a token.

A full collection looks at every object of the process: with 100 answers under way it stopped all of them for 0.2 to 0.5 s,
every few seconds (docs/lab-notes.md, 2026-11-26). What exists after the start is therefore set aside for good, young objects are
collected as always, and all others when no question is open, or after ten minutes at the latest.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.edge import Edge

YOUNG_OBJECTS = 5_000
"""Looked through at once at most 25,000 young objects: some milliseconds."""
MIDDLE_COLLECTIONS = 5
NEVER = 1_000_000
LOOK_SECONDS = 2.0
LATEST_SECONDS = 600.0


@asynccontextmanager
async def collecting_when_idle(edge: Edge) -> AsyncIterator[None]:
    """Full collections happen between questions while the block runs."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, MIDDLE_COLLECTIONS, NEVER)
    task = asyncio.create_task(_collect(edge, seen=edge.asked))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        gc.set_threshold(*before)
        gc.unfreeze()


async def _collect(edge: Edge, *, seen: int) -> None:
    collected_at = time.monotonic()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        has_work = edge.asked != seen
        is_late = time.monotonic() - collected_at > LATEST_SECONDS
        if has_work and (not edge.open_questions or is_late):
            seen, collected_at = edge.asked, time.monotonic()
            gc.collect()
