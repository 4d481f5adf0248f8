"""Asking a chat model in a contract test: prompts, whole answers, and the product's model behind each protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from assistant.adapters.ollama import OllamaChatModel
from assistant.adapters.openai_compatible import OpenAICompatibleChatModel
from assistant.domain import ModelEnd, ModelToken
from assistant.ports import ChatModel

PASSAGES = (
    "下の抜粋だけを根拠にして、最後の質問に日本語で短く答えてください。\n"
    '<passage number="1" source="休暇規程">\n年次有給休暇は、取得日の3営業日前までに所属長へ申請する。\n</passage>\n'
    '<passage number="2" source="旅費規程">\n出張の旅費は、帰社後5営業日以内に精算する。\n</passage>\n'
)
QUESTION = PASSAGES + "\n質問: 年次有給休暇は取得日の何営業日前までに申請しますか?"
SHORT = "質問: 何時ですか?"
OTHER_SHORT = "質問: 何曜日ですか?"
LONG_TALK = "質問: 長く書いてください。1 から 500 までの数を、一つも省かずに順に書き写してください。"

Piece = ModelToken | ModelEnd


async def answered(model: ChatModel, prompt: str, *, num_predict: int = 64, alternatives: int = 0) -> list[Piece]:
    """All pieces of one answer."""
    async with aclosing(model.stream(prompt, num_predict=num_predict, alternatives=alternatives)) as pieces:
        return [piece async for piece in pieces]


def ask(model: ChatModel, prompt: str = QUESTION, *, num_predict: int = 64) -> tuple[str, ModelEnd]:
    """The answer's text and its end, with the form of the stream checked."""
    pieces = asyncio.run(answered(model, prompt, num_predict=num_predict))
    *tokens, end = pieces
    assert isinstance(end, ModelEnd)
    assert all(isinstance(token, ModelToken) and token.text for token in tokens)
    return "".join(token.text for token in tokens if isinstance(token, ModelToken)), end


async def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Returns when the condition holds; fails when it does not in time."""
    async with asyncio.timeout(seconds):
        for _ in iter(condition, True):
            await asyncio.sleep(0.005)


def ollama_model(url: str, **given: object) -> OllamaChatModel:
    """The product's model on Ollama."""
    defaults = {"model": "company-assistant", "num_ctx": 8192}
    return OllamaChatModel(url=url, **{**defaults, **given})  # type: ignore[arg-type]


def openai_model(url: str, **given: object) -> OpenAICompatibleChatModel:
    """The same model behind OpenAI's protocol."""
    defaults = {"model": "company-assistant", "num_ctx": 8192}
    return OpenAICompatibleChatModel(url=f"{url}/v1", **{**defaults, **given})  # type: ignore[arg-type]


MakeModel = Callable[..., ChatModel]
both_doors = pytest.mark.parametrize("make", [ollama_model, openai_model], ids=["ollama", "openai"])
