"""What the pipeline needs from the outside, as protocols. Adapters implement them; vendors' types stop there.
Asking is async, ingesting is sync; no operation exists in both colours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from assistant.domain import Answer, Candidate, Filters, ModelEnd, ModelToken, Passage, Principal, Queued
from assistant.errors import AssistantError, Text
from assistant.generation import Generation
from assistant.history import Exchange, Unfinished
from assistant.reach import Reach
from assistant.releases import (
    Content,
    LoadedModel,
    MadeModel,
    ModelFile,
    Release,
    ReleaseAct,
    Standing,
    Tried,
)

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimension), rows of length 1."""


@dataclass(frozen=True)
class VersionVectors:
    """Vectors of a version's chunks, a row for each id."""

    version_id: str
    chunk_ids: tuple[str, ...]
    vectors: Vectors


class Embedder(Protocol):
    """Turns texts into vectors. Raises EmbedderUnavailable, ModelMissing."""

    @property
    def embedder_id(self) -> str:
        """Model, version, prefixes and normalisation in one string; equal ids give comparable vectors."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def reads_japanese(self) -> bool:
        """Whether Japanese text keeps its meaning in the model's vocabulary; False for English-only models."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of stored texts, in order (ingesting; sync)."""
        ...

    async def embed_query(self, text: str) -> Vectors:
        """Vector of one question, shape (1, dimension) (asking; async)."""
        ...

    def check(self) -> None:
        """Returns when the embedder can work; raises otherwise."""
        ...


