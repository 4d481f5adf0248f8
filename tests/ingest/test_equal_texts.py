"""A thousand equal passages beside a few others, on a real Chroma server: they hide nothing, wherever they lie and whoever asks.

With a vector for each of them Chroma found 10 to 95 % of the five nearest (docs/lab-notes.md, 2026-11-27).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.adapters.embedded import EmbeddedEmbedder
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.indexes import LiveChunk
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of, version_id_of
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.candidates import Held, by_meaning
from assistant.domain import EVERYONE, Chunk, DocumentStatus, Filters, ParsedDocument, Principal, SourceFile
from assistant.generation import Generation
from assistant.ports import Vectors
from assistant.reach import version_of
from ingest.guard import ParserProcess
from ingest.index_sync import Stores, compare, ensure_generation, forget_retired, mend, write_chunks
from tests.contracts.conftest import ChromaServer
from tests.ingest.running import BEN, Desk

SENTENCE = "機械の点検を行った結果、異常は認められませんでした。担当者は記録を残してください。\n"
EQUAL_PASSAGES = 2_000
FORM = "この申請書は所属長の確認を受けてから総務へ提出してください。"
PLACES = ("harbour", "museum", "library", "station", "garden", "tower", "market", "school")
THINGS = ("lantern", "ladder", "compass", "violin", "carpet", "kettle", "anchor", "telescope")
SUBJECTS = list(itertools.product(PLACES, THINGS))[::2]
BOARD = Principal("chie", groups=frozenset({"board"}))


@pytest.fixture
def stores(tmp_path: Path, chroma: ChromaServer) -> Iterator[Stores]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    vectors = ChromaVectorIndex(url=chroma.url)
    yield Stores(ledger, EmbeddedEmbedder(), vectors, TantivyLexicalIndex(tmp_path / "lexical"), wait_seconds=5.0)
    ledger.close()


@pytest.fixture
def at(tmp_path: Path, stores: Stores) -> Iterator[Desk]:
    (tmp_path / "documents").mkdir()
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 22) as parser:
        yield Desk(tmp_path / "documents", stores, parser)


def told(place: str, thing: str) -> str:
    return f"The {thing} of the {place} is kept by the warden, who lends the {thing} to guests of the {place}."


def write_subjects(at: Desk) -> None:
    for place, thing in SUBJECTS:
        at.write(f"{place}-{thing}.md", f"# {place} {thing}\n\n{told(place, thing)}\n")


def write_log(at: Desk) -> None:
    at.write("点検記録.txt", SENTENCE * (14 * EQUAL_PASSAGES))


def generation_of(stores: Stores) -> Generation:
    generation = stores.ledger.active_generation()
    assert generation is not None
    return generation


def fitness_for_english(stores: Stores) -> dict[str, int]:
    measured = stores.ledger.fitness(generation_of(stores).generation_id)
    assert measured is not None
    return dict(measured["en"])


def nearest(stores: Stores, question: str, asker: Principal = BEN) -> list[tuple[str, float]]:
    """What vectors alone find, through Chroma."""
    return _nearest(stores, asyncio.run(stores.embedder.embed_query(question)), asker, Held())


def _nearest(stores: Stores, vector: Vectors, asker: Principal, held: Held) -> list[tuple[str, float]]:
    generation, reach = generation_of(stores), held.reach_of(stores.ledger, principal=asker, filters=Filters())
    (hits,) = asyncio.run(
        by_meaning(vector, held, ledger=stores.ledger, index=stores.vectors, generation=generation, reach=reach)
    )
    return hits


def not_found(stores: Stores, *askers: Principal) -> list[str]:
    """Questions whose exact nearest passage is not among the first five that vectors find through Chroma."""
    lost, held, embedder_id = [], Held(), generation_of(stores).embedder_id
    for question in (f"Who lends the {thing} of the {place}?" for place, thing in SUBJECTS):
        vector = asyncio.run(stores.embedder.embed_query(question))
        for asker in askers or (BEN,):
            reach = held.reach_of(stores.ledger, principal=asker, filters=Filters())
            (((best, _), *_),) = held.nearest(stores.ledger, embedder_id, reach, vector, limits=[1])
            if best not in dict(_nearest(stores, vector, asker, held)[:5]):
                lost.append(question)
    return lost


def is_equal_to_the_ledger(stores: Stores) -> bool:
    return all(difference.is_none for difference in compare(stores, generation_of(stores)).values())


@pytest.mark.slow
def test_a_file_of_a_thousand_equal_passages_hides_no_other_and_leaves_nothing_behind(at: Desk) -> None:
    write_subjects(at)
    at.run()
    alone, texts = fitness_for_english(at.stores), at.stores.vectors.count(generation_of(at.stores).index_name)
    write_log(at)
    at.run()
    assert len(at.stores.ledger.live_chunk_ids()) > texts + EQUAL_PASSAGES
    assert (not_found(at.stores), fitness_for_english(at.stores)) == ([], alone)
    assert version_of(nearest(at.stores, SENTENCE)[0][0]) == at.documents()["点検記録.txt"].version_id
    assert is_equal_to_the_ledger(at.stores)
    (at.root / "点検記録.txt").unlink()
    at.run(allows_deletions=True)
    assert (not_found(at.stores), fitness_for_english(at.stores)) == ([], alone)
    assert at.stores.vectors.count(generation_of(at.stores).index_name) == texts
    assert is_equal_to_the_ledger(at.stores)


def store(stores: Stores, documents: Sequence[tuple[str, Sequence[str], str]]) -> list[str]:
    """Documents of (name, passages, group), live and in both indexes; their ids."""
    ledger, generation = stores.ledger, ensure_generation(stores)
    folder, chunks, versions = ledger.register_folder(Path("/library")), list[LiveChunk](), []
    for name, texts, group in documents:
        document_id, _ = ledger.begin_attempt(None, SourceFile(folder, name, 1, 1), sha256="1", groups=[group])
        version_id = version_id_of(document_id, "1", "p")
        ledger.stage_version(
            document_id, version_id=version_id, sha256="1", pipeline_id="p", language="en", receipt={},
            parsed=ParsedDocument(name, "", (), "x", "x"),
            chunks=[Chunk(ordinal, text, 0, 1, None, (), text) for ordinal, text in enumerate(texts)],
        )  # fmt: skip
        chunks += [
            LiveChunk(chunk_id_of(version_id, n), name, text, text_hash_of(text)) for n, text in enumerate(texts)
        ]
        versions.append((document_id, version_id, DocumentStatus.INDEXED))
    write_chunks(stores, generation, chunks)
    ledger.activate_versions(versions)
    return [document_id for document_id, *_ in versions]


def versions_found(stores: Stores, asker: Principal) -> set[str]:
    return {version_of(chunk_id) for chunk_id, score in nearest(stores, FORM, asker) if score > 0.9}


@pytest.mark.slow
def test_a_form_in_a_thousand_documents_hides_no_other_and_is_found_in_those_that_one_may_read(stores: Stores) -> None:
    forms = store(stores, [(f"form-{n}", [FORM], "board" if n % 2 else EVERYONE) for n in range(EQUAL_PASSAGES)])
    for group in ("board", EVERYONE):
        store(stores, [(f"{group}-{place}-{thing}", [told(place, thing)], group) for place, thing in SUBJECTS])
    version_of_form = {n: version_id_of(document_id, "1", "p") for n, document_id in enumerate(forms)}
    assert not_found(stores, BEN, BOARD) == []
    for asker, rest in ((BEN, 0), (BOARD, 1)):
        readable = {version for n, version in version_of_form.items() if n % 2 == rest}
        assert len(versions_found(stores, asker)) > 300
        assert versions_found(stores, asker) <= readable
    assert is_equal_to_the_ledger(stores)
    stores.ledger.delete_documents(forms[:-2])
    forget_retired(stores)
    assert versions_found(stores, BEN) == {version_of_form[EQUAL_PASSAGES - 2]}
    assert versions_found(stores, BOARD) == {version_of_form[EQUAL_PASSAGES - 1]}
    assert is_equal_to_the_ledger(stores)


def test_a_text_is_forgotten_with_the_last_document_that_has_it(stores: Stores) -> None:
    first, second = store(stores, [(name, [FORM, f"{name} alone"], EVERYONE) for name in ("first", "second")])
    index_name = generation_of(stores).index_name
    assert stores.vectors.count(index_name) == 3
    for document_id, left in ((first, {FORM, "second alone"}), (second, set[str]())):
        stores.ledger.delete_documents([document_id])
        forget_retired(stores)
        assert set(stores.vectors.all_ids(index_name)) == {text_hash_of(text) for text in left}


def write_as_before(url: str, stores: Stores) -> None:
    """The index as versions before wrote it: a vector for each chunk."""
    chromadb = pytest.importorskip("chromadb")
    generation, chunks = generation_of(stores), list(stores.ledger.live_chunks())
    known = stores.ledger.read_vectors(generation.embedder_id, [chunk.text_hash for chunk in chunks])
    stores.vectors.drop(generation.index_name)
    client = chromadb.HttpClient(host="127.0.0.1", port=int(url.rsplit(":", 1)[-1]))
    former = client.create_collection(
        generation.index_name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    former.upsert(
        ids=[chunk.chunk_id for chunk in chunks], embeddings=np.stack([known[chunk.text_hash] for chunk in chunks])
    )


def test_an_index_of_the_former_version_answers_until_a_run_has_written_the_new_one(
    at: Desk, chroma: ChromaServer
) -> None:
    write_subjects(at)
    at.run()
    write_as_before(chroma.url, at.stores)
    of_before = {"chunks": len(SUBJECTS), "top": 5, "en": {"found": 0, "probes": 64}, "ja": {"found": 0, "probes": 0}}
    at.stores.ledger.save_fitness(generation_of(at.stores).generation_id, of_before)
    index_name, texts = generation_of(at.stores).index_name, at.stores.ledger.live_texts()
    one = min(texts)
    killed = at.stores.ledger.read_vectors(generation_of(at.stores).embedder_id, [one])
    at.stores.vectors.upsert(index_name, [one], killed[one].reshape(1, -1))  # by a run that came no further
    assert not_found(at.stores) == []
    assert at.run().counts["mended"] == len(texts) - 1 + len(at.stores.ledger.live_chunk_ids())
    assert set(at.stores.vectors.all_ids(index_name)) == texts
    assert not_found(at.stores) == []
    assert fitness_for_english(at.stores)["found"] > 60
    assert mend(at.stores, generation_of(at.stores)) == 0
