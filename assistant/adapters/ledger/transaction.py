"""Reading and writing transactions of the ledger, shared by its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from assistant.adapters.ledger.engine import reporting_store_errors


class Transactional:
    """Holds the engine; `_reading` never locks writers out, `_writing` commits at its end or not at all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reporting_store_errors(), self._engine.connect().execution_options(is_writing=False) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with reporting_store_errors(), self._engine.begin() as connection:
            yield connection
