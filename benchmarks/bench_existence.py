"""Whether the time of an answer tells that a document exists which its asker may not read.

    dan --GET /documents/{id}, POST /search, POST /ask--> API: a hidden document, and one that never was, by turns in random order

`auc`: how often the hidden one takes longer than the one that never was; .5 where time tells nothing. Goal: within .06 of it at each
door, three standard errors of 400 pairs. Prints one JSON line.
"""

from __future__ import annotations

import json
import logging
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

import httpx
import numpy as np
import structlog

from tests.journeys.company import DEPARTMENTS, Planted, a_company, its_api

PAIRS = 400
GOAL = 0.06
ASKER = "dan"


class Doors:
    """What dan asks: `of(one)` of a document that is hidden from him, `of(None)` of one that never was."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def document(self, one: Planted | None) -> httpx.Response:
        return self._client.get(f"/documents/{one.document_id if one else 'd_' + secrets.token_hex(16)}")

    def search(self, one: Planted | None) -> httpx.Response:
        return self._client.post("/search", json={"question": _question(one)})

    def ask(self, one: Planted | None) -> httpx.Response:
        return self._client.post("/ask", json={"question": _question(one)})


def _question(one: Planted | None) -> str:
    return f"{one.canary if one else 'cw' + secrets.token_hex(6)}は何ですか?"


def measured(of: Callable[[Planted | None], httpx.Response], hidden: list[Planted], order: Random) -> dict[str, float]:
    """How well time tells the two apart, and the medians in milliseconds."""
    seen: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(PAIRS):
        for is_hidden in order.sample([True, False], 2):
            call = partial(of, order.choice(hidden) if is_hidden else None)
            started = time.perf_counter()
            answer = call()
            seen[is_hidden].append(time.perf_counter() - started)
            assert answer.status_code in {200, 404}, answer.text
    slower = np.array(seen[True])[:, None] - np.array(seen[False])[None, :]
    return {
        "auc": round(float((slower > 0).mean() + (slower == 0).mean() / 2), 3),
        "hidden_ms": round(1000 * float(np.median(seen[True])), 2),
        "absent_ms": round(1000 * float(np.median(seen[False])), 2),
    }


@contextmanager
def opened() -> Iterator[tuple[Doors, list[Planted]]]:
    """A company with documents of every department, and dan, who is in none."""
    with tempfile.TemporaryDirectory(prefix="existence-") as folder, a_company(Path(folder)) as company:
        company.write(*DEPARTMENTS, "全社")
        company.ingest()
        with its_api(company) as server, server.client(user=ASKER) as client:
            yield Doors(client), [one for one in company.planted if one.group in DEPARTMENTS]


def main() -> None:
    """Asks, and prints the line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # one line, and no other
    order = Random(11)
    with opened() as (doors, hidden):
        calls = {"document": doors.document, "search": doors.search, "ask": doors.ask}
        for of in calls.values():  # what is loaded at the first call
            of(hidden[0]), of(None)
        found = {name: measured(of, hidden, order) for name, of in calls.items()}
    worst = max(abs(one["auc"] - 0.5) for one in found.values())
    print(
        json.dumps(
            {
                "benchmark": "existence",
                "pairs": PAIRS,
                **{f"{door}_{name}": value for door, one in found.items() for name, value in one.items()},
                "worst": round(worst, 3),
                "goal": GOAL,
                "meets_goal": worst <= GOAL,
            }
        )
    )


if __name__ == "__main__":
    main()
