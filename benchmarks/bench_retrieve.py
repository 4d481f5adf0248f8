"""Retrieval on the examples: Hit@5 by expected path, and the pipeline's own time beside the embedder's, in one run."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from assistant.domain import Principal, Question
from assistant.settings import load_settings
from assistant.wiring import Assistant, open_assistant
from tests.journeys.deployment import ROOT, Deployment

PRINCIPAL = Principal("bench")


def golden() -> list[dict[str, Any]]:
    """Questions that name the document that answers them."""
    content = yaml.safe_load((ROOT / "modelfiles/golden/examples.yaml").read_text(encoding="utf-8"))
    questions = content["questions"] if isinstance(content, dict) else content
    return [q for q in questions if q["expected_paths"] and q["kind"] not in {"followup", "restricted"}]


async def measure(assistant: Assistant) -> dict[str, float]:
    """Hit@5, median milliseconds of the embedder and of everything else, and their ratio."""
    hits, embed_ms, rest_ms = 0, [], []
    questions = golden()
    for asked in questions:
        started = time.perf_counter()
        await assistant.stores.embedder.embed_query(asked["question"])
        embedded = time.perf_counter()
        question = Question(asked["question"], asked["language"], PRINCIPAL)
        result = await assistant.search(question, limit=5)
        embed_ms.append(1000 * (embedded - started))
        rest_ms.append(1000 * max(0.0, result.retrieve_seconds - (embedded - started)))
        hits += any(passage.path in asked["expected_paths"] for passage in result.passages)
    embedder, rest = statistics.median(embed_ms), statistics.median(rest_ms)
    return {
        "questions": len(questions),
        "hit_at_5": round(hits / len(questions), 3),
        "embedder_p50_ms": round(embedder, 1),
        "rest_p50_ms": round(rest, 1),
        "rest_to_embedder": round(rest / embedder, 2),
    }


async def main(deployment: Deployment) -> None:
    """Ingests, measures, prints one line."""
    async with open_assistant(load_settings(env_file=None)) as assistant:
        print(json.dumps({"benchmark": "retrieve", **await measure(assistant)}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = Deployment(Path(folder), ROOT / "examples")
        with made.up("chroma"):
            done = made.run("ingest", "run", timeout_seconds=900)
            if done.returncode:
                raise SystemExit(done.stderr)
            os.environ.update({f"ASSISTANT_{name}": value for name, value in made.settings.items()})
            asyncio.run(main(made))
