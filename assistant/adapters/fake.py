"""Stand-ins for every port, deterministic and without any server: for tests, demonstrations and trying things out.

They are product code, held to the contract tests of the real adapters, so that what works with them works.
The chat model can read prompts of assistant/pack.py only, as any model must read some prompt.
"""

from __future__ import annotations

import asyncio
import math
import re
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np

from assistant.adapters.model_http import encodable
from assistant.adapters.token_estimate import TokenEstimator
from assistant.domain import Candidate, ModelEnd, ModelToken
from assistant.errors import ContextOverflow, EmbedderMismatch, Text
from assistant.grammar import language_of
from assistant.pack import REFUSAL
from assistant.ports import Holders, Vectors
from assistant.reach import Reach
from assistant.spellings import index_terms, question_terms
from assistant.text import lexical_terms, overlap, sentence_spans

_PASSAGE = re.compile(r'<passage number="(\d+)"[^\n]*>\n(.*?)\n</passage>', re.DOTALL)
_QUESTION = re.compile(r"^(?:質問:|Question:) *(.*)\Z", re.DOTALL | re.MULTILINE)
_PIECE = re.compile(r"[A-Za-z0-9]+\s*|.", re.DOTALL)
_SINGLE_WORD = re.compile(r"single word (\w+)")
_LEAST_SHARE = 0.3  # of the question's terms that a sentence must hold to count as an answer
_K1, _B, _TITLE_WEIGHT = 1.2, 0.75, 0.5  # BM25 as tantivy has it; the title's boost of the real index


class FakeReranker:
    """Scores a passage by how much of the question's characters it holds."""

    @property
    def name(self) -> str:
        """fake."""
        return "fake"

    async def scores(self, question: str, candidates: Sequence[Candidate]) -> list[float]:
        """0 to 1 for each candidate."""
        return [overlap(question, candidate.passage.text) for candidate in candidates]


