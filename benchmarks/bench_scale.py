"""Retrieval at 100,000 chunks, for readers of 1, 10, 50 and 100 % of the documents, beside Chroma's own filter, in one run.

    question's vector (made before) -> the whole of retrieve() : milliseconds, and recall@10 against the exact answer
    the same vector -> Chroma's query with `where`              : milliseconds

The exact answer compares every vector of the chunks in reach, takes the words' ranking from all entries, fuses them and
puts the best in order as retrieve() does. Goals: p50 <= 25 ms and recall@10 >= .98 for each reader. BENCH_CACHE names the
folder of the deployment,
which takes minutes to build at the first run; without it nothing is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import select

from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import schema as s
from assistant.candidates import DEPTH
from assistant.domain import Candidate, Filters, Principal
from assistant.fold import fold
from assistant.fuse import Ranking, fuse
from assistant.languages import asked_elsewhere, is_japanese
from assistant.ports import Vectors
from assistant.rerank import ranked
from assistant.retrieve import DEPTH_ELSEWHERE, POOL, Indexes, Near, retrieve
from benchmarks.large_deployment import (
    ALL,
    SHARES,
    UNIT,
    WHERE_INDEX,
    LargeDeployment,
    groups_by_version,
    large_deployment,
    sources_of_environment,
)

LIMIT = 10
QUESTIONS_STEP = 2
"""Every second question is asked."""
GOAL_MS = 25.0
GOAL_RECALL = 0.98


class KnownQuestions(FakeEmbedder):
    """Vectors of the questions, made before: no time for the embedder."""

    def __init__(self, deployment: LargeDeployment) -> None:
        super().__init__()
        material = deployment.material
        self._id = deployment.generation.embedder_id
        self._vectors = {text: material.question_vectors[[row]] for row, text in enumerate(material.questions)}

    @property
    def embedder_id(self) -> str:
        """That of the generation."""
        return self._id

    async def embed_query(self, text: str) -> Vectors:
        """The known vector."""
        return self._vectors[text]


class Exact:
    """Every vector, to compare with; and every entry of the words' ranking."""

    def __init__(self, deployment: LargeDeployment) -> None:
        self._deployment = deployment
        statement = select(s.chunks.c.chunk_id, s.vectors.c.vector).join(
            s.vectors, s.vectors.c.text_hash == s.chunks.c.text_hash
        )
        with deployment.ledger._reading() as connection:
            rows = connection.execute(statement).all()
        self._ids = np.array([row.chunk_id for row in rows])
        halves = np.frombuffer(b"".join(row.vector for row in rows), dtype=np.float16)
        self._vectors = halves.reshape(len(rows), -1).astype(np.float32)
        self._groups = groups_by_version(deployment.ledger)
        self._words: dict[str, list[tuple[str, float]]] = {}

    def in_reach(self, group: str) -> Any:
        """Which rows a group may read."""
        return np.array([group in self._groups[chunk_id.split(":")[0]] for chunk_id in self._ids.tolist()])

    async def answer(self, row: int, mask: Any, principal: Principal) -> list[str]:
        """The first ten of both rankings of what is in reach, fused, and put in order as retrieve() does."""
        text, vector = self._deployment.material.questions[row], self._deployment.material.question_vectors[[row]]
        asked = asked_elsewhere(text, vector, self._deployment.generation.means)
        near = Near(
            self._nearest(vector, mask),
            [] if asked is None else self._nearest(asked.vector, mask)[:DEPTH_ELSEWHERE],
            asked,
        )
        readable = set(self._ids[mask].tolist())
        if text not in self._words:
            self._words[text] = await self._deployment.lexical.search(
                self._deployment.generation.index_name, text, limit=len(self._ids)
            )
        words = [hit for hit in self._words[text] if hit[0] in readable]
        fused = fuse([Ranking(near.hits), Ranking(near.elsewhere), Ranking(words[:DEPTH])])
        passages = self._deployment.ledger.read_passages(
            fused[:POOL], principal=principal, filters=Filters(), limit=POOL
        )
        meanings, terms = near.meanings(passages, than_japanese=is_japanese(text)), dict(words[:DEPTH])
        pool = [Candidate(one, meanings.get(one.chunk_id), terms.get(one.chunk_id)) for one in passages]
        ordered, _ = await ranked(text, pool, meaning_weight=1.0, reranker=None)
        return [one.chunk_id for one in fold(text, ordered, limit=LIMIT).passages]

    def _nearest(self, vector: Vectors, mask: Any) -> list[tuple[str, float]]:
        scores = np.where(mask, self._vectors @ vector[0], -2.0)
        return [(str(self._ids[i]), float(scores[i])) for i in np.argsort(-scores, kind="stable")[:DEPTH] if mask[i]]


