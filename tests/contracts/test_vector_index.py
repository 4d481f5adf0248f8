"""What every vector index promises (ports.VectorIndex), and what the real Chroma server adds to it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.errors import EmbedderMismatch, StoreUnavailable
from assistant.ports import VectorIndex, Vectors
from tests.contracts.conftest import ChromaServer, free_port
from tests.stubs.ollama.process import StubOllama

DIMENSION = 8


def unit_vectors(count: int, *, dimension: int = DIMENSION, seed: int = 7) -> Vectors:
    """Random vectors of length 1, always the same."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


@pytest.fixture
def name() -> str:
    """An index of this test alone."""
    return f"g-{uuid.uuid4().hex}"


def found(index: VectorIndex, name: str, vector: Vectors, *, limit: int = 3) -> list[str]:
    """Ids found, best first."""
    (hits,) = asyncio.run(index.search(name, vector, limit=limit))
    return [chunk_id for chunk_id, _ in hits]


def test_each_of_several_vectors_gets_its_own_ranking(vector_index: VectorIndex, name: str) -> None:
    vectors = unit_vectors(20)
    vector_index.upsert(name, [f"c{number}" for number in range(20)], vectors)
    both = asyncio.run(vector_index.search(name, vectors[[4, 7]], limit=3))
    assert both == [asyncio.run(vector_index.search(name, vectors[[one]], limit=3))[0] for one in (4, 7)]
    assert [hits[0][0] for hits in both] == ["c4", "c7"]
    assert asyncio.run(vector_index.search(f"{name}-none", vectors[[4, 7]], limit=3)) == [[], []]


def test_the_nearest_come_first_with_their_cosine(vector_index: VectorIndex, name: str) -> None:
    vectors = unit_vectors(50)
    vector_index.upsert(name, [f"c{number}" for number in range(50)], vectors)

    (hits,) = asyncio.run(vector_index.search(name, vectors[4:5], limit=10))

    similarities = vectors @ vectors[4]
    expected = [f"c{number}" for number in np.argsort(-similarities)[:10]]
    assert [chunk_id for chunk_id, _ in hits] == expected
    np.testing.assert_allclose([score for _, score in hits], np.sort(similarities)[::-1][:10], atol=1e-4)
    assert hits[0][1] <= 1.0


def test_more_vectors_than_one_batch_are_all_there(vector_index: VectorIndex, name: str) -> None:
    ids = [f"c{number:04}" for number in range(1203)]
    vector_index.upsert(name, ids, unit_vectors(1203))

    assert sorted(vector_index.all_ids(name)) == ids
    assert len(found(vector_index, name, unit_vectors(1), limit=1000)) == 1000


def test_what_was_written_is_read_back_and_counted(vector_index: VectorIndex, name: str) -> None:
    assert vector_index.count(name) == 0
    assert vector_index.read(name, ["c0"]) == {}
    vectors = unit_vectors(600)
    vector_index.upsert(name, [f"c{number}" for number in range(600)], vectors)

    read = vector_index.read(name, ["c7", "unknown", "c599"])

    assert vector_index.count(name) == 600
    assert read.keys() == {"c7", "c599"}
    np.testing.assert_allclose(read["c599"], vectors[599], atol=1e-6)


def test_an_id_that_is_written_again_has_its_last_vector(vector_index: VectorIndex, name: str) -> None:
    first, second, third = (row.reshape(1, -1) for row in unit_vectors(3))
    vector_index.upsert(name, ["a", "b"], np.vstack([first, second]))
    vector_index.upsert(name, ["a"], third)
    vector_index.upsert(name, ["b", "b"], np.vstack([second, first]))

    assert found(vector_index, name, third, limit=1) == ["a"]
    assert found(vector_index, name, first, limit=1) == ["b"]
    assert sorted(vector_index.all_ids(name)) == ["a", "b"]


def test_deleted_ids_are_found_no_more_and_unknown_ones_are_no_error(vector_index: VectorIndex, name: str) -> None:
    vectors = unit_vectors(3)
    vector_index.upsert(name, ["a", "b", "c"], vectors)

    vector_index.delete(name, ["b", "never"])
    vector_index.delete(name, [])
    vector_index.delete("g-never-made", ["b"])

    assert found(vector_index, name, vectors[1:2]) != []
    assert "b" not in found(vector_index, name, vectors[1:2])
    assert sorted(vector_index.all_ids(name)) == ["a", "c"]


def test_an_index_that_was_never_made_is_empty(vector_index: VectorIndex, name: str) -> None:
    vector_index.upsert(name, [], unit_vectors(0))

    assert list(vector_index.all_ids(name)) == []
    assert found(vector_index, name, unit_vectors(1)) == []


def test_a_dropped_index_is_empty_and_can_be_made_again(vector_index: VectorIndex, name: str) -> None:
    vectors = unit_vectors(2)
    vector_index.upsert(name, ["a"], vectors[:1])
    assert found(vector_index, name, vectors[:1]) == ["a"]

    vector_index.drop(name)
    vector_index.drop(name)
    assert found(vector_index, name, vectors[:1]) == []

    vector_index.upsert(name, ["b"], vectors[1:])
    assert found(vector_index, name, vectors[:1]) == ["b"]


def test_indexes_do_not_see_each_other(vector_index: VectorIndex, name: str) -> None:
    vectors = unit_vectors(2)
    vector_index.upsert(name, ["a"], vectors[:1])
    vector_index.upsert(f"{name}-next", ["b"], vectors[1:])

    assert list(vector_index.all_ids(name)) == ["a"]
    assert found(vector_index, f"{name}-next", vectors[:1]) == ["b"]


