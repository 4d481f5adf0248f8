"""What the ledger promises about texts: the index of vectors holds each once, and the ledger knows whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of, version_id_of
from assistant.domain import Chunk, DocumentStatus, ParsedDocument, SourceFile
from assistant.reach import version_of
from tests.contracts.test_generations import generation, stand_by
from tests.contracts.test_ledger import store


def hash_of(text: str) -> str:
    """As `store` embeds it."""
    return text_hash_of(f"規程\n{text}")


def stage(ledger: Ledger, name: str, *texts: str, is_live: bool = True) -> str:
    """A version with these passages; its id."""
    folder = ledger.register_folder(Path("/handbook"))
    document_id, _ = ledger.begin_attempt(None, SourceFile(folder, name, 1, 1), sha256="1")
    version_id = version_id_of(document_id, "1", "p")
    ledger.stage_version(
        document_id, version_id=version_id, sha256="1", pipeline_id="p", language="ja", receipt={},
        parsed=ParsedDocument("規程", "", (), "x", "x"),
        chunks=[Chunk(ordinal, text, 0, 1, None, (), f"規程\n{text}") for ordinal, text in enumerate(texts)],
    )  # fmt: skip
    if is_live:
        ledger.activate_versions([(document_id, version_id, DocumentStatus.INDEXED)])
    return version_id


def test_a_text_has_the_first_chunk_of_every_version_with_it(ledger: Ledger) -> None:
    _, only = store(ledger, "a.md", "様式")
    repeating = stage(ledger, "b.md", "初め", "様式", "様式", "終わり", "様式")

    found = ledger.chunks_of_texts([hash_of("様式"), hash_of("終わり"), hash_of("ない")])

    assert {text: set(chunks) for text, chunks in found.items()} == {
        hash_of("様式"): {only, chunk_id_of(repeating, 1)},
        hash_of("終わり"): {chunk_id_of(repeating, 3)},
    }
    assert ledger.live_texts() == {hash_of(text) for text in ("初め", "様式", "終わり")}


def test_vectors_of_equal_passages_of_a_version_come_once(ledger: Ledger) -> None:
    version_id = stage(ledger, "b.md", "様式", "様式", "終わり", "様式")
    ledger.save_vectors("e", {hash_of(text): np.ones(2, dtype=np.float32) for text in ("様式", "終わり")})

    (found,) = ledger.version_vectors("e", [version_id])

    assert found.chunk_ids == (chunk_id_of(version_id, 0), chunk_id_of(version_id, 2))
    assert found.vectors.shape == (2, 2)


def test_one_chunk_stands_for_a_text_and_it_is_one_that_answers_may_come_from(ledger: Ledger) -> None:
    gone, _ = store(ledger, "a.md", "様式")
    _, kept = store(ledger, "b.md", "様式")
    stage(ledger, "c.md", "様式", is_live=False)
    ledger.delete_documents([gone])

    assert [chunk.chunk_id for chunk in ledger.chunks_with([hash_of("様式"), hash_of("ない")])] == [kept]


def test_a_text_is_forgotten_when_no_version_has_it_any_more(ledger: Ledger) -> None:
    first, _ = store(ledger, "a.md", "様式")
    second, _ = store(ledger, "b.md", "様式")
    store(ledger, "b.md", "改めた", sha256="2", document_id=second)
    assert ledger.forgotten_texts() == []
    staged = stage(ledger, "c.md", "様式", is_live=False)
    ledger.delete_documents([first])
    assert ledger.forgotten_texts() == []  # a run is just about to make it live
    ledger.retire_staged()
    assert ledger.forgotten_texts() == [hash_of("様式")]
    assert ledger.live_texts() == {hash_of("改めた")}
    assert staged in ledger.retired_chunks()


def test_each_generation_keeps_the_texts_of_its_own_versions(ledger: Ledger) -> None:
    generation(ledger, is_active=True)
    cut_anew, _ = store(ledger, "a.md", "旧い切り方")
    gone, old = store(ledger, "b.md", "新しい切り方")
    generation(ledger)
    (new,) = stand_by(ledger, cut_anew, "規程\n新しい切り方")
    assert ledger.live_texts() == {hash_of("旧い切り方"), hash_of("新しい切り方")}
    assert ledger.live_texts(is_beside=True) == {hash_of("新しい切り方")}

    ledger.delete_documents([gone])

    assert ledger.forgotten_texts() == [hash_of("新しい切り方")]
    assert ledger.forgotten_texts(is_beside=True) == []
    assert [chunk.chunk_id for chunk in ledger.chunks_with([hash_of("新しい切り方")], is_beside=True)] == [new]
    assert version_of(old) in ledger.retired_chunks()


def test_texts_that_an_embedder_refuses_are_known_by_it_alone(ledger: Ledger) -> None:
    ledger.save_refusal("e", hash_of("様式"))
    assert ledger.refused_texts("e") == {hash_of("様式")}
    assert ledger.refused_texts("other") == set()
