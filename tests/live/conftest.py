"""Every test in this folder runs against one real Ollama with a real small model (`make test-live`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.ollama_process import CACHE, LiveOllama, ensure_binary

_FOLDER = Path(__file__).parent
_TEST_SECONDS = 1800  # the first test of a first run waits for the build and the model


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what lies here, so that no file can forget it."""
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


@pytest.fixture(scope="session")
def live_ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveOllama]:
    """A running server that has the base model, company-assistant and an embedder."""
    server = LiveOllama(
        binary=ensure_binary(),
        models_folder=CACHE / "ollama-models",
        log_path=tmp_path_factory.mktemp("ollama") / "ollama.log",
    )
    server.start()
    try:
        server.create_models()
        yield server
    finally:
        server.stop()
