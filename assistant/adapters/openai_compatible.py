"""The door to servers that speak OpenAI's protocol: llama.cpp, vLLM, TGI and others on the company's own machines.

    prompt -> [system, user] -> POST /chat/completions, streamed -> server-sent events -> tokens, then usage
    count  -> the server's own tokenizer where it has routes for that, else an estimate
    window -> what the server says that it was started with, compared with num_ctx

System text and sampling are sent here, for such a server has no Modelfile. Plain httpx: few routes are used, and a client
library would bring retries and proxies of its own. (The embedder beside it: openai_embedder.py.)
This room must not know passages, settings or answers.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal

import anyio
import httpx
import structlog

from assistant.adapters.alternatives import alternatives_of
from assistant.adapters.model_http import (
    ANSWER_SECONDS,
    HTTPX_ERRORS,
    Limits,
    ModelServer,
    async_client,
    encodable,
    paced,
    token_count,
)
from assistant.adapters.openai_embedder import OpenAICompatibleEmbedder
from assistant.adapters.openai_server import (
    TOO_LONG_SIGNS,
    ServerTokenizer,
    SettingNames,
    authorization,
    openai_server,
    window_of,
)
from assistant.adapters.token_estimate import TokenEstimator
from assistant.domain import ModelEnd, ModelToken
from assistant.errors import ContextOverflow, ModelError, Text
from assistant.ports import Differences

__all__ = ["OpenAICompatibleChatModel", "OpenAICompatibleEmbedder", "SettingNames", "openai_server"]

_log = structlog.get_logger(__name__)

_LOADING_HINT = Text(
    ja="モデルの読み込みが終わるまで少し待って、もう一度お試しください。",
    en="Wait until the model is loaded, then ask again.",
)
_END_MARK = "[DONE]"


class OpenAICompatibleChatModel:
    """A chat model behind OpenAI's protocol; see ports.ChatModel.

    `sampling` is the release's and goes with every request; `unsent` names what of the release the protocol cannot carry.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        num_ctx: int,
        system_text: str = "",
        api_key: str = "",
        sampling: Mapping[str, object] | None = None,
        unsent: Sequence[str] = (),
        connect_timeout_seconds: float = 3.0,
        first_token_timeout_seconds: float = 300.0,
        token_timeout_seconds: float = 60.0,
        answer_timeout_seconds: float = ANSWER_SECONDS,
        server: ModelServer | None = None,
        names: SettingNames | None = None,
    ) -> None:
        self._names = names or SettingNames()
        self._server = server or openai_server(url, self._names)
        self._model = model
        self._num_ctx = num_ctx
        self._system_text = system_text
        self._headers = authorization(api_key)
        self._sampling = dict(sampling or {})
        self._unsent = tuple(unsent)
        self._window: int | None = None
        self._connect_seconds = connect_timeout_seconds
        self._limits = Limits(first_token_timeout_seconds, token_timeout_seconds, answer_timeout_seconds)
        self._estimator = TokenEstimator(model, system_text=system_text)
        self._tokenizer = ServerTokenizer(
            self._server.url, model, headers=self._headers, timeout_seconds=connect_timeout_seconds
        )

    @property
    def name(self) -> str:
        """The model's name on the server."""
        return self._model

    @property
    def num_ctx(self) -> int:
        """The window in tokens that the server was started with; the protocol cannot send it."""
        return self._num_ctx

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        """Tokens of a prompt with system text and template: the server's own tokenizer, or an estimate."""
        tokens = await self._tokenizer.count(self._messages(encodable(text)))
        if tokens is not None:
            return tokens, "tokenizer"
        return self._estimator.estimate(text), "estimate"

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """Tokens, then one ModelEnd; closing it drops the connection, which stops the model at once.

        Raises ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted, ContextOverflow.
        """
        tokens, _ = await self.count_tokens(prompt)
        if tokens > self._num_ctx:
            raise self._server.overflow(self._num_ctx)  # some servers would cut the prompt without a word
        body = {
            "model": self._model,
            "messages": self._messages(encodable(prompt)),
            "max_tokens": num_predict,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._sampling,
            **({"logprobs": True, "top_logprobs": alternatives} if alternatives else {}),
        }
        ending = _Ending()
        client = async_client(timeout=httpx.Timeout(None, connect=self._connect_seconds), headers=self._headers)
        try:
            async with aclosing(self._events(client, body)) as events:
                pace = paced(events, self._server, limits=self._limits, num_predict=num_predict)
                async for event in pace:
                    text = ending.read(event)
                    if text:
                        yield ModelToken(text, ending.alternatives)
            yield self._end_of(ending, prompt)
        except HTTPX_ERRORS as error:
            if ending.has_begun:
                raise self._server.aborted() from error
            raise self._server.model_error(error, limit_seconds=self._limits.first_seconds) from error
        except ContextOverflow as error:
            raise (self._server.aborted() if ending.has_begun else error) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # not OpenAI's protocol
            _log.warning("openai_answer_garbled", model=self._model, problem=type(error).__name__)
            raise (self._server.aborted() if ending.has_begun else self._server.garbled()) from error
        finally:
            with anyio.CancelScope(shield=True):
                await client.aclose()

    async def check(self) -> None:
        """Returns when the server answers and lists the model. Raises ModelUnavailable, ModelMissing."""
        try:
            async with async_client(timeout=httpx.Timeout(self._connect_seconds), headers=self._headers) as client:
                response = await client.get(f"{self._server.url}/models")
                if not response.is_success:
                    raise self._refusal(response.status_code, response.text)
                entries = {entry["id"]: entry for entry in response.json().get("data") or []}
                here = entries.get(self._model) or entries.get(f"{self._model}:latest")
                self._window = None if here is None else await window_of(client, self._server.url, here)
        except HTTPX_ERRORS as error:
            raise self._server.model_error(error, limit_seconds=self._connect_seconds) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._server.garbled() from error
        if here is None:
            raise self._server.missing(self._model, self._missing_hint(list(entries)))

    def differences(self) -> Differences | None:
        """What of the release its server cannot do: a smaller window, parameters that the protocol has no name for."""
        if self._window is not None and self._window < self._num_ctx:
            return Differences(
                Text(
                    ja=f"サーバーの窓は {self._window} トークンで、num_ctx {self._num_ctx} より小さいです。",
                    en=f"The server's window is {self._window} tokens, less than num_ctx {self._num_ctx}.",
                ),
                Text(
                    ja=f"サーバーを {self._num_ctx} トークンで起動し直すか(vLLM: --max-model-len、llama.cpp: -c)、num_ctx を下げてください。",
                    en=f"Start the server with {self._num_ctx} tokens (vLLM: --max-model-len, llama.cpp: -c), or lower num_ctx.",
                ),
                is_harmful=True,
            )
        if self._unsent:
            names = ", ".join(self._unsent)
            text = Text(ja=f"Modelfile の {names} は送られません。", en=f"not sent of the Modelfile: {names}")
            return Differences(text, Text(ja="", en=""))
        return None

    async def _events(self, client: httpx.AsyncClient, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The stream's JSON events; the end mark comes as an event of our own, {"is_end": True}."""
        async with client.stream("POST", f"{self._server.url}/chat/completions", json=body) as response:
            if not response.is_success:
                raise self._refusal(response.status_code, (await response.aread()).decode("utf-8", "replace"))
            async for line in response.aiter_lines():
                name, _, value = line.partition(":")
                if name == "error":
                    raise self._refusal(None, value)
                if name != "data":
                    continue
                event = {"is_end": True} if value.strip() == _END_MARK else json.loads(value)
                if "error" in event:
                    raise self._refusal(None, json.dumps(event["error"]))
                yield event

    def _end_of(self, ending: _Ending, prompt: str) -> ModelEnd:
        if not ending.is_seen:
            raise self._server.aborted()
        if ending.prompt_tokens is not None:
            self._estimator.observe(prompt, prompt_tokens=ending.prompt_tokens)
        return ModelEnd(ending.prompt_tokens, ending.answer_tokens, truncated=ending.reason == "length")

    def _messages(self, prompt: str) -> list[dict[str, str]]:
        system = [{"role": "system", "content": encodable(self._system_text)}] if self._system_text else []
        return [*system, {"role": "user", "content": prompt}]

    def _refusal(self, status: int | None, words: str) -> ModelError:
        _log.warning("model_server_refused", model=self._model, status=status, words=words[:300])
        if status in (None, 400, 413, 422, 500) and any(sign in words.lower() for sign in TOO_LONG_SIGNS):
            return self._server.overflow(self._num_ctx)
        if status in (401, 403):
            return self._server.refused(status, self._key_hint(), permanent=True)
        if status == 404:
            return self._server.missing(self._model, self._missing_hint([]))
        if status == 503:
            return self._server.refused(status, _LOADING_HINT)
        return self._server.refused(status, permanent=status in (400, 405, 422))

    def _key_hint(self) -> Text:
        name = self._names.api_key
        return Text(ja=f"{name} を確かめてください。", en=f"Check {name}.")

    def _missing_hint(self, names: Sequence[str]) -> Text:
        known, setting = ", ".join(names[:5]), self._names.model
        return Text(
            ja=f"{setting} と URL を確かめてください。{f'サーバーにあるモデル: {known}' if known else ''}",
            en=f"Check {setting} and the address.{f' The server has: {known}.' if known else ''}",
        )


class _Ending:
    """What the events of one answer have said so far: text begun, finish reason, usage, end mark."""

    def __init__(self) -> None:
        self.has_begun = False
        self.reason: str | None = None
        self.prompt_tokens: int | None = None
        self.answer_tokens: int | None = None
        self.alternatives: dict[str, float] = {}
        self._is_marked = False

    @property
    def is_seen(self) -> bool:
        """Whether the server said that the answer is complete; some servers leave one of the two signs out."""
        return self._is_marked or self.reason is not None

    def read(self, event: dict[str, Any]) -> str:
        """The event's piece of text; empty for events without any."""
        self._is_marked = self._is_marked or bool(event.get("is_end"))
        usage = event.get("usage") or {}
        self.prompt_tokens = token_count(usage.get("prompt_tokens", self.prompt_tokens))
        self.answer_tokens = token_count(usage.get("completion_tokens", self.answer_tokens))
        text, self.alternatives = "", {}
        for choice in event.get("choices") or []:
            text += (choice.get("delta") or {}).get("content") or ""
            self.reason = choice.get("finish_reason") or self.reason
            self.alternatives = alternatives_of((choice.get("logprobs") or {}).get("content"))
        self.has_begun = self.has_begun or bool(text)
        return text
