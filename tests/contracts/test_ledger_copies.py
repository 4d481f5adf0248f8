"""A ledger copied out and in, on SQLite and on a real PostgreSQL, while others write."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.audit import Act, AuditEntry
from assistant.errors import StoreUnavailable
from tests.contracts.test_ledger import store


def rows_of(ledger: Ledger) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with ledger._reading() as connection:
        return {
            table.name: sorted(str(tuple(row)) for row in connection.execute(select(table)))
            for table in s.metadata.sorted_tables
        }


def filled(ledger: Ledger) -> Ledger:
    """A few rows of many kinds."""
    for number in range(5):
        store(ledger, f"{number}.md", f"第{number}条 本文\u3000です", sha256=str(number))
    generation = ledger.create_generation(embedder_id="e", dimension=4)
    ledger.switch_generation(generation.generation_id)
    ledger.save_vectors("e", {chunk.text_hash: np.full(4, 0.5, dtype=np.float32) for chunk in ledger.live_chunks()})
    ledger.create_key("app", groups=["board"], scopes=["ask"], by="test")
    ledger.set_groups("chie", ["board"], by="test")
    ledger.record(AuditEntry(Act.ASKED, "ben", documents=("d_1",), details={"a": None, "b": [1, "二"]}))
    return ledger


def test_a_ledger_comes_out_into_a_file_and_from_the_file_into_an_empty_ledger(ledger: Ledger, tmp_path: Path) -> None:
    before = rows_of(filled(ledger))
    ledger.copy_to(tmp_path / "copy.db")

    target = Ledger.open(f"sqlite:///{tmp_path / 'target.db'}")
    count = target.fill_from(tmp_path / "copy.db")

    assert rows_of(target) == before
    assert count == sum(map(len, before.values()))
    target.close()


def test_an_empty_ledger_takes_over_a_file_and_goes_on_with_numbers_of_its_own(ledger: Ledger, tmp_path: Path) -> None:
    source = filled(Ledger.open(f"sqlite:///{tmp_path / 'source.db'}"))
    source.copy_to(tmp_path / "copy.db")
    assert ledger.used_tables() == []

    ledger.fill_from(tmp_path / "copy.db")

    assert rows_of(ledger) == rows_of(source)
    assert {"documents", "audit_entries", "generations"} <= set(ledger.used_tables())
    ledger.record(AuditEntry(Act.RESTORED, "test"))
    store(ledger, "new.md", "new", sha256="new")
    numbers = [entry.entry_id for entry in ledger.audit_entries()]
    assert len(numbers) == len(set(numbers))
    source.close()


def test_a_copy_is_the_ledger_of_one_moment_while_others_write(ledger: Ledger, tmp_path: Path) -> None:
    filled(ledger)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            store(ledger, f"busy-{number}.md", f"text {number}", sha256=f"busy-{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            ledger.copy_to(tmp_path / f"{number}.db")
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        copy = Ledger.open(f"sqlite:///{tmp_path / f'{number}.db'}")
        counts = copy.counts_of_truth()
        with copy._reading() as connection:
            # a version is staged with its chunks in one transaction, and made live in another: never half of one
            versions = set(connection.execute(select(s.versions.c.version_id)).scalars())
            chunked = set(connection.execute(select(s.chunks.c.version_id)).scalars())
        assert versions == chunked
        assert counts["chunks"] == counts["searchable"] >= 5
        copy.close()


def test_what_is_no_ledger_leaves_the_target_as_empty_as_it_was(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "none.db").write_bytes(b"not a database at all, only words" * 200)
    with pytest.raises(StoreUnavailable):
        ledger.fill_from(tmp_path / "none.db")
    assert ledger.used_tables() == []
