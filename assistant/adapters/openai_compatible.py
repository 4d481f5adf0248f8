"""The door to servers that speak OpenAI's protocol: llama.cpp, vLLM, TGI and others on the company's own machines.

    prompt -> [system, user] -> POST /chat/completions, streamed -> server-sent events -> tokens, then usage
    count  -> llama.cpp's /apply-template and /tokenize where the server has them, else an estimate
    texts  -> POST /embeddings -> checked vectors

The system text is sent here, for such a server has no Modelfile. Plain httpx: two routes are used, and a client library
would bring retries and proxies of its own.
This room must not know passages, settings or answers.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Literal

import anyio
import anyio.to_thread
import httpx
import numpy as np
import structlog

from assistant.adapters.embedding import (
    EmbeddingStyle,
    TextTooLong,
    VectorsWrong,
    embed_in_batches,
    style_of,
)
from assistant.adapters.model_http import (
    ANSWER_SECONDS,
    HTTPX_ERRORS,
    QUESTION_SECONDS,
    Limits,
    ModelServer,
    async_client,
    encodable,
    paced,
    sync_client,
)
from assistant.adapters.token_estimate import TokenEstimator
from assistant.domain import ModelEnd, ModelToken
from assistant.errors import ContextOverflow, EmbedderUnavailable, ModelError, Text
from assistant.ports import Vectors

_log = structlog.get_logger(__name__)

_START_HINT = Text(
    ja="サーバーを起動するか、ASSISTANT_OPENAI_URL を確かめてください。",
    en="Start the server, or check ASSISTANT_OPENAI_URL.",
)
_KEY_HINT = Text(ja="ASSISTANT_OPENAI_API_KEY を確かめてください。", en="Check ASSISTANT_OPENAI_API_KEY.")
_LOADING_HINT = Text(
    ja="モデルの読み込みが終わるまで少し待って、もう一度お試しください。",
    en="Wait until the model is loaded, then ask again.",
)
_TOO_LONG_SIGNS = ("context", "exceed", "too long", "too large")
_END_MARK = "[DONE]"
_TOKENIZER_REST_SECONDS = 10.0  # one question counts several times; a server that is away is not asked each time


def openai_server(url: str) -> ModelServer:
    """An OpenAI-compatible server at a base address (`…/v1`), for messages to people."""
    name = Text(ja="OpenAI 互換サーバー", en="the OpenAI-compatible server")
    return ModelServer(name, url.rstrip("/"), _START_HINT)


class OpenAICompatibleChatModel:
    """A chat model behind OpenAI's protocol; see ports.ChatModel. `temperature` and `top_p` are the release's."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        num_ctx: int,
        system_text: str = "",
        api_key: str = "",
        temperature: float | None = None,
        top_p: float | None = None,
        connect_timeout_seconds: float = 3.0,
        first_token_timeout_seconds: float = 300.0,
        token_timeout_seconds: float = 60.0,
        answer_timeout_seconds: float = ANSWER_SECONDS,
        server: ModelServer | None = None,
    ) -> None:
        self._server = server or openai_server(url)
        self._model = model
        self._num_ctx = num_ctx
        self._system_text = system_text
        self._headers = _authorization(api_key)
        self._sampling = {"temperature": temperature, "top_p": top_p}
        self._connect_seconds = connect_timeout_seconds
        self._limits = Limits(first_token_timeout_seconds, token_timeout_seconds, answer_timeout_seconds)
        self._estimator = TokenEstimator(model, system_text=system_text)
        self._ask_tokenizer_from = 0.0

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
        if time.monotonic() >= self._ask_tokenizer_from:
            tokens = await self._tokens_of_server(encodable(text))
            if tokens is not None:
                return tokens, "tokenizer"
        return self._estimator.estimate(text), "estimate"

    async def stream(self, prompt: str, *, num_predict: int) -> AsyncGenerator[ModelToken | ModelEnd, None]:
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
            **{name: value for name, value in self._sampling.items() if value is not None},
        }
        ending = _Ending()
        client = async_client(timeout=httpx.Timeout(None, connect=self._connect_seconds), headers=self._headers)
        try:
            async with aclosing(self._events(client, body)) as events:
                pace = paced(events, self._server, limits=self._limits, num_predict=num_predict)
                async for event in pace:
                    text = ending.read(event)
                    if text:
                        yield ModelToken(text)
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
                names = [entry["id"] for entry in response.json().get("data") or []]
        except HTTPX_ERRORS as error:
            raise self._server.model_error(error, limit_seconds=self._connect_seconds) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._server.garbled() from error
        if not {self._model, f"{self._model}:latest"} & set(names):
            raise self._server.missing(self._model, self._missing_hint(names))

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
            if ending.prompt_tokens >= self._num_ctx:
                _log.warning("prompt_may_be_cut", model=self._model, prompt_tokens=ending.prompt_tokens)
        return ModelEnd(ending.prompt_tokens, ending.answer_tokens, truncated=ending.reason == "length")

    def _messages(self, prompt: str) -> list[dict[str, str]]:
        system = [{"role": "system", "content": encodable(self._system_text)}] if self._system_text else []
        return [*system, {"role": "user", "content": prompt}]

    async def _tokens_of_server(self, prompt: str) -> int | None:
        """Tokens as llama.cpp counts them; None, and never asked again, when the server has no such routes."""
        root = self._server.url.removesuffix("/v1")
        timeout = httpx.Timeout(self._connect_seconds)
        try:
            async with async_client(timeout=timeout, headers=self._headers) as client:
                templated = await client.post(f"{root}/apply-template", json={"messages": self._messages(prompt)})
                if templated.status_code in (404, 405, 501):
                    _log.info("no_tokenizer_route", model=self._model)
                    self._ask_tokenizer_from = math.inf
                    return None
                content = {"content": templated.raise_for_status().json()["prompt"], "parse_special": True}
                counted = (await client.post(f"{root}/tokenize", json=content)).raise_for_status()
                return len(counted.json()["tokens"])
        except (*HTTPX_ERRORS, ValueError, TypeError, KeyError) as error:
            # Announced by counted_by = estimate; the question itself will meet a server that is away.
            _log.info("tokenizer_away", model=self._model, problem=type(error).__name__)
            self._ask_tokenizer_from = time.monotonic() + _TOKENIZER_REST_SECONDS
            return None

    def _refusal(self, status: int | None, words: str) -> ModelError:
        _log.warning("model_server_refused", model=self._model, status=status, words=words[:300])
        if status in (None, 400, 413, 422, 500) and any(sign in words.lower() for sign in _TOO_LONG_SIGNS):
            return self._server.overflow(self._num_ctx)
        if status in (401, 403):
            return self._server.refused(status, _KEY_HINT, permanent=True)
        if status == 404:
            return self._server.missing(self._model, self._missing_hint([]))
        if status == 503:
            return self._server.refused(status, _LOADING_HINT)
        return self._server.refused(status, permanent=status in (400, 405, 422))

    def _missing_hint(self, names: Sequence[str]) -> Text:
        known = ", ".join(names[:5])
        return Text(
            ja=f"ASSISTANT_CHAT_MODEL と URL を確かめてください。{f'サーバーにあるモデル: {known}' if known else ''}",
            en=f"Check ASSISTANT_CHAT_MODEL and the address.{f' The server has: {known}.' if known else ''}",
        )


