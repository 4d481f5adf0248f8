"""What the ledger promises about reach: whose it is, that no change of it goes unsaid, and the vectors in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.ingesting import text_hash_of
from assistant.domain import DocumentStatus, Filters, Principal, SourceFile
from assistant.errors import FailureReason
from tests.contracts.test_ledger import BEN, CHIE, store

NO_FILTERS = Filters()


def versions(ledger: Ledger, principal: Principal, filters: Filters = NO_FILTERS) -> set[str]:
    return set(ledger.read_reach(principal=principal, filters=filters).versions)


def version_of(chunk_id: str) -> str:
    return chunk_id.split(":")[0]


def test_a_reach_holds_the_live_versions_that_the_principal_may_read(ledger: Ledger) -> None:
    _, open_chunk = store(ledger, "人事/休暇.md", "休暇")
    restricted, closed_chunk = store(ledger, "限定/報酬.md", "報酬")
    ledger.set_document_groups(restricted, ["board"])
    deleted, _ = store(ledger, "a.md", "gone")
    ledger.delete_documents([deleted])

    assert versions(ledger, BEN) == {version_of(open_chunk)}
    assert versions(ledger, CHIE) == {version_of(open_chunk), version_of(closed_chunk)}
    assert versions(ledger, CHIE, Filters(folders=("限定",))) == {version_of(closed_chunk)}
    assert versions(ledger, Principal("dan", groups=frozenset())) == set()
    reach = ledger.read_reach(principal=BEN, filters=NO_FILTERS)
    assert (reach.chunks, reach.all_chunks, reach.share) == (1, 2, 0.5)
    assert reach.holds(open_chunk)
    assert not reach.holds(closed_chunk)


def test_a_replaced_version_is_out_of_reach(ledger: Ledger) -> None:
    document_id, old = store(ledger, "a.md", "old")
    _, new = store(ledger, "a.md", "new", sha256="2", document_id=document_id)
    assert versions(ledger, BEN) == {version_of(new)}
    assert version_of(old) != version_of(new)


def switched(ledger: Ledger, _document_id: str) -> None:
    for _ in range(2):
        generation = ledger.create_generation(embedder_id="e", dimension=2)
        ledger.switch_generation(generation.generation_id)


CHANGES: dict[str, Callable[[Ledger, str], object]] = {
    "a new document": lambda ledger, _: store(ledger, "new.md", "new"),
    "a new version": lambda ledger, document_id: store(ledger, "a.md", "b", sha256="2", document_id=document_id),
    "other groups": lambda ledger, document_id: ledger.set_document_groups(document_id, ["board"]),
    "a rule of the folder": lambda ledger, _: ledger.apply_groups("handbook", lambda path: ["board"]),
    "a deletion": lambda ledger, document_id: ledger.delete_documents([document_id]),
    "another place": lambda ledger, document_id: ledger.move_documents(
        [(document_id, SourceFile(ledger.register_folder(Path("/handbook")), "b.md", 1, 1))]
    ),
    "a file that can be read no more": lambda ledger, document_id: ledger.record_failure(
        document_id, reason=FailureReason.ENCRYPTED, detail="", status=DocumentStatus.FAILED
    ),
    "another generation": switched,
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_reach_gives_another_token(ledger: Ledger, change: str) -> None:
    document_id, _ = store(ledger, "a.md", "a")
    before = ledger.reach_token()
    assert before
    assert ledger.reach_token() == before
    CHANGES[change](ledger, document_id)
    assert ledger.reach_token() not in {before, ""}


def test_an_answer_or_a_touched_file_leaves_the_token_alone(ledger: Ledger) -> None:
    document_id, _ = store(ledger, "a.md", "a")
    before = ledger.reach_token()
    ledger.touch_documents([(document_id, SourceFile("handbook", "a.md", 1, 5))])
    ledger.set_groups("ben", ["sales"])
    assert ledger.reach_token() == before


def test_vectors_of_versions_come_with_their_chunks(ledger: Ledger) -> None:
    _, first = store(ledger, "a.md", "one")
    _, second = store(ledger, "b.md", "two", sha256="2")
    vectors = {text_hash_of(f"規程\n{text}"): np.array(v, dtype=np.float32) for text, v in
               (("one", [0.6, 0.8]), ("two", [1.0, 0.0]))}  # fmt: skip
    ledger.save_vectors("e", vectors)

    found = {each.version_id: each for each in ledger.version_vectors("e", [version_of(first), version_of(second)])}

    assert found[version_of(first)].chunk_ids == (first,)
    assert np.allclose(found[version_of(first)].vectors, [[0.6, 0.8]], atol=1e-3)
    assert np.allclose(found[version_of(second)].vectors, [[1.0, 0.0]], atol=1e-3)
    assert ledger.version_vectors("other", [version_of(first)]) == []
    assert ledger.version_vectors("e", []) == []
