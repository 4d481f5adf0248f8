"""How soon a real Ollama is free again when an asker hangs up at the API."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.journeys.deployment import Deployment
from tests.live.asking import ANSWER_SECONDS, stream
from tests.live.ollama_process import LiveOllama
from tests.live.test_journey import LONG, running

TIMES = 3
FREED_SECONDS = 0.2
"""The contract."""


@pytest.fixture(scope="module")
def deployment(live_ollama: LiveOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The handbook, and answers from the live Ollama, which has one slot."""
    settings = {"ANSWERS": "ollama", "OLLAMA_URL": live_ollama.url}
    with running(tmp_path_factory.mktemp("hang-up"), "chroma,api", **settings) as made:
        yield made


def said_seconds(live_ollama: LiveOllama, prompt: str, *, tokens: int) -> float:
    """Seconds that Ollama takes for some tokens, waiting for its slot included."""
    body = {
        "model": live_ollama.chat_model,
        "messages": [{"role": "user", "content": prompt}],
        "options": {"num_ctx": 8192, "num_predict": tokens},
        "stream": False,
    }
    started = time.monotonic()
    httpx.post(f"{live_ollama.url}/api/chat", json=body, timeout=ANSWER_SECONDS, trust_env=False).raise_for_status()
    return time.monotonic() - started


def test_the_model_is_free_within_the_promised_time_after_a_hang_up(
    deployment: Deployment, live_ollama: LiveOllama
) -> None:
    after_an_end, after_a_hang_up = [], []
    for _ in range(TIMES):
        with stream(deployment, LONG) as events:
            tokens = (event for event in events if event.name == "token")
            assert [next(tokens).name for _ in range(3)] == ["token"] * 3
        after_a_hang_up.append(said_seconds(live_ollama, "Hi", tokens=1))
        said_seconds(live_ollama, "Name three colours of the rainbow.", tokens=3)
        after_an_end.append(said_seconds(live_ollama, "Hi", tokens=1))

    # The best of each: the machine may be busy. Both read the same prompt anew; only who had the slot before differs.
    freed_seconds = min(after_a_hang_up) - min(after_an_end)
    print(f"free {1000 * freed_seconds:.0f} ms after the hang-up: {after_a_hang_up} {after_an_end}")
    assert freed_seconds <= FREED_SECONDS
