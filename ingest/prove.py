"""Proof that a document can be found, and how far its embedder can be trusted: by asking, on the path that people use.

    live version -> two probe questions (probe.py) -> assistant.retrieve, as a reader of the document -> rank 1 to 5
                                                   -> vectors alone                                   -> fitness

Every searchable version is asked for once, right after it went live; until then, and when it is not found, its
document is `warn`. Nothing switches this off. A run that is killed between leaves versions without a proof, which the
next run finds in the ledger. The one place of this room with an event loop: searching is async (docs/decisions/0008).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.proving import Proof, Provable, Sampled
from assistant.candidates import LEAST_HITS, in_reach
from assistant.domain import DocumentStatus, Filters, Passage, Principal
from assistant.errors import DocumentError, FailureReason, StoreUnavailable
from assistant.generation import Generation
from assistant.languages import mean_of
from assistant.ports import Embedder, Vectors
from assistant.reach import version_of
from assistant.retrieve import Indexes, retrieve
from assistant.ties import runs
from assistant.versions import is_older, told_by
from assistant.wrapped import WrappedEmbedder
from ingest.index_sync import Stores, patiently
from ingest.probe import Around, Probe, make_probes, weighed

TOP = 5
"""A document counts as found among the first five passages: what fits on a screen, and into most prompts."""
ONE_IN = 1000
"""For the fitness one more hit counts for every so many chunks: five among 5,000 say of an embedder what fifty say among
50,000. A sound one found .91 and 1.0 among 4,507 chunks (docs/lab-notes.md, 2026-11-23)."""
SAMPLE = 100
"""Probe questions of a language for the fitness of a generation: a share of .5 is then known to about .1."""
REMEASURE_SHARE = 0.2
"""A corpus that grew or shrank by this share is measured again: finding among more chunks is harder."""
NOT_FOUND = "not_found_again"
REFUSED = FailureReason.EMBEDDING_REFUSED.value
_AT_ONCE = 4
_REMEMBERED = 4 * SAMPLE
_READ_AT_ONCE = 10
_MOST_OF_ONE = 500
"""Passages of one document at most that its mean is made of."""

log = structlog.get_logger(__name__)


class _Remembering(WrappedEmbedder):
    """The embedder, keeping the vectors of the last questions: the fitness asks the same ones again."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder)
        self._vectors: dict[str, Vectors] = {}

    async def embed_query(self, text: str) -> Vectors:
        """The vector, made once. Raises EmbedderUnavailable."""
        if text not in self._vectors:
            if len(self._vectors) >= _REMEMBERED:
                self._vectors.pop(next(iter(self._vectors)))
            self._vectors[text] = await self._embedder.embed_query(text)
        return self._vectors[text]


class Prover:
    """Asks for new versions and measures the generation; one for each run. `seconds` is the time spent on it so far."""

    def __init__(self, stores: Stores, generation: Generation) -> None:
        self._stores = stores
        self._generation = generation
        self._embedder = _Remembering(stores.embedder_of(generation))
        self.seconds = 0.0
        self._lost: set[str] = set()

    def prove(self) -> None:
        """Asks for every live version that has no proof yet, and writes what was found.

        Raises StoreUnavailable when a store stays away.
        """
        started = time.perf_counter()
        after = ""
        while not self._stores.stop.is_set() and (page := self._stores.ledger.unproved(after=after)):
            proofs = _proofs(self._stores, self._generation, self._embedder, page, self._refused())
            self._stores.ledger.record_proofs(proofs)
            for proof in proofs:
                (self._lost.add if NOT_FOUND in proof.content["warnings"] else self._lost.discard)(proof.version_id)
            after = page[-1].version_id
        self.seconds += time.perf_counter() - started

    def _refused(self) -> frozenset[str]:
        """Ids of versions with a text that the embedder refuses."""
        chunk_ids = self._stores.ledger.refused_chunks(self._generation.embedder_id)
        return frozenset(version_of(chunk_id) for chunk_id in chunk_ids)

    def finish(self, generation: Generation, *, has_changed: bool) -> int:
        """The end of a run: asks again for some documents with a warning when anything changed, and measures the fitness
        of the generation when it is unknown or the corpus has another size. How many of the documents asked for in this run were not found again."""
        if has_changed:
            self._stores.ledger.doubt_again()
        is_asked = has_changed or not _is_measured(self._stores, generation)
        chunks = _chunks_to_measure(self._stores, generation) if is_asked else None
        sampled = [] if chunks is None else _sampled(self._stores, generation)
        if chunks is not None:
            _doubt_early(self._stores, generation, sampled)
        self.prove()
        started = time.perf_counter()
        if chunks is not None:
            _measure(self._stores, generation, self._embedder, chunks, sampled)
        self.seconds += time.perf_counter() - started
        return len(self._lost)


