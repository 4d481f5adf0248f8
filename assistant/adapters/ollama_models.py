"""What Ollama's models are: facts of a model's file for reckoning its memory, from /api/show and /api/tags.

    POST /api/show {"model"} -> model_info (the GGUF's own words), tensors -> ModelFacts

Sizes are summed over the tensors, which is what the engine loads; the file holds a few MB of words beside them.
This room must not know plans, settings or people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from math import prod
from typing import Any, Final

import httpx

from assistant.adapters.model_http import HTTPX_ERRORS, ModelServer, sync_client
from assistant.adapters.ollama_embedder import ollama_server
from assistant.errors import ModelMissing, ModelUnavailable, Text
from assistant.model_facts import ModelFacts

_READ_SECONDS: Final = 30.0
_NOT_FOUND: Final = 404

TENSOR_BYTES: Final[Mapping[str, Fraction]] = {
    "F32": Fraction(4),
    "I32": Fraction(4),
    "F16": Fraction(2),
    "BF16": Fraction(2),
    "I8": Fraction(1),
    "Q8_0": Fraction(34, 32),
    "Q5_1": Fraction(24, 32),
    "Q5_0": Fraction(22, 32),
    "Q4_1": Fraction(20, 32),
    "Q4_0": Fraction(18, 32),
    "IQ4_NL": Fraction(18, 32),
    "MXFP4": Fraction(17, 32),
    "Q6_K": Fraction(210, 256),
    "Q5_K": Fraction(176, 256),
    "Q4_K": Fraction(144, 256),
    "IQ4_XS": Fraction(136, 256),
    "Q3_K": Fraction(110, 256),
    "IQ3_S": Fraction(110, 256),
    "IQ3_XXS": Fraction(98, 256),
    "Q2_K": Fraction(84, 256),
}
"""Bytes of an element by type: size of a block by elements in it (ggml-common.h of the engine)."""


@dataclass(frozen=True)
class RunningModel:
    """A model in memory, by /api/ps; `vram_bytes` of its `size_bytes` lie on a GPU, `num_ctx` is that of one request."""

    name: str
    num_ctx: int | None
    size_bytes: int
    vram_bytes: int
    until: datetime | None


class OllamaModels:
    """The models of one Ollama. Every method raises ModelUnavailable when it does not answer as Ollama does."""

    def __init__(self, url: str, *, connect_timeout_seconds: float = 3.0, read_seconds: float = _READ_SECONDS) -> None:
        self._server: ModelServer = ollama_server(url)
        self._read_seconds = read_seconds
        self._client = sync_client(timeout=httpx.Timeout(read_seconds, connect=connect_timeout_seconds))

    def facts(self, name: str) -> ModelFacts:
        """What the file of an installed model says. Raises ModelMissing when there is none of that name."""
        shown = self._call("POST", "/api/show", {"model": name})
        if shown is None:
            hint = Text(ja=f"`ollama pull {name}` を実行してください。", en=f"Run `ollama pull {name}`.")
            raise self._server.missing(name, hint)
        facts = facts_of(name, shown, source=f"{self._server.shown_url} /api/show")
        if facts is None:
            raise self._server.garbled()
        return facts

    def names(self) -> list[str]:
        """Names of the installed models."""
        tags = self._call("GET", "/api/tags") or {}
        return sorted(str(entry.get("name", "")) for entry in tags.get("models") or [])

    def running(self) -> list[RunningModel]:
        """The models in memory, as the server orders them."""
        told = self._call("GET", "/api/ps") or {}
        try:
            return [_running(entry) for entry in told.get("models") or []]
        except (KeyError, TypeError, ValueError) as error:
            raise self._server.garbled() from error

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The answer; None when there is no such model."""
        try:
            response = self._client.request(method, self._server.url + path, json=body)
            answer = response.json() if response.is_success else {}
        except HTTPX_ERRORS as error:
            raise self._server.model_error(error, limit_seconds=self._read_seconds) from error
        except ValueError as error:
            raise self._server.garbled() from error
        if response.status_code == _NOT_FOUND:
            return None
        if not response.is_success:
            raise self._server.refused(response.status_code)
        if not isinstance(answer, dict):
            raise self._server.garbled()
        return answer


