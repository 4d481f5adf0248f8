"""What the doors to OpenAI-compatible servers share: the server for messages to people, its key, and its own counting.

    llama.cpp   POST /apply-template, then /tokenize {content}
    vLLM        POST /tokenize {model, messages}
    others      neither: tokens are estimated

This room must not know prompts' meaning, vectors or settings; names of settings it is given.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from assistant.adapters.model_http import HTTPX_ERRORS, ModelServer, async_client
from assistant.errors import Text

_log = structlog.get_logger(__name__)

TOO_LONG_SIGNS = ("context", "exceed", "too long", "too large")
_REST_SECONDS = 10.0  # one question counts several times; a server that is away is not asked each time
_NO_ROUTE = (404, 405, 501)

Message = dict[str, str]


@dataclass(frozen=True)
class SettingNames:
    """The settings that say where a server is, for hints."""

    url: str = "ASSISTANT_OPENAI_URL"
    api_key: str = "ASSISTANT_OPENAI_API_KEY"
    model: str = "ASSISTANT_CHAT_MODEL"


def openai_server(url: str, names: SettingNames | None = None) -> ModelServer:
    """An OpenAI-compatible server at a base address (`…/v1`), for messages to people."""
    setting = (names or SettingNames()).url
    return ModelServer(
        Text(ja="OpenAI 互換サーバー", en="the OpenAI-compatible server"),
        url.rstrip("/"),
        Text(
            ja=f"サーバーを起動するか、{setting} を確かめてください。",
            en=f"Start the server, or check {setting}.",
        ),
    )


def authorization(api_key: str) -> dict[str, str]:
    """The header that carries a key; empty without one."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


class ServerTokenizer:
    """Counts a chat's tokens with the server's own tokenizer and chat template, where it has routes for that."""

    def __init__(self, url: str, model: str, *, headers: dict[str, str], timeout_seconds: float) -> None:
        self._root = url.removesuffix("/v1")
        self._model = model
        self._headers = headers
        self._timeout = httpx.Timeout(timeout_seconds)
        self._ask_from = 0.0
        self._ways = [self._as_llama_cpp, self._as_vllm]

    async def count(self, messages: Sequence[Message]) -> int | None:
        """Tokens of the chat as the model reads it; None when the server cannot say, or not just now."""
        if time.monotonic() < self._ask_from:
            return None
        try:
            async with async_client(timeout=self._timeout, headers=self._headers) as client:
                while self._ways:
                    tokens = await self._ways[0](client, messages)
                    if tokens is not None:
                        return tokens
                    self._ways.pop(0)
        except (*HTTPX_ERRORS, ValueError, TypeError, KeyError) as error:
            # Announced by counted_by = estimate; the question itself will meet a server that is away.
            _log.info("tokenizer_away", model=self._model, problem=type(error).__name__)
            self._ask_from = time.monotonic() + _REST_SECONDS
            return None
        _log.info("no_tokenizer_route", model=self._model)
        self._ask_from = math.inf
        return None

    async def _as_llama_cpp(self, client: httpx.AsyncClient, messages: Sequence[Message]) -> int | None:
        templated = await client.post(f"{self._root}/apply-template", json={"messages": messages})
        if templated.status_code in _NO_ROUTE:
            return None
        content = {"content": templated.raise_for_status().json()["prompt"], "parse_special": True}
        counted = (await client.post(f"{self._root}/tokenize", json=content)).raise_for_status()
        return len(counted.json()["tokens"])

    async def _as_vllm(self, client: httpx.AsyncClient, messages: Sequence[Message]) -> int | None:
        counted = await client.post(f"{self._root}/tokenize", json={"model": self._model, "messages": messages})
        if counted.status_code in _NO_ROUTE:
            return None
        return int(counted.raise_for_status().json()["count"])


async def window_of(client: httpx.AsyncClient, url: str, entry: dict[str, Any]) -> int | None:
    """The window that a server was started with, for one question; None where it does not say.

    vLLM says it in /v1/models, llama.cpp in /props (divided by its slots already). Raises httpx's errors, ValueError.
    """
    if isinstance(told := entry.get("max_model_len"), int):
        return told
    props = await client.get(f"{url.removesuffix('/v1')}/props")
    if not props.is_success:
        return None
    said = props.json()
    generation = said.get("default_generation_settings") if isinstance(said, dict) else None
    window = generation.get("n_ctx") if isinstance(generation, dict) else None
    return window if isinstance(window, int) else None