class FakeEmbedder:
    """Texts as bags of hashed words and character bigrams: texts that share words are near each other."""

    def __init__(self, *, dimension: int = 256) -> None:
        self._dimension = dimension

    @property
    def embedder_id(self) -> str:
        """`fake` with the dimension."""
        return f"fake:bag-of-terms,{self._dimension}"

    @property
    def dimension(self) -> int:
        """As given."""
        return self._dimension

    @property
    def reads_japanese(self) -> bool:
        """Whether the model family's vocabulary holds Japanese; unknown families are taken to."""
        return True

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors in order."""
        rows = [self._row(text) for text in texts]
        return np.vstack([np.empty((0, self._dimension), dtype=np.float32), *rows])

    async def embed_query(self, text: str) -> Vectors:
        """Vector of a question."""
        return self._row(text)

    def check(self) -> None:
        """Always returns."""

    def _row(self, text: str) -> Vectors:
        row = np.zeros((1, self._dimension), dtype=np.float32)
        for term in lexical_terms(encodable(text)):
            digest = zlib.crc32(term.encode())
            row[0, digest % self._dimension] += 1.0 if digest & 0x8000_0000 else -1.0
        norm = float(np.linalg.norm(row))
        if norm == 0.0:
            row[0, 0] = norm = 1.0
        return row / np.float32(norm)


class FakeChatModel:
    """Answers with the sentence of the prompt's passages that shares most with the question, or refuses; where its system
    text asks for "the single word X", it says X.

    `seconds_per_token` slows it down; `running` counts answers in progress, so that a test sees when it is free.
    """

    def __init__(
        self, *, name: str = "fake", num_ctx: int = 8192, system_text: str = "", seconds_per_token: float = 0.0
    ) -> None:
        self._name = name
        self._num_ctx = num_ctx
        self._seconds_per_token = seconds_per_token
        self._estimator = TokenEstimator(name, system_text=system_text)
        self._only = match[1] if (match := _SINGLE_WORD.search(system_text)) else ""
        self.running = 0

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def num_ctx(self) -> int:
        """As given."""
        return self._num_ctx

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        """The estimate that is used for models without a tokenizer."""
        return self._estimator.estimate(text), "estimate"

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """The answer in words and characters, then one ModelEnd. Raises ContextOverflow."""
        prompt_tokens = self._estimator.estimate(prompt)
        if prompt_tokens > self._num_ctx:
            raise _overflow(self._num_ctx)
        pieces = _PIECE.findall(self._only or _answer(prompt))
        self.running += 1
        try:
            for piece in pieces[:num_predict]:
                await asyncio.sleep(self._seconds_per_token)
                yield ModelToken(piece)
            is_truncated = len(pieces) > num_predict
            yield ModelEnd(prompt_tokens, min(len(pieces), num_predict), truncated=is_truncated)
        finally:
            self.running -= 1

    async def check(self) -> None:
        """Always returns."""


class InMemoryVectorIndex:
    """Exact search over vectors in memory."""

    def __init__(self) -> None:
        self._indexes: dict[str, dict[str, Vectors]] = {}

    def upsert(self, index_name: str, text_hashes: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces. Raises EmbedderMismatch for vectors of another length."""
        if not text_hashes:
            return
        self._expect_length(index_name, vectors)
        rows = self._indexes.setdefault(index_name, {})
        rows.update({text_hash: vectors[row].copy() for row, text_hash in enumerate(text_hashes)})

    def delete(self, index_name: str, text_hashes: Sequence[str]) -> None:
        """Removes texts; unknown ones are no error."""
        for text_hash in text_hashes:
            self._indexes.get(index_name, {}).pop(text_hash, None)

    def all_ids(self, index_name: str) -> Iterator[str]:
        """Every text hash stored."""
        yield from list(self._indexes.get(index_name, {}))

    def count(self, index_name: str) -> int:
        """How many texts are stored."""
        return len(self._indexes.get(index_name, {}))

    def read(self, index_name: str, text_hashes: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors by text hash; unknown ones are missing."""
        rows = self._indexes.get(index_name, {})
        return {text_hash: rows[text_hash].copy() for text_hash in text_hashes if text_hash in rows}

    def drop(self, index_name: str) -> None:
        """Removes the whole index; not existing is no error."""
        self._indexes.pop(index_name, None)

    def check(self) -> None:
        """Always returns."""

    async def search(self, index_name: str, vectors: Vectors, *, limit: int) -> list[list[tuple[str, float]]]:
        """For each row of `vectors` the hashes of the nearest texts with cosine similarity, best first.

        Raises EmbedderMismatch for vectors of another length.
        """
        self._expect_length(index_name, vectors)
        rows = self._indexes.get(index_name, {})
        found = []
        for vector in vectors:
            scored = [(text_hash, min(1.0, float(row @ vector))) for text_hash, row in rows.items()]
            found.append(sorted(scored, key=lambda pair: -pair[1])[: max(0, limit)])
        return found

    def _expect_length(self, index_name: str, vectors: Vectors) -> None:
        known = next(iter(self._indexes.get(index_name, {}).values()), None)
        if known is not None and known.shape[0] != vectors.shape[1]:
            raise EmbedderMismatch(
                Text(ja="ベクトルの長さが索引と合いません。", en="The vector's length does not fit the index."),
                Text(ja="`ingest rebuild` を実行してください。", en="Run `ingest rebuild`."),
            )


class InMemoryLexicalIndex:
    """BM25 over texts in memory, with the terms of the real index."""

    def __init__(self) -> None:
        self._indexes: dict[str, dict[str, tuple[Counter[str], Counter[str]]]] = {}

    def write(self, index_name: str, *, add: Iterable[tuple[str, str, str]], delete: Iterable[str]) -> None:
        """Deletes ids, then adds (chunk_id, title, text); all or nothing."""
        entries = dict(self._indexes.get(index_name, {}))
        for chunk_id in delete:
            entries.pop(chunk_id, None)
        for chunk_id, title, text in add:
            entries[chunk_id] = (Counter(index_terms(title)), Counter(index_terms(text)))
        self._indexes[index_name] = entries

    def all_ids(self, index_name: str) -> Iterator[str]:
        """Every id stored."""
        yield from list(self._indexes.get(index_name, {}))

    def drop(self, index_name: str) -> None:
        """Removes the whole index; not existing is no error."""
        self._indexes.pop(index_name, None)

    async def search(
        self, index_name: str, text: str, *, limit: int, reach: Reach | None = None
    ) -> list[tuple[str, float]]:
        """Ids with a score above 0, best first; `reach` leaves all others out."""
        terms = set(question_terms(text))
        scores: Counter[str] = Counter()
        for field, weight in ((0, _TITLE_WEIGHT), (1, 1.0)):
            for chunk_id, score in _scores(self._indexes.get(index_name, {}), terms, field):
                scores[chunk_id] += weight * score  # type: ignore[assignment]
        ranked = [
            (chunk_id, float(score))
            for chunk_id, score in scores.most_common()
            if score > 0 and (reach is None or reach.holds(chunk_id))
        ]
        return ranked[: max(0, limit)]

    def holders(self, index_name: str, texts: Iterable[str]) -> Holders:
        """For each text the count of entries that hold the rarest of its terms."""
        bodies = [body for _, body in self._indexes.get(index_name, {}).values()]
        of_term = Counter(term for body in bodies for term in body)
        return Holders(
            len(bodies), {text: min((of_term[term] for term in lexical_terms(text)), default=0) for text in texts}
        )


def _scores(
    entries: dict[str, tuple[Counter[str], Counter[str]]], terms: set[str], field: int
) -> Iterator[tuple[str, float]]:
    bags = {chunk_id: entry[field] for chunk_id, entry in entries.items()}
    mean_length = sum(bag.total() for bag in bags.values()) / len(bags) if bags else 0.0
    for term in terms:
        holders = [(chunk_id, bag) for chunk_id, bag in bags.items() if term in bag]
        rarity = math.log(1 + (len(bags) - len(holders) + 0.5) / (len(holders) + 0.5))
        for chunk_id, bag in holders:
            length_norm = _K1 * (1 - _B + _B * bag.total() / mean_length)
            yield chunk_id, rarity * bag[term] * (_K1 + 1) / (bag[term] + length_norm)


def _answer(prompt: str) -> str:
    question = match[1] if (match := _QUESTION.search(prompt)) else prompt
    wanted = set(lexical_terms(question, for_query=True))
    best_share, best = 0.0, ""
    for number, text in _PASSAGE.findall(prompt):
        for start, end in sentence_spans(text):
            sentence = text[start:end]
            share = len(wanted & set(lexical_terms(sentence))) / len(wanted) if wanted else 0.0
            if share > best_share:
                best_share, best = share, f"{sentence} [{number}]"
    return best if best_share >= _LEAST_SHARE else REFUSAL[language_of(question)]


def _overflow(num_ctx: int) -> ContextOverflow:
    return ContextOverflow(
        Text(
            ja=f"質問と抜粋がモデルの窓(num_ctx {num_ctx} トークン)に収まりません。",
            en=f"The question and its passages do not fit into the model's window (num_ctx {num_ctx} tokens).",
        ),
        Text(ja="質問を短くしてください。", en="Shorten the question."),
    )
