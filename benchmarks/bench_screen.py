"""How the screen feels, and what it costs: first paint, what an interaction takes beside the API, memory of an open page, and
the processor of fifty answers that stream at once.

    Chromium ─▶ nginx ─▶ screen ─▶ API ─▶ stub model          the first paint, as a person sees it
    raw pages ─▶ nginx ─▶ screen ─▶ API ─▶ stub model         the rest; see screen_pages.py

Goals: a page opened anew, after the screen has been warm, shows its question box within 2 s (p95); a click that asks the API
for nothing is done within 150 ms (p95), with an answer on the page; each page beyond the first, with its answer, takes at most 1 MB
of the screen's process; fifty answers of 20 tokens a second take at most 60 % of a core of it. Prints one JSON line. PAGES= changes the number.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from dataclasses import dataclass

import psutil
from playwright.sync_api import expect, sync_playwright

from benchmarks.bench_streams import ANSWER, TOKENS_PER_SECOND
from benchmarks.loaded_deployment import PASSWORD, QUESTION, Loaded, loaded_deployment
from benchmarks.screen_pages import OpenPage

PAGES = int(os.environ.get("PAGES", "50"))
CHROMIUM = "/usr/bin/chromium"
PAINTS = 12
CLICKS_EACH = 4
GOALS = {"paint_seconds": 2.0, "interaction_ms": 150.0, "page_mb": 1.0, "core_share": 0.6}
MIB = 1 << 20
SETTLE_SECONDS = 3.0
USERS = [f"user{number}" for number in range(PAGES + 1)]


@dataclass
class Streamed:
    """What fifty answers took: of the screen's process, and of the clock."""

    core_share: float
    seconds: float
    redraws: int


def main() -> None:
    """Measures everything once, and prints the line."""
    settings = {"MODEL_PARALLEL": str(PAGES), "QUEUE_LIMIT": "100", "LOG_LEVEL": "warning"}
    with loaded_deployment(
        users=USERS, settings=settings, parts="chroma,api,ui", tokens_per_second=400, parallel=PAGES
    ) as here:
        here.stub.add_fault("answer", text=ANSWER, times=None)
        process = psutil.Process(here.deployment.pid_of("ui"))
        paints = first_paints(here)
        page_mb, clicks, streamed = asyncio.run(measured(here, process))
    paint, click = statistics.quantiles(paints, n=20)[-1], statistics.quantiles(clicks, n=20)[-1]
    line = {
        "benchmark": "screen",
        "paint_p50_seconds": round(statistics.median(paints), 2),
        "paint_p95_seconds": round(paint, 2),
        "interaction_p50_ms": round(1000 * statistics.median(clicks), 1),
        "interaction_p95_ms": round(1000 * click, 1),
        "pages": PAGES,
        "page_mb": round(page_mb, 2),
        "streaming_seconds": round(streamed.seconds, 1),
        "redraws": streamed.redraws,
        "core_share": round(streamed.core_share, 2),
        "goals": GOALS,
    }
    found = {"paint_seconds": paint, "interaction_ms": 1000 * click, "page_mb": page_mb}
    found["core_share"] = streamed.core_share
    print(json.dumps(line | {"meets_goal": all(found[name] <= goal for name, goal in GOALS.items())}))


def first_paints(here: Loaded) -> list[float]:
    """Seconds from the address to the question box, each in a browser that has nothing of the page yet; two before to warm up."""
    found: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for number in range(PAINTS + 2):
            credentials = {"username": USERS[number % len(USERS)], "password": PASSWORD}
            context = browser.new_context(locale="ja-JP", http_credentials=credentials)  # type: ignore[arg-type]
            page = context.new_page()
            begun = time.monotonic()
            page.goto(here.url, wait_until="commit")
            expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=60_000)
            found.append(time.monotonic() - begun)
            context.close()
        browser.close()
    return found[2:]


async def measured(here: Loaded, process: psutil.Process) -> tuple[float, list[float], Streamed]:
    """Megabytes of a page, seconds of a click, and the streams."""
    pages = [OpenPage(here.url, user) for user in USERS]
    await pages[0].open()
    await pages[0].run(typed=QUESTION)
    await asyncio.sleep(SETTLE_SECONDS)
    before = process.memory_full_info().uss
    for page in pages[1:]:
        await page.open()
    here.stub.change_settings(tokens_per_second=TOKENS_PER_SECOND)
    streamed = await streams(pages[1:], process)
    await asyncio.sleep(SETTLE_SECONDS)
    page_mb = (process.memory_full_info().uss - before) / MIB / PAGES
    clicks = [await page.run() for page in pages[1:] for _ in range(CLICKS_EACH)]
    for page in pages:
        await page.close()
    return page_mb, clicks, streamed


async def streams(pages: list[OpenPage], process: psutil.Process) -> Streamed:
    """Every page asks; processor and clock from the first question to the last word."""
    before, begun = process.cpu_times(), time.monotonic()
    await asyncio.gather(*(page.run(typed=QUESTION) for page in pages))
    seconds, after = time.monotonic() - begun, process.cpu_times()
    return Streamed(
        core_share=(sum(after[:2]) - sum(before[:2])) / seconds,
        seconds=seconds,
        redraws=sum(len(page.drawn_at) for page in pages),
    )


if __name__ == "__main__":
    main()
