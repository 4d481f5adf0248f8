"""Damaged indexes on a real Chroma server and a real tantivy folder: the next run writes them anew from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.errors import StoreDamaged
from ingest.guard import ParserProcess
from ingest.index_sync import Stores, compare, mend
from tests.contracts.conftest import ChromaServer, free_port
from tests.ingest.running import Desk

SECTIONS = 1200
"""Chunks: Chroma writes its index to disk for the first time at 1,000."""


class _Counting(FakeEmbedder):
    """Counts the texts that it embeds."""

    texts = 0

    def embed_documents(self, texts):  # type: ignore[no-untyped-def]
        """As the fake does."""
        self.texts += len(texts)
        return super().embed_documents(texts)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    made = ChromaServer(tmp_path / "chroma", free_port())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def at(tmp_path: Path, server: ChromaServer) -> Iterator[Desk]:
    (tmp_path / "documents").mkdir()
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    stores = Stores(
        ledger,
        _Counting(dimension=16),
        ChromaVectorIndex(url=server.url),
        TantivyLexicalIndex(tmp_path / "lexical"),
        wait_seconds=2.0,
    )
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 22) as parser:
        yield Desk(tmp_path / "documents", stores, parser)
    ledger.close()


def write_much(at: Desk) -> None:
    sentence = "棚{0}の荷物は{0}日前までに係へ届け出てから移すものとし、その控えを{0}番の箱に残す。"
    body = "\n\n".join(f"## 第{n}条 棚{n}\n\n" + sentence.format(n) * 10 for n in range(SECTIONS))
    at.write("倉庫.md", "# 倉庫\n\n" + body)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index_metadata.pickle", "header.bin"])
def test_a_vector_index_that_chroma_cannot_open_is_written_anew_and_nothing_is_embedded_again(
    at: Desk, server: ChromaServer, name: str
) -> None:
    write_much(at)
    at.run()
    embedded = at.stores.embedder.texts  # type: ignore[attr-defined]
    server.stop()
    files = list(server.folder.rglob(name))
    assert files, "Chroma wrote no index to disk"
    for file in files:
        file.write_bytes(b"")
    server.start()
    generation = at.stores.ledger.active_generation()
    assert generation is not None
    with pytest.raises(StoreDamaged):
        mend(at.stores, generation)
    report = at.run()
    assert report.counts["failed"] == 0
    assert all(difference.is_none for difference in compare(at.stores, generation).values())
    assert at.stores.embedder.texts == embedded  # type: ignore[attr-defined]
    assert at.run().counts["mended"] == 0


def test_a_full_text_index_that_cannot_be_opened_is_written_anew(at: Desk, tmp_path: Path) -> None:
    at.write("a.md")
    at.run()
    for meta in (tmp_path / "lexical").rglob("meta.json"):
        meta.write_text("{")
    at.run()
    generation = at.stores.ledger.active_generation()
    assert generation is not None
    assert all(difference.is_none for difference in compare(at.stores, generation).values())
    assert list(at.stores.lexical.all_ids(generation.index_name))