def test_vectors_of_another_embedder_are_refused(vector_index: VectorIndex, name: str) -> None:
    vector_index.upsert(name, ["a"], unit_vectors(1))

    with pytest.raises(EmbedderMismatch) as caught:
        vector_index.upsert(name, ["b"], unit_vectors(1, dimension=5))
    with pytest.raises(EmbedderMismatch):
        found(vector_index, name, unit_vectors(1, dimension=5))

    assert "ingest rebuild" in caught.value.hint.ja


def test_asking_for_nothing_finds_nothing(vector_index: VectorIndex, name: str) -> None:
    vector_index.upsert(name, ["a"], unit_vectors(1))

    assert found(vector_index, name, unit_vectors(1), limit=0) == []


def test_a_working_index_passes_its_check(vector_index: VectorIndex) -> None:
    vector_index.check()


# -- Chroma -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ChromaServer]:
    """A server that the test may stop."""
    server = ChromaServer(tmp_path / "chroma", free_port())
    server.start()
    yield server
    server.stop()


def test_a_stopped_server_is_named_with_the_command_that_starts_it_and_comes_back_whole(
    own_server: ChromaServer, name: str
) -> None:
    index = ChromaVectorIndex(url=own_server.url)
    vectors = unit_vectors(2)
    index.upsert(name, ["a", "b"], vectors)
    own_server.stop()

    attempts = [
        index.check,
        lambda: index.upsert(name, ["c"], vectors[:1]),
        lambda: index.delete(name, ["a"]),
        lambda: list(index.all_ids(name)),
        lambda: index.drop(name),
        lambda: found(index, name, vectors[:1]),
        lambda: ChromaVectorIndex(url=own_server.url).upsert(name, ["c"], vectors[:1]),
    ]
    for attempt in attempts:
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        assert "assistant up --only chroma" in caught.value.hint.ja
        assert not caught.value.permanent

    own_server.start()
    assert sorted(index.all_ids(name)) == ["a", "b"]
    assert found(index, name, vectors[:1], limit=1) == ["a"]


def test_a_server_that_hangs_is_given_up_in_time(own_server: ChromaServer, name: str) -> None:
    index = ChromaVectorIndex(url=own_server.url, timeout_seconds=1.0, search_timeout_seconds=1.0)
    index.upsert(name, ["a"], unit_vectors(1))
    assert own_server.process is not None
    own_server.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    try:
        with pytest.raises(StoreUnavailable):
            found(index, name, unit_vectors(1))
        with pytest.raises(StoreUnavailable):
            index.upsert(name, ["b"], unit_vectors(1))
    finally:
        own_server.process.send_signal(signal.SIGCONT)

    assert time.monotonic() - started < 10.0


def test_a_web_server_that_is_not_chroma_is_refused(stub_ollama: StubOllama) -> None:
    index = ChromaVectorIndex(url=stub_ollama.url)

    for attempt in (index.check, lambda: found(index, "g-1", unit_vectors(1)), lambda: index.drop("g-1")):
        with pytest.raises(StoreUnavailable):
            attempt()


def test_proxies_of_the_environment_are_left_aside(chroma_server: ChromaServer, name: str) -> None:
    program = (
        "import asyncio, sys, numpy as np\n"
        "from assistant.adapters.chroma import ChromaVectorIndex\n"
        "index = ChromaVectorIndex(url=sys.argv[1]); one = np.eye(1, 8, dtype=np.float32)\n"
        "index.upsert(sys.argv[2], ['a'], one)\n"
        "print(asyncio.run(index.search(sys.argv[2], one, limit=1))[0][0][0])\n"
    )
    proxies = {key: f"http://127.0.0.1:{free_port()}" for key in ("HTTP_PROXY", "http_proxy", "ALL_PROXY")}

    finished = subprocess.run(
        [sys.executable, "-c", program, chroma_server.url, name],
        env={**os.environ, **proxies, "NO_PROXY": "", "no_proxy": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.stdout.strip() == "a", finished.stderr


def test_neither_asking_nor_reading_imports_the_vendors_package(chroma_server: ChromaServer, name: str) -> None:
    ChromaVectorIndex(url=chroma_server.url).upsert(name, ["a"], unit_vectors(1))
    program = (
        "import asyncio, sys, numpy as np\n"
        "from assistant.adapters.chroma import ChromaVectorIndex\n"
        "index = ChromaVectorIndex(url=sys.argv[1]); index.check()\n"
        "asyncio.run(index.search('g-none', np.eye(1, 8, dtype=np.float32), limit=1))\n"
        "seen = [*index.all_ids(sys.argv[2]), index.count(sys.argv[2]), *index.read(sys.argv[2], ['a'])]\n"
        "print(seen, 'chromadb' in sys.modules)\n"
    )

    finished = subprocess.run([sys.executable, "-c", program, chroma_server.url, name], capture_output=True, text=True)

    assert finished.stdout.splitlines()[-1] == "['a', 1, 'a'] False", finished.stderr


def test_an_index_made_anew_by_another_process_is_found_again(chroma_server: ChromaServer, name: str) -> None:
    asking, ingesting = ChromaVectorIndex(url=chroma_server.url), ChromaVectorIndex(url=chroma_server.url)
    vectors = unit_vectors(2)
    ingesting.upsert(name, ["a"], vectors[:1])
    assert found(asking, name, vectors[:1]) == ["a"]

    ingesting.drop(name)
    ingesting.upsert(name, ["b"], vectors[1:])

    assert found(asking, name, vectors[:1]) == ["b"]
