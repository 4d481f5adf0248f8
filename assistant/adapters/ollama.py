"""The one door to langchain-ollama and ollama: a chat model on Ollama. (The embedder beside it needs neither.)

    prompt -> HumanMessage -> ChatOllama -> _NeverCut adds truncate:false, shift:false -> POST /api/chat

langchain-ollama carries the chat, since it is the well-kept client of that stream. It cannot send the two fields that
turn a silent cut into an error, hence the transport. No system message is ever sent: it would replace the Modelfile's
SYSTEM.
This room must not know passages, settings or answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

import anyio
import httpx
import structlog

from assistant.adapters.alternatives import alternatives_of
from assistant.adapters.model_http import (
    ANSWER_SECONDS,
    HTTPX_ERRORS,
    Limits,
    async_client,
    async_transport,
    check_port,
    encodable,
    paced,
    request_headers,
    ssl_context,
    token_count,
)
from assistant.adapters.ollama_embedder import TOO_LONG_SIGNS, OllamaEmbedder, listed, ollama_server
from assistant.adapters.token_estimate import TokenEstimator
from assistant.domain import ModelEnd, ModelToken
from assistant.errors import ModelError, Text

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk
    from langchain_ollama import ChatOllama
    from ollama import ResponseError

__all__ = ["OllamaChatModel", "OllamaEmbedder", "vendor_errors"]

_log = structlog.get_logger(__name__)

_MODELFILE_HINT = Text(
    ja="Modelfile の PARAMETER の型を確かめ、モデルを作り直してください。",
    en="Check the types of the Modelfile's PARAMETER lines and create the model again.",
)
_MEMORY_HINT = Text(
    ja="より小さいモデルか num_ctx を使うか、メモリを空けてください。",
    en="Use a smaller model or num_ctx, or free some memory.",
)


def vendor_errors() -> tuple[type[Exception], ...]:
    """All that can come out of langchain-ollama's stream because of the world outside.

    The last three are what its parsing makes of an answer that is not Ollama's.
    """
    import ollama

    return (
        ollama.ResponseError,
        ollama.RequestError,
        *HTTPX_ERRORS,
        ConnectionError,
        ValueError,
        TypeError,
        AttributeError,
    )


class OllamaChatModel:
    """A chat model on Ollama; see ports.ChatModel.

    `system_text` is what the model's Modelfile says, for counting only. `create_command` is shown when it is missing.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        num_ctx: int,
        system_text: str = "",
        create_command: str | None = None,
        url_setting: str = "ASSISTANT_OLLAMA_URL",
        connect_timeout_seconds: float = 3.0,
        first_token_timeout_seconds: float = 300.0,
        token_timeout_seconds: float = 60.0,
        answer_timeout_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._server = ollama_server(url, setting=url_setting)
        self._model = model
        self._num_ctx = num_ctx
        self._create_command = create_command or f"ollama pull {model}"
        self._connect_seconds = connect_timeout_seconds
        self._limits = Limits(first_token_timeout_seconds, token_timeout_seconds, answer_timeout_seconds)
        self._estimator = TokenEstimator(model, system_text=system_text)

    @property
    def name(self) -> str:
        """The model's name on Ollama."""
        return self._model

    @property
    def num_ctx(self) -> int:
        """The window in tokens; sent with every request, always the same, since another value reloads the model."""
        return self._num_ctx

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        """Estimated tokens of a prompt with SYSTEM and template; Ollama has no tokenizer route."""
        return self._estimator.estimate(text), "estimate"

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """Tokens, then one ModelEnd; closing it drops the connection, which stops the model at once.

        Raises ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted, ContextOverflow.
        """
        transport = _NeverCut(async_transport())
        try:
            chat = await asyncio.to_thread(self._chat_ollama, transport, num_predict, alternatives)
        except ValueError as error:
            raise self._server.odd_address() from error
        ending: dict[str, Any] = {}
        has_begun = False
        try:
            async with aclosing(_untraced(chat, encodable(prompt))) as chunks:
                pace = paced(chunks, self._server, limits=self._limits, num_predict=num_predict)
                async for chunk in pace:
                    ending |= chunk.response_metadata
                    if chunk.text:
                        has_begun = True
                        yield ModelToken(str(chunk.text), alternatives_of(chunk.response_metadata.get("logprobs")))
            yield self._end_of(ending, prompt)
        except vendor_errors() as error:
            raise self.error_of(error, has_begun=has_begun) from error
        finally:
            with anyio.CancelScope(shield=True):
                await transport.aclose()

    async def check(self) -> None:
        """Returns when Ollama answers and has the model. Raises ModelUnavailable, ModelMissing."""
        timeout = httpx.Timeout(self._connect_seconds)
        try:
            async with async_client(timeout=timeout) as client:
                (await client.get(f"{self._server.url}/api/version")).raise_for_status().json()["version"]
                tags = (await client.get(f"{self._server.url}/api/tags")).raise_for_status().json()
        except HTTPX_ERRORS as error:
            if isinstance(error, httpx.HTTPStatusError):
                raise self._server.refused(error.response.status_code) from error
            raise self._server.model_error(error, limit_seconds=self._connect_seconds) from error
        except (ValueError, TypeError, KeyError) as error:
            raise self._server.garbled() from error
        if listed(tags, self._model) is None:
            raise self._server.missing(self._model, self._missing_hint())

    def error_of(self, error: Exception, *, has_begun: bool) -> ModelError:
        """Our error for one of `vendor_errors()`; `has_begun` says whether a piece of the answer had come."""
        import ollama

        if isinstance(error, ollama.ResponseError):
            return self._refusal(error, has_begun=has_begun)
        if has_begun:
            return self._server.aborted()
        if isinstance(error, HTTPX_ERRORS):
            return self._server.model_error(error, limit_seconds=self._limits.first_seconds)
        if isinstance(error, ConnectionError):
            return self._server.away()
        _log.warning("ollama_answer_garbled", model=self._model, problem=type(error).__name__)
        return self._server.garbled()

    def _chat_ollama(self, transport: httpx.AsyncBaseTransport, num_predict: int, alternatives: int) -> ChatOllama:
        """One for each question: it belongs to the question's event loop, and building it takes 0.3 ms.

        The import takes seconds, which is why this runs in a thread.
        """
        from langchain_ollama import ChatOllama

        return ChatOllama(
            model=self._model,
            base_url=self._server.url,
            num_ctx=self._num_ctx,
            num_predict=num_predict,
            logprobs=True if alternatives else None,
            top_logprobs=alternatives or None,
            client_kwargs={
                # Silence is watched by paced(); only the connection has a limit here.
                "timeout": httpx.Timeout(None, connect=self._connect_seconds),
                "follow_redirects": False,
                "headers": request_headers(),
                "trust_env": False,
                "verify": ssl_context(),
            },
            async_client_kwargs={"transport": transport},
        )

    def _end_of(self, ending: dict[str, Any], prompt: str) -> ModelEnd:
        if ending.get("done") is not True:
            raise self._server.aborted()
        prompt_tokens = token_count(ending.get("prompt_eval_count"))
        if prompt_tokens is not None:
            self._estimator.observe(prompt, prompt_tokens=prompt_tokens)
        answer_tokens = token_count(ending.get("eval_count"))
        return ModelEnd(prompt_tokens, answer_tokens, truncated=ending.get("done_reason") == "length")

    def _refusal(self, error: ResponseError, *, has_begun: bool) -> ModelError:
        words = str(error.error).lower()
        status = error.status_code if error.status_code > 0 else None  # the vendor says -1 for a line in the stream
        _log.warning("ollama_refused", model=self._model, status=status, words=words[:300])
        if has_begun:
            return self._server.aborted()
        if status in (400, 500) and any(sign in words for sign in TOO_LONG_SIGNS):
            return self._server.overflow(self._num_ctx)
        if "does not support chat" in words or (status == 404 and "model" in words):
            return self._server.missing(self._model, self._missing_hint())
        if "must be of type" in words:
            return self._server.refused(status, _MODELFILE_HINT, permanent=True)
        if "memory" in words:
            return self._server.refused(status, _MEMORY_HINT)
        return self._server.refused(status, permanent=status in (400, 401, 403, 404, 405))

    def _missing_hint(self) -> Text:
        return Text(
            ja=f"`{self._create_command}` を実行してください。",
            en=f"Run `{self._create_command}`.",
        )


class _NeverCut(httpx.AsyncBaseTransport):
    """Adds `truncate: false, shift: false` to chats, so that a too long prompt is refused instead of losing its middle.

    (With the defaults, Ollama answers 200 after dropping SYSTEM and the best passages.)
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The server's response to the completed request."""
        check_port(request)
        if request.url.path.endswith("/api/chat"):
            body = json.loads(await request.aread()) | {"truncate": False, "shift": False}
            headers = {name: value for name, value in request.headers.items() if name != "content-length"}
            request = httpx.Request(
                request.method, request.url, headers=headers, json=body, extensions=request.extensions
            )
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Drops every connection, also one in mid-answer."""
        await self._inner.aclose()


async def _untraced(chat: ChatOllama, prompt: str) -> AsyncGenerator[AIMessageChunk, None]:
    """The answer's chunks, with LangChain's tracing service off whatever the environment says: prompts stay inside."""
    from langchain_core.messages import HumanMessage
    from langsmith.run_helpers import tracing_context

    async with aclosing(chat.astream([HumanMessage(prompt)])) as chunks:  # type: ignore[type-var]
        with tracing_context(enabled=False):
            first = await anext(chunks, None)
        if first is not None:
            yield first
            async for chunk in chunks:
                yield chunk
