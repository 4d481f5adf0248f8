"""The whole pipeline around an embedder of fixed speed: how much longer than the embedder alone does a folder take?

Real files, parser process, ledger, Chroma server and tantivy; only the embedder is a stand-in that takes a fixed time for
each text, one after the other as Ollama does. 40 ms a text of 500 characters: between a GPU (a few) and the embedded
embedder on two busy cores (200). Probe questions are embedded, too. Prints one JSON line; goal: wall <= 1.10 x embedder.
`bench_pipeline.py [FOLDER]` takes another folder than `examples/`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.ports import Vectors
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.pipeline import Run
from tests.contracts.conftest import ChromaServer, free_port

SECONDS_A_TEXT = 0.04
GOAL_RATIO = 1.10


class FixedSpeedEmbedder(FakeEmbedder):
    """Takes its time for each text, one at a time; `busy_seconds` is the time in which it was at work."""

    def __init__(self) -> None:
        super().__init__(dimension=384)
        self.busy_seconds = 0.0
        self.texts = 0
        self._turn = threading.Lock()

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors, after the time."""
        with self._turn:
            started = time.perf_counter()
            vectors = super().embed_documents(texts)
            self.texts += len(texts)
            until = started + SECONDS_A_TEXT * len(texts)
            time.sleep(max(0.0, until - time.perf_counter()))
            self.busy_seconds += time.perf_counter() - started
            return vectors

    async def embed_query(self, text: str) -> Vectors:
        """The vector of a question, after the time."""
        return await anyio.to_thread.run_sync(self.embed_documents, [text])


def main() -> None:
    """Ingests the folder once and prints the line."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "examples")
    with tempfile.TemporaryDirectory() as place:
        server = ChromaServer(Path(place) / "chroma", free_port())
        server.start()
        try:
            print(json.dumps(_measured(Path(place), folder, server.url)))
        finally:
            server.stop()


def _measured(place: Path, folder: Path, chroma_url: str) -> dict[str, object]:
    ledger = Ledger.open(f"sqlite:///{place}/ledger.db")
    embedder = FixedSpeedEmbedder()
    vectors, lexical = ChromaVectorIndex(url=chroma_url), TantivyLexicalIndex(place / "lexical")
    with ParserProcess(timeout_seconds=300, memory_bytes=3 << 30, file_limit_bytes=200 << 20) as parser:
        started = time.perf_counter()
        report = Run(Stores(ledger, embedder, vectors, lexical), parser).run(folder)
        wall_seconds = time.perf_counter() - started
    ledger.close()
    return {
        "benchmark": "pipeline",
        "folder": folder.name,
        "files": report.counts["done"],
        "chunks": report.counts["chunks"],
        "texts_embedded": embedder.texts,
        "embedder_seconds": round(embedder.busy_seconds, 2),
        "wall_seconds": round(wall_seconds, 2),
        "ratio": round(wall_seconds / embedder.busy_seconds, 3),
        "goal": GOAL_RATIO,
    }


if __name__ == "__main__":
    main()
