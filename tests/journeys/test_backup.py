"""A deployment of 10,000 chunks (`long`; 1,000 in `slow`) backed up while it is written to, lost, and brought back on an empty machine, without its
model server: nothing is embedded again, and three of its own questions find their documents."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of, version_id_of
from assistant.domain import EVERYONE
from assistant.generation import EmbedderSpec
from tests.journeys.deployment import Deployment, free_ports

CHUNKS_EACH, DIMENSION = 20, 384
EMBEDDER_ID = "ollama:made-up"


def fill(ledger: Ledger, root: Path, documents: int) -> None:
    """A ledger as an ingestion leaves it: documents with a code word of their own, vectors, proofs with their questions."""
    chance, numbers = random.Random(7), np.random.default_rng(7)
    folder = ledger.register_folder(root)
    spec = EmbedderSpec("ollama", "made-up")
    generation = ledger.create_generation(embedder_id=EMBEDDER_ID, dimension=DIMENSION, embedder=spec)
    ledger.switch_generation(generation.generation_id)
    words = [
        "申請",
        "承認",
        "期限",
        "旅費",
        "規程",
        "休暇",
        "提出",
        "部署",
        "責任",
        "保管",
        "資料",
        "契約",
        "購買",
        "検査",
        "安全",
    ]
    rows: dict[str, list[dict[str, Any]]] = {"documents": [], "versions": [], "document_groups": [], "chunks": []}
    at = now()
    for number in range(documents):
        code = f"K{number:05d}"
        texts = [f"{code} の{''.join(chance.choices(words, k=40))} 第{part}項" for part in range(CHUNKS_EACH)]
        sha256 = text_hash_of("\n".join(texts))
        document_id = f"d_{number:032x}"
        own = {"document_id": document_id, "sha256": sha256, "version_id": version_id_of(document_id, sha256, "p")}
        probe = {"question": f"{code} の規程は何を定めますか?", "language": "ja", "rank": 1}
        rows["documents"].append(
            own | {"folder": folder, "path": f"{number:05d}.md", "title": code, "status": "indexed", "attempts": 0,
                   "size_bytes": 9_000, "modified_ns": 0, "created_at": at, "updated_at": at}
        )  # fmt: skip
        rows["versions"].append(
            own | {"state": "live", "parser": "markdown", "media_type": "text/markdown", "language": "ja", "title": code,
                   "chunk_count": CHUNKS_EACH, "receipt": {}, "text": "\n".join(texts), "pipeline_id": "p", "created_at": at,
                   "proof": {"probes": [probe], "warnings": []}}
        )  # fmt: skip
        rows["document_groups"].append({"document_id": document_id, "group_name": EVERYONE})
        start = 0
        for part, text in enumerate(texts):
            rows["chunks"].append(
                {"chunk_id": chunk_id_of(own["version_id"], part), "version_id": own["version_id"], "ordinal": part,
                 "text": text, "start": start, "end": start + len(text), "heading_path": [code],
                 "embedding_text": f"{code}\n{text}", "text_hash": text_hash_of(f"{code}\n{text}")}
            )  # fmt: skip
            start += len(text) + 1
    made = numbers.normal(size=(documents * CHUNKS_EACH, DIMENSION)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    with ledger._writing() as connection:
        for table, some in rows.items():
            connection.execute(insert(s.metadata.tables[table]), some)
    hashes = [chunk["text_hash"] for chunk in rows["chunks"]]
    ledger.save_vectors(EMBEDDER_ID, dict(zip(hashes, made, strict=True)))


def deployment(folder: Path) -> Deployment:
    """An empty one, whose Ollama is not there."""
    folder.mkdir()
    (port,) = free_ports(1)
    settings = {"EMBEDDER": "ollama", "EMBED_MODEL": "made-up", "OLLAMA_URL": f"http://127.0.0.1:{port}"}
    return Deployment(folder, folder / "documents", settings)


def findings(at: Deployment) -> dict[str, dict[str, Any]]:
    """What the doctor says, by check."""
    return {each["name"]: each for each in json.loads(at.run("assistant", "doctor", "--json").stdout)}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "documents",
    [pytest.param(50, marks=pytest.mark.slow), pytest.param(500, marks=pytest.mark.long)],
    ids=["1,000 chunks", "10,000 chunks"],
)
def test_what_was_lost_comes_back_without_being_embedded_again(tmp_path: Path, documents: int) -> None:
    old = deployment(tmp_path / "old")
    old.documents.mkdir()
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'old/var/ledger.db'}")
    fill(ledger, old.documents, documents)
    truth = ledger.counts_of_truth()
    assert truth["chunks"] == documents * CHUNKS_EACH

    made = old.run("assistant", "backup", str(tmp_path / "backups"), "--json")
    assert made.returncode == 0, made.stderr
    archive = json.loads(made.stdout)["path"]

    new = deployment(tmp_path / "new")
    away = new.run("assistant", "restore", archive)
    assert away.returncode == 1
    assert "Chroma" in away.stderr
    with new.up("chroma"):
        done = new.run("assistant", "restore", archive, "--json", timeout_seconds=900)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        print({name: told[name] for name in ("ledger_seconds", "indexes_seconds", "rows")})
        assert (told["documents"], told["chunks"]) == (documents, documents * CHUNKS_EACH)
        assert len(told["questions"]) == 3
        assert all(each["rank"] is not None for each in told["questions"])
        assert len(told["originals_missing"]) == documents

        restored = Ledger.open(f"sqlite:///{tmp_path / 'new/var/ledger.db'}")
        assert restored.counts_of_truth() == truth
        seen = findings(new)
        assert seen["indexes"]["state"] == "ok"
        assert f"{documents * CHUNKS_EACH:,} chunks agree" in seen["indexes"]["seen"]
        assert seen["backup"]["state"] == "ok"
        assert seen["address_ollama"]["state"] == "fail"