async def measure_reader(group: str, indexes: Indexes, exact: Exact, deployment: LargeDeployment) -> dict[str, Any]:
    """Milliseconds of retrieve(), of Chroma's filter, and the recall, for readers in one group."""
    principal = Principal("bench", groups=frozenset({group}))
    questions = deployment.material.questions[::QUESTIONS_STEP]
    mask = exact.in_reach(group)
    started = time.perf_counter()
    await retrieve(questions[0], indexes, principal=principal, filters=Filters(), limit=LIMIT)
    first_ms = 1000 * (time.perf_counter() - started)
    wall, recall = [], []
    for row, text in enumerate(questions):
        started = time.perf_counter()
        result = await retrieve(text, indexes, principal=principal, filters=Filters(), limit=LIMIT)
        wall.append(1000 * (time.perf_counter() - started))
        assert not any(notice.code.startswith("degraded") for notice in result.notices), result.notices
        wanted = await exact.answer(row * QUESTIONS_STEP, mask, principal)
        recall.append(len({p.chunk_id for p in result.passages} & set(wanted)) / max(1, len(wanted)))
    where = await chroma_where_ms(group, deployment)
    p50 = statistics.median(wall)
    return {
        "chunks_in_reach": int(mask.sum()),
        "p50_ms": round(p50, 1),
        "p95_ms": round(statistics.quantiles(wall, n=20)[-1], 1),
        "first_ms": round(first_ms),
        "recall_at_10": round(statistics.mean(recall), 4),
        "chroma_where_p50_ms": round(where, 1),
        "chroma_where_to_ours": round(where / p50, 1),
        "meets_goals": p50 <= GOAL_MS and statistics.mean(recall) >= GOAL_RECALL,
    }


async def chroma_where_ms(group: str, deployment: LargeDeployment) -> float:
    """Median milliseconds of Chroma's query with its own filter: vectors alone, ids alone, on a kept connection."""
    base = f"{deployment.chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    taken = []
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        collection_id = (await client.get(f"{base}/{WHERE_INDEX}")).json()["id"]
        for vector in deployment.material.question_vectors[:30]:
            query = {"query_embeddings": [vector.tolist()], "n_results": DEPTH, "include": ["distances"]}
            started = time.perf_counter()
            response = await client.post(f"{base}/{collection_id}/query", json={**query, "where": {group: True}})
            taken.append(1000 * (time.perf_counter() - started))
            assert response.is_success, response.text
    return statistics.median(taken)


async def main(deployment: LargeDeployment, groups: list[str]) -> None:
    """Measures each reader and prints one line."""
    indexes = Indexes(deployment.ledger, KnownQuestions(deployment), deployment.vectors, deployment.lexical)
    exact = Exact(deployment)
    readers = {group: await measure_reader(group, indexes, exact, deployment) for group in groups}
    print(json.dumps({"benchmark": "scale", "chunks": len(exact._ids), "readers": readers}))


if __name__ == "__main__":
    if "BENCH_CACHE" not in os.environ:
        print(json.dumps({"benchmark": "scale", "skipped": "BENCH_CACHE names no folder"}))
    else:
        with large_deployment(Path(os.environ["BENCH_CACHE"]), sources_of_environment()) as built:
            asyncio.run(main(built, [*SHARES, ALL, UNIT]))
