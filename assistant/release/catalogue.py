"""Models that companies run on Ollama, with their GGUF facts, so that a plan needs no download. Pure.

    shape (config.json of the publisher) + the rule of Q4_K_M -> size of every tensor -> ModelFacts

The rule is llama.cpp's (src/llama-quant.cpp). `file_bytes` is what the publisher of the GGUF file states: it holds the
same tensors and a few MB of words, which a test holds the rule to. For a model that is installed, ask Ollama instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from assistant.model_facts import ModelFacts

_BLOCK: Final = 256
_BLOCK_BYTES: Final = {"Q4_K": 144, "Q5_K": 176, "Q6_K": 210}
_FLOAT_BYTES: Final = 4
_HALF_BYTES: Final = 2


@dataclass(frozen=True)
class Shape:
    """What decides a model's size. `is_fused`: queries, keys and values are one tensor. `norms` in a layer.

    `vision_bytes`: the part that reads pictures, which Ollama loads with the model.
    """

    architecture: str
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head_length: int
    feed_forward: int
    vocabulary: int
    context_length: int
    file_bytes: int
    source: str
    is_tied: bool = False
    has_biases: bool = False
    is_fused: bool = False
    values_get_more: bool = False
    norms: int = 2
    window: int = 0
    vision_bytes: int = 0


SHAPES: Final[Mapping[str, Shape]] = {
    "llama3.1:8b-instruct-q4_K_M": Shape(
        "llama", 32, 4096, 32, 8, 128, 14336, 128256, 131072, 4_920_739_232, "meta-llama/Llama-3.1-8B-Instruct"
    ),
    "llama3.1:70b-instruct-q4_K_M": Shape(
        "llama", 80, 8192, 64, 8, 128, 28672, 128256, 131072, 42_520_393_152, "meta-llama/Llama-3.1-70B-Instruct",
        values_get_more=True,
    ),
    "qwen2.5:3b-instruct-q4_K_M": Shape(
        "qwen2", 36, 2048, 16, 2, 128, 11008, 151936, 32768, 1_929_903_264, "Qwen/Qwen2.5-3B-Instruct",
        is_tied=True, has_biases=True,
    ),
    "qwen2.5:7b-instruct-q4_K_M": Shape(
        "qwen2", 28, 3584, 28, 4, 128, 18944, 152064, 32768, 4_683_074_240, "Qwen/Qwen2.5-7B-Instruct",
        has_biases=True,
    ),
    "qwen2.5:14b-instruct-q4_K_M": Shape(
        "qwen2", 48, 5120, 40, 8, 128, 13824, 152064, 32768, 8_988_110_976, "Qwen/Qwen2.5-14B-Instruct",
        has_biases=True,
    ),
    "qwen2.5:32b-instruct-q4_K_M": Shape(
        "qwen2", 64, 5120, 40, 8, 128, 27648, 152064, 32768, 19_851_336_256, "Qwen/Qwen2.5-32B-Instruct",
        has_biases=True,
    ),
    "qwen2.5-coder:1.5b-instruct-q4_K_M": Shape(
        "qwen2", 28, 1536, 12, 2, 128, 8960, 151936, 32768, 1_117_320_768, "Qwen/Qwen2.5-Coder-1.5B-Instruct",
        has_biases=True,
    ),
    "qwen2.5-coder:7b-instruct-q4_K_M": Shape(
        "qwen2", 28, 3584, 28, 4, 128, 18944, 152064, 32768, 4_683_074_240, "Qwen/Qwen2.5-Coder-7B-Instruct",
        has_biases=True,
    ),
    "qwen2.5-coder:14b-instruct-q4_K_M": Shape(
        "qwen2", 48, 5120, 40, 8, 128, 13824, 152064, 32768, 8_988_110_976, "Qwen/Qwen2.5-Coder-14B-Instruct",
        has_biases=True,
    ),
    "gemma2:2b-instruct-q4_K_M": Shape(
        "gemma2", 26, 2304, 8, 4, 256, 9216, 256000, 8192, 1_708_582_752, "google/gemma-2-2b-it",
        is_tied=True, norms=4, window=4096,
    ),
    "gemma2:9b-instruct-q4_K_M": Shape(
        "gemma2", 42, 3584, 16, 8, 256, 14336, 256000, 8192, 5_761_057_728, "google/gemma-2-9b-it",
        is_tied=True, norms=4, window=4096,
    ),
    "gemma2:27b-instruct-q4_K_M": Shape(
        "gemma2", 46, 4608, 32, 16, 128, 36864, 256000, 8192, 16_645_381_472, "google/gemma-2-27b-it",
        is_tied=True, norms=4, window=4096,
    ),
    "gemma3:4b-it-q4_K_M": Shape(
        "gemma3", 34, 2560, 8, 4, 256, 10240, 262208, 131072, 2_489_894_016, "google/gemma-3-4b-it",
        is_tied=True, norms=4, window=1024, vision_bytes=851_000_000,
    ),
    "gemma3:12b-it-q4_K_M": Shape(
        "gemma3", 48, 3840, 16, 8, 256, 15360, 262208, 131072, 7_300_574_880, "google/gemma-3-12b-it",
        is_tied=True, norms=4, window=1024, vision_bytes=854_000_000,
    ),
    "gemma3:27b-it-q4_K_M": Shape(
        "gemma3", 62, 5376, 32, 16, 128, 21504, 262208, 131072, 16_546_404_640, "google/gemma-3-27b-it",
        is_tied=True, norms=4, window=1024, vision_bytes=858_000_000,
    ),
    "phi3.5:3.8b-mini-instruct-q4_K_M": Shape(
        "phi3", 32, 3072, 32, 32, 96, 8192, 32064, 131072, 2_393_232_672, "microsoft/Phi-3.5-mini-instruct",
        is_fused=True,
    ),
    "phi4:14b-q4_K_M": Shape(
        "phi3", 40, 5120, 40, 10, 128, 17920, 100352, 16384, 9_053_114_816, "microsoft/phi-4", is_fused=True
    ),
    "mistral:7b-instruct-v0.3-q4_K_M": Shape(
        "llama", 32, 4096, 32, 8, 128, 14336, 32768, 32768, 4_372_812_000, "mistralai/Mistral-7B-Instruct-v0.3"
    ),
    "mistral-nemo:12b-instruct-2407-q4_K_M": Shape(
        "llama", 40, 5120, 32, 8, 128, 14336, 131072, 131072, 7_477_208_192, "mistralai/Mistral-Nemo-Instruct-2407"
    ),
    "mistral-small:24b-instruct-2501-q4_K_M": Shape(
        "llama", 40, 5120, 32, 8, 128, 32768, 131072, 32768, 14_333_908_832,
        "mistralai/Mistral-Small-24B-Instruct-2501",
    ),
}  # fmt: skip
"""Numbers: config.json of `source` on its publisher's hub, in this order: layers, hidden size, heads, key-value heads, size of
a head, size of the feed-forward layer, words, context; then the size of the Q4_K_M file. Compared with copies of these files
elsewhere: docs/lab-notes.md, 2026-11-27."""


def catalogue() -> dict[str, ModelFacts]:
    """Every chat model of the catalogue and the embedders that Ollama is asked for, by the name on Ollama."""
    return {**{name: _facts(name, shape) for name, shape in SHAPES.items()}, **EMBEDDERS}


def _facts(name: str, shape: Shape) -> ModelFacts:
    layers = [_layer_bytes(shape, layer) for layer in range(shape.layers)]
    table = shape.vocabulary * shape.embedding
    embedded = _packed(table, "Q6_K" if shape.is_tied else "Q4_K")
    output = 0 if shape.is_tied else _packed(table, "Q6_K")
    return ModelFacts(
        name=name,
        architecture=shape.architecture,
        kv_heads=(shape.kv_heads,) * shape.layers,
        heads=shape.heads,
        embedding=shape.embedding,
        key_length=shape.head_length,
        value_length=shape.head_length,
        vocabulary=shape.vocabulary,
        context_length=shape.context_length,
        weights_bytes=sum(layers) + embedded + output + _FLOAT_BYTES * shape.embedding + shape.vision_bytes,
        input_bytes=embedded,
        layer_bytes=layers[0],
        source=f"config.json of {shape.source}; Q4_K_M as llama.cpp makes it",
        window=shape.window,
        is_tied=shape.is_tied,
    )


def _layer_bytes(shape: Shape, layer: int) -> int:
    gets_more = _gets_more(layer, shape.layers)
    queries, keys = shape.heads * shape.head_length, shape.kv_heads * shape.head_length
    if shape.is_fused:
        attention = _packed(shape.embedding * (queries + 2 * keys), "Q5_K")
    else:
        values = "Q6_K" if gets_more else "Q5_K" if shape.values_get_more else "Q4_K"
        attention = _packed(shape.embedding * (queries + keys), "Q4_K") + _packed(shape.embedding * keys, values)
    forward = 2 * _packed(shape.embedding * shape.feed_forward, "Q4_K")
    forward += _packed(shape.feed_forward * shape.embedding, "Q6_K" if gets_more else "Q4_K")
    floats = shape.norms * shape.embedding + (queries + 2 * keys if shape.has_biases else 0)
    if shape.architecture == "gemma3":
        floats += 2 * shape.head_length  # its norms of queries and keys
    return attention + _packed(queries * shape.embedding, "Q4_K") + forward + _FLOAT_BYTES * floats


def _gets_more(layer: int, layers: int) -> bool:
    """Layers whose values and outputs are kept finer: the first and last eighth, and every third between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _packed(elements: int, kind: str) -> int:
    return elements * _BLOCK_BYTES[kind] // _BLOCK


