"""Full garbage collections wait until nobody is being answered; frames that wait already leave together."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from api import collecting
from api.collecting import NEVER, collecting_when_idle
from api.edge import Edge
from api.stream import MOST_TOGETHER, _together
from tests.api.conftest import StartServer


def test_full_collections_come_between_questions_and_the_thresholds_come_back(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "LOOK_SECONDS", 0.01)
    edge: Edge = start_server().app.state.edge
    before, full = gc.get_threshold(), 0

    def count(phase: str, info: dict[str, int]) -> None:
        nonlocal full
        full += phase == "stop" and info["generation"] == 2

    async def live() -> tuple[int, int]:
        nonlocal full
        async with collecting_when_idle(edge):
            assert gc.get_threshold()[2] == NEVER
            full = 0
            with edge.question():
                await asyncio.sleep(0.1)
                during = full
            for _ in range(1000):
                if full:
                    break
                await asyncio.sleep(0.01)
            return during, full

    gc.callbacks.append(count)
    try:
        assert asyncio.run(live()) == (0, 1)
    finally:
        gc.callbacks.remove(count)
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_frames_that_wait_already_leave_in_one_piece_and_none_is_held_back() -> None:
    class Behind:
        has_more = True

    asking = Behind()

    async def frames() -> AsyncGenerator[bytes, None]:
        for number in range(MOST_TOGETHER + 3):
            asking.has_more = number < MOST_TOGETHER + 2
            yield b"x"
        yield b"y"

    async def sent() -> list[bytes]:
        return [piece async for piece in _together(frames(), cast(Any, asking))]

    assert asyncio.run(sent()) == [b"x" * MOST_TOGETHER, b"xxx", b"y"]
