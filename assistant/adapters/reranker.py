"""The one door to a reranking server: a cross-encoder behind `/v1/rerank`, in the shape that Jina, Cohere and llama.cpp share.

    POST {url}/v1/rerank  {"model", "query", "documents": [text, ...], "top_n"}
    200                   {"results": [{"index": 1, "relevance_score": 0.93}, ...]}, in any order

llama.cpp serves it with `llama-server --reranking -m MODEL.gguf`. Must not know settings, ranks or the ledger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import httpx
from pydantic import BaseModel, ValidationError

from assistant.domain import Candidate
from assistant.errors import RerankerUnavailable, Text

TEXT_CHARACTERS = 2000
"""Of each passage the beginning: cross-encoders read 512 tokens, and a longer pair is an error for some servers."""


class _Result(BaseModel):
    index: int
    relevance_score: float


class _Response(BaseModel):
    results: list[_Result]


class HttpReranker:
    """A reranking server; see ports.Reranker. `url` is its address without `/v1`."""

    def __init__(self, *, url: str, model: str, api_key: str = "", timeout_seconds: float) -> None:
        self._url = url.rstrip("/").removesuffix("/v1")
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model or "reranker"

    async def scores(self, question: str, candidates: Sequence[Candidate]) -> list[float]:
        """The server's relevance of each candidate; a logit or a probability, only the order counts.

        Raises RerankerUnavailable when it does not answer in time, refuses, or leaves a candidate out.
        """
        texts = [_text(candidate) for candidate in candidates]
        body = {"model": self._model, "query": question, "documents": texts, "top_n": len(texts)}
        timeout = httpx.Timeout(self._timeout_seconds)
        try:
            async with httpx.AsyncClient(timeout=timeout, headers=self._headers, trust_env=False) as client:
                response = await client.post(f"{self._url}/v1/rerank", json=body)
                response.raise_for_status()
                found = _Response.model_validate_json(response.content)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError) as error:
            raise self._unavailable() from error
        scores = {result.index: result.relevance_score for result in found.results}
        if scores.keys() != set(range(len(texts))) or not all(map(math.isfinite, scores.values())):
            raise self._unavailable()
        return [scores[index] for index in range(len(texts))]

    def _unavailable(self) -> RerankerUnavailable:
        shown = self._url.rsplit("@", 1)[-1]
        return RerankerUnavailable(
            Text(
                ja=f"並べ替えのサーバー({shown})が使えないため、並べ替えずに示しました。",
                en=f"The reranking server at {shown} cannot be used, so passages keep the order of the search.",
            ),
            Text(
                ja="サーバーが動いているか、ASSISTANT_RERANK_URL(?model= も)を確かめてください。",
                en="Check that it runs, and ASSISTANT_RERANK_URL with its ?model=.",
            ),
        )


def _text(candidate: Candidate) -> str:
    """What the server reads: title and headings, then the passage."""
    passage = candidate.passage
    head = " > ".join(dict.fromkeys((passage.title, *passage.heading_path)))
    return f"{head}\n{passage.text}"[:TEXT_CHARACTERS]
