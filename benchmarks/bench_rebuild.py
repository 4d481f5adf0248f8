"""Both indexes restored from the ledger alone at 10,000 chunks, beside Chroma's own bare upsert of the same vectors.

The ledger is a real one on disk that holds texts and vectors; a Chroma server of its own, tantivy on disk. An embedder or
a parser that is asked for anything ends the run: nothing is embedded, no file is read. The ratio is of processor time,
this process and the server together, so that it is the same on a busy machine. Goal: at most 2 times the bare upsert,
for which the rebuild reads the ledger, writes both indexes and the full text, and switches.
"""

from __future__ import annotations

import json
import os
import random
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import chromadb
import numpy as np
from chromadb.config import Settings
from sqlalchemy import insert

from assistant.adapters.chroma import CHROMA_ENVIRONMENT, ChromaVectorIndex, chroma_command
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of, version_id_of
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.errors import StoreUnavailable
from assistant.ports import Vectors
from ingest.generations import Build, switch
from ingest.index_sync import Stores, compare
from ingest.recipe import PIPELINE_ID

DOCUMENTS, CHUNKS_PER_DOCUMENT = 1_000, 10
CHUNKS = DOCUMENTS * CHUNKS_PER_DOCUMENT
DIMENSION = 768
CHARACTERS = 500
BATCH = 500
GOAL_RATIO = 2.0
START_SECONDS = 60.0
EMBEDDER_ID = "benchmark:vectors-of-the-ledger"


class Silent:
    """An embedder and a parser that must not be needed."""

    embedder_id = EMBEDDER_ID
    dimension = DIMENSION
    reads_japanese = True

    def check(self) -> None:
        """It is there."""

    def embed_documents(self, texts: Sequence[str]) -> NoReturn:
        """Never: the ledger has the vectors."""
        raise AssertionError(f"{len(texts)} texts were to be embedded")

    async def embed_query(self, text: str) -> NoReturn:
        """Never: nothing is asked."""
        raise AssertionError("a question was to be embedded")

    def parse(self, path: Path, **_: object) -> NoReturn:
        """Never: the ledger has the text."""
        raise AssertionError(f"{path} was to be read")


