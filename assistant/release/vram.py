"""How much memory a model takes on Ollama 0.17: weights, KV cache, compute buffer, embedder. Arithmetic alone; pure.

    weights  = the file's tensors; the table of input tokens stays in the machine's memory when a GPU has the rest
    KV cache = cells x kv_heads x (key_length + value_length) x bytes of the type, over all layers
    compute  = the larger of: scores of every token of a batch; attention of one layer (without flash attention)

The KV cache is what the engine logs, to the byte. The compute buffer is what its allocator was seen to take, within 3 %
of the total (docs/reference/capacity.md); `spread_bytes` says how much more it may be. Numbers of the engine: its source,
v0.17.7, named at each. This room must not know Ollama's HTTP, nor people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from assistant.model_facts import FLASH_BY_ITSELF, ModelFacts

KvType = Literal["f16", "q8_0", "q4_0"]
KV_TYPES: Final[tuple[KvType, ...]] = ("f16", "q8_0", "q4_0")

KV_BYTES: Final[Mapping[str, Fraction]] = {"f16": Fraction(2), "q8_0": Fraction(34, 32), "q4_0": Fraction(18, 32)}
"""Bytes of an element: blocks of 32 elements hold a scale of 2 bytes and 32 or 16 bytes (ggml-common.h)."""
_PLANNED_KV_BYTES: Final[Mapping[str, Fraction]] = {"f16": Fraction(2), "q8_0": Fraction(1), "q4_0": Fraction(1, 2)}
"""What the engine reckons with before it loads (fs/ggml/ggml.go, kvCacheBytesPerElement): without the scales."""

BATCH_TOKENS: Final = 512
"""num_batch, tokens of a prompt that are read at once (api/types.go)."""
CELL_PADDING: Final = 256
"""Cells of a cache come in steps of this (llama-context.cpp; CachePadding of ml/backend/ggml)."""
RUNNER_BYTES: Final = 457 << 20
"""What the engine sets aside on a GPU for a runner beside its buffers (ml/device.go, MinimumMemory)."""
_FLOAT_BYTES: Final = 4


@dataclass(frozen=True)
class Load:
    """How a model is to be loaded. `flash_attention` None: OLLAMA_FLASH_ATTENTION is not set."""

    num_ctx: int
    parallel: int = 1
    kv_type: KvType = "f16"
    flash_attention: bool | None = True


@dataclass(frozen=True)
class Memory:
    """What one runner takes, in bytes. On a GPU the parts of `host` lie in the machine's memory, else all is there.

    `kv_type` is the one that the engine takes, which may not be the one asked for. `spread_bytes`: how much more than
    `compute_bytes` its allocator may need. `planned_bytes`: what the engine itself reckons with when it decides how many
    layers the GPU gets; it knows nothing of flash attention, so it is often more.
    """

    num_ctx: int
    parallel: int
    kv_type: KvType
    is_flash: bool
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    output_bytes: int
    spread_bytes: int
    host: Mapping[str, int] = field(default_factory=dict)
    planned_bytes: int = 0

    @property
    def buffers_bytes(self) -> int:
        """All buffers that the engine logs, wherever they lie; without `spread_bytes`."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.output_bytes

    @property
    def device_bytes(self) -> int:
        """What of it lies on a GPU that has all layers."""
        return self.host["device_weights"] + self.kv_bytes + self.compute_bytes


def memory_of(model: ModelFacts, load: Load) -> Memory:
    """What the engine takes for `model` loaded so; num_ctx beyond what the model was made for is cut, as the engine does."""
    num_ctx = min(load.num_ctx, model.context_length) if model.context_length else load.num_ctx
    kv_type, is_flash = effective(model, load)
    parallel = 1 if model.is_embedder else load.parallel  # server/sched.go: embedders never get more
    batch = num_ctx if model.is_embedder else min(BATCH_TOKENS, num_ctx)
    kv = kv_bytes(model, num_ctx, parallel=parallel, kv_type=kv_type)
    seen = _padded(num_ctx) if model.engine == "llama.cpp" else _padded(num_ctx * parallel)
    mask = _FLOAT_BYTES * batch * seen
    compute, spread = _compute(model, batch=batch, seen_cells=seen, is_flash=is_flash)
    output = 0 if model.engine == "ollama" else _FLOAT_BYTES * (model.vocabulary + model.embedding) * parallel
    kept_out = 0 if model.is_tied else model.input_bytes
    # Ollama's own engine loads a table that is input and output twice, wherever it lies; llama.cpp only for a GPU.
    doubled = model.input_bytes if model.is_tied and model.engine == "ollama" else 0
    weights = model.weights_bytes + doubled
    host = {
        "device_weights": model.weights_bytes - kept_out,
        "host_weights": model.input_bytes,
        "host_compute": mask + _FLOAT_BYTES * batch * model.embedding,
        "host_output": output,
    }
    planned = _planned(model, Load(num_ctx, parallel, kv_type, is_flash), batch=batch)
    return Memory(num_ctx, parallel, kv_type, is_flash, weights, kv, compute, output, spread, host, planned)


