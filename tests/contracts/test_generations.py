"""Generations side by side, on SQLite and on a real PostgreSQL: what a switch and a rollback change, and what they never
bring back."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.ingesting import chunk_id_of, version_id_of
from assistant.domain import Chunk, DocumentStatus, Filters, ParsedDocument, SourceFile
from assistant.errors import FailureReason, GenerationError
from assistant.generation import EmbedderSpec, Generation, GenerationState
from tests.contracts.test_ledger import BEN, prove, store, texts

OLD, NEW = "p", "p2"


def generation(ledger: Ledger, embedder_id: str = "e5", *, is_active: bool = False) -> Generation:
    """A generation that is being built, or the one that answers come from."""
    made = ledger.create_generation(embedder_id=embedder_id, dimension=3)
    if is_active:
        ledger.switch_generation(made.generation_id)
    return made


def stand_by(ledger: Ledger, document_id: str, *parts: str, sha256: str = "1") -> list[str]:
    """The content cut anew for the generation beside the active one; ids of its chunks."""
    version_id = version_id_of(document_id, sha256, NEW)
    ledger.stage_version(
        document_id,
        version_id=version_id,
        sha256=sha256,
        pipeline_id=NEW,
        language="ja",
        parsed=ParsedDocument("新しい題", "".join(parts), (), "markdown", "text/markdown"),
        chunks=[Chunk(number, part, 0, len(part), None, (), part) for number, part in enumerate(parts)],
        receipt={},
    )
    ledger.stand_by([(document_id, version_id)])
    return [chunk_id_of(version_id, number) for number in range(len(parts))]


def read_beside(ledger: Ledger, *chunk_ids: str) -> list[str]:
    scores = [(chunk_id, 1.0) for chunk_id in chunk_ids]
    found = ledger.beside().read_passages(scores, principal=BEN, filters=Filters(), limit=10)
    return [passage.text for passage in found]


def test_a_generation_says_how_its_embedder_is_opened_again(ledger: Ledger) -> None:
    spec = EmbedderSpec("ollama", "bge-m3")
    made = ledger.create_generation(embedder_id="e", dimension=3, embedder=spec)
    ledger.switch_generation(made.generation_id)
    active = ledger.active_generation()
    assert active is not None
    assert (active.embedder, active.state, active.is_active) == (spec, GenerationState.ACTIVE, True)


def test_a_switch_keeps_the_former_generation_and_a_rollback_returns_to_it(ledger: Ledger) -> None:
    assert (ledger.active_generation(), ledger.generation_beside()) == (None, None)
    first = generation(ledger, is_active=True)
    second = generation(ledger, "nomic")
    ledger.mark_ready(second.generation_id, {"new": 1})
    ledger.switch_generation(second.generation_id)
    (active, quality), (beside, _) = ledger.generations()
    assert (active.generation_id, quality) == (second.generation_id, {"new": 1})
    assert (beside.generation_id, beside.state) == (first.generation_id, GenerationState.PREVIOUS)
    assert ledger.roll_back().generation_id == first.generation_id
    given_up = ledger.generation_beside()
    assert given_up is not None
    assert (given_up.generation_id, given_up.state) == (second.generation_id, GenerationState.READY)
    with pytest.raises(GenerationError, match="no previous"):
        ledger.roll_back()
    ledger.switch_generation(second.generation_id)
    assert ledger.roll_back().generation_id == first.generation_id


def test_only_a_generation_beside_the_active_one_can_be_switched_to(ledger: Ledger) -> None:
    active = generation(ledger, is_active=True)
    for nobody in (active.generation_id, "g_unknown"):
        with pytest.raises(GenerationError):
            ledger.switch_generation(nobody)
    still = ledger.active_generation()
    assert still is not None
    assert still.generation_id == active.generation_id


def test_answers_come_from_the_old_chunks_until_one_transaction_exchanges_all(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    first, old = store(ledger, "a.md", "旧い切り方")
    _, same = store(ledger, "b.md", "同じ")
    candidate = generation(ledger)
    new = stand_by(ledger, first, "新しい", "切り方")
    assert texts(ledger, old, same, *new) == ["旧い切り方", "同じ"]
    assert read_beside(ledger, old, same, *new) == ["同じ", "新しい", "切り方"]
    assert ledger.live_chunk_ids() == {old, same}
    assert ledger.live_chunk_ids(is_beside=True) == {same, *new}
    assert {chunk.embedding_text for chunk in ledger.live_chunks(new, is_beside=True)} == {"新しい", "切り方"}

    ledger.switch_generation(candidate.generation_id)

    assert texts(ledger, old, same, *new) == ["同じ", "新しい", "切り方"]
    document = ledger.get_document(first, principal=BEN)
    assert (document.title, document.status, document.chunk_count) == ("新しい題", DocumentStatus.WARN, 2)
    assert ledger.retired_chunks() == {}

    ledger.roll_back()

    assert texts(ledger, old, same, *new) == ["旧い切り方", "同じ"]
    assert ledger.live_chunk_ids(is_beside=True) == {same, *new}


def test_the_status_follows_the_proof_of_the_version_that_answers(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    document_id, _ = store(ledger, "a.md", "三営業日前まで")
    (waiting,) = ledger.unproved()
    prove(ledger, document_id, waiting.version_id, status=DocumentStatus.INDEXED)
    candidate = generation(ledger)
    stand_by(ledger, document_id, "三営業日", "前まで")
    assert ledger.unproved() == []
    ledger.switch_generation(candidate.generation_id)
    (fresh,) = ledger.unproved()
    prove(ledger, document_id, fresh.version_id, status=DocumentStatus.WARN)
    ledger.roll_back()
    assert ledger.get_document(document_id, principal=BEN).status is DocumentStatus.INDEXED
    ledger.switch_generation(candidate.generation_id)
    assert ledger.get_document(document_id, principal=BEN).status is DocumentStatus.WARN


@pytest.mark.parametrize("is_switched", [False, True], ids=["before the switch", "after the switch"])
def test_a_deleted_document_never_comes_back(ledger: Ledger, *, is_switched: bool) -> None:
    generation(ledger, is_active=True)
    document_id, old = store(ledger, "a.md", "秘密")
    candidate = generation(ledger)
    (new,) = stand_by(ledger, document_id, "秘密")
    if is_switched:
        ledger.switch_generation(candidate.generation_id)
    ledger.delete_documents([document_id])
    assert {chunk_id for ids in ledger.retired_chunks().values() for chunk_id in ids} == {old, new}
    if not is_switched:
        ledger.switch_generation(candidate.generation_id)
    assert texts(ledger, old, new) == []
    ledger.roll_back()
    assert texts(ledger, old, new) == []
    assert ledger.live_chunk_ids() == ledger.live_chunk_ids(is_beside=True) == set()


@pytest.mark.parametrize("is_switched", [False, True], ids=["before the switch", "after the switch"])
def test_a_changed_document_never_gets_its_older_content_back(ledger: Ledger, *, is_switched: bool) -> None:
    generation(ledger, is_active=True)
    document_id, old = store(ledger, "a.md", "旧い内容")
    candidate = generation(ledger)
    (cut_anew,) = stand_by(ledger, document_id, "旧い内容")
    if is_switched:
        ledger.switch_generation(candidate.generation_id)
    _, newest = store(ledger, "a.md", "最新の内容", sha256="2", document_id=document_id)
    if not is_switched:
        ledger.switch_generation(candidate.generation_id)
    assert texts(ledger, old, cut_anew, newest) == ["最新の内容"]
    ledger.roll_back()
    assert texts(ledger, old, cut_anew, newest) == ["最新の内容"]
    assert ledger.live_chunk_ids(is_beside=True) == {newest}


def test_a_document_that_can_be_read_no_more_is_in_neither_generation(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    document_id, _ = store(ledger, "a.md", "内容")
    candidate = generation(ledger)
    stand_by(ledger, document_id, "内容")
    ledger.record_failure(document_id, reason=FailureReason.ENCRYPTED, detail="", status=DocumentStatus.FAILED)
    ledger.switch_generation(candidate.generation_id)
    assert ledger.live_chunk_ids() == ledger.live_chunk_ids(is_beside=True) == set()


def test_content_that_changed_while_it_was_cut_anew_is_not_taken(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    document_id, _ = store(ledger, "a.md", "最新", sha256="2")
    generation(ledger)
    (stale,) = stand_by(ledger, document_id, "旧い", sha256="1")
    assert stale not in ledger.live_chunk_ids(is_beside=True)
    assert [stale] in ledger.retired_chunks().values()


def test_a_dropped_generation_takes_along_the_versions_that_only_it_had(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    document_id, old = store(ledger, "a.md", "内容")
    candidate = generation(ledger)
    (new,) = stand_by(ledger, document_id, "内容")
    ledger.drop_generation(candidate.generation_id)
    assert list(ledger.retired_chunks().values()) == [[new]]
    assert texts(ledger, old, new) == ["内容"]
    assert ledger.retired_indexes() == {candidate.generation_id: candidate.index_name}
    ledger.forget_generations([candidate.generation_id])
    assert ledger.retired_indexes() == {}
    assert ledger.generation_beside() is None


def test_documents_of_another_pipeline_are_listed_with_what_they_have(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    done, _ = store(ledger, "b.md", "b")
    store(ledger, "a.md", "a")
    gone, _ = store(ledger, "c.md", "c")
    ledger.delete_documents([gone])
    generation(ledger)
    stand_by(ledger, done, "b")
    folder = ledger.register_folder(Path("/handbook"))
    assert [(o.path, o.pipeline_id, o.other_pipeline_id) for o in ledger.outdated(folder)] == [
        ("a.md", OLD, None),
        ("b.md", OLD, NEW),
    ]


def test_probe_questions_name_the_version_that_the_other_generation_has(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    document_id, _ = store(ledger, "a.md", "内容")
    (waiting,) = ledger.unproved()
    prove(ledger, document_id, waiting.version_id, status=DocumentStatus.INDEXED)
    generation(ledger)
    (new,) = stand_by(ledger, document_id, "内容")
    assert [version_id for version_id, _ in ledger.asked_probes()] == [waiting.version_id]
    assert [version_id for version_id, _ in ledger.asked_probes(is_beside=True)] == [new.partition(":")[0]]


def test_a_moved_document_keeps_both_versions(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    document_id, _ = store(ledger, "a.md", "内容")
    candidate = generation(ledger)
    (new,) = stand_by(ledger, document_id, "内容")
    folder = ledger.register_folder(Path("/handbook"))
    ledger.move_documents([(document_id, SourceFile(folder, "b.md", 2, 2))])
    ledger.switch_generation(candidate.generation_id)
    assert texts(ledger, new) == ["内容"]