def texts() -> list[str]:
    """Japanese-like: 4,000 words of two to four letters, the common ones far more often; the same at every run.

    Letters drawn one by one would make a vocabulary of pairs that no language has.
    """
    chance = random.Random(10_000)
    letters = [chr(code) for code in (*range(0x3041, 0x3094), *range(0x4E00, 0x4E00 + 1500))]
    words = ["".join(chance.choices(letters, k=chance.randint(2, 4))) for _ in range(4_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return ["".join(chance.choices(words, weights, k=CHARACTERS // 3)) for _ in range(CHUNKS)]


def unit_vectors() -> Vectors:
    """Vectors in a hundred clusters, as texts of an office are; of length 1."""
    chance = np.random.default_rng(10_000)
    centres = chance.standard_normal((100, DIMENSION), dtype=np.float32)
    noise = chance.standard_normal((CHUNKS, DIMENSION), dtype=np.float32)
    vectors = centres[np.arange(CHUNKS) % 100] + 0.7 * noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def fill_ledger(ledger: Ledger, vectors: Vectors) -> None:
    """Every text as a chunk of a live version, with its vector, and an active generation whose indexes are lost."""
    folder = ledger.register_folder(Path("/handbook"))
    documents, versions, chunks = [], [], []
    hashes: list[str] = []
    for number, text in enumerate(texts()):
        document, ordinal = divmod(number, CHUNKS_PER_DOCUMENT)
        document_id = f"d_{document:05d}"
        version_id = version_id_of(document_id, "0" * 64, PIPELINE_ID)
        hashes.append(text_hash_of(text))
        chunks.append(
            {
                "chunk_id": chunk_id_of(version_id, ordinal), "version_id": version_id, "ordinal": ordinal,
                "text": text, "embedding_text": text, "text_hash": hashes[-1], "start": 0, "end": len(text),
                "page": None, "heading_path": [],
            }
        )  # fmt: skip
        if ordinal:
            continue
        own = {"document_id": document_id, "version_id": version_id, "sha256": "0" * 64, "created_at": now()}
        documents.append(
            {
                **own, "folder": folder, "path": f"規程-{document:05d}.md", "title": f"規程 {document}",
                "status": "indexed", "attempts": 0, "size_bytes": 1, "modified_ns": 1, "updated_at": now(),
            }
        )  # fmt: skip
        versions.append(
            {
                **own, "pipeline_id": PIPELINE_ID, "state": "live", "title": f"規程 {document}", "parser": "markdown",
                "media_type": "text/markdown", "language": "ja", "chunk_count": CHUNKS_PER_DOCUMENT, "receipt": {},
                "text": "", "proof": {"probes": [], "warnings": []},
            }
        )  # fmt: skip
    with ledger._writing() as connection:
        connection.execute(insert(s.documents), documents)
        connection.execute(insert(s.versions), versions)
        connection.execute(insert(s.chunks), chunks)
    ledger.save_vectors(EMBEDDER_ID, dict(zip(hashes, vectors, strict=True)))
    ledger.switch_generation(ledger.create_generation(embedder_id=EMBEDDER_ID, dimension=DIMENSION).generation_id)


def start_chroma(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A server of its own on a free port, and the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        chroma_command(path=folder, host="127.0.0.1", port=port),
        env={**os.environ, **CHROMA_ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    index = ChromaVectorIndex(url=f"http://127.0.0.1:{port}")
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        try:
            index.check()
        except StoreUnavailable:
            time.sleep(0.1)
        else:
            return process, port
    process.kill()
    raise SystemExit("Chroma did not start")


def processor_seconds(server: subprocess.Popen[bytes]) -> float:
    """What this process and the server have used so far."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return own.ru_utime + own.ru_stime + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(server: subprocess.Popen[bytes], work: Callable[[], object]) -> tuple[float, float]:
    """(wall clock, processor) in seconds."""
    started, used = time.perf_counter(), processor_seconds(server)
    work()
    return time.perf_counter() - started, processor_seconds(server) - used


def bare_upsert(port: int, name: str, vectors: Vectors) -> None:
    """The vendor's client alone: the same vectors and as many ids, in batches of the same size."""
    client: Any = chromadb.HttpClient(host="127.0.0.1", port=port, settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection(name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)
    for start in range(0, CHUNKS, BATCH):
        ids = [f"{number:046d}" for number in range(start, start + BATCH)]
        collection.upsert(ids=ids, embeddings=vectors[start : start + BATCH])


def main(place: Path) -> None:
    """Fills the ledger, measures, prints one line."""
    vectors = unit_vectors()
    ledger = Ledger.open(f"sqlite:///{place}/ledger.db")
    fill_ledger(ledger, vectors)
    server, port = start_chroma(place / "chroma")
    try:
        index = ChromaVectorIndex(url=f"http://127.0.0.1:{port}")
        silent: Any = Silent()
        stores = Stores(ledger, silent, index, TantivyLexicalIndex(place / "lexical"))

        def rebuild() -> None:
            generation = Build(stores, silent).build()
            ledger.mark_ready(generation.generation_id, None)
            switch_seconds.append(timed(server, lambda: switch(stores))[0])

        switch_seconds: list[float] = []
        bare_upsert(port, "warm-up", vectors)
        bare_seconds, bare_processor = timed(server, lambda: bare_upsert(port, "bare", vectors))
        seconds, processor = timed(server, rebuild)
        active = ledger.active_generation()
        assert active is not None
        assert all(difference.is_none for difference in compare(stores, active).values())
        assert len(ledger.live_chunk_ids()) == CHUNKS
    finally:
        server.terminate()
        server.wait(START_SECONDS)
    ratio = processor / bare_processor
    print(
        json.dumps(
            {
                "benchmark": "rebuild",
                "chunks": CHUNKS,
                "dimension": DIMENSION,
                "rebuild_seconds": round(seconds, 1),
                "chunks_per_second": round(CHUNKS / seconds),
                "switch_seconds": round(switch_seconds[0], 2),
                "bare_upsert_seconds": round(bare_seconds, 1),
                "rebuild_to_bare": round(seconds / bare_seconds, 2),
                "rebuild_processor_seconds": round(processor, 1),
                "bare_processor_seconds": round(bare_processor, 1),
                "rebuild_to_bare_processor": round(ratio, 2),
                "goal_ratio": GOAL_RATIO,
                "meets_goals": ratio <= GOAL_RATIO,
            }
        )
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
