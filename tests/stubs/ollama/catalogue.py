"""The model files that the stub pretends to know: what a GGUF file says of itself. Knows no request."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

LLAMA_TEMPLATE = (
    "{{- if .System }}<|start_header_id|>system<|end_header_id|>\n\n{{ .System }}<|eot_id|>{{ end }}"
    '{{- range .Messages }}{{- if ne .Role "system" }}<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n'
    "{{ .Content }}<|eot_id|>{{ end }}{{ end }}<|start_header_id|>assistant<|end_header_id|>\n\n"
)
CHATML_TEMPLATE = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
)
BARE_TEMPLATE = "{{ .Prompt }}"


@dataclass(frozen=True)
class Weights:
    """One GGUF file and the layers that its published model has around it."""

    title: str
    architecture: str
    parameter_count: int
    parameter_size: str
    quantization: str
    size_bytes: int
    info: dict[str, Any]
    """Keys of the architecture, without its name before them."""
    general: dict[str, Any]
    tokenizer: dict[str, Any]
    capabilities: tuple[str, ...]
    template: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def blob(self) -> str:
        """sha256 digest of the pretended file."""
        return hashlib.sha256(f"weights of {self.title}".encode()).hexdigest()

    @property
    def context_length(self) -> int:
        """Tokens the model was trained for; num_ctx is cut down to it."""
        return int(self.info["context_length"])

    @property
    def embedding_length(self) -> int:
        """Numbers in one vector."""
        return int(self.info["embedding_length"])

    @property
    def is_embedder(self) -> bool:
        """Whether the model embeds and cannot chat."""
        return "completion" not in self.capabilities

    @property
    def starts_with_bos(self) -> bool:
        """Whether the tokenizer puts one more token before a prompt."""
        return self.architecture == "llama"

    def kv_bytes_per_token(self) -> int:
        """f16 keys and values of one token over all layers."""
        heads = int(self.info["attention.head_count"])
        kv_heads = int(self.info.get("attention.head_count_kv", heads))
        return 2 * 2 * int(self.info["block_count"]) * kv_heads * (self.embedding_length // heads)

    def model_info(self) -> dict[str, Any]:
        """The ``model_info`` of /api/show, sorted as Go sorts keys."""
        merged = {f"general.{key}": value for key, value in self.general.items()}
        merged |= {f"{self.architecture}.{key}": value for key, value in self.info.items()}
        merged |= {f"tokenizer.ggml.{key}": value for key, value in self.tokenizer.items()}
        merged["general.architecture"] = self.architecture
        merged["general.parameter_count"] = self.parameter_count
        return dict(sorted(merged.items()))


def published(embed_dimension: int) -> dict[str, Weights]:
    """The models that a registry would have, by full name; nomic-embed-text gets the given number of dimensions."""
    return {
        "llama3.1:8b-instruct-q4_K_M": _llama(),
        "qwen2.5:1.5b-instruct-q4_K_M": _qwen("1.5b", 1_777_088_000, size="1.8B", layers=28, width=1536, heads=12),
        "qwen2.5:0.5b-instruct-q4_K_M": _qwen("0.5b", 630_167_424, size="630.17M", layers=24, width=896, heads=14),
        "nomic-embed-text:latest": _embedder(
            "nomic-embed-text",
            "nomic-bert",
            136_727_040,
            context=2048,
            dimension=embed_dimension,
            layers=12,
            heads=12,
            parameters={"num_ctx": 8192},
        ),
        "bge-m3:latest": _embedder(
            "bge-m3", "bert", 566_703_104, context=8192, dimension=1024, layers=24, heads=16, parameters={}
        ),
    }


def _llama() -> Weights:
    return Weights(
        title="llama3.1:8b",
        architecture="llama",
        parameter_count=8_030_261_312,
        parameter_size="8.0B",
        quantization="Q4_K_M",
        size_bytes=4_920_738_944,
        info={
            "attention.head_count": 32,
            "attention.head_count_kv": 8,
            "attention.layer_norm_rms_epsilon": 1e-05,
            "block_count": 32,
            "context_length": 131_072,
            "embedding_length": 4096,
            "feed_forward_length": 14_336,
            "rope.dimension_count": 128,
            "rope.freq_base": 500_000,
            "vocab_size": 128_256,
        },
        general={
            "basename": "Meta-Llama-3.1",
            "file_type": 15,
            "finetune": "Instruct",
            "quantization_version": 2,
            "size_label": "8B",
            "type": "model",
        },
        tokenizer={
            "bos_token_id": 128_000,
            "eos_token_id": 128_009,
            "merges": None,
            "model": "gpt2",
            "pre": "llama-bpe",
            "token_type": None,
            "tokens": None,
        },
        capabilities=("completion", "tools"),
        template=LLAMA_TEMPLATE,
        parameters={"stop": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]},
    )


def _qwen(label: str, count: int, *, size: str, layers: int, width: int, heads: int) -> Weights:
    return Weights(
        title=f"qwen2.5:{label}",
        architecture="qwen2",
        parameter_count=count,
        parameter_size=size,
        quantization="Q4_K_M",
        size_bytes=count * 5 // 8,
        info={
            "attention.head_count": heads,
            "attention.head_count_kv": 2,
            "attention.layer_norm_rms_epsilon": 1e-06,
            "block_count": layers,
            "context_length": 32_768,
            "embedding_length": width,
            "feed_forward_length": width * 6,
            "rope.freq_base": 1_000_000,
        },
        general={
            "basename": "Qwen2.5",
            "file_type": 15,
            "finetune": "Instruct",
            "quantization_version": 2,
            "size_label": label.upper(),
            "type": "model",
        },
        tokenizer={
            "add_bos_token": False,
            "bos_token_id": 151_643,
            "eos_token_id": 151_645,
            "merges": None,
            "model": "gpt2",
            "padding_token_id": 151_643,
            "pre": "qwen2",
            "token_type": None,
            "tokens": None,
        },
        capabilities=("completion",),
        template=CHATML_TEMPLATE,
        parameters={"stop": ["<|im_end|>"]},
    )


def _embedder(
    title: str,
    architecture: str,
    count: int,
    *,
    context: int,
    dimension: int,
    layers: int,
    heads: int,
    parameters: dict[str, Any],
) -> Weights:
    return Weights(
        title=title,
        architecture=architecture,
        parameter_count=count,
        parameter_size=f"{count / 1e6:.0f}M",
        quantization="F16",
        size_bytes=count * 2,
        info={
            "attention.causal": False,
            "attention.head_count": heads,
            "attention.layer_norm_epsilon": 1e-12,
            "block_count": layers,
            "context_length": context,
            "embedding_length": dimension,
            "feed_forward_length": dimension * 4,
            "pooling_type": 1,
        },
        general={"file_type": 1, "quantization_version": 2},
        tokenizer={
            "cls_token_id": 101,
            "mask_token_id": 103,
            "model": "bert",
            "padding_token_id": 0,
            "seperator_token_id": 102,
            "scores": None,
            "token_type": None,
            "token_type_count": 2,
            "tokens": None,
            "unknown_token_id": 100,
        },
        capabilities=("embedding",),
        template=BARE_TEMPLATE,
        parameters=parameters,
    )
