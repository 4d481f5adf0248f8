"""From an asker's hang-up to a free model: at a stub of Ollama, in mid-answer and while the prompt is read.

    asker --hangs up--> API --drops the connection--> stub, whose slot is free again

The stub is asked for its slots every other millisecond. Goal: 200 ms at the 95th percentile. Prints one JSON line. (With a real
Ollama: tests/live/test_hang_up.py.)
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time

import httpx

from benchmarks.loaded_deployment import QUESTION, Loaded, loaded_deployment
from tests.journeys.deployment import PROXY_SECRET

TIMES = 40
GOAL_MS = 200.0
HEADERS = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}


async def freed_ms(here: Loaded, *, after_tokens: int) -> float:
    """Milliseconds from closing the connection to the slot's being free; 0 tokens: while the prompt is read."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30) as stub,
        httpx.AsyncClient(base_url=here.deployment.api_url, headers=HEADERS, trust_env=False, timeout=30) as client,
    ):

        async def until_running(count: int) -> None:
            for _ in range(10_000):
                if (await stub.get(f"{here.stub.url}/__slots")).json()["running"] == count:
                    return
                await asyncio.sleep(0.002)
            raise SystemExit(f"the stub never had {count} running")

        async with client.stream("POST", "/ask", json={"question": QUESTION, "stream": True}) as answer:
            seen = 0
            async for line in answer.aiter_lines():
                seen += line == "event: token"
                if line.startswith("event: found") and not after_tokens:
                    await until_running(1)
                    break
                if after_tokens and seen >= after_tokens:
                    break
            left_at = time.perf_counter()
        await until_running(0)
        return 1000 * (time.perf_counter() - left_at)


async def measured(here: Loaded) -> dict[str, list[float]]:
    """All times, by the moment of the hang-up."""
    found: dict[str, list[float]] = {}
    for name, after_tokens, prefill_seconds in (("writing", 5, 0.0), ("reading_the_prompt", 0, 20.0)):
        here.stub.change_settings(prefill_seconds=prefill_seconds)
        found[name] = [await freed_ms(here, after_tokens=after_tokens) for _ in range(TIMES)]
    return found


def main() -> None:
    """Hangs up again and again and prints the line."""
    with loaded_deployment(
        users=["nobody"], settings={"MODEL_PARALLEL": "4"}, tokens_per_second=20.0, parallel=4
    ) as here:
        here.stub.add_fault("answer", text="年次有給休暇の申請は所属長へ届け出る。" * 40, times=None)
        asyncio.run(freed_ms(here, after_tokens=1))  # the vendor's import
        found = asyncio.run(measured(here))
    p95 = {name: statistics.quantiles(each, n=20)[-1] for name, each in found.items()}
    print(
        json.dumps(
            {
                "benchmark": "hang_up",
                "times_each": TIMES,
                **{f"{name}_p50_ms": round(statistics.median(each), 1) for name, each in found.items()},
                **{f"{name}_p95_ms": round(each, 1) for name, each in p95.items()},
                "goal_ms": GOAL_MS,
                "meets_goal": max(p95.values()) <= GOAL_MS,
            }
        )
    )


if __name__ == "__main__":
    main()
