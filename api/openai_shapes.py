"""OpenAI's chat shapes as far as this server speaks them: its requests are read leniently, its answers carry citations.

Clients of that interface send many settings that mean nothing here (temperature, tools …); they are ignored. Shapes only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.domain import ContextUse
from assistant.grammar import language_of
from assistant.history import Exchange
from assistant.text import without_control_characters
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


class StreamOptions(Lenient):
    """What a stream brings beside its text."""

    include_usage: bool = False


class ChatIn(Lenient):
    """Body of POST /v1/chat/completions. `sources` false leaves the list of sources out of the content."""

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    sources: bool = True

    @property
    def has_usage(self) -> bool:
        """Whether a stream is to end with the numbers of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def question(self) -> str:
        """The last user message; empty when there is none."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def opening(self) -> str:
        """The first user message, which all requests of one conversation have in common."""
        return next((m.text for m in self.messages if m.role == "user"), "")

    @property
    def earlier(self) -> tuple[Exchange, ...]:
        """The exchanges before the last user message, as the caller tells them; messages without text are none."""
        last = max((i for i, message in enumerate(self.messages) if message.role == "user"), default=0)
        exchanges: list[Exchange] = []
        for message in self.messages[:last]:
            text = without_control_characters(message.text).strip()[:EARLIER_CHARACTERS]
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


class UsageOut(BaseModel):
    """Tokens as the model counted them; zero where no model wrote."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def from_domain(cls, context: ContextUse) -> UsageOut:
        """The numbers of one answer."""
        prompt, completion = context.prompt_tokens, context.answer_tokens
        return cls(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


class ChatOut(BaseModel):
    """Body of a 200 that is not streamed."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChoiceOut]
    usage: UsageOut
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


def usage_chunk(completion_id: str, *, created: int, usage: UsageOut) -> dict[str, Any]:
    """The chunk without a choice that ends a stream whose caller wants to know the tokens."""
    return chunk(completion_id, created=created, delta={}, choices=[], usage=usage.model_dump())


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
