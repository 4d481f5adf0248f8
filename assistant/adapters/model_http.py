"""What the doors to model servers share: HTTP clients, the pace of a stream, and httpx's errors in our words.

    httpx exception -> Trouble -> ModelUnavailable | ModelTimeout | AnswerAborted | EmbedderUnavailable

This room must not know prompts, vectors or any vendor but httpx.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import httpx
import structlog

from assistant.errors import (
    AnswerAborted,
    ContextOverflow,
    EmbedderUnavailable,
    ModelError,
    ModelMissing,
    ModelTimeout,
    ModelUnavailable,
    Text,
)

_Item = TypeVar("_Item")
_HIGHEST_PORT = 65_535
ANSWER_SECONDS = 900.0
"""From an answer's first piece to its last: 768 tokens at less than one a second, slower than anybody would wait for."""
QUESTION_SECONDS = 20.0
"""Longest wait for one question's vector: a multilingual model that is loaded cold takes some seconds. Then words alone are
searched for, which is announced; and a thread that nobody waits for any more ends by then."""


class Trouble(StrEnum):
    """What went wrong between us and a server."""

    AWAY = "away"
    SLOW = "slow"
    BROKEN = "broken"
    ADDRESS = "address"


HTTPX_TROUBLES: dict[type[Exception], Trouble] = {
    httpx.ConnectTimeout: Trouble.AWAY,
    httpx.PoolTimeout: Trouble.AWAY,
    httpx.TimeoutException: Trouble.SLOW,
    httpx.ConnectError: Trouble.AWAY,
    httpx.ProxyError: Trouble.AWAY,
    httpx.UnsupportedProtocol: Trouble.ADDRESS,
    httpx.InvalidURL: Trouble.ADDRESS,
    httpx.TooManyRedirects: Trouble.ADDRESS,
    httpx.HTTPError: Trouble.BROKEN,
}
"""The nearest class in an exception's family decides. httpx's StreamError family is left out: only our own mistake
raises it, so it must surface as one."""

HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL)
"""What a call through httpx can raise because of the world outside."""

HttpxError = httpx.HTTPError | httpx.InvalidURL


def trouble_of(error: HttpxError) -> Trouble:
    """The kind of trouble that an httpx exception means."""
    return next(HTTPX_TROUBLES[kind] for kind in type(error).__mro__ if kind in HTTPX_TROUBLES)