class _Ending:
    """What the events of one answer have said so far: text begun, finish reason, usage, end mark."""

    def __init__(self) -> None:
        self.has_begun = False
        self.reason: str | None = None
        self.prompt_tokens: int | None = None
        self.answer_tokens: int | None = None
        self._is_marked = False

    @property
    def is_seen(self) -> bool:
        """Whether the server said that the answer is complete; some servers leave one of the two signs out."""
        return self._is_marked or self.reason is not None

    def read(self, event: dict[str, Any]) -> str:
        """The event's piece of text; empty for events without any."""
        self._is_marked = self._is_marked or bool(event.get("is_end"))
        usage = event.get("usage") or {}
        self.prompt_tokens = usage.get("prompt_tokens", self.prompt_tokens)
        self.answer_tokens = usage.get("completion_tokens", self.answer_tokens)
        text = ""
        for choice in event.get("choices") or []:
            text += (choice.get("delta") or {}).get("content") or ""
            self.reason = choice.get("finish_reason") or self.reason
        self.has_begun = self.has_begun or bool(text)
        return text


class OpenAICompatibleEmbedder:
    """An embedder behind OpenAI's protocol; see ports.Embedder. Prefixes are the model family's unless given."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str = "",
        query_prefix: str | None = None,
        document_prefix: str | None = None,
        connect_timeout_seconds: float = 3.0,
        timeout_seconds: float = 120.0,
    ) -> None:
        self._server = openai_server(url)
        self._model = model
        style = style_of(model)
        self._style = EmbeddingStyle(
            query_prefix=style.query_prefix if query_prefix is None else query_prefix,
            document_prefix=style.document_prefix if document_prefix is None else document_prefix,
            is_lower_case=style.is_lower_case,
            reads_japanese=style.reads_japanese,
        )
        timeout = httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds)
        self._client = sync_client(timeout=timeout, headers=_authorization(api_key))
        question_timeout = httpx.Timeout(min(timeout_seconds, QUESTION_SECONDS), connect=connect_timeout_seconds)
        self._question_client = sync_client(timeout=question_timeout, headers=_authorization(api_key))
        self._dimension: int | None = None

    @property
    def embedder_id(self) -> str:
        """Model name, prefixes and normalisation; the protocol tells no digest, so a new model needs a new name."""
        return f"openai:{self._model},{self._style.label},unit"

    @property
    def dimension(self) -> int:
        """Length of a vector, learned from a first text. Raises EmbedderUnavailable, ModelMissing."""
        if self._dimension is None:
            self._dimension = self._embed([self._style.document("dimension")]).shape[1]
        return self._dimension

    @property
    def reads_japanese(self) -> bool:
        """Whether the model family's vocabulary holds Japanese; unknown families are taken to."""
        return self._style.reads_japanese

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors in order. Raises EmbedderUnavailable, ModelMissing; UnreadableDocument for a text it cannot embed."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return self._embed([self._style.document(text) for text in texts])

    async def embed_query(self, text: str) -> Vectors:
        """Vector of a question. It runs in a thread that nobody waits for any more once the person has left."""
        texts = [self._style.query(text)]
        return await anyio.to_thread.run_sync(partial(self._embed, texts, is_question=True), abandon_on_cancel=True)

    def check(self) -> None:
        """Returns when the server embeds a short text. Raises EmbedderUnavailable, ModelMissing."""
        self._embed([self._style.document("check")])

    def _embed(self, texts: list[str], *, is_question: bool = False) -> Vectors:
        request = partial(self._request, client=self._question_client if is_question else self._client)
        try:
            return embed_in_batches(texts, request, model=self._model)
        except VectorsWrong as error:
            _log.warning("openai_vectors_wrong", model=self._model, problem=str(error))
            raise self._server.embedder_garbled() from error

    def _request(self, texts: list[str], *, client: httpx.Client) -> list[list[float]]:
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        try:
            response = client.post(f"{self._server.url}/embeddings", json=body)
            if not response.is_success:
                raise self._refusal(response.status_code, response.text)
            rows = sorted(response.json()["data"], key=lambda row: row["index"])
            return [_unit(row["embedding"]) for row in rows]
        except HTTPX_ERRORS as error:
            raise self._server.embedder_error(error) from error
        except (ValueError, TypeError, KeyError) as error:
            raise self._server.embedder_garbled() from error

    def _refusal(self, status: int, words: str) -> EmbedderUnavailable | ModelError | TextTooLong:
        if status in (400, 413, 422, 500) and any(sign in words.lower() for sign in _TOO_LONG_SIGNS):
            return TextTooLong(self._model)
        _log.warning("model_server_refused", model=self._model, status=status, words=words[:300])
        if status == 404:
            return self._server.missing(
                self._model,
                Text(
                    ja="ASSISTANT_EMBED_MODEL と ASSISTANT_OPENAI_URL を確かめてください。",
                    en="Check ASSISTANT_EMBED_MODEL and ASSISTANT_OPENAI_URL.",
                ),
            )
        return self._server.embedder_refused(status, permanent=status in (400, 401, 403, 405, 422))


def _authorization(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def _unit(row: list[float]) -> list[float]:
    """The row at length 1: the protocol does not promise it. Zero and not-a-number rows stay as they are."""
    norm = float(np.linalg.norm(np.asarray(row, dtype=np.float64)))
    return [number / norm for number in row] if np.isfinite(norm) and norm > 0.0 else row
