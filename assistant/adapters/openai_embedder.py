"""An embedder behind OpenAI's protocol: texts -> POST /embeddings -> checked vectors.

This room must not know documents or settings.
"""

from __future__ import annotations

from functools import partial

import httpx
import numpy as np
import structlog

from assistant.adapters.embedding import (
    EmbeddingStyle,
    ServedEmbedder,
    TextTooLong,
    VectorsWrong,
    embed_in_batches,
    style_of,
)
from assistant.adapters.model_http import HTTPX_ERRORS, QUESTION_SECONDS, sync_client
from assistant.adapters.openai_server import TOO_LONG_SIGNS, authorization, openai_server
from assistant.errors import EmbedderUnavailable, ModelError, Text
from assistant.ports import Vectors

_log = structlog.get_logger(__name__)


class OpenAICompatibleEmbedder(ServedEmbedder):
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
        super().__init__(
            EmbeddingStyle(
                query_prefix=style.query_prefix if query_prefix is None else query_prefix,
                document_prefix=style.document_prefix if document_prefix is None else document_prefix,
                is_lower_case=style.is_lower_case,
                reads_japanese=style.reads_japanese,
            )
        )
        timeout = httpx.Timeout(timeout_seconds, connect=connect_timeout_seconds)
        self._client = sync_client(timeout=timeout, headers=authorization(api_key))
        question_timeout = httpx.Timeout(min(timeout_seconds, QUESTION_SECONDS), connect=connect_timeout_seconds)
        self._question_client = sync_client(timeout=question_timeout, headers=authorization(api_key))

    @property
    def embedder_id(self) -> str:
        """Model name, prefixes and normalisation; the protocol tells no digest, so a new model needs a new name."""
        return f"openai:{self._model},{self._style.label},unit"

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
        if status in (400, 413, 422, 500) and any(sign in words.lower() for sign in TOO_LONG_SIGNS):
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


def _unit(row: list[float]) -> list[float]:
    """The row at length 1: the protocol does not promise it. Zero and not-a-number rows stay as they are."""
    norm = float(np.linalg.norm(np.asarray(row, dtype=np.float64)))
    return [number / norm for number in row] if np.isfinite(norm) and norm > 0.0 else row
