from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest.guard import ParserProcess


@pytest.fixture(scope="session")
def parser() -> Iterator[ParserProcess]:
    """One real parser process for all tests that only need files read: starting one takes as long as reading a folder."""
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as running:
        yield running
