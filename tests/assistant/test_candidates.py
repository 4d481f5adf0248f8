"""Candidates from a real ledger: what is in reach is compared exactly, and what is not in reach is never there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from assistant import candidates
from assistant.adapters.fake import InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of, version_id_of
from assistant.candidates import DEPTH, Held, Hits, by_meaning, in_reach
from assistant.domain import Chunk, DocumentStatus, Filters, ParsedDocument, Principal, SourceFile
from assistant.errors import EmbedderMismatch
from assistant.generation import Generation
from assistant.ports import Vectors
from assistant.reach import Reach

DOCUMENTS = 100
CHUNKS_EACH = 5
DIMENSION = 16
GENERATION = Generation("g", "e", DIMENSION, "index", is_active=True)
FEW = Principal("few", groups=frozenset({"few"}))
ALL = Principal("all", groups=frozenset({"all"}))


class CountingIndex(InMemoryVectorIndex):
    """Notes how many hits it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def search(self, index_name: str, vectors: Vectors, *, limit: int) -> list[Hits]:
        self.asked.append(limit)
        return await super().search(index_name, vectors, limit=limit)


@dataclass
class Library:
    """Documents in a ledger; four of a hundred may be read by `few`."""

    ledger: Ledger
    index: CountingIndex
    document_ids: list[str]
    vectors: dict[str, Vectors]

    def nearest(self, principal: Principal, vector: Vectors, held: Held, filters: Filters = Filters()) -> Hits:
        reach = held.reach_of(self.ledger, principal=principal, filters=filters)
        (hits,) = asyncio.run(
            by_meaning(vector, held, ledger=self.ledger, index=self.index, generation=GENERATION, reach=reach)
        )
        return hits

    def brute_force(self, numbers: Sequence[int], vector: Vectors) -> list[str]:
        ids = [chunk_id for number in numbers for chunk_id in chunk_ids(self.document_ids[number])]
        return sorted(ids, key=lambda chunk_id: -float(self.vectors[chunk_id] @ vector[0]))[:DEPTH]


def chunk_ids(document_id: str, sha256: str = "1") -> list[str]:
    return [chunk_id_of(version_id_of(document_id, sha256, "p"), ordinal) for ordinal in range(CHUNKS_EACH)]