class VectorIndex(Protocol):
    """Derived index of vectors by text hash, one per generation. Raises StoreUnavailable."""

    def upsert(self, index_name: str, text_hashes: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces; idempotent."""
        ...

    def delete(self, index_name: str, text_hashes: Sequence[str]) -> None:
        """Removes texts; unknown ones are no error."""
        ...

    def all_ids(self, index_name: str) -> Iterator[str]:
        """Every text hash stored; empty when the index does not exist."""
        ...

    def count(self, index_name: str) -> int:
        """How many texts are stored; 0 when the index does not exist."""
        ...

    def read(self, index_name: str, text_hashes: Sequence[str]) -> dict[str, Vectors]:
        """The stored vector of each text, of shape (dimension,); unknown ones are missing."""
        ...

    def drop(self, index_name: str) -> None:
        """Removes the whole index of a generation; not existing is no error."""
        ...

    def check(self) -> None:
        """Returns when the server answers; raises StoreUnavailable otherwise."""
        ...

    async def search(self, index_name: str, vectors: Vectors, *, limit: int) -> list[list[tuple[str, float]]]:
        """For each row of `vectors` the hashes of the nearest texts with cosine similarity, best first."""
        ...


@dataclass(frozen=True)
class Holders:
    """How many of the `entries` of an index hold each text, at most: as many as hold the rarest of its terms."""

    entries: int
    of: Mapping[str, int]


class LexicalIndex(Protocol):
    """Derived full-text index by chunk id, one per generation. One writing process, many readers.

    Raises StoreUnavailable.
    """

    def write(self, index_name: str, *, add: Iterable[tuple[str, str, str]], delete: Iterable[str]) -> None:
        """Adds (chunk_id, title, text) and deletes ids in one commit; an id added again replaces the old entry."""
        ...

    def all_ids(self, index_name: str) -> Iterator[str]:
        """Every id stored; empty when the index does not exist."""
        ...

    def drop(self, index_name: str) -> None:
        """Removes the whole index of a generation, a damaged one too; not existing is no error."""
        ...

    async def search(
        self, index_name: str, text: str, *, limit: int, reach: Reach | None = None
    ) -> list[tuple[str, float]]:
        """Chunk ids with BM25 score above 0, best first; `reach` leaves all others out."""
        ...

    def holders(self, index_name: str, texts: Iterable[str]) -> Holders:
        """How rare each text is, without searching for it; entries that were deleted lately may still be counted."""
        ...


class Reranker(Protocol):
    """Scores candidates against a question. Raises RerankerUnavailable."""

    @property
    def name(self) -> str:
        """What it is called in notices and measurements."""
        ...

    async def scores(self, question: str, candidates: Sequence[Candidate]) -> list[float]:
        """One score for each candidate, in their order; higher is better."""
        ...


class ChatModel(Protocol):
    """Answers one prompt. The prompt is the user message; the system text is the model's own (Modelfile or release)."""

    @property
    def name(self) -> str:
        """The model's name as shown to people."""
        ...

    @property
    def num_ctx(self) -> int:
        """The window in tokens, prompt and answer together."""
        ...

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        """Tokens of a whole prompt including system text and chat template, and how they were counted."""
        ...

    def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        """Tokens, then exactly one ModelEnd. Closing the iterator frees the model at once. `alternatives`: how many likeliest
        tokens of each place are wanted with it; a server that cannot tell them answers without.

        Raises ModelUnavailable, ModelTimeout, ModelMissing, AnswerAborted (no end mark), ContextOverflow.
        """
        ...

    async def check(self) -> None:
        """Returns when the model can answer; raises otherwise. Does not load it."""
        ...


@dataclass(frozen=True)
class Differences:
    """In what a model's server differs from the release, and what to do where it harms answers."""

    message: Text
    hint: Text
    is_harmful: bool = False


@runtime_checkable
class TellsDifferences(Protocol):
    """A chat model that can say in what its server differs from the release."""

    def differences(self) -> Differences | None:
        """The differences known since the last `check`; None when there are none."""
        ...


@runtime_checkable
class MayRest(Protocol):
    """A chat model that is left alone for a moment after it has failed."""

    def resting(self) -> AssistantError | None:
        """Why it would not be asked just now; None while it may be."""
        ...


class Turn(Protocol):
    """One question's place in front of a model: asked for when the model is needed, given back when it is not."""

    @property
    def waited_seconds(self) -> float:
        """Seconds spent in line."""
        ...

    async def outlook(self, line: int = 0) -> Queued | None:
        """What to tell whoever waits, as soon as it changes; None as soon as the model may be used.

        Each model has a line of its own. Whoever names another line gives up place and standing in the one before.
        """
        ...

    def leave(self, *, is_whole: bool = False) -> None:
        """Gives the place back; `is_whole` when a whole answer was written. Leaving twice is no error."""
        ...


class NoLine:
    """The turn of one who asks alone, at the command line or in an evaluation: it is theirs at once."""

    waited_seconds = 0.0

    async def outlook(self, line: int = 0) -> Queued | None:
        """None."""
        return None

    def leave(self, *, is_whole: bool = False) -> None:
        """Nobody waits for it."""


class OpenQuestions(Protocol):
    """Whether people wait for an answer just now, in any process of this deployment."""

    def answering(self) -> AbstractContextManager[None]:
        """Held by whoever answers, from a question's arrival to its last event."""
        ...

    def is_any(self) -> bool:
        """Whether a question is open, in this process or another."""
        ...

    def problem(self) -> str:
        """Why the processes cannot tell each other; empty when they can."""
        ...


class AskLedger(Protocol):
    """What asking reads and writes in the ledger. Every method runs in one transaction."""

    def active_generation(self) -> Generation | None:
        """The generation that answers come from."""
        ...

    def reach_token(self) -> str:
        """Another one whenever anybody's reach may have changed; empty when that is not known."""
        ...

    def read_reach(self, *, principal: Principal, filters: Filters) -> Reach:
        """The live versions that the principal may read within the filters."""
        ...

    def version_vectors(self, embedder_id: str, version_ids: Sequence[str]) -> list[VersionVectors]:
        """Vectors of these versions' chunks, as the embedder made them; of equal texts of a version the first one's."""
        ...

    def chunks_of_texts(self, text_hashes: Sequence[str]) -> dict[str, list[str]]:
        """Chunk ids of each text, the first one of every version that has it."""
        ...

    def read_passages(
        self, chunk_scores: Sequence[tuple[str, float]], *, principal: Principal, filters: Filters, limit: int
    ) -> list[Passage]:
        """Passages in the given order, re-read with the right to read them; unreadable or stale ids are left out."""
        ...

    def is_reading_files(self) -> bool:
        """Whether an ingestion is at work just now."""
        ...

    def owns_conversation(self, conversation_id: str, *, principal: Principal) -> bool:
        """Whether the conversation is new or the principal's own."""
        ...

    def exchanges(self, conversation_id: str, *, principal: Principal, limit: int) -> list[Exchange]:
        """The last exchanges of the principal's own conversation, oldest first; empty for a new one."""
        ...

    def save_answer(self, answer: Answer, *, question: str, principal: Principal) -> None:
        """Stores the answer and, for a new conversation id, the conversation."""
        ...

    def note_unfinished(self, unfinished: Unfinished, *, principal: Principal) -> None:
        """Notes that a question is being answered, or how far its answer had come; `save_answer` takes its place."""
        ...


class ModelHost(Protocol):
    """Makes, loads and tries models on a model server. Raises ModelUnavailable, ModelMissing, ModelTimeout."""

    async def seen(self, name: str) -> MadeModel | None:
        """The model as the host has it; None where it has none of that name."""
        ...

    async def make(self, name: str, *, base: str, settings: Mapping[str, Any]) -> MadeModel:
        """The model, made anew from `base`; `settings` are system, template, parameters, messages, adapters, license.

        Raises ModelMissing when there is no base: nothing is ever fetched from the internet.
        """
        ...

    async def load(self, name: str) -> LoadedModel:
        """The model in memory, with its own window. Raises WillNotFit."""
        ...

    async def loaded(self, name: str) -> LoadedModel | None:
        """The same without loading it; None where it is not in memory."""
        ...

    async def try_out(self, name: str, prompt: str, *, num_predict: int) -> Tried:
        """What the model says to one user message."""
        ...

    async def copy(self, source: str, name: str) -> None:
        """Gives the model a second name, which may have been another's. Raises ModelMissing."""
        ...

    async def remove(self, name: str) -> None:
        """Takes the name away; one that is not there is no error."""
        ...

    async def digests(self) -> dict[str, str]:
        """What lies on the host: digests by full name."""
        ...

    async def files(self) -> dict[str, ModelFile]:
        """What the models on the host take, by full name. One question a model."""
        ...

    def free_bytes(self) -> int | None:
        """Memory of the host's machine that is free; None where that cannot be seen from here."""
        ...


class ReleaseLedger(Protocol):
    """What publishing reads and writes in the ledger. Every method is one transaction."""

    def standing(self) -> Standing:
        """Which release answers now."""
        ...

    def release(self, release_id: str) -> Release:
        """The release. Raises NotFound."""
        ...

    def adopt(self, content: Content, *, model: str, digest: str, by: str) -> Standing:
        """Notes what answered before the first release as the published one."""
        ...

    def note_made(self, release_id: str, *, model: str, digest: str) -> None:
        """The model of a release lies on the host."""
        ...

    def note_refused(self, release_id: str, *, by: str, why: str, details: Mapping[str, Any]) -> None:
        """The release was not published, and why."""
        ...

    def move(
        self,
        release_id: str,
        *,
        revision: int,
        act: ReleaseAct,
        by: str,
        why: str,
        details: Mapping[str, Any],
    ) -> Standing:
        """Answers come from this release from now on. Raises ReleaseConflict when the standing is not `revision` any more."""
        ...
