"""What a model's GGUF file says of it, as far as memory goes, and which of Ollama's engines runs it. Frozen values only.

Engine: Ollama 0.17.7; its source is named at each table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Engine = Literal["llama.cpp", "ollama"]

OWN_ENGINE: Final = frozenset(
    {
        "bert",
        "deepseek2",
        "gemma3",
        "gemma3n",
        "gptoss",
        "gpt-oss",
        "llama4",
        "mistral3",
        "mllama",
        "nomic-bert",
        "olmo3",
        "qwen25vl",
        "qwen3",
        "qwen3moe",
        "qwen35",
        "qwen35moe",
        "qwen3next",
        "qwen3vl",
        "qwen3vlmoe",
        "lfm2",
        "lfm2moe",
    }
)
"""Architectures that run on Ollama's own engine; the others on llama.cpp (fs/ggml/ggml.go, OllamaEngineRequired)."""
FLASH_BY_ITSELF: Final = OWN_ENGINE - frozenset(("deepseek2", "gemma3n", "llama4", "mllama", "nomic-bert", "qwen25vl"))
"""Architectures whose flash attention is on without OLLAMA_FLASH_ATTENTION (ggml.go, FlashAttention)."""
_LOCAL_ENGINE_PATTERN: Final[Mapping[str, int]] = {"gemma3": 6, "gptoss": 2, "gpt-oss": 2}
"""Every so many layers one sees all; the others see a window (model/models). llama.cpp in 0.17 gives every layer all
cells whatever its window is: swa_full is on by default and Ollama leaves it so (llama-context.cpp)."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model's GGUF file says of it, as far as memory goes. Sizes in bytes.

    `kv_heads` has one number a layer. `input_bytes` is the table of input tokens: kept out of a GPU, unless `is_tied`,
    when it is the output table too and lies in both. `source` says where the facts are from.
    """

    name: str
    architecture: str
    kv_heads: tuple[int, ...]
    heads: int
    embedding: int
    key_length: int
    value_length: int
    vocabulary: int
    context_length: int
    weights_bytes: int
    input_bytes: int
    layer_bytes: int
    source: str
    window: int = 0
    is_tied: bool = False
    is_embedder: bool = False

    @property
    def engine(self) -> Engine:
        """Which of the two engines of 0.17 runs it."""
        return "ollama" if self.architecture in OWN_ENGINE else "llama.cpp"

    @property
    def has_cache(self) -> bool:
        """A model that reads both ways (BERT and its kin) keeps nothing from token to token."""
        return not self.architecture.startswith(("bert", "nomic-bert"))

    def is_local(self, layer: int) -> bool:
        """Whether this layer's cache holds its window alone."""
        every = _LOCAL_ENGINE_PATTERN.get(self.architecture, 0)
        return bool(self.window and every) and (layer + 1) % every != 0

    def can_flash(self) -> bool:
        """Whether the engine has flash attention for it at all (ggml.go, SupportsFlashAttention)."""
        return not self.is_embedder and self.architecture != "gemma2" and self.key_length == self.value_length > 0
