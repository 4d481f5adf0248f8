"""The models that the stub has: names, Modelfile layers, creating from another model, deleting, copying.

Knows nothing of requests and of running models.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.stubs.ollama.catalogue import Weights, published
from tests.stubs.ollama.faults import Faults
from tests.stubs.ollama.state import Refusal, dumps

ASSISTANT_NAME = "company-assistant"
ASSISTANT_BASE = "llama3.1:8b-instruct-q4_K_M"
ASSISTANT_SYSTEM = "あなたは会社の文書だけから答える助手です。文書にないことは答えません。"
ASSISTANT_PARAMETERS: dict[str, Any] = {"num_ctx": 8192, "temperature": 0.3, "top_p": 0.9}
DEFAULT_MODELS = (ASSISTANT_BASE, ASSISTANT_NAME, "nomic-embed-text")


@dataclass(frozen=True)
class Layer:
    """One part of a model: what it is, its digest and size."""

    kind: str
    digest: str
    size_bytes: int


@dataclass(frozen=True)
class Model:
    """One named model."""

    name: str
    weights: Weights
    template: str
    system: str = ""
    licenses: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    messages: tuple[dict[str, str], ...] = ()
    parent_name: str = ""
    modified_nanoseconds: int = 0

    def layers(self) -> list[Layer]:
        """In the order in which the real server writes them."""
        parts: list[tuple[str, bytes]] = [("template", self.template.encode())]
        if self.system:
            parts.append(("system", self.system.encode()))
        parts += [("license", text.encode()) for text in self.licenses]
        if self.parameters:
            parts.append(("params", json.dumps(self.parameters, sort_keys=True).encode()))
        if self.messages:
            parts.append(("messages", dumps(self.messages)))
        weights = Layer("model", self.weights.blob, self.weights.size_bytes)
        return [weights, *(Layer(kind, hashlib.sha256(body).hexdigest(), len(body)) for kind, body in parts)]

    def digest(self) -> str:
        """The manifest's digest: changes with every layer."""
        return hashlib.sha256("".join(layer.digest for layer in self.layers()).encode()).hexdigest()

    def size_bytes(self) -> int:
        """Sum of the layers."""
        return sum(layer.size_bytes for layer in self.layers())

    def details(self, *, with_parent: bool = False) -> dict[str, Any]:
        """The ``details`` object of tags, ps and show."""
        return {
            "parent_model": self.parent_name if with_parent else "",
            "format": "gguf",
            "family": self.weights.architecture,
            "families": [self.weights.architecture],
            "parameter_size": self.weights.parameter_size,
            "quantization_level": self.weights.quantization,
        }


def full_name(name: str) -> str:
    """The name with its tag, without the default registry and namespace."""
    for prefix in ("registry.ollama.ai/", "library/"):
        name = name.removeprefix(prefix)
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def is_name(name: str) -> bool:
    """Whether the real server would accept this as a model's name."""
    return bool(name) and all(character.isalnum() or character in "-_.:/" for character in name) and name[0].isalnum()


class Library:
    """All models of one stub."""

    def __init__(self, names: Iterable[str], *, embed_dimension: int, faults: Faults) -> None:
        self._faults = faults
        self._published = published(embed_dimension)
        self._models: dict[str, Model] = {}
        for name in names:
            if full_name(name) == full_name(ASSISTANT_NAME):
                self._install_assistant()
            else:
                self.install(name)

    def find(self, name: str) -> Model | None:
        """The model of that name (case does not matter, the tag may be left out), unless a fault hides it."""
        wanted = full_name(name).lower()
        model = next((each for key, each in self._models.items() if key.lower() == wanted), None)
        return None if model is None or self._faults.hides(model.name) else model

    def all(self) -> list[Model]:
        """The models, last changed first."""
        there = [model for model in self._models.values() if not self._faults.hides(model.name)]
        return sorted(there, key=lambda model: -model.modified_nanoseconds)

    def is_published(self, name: str) -> bool:
        """Whether a registry would have the model."""
        return full_name(name) in self._published

    def install(self, name: str) -> Model:
        """Put a published model in, as a finished pull does; ``KeyError`` where it is unknown."""
        weights = self._published[full_name(name)]
        return self._put(Model(full_name(name), weights, weights.template, parameters=dict(weights.parameters)))

    def create(self, name: str, *, base: Model, body: dict[str, Any]) -> list[str]:
        """Create or replace a model from another; the status lines of its layers."""
        existing = {layer.digest for model in self._models.values() for layer in model.layers()}
        system, template = body.get("system") or base.system, body.get("template") or base.template
        model = Model(
            name=full_name(name),
            weights=base.weights,
            template=template,
            system=system,
            licenses=base.licenses + _texts(body.get("license")),
            parameters={**base.parameters, **(body.get("parameters") or {})},
            messages=tuple(body.get("messages") or base.messages),
            parent_name=base.name,
        )
        self._put(model)
        return [
            f"{'using existing' if layer.digest in existing else 'creating new'} layer sha256:{layer.digest}"
            for layer in _in_order_of_change(model, base)
        ]

    def copy(self, source: Model, destination: str) -> None:
        """The same model under a second name."""
        self._put(replace(source, name=full_name(destination)))

    def delete(self, name: str) -> None:
        """Take a model away; refuses with 404 where there is none."""
        model = self.find(name)
        if model is None:
            raise Refusal(404, f"model '{name}' not found")
        del self._models[model.name]

    def _install_assistant(self) -> None:
        if self.find(ASSISTANT_BASE) is None:
            self.install(ASSISTANT_BASE)
        body = {"system": ASSISTANT_SYSTEM, "parameters": ASSISTANT_PARAMETERS}
        self.create(ASSISTANT_NAME, base=self._models[ASSISTANT_BASE], body=body)

    def _put(self, model: Model) -> Model:
        named = replace(model, modified_nanoseconds=time.time_ns())
        self._models[named.name] = named
        return named


def _in_order_of_change(model: Model, base: Model) -> list[Layer]:
    """Layers taken over first, then the replaced ones: the real server removes a replaced layer and appends the new."""
    kept = {layer.digest for layer in base.layers()}
    return sorted(model.layers(), key=lambda layer: layer.digest not in kept)


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,) if given else ()
    return tuple(given or ())
