"""POST /ask up to the model's first token at 100,000 chunks: everything but the embedder and the model, in one run.

    client --HTTP--> uvicorn, the whole API, ledger, Chroma, tantivy --HTTP--> a stub of Ollama that answers at once
          <----------------------------------------------------------- the first `token` event

The question's vector was made before. Goal: p50 <= 40 ms. Beside it, in the same run, Chroma's query with its own filter
for a reader of everything, which an API built on that filter would wait for before it could begin. BENCH_CACHE as in bench_scale.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from assistant.adapters.ollama import OllamaChatModel
from assistant.adapters.open_questions import OpenQuestionsFile
from assistant.ask import Pipeline
from assistant.audit import Auditor
from assistant.courtesy import asks
from assistant.embedders import Embedders
from assistant.generation import EmbedderSpec
from assistant.retrieve import Indexes
from assistant.settings import Settings
from assistant.wiring import Assistant, OpenStores
from benchmarks.bench_scale import QUESTIONS_STEP, KnownQuestions, chroma_where_ms
from benchmarks.large_deployment import ALL, SHARES, LargeDeployment, large_deployment, sources_of_environment
from tests.api.canned import PROXY_SECRET, RunningServer
from tests.stubs.ollama.process import start_stub_ollama

GOAL_MS = 40.0
NUM_CTX = 8192


def assistant_on(deployment: LargeDeployment, *, ollama_url: str, data_folder: Path) -> Assistant:
    """The deployment with the settings of a usual installation, its questions' vectors known, its model the stub."""
    embedder = KnownQuestions(deployment)
    embedders = Embedders(embedder, EmbedderSpec("embedded", ""), lambda spec: embedder)
    stores = OpenStores(
        ledger=deployment.ledger, embedder=embedder, vectors=deployment.vectors, lexical=deployment.lexical,
        embedders=embedders, questions=OpenQuestionsFile(data_folder),
    )  # fmt: skip
    indexes = Indexes(stores.ledger, embedder, stores.vectors, stores.lexical, embedders)
    model = OllamaChatModel(url=ollama_url, model="company-assistant", num_ctx=NUM_CTX)
    settings = Settings(_env_file=None)
    pipeline = Pipeline(
        indexes=indexes, model=model, release_id="bench", num_predict=settings.num_predict,
        budget_tokens=NUM_CTX - settings.num_predict - 16,
        passages_limit=settings.passages_limit,
    )  # fmt: skip
    return Assistant(deployment.ledger, pipeline, settings.question_limit_characters, stores, Auditor("none", b""))


def first_token_ms(client: httpx.Client, url: str, question: str, user: str) -> float:
    """Milliseconds from sending the question to the first token's event."""
    started = time.perf_counter()
    headers = {"X-Forwarded-User": user, "X-Proxy-Secret": PROXY_SECRET}
    with client.stream("POST", f"{url}/ask", json={"question": question, "stream": True}, headers=headers) as answer:
        taken = None
        for line in answer.iter_lines():
            if line == "event: token" and taken is None:
                taken = 1000 * (time.perf_counter() - started)
    if taken is None:
        raise SystemExit(f"no token for {question!r}")
    return taken


def main(deployment: LargeDeployment) -> None:
    """Measures each reader and prints one line."""
    questions = [
        text for text in deployment.material.questions[::QUESTIONS_STEP] if asks(text)
    ]  # some are a table's rule
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, model_parallel=4)
    readers = {}
    with tempfile.TemporaryDirectory() as folder, start_stub_ollama(tokens_per_second=10_000, load_seconds=0.0) as stub:
        assistant = assistant_on(deployment, ollama_url=stub.url, data_folder=Path(folder))
        with RunningServer(settings, assistant) as server, httpx.Client(trust_env=False, timeout=60) as client:
            for group in [*SHARES, ALL]:
                deployment.ledger.set_groups(f"reader-{group}", [group])
                first_token_ms(client, server.url, questions[0], f"reader-{group}")
                taken = [first_token_ms(client, server.url, text, f"reader-{group}") for text in questions]
                readers[group] = {
                    "p50_ms": round(statistics.median(taken), 1),
                    "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 1),
                    "meets_goal": statistics.median(taken) <= GOAL_MS,
                }
    where = asyncio.run(chroma_where_ms(ALL, deployment))
    p50 = readers[ALL]["p50_ms"]
    print(
        json.dumps(
            {
                "benchmark": "ask_overhead",
                "readers": readers,
                "chroma_where_p50_ms": round(where, 1),
                "chroma_where_to_ours": round(where / p50, 1),
            }
        )
    )


if __name__ == "__main__":
    if "BENCH_CACHE" not in os.environ:
        print(json.dumps({"benchmark": "ask_overhead", "skipped": "BENCH_CACHE names no folder"}))
    else:
        with large_deployment(Path(os.environ["BENCH_CACHE"]), sources_of_environment()) as built:
            main(built)
