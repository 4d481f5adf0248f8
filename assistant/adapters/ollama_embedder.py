"""Ollama by plain HTTP: the embedder over /api/embed, and what both doors know of the server.

    texts -> prefix, NFKC -> POST /api/embed with truncate:false -> checked vectors

Ours, since langchain-ollama's embedder sends whole lists at once, without prefixes, and lets the server cut in silence.
No num_ctx is ever sent: another value than the last one reloads the model.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import structlog

from assistant.adapters.embedding import (
    ServedEmbedder,
    TextRefused,
    TextTooLong,
    VectorsWrong,
    embed_in_batches,
    style_of,
)
from assistant.adapters.model_http import HTTPX_ERRORS, QUESTION_SECONDS, ModelServer, sync_client
from assistant.errors import EmbedderUnavailable, ModelError, Text
from assistant.ports import Vectors

_log = structlog.get_logger(__name__)

TOO_LONG_SIGNS = (  # 0.17's words, then those of 0.30 and later
    "exceeds the context length",
    "longer than the context length",
    "exceeds the available context size",
    "too large to process",
)
_NOT_A_NUMBER_SIGNS = ("value: nan", "nan or inf")


def ollama_server(url: str, *, setting: str = "ASSISTANT_OLLAMA_URL") -> ModelServer:
    """Ollama at an address, which `setting` says, for messages to people."""
    hint = Text(
        ja=f"Ollama を起動するか(`ollama serve`)、{setting} を確かめてください。",
        en=f"Start Ollama (`ollama serve`), or check {setting}.",
    )
    return ModelServer(Text(ja="Ollama", en="Ollama"), url.rstrip("/"), hint)


class OllamaEmbedder(ServedEmbedder):
    """An embedder on Ollama; see ports.Embedder."""

    def __init__(
        self, *, url: str, model: str, connect_timeout_seconds: float = 3.0, timeout_seconds: float = 120.0
    ) -> None:
        self._server = ollama_server(url)
        self._model = model
        super().__init__(style_of(model))
        self._client = sync_client(timeout=httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds))
        question_timeout = httpx.Timeout(min(timeout_seconds, QUESTION_SECONDS), connect=connect_timeout_seconds)
        self._question_client = sync_client(timeout=question_timeout)
        self._identity: str | None = None

    @property
    def embedder_id(self) -> str:
        """Model, its digest on this server, engine, prefixes and normalisation. Asks the server once.

        Raises EmbedderUnavailable, ModelMissing.
        """
        if self._identity is None:
            self._identity = self._seen_identity()
        return self._identity

    def check(self) -> None:
        """Returns when the server has the model and the model can embed. Raises EmbedderUnavailable, ModelMissing."""
        self._identity = self._seen_identity()
        shown = self._call("POST", "/api/show", {"model": self._model})
        # A chat model answers /api/embed too, with numbers that mean nothing.
        if "embedding" not in shown.get("capabilities", []):
            raise self._server.missing(
                self._model,
                Text(
                    ja=f"{self._model} は埋め込みモデルではありません。ASSISTANT_EMBED_MODEL を直してください。",
                    en=f"{self._model} is not an embedding model. Correct ASSISTANT_EMBED_MODEL.",
                ),
            )

    def _seen_identity(self) -> str:
        entry = listed(self._call("GET", "/api/tags"), self._model)
        if entry is None:
            raise self._server.missing(self._model, self._pull_hint())
        version = str(self._call("GET", "/api/version").get("version", ""))
        return f"ollama:{self._model}@{str(entry.get('digest', ''))[:12]},{_engine(version)},{self._style.label},unit"

    def _embed(self, texts: list[str], *, is_question: bool = False) -> Vectors:
        request = partial(self._request, client=self._question_client if is_question else self._client)
        try:
            return embed_in_batches(texts, request, model=self._model)
        except VectorsWrong as error:
            _log.warning("ollama_vectors_wrong", model=self._model, problem=str(error))
            raise self._server.embedder_garbled() from error

    def _request(self, texts: list[str], *, client: httpx.Client) -> list[list[float]]:
        body = {"model": self._model, "input": texts, "truncate": False}
        rows: list[list[float]] = self._call("POST", "/api/embed", body, client=client).get("embeddings", [])
        return rows

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, client: httpx.Client | None = None
    ) -> dict[str, Any]:
        try:
            response = (client or self._client).request(method, self._server.url + path, json=body)
            answer = response.json() if response.is_success else {}
        except HTTPX_ERRORS as error:
            raise self._server.embedder_error(error) from error
        except ValueError as error:
            raise self._server.embedder_garbled() from error
        if not response.is_success:
            raise self._refusal(response)
        if not isinstance(answer, dict):
            raise self._server.embedder_garbled()
        return answer

    def _refusal(self, response: httpx.Response) -> EmbedderUnavailable | ModelError | TextTooLong | TextRefused:
        words = response.text.lower()
        if response.status_code in (400, 500) and any(sign in words for sign in TOO_LONG_SIGNS):
            return TextTooLong(self._model)
        if any(sign in words for sign in _NOT_A_NUMBER_SIGNS):
            return TextRefused(self._model)
        _log.warning("ollama_refused", model=self._model, status=response.status_code, words=words[:300])
        if response.status_code == 404 and "model" in words:
            return self._server.missing(self._model, self._pull_hint())
        return self._server.embedder_refused(response.status_code)

    def _pull_hint(self) -> Text:
        return Text(ja=f"`ollama pull {self._model}` を実行してください。", en=f"Run `ollama pull {self._model}`.")


def listed(tags: dict[str, Any], model: str) -> dict[str, Any] | None:
    """The entry of a model in /api/tags; a name without a tag means `:latest`."""
    wanted = _full_name(model)
    entries: list[dict[str, Any]] = tags.get("models") or []
    return next((entry for entry in entries if _full_name(str(entry.get("name", ""))) == wanted), None)


def _full_name(model: str) -> str:
    return (model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest").lower()


def _engine(version: str) -> str:
    """The engine behind a version: 0.30 replaced it, and vectors of the two are not comparable."""
    numbers = version.split("-")[0].split(".")
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers[:2]) or version == "0.0.0":
        return "engine?"
    return "engine2" if (int(numbers[0]), int(numbers[1])) >= (0, 30) else "engine1"