def _embedder(name: str, shape: tuple[str, int, int, int, int, int], weights_bytes: int, source: str) -> ModelFacts:
    architecture, layers, embedding, heads, vocabulary, context_length = shape
    return ModelFacts(
        name=name,
        architecture=architecture,
        kv_heads=(heads,) * layers,
        heads=heads,
        embedding=embedding,
        key_length=embedding // heads,
        value_length=embedding // heads,
        vocabulary=vocabulary,
        context_length=context_length,
        weights_bytes=weights_bytes,
        input_bytes=_HALF_BYTES * vocabulary * embedding,
        layer_bytes=weights_bytes // (2 * layers),
        source=source,
        is_tied=True,
        is_embedder=True,
    )


EMBEDDERS: Final[Mapping[str, ModelFacts]] = {
    "nomic-embed-text": _embedder(
        "nomic-embed-text", ("nomic-bert", 12, 768, 12, 30522, 2048), 273_500_000,
        "config.json of nomic-ai/nomic-embed-text-v1.5; 137 million parameters in F16",
    ),
    "bge-m3": _embedder(
        "bge-m3", ("bert", 24, 1024, 16, 250002, 8192), 1_153_000_000,
        "config.json of BAAI/bge-m3; 567 million parameters in F16",
    ),
    "nomic-embed-text-v2-moe": _embedder(
        "nomic-embed-text-v2-moe", ("nomic-bert-moe", 12, 768, 12, 250048, 512), 957_000_000,
        "config.json of nomic-ai/nomic-embed-text-v2-moe; 475 million parameters in F16",
    ),
}  # fmt: skip
"""Sizes of the files on Ollama's library, rounded up."""
