"""OpenAI's chat shapes as far as this server speaks them: its requests are read leniently, its answers carry citations.

Clients of that interface send many settings that mean nothing here (temperature, tools …); they are ignored. Shapes only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.history import Exchange
from assistant.text import language_of
from assistant.wire import CitationOut

OFFERED_MODEL = "company-assistant"
"""The one model id; it means the whole assistant, whatever model writes behind it."""


EARLIER_EXCHANGES = 2
EARLIER_CHARACTERS = 2000
"""How much of a caller's conversation is looked at, to understand a follow-up."""


class Lenient(BaseModel):
    """Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class ContentPart(Lenient):
    """One part of a message; only text counts."""

    type: str
    text: str | None = None


class ChatMessage(Lenient):
    """One message of the conversation."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """The message's text parts, joined."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or [] if part.text)


class ChatIn(Lenient):
    """Body of POST /v1/chat/completions. `sources` false leaves the list of sources out of the content."""

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    stream: bool = False
    sources: bool = True

    @property
    def question(self) -> str:
        """The last user message; empty when there is none."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def earlier(self) -> tuple[Exchange, ...]:
        """The exchanges before the last user message, as the caller tells them; messages without text are none."""
        last = max((i for i, message in enumerate(self.messages) if message.role == "user"), default=0)
        exchanges: list[Exchange] = []
        for message in self.messages[:last]:
            text = message.text.strip()[:EARLIER_CHARACTERS]
            if message.role == "user" and text:
                exchanges.append(Exchange(asked=text, question=text, answer="", language=language_of(text)))
            elif message.role == "assistant" and text and exchanges:
                exchanges[-1] = replace(exchanges[-1], answer=text)
        return tuple(exchanges[-EARLIER_EXCHANGES:])


class ReplyOut(BaseModel):
    """The assistant's message."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class ChoiceOut(BaseModel):
    """The one choice."""

    index: int = 0
    message: ReplyOut
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class ChatOut(BaseModel):
    """Body of a 200 that is not streamed. No `usage`: the tokens of an answer are not counted."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChoiceOut]
    citations: list[CitationOut]
    mode: str
    refused: bool
    warnings: list[str]
    request_id: str


class ModelOut(BaseModel):
    """One model id."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "company"


class ModelsOut(BaseModel):
    """The models offered."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


def chunk(
    completion_id: str, *, created: int, delta: dict[str, Any], finish_reason: str | None = None, **more: Any
) -> dict[str, Any]:
    """One `chat.completion.chunk`; `more` are extra fields such as citations."""
    return {
        "id": completion_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": OFFERED_MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}],
        **more,
    }


class OpenAIErrorDetail(BaseModel):
    """What went wrong, with the product's own code."""

    message: str
    type: str
    param: str | None = None
    code: str
    request_id: str
    retryable: bool


class OpenAIError(BaseModel):
    """Body of an error under /v1."""

    error: OpenAIErrorDetail