def effective(model: ModelFacts, load: Load) -> tuple[KvType, bool]:
    """The KV type and flash attention that the engine really uses (llm/server.go, NewLlamaServer).

    A quantised cache needs flash attention: where it is off, or unset on llama.cpp, the cache is f16 without an error.
    """
    wanted = load.flash_attention
    if model.engine == "llama.cpp":
        is_flash = model.can_flash() and wanted is not False  # unset: llama.cpp turns it on where it can
        may_quantise = is_flash and wanted is True
    else:
        is_flash = model.can_flash() and (model.architecture in FLASH_BY_ITSELF if wanted is None else wanted)
        may_quantise = is_flash
    return (load.kv_type if may_quantise else "f16"), is_flash


def kv_bytes(model: ModelFacts, num_ctx: int, *, parallel: int, kv_type: KvType) -> int:
    """The KV cache in bytes: what the engine logs as "KV buffer size" or "kv cache"."""
    if not model.has_cache:
        return 0
    total = 0
    for layer, kv_heads in enumerate(model.kv_heads):
        cells = _cells(model, num_ctx, parallel, is_local=model.is_local(layer))
        total += cells * kv_heads * (model.key_length + model.value_length)
    return int(total * KV_BYTES[kv_type])


def _cells(model: ModelFacts, num_ctx: int, parallel: int, *, is_local: bool) -> int:
    if model.engine == "llama.cpp":
        return _padded(num_ctx) * parallel
    if is_local:
        # kvcache/causal.go: one more for the token that ends an answer, where several share the cache.
        window = model.window + (1 if parallel > 1 else 0)
        if window < num_ctx:
            return _padded(parallel * window + min(BATCH_TOKENS, num_ctx))
    return _padded(parallel * num_ctx)


def _padded(cells: int) -> int:
    return -(-cells // CELL_PADDING) * CELL_PADDING


def _compute(model: ModelFacts, *, batch: int, seen_cells: int, is_flash: bool) -> tuple[int, int]:
    """Compute buffer and its spread. Formula: docs/lab-notes.md, 2026-11-27, from 94 loads of two models."""
    unit = _FLOAT_BYTES * batch
    if model.is_embedder:
        # One layer of attention over the whole text, no scores of a vocabulary; measured on one embedder alone.
        return unit * (model.heads * batch + 4 * model.embedding), unit * 4 * model.embedding
    scores = unit * (model.vocabulary + model.embedding)
    if is_flash:
        masks = unit * seen_cells * 3 // 2  # as floats, and once more as half floats
        return scores + masks // 2, masks - masks // 2 + unit * model.embedding
    width = max(model.kv_heads, default=0) * (model.key_length + model.value_length)
    attention = unit * (seen_cells * (model.heads + 1) + 4 * model.embedding + width)
    return max(scores, attention), unit * model.embedding


def _planned(model: ModelFacts, load: Load, *, batch: int) -> int:
    """What must be free on a GPU, beside RUNNER_BYTES, for the engine to give it every layer.

    llama.cpp: llm/server.go (Load) and ggml.go (GraphSize); one layer is kept as a buffer. Ollama's own engine measures
    instead of reckoning, so that it is what the buffers really are.
    """
    kv = sum(model.kv_heads) * (model.key_length + model.value_length) * load.num_ctx * load.parallel
    planned_kv = int(kv * _PLANNED_KV_BYTES[load.kv_type])
    on_device = model.weights_bytes - (0 if model.is_tied else model.input_bytes)
    if model.engine == "ollama":
        compute, spread = _compute(
            model, batch=batch, seen_cells=_padded(load.num_ctx * load.parallel), is_flash=bool(load.flash_attention)
        )
        real_kv = kv_bytes(model, load.num_ctx, parallel=load.parallel, kv_type=load.kv_type)
        return on_device + real_kv + compute + spread
    layers = max(len(model.kv_heads), 1)
    return (
        on_device
        + planned_kv
        + _planned_graph(model, load, planned_kv, batch)
        + model.layer_bytes
        + planned_kv // layers
    )


def _planned_graph(model: ModelFacts, load: Load, planned_kv: int, batch: int) -> int:
    cells, e, h, v = load.num_ctx * load.parallel, model.embedding, model.heads, model.vocabulary
    unit = _FLOAT_BYTES * batch
    kv_heads = max(max(model.kv_heads, default=1), 1)
    table = e * v * 105 // 128
    if model.architecture == "llama":
        full = max(unit * (1 + 4 * e + cells * (1 + h)), unit * (e + v))
        attention = unit * (1 + e + max(cells, e)) + e * e * 9 // 16
        attention += _FLOAT_BYTES * cells * (batch * h + model.key_length * kv_heads)
        return max(full, unit * e + max(attention, unit * (e + v) + table))
    if model.architecture == "qwen2":
        full = max(unit * (e + v), unit * (1 + 2 * e + cells + cells * h))
        part = max(unit * (e + v) + table, _FLOAT_BYTES * (batch * (1 + 2 * e + cells * (1 + h)) + e * (1 + cells)))
        return max(full, part)
    if model.architecture in ("gemma", "gemma2"):
        k = model.key_length
        full = max(unit * (e + v), unit * (2 + cells + cells * h + 2 * e + 2 * k * h))
        part = unit * (2 * e + 1 + 2 * k * h + cells + cells * h) + 4 * k * cells * 8 + e * k * h * 9 // 16
        return max(full, unit * e + table + unit * v, part)
    return h // kv_heads * planned_kv // 6
