"""A host of models without any server, for tests and demonstrations; see ports.ModelHost.

Its models are fake.py's: they answer from the passages of a prompt, and a SYSTEM that asks for "the single word X" makes
them say X. Held to the contract test of the real host.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from assistant.adapters.fake import FakeChatModel
from assistant.domain import ModelToken
from assistant.errors import ModelMissing, Text, WillNotFit
from assistant.model_facts import ModelFacts
from assistant.releases import LoadedModel, MadeModel, ModelFile, Tried, full_name

TEMPLATE = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}"
BYTES_PER_TOKEN = 2 * 2 * (64 + 64) * 2
WINDOW = 32_768
SIZE_BYTES = 1 << 20
FACTS = ModelFacts(
    name="fake",
    architecture="fake",
    kv_heads=(2, 2),
    heads=2,
    embedding=128,
    key_length=64,
    value_length=64,
    vocabulary=256,
    context_length=WINDOW,
    weights_bytes=SIZE_BYTES,
    input_bytes=1 << 16,
    layer_bytes=1 << 18,
    source="made up",
)
NUM_CTX = 4096
"""Of a model that sets none."""


@dataclass
class FakeModelHost:
    """Models by full name. `memory_bytes` is what the machine has; on a GPU what does not fit is left outside of it."""

    bases: tuple[str, ...] = ("base:latest",)
    memory_bytes: int = 1 << 30
    is_gpu: bool = False
    tokens_per_second: float = 100.0
    models: dict[str, MadeModel] = field(default_factory=dict)
    in_memory: dict[str, LoadedModel] = field(default_factory=dict)
    loads: int = 0

    def __post_init__(self) -> None:
        for name in self.bases:
            self._put(fake_model(name))

    async def seen(self, name: str) -> MadeModel | None:
        """The model, if there is one."""
        return self.models.get(full_name(name))

    async def make(self, name: str, *, base: str, settings: Mapping[str, Any]) -> MadeModel:
        """The model, made anew. An empty system is the base's own, as on the real one. Raises ModelMissing."""
        of = self._there(base)
        made = replace(
            of,
            name=full_name(name),
            system=settings.get("system") or of.system,
            template=settings.get("template") or of.template,
            parameters={**of.parameters, **settings.get("parameters", {})},
            messages=tuple((each["role"], each["content"]) for each in settings.get("messages", [])) or of.messages,
        )
        return self._put(made)

    async def load(self, name: str) -> LoadedModel:
        """The model in memory. Raises WillNotFit, ModelMissing."""
        model = self._there(name)
        num_ctx = min(int(model.parameters.get("num_ctx", NUM_CTX)), model.window)
        wanted = model.size_bytes + num_ctx * BYTES_PER_TOKEN
        if wanted > self.memory_bytes and not self.is_gpu:
            raise WillNotFit(
                Text(ja=f"{name} を載せるメモリが足りません。", en=f"There is not enough memory to load {name}."),
                Text(ja="num_ctx を小さくしてください。", en="Use a smaller num_ctx."),
            )
        now = LoadedModel(num_ctx, wanted, min(wanted, self.memory_bytes) if self.is_gpu else 0)
        if self.in_memory.get("runner") != now:
            self.loads += 1
        self.in_memory = {"runner": now}  # one file of weights, so one runner for all names
        return now

    async def loaded(self, name: str) -> LoadedModel | None:
        """The one runner, under any name."""
        return self.in_memory.get("runner") if full_name(name) in self.models else None

    async def try_out(self, name: str, prompt: str, *, num_predict: int) -> Tried:
        """What the model says. Raises ModelMissing, WillNotFit, ContextOverflow."""
        await self.load(name)
        pieces: list[str] = []
        model = self.chat_model(name)
        async with aclosing(model.stream(prompt, num_predict=num_predict)) as stream:
            async for piece in stream:
                if isinstance(piece, ModelToken):
                    pieces.append(piece.text)
        prompt_tokens, _ = await model.count_tokens(prompt)
        return Tried(
            text="".join(pieces),
            prompt_tokens=prompt_tokens,
            answer_tokens=len(pieces),
            is_whole=len(pieces) < num_predict,
            first_token_seconds=round(prompt_tokens / self.tokens_per_second / 10, 3),
            tokens_per_second=self.tokens_per_second,
        )

    async def copy(self, source: str, name: str) -> None:
        """Gives the model a second name. Raises ModelMissing."""
        self._put(replace(self._there(source), name=full_name(name)))

    async def remove(self, name: str) -> None:
        """Takes the name away."""
        self.models.pop(full_name(name), None)

    async def digests(self) -> dict[str, str]:
        """Digests by full name."""
        return {name: model.digest for name, model in self.models.items()}

    async def files(self) -> dict[str, ModelFile]:
        """All share the weights of one file."""
        return {name: ModelFile("base", model.size_bytes) for name, model in self.models.items()}

    def free_bytes(self) -> int | None:
        """What the models leave."""
        return self.memory_bytes - sum(loaded.bytes for loaded in self.in_memory.values())

    def chat_model(self, name: str) -> FakeChatModel:
        """The model as the pipeline asks it. Raises ModelMissing."""
        model = self._there(name)
        num_ctx = min(int(model.parameters.get("num_ctx", NUM_CTX)), model.window)
        return FakeChatModel(name=name, num_ctx=num_ctx, system_text=model.system)

    def _there(self, name: str) -> MadeModel:
        model = self.models.get(full_name(name))
        if model is None:
            raise ModelMissing(
                Text(ja=f"モデル {name} がありません。", en=f"There is no model {name}."),
                Text(ja="名前を確かめてください。", en="Check the name."),
            )
        return model

    def _put(self, model: MadeModel) -> MadeModel:
        content = [model.system, model.template, dict(model.parameters), list(model.messages)]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        self.models[model.name] = replace(model, digest=digest)
        return self.models[model.name]


def fake_model(name: str) -> MadeModel:
    """A base model as it lies on the host before anything is made of it."""
    return MadeModel(
        name=full_name(name),
        digest="",
        size_bytes=SIZE_BYTES,
        system="",
        template=TEMPLATE,
        parameters={},
        facts=FACTS,
        window=WINDOW,
        can_chat=True,
    )
