"""What a real Ollama's engine takes for a model, from its own log: the figures that the plans are held to.

`scripts/write_capacity.py` keeps them in docs/reference/capacity.json; `test_capacity.py` measures them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from assistant.adapters.model_files import QWEN_CODER_0_5B, QWEN_CODER_1_5B
from assistant.adapters.ollama_models import OllamaModels
from assistant.model_facts import ModelFacts
from assistant.release.vram import KV_TYPES, KvType, Load, memory_of
from tests.live.ollama_process import LiveOllama

MODELS = (QWEN_CODER_0_5B, QWEN_CODER_1_5B)
NUM_CTX = 8192
SLOTS = (1, 2)
_SHOW_SECONDS = 600.0


@dataclass(frozen=True)
class Seen:
    """One load: the buffers by the engine's log in MiB, as it prints them, beside what is reckoned in bytes."""

    model: str
    kv_type: KvType
    flash_attention: bool
    parallel: int
    num_ctx: int
    weights_mib: str
    kv_mib: str
    compute_mib: str
    output_mib: str
    reckoned: dict[str, int]

    @property
    def total_mib(self) -> float:
        """All buffers of the log."""
        return sum(float(each) for each in (self.weights_mib, self.kv_mib, self.compute_mib, self.output_mib))


def seen_loads(server: LiveOllama, *, contexts: tuple[int, ...] = (NUM_CTX,)) -> Iterator[Seen]:
    """Loads both small models with every KV type, flash attention on and off, one slot and two."""
    for model_file in MODELS:
        server.create_chat_model_of(model_file)
    for is_flash, kv_type, parallel in product((True, False), KV_TYPES, SLOTS):
        server.restart(
            OLLAMA_FLASH_ATTENTION=str(int(is_flash)),
            OLLAMA_KV_CACHE_TYPE=kv_type,
            OLLAMA_NUM_PARALLEL=str(parallel),
        )
        for model_file, num_ctx in product(MODELS, contexts):
            facts = OllamaModels(server.url).facts(model_file.name)
            log = _load(server, model_file.name, num_ctx)
            yield seen_in(log, facts, Load(num_ctx, parallel, kv_type, is_flash))


def seen_in(log: str, facts: ModelFacts, load: Load) -> Seen:
    """The buffers of the load that the log is of."""
    memory = memory_of(facts, load)
    reckoned = {
        "weights": memory.weights_bytes,
        "kv": memory.kv_bytes,
        "compute": memory.compute_bytes,
        "output": memory.output_bytes,
        "spread": memory.spread_bytes,
    }
    return Seen(
        facts.name,
        load.kv_type,
        bool(load.flash_attention),
        load.parallel,
        load.num_ctx,
        weights_mib=_buffer(log, "model"),
        kv_mib=_buffer(log, "KV"),
        compute_mib=_buffer(log, "compute"),
        output_mib=_buffer(log, " output"),
        reckoned=reckoned,
    )


def as_kept(seen: Seen) -> dict[str, Any]:
    """For the JSON file."""
    return asdict(seen)


def _load(server: LiveOllama, model: str, num_ctx: int) -> str:
    before = len(server.log())
    with server.client(timeout_seconds=_SHOW_SECONDS) as client:
        body = {"model": model, "messages": [], "options": {"num_ctx": num_ctx}}
        client.post("/api/chat", json=body).raise_for_status()
    return server.log()[before:]


def _buffer(log: str, name: str) -> str:
    found = re.findall(rf"CPU {name} buffer size = +([\d.]+) MiB", log)
    assert len(found) == 1, f"{name}: {found}\n{log[-3000:]}"
    mib: str = found[0]
    return mib
