"""Shared by the tests of runs: a real SQLite ledger, the real parser process, and the product's own stand-in indexes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.adapters.fake import FakeEmbedder, InMemoryLexicalIndex, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.domain import Document, Principal
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.pipeline import Run, RunReport
from ingest.rules import Rule

BEN = Principal("ben")


@dataclass
class Desk:
    """One folder and everything that ingests it."""

    root: Path
    stores: Stores
    parser: ParserProcess

    def write(self, name: str, text: str = "") -> Path:
        """A Markdown file with a text of its own, or with the one given."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or f"# {name}\n\n{name} の規程です。届出は3日前までに行う。\n", encoding="utf-8")
        return path

    def run(
        self, *rules: Rule, is_retrying: bool = False, allows_deletions: bool = False, settle_seconds: float = 0.0
    ) -> RunReport:
        """One run over the folder."""
        run = Run(self.stores, self.parser, rules, settle_seconds=settle_seconds)
        return run.run(self.root, is_retrying=is_retrying, allows_deletions=allows_deletions)

    def documents(self, principal: Principal = BEN) -> dict[str, Document]:
        """What the principal sees, by path."""
        page, _ = self.stores.ledger.list_documents(principal=principal, limit=1000)
        return {document.path: document for document in page}


@contextmanager
def desk(place: Path, parser: ParserProcess) -> Iterator[Desk]:
    """A desk in an empty folder."""
    root = place / "documents"
    root.mkdir()
    ledger = Ledger.open(f"sqlite:///{place}/ledger.db")
    stores = Stores(ledger, FakeEmbedder(), InMemoryVectorIndex(), InMemoryLexicalIndex())
    yield Desk(root, stores, parser)
    ledger.close()


def wait_until(is_true: Callable[[], bool], seconds: float = 100.0) -> None:
    """Returns once it is true; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
