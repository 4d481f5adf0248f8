"""Opens the ledger's database and brings its tables up to date. The only file that knows database dialects."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from assistant.adapters.ledger.schema import metadata
from assistant.errors import SettingsError, StoreUnavailable, Text

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "alembic_version"
BUSY_TIMEOUT_SECONDS = 30.0
"""How long a writer waits for another; an ingestion's transactions take milliseconds."""


def open_engine(database_url: str, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> Engine:
    """An engine on the migrated ledger. `busy_timeout_seconds` is how long SQLite waits for another writer.

    Raises SettingsError for an address nobody can use, StoreUnavailable when the database does not answer.
    """
    try:
        url = make_url(database_url)
        if url.get_backend_name() == "sqlite":
            engine = _open_sqlite(url.database or "", database_url, busy_timeout_seconds)
        else:
            engine = create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise SettingsError(
            Text(ja="台帳データベースの URL が正しくありません。", en="The ledger's database URL cannot be used."),
            Text(
                ja="ASSISTANT_DATABASE_URL を sqlite:///パス か postgresql+psycopg://… の形で指定してください。",
                en="Set ASSISTANT_DATABASE_URL to sqlite:///path or postgresql+psycopg://….",
            ),
        ) from error
    with reporting_store_errors():
        _migrate(engine)
    return engine


def _open_sqlite(database: str, database_url: str, busy_timeout_seconds: float) -> Engine:
    file = Path(database)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unavailable() from error
    engine = create_engine(database_url, connect_args={"timeout": busy_timeout_seconds, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: Any) -> None:
        # Transactions are begun by SQLAlchemy's own BEGIN below, not by the driver: a write transaction takes its lock
        # at once, so that two processes queue instead of failing in the middle.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        is_writing = connection.get_execution_options().get("is_writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def _migrate(engine: Engine) -> None:
    """Upgrades to the newest migration; two processes starting at once take turns.

    A ledger that is there already costs one row read. Alembic is imported for the others alone: with all that it needs it
    is a sixth of what a command's start takes (docs/lab-notes.md, 2026-11-27).
    """
    if _revision_of(engine) == known_revisions()[0]:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _one_at_a_time(engine), engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision_of(engine: Engine) -> str | None:
    """The migration that the ledger is at; None for a database without one."""
    with engine.connect().execution_options(is_writing=False) as connection:
        if not sa.inspect(connection).has_table(_VERSION_TABLE):
            return None
        version = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(_VERSION_TABLE))
        found = connection.execute(version).scalars().all()
    return found[0] if len(found) == 1 else None


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """A file lock beside an SQLite file; PostgreSQL's transactional DDL needs none."""
    if engine.url.get_backend_name() != "sqlite" or not engine.url.database:
        yield
        return
    with Path(engine.url.database + ".migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def reporting_store_errors() -> Iterator[None]:
    """Turns the database's own errors into StoreUnavailable."""
    try:
        yield
    except (DBAPIError, SQLAlchemyError, OSError) as error:
        raise _unavailable() from error


def _unavailable() -> StoreUnavailable:
    return StoreUnavailable(
        Text(ja="台帳データベースに読み書きできません。", en="The ledger database cannot be read or written."),
        Text(
            ja="ディスクの空きと権限、ASSISTANT_DATABASE_URL を確認してください。",
            en="Check free disk space, permissions and ASSISTANT_DATABASE_URL.",
        ),
    )


def copy_online(engine: Engine, file: Path) -> bool:
    """Writes a copy of an SQLite ledger by SQLite's own online backup; False for another database.

    One step in one read transaction: nobody waits for it, and it is the ledger of one moment. Checked at its end.
    Raises StoreUnavailable, and OSError when the copy's disk is full.
    """
    if engine.url.get_backend_name() != "sqlite":
        return False
    source = engine.raw_connection()
    try:
        with contextlib.closing(sqlite3.connect(file)) as target:
            driver: Any = source.driver_connection
            driver.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
            (verdict,) = target.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_FULL":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file)) from error
        raise _unavailable() from error
    finally:
        source.close()
    if verdict != "ok":
        raise _unavailable()
    return True


def snapshot_options(engine: Engine) -> dict[str, Any]:
    """Options of a connection all of whose reads see one moment, while others write."""
    if engine.url.get_backend_name() == "sqlite":
        return {"is_writing": False}
    return {"isolation_level": "REPEATABLE READ"}


def set_counters(connection: Connection) -> None:
    """After rows came with their own numbers: the next number of each table is a free one. SQLite does it by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608  our own names
                f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
            )


def known_revisions() -> list[str]:
    """The migrations of this version, newest first: each file's name begins with its own (a test holds it to that)."""
    return sorted((file.name.partition("_")[0] for file in MIGRATIONS.glob("versions/[0-9]*_*.py")), reverse=True)


def now() -> str:
    """The present moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
