"""A chat model or an embedder with something around it: whatever a wrapper does not say otherwise is the wrapped one's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Literal

from assistant.domain import ModelEnd, ModelToken
from assistant.ports import ChatModel, Differences, Embedder, TellsDifferences, Vectors


class WrappedChatModel:
    """See ports.ChatModel."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name

    @property
    def num_ctx(self) -> int:
        """The model's own."""
        return self._model.num_ctx

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        """The model's own."""
        return await self._model.count_tokens(text)

    def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """The model's own."""
        return self._model.stream(prompt, num_predict=num_predict, alternatives=alternatives)

    async def check(self) -> None:
        """The model's own. Raises ModelUnavailable, ModelMissing."""
        await self._model.check()

    def differences(self) -> Differences | None:
        """The model's own; None for one that cannot tell."""
        return self._model.differences() if isinstance(self._model, TellsDifferences) else None


class WrappedEmbedder:
    """See ports.Embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def embedder_id(self) -> str:
        """The embedder's own. Raises what it raises."""
        return self._embedder.embedder_id

    @property
    def dimension(self) -> int:
        """The embedder's own. Raises what it raises."""
        return self._embedder.dimension

    @property
    def reads_japanese(self) -> bool:
        """The embedder's own."""
        return self._embedder.reads_japanese

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """The embedder's own."""
        return self._embedder.embed_documents(texts)

    async def embed_query(self, text: str) -> Vectors:
        """The embedder's own."""
        return await self._embedder.embed_query(text)

    def check(self) -> None:
        """The embedder's own. Raises what it raises."""
        self._embedder.check()
