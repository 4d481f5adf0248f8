"""The whole ledger as one SQLite file, whichever database it lives in, and back into an empty ledger.

    SQLite     ── its own online backup ─▶ file          file ─ migrated ─▶ rows, one transaction ─▶ empty ledger
    PostgreSQL ── rows of one snapshot  ─▶ file

Copied rows are those of the tables that `schema.py` knows. So a backup moves a ledger between databases, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import (
    copy_online,
    open_engine,
    reporting_store_errors,
    set_counters,
    snapshot_options,
)
from assistant.adapters.ledger.transaction import Transactional

ROWS_AT_ONCE = 500
"""A version's row holds its whole text: some megabytes at a time."""
_OWN = ("documents", "answers", "users", "api_keys", "audit_entries", "generations")
"""Tables that are empty until somebody has used the ledger."""


class Copying(Transactional):
    """Copies the ledger out, and in."""

    def copy_to(self, file: Path) -> None:
        """Writes the ledger as it is at one moment; others go on writing. Raises StoreUnavailable, OSError for a full disk."""
        if copy_online(self._engine, file):
            return
        target = open_engine(f"sqlite:///{file}")
        try:
            with (
                reporting_store_errors(),
                self._engine.connect().execution_options(**snapshot_options(self._engine)) as source,
                target.begin() as connection,
            ):
                _copy_rows(source, connection)
        finally:
            target.dispose()

    def fill_from(self, file: Path) -> int:
        """Takes over every row of a ledger's file, which is brought up to date first; how many. All of them or none.

        Raises StoreUnavailable.
        """
        source_engine = open_engine(f"sqlite:///{file}")
        try:
            with (
                reporting_store_errors(),
                source_engine.connect().execution_options(is_writing=False) as source,
                self._engine.begin() as connection,
            ):
                count = _copy_rows(source, connection)
                set_counters(connection)
        finally:
            source_engine.dispose()
        return count

    def used_tables(self) -> list[str]:
        """Names of tables that hold something, though a new ledger's are empty."""
        with self._reading() as connection:
            return [
                name
                for name in _OWN
                if connection.execute(select(func.count()).select_from(s.metadata.tables[name])).scalar_one()
            ]

    def originals(self) -> list[tuple[str, str, str, int]]:
        """(root of the folder, path, SHA-256, bytes) of every living document's source file, by path."""
        statement = (
            select(s.folders.c.root, s.documents.c.path, s.documents.c.sha256, s.documents.c.size_bytes)
            .join(s.folders, s.folders.c.folder == s.documents.c.folder)
            .where(s.documents.c.deleted_at == "", s.documents.c.sha256.is_not(None))
            .order_by(s.folders.c.root, s.documents.c.path)
        )
        with self._reading() as connection:
            return [(row.root, row.path, row.sha256, row.size_bytes) for row in connection.execute(statement)]


def _copy_rows(source: Connection, target: Connection) -> int:
    count = 0
    for table in s.metadata.sorted_tables:
        if target.execute(select(func.count()).select_from(table)).scalar_one():  # what a migration puts into a new one
            target.execute(delete(table))
        found = source.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table))
        for rows in found.mappings().partitions():
            target.execute(insert(table), [_as_given(row) for row in rows])
            count += len(rows)
    return count


def _as_given(row: Any) -> dict[str, Any]:
    return dict(row)
