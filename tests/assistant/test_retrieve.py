"""Retrieval over the fakes that are held to the same contracts as the real indexes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from assistant.adapters.fake import FakeEmbedder, InMemoryLexicalIndex, InMemoryVectorIndex
from assistant.domain import Answer, Filters, Passage, Principal, SearchResult
from assistant.errors import EmbedderUnavailable, StoreUnavailable, Text
from assistant.generation import Generation
from assistant.history import Exchange, Unfinished
from assistant.ports import Vectors, VersionVectors
from assistant.reach import Reach
from assistant.retrieve import Indexes, dense_weight, retrieve
from tests.assistant.passages import passage

TEXTS = {
    "c1": "有給休暇は取得日の3営業日前までに申請する。",
    "c2": "経費は翌月5日までに精算する。",
    "c3": "The VPN needs a token.",
}
BEN = Principal("ben")
AWAY = Text("止まっています。", "is away.")


class LedgerOfThree:
    """A ledger that lets Ben read what `readable` names."""

    def __init__(self, readable: set[str]) -> None:
        self.readable = readable
        self.generation: Generation | None = Generation("g", FakeEmbedder().embedder_id, 8, "index", is_active=True)

    def active_generation(self) -> Generation | None:
        return self.generation

    def reach_token(self) -> str:
        return ",".join(sorted(self.readable))

    def read_reach(self, *, principal: Principal, filters: Filters) -> Reach:
        return Reach(dict.fromkeys(sorted(self.readable), 1), len(self.readable), len(TEXTS))

    def version_vectors(self, embedder_id: str, version_ids: Sequence[str]) -> list[VersionVectors]:
        embedded = FakeEmbedder().embed_documents([TEXTS[version_id] for version_id in version_ids])
        return [VersionVectors(v, (v,), embedded[[row]]) for row, v in enumerate(version_ids)]

    def chunks_of_texts(self, text_hashes: Sequence[str]) -> dict[str, list[str]]:
        return {text_hash: [text_hash] for text_hash in text_hashes}

    def read_passages(
        self, chunk_scores: Sequence[tuple[str, float]], *, principal: Principal, filters: Filters, limit: int
    ) -> list[Passage]:
        found = [chunk_id for chunk_id, _ in chunk_scores if chunk_id in self.readable]
        return [passage(TEXTS[chunk_id], number=rank) for rank, chunk_id in enumerate(found[:limit], start=1)]

    def is_reading_files(self) -> bool:
        return False

    def owns_conversation(self, conversation_id: str, *, principal: Principal) -> bool:
        return True

    def exchanges(self, conversation_id: str, *, principal: Principal, limit: int) -> list[Exchange]:
        return []

    def save_answer(self, answer: Answer, *, question: str, principal: Principal) -> None:
        return None

    def note_unfinished(self, unfinished: Unfinished, *, principal: Principal) -> None:
        return None


class EnglishEmbedder(FakeEmbedder):
    """An embedder whose vocabulary holds no Japanese."""

    @property
    def reads_japanese(self) -> bool:
        return False


class AwayEmbedder(FakeEmbedder):
    """An embedder that does not answer."""

    async def embed_query(self, text: str) -> Vectors:
        raise EmbedderUnavailable(AWAY, AWAY)


class AwayVectors(InMemoryVectorIndex):
    """A vector index that does not answer."""

    async def search(self, index_name: str, vector: Vectors, *, limit: int) -> list[tuple[str, float]]:
        raise StoreUnavailable(AWAY, AWAY)


class AwayLexical(InMemoryLexicalIndex):
    """A lexical index that does not answer."""

    async def search(
        self, index_name: str, text: str, *, limit: int, reach: Reach | None = None
    ) -> list[tuple[str, float]]:
        raise StoreUnavailable(AWAY, AWAY)


def indexes(
    *,
    embedder: FakeEmbedder | None = None,
    vectors: InMemoryVectorIndex | None = None,
    lexical: InMemoryLexicalIndex | None = None,
    readable: set[str] | None = None,
) -> Indexes:
    embedder = embedder or FakeEmbedder()
    vectors = vectors or InMemoryVectorIndex()
    lexical = lexical or InMemoryLexicalIndex()
    vectors.upsert("index", list(TEXTS), embedder.embed_documents(list(TEXTS.values())))
    lexical.write("index", add=[(chunk_id, "", text) for chunk_id, text in TEXTS.items()], delete=())
    return Indexes(LedgerOfThree(set(TEXTS) if readable is None else readable), embedder, vectors, lexical)


def found(text: str, parts: Indexes, *, limit: int = 3) -> SearchResult:
    return asyncio.run(retrieve(text, parts, principal=BEN, filters=Filters(), limit=limit))


def test_the_passage_that_both_indexes_find_is_first() -> None:
    result = found("有給休暇の申請", indexes())
    assert result.passages[0].text == TEXTS["c1"]
    assert result.notices == ()


def test_what_may_not_be_read_is_not_found() -> None:
    assert [p.text for p in found("有給休暇 VPN", indexes(readable={"c3"})).passages] == [TEXTS["c3"]]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (indexes(embedder=AwayEmbedder()), "degraded_search_embedder_unavailable"),
        (indexes(vectors=AwayVectors()), "degraded_search_store_unavailable"),
        (indexes(lexical=AwayLexical()), "degraded_search_store_unavailable"),
    ],
)
def test_one_leg_that_is_away_is_announced_and_the_other_still_finds(parts: Indexes, code: str) -> None:
    result = found("有給休暇の申請", parts)
    assert result.passages[0].text == TEXTS["c1"]
    assert [notice.code for notice in result.notices] == [code]


def test_with_both_legs_away_it_is_an_error() -> None:
    with pytest.raises(StoreUnavailable):
        found("有給休暇", indexes(vectors=AwayVectors(), lexical=AwayLexical()))


def test_an_embedder_without_japanese_is_left_out_of_japanese_questions_and_says_so() -> None:
    result = found("有給休暇の申請", indexes(embedder=EnglishEmbedder()))
    assert [p.text for p in result.passages] == [TEXTS["c1"]]
    assert [notice.code for notice in result.notices] == ["embedder_unfit"]


def test_an_embedder_without_japanese_still_serves_english_questions() -> None:
    assert found("How does the VPN work?", indexes(embedder=EnglishEmbedder())).notices == ()


@pytest.mark.parametrize(
    ("fitness", "codes"),
    [
        ({"ja": 0.4}, ["embedder_unfit"]),
        ({"ja": 0.95}, []),
        ({"en": 0.1}, ["embedder_unfit"]),
        ({}, ["embedder_unfit"]),
    ],
)
def test_what_was_measured_of_the_generation_counts_more_than_the_embedders_family(
    fitness: dict[str, float], codes: list[str]
) -> None:
    parts = indexes(embedder=EnglishEmbedder())
    assert isinstance(parts.ledger, LedgerOfThree)
    assert parts.ledger.generation is not None
    parts.ledger.generation = replace(parts.ledger.generation, fitness=fitness)
    assert [notice.code for notice in found("有給休暇の申請", parts).notices] == codes


def test_an_english_question_is_told_when_the_embedder_proved_unfit_for_english() -> None:
    parts = indexes()
    assert isinstance(parts.ledger, LedgerOfThree)
    assert parts.ledger.generation is not None
    parts.ledger.generation = replace(parts.ledger.generation, fitness={"en": 0.2, "ja": 1.0})
    (notice,) = found("How does the VPN work?", parts).notices
    assert notice.code == "embedder_unfit"
    assert "English" in notice.message_en
    assert found("有給休暇の申請", parts).notices == ()


def test_the_search_by_meaning_weighs_as_much_as_it_proved_to_be_worth() -> None:
    generation = Generation("g", "e", 8, "index", is_active=True, fitness={"ja": 0.8, "en": 1.0})
    assert 0.0 < dense_weight("有給休暇の申請", generation, FakeEmbedder()) < 1.0
    assert dense_weight("How does the VPN work?", generation, FakeEmbedder()) == 1.0
    unknown = replace(generation, fitness={})
    assert dense_weight("有給休暇の申請", unknown, FakeEmbedder()) == 1.0
    assert dense_weight("有給休暇の申請", unknown, EnglishEmbedder()) == 0.0


def test_an_index_of_another_embedder_is_not_asked_and_the_command_is_named() -> None:
    parts = indexes()
    assert isinstance(parts.ledger, LedgerOfThree)
    parts.ledger.generation = Generation("g", "another", 8, "index", is_active=True)
    (notice,) = found("有給休暇の申請", parts).notices
    assert notice.code == "degraded_search_embedder_mismatch"
    assert "ingest rebuild" in notice.message_ja


def test_before_the_first_ingestion_the_answer_says_so() -> None:
    parts = indexes()
    assert isinstance(parts.ledger, LedgerOfThree)
    parts.ledger.generation = None
    result = found("有給休暇", parts)
    assert result.passages == ()
    assert [notice.code for notice in result.notices] == ["nothing_ingested"]
