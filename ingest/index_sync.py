"""Keeps Chroma and the lexical index equal to the ledger: writes new versions, forgets retired ones, mends differences.

The order makes every moment safe: vectors and entries first, then the one ledger transaction that makes versions live,
then forgetting the old ones. Killed anywhere, the next run finds the rest to do in the ledger.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

import numpy as np
import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.indexes import LiveChunk
from assistant.domain import Generation
from assistant.errors import EmbedderMismatch, EmbedderUnavailable, StoreUnavailable, Text
from assistant.ports import Embedder, LexicalIndex, VectorIndex, Vectors

WRITE_BATCH = 256
"""Chunks per write; Chroma's vendor advises 50 to 250 a batch, and a killed run loses at most this much work."""
log = structlog.get_logger(__name__)


def _announce(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    log.log(logging.WARNING, "waiting_for_dependency", attempt=state.attempt_number, error=str(error))


Of = ParamSpec("Of")
Made = TypeVar("Made")


def patiently(
    step: Callable[Concatenate[Stores, Of], Made],
) -> Callable[Concatenate[Stores, Of], Made]:
    """The step, tried again with growing pauses while a store or the embedder is away, for `stores.wait_seconds`."""

    @wraps(step)
    def step_again(stores: Stores, *args: Of.args, **kwargs: Of.kwargs) -> Made:
        retrying = Retrying(
            retry=retry_if_exception_type((StoreUnavailable, EmbedderUnavailable)),
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

    `stop` ends the waiting at once: the process was asked to end.
    """

    ledger: Ledger
    embedder: Embedder
    vectors: VectorIndex
    lexical: LexicalIndex
    wait_seconds: float = 90.0
    stop: threading.Event = field(default_factory=threading.Event)


def ensure_generation(stores: Stores) -> Generation:
    """The active generation, made on the first run.

    Raises EmbedderMismatch when it belongs to another embedder, EmbedderUnavailable, ModelMissing for a wrong model.
    """
    stores.embedder.check()
    generation = stores.ledger.active_generation()
    if generation is None:
        generation = stores.ledger.create_generation(
            embedder_id=stores.embedder.embedder_id, dimension=stores.embedder.dimension
        )
        stores.ledger.switch_generation(generation.generation_id)
        generation = stores.ledger.active_generation() or generation
    if generation.embedder_id != stores.embedder.embedder_id:
        raise EmbedderMismatch(
            Text(
                ja=f"索引は {generation.embedder_id} で作られていますが、設定は {stores.embedder.embedder_id} です。",
                en=f"The index was built with {generation.embedder_id}, but {stores.embedder.embedder_id} is configured.",
            ),
            Text(
                ja="設定を戻すか、`ingest rebuild` で索引を作り直してください。",
                en="Restore the setting, or build the index anew with `ingest rebuild`.",
            ),
        )
    return generation


@patiently
def write_chunks(stores: Stores, generation: Generation, chunks: Sequence[LiveChunk]) -> None:
    """Embeds what was never embedded, keeps the vectors in the ledger, and writes both indexes. Idempotent."""
    if not chunks:
        return
    vectors = _vectors_of(stores, chunks)
    stores.vectors.upsert(generation.index_name, [chunk.chunk_id for chunk in chunks], vectors)
    stores.lexical.write(add=[(chunk.chunk_id, chunk.title, chunk.embedding_text) for chunk in chunks], delete=())


def _vectors_of(stores: Stores, chunks: Sequence[LiveChunk]) -> Vectors:
    embedder_id = stores.embedder.embedder_id
    known = stores.ledger.read_vectors(embedder_id, [chunk.text_hash for chunk in chunks])
    missing = {chunk.text_hash: chunk.embedding_text for chunk in chunks if chunk.text_hash not in known}
    if missing:
        made = stores.embedder.embed_documents(list(missing.values()))
        fresh = dict(zip(missing, made, strict=True))
        stores.ledger.save_vectors(embedder_id, fresh)
        known.update(fresh)
    return np.stack([known[chunk.text_hash] for chunk in chunks])


@patiently
def forget_retired(stores: Stores, generation: Generation) -> int:
    """Takes retired versions out of both indexes, then their text out of the ledger; how many chunks."""
    retired = stores.ledger.retired_chunks()
    chunk_ids = [chunk_id for ids in retired.values() for chunk_id in ids]
    if chunk_ids:
        stores.vectors.delete(generation.index_name, chunk_ids)
        stores.lexical.write(add=(), delete=chunk_ids)
    stores.ledger.purge_versions(list(retired))
    return len(chunk_ids)


@dataclass(frozen=True)
class Difference:
    """How far an index is from the ledger, in chunk ids."""

    missing: frozenset[str]
    surplus: frozenset[str]

    @property
    def is_none(self) -> bool:
        """Whether the index holds exactly what the ledger says."""
        return not self.missing and not self.surplus


def compare(stores: Stores, generation: Generation) -> dict[str, Difference]:
    """Differences of `vectors` and `lexical` against the ledger's live chunks. Raises StoreUnavailable."""
    truth = stores.ledger.live_chunk_ids()
    seen = {"vectors": set(stores.vectors.all_ids(generation.index_name)), "lexical": set(stores.lexical.all_ids())}
    return {
        name: Difference(missing=frozenset(truth - ids), surplus=frozenset(ids - truth)) for name, ids in seen.items()
    }


@patiently
def mend(stores: Stores, generation: Generation) -> int:
    """Makes both indexes equal to the ledger; how many entries had to be written or removed."""
    differences = compare(stores, generation)
    vectors, lexical = differences["vectors"], differences["lexical"]
    if vectors.is_none and lexical.is_none:
        return 0
    log.warning(
        "indexes_mended", missing=len(vectors.missing | lexical.missing), surplus=len(vectors.surplus | lexical.surplus)
    )
    stores.vectors.delete(generation.index_name, sorted(vectors.surplus))
    if lexical.surplus:
        stores.lexical.write(add=(), delete=sorted(lexical.surplus))
    missing = sorted(vectors.missing | lexical.missing)
    for start in range(0, len(missing), WRITE_BATCH):
        write_chunks(stores, generation, list(stores.ledger.live_chunks(missing[start : start + WRITE_BATCH])))
    return len(missing) + len(vectors.surplus | lexical.surplus)


def rebuild(stores: Stores, *, progress: Callable[[int, int], None]) -> Generation:
    """Builds both indexes anew from the ledger alone, with the configured embedder, and switches to them.

    Vectors that the ledger holds are not embedded again. Answers keep coming from the old vectors until the switch.
    """
    generation = stores.ledger.create_generation(
        embedder_id=stores.embedder.embedder_id, dimension=stores.embedder.dimension
    )
    chunk_ids = sorted(stores.ledger.live_chunk_ids())
    stores.lexical.clear()
    for start in range(0, len(chunk_ids), WRITE_BATCH):
        some = list(stores.ledger.live_chunks(chunk_ids[start : start + WRITE_BATCH]))
        write_chunks(stores, generation, some)
        progress(min(start + WRITE_BATCH, len(chunk_ids)), len(chunk_ids))
    for index_name in stores.ledger.switch_generation(generation.generation_id):
        stores.vectors.drop(index_name)
    return generation