@dataclass(frozen=True)
class ModelServer:
    """A server of models: its name and address for people, and what to do when it is away."""

    name: Text
    url: str
    start_hint: Text

    @property
    def shown_url(self) -> str:
        """The address without credentials."""
        try:
            return str(httpx.URL(self.url).copy_with(userinfo=b""))
        except httpx.InvalidURL:
            return self.url.rsplit("@", 1)[-1]

    def away(self) -> ModelUnavailable:
        """Nobody answers at the address."""
        return ModelUnavailable(self._away_text(), self.start_hint)

    def odd_address(self) -> ModelUnavailable:
        """The address cannot be used at all."""
        return ModelUnavailable(self._address_text(), self.start_hint, permanent=True)

    def refused(self, status: int | None, hint: Text | None = None, *, permanent: bool = False) -> ModelUnavailable:
        """The server answered with an error of its own, with or without a status; its words go to the log alone."""
        return ModelUnavailable(self._refused_text(status), hint or self._log_hint(), permanent=permanent)

    def garbled(self) -> ModelUnavailable:
        """Something answers at the address, but not in the way this kind of server does."""
        return ModelUnavailable(self._garbled_text(), self.start_hint)

    def slow(self, limit_seconds: float, *, is_first: bool) -> ModelTimeout:
        """No (further) token within the limit."""
        what_ja = "最初の文字" if is_first else "次の文字"
        what_en = "first token" if is_first else "next token"
        setting = "ASSISTANT_FIRST_TOKEN_TIMEOUT_SECONDS" if is_first else "ASSISTANT_TOKEN_TIMEOUT_SECONDS"
        return ModelTimeout(
            Text(
                ja=f"{self.name.ja}から {limit_seconds:g} 秒以内に{what_ja}が届きませんでした。",
                en=f"{self.name.en} sent no {what_en} within {limit_seconds:g} seconds.",
            ),
            Text(
                ja=f"少し待って再度お試しください。続くときは {setting} を増やしてください。",
                en=f"Wait a little and ask again. If it goes on, raise {setting}.",
            ),
        )

    def endless(self, limit_seconds: float) -> ModelTimeout:
        """The answer did not come to its end within the limit, however steadily it was written."""
        return ModelTimeout(
            Text(
                ja=f"{self.name.ja}の回答が {limit_seconds:g} 秒たっても終わりませんでした。",
                en=f"The answer of {self.name.en} did not come to its end within {limit_seconds:g} seconds.",
            ),
            Text(
                ja="モデルが遅すぎます。より小さいモデルにするか、ASSISTANT_NUM_PREDICT を減らしてください。",
                en="The model is too slow. Use a smaller one, or lower ASSISTANT_NUM_PREDICT.",
            ),
        )

    def aborted(self) -> AnswerAborted:
        """The answer stopped in the middle, without an end mark."""
        return AnswerAborted(
            Text(ja=f"{self.name.ja}の回答が途中で切れました。", en=f"The answer of {self.name.en} broke off."),
            Text(ja="もう一度お試しください。", en="Ask again."),
        )

    def overflow(self, num_ctx: int) -> ContextOverflow:
        """The prompt is longer than the model's window."""
        return ContextOverflow(
            Text(
                ja=f"質問と抜粋がモデルの窓(num_ctx {num_ctx} トークン)に収まりません。",
                en=f"The question and its passages do not fit into the model's window (num_ctx {num_ctx} tokens).",
            ),
            Text(
                ja="質問を短くするか、管理者に num_ctx を増やすよう依頼してください。",
                en="Shorten the question, or ask the administrator for a larger num_ctx.",
            ),
        )

    def missing(self, model: str, hint: Text) -> ModelMissing:
        """The server has no such model, or it is not one that can do this work."""
        return ModelMissing(
            Text(
                ja=f"{self.name.ja}({self.shown_url})に使えるモデル {model} がありません。",
                en=f"{self.name.en} at {self.shown_url} has no usable model {model}.",
            ),
            hint,
        )

    def model_error(self, error: HttpxError, *, limit_seconds: float) -> ModelError:
        """The error of a chat model for an httpx exception before or while it answers."""
        match trouble_of(error):
            case Trouble.AWAY:
                return self.away()
            case Trouble.ADDRESS:
                return self.odd_address()
            case Trouble.SLOW:
                return self.slow(limit_seconds, is_first=True)
            case Trouble.BROKEN:
                return self.garbled()

    def embedder_error(self, error: HttpxError) -> EmbedderUnavailable:
        """The error of an embedder for an httpx exception."""
        match trouble_of(error):
            case Trouble.ADDRESS:
                return EmbedderUnavailable(self._address_text(), self.start_hint, permanent=True)
            case Trouble.SLOW:
                message = Text(
                    ja=f"{self.name.ja}の埋め込みが時間内に終わりませんでした。",
                    en=f"{self.name.en} did not embed in time.",
                )
                return EmbedderUnavailable(message, self._log_hint())
            case Trouble.AWAY:
                return EmbedderUnavailable(self._away_text(), self.start_hint)
            case Trouble.BROKEN:
                return EmbedderUnavailable(self._garbled_text(), self.start_hint)

    def embedder_refused(self, status: int, *, permanent: bool = False) -> EmbedderUnavailable:
        """The server answered with an error of its own to an embedding."""
        return EmbedderUnavailable(self._refused_text(status), self._log_hint(), permanent=permanent)

    def embedder_garbled(self) -> EmbedderUnavailable:
        """The answer to an embedding is not one."""
        return EmbedderUnavailable(self._garbled_text(), self.start_hint)

    def _away_text(self) -> Text:
        return Text(
            ja=f"{self.name.ja}({self.shown_url})が応答しません。",
            en=f"{self.name.en} at {self.shown_url} does not answer.",
        )

    def _address_text(self) -> Text:
        return Text(
            ja=f"{self.name.ja}の URL {self.shown_url} は使えません。",
            en=f"The address {self.shown_url} of {self.name.en} cannot be used.",
        )

    def _refused_text(self, status: int | None) -> Text:
        status_ja, status_en = (f"(状態 {status})", f" (status {status})") if status is not None else ("", "")
        return Text(
            ja=f"{self.name.ja}({self.shown_url})がエラー{status_ja}を返しました。",
            en=f"{self.name.en} at {self.shown_url} answered with an error{status_en}.",
        )

    def _garbled_text(self) -> Text:
        return Text(
            ja=f"{self.shown_url} の応答が{self.name.ja}のものではないか、途中で切れました。",
            en=f"What answers at {self.shown_url} does not speak like {self.name.en}, or broke off.",
        )

    def _log_hint(self) -> Text:
        return Text(
            ja="少し待って再度お試しください。続くときは、サーバーとこのアプリのログを確かめてください。",
            en="Wait a little and try again. If it goes on, look into the logs of the server and of this application.",
        )


