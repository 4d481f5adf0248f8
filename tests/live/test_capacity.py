"""Plans of memory beside what a real engine takes: both small models, every KV type, flash attention on and off, 1 and 2 slots."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.release.capacity_page import capacity_rows
from tests.live.engine_memory import MODELS, Seen, as_kept, seen_loads
from tests.live.ollama_process import CACHE, LiveOllama, ensure_binary

_TOTAL_SHARE = 0.05


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Seen]]:
    """A server of its own: the others' is not to be restarted."""
    server = LiveOllama(
        binary=ensure_binary(),
        models_folder=CACHE / "ollama-models",
        log_path=tmp_path_factory.mktemp("capacity") / "ollama.log",
    )
    server.start()
    try:
        yield list(seen_loads(server))
    finally:
        server.stop()


def test_every_load_was_seen_with_its_own_buffers(loads: list[Seen]) -> None:
    print("\n".join(capacity_rows([as_kept(seen) for seen in loads])))
    assert len(loads) == 2 * 3 * 2 * len(MODELS)
    assert len({(seen.model, seen.kv_mib) for seen in loads}) == len(MODELS) * (2 * 3)


def test_the_kv_cache_is_what_the_engine_logs(loads: list[Seen]) -> None:
    wrong = [seen for seen in loads if f"{seen.reckoned['kv'] / 2**20:.2f}" != seen.kv_mib]
    assert wrong == []


def test_the_weights_are_what_the_engine_logs(loads: list[Seen]) -> None:
    assert [seen for seen in loads if f"{seen.reckoned['weights'] / 2**20:.2f}" != seen.weights_mib] == []


def test_the_total_is_within_five_percent_of_all_buffers(loads: list[Seen]) -> None:
    parts = ("weights", "kv", "compute", "output")
    shares = [abs(sum(seen.reckoned[part] for part in parts) / 2**20 / seen.total_mib - 1) for seen in loads]
    assert max(shares) <= _TOTAL_SHARE


def test_no_load_takes_more_than_the_plan_keeps_free(loads: list[Seen]) -> None:
    parts = ("weights", "kv", "compute", "output", "spread")
    assert [seen for seen in loads if seen.total_mib > sum(seen.reckoned[part] for part in parts) / 2**20 + 0.1] == []