def measure(stores: Stores, generation: Generation, *, embedder: Embedder | None = None) -> dict[str, Any] | None:
    """Measures how many probe questions the vectors alone answer from the right document, and writes it into the
    generation; None when the last measurement still holds. Raises StoreUnavailable, EmbedderUnavailable."""
    chunks = _chunks_to_measure(stores, generation)
    if chunks is None:
        return None
    sampled = _sampled(stores, generation)
    return _measure(stores, generation, embedder or stores.embedder_of(generation), chunks, sampled)


def _measure(
    stores: Stores, generation: Generation, embedder: Embedder, chunks: int, sampled: Sequence[Sampled]
) -> dict[str, Any]:
    sample = _questions(stores, generation, sampled)
    top = max(TOP, chunks // ONE_IN)
    texts = len(stores.ledger.live_texts(is_beside=not generation.is_active))
    fitness: dict[str, Any] = {"chunks": chunks, "texts": texts, "top": top}
    for language, probes in sample.items():
        found = _found_by_vectors(stores, embedder, generation, probes, top)
        fitness[language] = {"found": found, "probes": len(probes)}
    stores.ledger.save_fitness(
        generation.generation_id, fitness | {"means": means_of(stores.ledger, generation, sampled)}
    )
    log.info("fitness_measured", **fitness)
    return fitness


def means_of(ledger: Ledger, generation: Generation, sampled: Sequence[Sampled]) -> dict[str, str]:
    """The mean vector of each language that has enough passages among these documents; see assistant/languages.py."""
    found: dict[str, list[Vectors]] = {}
    chosen = [one for one in sampled if one.language in ("ja", "en")]
    for start in range(0, len(chosen), _READ_AT_ONCE):
        some = chosen[start : start + _READ_AT_ONCE]
        languages = {one.version_id: one.language for one in some}
        for block in ledger.version_vectors(generation.embedder_id, list(languages)):
            found.setdefault(languages[block.version_id], []).append(block.vectors[:_MOST_OF_ONE])
    means = {language: mean_of(vectors) for language, vectors in sorted(found.items())}
    return {language: mean for language, mean in means.items() if mean}


def _chunks_to_measure(stores: Stores, generation: Generation) -> int | None:
    """How many chunks there are, when the fitness is unknown or that of a corpus of another size; else None."""
    former = stores.ledger.fitness(generation.generation_id) if _is_measured(stores, generation) else None
    chunks = len(stores.ledger.live_chunk_ids(is_beside=not generation.is_active))
    if former is not None and abs(chunks - former["chunks"]) <= REMEASURE_SHARE * former["chunks"]:
        return None
    return chunks


def _is_measured(stores: Stores, generation: Generation) -> bool:
    """Whether fitness and means are known. Without `texts` they were measured while the index held equal texts many times and
    could not be trusted (docs/decisions/0033), without `means` by a former version as well."""
    return {"texts", "means"} <= (stores.ledger.fitness(generation.generation_id) or {}).keys()


def _sampled(stores: Stores, generation: Generation) -> list[Sampled]:
    return stores.ledger.sample(each=SAMPLE, is_beside=not generation.is_active)


def _doubt_early(stores: Stores, generation: Generation, sampled: Sequence[Sampled]) -> None:
    """The documents that the fitness is measured with are asked for once more, among all others. The first ones of a run were
    asked for among few, and how few depends on the machine; the weight of the search by meaning must not."""
    with suppress(StoreUnavailable):
        entries = stores.lexical.holders(generation.index_name, ()).entries
        stores.ledger.doubt_early([one.document_id for one in sampled], entries=entries)


def _questions(stores: Stores, generation: Generation, sampled: Sequence[Sampled]) -> dict[str, list[tuple[str, str]]]:
    """(version id, question) by language, always the same ones of the same corpus.

    A question that the whole search does not find says nothing about an embedder (fifty copies of one form): left out.
    """
    by_language: dict[str, list[tuple[str, str]]] = {"ja": [], "en": []}
    documents = {one.document_id for one in sampled}
    for version_id, probe in stores.ledger.asked_probes(documents, is_beside=not generation.is_active):
        if probe["rank"] is not None:
            by_language[probe["language"]].append((version_id, probe["question"]))
    return {
        language: sorted(probes, key=lambda probe: hashlib.sha256(probe[1].encode()).digest())[:SAMPLE]
        for language, probes in by_language.items()
    }


@patiently
def _found_by_vectors(
    stores: Stores, embedder: Embedder, generation: Generation, probes: Sequence[tuple[str, str]], top: int
) -> int:
    ledger = stores.ledger if generation.is_active else stores.ledger.beside()
    everybody = Principal("ingestion", groups=stores.ledger.every_group())
    reach = ledger.read_reach(principal=everybody, filters=Filters())

    async def found(version_id: str, question: str) -> float:
        vector = await embedder.embed_query(question)
        (hits,) = await stores.vectors.search(generation.index_name, vector, limit=max(2 * top, LEAST_HITS))
        return _chance(in_reach(ledger.chunks_of_texts, hits, reach, limit=2 * top), version_id, top)

    async def ask_all() -> int:
        return round(sum([await found(*probe) for probe in probes]))

    return asyncio.run(ask_all())


def _chance(hits: Sequence[tuple[str, float]], version_id: str, top: int) -> float:
    """How likely the version is among the first `top` hits, 0 to 1, when chance orders those of equal score: copies share
    their places, and an embedder to which all texts are equal finds by chance alone."""
    room = top
    for equals in runs(hits, lambda hit: hit[1]):
        if own := sum(chunk_id.startswith(version_id + ":") for chunk_id, _ in equals):
            return min(1.0, own * max(0, room) / len(equals))
        room -= len(equals)
    return 0.0


@patiently
def _proofs(
    stores: Stores,
    generation: Generation,
    embedder: Embedder,
    page: Sequence[Provable],
    refused: frozenset[str],
) -> list[Proof]:
    """The proofs of some versions, in one event loop; none where half the search was away.

    Raises StoreUnavailable when no index answers.
    """
    indexes = Indexes(stores.ledger, embedder, stores.vectors, stores.lexical)
    turns = asyncio.Semaphore(_AT_ONCE)
    around = {document.version_id: _around(stores, generation, document) for document in page}
    probes = [(document, make_probes(document.title, document.texts, around[document.version_id])) for document in page]

    async def ask(document: Provable, probe: Probe) -> dict[str, Any]:
        async with turns:
            return await _asked(indexes, document, probe)

    async def ask_all() -> list[Proof]:
        asked = await asyncio.gather(*(ask(document, probe) for document, some in probes for probe in some))
        answers = iter(asked)
        proofs = [(document, [next(answers) for _ in some]) for document, some in probes]
        return [
            _proof(document, some, around[document.version_id], is_refused=document.version_id in refused)
            for document, some in proofs
            if not any(map(_is_doubtful, some))
        ]

    return asyncio.run(ask_all())


def _around(stores: Stores, generation: Generation, document: Provable) -> Around:
    """The other documents. While the full-text index is away the document's own words alone choose its questions: then the
    search is the weaker one, too, and the proof says so."""
    with suppress(StoreUnavailable):
        known = stores.lexical.holders(generation.index_name, weighed(document.title, document.texts))
        return Around(known.entries, known.of, document.chunk_count)
    return Around()


async def _asked(indexes: Indexes, document: Provable, probe: Probe) -> dict[str, Any]:
    """The question, the rank of the document's first passage, or the documents that were found instead."""
    reader = Principal("ingestion", groups=document.groups)
    entry: dict[str, Any] = {"question": probe.question, "language": probe.language, "rank": None}
    try:
        found = await retrieve(probe.question, indexes, principal=reader, filters=Filters(), limit=TOP)
    except DocumentError as error:  # a question that the embedder cannot take
        return {**entry, "notices": [error.code]}
    ranks = [passage.rank for passage in found.passages if passage.document_id == document.document_id]
    if found.notices:
        entry["notices"] = [notice.code for notice in found.notices]
    if ranks:
        return {**entry, "rank": ranks[0]}
    in_front = next((passage for passage in found.passages if _gives_way(document, passage)), None)
    if in_front is not None:  # it was found, and stepped back as it should
        return {**entry, "rank": in_front.rank, "gives_way": True}
    return {**entry, "instead": list(dict.fromkeys(passage.document_id for passage in found.passages))}


def _gives_way(document: Provable, passage: Passage) -> bool:
    """Whether the passage is of a newer version, or of a file that this one is a copy of."""
    if is_older(document, passage):
        return True
    is_copy = told_by(document).is_copy_of(told_by(passage))
    return is_copy and any(text in passage.text for _, text in document.texts)


def _is_doubtful(probe: dict[str, Any]) -> bool:
    """Whether it was not found while a part of the search was away: that proves nothing, and is asked again later."""
    return probe["rank"] is None and any(code.startswith("degraded_search") for code in probe.get("notices", ()))


def _proof(document: Provable, probes: list[dict[str, Any]], around: Around, *, is_refused: bool) -> Proof:
    warnings = [REFUSED] if is_refused else []
    if not document.groups:
        warnings.append("nobody_may_read")
    elif not probes or any(probe["rank"] is None for probe in probes):
        warnings.append(NOT_FOUND)
    is_fine = not warnings and not document.warnings
    return Proof(
        document_id=document.document_id,
        version_id=document.version_id,
        status=DocumentStatus.INDEXED if is_fine else DocumentStatus.WARN,
        content={"probes": probes, "warnings": warnings, "among": around.chunks},
    )
