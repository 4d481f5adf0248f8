"""100 answers streamed at once through nginx at 20 tokens a second each: errors, and how late the latest token was.

    100 askers -> nginx -> API -> stub model, 20 tokens a second for each; all on this machine, the askers included

The worst gap between two tokens of each stream counts, less nothing: 50 ms of it are the model's own pace. Goal: no error,
p95 of the worst gaps <= 300 ms. Prints one JSON line. STREAMS= changes the number.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from itertools import pairwise

import psutil

from benchmarks.loaded_deployment import Asked, Loaded, asked, basic, loaded_deployment

STREAMS = int(os.environ.get("STREAMS", "100"))
TOKENS_PER_SECOND = 20.0
GOAL_MS = 300.0
ANSWER = "".join(
    f"{what}は、{number}日前までに{whom}へ届け出ます [{number}]。"
    for number, (what, whom) in enumerate(
        [("年次有給休暇の申請", "所属長"), ("半日単位の休暇の変更", "人事部"), ("病気休暇の診断書", "所属長"),
         ("慶弔休暇の日程", "総務部"), ("育児休業の開始", "人事部"), ("介護休暇の取得", "所属長"),
         ("休職からの復帰", "産業医"), ("代休の振り替え", "所属長")],
        start=1,
    )
) * 6  # fmt: skip
"""About 470 tokens of the stub, 23 seconds: 48 sentences, each of which is held against its source at the end."""
PROMPT_PAUSE_SECONDS = 0.05
"""Between two askers: a hundred people do not press the key in the same millisecond."""


async def all_asked(here: Loaded, users: list[str]) -> list[Asked]:
    """Every user's stream, begun one after the other, open all together."""
    tasks = []
    for user in users:
        tasks.append(asyncio.create_task(asked(here.url, basic(user))))
        await asyncio.sleep(PROMPT_PAUSE_SECONDS)
    return list(await asyncio.gather(*tasks))


def main() -> None:
    """Streams once to warm up, then all, and prints the line."""
    users = [f"user{number}" for number in range(STREAMS)]
    settings = {"MODEL_PARALLEL": str(STREAMS), "QUEUE_LIMIT": "100"}
    with loaded_deployment(
        users=users, settings=settings, tokens_per_second=TOKENS_PER_SECOND, parallel=STREAMS
    ) as here:
        here.stub.add_fault("answer", text=ANSWER, times=None)
        here.stub.change_settings(tokens_per_second=400)
        asyncio.run(all_asked(here, users[:3]))
        here.stub.change_settings(tokens_per_second=TOKENS_PER_SECOND)
        processes = {"api": here.deployment.pid_of("api"), "stub": here.stub.pid}
        before = {name: psutil.Process(pid).cpu_times() for name, pid in processes.items()}
        seen = asyncio.run(all_asked(here, users))
        after = {name: psutil.Process(pid).cpu_times() for name, pid in processes.items()}
    tokens = sum(len(each.token_times) for each in seen)
    gaps = [[1000 * (b - a) for a, b in pairwise(each.token_times)] for each in seen]
    worst = sorted(max(each, default=float("inf")) for each in gaps)
    open_at_once = max(
        sum(each.token_times[0] <= at <= each.token_times[-1] for each in seen if each.token_times)
        for at in (each.token_times[0] for each in seen if each.token_times)
    )
    p95 = statistics.quantiles(worst, n=20)[-1]
    cpu_ms = {
        f"{name}_cpu_ms_per_token": round(1000 * (sum(after[name][:2]) - sum(before[name][:2])) / max(1, tokens), 2)
        for name in processes
    }
    print(
        json.dumps(
            {
                "benchmark": "streams",
                "streams": STREAMS,
                "open_at_once": open_at_once,
                "tokens": tokens,
                "tokens_per_second_each": TOKENS_PER_SECOND,
                "errors": sum(each.end != "finished" for each in seen),
                "gap_p50_ms": round(statistics.median(gap for each in gaps for gap in each), 1),
                "worst_gap_p50_ms": round(statistics.median(worst), 1),
                "worst_gap_p95_ms": round(p95, 1),
                "worst_gap_max_ms": round(worst[-1], 1),
                **cpu_ms,
                "goal_ms": GOAL_MS,
                "meets_goal": p95 <= GOAL_MS and all(each.end == "finished" for each in seen),
            }
        )
    )


if __name__ == "__main__":
    main()
