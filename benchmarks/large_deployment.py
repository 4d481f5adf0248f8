"""A deployment of 100,000 chunks, built once in a folder of its own: real ledger, Chroma and tantivy, made-up contents.

    real passages (Markdown) -> embedded once -> shuffled sentences and shifted vectors -> 5,000 documents of 20 chunks

A chunk's vector is that of its passage, moved along differences between other real vectors: random vectors have no
neighbourhoods, so they would say nothing about an index of neighbours. `FOLDERS` names the Markdown, by default examples/.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from assistant.adapters.chroma import CHROMA_ENVIRONMENT, ChromaVectorIndex, chroma_command
from assistant.adapters.embedded import EmbeddedEmbedder
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.indexes import LiveChunk
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of, version_id_of
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.errors import StoreUnavailable
from assistant.generation import Generation
from assistant.grammar import language_of
from assistant.ports import Vectors
from assistant.text import sentence_spans
from ingest.prove import SAMPLE, means_of
from tests.journeys.deployment import ROOT, free_ports

DOCUMENTS = 5_000
CHUNKS_EACH = 20
PASSAGES = 2_000
PASSAGE_CHARACTERS = (80, 600)
EMBEDDED_CHARACTERS = 160
QUESTIONS = 200
ALL = "all"
SHARES = {"share-1": 0.01, "share-10": 0.1, "share-50": 0.5}
"""Groups that may read a share of the documents, drawn by chance; `ALL` reads everything."""
UNIT = "unit-10"
"""A group that may read the tenth of the documents that is about the same things, as a department's readers would."""
WHERE_INDEX = "chunks-with-groups"
"""The same vectors with each chunk's groups as Chroma's metadata, for comparing with Chroma's own filter."""
_BATCH = 1_000
_SEED = 20261126


@dataclass(frozen=True)
class Material:
    """Real passages with their vectors, and questions (sentences of them) with theirs."""

    passages: list[str]
    titles: list[str]
    vectors: Vectors
    questions: list[str]
    question_vectors: Vectors


@dataclass(frozen=True)
class LargeDeployment:
    """The running deployment. `vectors` has a row for each chunk, in half precision, as the ledger has them."""

    ledger: Ledger
    vectors: ChromaVectorIndex
    lexical: TantivyLexicalIndex
    generation: Generation
    chroma_url: str
    material: Material


