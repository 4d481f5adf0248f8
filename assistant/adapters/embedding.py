"""What the embedders over HTTP share: prefixes by model, batches, too long texts, and checks of what comes back.

    texts -> batches of 16 -> request -> checked rows
                 | refused as too long or not a number
                 v
             halves, down to the one text -> its two halves, embedded apart and averaged: nothing is cut in silence

Must not know HTTP or any vendor.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
import numpy as np
import structlog

from assistant.errors import FailureReason, Text, UnreadableDocument
from assistant.ports import Vectors
from assistant.text import sentence_spans

BATCH_TEXTS = 16
"""Texts of one request: the servers work on them one by one, so more only makes a question wait longer behind them."""

_NORM_TOLERANCE = 0.02

_log = structlog.get_logger(__name__)

Request = Callable[[list[str]], list[list[float]]]
"""Rows of numbers for texts, in order. May raise TextTooLong or TextRefused for the whole batch."""


class TextTooLong(Exception):
    """At least one text of a batch is longer than the model's window."""


class TextRefused(Exception):
    """The model made no usable numbers of at least one text of a batch."""


class VectorsWrong(Exception):
    """What came back are not the vectors that were asked for."""


@dataclass(frozen=True)
class EmbeddingStyle:
    """How a family of models wants its texts: prefixes, lower case, and whether it knows Japanese at all."""

    query_prefix: str = ""
    document_prefix: str = ""
    is_lower_case: bool = False
    reads_japanese: bool = True

    @property
    def label(self) -> str:
        """The style in one short string, for embedder ids."""
        case = "+lower" if self.is_lower_case else ""
        return f"q={self.query_prefix!r},d={self.document_prefix!r},nfkc{case}"

    def query(self, text: str) -> str:
        """A question as the model wants it."""
        return self.query_prefix + self._plain(text)

    def document(self, text: str) -> str:
        """A stored text as the model wants it."""
        return self.document_prefix + self._plain(text)

    def _plain(self, text: str) -> str:
        text = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode("utf-8")).replace("\0", " ")
        return (text.lower() if self.is_lower_case else text) or " "


_NOMIC = ("search_query: ", "search_document: ")
_STYLES: dict[str, EmbeddingStyle] = {
    # From the models' own cards; the first matching start of the name counts. nomic v1.5 is lower-cased because Ollama
    # 0.13 to 0.29 turns every word with a capital into an unknown token; it knows English only.
    "nomic-embed-text-v2": EmbeddingStyle(*_NOMIC),
    "nomic-embed-text": EmbeddingStyle(*_NOMIC, is_lower_case=True, reads_japanese=False),
    "multilingual-e5": EmbeddingStyle("query: ", "passage: "),
    "snowflake-arctic-embed2": EmbeddingStyle("query: "),
    "mxbai-embed-large": EmbeddingStyle(
        "Represent this sentence for searching relevant passages: ", reads_japanese=False
    ),
    "embeddinggemma": EmbeddingStyle("task: search result | query: ", "title: none | text: "),
    "qwen3-embedding": EmbeddingStyle(
        "Instruct: Given a question, retrieve passages of company documents that answer it\nQuery: "
    ),
    "ruri-v3": EmbeddingStyle("検索クエリ: ", "検索文書: "),
    "all-minilm": EmbeddingStyle(reads_japanese=False),
}


def style_of(model: str) -> EmbeddingStyle:
    """The style of a model by its name, whatever its owner, tag or size; no prefixes for an unknown one."""
    name = model.rsplit("/", 1)[-1].lower()
    return next((style for start, style in _STYLES.items() if name.startswith(start)), EmbeddingStyle())


