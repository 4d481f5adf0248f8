from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest.guard import ParserProcess
from tests.contracts.conftest import ChromaServer, free_port


@pytest.fixture(scope="session")
def parser() -> Iterator[ParserProcess]:
    """One real parser process for all tests that only need files read: starting one takes as long as reading a folder."""
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as running:
        yield running


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """One server for the tests of a file; every test has an index of its own, by its generation."""
    server = ChromaServer(tmp_path_factory.mktemp("chroma"), free_port())
    server.start()
    yield server
    server.stop()