@functools.cache
def ssl_context() -> ssl.SSLContext:
    """The process's one TLS context: building it reads all certificates (70 ms), too slow for every question."""
    return httpx.create_ssl_context()


def request_headers() -> dict[str, str]:
    """The id of the request that is being answered, for the logs of the server that is asked; empty outside of one."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {"X-Request-Id": str(request_id)} if request_id else {}


def async_client(*, timeout: httpx.Timeout, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client for one call: it belongs to the event loop that uses it, and closing it drops the connection at once.

    Proxies of the environment are left aside: questions and documents go straight to the company's own servers.
    """
    return httpx.AsyncClient(
        timeout=timeout,
        headers={**(headers or {}), **request_headers()},
        verify=ssl_context(),
        trust_env=False,
        event_hooks={"request": [_check_port_async]},
    )


def async_transport() -> httpx.AsyncHTTPTransport:
    """The same for a vendor's client that builds its own httpx client around a transport."""
    return httpx.AsyncHTTPTransport(verify=ssl_context(), trust_env=False)


def sync_client(*, timeout: httpx.Timeout, headers: dict[str, str] | None = None) -> httpx.Client:
    """A client for all threads of a process; it keeps no idle connection, so nobody has to close it."""
    return httpx.Client(
        timeout=timeout,
        headers=headers,
        verify=ssl_context(),
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
        event_hooks={"request": [check_port]},
    )


@dataclass(frozen=True)
class Limits:
    """How long a model may take: to its first piece, between two, and from its first to its last."""

    first_seconds: float
    next_seconds: float
    whole_seconds: float


_MOST_TOKENS = 2**31
PIECES_PER_TOKEN = 2
SPARE_PIECES = 64
"""A server that goes on for more pieces than this ignores `num_predict`, or repeats empty ones for ever."""


def check_port(request: httpx.Request) -> None:
    """Refuses a port that cannot be, which would surface as an ExceptionGroup otherwise. Raises httpx.InvalidURL."""
    if (request.url.port or 0) > _HIGHEST_PORT:
        raise httpx.InvalidURL(f"port {request.url.port}")


async def _check_port_async(request: httpx.Request) -> None:
    check_port(request)


def token_count(value: object) -> int | None:
    """A server's count of tokens; None where it says something that cannot be one."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS
    return value if is_count and isinstance(value, int) else None


def encodable(text: str) -> str:
    """The text with lone surrogates (broken file names, odd documents) replaced, so that it can leave as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


async def paced(
    items: AsyncIterator[_Item], server: ModelServer, *, limits: Limits, num_predict: int
) -> AsyncGenerator[_Item, None]:
    """The items as they come. Raises ModelTimeout when the first, a further one, or the whole is too late, and
    AnswerAborted when there are far more than were asked for.

    httpx knows one read timeout only, so the limits are kept here.
    """
    limit_seconds, is_first, count = limits.first_seconds, True, 0
    ends_at: float | None = None
    while True:
        left_seconds = limit_seconds if ends_at is None else min(limit_seconds, ends_at - time.monotonic())
        try:
            async with asyncio.timeout(left_seconds):
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            if left_seconds < limit_seconds:
                raise server.endless(limits.whole_seconds) from error
            raise server.slow(limit_seconds, is_first=is_first) from error
        count += 1
        if count > PIECES_PER_TOKEN * num_predict + SPARE_PIECES:
            raise server.aborted()
        yield item
        if ends_at is None:
            ends_at = time.monotonic() + limits.whole_seconds
        limit_seconds, is_first = limits.next_seconds, False
