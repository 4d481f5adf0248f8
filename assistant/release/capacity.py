"""Does a model fit, with how long a window and for how many at once? Pure: memory in, verdict out.

    ModelFacts + Wish + Room -> vram.memory_of -> Plan -> the largest num_ctx and parallel that fit, and a table

This room must not know Ollama's HTTP, nvidia-smi, or how a plan is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from assistant.model_facts import ModelFacts
from assistant.release.vram import KV_TYPES, RUNNER_BYTES, KvType, Load, Memory, memory_of

TABLE_CONTEXTS: Final = (2048, 4096, 6144, 8192, 12288, 16384, 32768, 65536, 131072)
STEP_TOKENS: Final = 1024
"""Windows are looked for in steps of this: finer ones save less than the allocator's spread."""
MOST_PARALLEL: Final = 64
UNBOUNDED_TOKENS: Final = 131_072


class Verdict(StrEnum):
    """Whether it fits. SPILLS: the buffers would, but the engine's own reckoning gives the GPU fewer layers."""

    FITS = "fits"
    SPILLS = "spills"
    TOO_LARGE = "too_large"


@dataclass(frozen=True)
class Room:
    """The memory there is: one number a GPU in bytes, or the machine's own when there is no GPU."""

    gpu_bytes: tuple[int, ...] = ()
    machine_bytes: int = 0
    said_by: str = ""

    @property
    def is_gpu(self) -> bool:
        """Whether a GPU is planned for."""
        return bool(self.gpu_bytes)

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return sum(self.gpu_bytes) if self.is_gpu else self.machine_bytes


@dataclass(frozen=True)
class Wish:
    """What is to be loaded into the room: the chat model, and the embedder beside it (None: it lies elsewhere)."""

    model: ModelFacts
    load: Load
    embedder: ModelFacts | None = None
    embedder_num_ctx: int = 8192


@dataclass(frozen=True)
class Plan:
    """What the wish takes in the room, part by part, in bytes."""

    wish: Wish
    room: Room
    memory: Memory
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    embedder_bytes: int
    overhead_bytes: int
    verdict: Verdict

    @property
    def total_bytes(self) -> int:
        """All parts."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.embedder_bytes + self.overhead_bytes

    @property
    def free_bytes(self) -> int:
        """What is left; negative when it does not fit."""
        return self.room.total_bytes - self.total_bytes


def plan(wish: Wish, room: Room) -> Plan:
    """The parts and the verdict. On a GPU the output buffer and the table of input tokens lie outside it."""
    memory = memory_of(wish.model, wish.load)
    beside = None if wish.embedder is None else memory_of(wish.embedder, Load(wish.embedder_num_ctx))
    cards = max(len(room.gpu_bytes), 1)
    if room.is_gpu:
        weights, compute = memory.host["device_weights"], memory.compute_bytes * cards
        embedder = 0 if beside is None else beside.device_bytes
        # A context on every card for the chat model, and one more for the embedder.
        overhead = RUNNER_BYTES * (cards + (0 if beside is None else 1))
    else:
        weights, compute, overhead = memory.weights_bytes, memory.compute_bytes + memory.output_bytes, 0
        embedder = 0 if beside is None else beside.buffers_bytes
    found = Plan(wish, room, memory, weights, memory.kv_bytes, compute, embedder, overhead, verdict=Verdict.TOO_LARGE)
    return replace(found, verdict=_verdict(found))


def _verdict(found: Plan) -> Verdict:
    if found.free_bytes < found.memory.spread_bytes:
        return Verdict.TOO_LARGE
    if not found.room.is_gpu:
        return Verdict.FITS
    # The embedder may be there first; then this is what the engine finds free.
    free = found.room.total_bytes - found.embedder_bytes - found.overhead_bytes
    return Verdict.FITS if found.memory.planned_bytes <= free else Verdict.SPILLS


def largest_num_ctx(wish: Wish, room: Room) -> int:
    """The longest window in tokens that fits with this many at once; 0 when not even the shortest does."""
    most = wish.model.context_length or UNBOUNDED_TOKENS
    steps = range(STEP_TOKENS, most + 1, STEP_TOKENS)
    return _last_that_fits([replace(wish.load, num_ctx=tokens) for tokens in steps], wish, room, "num_ctx")


def largest_parallel(wish: Wish, room: Room) -> int:
    """How many can be answered at once with this window; 0 when not even one."""
    loads = [replace(wish.load, parallel=number) for number in range(1, MOST_PARALLEL + 1)]
    return _last_that_fits(loads, wish, room, "parallel")


def _last_that_fits(loads: list[Load], wish: Wish, room: Room, field: str) -> int:
    """Memory grows with every step, so halving finds the last."""
    low, high = 0, len(loads)
    while low < high:
        middle = (low + high) // 2
        if plan(replace(wish, load=loads[middle]), room).verdict is Verdict.FITS:
            low = middle + 1
        else:
            high = middle
    return 0 if low == 0 else int(getattr(loads[low - 1], field))


def table(wish: Wish, room: Room) -> Iterator[tuple[int, dict[KvType, Plan]]]:
    """Every usual window that the model knows, with each KV type. With the flash attention that quantised types need."""
    limit = wish.model.context_length or UNBOUNDED_TOKENS
    for tokens in sorted({*TABLE_CONTEXTS, wish.load.num_ctx}):
        if tokens <= limit:
            loads = {kv_type: replace(wish.load, num_ctx=tokens, kv_type=kv_type) for kv_type in KV_TYPES}
            yield tokens, {kv_type: plan(replace(wish, load=load), room) for kv_type, load in loads.items()}