def installed_or_known(models: OllamaModels, name: str, known: Mapping[str, ModelFacts]) -> ModelFacts:
    """The installed model of that name, else the catalogue's. Raises ModelMissing when neither knows it.

    An Ollama that is away is no hindrance for a model of the catalogue: a plan is made before the machine is bought.
    """
    listed = known.get(name) or known.get(name.removesuffix(":latest"))
    try:
        return models.facts(name)
    except (ModelUnavailable, ModelMissing) as error:
        if listed is None:
            raise ModelMissing(
                error.message,
                Text(
                    ja=f"{error.hint.ja} 入れていないモデルでも計算できるもの: {', '.join(known)}",
                    en=f"{error.hint.en} Known without being installed: {', '.join(known)}",
                ),
            ) from error
        return listed


def _running(entry: Mapping[str, Any]) -> RunningModel:
    """One line of /api/ps. `context_length` and `expires_at` are missing in some versions; sizes never."""
    num_ctx, until = entry.get("context_length"), entry.get("expires_at")
    ends = datetime.fromisoformat(until) if until else None
    return RunningModel(
        name=str(entry["name"]),
        num_ctx=None if num_ctx is None else int(num_ctx),
        size_bytes=int(entry["size"]),
        vram_bytes=int(entry["size_vram"]),
        until=ends if ends is None or ends.tzinfo is not None else ends.replace(tzinfo=UTC),
    )


def facts_of(name: str, shown: Mapping[str, Any], *, source: str) -> ModelFacts | None:
    """ModelFacts from an answer of /api/show; None when it lacks what they need (an Ollama before 0.5, another server)."""
    info: Mapping[str, Any] = shown.get("model_info") or {}
    tensors: Sequence[Mapping[str, Any]] = shown.get("tensors") or []
    architecture = str(info.get("general.architecture", ""))

    def number(key: str, default: int = 0) -> int:
        value = info.get(f"{architecture}.{key}", default)
        return int(value) if isinstance(value, int | float) else default

    layers, heads = number("block_count"), _most(info.get(f"{architecture}.attention.head_count"))
    sizes = {str(tensor.get("name", "")): _tensor_bytes(tensor) for tensor in tensors}
    if not layers or not heads or not sizes or None in sizes.values():
        return None
    embedded = next((tensor for tensor in tensors if tensor.get("name") == "token_embd.weight"), None)
    head_length = number("embedding_length") // heads
    kept = {name: size for name, size in sizes.items() if size is not None}
    return ModelFacts(
        name=name,
        architecture=architecture,
        kv_heads=_per_layer(info.get(f"{architecture}.attention.head_count_kv"), layers, default=heads),
        heads=heads,
        embedding=number("embedding_length"),
        key_length=number("attention.key_length", head_length),
        value_length=number("attention.value_length", head_length),
        vocabulary=int(embedded["shape"][-1]) if embedded else number("vocab_size"),
        context_length=number("context_length"),
        weights_bytes=sum(kept.values()),
        input_bytes=kept.get("token_embd.weight", 0),
        layer_bytes=sum(size for tensor, size in kept.items() if tensor.startswith("blk.0.")),
        source=source,
        window=number("attention.sliding_window"),
        is_tied="output.weight" not in kept,
        is_embedder=f"{architecture}.pooling_type" in info,
    )


def _tensor_bytes(tensor: Mapping[str, Any]) -> int | None:
    """Size in bytes; None for a type that is not known."""
    each = TENSOR_BYTES.get(str(tensor.get("type", "")))
    return None if each is None else int(prod(tensor.get("shape") or [0]) * each)


def _most(given: object) -> int:
    """The number, or the largest where every layer has its own."""
    if isinstance(given, list):
        return max((int(each) for each in given), default=0)
    return int(given) if isinstance(given, int | float) else 0


def _per_layer(given: object, layers: int, *, default: int) -> tuple[int, ...]:
    if isinstance(given, list) and len(given) == layers:
        return tuple(int(each) for each in given)
    return (_most(given) or default,) * layers
