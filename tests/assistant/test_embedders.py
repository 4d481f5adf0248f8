"""Questions are embedded by the embedder of the generation that answers, whatever is configured for the next one."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from assistant.adapters.fake import FakeEmbedder, InMemoryLexicalIndex, InMemoryVectorIndex
from assistant.domain import Filters
from assistant.embedders import Embedders
from assistant.generation import EmbedderSpec, Generation
from assistant.retrieve import Indexes, retrieve
from tests.assistant.test_retrieve import BEN, TEXTS, LedgerOfThree

OLD, NEW = EmbedderSpec("ollama", "old"), EmbedderSpec("ollama", "new")
DIMENSIONS = {OLD: 64, NEW: 128}


def generation(spec: EmbedderSpec | None) -> Generation:
    embedder_id = FakeEmbedder(dimension=DIMENSIONS[spec or NEW]).embedder_id
    name = spec.model if spec else "new"
    return Generation("g_" + name, embedder_id, 0, name, is_active=True, embedder=spec)


class Makes:
    """Makes embedders, and remembers which and where."""

    def __init__(self) -> None:
        self.made: list[EmbedderSpec] = []
        self.threads: set[int] = set()

    def __call__(self, spec: EmbedderSpec) -> FakeEmbedder:
        self.made.append(spec)
        self.threads.add(threading.get_ident())
        return FakeEmbedder(dimension=DIMENSIONS[spec])


@pytest.fixture
def makes() -> Makes:
    return Makes()


@pytest.fixture
def embedders(makes: Makes) -> Embedders:
    return Embedders(FakeEmbedder(dimension=DIMENSIONS[NEW]), NEW, makes)


def test_the_embedder_of_an_older_generation_is_opened_once(embedders: Embedders, makes: Makes) -> None:
    old = embedders.of(generation(OLD))
    assert old.dimension == DIMENSIONS[OLD]
    assert embedders.of(generation(OLD)) is old
    assert embedders.of(generation(NEW)) is embedders.configured
    assert embedders.of(generation(None)) is embedders.configured
    assert makes.made == [OLD]


def test_it_is_known_without_asking_a_server_that_a_rebuild_is_due(embedders: Embedders) -> None:
    assert not embedders.is_configured(generation(OLD))
    assert embedders.is_configured(generation(NEW))
    assert embedders.is_configured(generation(None))


def test_something_can_be_put_around_every_embedder(embedders: Embedders, makes: Makes) -> None:
    wrapped = embedders.wrapped(lambda inner: FakeEmbedder(dimension=inner.dimension + 1))
    assert wrapped.configured.dimension == DIMENSIONS[NEW] + 1
    assert wrapped.of(generation(OLD)).dimension == DIMENSIONS[OLD] + 1


def test_a_switch_is_followed_by_the_next_question_and_no_embedder_is_made_on_the_event_loop(
    embedders: Embedders, makes: Makes
) -> None:
    ledger = LedgerOfThree(set(TEXTS))
    vectors, lexical = InMemoryVectorIndex(), InMemoryLexicalIndex()
    for spec, dimension in DIMENSIONS.items():
        vectors.upsert(spec.model, list(TEXTS), FakeEmbedder(dimension=dimension).embed_documents(list(TEXTS.values())))
    lexical.write("old", add=[("c1", "", TEXTS["c1"])], delete=())
    indexes = Indexes(ledger, embedders.configured, vectors, lexical, embedders)

    async def ask_both() -> list[tuple[list[str], list[str]]]:
        answers = []
        for spec in (OLD, NEW, OLD):
            ledger.generation = generation(spec)
            result = await retrieve("有給休暇の申請", indexes, principal=BEN, filters=Filters(), limit=3)
            answers.append(([p.text for p in result.passages][:1], [notice.code for notice in result.notices]))
        assert threading.get_ident() not in makes.threads
        return answers

    assert asyncio.run(ask_both()) == [([TEXTS["c1"]], [])] * 3
    assert makes.made == [OLD]


def test_an_embedder_that_is_not_what_it_was_is_announced(embedders: Embedders) -> None:
    ledger = LedgerOfThree(set(TEXTS))
    ledger.generation = replace(generation(OLD), embedder_id="ollama:old@another-digest")
    lexical = InMemoryLexicalIndex()
    lexical.write("old", add=[("c1", "", TEXTS["c1"])], delete=())
    indexes = Indexes(ledger, embedders.configured, InMemoryVectorIndex(), lexical, embedders)
    result = asyncio.run(retrieve("有給休暇の申請", indexes, principal=BEN, filters=Filters(), limit=3))
    assert [passage.text for passage in result.passages] == [TEXTS["c1"]]
    assert [notice.code for notice in result.notices] == ["degraded_search_embedder_mismatch"]
