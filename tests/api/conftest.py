"""The edge under test: a real ledger in a temporary folder, a scripted ask(), a real server per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.ledger import Ledger
from assistant.settings import Settings
from tests.api.canned import PROXY_SECRET, CannedAssistant, RunningServer

StartServer = Callable[..., RunningServer]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger on SQLite."""
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def start_server(ledger: Ledger, tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers; keyword arguments that settings know are settings, the others the assistant's."""
    with ExitStack() as running:

        def start(**given: Any) -> RunningServer:
            known = {name: given.pop(name) for name in list(given) if name in Settings.model_fields}
            defaults = {"proxy_secret": PROXY_SECRET, "documents_folder": tmp_path / "handbook", "model_parallel": 4}
            known.setdefault("uploads", {"folder": tmp_path / "inbox"})
            defaults["ollama_url"] = "http://127.0.0.1:1"  # whatever runs on this machine is left alone
            known["queue"] = {"drain_seconds": 0.0} | known.get("queue", {})
            settings = Settings(_env_file=None, **(defaults | known))
            assistant = CannedAssistant(ledger, **given)
            return running.enter_context(RunningServer(settings, assistant))

        yield start


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    """A server with the usual settings and a good answer."""
    return start_server()