def units(chance: np.random.Generator, rows: int) -> Vectors:
    drawn = chance.normal(size=(rows, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def make_library(place: Path, groups_of: Callable[[int], list[str]], *, documents: int) -> Library:
    """Stores, embeds, indexes and activates documents."""
    ledger, chance = Ledger.open(f"sqlite:///{place / 'ledger.db'}"), np.random.default_rng(3)
    made = Library(ledger, CountingIndex(), [], {})
    folder = ledger.register_folder(Path("/library"))
    stored: dict[str, Vectors] = {}
    for number in range(documents):
        name = f"half-{number % 2}/{number}.md"
        source = SourceFile(folder, name, 1, 1)
        document_id, _ = ledger.begin_attempt(None, source, sha256="1", groups=groups_of(number))
        texts = [f"{number} {ordinal}" for ordinal in range(CHUNKS_EACH)]
        ledger.stage_version(
            document_id, version_id=version_id_of(document_id, "1", "p"), sha256="1", pipeline_id="p", language="en",
            parsed=ParsedDocument(name, "", (), "x", "x"), receipt={},
            chunks=[Chunk(ordinal, text, 0, 1, None, (), text) for ordinal, text in enumerate(texts)],
        )  # fmt: skip
        vectors = units(chance, CHUNKS_EACH).astype(np.float16).astype(np.float32)
        stored |= {text_hash_of(text): vectors[row] for row, text in enumerate(texts)}
        made.document_ids.append(document_id)
        made.vectors.update(zip(chunk_ids(document_id), vectors, strict=True))
        made.index.upsert("index", [text_hash_of(text) for text in texts], vectors)
    ledger.save_vectors("e", stored)
    ledger.activate_versions(
        [(each, version_id_of(each, "1", "p"), DocumentStatus.INDEXED) for each in made.document_ids]
    )
    return made


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    place = tmp_path_factory.mktemp("library")
    made = make_library(place, lambda number: ["all", "few"] if number % 33 == 0 else ["all"], documents=DOCUMENTS)
    yield made
    made.ledger.close()


@pytest.fixture
def question() -> Vectors:
    return units(np.random.default_rng(7), 1)


def ids(hits: Hits) -> list[str]:
    return [chunk_id for chunk_id, _ in hits]


FEW_NUMBERS = range(0, DOCUMENTS, 33)


def test_a_reader_of_one_document_in_twenty_five_gets_exactly_the_nearest_of_them(
    library: Library, question: Vectors
) -> None:
    library.index.asked.clear()
    hits = library.nearest(FEW, question, Held())
    assert ids(hits) == library.brute_force(FEW_NUMBERS, question)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    assert library.index.asked == []


def test_a_reader_of_everything_is_served_by_the_index(library: Library, question: Vectors) -> None:
    library.index.asked.clear()
    hits = library.nearest(ALL, question, Held())
    assert ids(hits) == library.brute_force(range(DOCUMENTS), question)
    assert library.index.asked == [candidates.LEAST_HITS]


def test_a_folder_narrows_like_a_right(library: Library, question: Vectors) -> None:
    hits = library.nearest(ALL, question, Held(), Filters(folders=("half-1",)))
    assert ids(hits) == library.brute_force(range(1, DOCUMENTS, 2), question)


def test_where_too_few_hits_of_the_index_are_in_reach_every_vector_in_reach_is_compared(
    library: Library, question: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "LEAST_HITS", 30)
    monkeypatch.setattr(candidates, "MOST_HITS", 30)
    library.index.asked.clear()
    hits = library.nearest(ALL, question, Held(), Filters(folders=("half-1",)))
    assert library.index.asked == [30]
    assert ids(hits) == library.brute_force(range(1, DOCUMENTS, 2), question)


class Texts:
    """A ledger of texts, each with the chunks that have it, which counts how many it is asked for."""

    def __init__(self, chunks: dict[str, list[str]]) -> None:
        self.chunks = chunks
        self.asked = 0

    def chunks_of_texts(self, text_hashes: Sequence[str]) -> dict[str, list[str]]:
        self.asked += len(text_hashes)
        return {name: self.chunks[name] for name in text_hashes if name in self.chunks}


READER = Reach({"a": 1, "b": 1}, 2, 3)


def test_a_text_is_found_in_every_version_that_one_may_read_and_in_no_other() -> None:
    ledger = Texts({"form": ["a:1", "b:7", "closed:0"], "own": ["b:2"], "secret": ["closed:3"]})
    hits = [("form", 0.9), ("secret", 0.8), ("retired", 0.7), ("own", 0.6), ("a:4", 0.5), ("closed:5", 0.4)]
    found = in_reach(ledger.chunks_of_texts, hits, READER, limit=10)
    assert found == [("a:1", 0.9), ("b:7", 0.9), ("b:2", 0.6), ("a:4", 0.5)]


def test_no_more_texts_are_looked_up_than_needed_and_equals_stay_together() -> None:
    ledger = Texts({f"t{number}": [f"a:{number}"] for number in range(400)})
    falling = [(f"t{number}", 1.0 - number / 1000) for number in range(400)]
    for reader, asked in ((Reach({"a": 1}, 3, 3), 125), (READER, 188)):  # of everything, of two thirds
        ledger.asked = 0
        assert len(in_reach(ledger.chunks_of_texts, falling, reader, limit=100)) == 100
        assert ledger.asked == asked
    level = [(name, 0.9 if number in range(90, 300) else score) for number, (name, score) in enumerate(falling)]
    level.sort(key=lambda hit: -hit[1])
    found = in_reach(ledger.chunks_of_texts, level, READER, limit=100)
    assert sum(score == 0.9 for _, score in found) == 210


def test_the_chunks_of_a_text_are_looked_up_once_until_something_changes(tmp_path: Path, question: Vectors) -> None:
    made, held = make_library(tmp_path, lambda number: ["all"], documents=20), Held()
    read: list[int] = []
    real = made.ledger.chunks_of_texts

    def counted(text_hashes: Sequence[str]) -> dict[str, list[str]]:
        read.append(len(text_hashes))
        return real(text_hashes)

    made.ledger.chunks_of_texts = counted  # type: ignore[method-assign]
    first = made.nearest(ALL, question, held)
    assert (made.nearest(ALL, question, held), read) == (first, [100])
    made.ledger.delete_documents(made.document_ids[:10])
    assert len(made.nearest(ALL, question, held)) == 50
    assert len(read) > 1
    made.ledger.close()


def test_one_who_may_read_nothing_finds_nothing(library: Library, question: Vectors) -> None:
    held = Held()
    assert library.nearest(Principal("dan", groups=frozenset({"nobody's"})), question, held) == []
    assert library.nearest(Principal("dan", groups=frozenset()), question, held) == []
    assert library.nearest(ALL, question, held, Filters(document_ids=("d_unknown",))) == []


def test_a_vector_of_another_length_is_a_mismatch_and_no_crash(library: Library) -> None:
    with pytest.raises(EmbedderMismatch):
        library.nearest(FEW, np.ones((1, DIMENSION + 1), dtype=np.float32), Held())


def test_vectors_are_read_once_and_the_memory_for_them_is_bounded(
    library: Library, question: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = Ledger.version_vectors

    def counted(ledger: Ledger, embedder_id: str, version_ids: Sequence[str]) -> object:
        read.append(len(version_ids))
        return real(ledger, embedder_id, version_ids)

    monkeypatch.setattr(Ledger, "version_vectors", counted)
    roomy, tight = Held(), Held(most_bytes=2 * CHUNKS_EACH * DIMENSION * 4)
    for held in (roomy, roomy, tight, tight):
        assert ids(library.nearest(FEW, question, held)) == library.brute_force(FEW_NUMBERS, question)
    assert read == [4, 4, 2]  # the tight one still holds two when it is asked again
    assert len(roomy._vectors) == 4
    assert len(tight._vectors) == 2


def test_a_right_given_taken_or_a_document_gone_counts_at_the_next_question(tmp_path: Path, question: Vectors) -> None:
    made = make_library(tmp_path, lambda number: ["few"] if number < 2 else ["others"], documents=20)
    ledger, held = made.ledger, Held()

    def documents() -> set[int]:
        found = {chunk_id.split(":")[0] for chunk_id in ids(made.nearest(FEW, question, held))}
        return {n for n, d in enumerate(made.document_ids) if version_id_of(d, "1", "p") in found}

    assert documents() == {0, 1}
    ledger.set_document_groups(made.document_ids[7], ["few"])
    assert documents() == {0, 1, 7}
    ledger.set_document_groups(made.document_ids[0], ["others"])
    assert documents() == {1, 7}
    ledger.delete_documents([made.document_ids[1]])
    assert documents() == {7}
    ledger.close()


def test_two_questions_asked_at_once_find_what_each_finds_alone(library: Library) -> None:
    rows = units(np.random.default_rng(11), 2)
    for principal in (FEW, ALL):
        reach = Held().reach_of(library.ledger, principal=principal, filters=Filters())
        both = asyncio.run(
            by_meaning(
                rows, Held(), ledger=library.ledger, index=library.index, generation=GENERATION, reach=reach,
                depths=(DEPTH, 5),
            )
        )  # fmt: skip
        alone = [ids(library.nearest(principal, row[np.newaxis], Held())) for row in rows]
        assert ids(both[0]) == alone[0]
        assert ids(both[1]) == alone[1][: len(both[1])]
        assert 5 <= len(both[1]) < DEPTH
