"""Keeps Chroma and the lexical index equal to the ledger: writes new versions, forgets retired ones, mends differences.

The order makes every moment safe: vectors and entries first, then the one ledger transaction that makes versions live,
then forgetting the old ones. Killed anywhere, the next run finds the rest to do in the ledger.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

import numpy as np
import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.indexes import LiveChunk
from assistant.embedders import Embedders
from assistant.errors import (
    DocumentError,
    EmbedderMismatch,
    EmbedderUnavailable,
    FailureReason,
    StoreDamaged,
    StoreUnavailable,
    Text,
)
from assistant.generation import Generation
from assistant.ports import Embedder, LexicalIndex, VectorIndex, Vectors
from ingest.yielding import Yielding

WRITE_BATCH = 256
"""Chunks per write; Chroma's vendor advises 50 to 250 a batch, and a killed run loses at most this much work."""
MEND_BATCH = 8 * WRITE_BATCH
"""Chunks per commit of the lexical index where many are missing: after a commit it merges what it has, for 0.3 s."""
log = structlog.get_logger(__name__)


def _announce(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    log.log(logging.WARNING, "waiting_for_dependency", attempt=state.attempt_number, error=str(error))


def _may_come_back(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable | EmbedderUnavailable) and not error.permanent


Of = ParamSpec("Of")
Made = TypeVar("Made")


def patiently(
    step: Callable[Concatenate[Stores, Of], Made],
) -> Callable[Concatenate[Stores, Of], Made]:
    """The step, tried again with growing pauses while a store or the embedder is away, for `stores.wait_seconds`."""

    @wraps(step)
    def step_again(stores: Stores, *args: Of.args, **kwargs: Of.kwargs) -> Made:
        retrying = Retrying(
            retry=retry_if_exception(_may_come_back),
            wait=wait_exponential(multiplier=0.5, max=10.0) + wait_random(0.0, 1.0),
            stop=stop_any(stop_after_delay(stores.wait_seconds), stop_when_event_set(stores.stop)),
            sleep=sleep_using_event(stores.stop),
            before_sleep=_announce,
            reraise=True,
        )
        return retrying(step, stores, *args, **kwargs)

    return cast(Callable[Concatenate[Stores, Of], Made], step_again)


@dataclass(frozen=True)
class Stores:
    """Everything an ingestion writes to, and how long it waits for a part that is away before it stops.

    `embedder` is the configured one, with which the next generation will be built; `embedders` are those of all
    generations (None: the one embedder of a test). `stop` ends the waiting at once: the process was asked to end.
    """

    ledger: Ledger
    embedder: Embedder
    vectors: VectorIndex
    lexical: LexicalIndex
    wait_seconds: float = 90.0
    stop: threading.Event = field(default_factory=threading.Event)
    yielding: Yielding = field(default_factory=Yielding)
    innocent: set[str] = field(default_factory=set)
    """Documents under way when a store or the parser went away; the next run of this process forgets their attempts."""
    embedders: Embedders | None = field(default=None, kw_only=True)

    def embedder_of(self, generation: Generation) -> Embedder:
        """The embedder that the generation was built with."""
        return self.embedder if self.embedders is None else self.embedders.of(generation)

    def new_generation(self) -> Generation:
        """One to be built with the configured embedder. Raises EmbedderUnavailable, ModelMissing."""
        return self.ledger.create_generation(
            embedder_id=self.embedder.embedder_id,
            dimension=self.embedder.dimension,
            embedder=None if self.embedders is None else self.embedders.spec,
        )


def ensure_generation(stores: Stores) -> Generation:
    """The active generation, made on the first run.

    Raises EmbedderMismatch when its embedder is not what it was any more, EmbedderUnavailable, ModelMissing for a wrong
    model.
    """
    generation = stores.ledger.active_generation()
    if generation is None:
        stores.embedder.check()
        generation = stores.new_generation()
        stores.ledger.switch_generation(generation.generation_id)
        return stores.ledger.active_generation() or generation
    embedder = stores.embedder_of(generation)
    embedder.check()
    expect_own_embedder(generation, embedder)
    return generation


def expect_own_embedder(generation: Generation, embedder: Embedder) -> None:
    """Raises EmbedderMismatch when vectors of the embedder could not be compared with those of the generation."""
    if generation.embedder_id == embedder.embedder_id:
        return
    raise EmbedderMismatch(
        Text(
            ja=f"索引は {generation.embedder_id} で作られていますが、今は {embedder.embedder_id} です。",
            en=f"The index was built with {generation.embedder_id}, but the embedder is {embedder.embedder_id} now.",
        ),
        Text(
            ja="元のモデルに戻すか、`ingest rebuild` で新しい世代を作ってください。",
            en="Restore the model, or build a new generation with `ingest rebuild`.",
        ),
    )


@patiently
def write_chunks(stores: Stores, generation: Generation, chunks: Sequence[LiveChunk]) -> None:
    """Embeds what was never embedded, keeps the vectors in the ledger, and writes both indexes. Idempotent."""
    if not chunks:
        return
    _write_vectors(stores, generation, chunks)
    entries = [(chunk.chunk_id, chunk.title, chunk.embedding_text) for chunk in chunks]
    stores.lexical.write(generation.index_name, add=entries, delete=())


@patiently
def _write_vectors(stores: Stores, generation: Generation, chunks: Sequence[LiveChunk]) -> None:
    if chunks:
        vectors = _vectors_of(stores, generation, chunks)
        stores.vectors.upsert(generation.index_name, [chunk.text_hash for chunk in chunks], vectors)


def _write_vectors_but_refused(stores: Stores, generation: Generation, chunks: Sequence[LiveChunk]) -> None:
    """Writes the vectors of all that the embedder takes; the others are looked for by halves, and remembered."""
    try:
        _write_vectors(stores, generation, chunks)
    except DocumentError as error:
        if error.reason is not FailureReason.EMBEDDING_REFUSED:
            raise
        if len(chunks) > 1:
            middle = len(chunks) // 2
            _write_vectors_but_refused(stores, generation, chunks[:middle])
            _write_vectors_but_refused(stores, generation, chunks[middle:])
            return
        stores.ledger.save_refusal(generation.embedder_id, chunks[0].text_hash)
        log.warning("text_refused", chunk_id=chunks[0].chunk_id, embedder_id=generation.embedder_id)


@patiently
def embed_ahead(stores: Stores, generation: Generation, chunks: Sequence[LiveChunk]) -> None:
    """Embeds what was never embedded and keeps the vectors in the ledger, where `write_chunks` will find them. A text that
    the embedder refuses is left to that."""
    with suppress(DocumentError):
        _vectors_of(stores, generation, chunks)


def _vectors_of(stores: Stores, generation: Generation, chunks: Sequence[LiveChunk]) -> Vectors:
    embedder_id = generation.embedder_id
    known = stores.ledger.read_vectors(embedder_id, [chunk.text_hash for chunk in chunks])
    missing = {chunk.text_hash: chunk.embedding_text for chunk in chunks if chunk.text_hash not in known}
    if missing:
        embedder = stores.embedder_of(generation)
        expect_own_embedder(generation, embedder)
        made = embedder.embed_documents(list(missing.values()))
        # As the ledger will give them back: else a copy embedded later would be a little nearer or farther than this one.
        fresh = dict(zip(missing, made.astype(np.float16).astype(np.float32), strict=True))
        stores.ledger.save_vectors(embedder_id, fresh)
        known.update(fresh)
    return np.stack([known[chunk.text_hash] for chunk in chunks])


@patiently
def forget_retired(stores: Stores) -> int:
    """Takes retired versions out of the indexes of all generations, then their text out of the ledger; how many chunks."""
    _drop_retired_indexes(stores)
    retired = stores.ledger.retired_chunks()
    chunk_ids = [chunk_id for ids in retired.values() for chunk_id in ids]
    if chunk_ids:
        for generation, _ in stores.ledger.generations():
            texts = stores.ledger.forgotten_texts(is_beside=not generation.is_active)
            with _dropping_damage(stores, generation):
                stores.vectors.delete(generation.index_name, texts)
            with _dropping_damage(stores, generation):
                stores.lexical.write(generation.index_name, add=(), delete=chunk_ids)
    stores.ledger.purge_versions(list(retired))
    return len(chunk_ids)


def _drop_retired_indexes(stores: Stores) -> None:
    retired = stores.ledger.retired_indexes()
    for index_name in retired.values():
        stores.vectors.drop(index_name)
        stores.lexical.drop(index_name)
    if retired and (forgotten := stores.ledger.forget_unused_vectors()):
        log.info("vectors_forgotten", count=forgotten)
    stores.ledger.forget_generations(list(retired))


@contextmanager
def _dropping_damage(stores: Stores, generation: Generation) -> Iterator[None]:
    """A damaged index that no answer comes from is dropped: it is mended before any answer does (that of the active
    generation: healing.py)."""
    try:
        yield
    except StoreDamaged as damage:
        if generation.is_active:
            raise
        log.warning("damaged_index_dropped", index=damage.index, index_name=generation.index_name, error=str(damage))
        (stores.vectors if damage.index == "vectors" else stores.lexical).drop(generation.index_name)


@dataclass(frozen=True)
class Difference:
    """How far an index is from the ledger: the index of vectors in texts, by their hash, that of words in chunk ids."""

    missing: frozenset[str]
    surplus: frozenset[str]

    @property
    def is_none(self) -> bool:
        """Whether the index holds exactly what the ledger says."""
        return not self.missing and not self.surplus


def compare(stores: Stores, generation: Generation) -> dict[str, Difference]:
    """Differences of `vectors` and `lexical` against the chunks that the generation must hold. Raises StoreUnavailable."""
    truth = stores.ledger.live_chunk_ids(is_beside=not generation.is_active)
    refused = stores.ledger.refused_texts(generation.embedder_id)
    texts = stores.ledger.live_texts(is_beside=not generation.is_active) - refused
    vectors = set(stores.vectors.all_ids(generation.index_name))
    lexical = set(stores.lexical.all_ids(generation.index_name))
    return {
        "vectors": Difference(
            missing=frozenset(texts - vectors),
            surplus=frozenset(vectors - texts),
        ),
        "lexical": Difference(missing=frozenset(truth - lexical), surplus=frozenset(lexical - truth)),
    }


@patiently
def mend(
    stores: Stores, generation: Generation, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Makes both indexes of a generation equal to the ledger; how many entries had to be written or removed.

    A text that the embedder refuses stops nothing: it is remembered as refused, and found by its words.
    """
    differences: dict[str, Difference] = {}
    with _dropping_damage(stores, generation):
        differences = compare(stores, generation)
    differences = differences or compare(stores, generation)
    vectors, lexical = differences["vectors"], differences["lexical"]
    if vectors.is_none and lexical.is_none:
        return 0
    log.warning(
        "indexes_mended",
        missing=len(vectors.missing) + len(lexical.missing),
        surplus=len(vectors.surplus) + len(lexical.surplus),
    )
    if lexical.surplus:
        stores.lexical.write(generation.index_name, add=(), delete=sorted(lexical.surplus))
    written = len(vectors.missing) + len(lexical.missing)
    _mend_words(stores, generation, sorted(lexical.missing), lambda done: progress(done, written))
    _mend_vectors(
        stores, generation, sorted(vectors.missing), lambda done: progress(len(lexical.missing) + done, written)
    )
    stores.vectors.delete(generation.index_name, sorted(vectors.surplus))  # an index of before answers until here
    return written + len(vectors.surplus) + len(lexical.surplus)


def _mend_words(
    stores: Stores, generation: Generation, chunk_ids: Sequence[str], progress: Callable[[int], None]
) -> None:
    for start in range(0, len(chunk_ids), MEND_BATCH):
        some = chunk_ids[start : start + MEND_BATCH]
        chunks = stores.ledger.live_chunks(some, is_beside=not generation.is_active)
        entries = [(chunk.chunk_id, chunk.title, chunk.embedding_text) for chunk in chunks]
        stores.lexical.write(generation.index_name, add=entries, delete=())
        progress(start + len(some))


def _mend_vectors(
    stores: Stores, generation: Generation, texts: Sequence[str], progress: Callable[[int], None]
) -> None:
    for start in range(0, len(texts), WRITE_BATCH):
        some = texts[start : start + WRITE_BATCH]
        chunks = stores.ledger.chunks_with(some, is_beside=not generation.is_active)
        _write_vectors_but_refused(stores, generation, chunks)
        progress(start + len(some))