@contextlib.contextmanager
def large_deployment(cache: Path, sources: list[Path]) -> Iterator[LargeDeployment]:
    """The deployment in `cache`, built there first if it is not; Chroma runs until the block ends."""
    cache.mkdir(parents=True, exist_ok=True)
    material = _material(cache / "material.npz", sources)
    ledger = Ledger.open(f"sqlite:///{cache / 'ledger.db'}")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        chroma_command(path=cache / "chroma", host="127.0.0.1", port=port),
        env={**os.environ, **CHROMA_ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        vectors, lexical = ChromaVectorIndex(url=url), TantivyLexicalIndex(cache / "lexical")
        _wait_for(vectors)
        if ledger.active_generation() is None:
            _fill_ledger(ledger, material)
        generation = _measured(ledger)
        _fill_indexes(cache, ledger, vectors, lexical, generation, url)
        yield LargeDeployment(ledger, vectors, lexical, generation, url, material)
    finally:
        ledger.close()
        server.terminate()
        server.wait(60)


def _measured(ledger: Ledger) -> Generation:
    """The generation, which knows the means of its languages, as an ingestion would leave it; of its fitness it knows nothing."""
    generation = ledger.active_generation()
    assert generation is not None
    if not generation.means:
        means = means_of(ledger, generation, ledger.sample(each=SAMPLE))
        assert means.keys() == {"ja", "en"}, "a second search of the vectors belongs to what is measured"
        ledger.save_fitness(generation.generation_id, {"chunks": DOCUMENTS * CHUNKS_EACH, "means": means})
        generation = ledger.active_generation()
        assert generation is not None
    return generation


def _wait_for(vectors: ChromaVectorIndex) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return vectors.check()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _material(file: Path, sources: list[Path]) -> Material:
    if not file.exists():
        chance = random.Random(_SEED)
        found = [(title, text) for source in sources for title, text in _passages_of(source)]
        start = max(0, len(found) - PASSAGES)
        picked = sorted(chance.sample(range(len(found)), len(found) - start))
        titles, passages = [found[i][0] for i in picked], [found[i][1] for i in picked]
        questions = [_question_of(passages, chance) for _ in range(QUESTIONS)]
        embedder = EmbeddedEmbedder()
        vectors = embedder.embed_documents([passage[:EMBEDDED_CHARACTERS] for passage in passages])
        asked = np.vstack([embedder._embed_query(question) for question in questions])
        np.savez(
            file, titles=np.array(titles), passages=np.array(passages), vectors=vectors,
            questions=np.array(questions), question_vectors=asked,
        )  # fmt: skip
    kept = np.load(file)
    return Material(
        kept["passages"].tolist(), kept["titles"].tolist(), kept["vectors"],
        kept["questions"].tolist(), kept["question_vectors"],
    )  # fmt: skip


def _passages_of(folder: Path) -> Iterator[tuple[str, str]]:
    """(title, passage) of every Markdown file: blocks between blank lines, joined up to the largest length."""
    least, most = PASSAGE_CHARACTERS
    for file in sorted(folder.rglob("*.md")):
        kept = ""
        for block in [*re.split(r"\n\s*\n", file.read_text(encoding="utf-8", errors="replace")), "\0"]:
            if block == "\0" or len(kept) + len(block) > most:
                if len(kept) >= least:
                    yield file.stem, kept[:most]
                kept = ""
            kept = f"{kept}\n\n{block}".strip()


def _question_of(passages: list[str], chance: random.Random) -> str:
    """One sentence of one passage."""
    while True:
        passage = chance.choice(passages)
        sentences = [passage[a:b] for a, b in sentence_spans(passage)]
        asked = [re.sub(r"\s+", " ", sentence) for sentence in sentences if 15 <= len(sentence) <= 90]
        if asked:
            return chance.choice(asked)


def _fill_ledger(ledger: Ledger, material: Material) -> None:
    chance, numbers = random.Random(_SEED), np.random.default_rng(_SEED)
    embedder_id = EmbeddedEmbedder().embedder_id
    generation = ledger.create_generation(embedder_id=embedder_id, dimension=material.vectors.shape[1])
    folder = ledger.register_folder(Path("/made-up"))
    spread = _spread(material.vectors, numbers)
    for start in range(0, DOCUMENTS, 100):
        rows: dict[str, list[dict[str, Any]]] = {"documents": [], "versions": [], "groups": [], "chunks": []}
        vectors: dict[str, Vectors] = {}
        for number in range(start, start + 100):
            _document(number, material, folder, chance, rows)
            for chunk in rows["chunks"][-CHUNKS_EACH:]:
                vectors[chunk["text_hash"]] = next(spread)(chunk.pop("passage"))
        with ledger._writing() as connection:
            connection.execute(insert(s.documents), rows["documents"])
            connection.execute(insert(s.versions), rows["versions"])
            connection.execute(insert(s.document_groups), rows["groups"])
            connection.execute(insert(s.chunks), rows["chunks"])
        ledger.save_vectors(embedder_id, vectors)
    ledger.switch_generation(generation.generation_id)


def _spread(real: Vectors, numbers: np.random.Generator) -> Iterator[Any]:
    """Functions passage number -> a vector near that passage's, moved along differences of other real vectors."""
    while True:
        pairs = numbers.integers(0, len(real), size=(4, 2))
        moved = (real[pairs[:, 0]] - real[pairs[:, 1]]).sum(axis=0) * numbers.uniform(0.1, 0.35)

        def near(passage: int, moved: Vectors = moved) -> Vectors:
            vector = real[passage] + moved
            return (vector / np.linalg.norm(vector)).astype(np.float32)

        yield near


def _document(
    number: int, material: Material, folder: str, chance: random.Random, rows: dict[str, list[dict[str, Any]]]
) -> None:
    """One document about passages that follow each other, as rows of the ledger's tables."""
    count = len(material.passages)
    first = chance.randrange(count)
    title = f"{material.titles[first]} {number}"
    document_id = f"d_{number:032x}"
    sha256 = text_hash_of(document_id)
    version_id = version_id_of(document_id, sha256, "bench")
    path = f"unit-{first * 50 // count:02d}/{title}.md"
    at = now()
    own = {"document_id": document_id, "sha256": sha256, "version_id": version_id}
    groups = [ALL, *(name for name, share in SHARES.items() if chance.random() < share)]
    if first * 10 // count == 3:
        groups.append(UNIT)
    rows["documents"].append(
        own | {"folder": folder, "path": path, "title": title, "status": "indexed", "attempts": 0, "size_bytes": 9_000,
               "modified_ns": 0, "created_at": at, "updated_at": at}
    )  # fmt: skip
    language = language_of(material.passages[first])
    rows["versions"].append(
        own | {"state": "live", "parser": "markdown", "media_type": "text/markdown", "language": language, "title": title,
               "chunk_count": CHUNKS_EACH, "receipt": {}, "text": "", "pipeline_id": "bench", "created_at": at}
    )  # fmt: skip
    rows["groups"].extend({"document_id": document_id, "group_name": name} for name in groups)
    for ordinal in range(CHUNKS_EACH):
        passage = (first + ordinal // 2) % count
        text = _shuffled(material.passages, passage, chance)
        embedding_text = f"{title}\n{text}"
        rows["chunks"].append(
            {"chunk_id": chunk_id_of(version_id, ordinal), "version_id": version_id, "ordinal": ordinal, "text": text,
             "start": 0, "end": len(text), "heading_path": [title], "embedding_text": embedding_text,
             "text_hash": text_hash_of(embedding_text), "passage": passage}
        )  # fmt: skip


def _shuffled(passages: list[str], passage: int, chance: random.Random) -> str:
    """Most sentences of the passage in another order, and one of a passage elsewhere."""
    own = [passages[passage][a:b] for a, b in sentence_spans(passages[passage])]
    other = passages[chance.randrange(len(passages))]
    foreign = [other[a:b] for a, b in sentence_spans(other)]
    kept = [*chance.sample(own, max(1, round(len(own) * 0.7))), chance.choice(foreign)]
    chance.shuffle(kept)
    return "\n".join([*kept, f"No. {chance.randrange(10**6):06d}"])


def _fill_indexes(
    cache: Path,
    ledger: Ledger,
    vectors: ChromaVectorIndex,
    lexical: TantivyLexicalIndex,
    generation: Generation,
    url: str,
) -> None:
    """Fills each index that has no mark of being complete."""
    if not (cache / "chroma.complete").exists():
        for chunks, rows in _chunks(ledger, generation):
            vectors.upsert(generation.index_name, [chunk.text_hash for chunk in chunks], rows)
        (cache / "chroma.complete").touch()
    if not (cache / "lexical.complete").exists():
        lexical.drop(generation.index_name)
        lexical.write(
            generation.index_name,
            add=((c.chunk_id, c.title, c.embedding_text) for c in ledger.live_chunks()),
            delete=(),
        )
        (cache / "lexical.complete").touch()
    if not (cache / "where.complete").exists():
        _fill_where(ledger, generation, url)
        (cache / "where.complete").touch()


def _fill_where(ledger: Ledger, generation: Generation, url: str) -> None:
    import chromadb

    client = chromadb.HttpClient(host=url.rsplit("/", 1)[-1].split(":")[0], port=int(url.rsplit(":", 1)[-1]))
    collection = client.get_or_create_collection(
        WHERE_INDEX, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    groups_of = groups_by_version(ledger)
    for chunks, rows in _chunks(ledger, generation):
        chunk_ids = [chunk.chunk_id for chunk in chunks]
        metadatas = [dict.fromkeys(groups_of[chunk_id.split(":")[0]], True) for chunk_id in chunk_ids]
        for start in range(0, len(chunk_ids), 500):
            part = slice(start, start + 500)
            collection.upsert(ids=chunk_ids[part], embeddings=rows[part], metadatas=metadatas[part])


def _chunks(ledger: Ledger, generation: Generation) -> Iterator[tuple[list[LiveChunk], Vectors]]:
    live = list(ledger.live_chunks())
    for start in range(0, len(live), _BATCH):
        some = live[start : start + _BATCH]
        known = ledger.read_vectors(generation.embedder_id, [chunk.text_hash for chunk in some])
        yield some, np.stack([known[chunk.text_hash] for chunk in some])


def groups_by_version(ledger: Ledger) -> dict[str, list[str]]:
    """Groups that may read it, by version id."""
    statement = s.documents.join(s.document_groups).select().with_only_columns(
        s.documents.c.version_id, s.document_groups.c.group_name
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    with ledger._reading() as connection:
        for version_id, group in connection.execute(statement):
            found.setdefault(version_id, []).append(group)
    return found


def sources_of_environment() -> list[Path]:
    """Folders of Markdown from BENCH_SOURCES, separated by `:`; else the handbook in examples/."""
    named = os.environ.get("BENCH_SOURCES", "")
    return [Path(part) for part in named.split(":") if part] or [ROOT / "examples"]
