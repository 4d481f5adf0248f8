"""The library on a real ledger: filters, order, what is new, and only what may be read."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.domain import EVERYONE, Principal
from assistant.library import FolderOfLibrary, Wanted, kind_of
from tests.api.canned import write_document

BEN = Principal("ben", frozenset({EVERYONE}))


def filled(ledger: Ledger, root: Path) -> dict[str, str]:
    """Four documents, one of them the board's; ids by path."""
    paths = ("人事/休暇.PDF", "人事/名簿.xlsx", "限定/報酬.pdf", "案内.unknown")
    ids = {
        path: write_document(ledger, root, path, data=path.encode(), media_type="text/plain", encoding="utf-8")
        for path in paths
    }
    ledger.set_document_groups(ids["限定/報酬.pdf"], ["board"])
    return ids


def paths(ledger: Ledger, wanted: Wanted, *, limit: int = 50) -> list[str]:
    """Paths of all pages."""
    found, cursor = ledger.browse(wanted, principal=BEN, limit=limit)
    while cursor is not None:
        page, cursor = ledger.browse(wanted, principal=BEN, cursor=cursor, limit=limit)
        found += page
    return [listed.document.path for listed in found]


def test_filters_narrow_what_may_be_read(ledger: Ledger, tmp_path: Path) -> None:
    filled(ledger, tmp_path)
    assert paths(ledger, Wanted()) == ["人事/休暇.PDF", "人事/名簿.xlsx", "案内.unknown"]
    assert paths(ledger, Wanted(kind="pdf")) == ["人事/休暇.PDF"]
    assert paths(ledger, Wanted(kind="other")) == ["案内.unknown"]
    assert paths(ledger, Wanted(folder="人事/", kind="sheet")) == ["人事/名簿.xlsx"]
    assert paths(ledger, Wanted(query="報酬")) == []
    assert [kind_of(path) for path in ("a.PDF", "b", "c.docx")] == ["pdf", "other", "word"]
    assert ledger.folders_of_library(principal=BEN) == [
        FolderOfLibrary(tmp_path.name, "", 1),
        FolderOfLibrary(tmp_path.name, "人事/", 2),
    ]


def test_new_is_what_says_something_else_and_not_what_was_only_read_again(ledger: Ledger, tmp_path: Path) -> None:
    ids = filled(ledger, tmp_path)
    with ledger._engine.begin() as connection:
        for number, path in enumerate(("人事/名簿.xlsx", "案内.unknown", "人事/休暇.PDF")):
            change = update(s.versions).where(s.versions.c.document_id == ids[path])
            connection.execute(change.values(created_at=f"2026-11-0{number + 1}T00:00:00.000+00:00"))
        # The same content read again by a newer pipeline.
        row = connection.execute(s.versions.select().where(s.versions.c.document_id == ids["人事/名簿.xlsx"])).one()
        again = row._asdict() | {"version_id": "v_again", "created_at": "2026-11-20T00:00:00.000+00:00"}
        connection.execute(s.versions.insert().values(again))
        connection.execute(
            update(s.documents).where(s.documents.c.document_id == ids["人事/名簿.xlsx"]).values(version_id="v_again")
        )
    newest = ["人事/休暇.PDF", "案内.unknown", "人事/名簿.xlsx"]
    assert paths(ledger, Wanted(newest_first=True)) == newest
    assert paths(ledger, Wanted(newest_first=True), limit=1) == newest
    assert paths(ledger, Wanted(changed_since="2026-11-02")) == ["人事/休暇.PDF", "案内.unknown"]
    listed = ledger.listed(ids["人事/名簿.xlsx"], principal=BEN)
    assert listed.changed_at == "2026-11-01T00:00:00.000+00:00"