class ServedEmbedder(ABC):
    """What ports.Embedder asks for and every server does alike; how texts become vectors is the adapter's `_embed`."""

    def __init__(self, style: EmbeddingStyle) -> None:
        self._style = style
        self._dimension: int | None = None

    @abstractmethod
    def _embed(self, texts: list[str], *, is_question: bool = False) -> Vectors:
        """Vectors of texts in the model's style, in order. Raises EmbedderUnavailable, ModelMissing, UnreadableDocument."""

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
        embed = partial(self._embed, [self._style.query(text)], is_question=True)
        return await anyio.to_thread.run_sync(embed, abandon_on_cancel=True)


def embed_in_batches(texts: Sequence[str], request: Request, *, model: str) -> Vectors:
    """Vectors of all texts, in order, each of length 1.

    A text that is too long is embedded in halves. Raises UnreadableDocument for a text that the model cannot embed,
    VectorsWrong for an answer that is none, and whatever `request` raises.
    """
    batches = [list(texts[start : start + BATCH_TEXTS]) for start in range(0, len(texts), BATCH_TEXTS)]
    return np.vstack([_embed_batch(batch, request, model) for batch in batches])


def _embed_batch(texts: list[str], request: Request, model: str) -> Vectors:
    try:
        return checked_vectors(request(texts), count=len(texts))
    except (TextTooLong, TextRefused) as refusal:
        if len(texts) > 1:
            middle = len(texts) // 2
            return np.vstack([_embed_batch(half, request, model) for half in (texts[:middle], texts[middle:])])
        if isinstance(refusal, TextTooLong) and len(texts[0]) > 1:
            return _embed_in_halves(texts[0], request, model)
        raise _text_refused(model) from refusal


def _embed_in_halves(text: str, request: Request, model: str) -> Vectors:
    """One vector for a text that does not fit: its halves' vectors, averaged by their lengths."""
    _log.warning("text_embedded_in_halves", model=model, characters=len(text))
    halves = split_in_two(text)
    vectors = np.vstack([_embed_batch([half], request, model) for half in halves])
    mean = np.average(vectors, axis=0, weights=[len(half) for half in halves]).astype(np.float32)
    return (mean / np.linalg.norm(mean)).reshape(1, -1)


def split_in_two(text: str) -> tuple[str, str]:
    """The text in two non-empty parts, at the sentence end nearest to its middle, else at the middle."""
    middle = len(text) // 2
    starts = [start for start, _ in sentence_spans(text) if 0 < start < len(text)]
    position = min(starts, key=lambda start: abs(start - middle), default=middle)
    if not len(text) // 10 < position < len(text) - len(text) // 10:  # else the halves would hardly get shorter
        position = middle
    return text[:position], text[position:]


def checked_vectors(rows: Sequence[Sequence[float]], *, count: int) -> Vectors:
    """The rows as vectors of length 1. Raises VectorsWrong for a wrong number, shape, or length, TextRefused for NaN."""
    try:
        vectors = np.asarray(rows, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise VectorsWrong(f"rows of different lengths or not numbers: {error}") from error
    if vectors.ndim != 2 or vectors.shape[0] != count or vectors.shape[1] == 0:
        raise VectorsWrong(f"shape {vectors.shape} for {count} texts")
    if not np.isfinite(vectors).all():
        raise TextRefused("not a number")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (np.abs(norms - 1.0) > _NORM_TOLERANCE).any():
        raise VectorsWrong(f"vectors of length {float(norms.min()):.3f} to {float(norms.max()):.3f} instead of 1")
    unit: Vectors = vectors / norms
    return unit


def _text_refused(model: str) -> UnreadableDocument:
    return UnreadableDocument(
        Text(
            ja=f"埋め込みモデル {model} が文書の一部をベクトルにできませんでした。",
            en=f"The embedding model {model} could not turn a part of the document into numbers.",
        ),
        Text(
            ja="ファイルの内容(文字化けなど)を確かめるか、別の埋め込みモデルを使ってください。",
            en="Check the file's text (is it garbled?), or use another embedding model.",
        ),
        reason=FailureReason.EMBEDDING_REFUSED,
    )
