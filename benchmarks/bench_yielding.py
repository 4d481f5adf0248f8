"""What a person who asks notices of an ingestion at work, with and without its giving way (ingest/yielding.py).

A real deployment (Chroma, API with quotes), once with the embedded embedder, which each process has for itself, and once
with a server that embeds one text after the other for all, 40 ms each, as Ollama does (a stand-in). The same questions are asked in turn with nothing
else at work, beside an ingestion that has niceness alone, and beside one that also waits for open questions. Wall time:
waiting is the matter itself. Prints one JSON line with p50 and p95 in seconds and the ratios to the quiet machine.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "有給休暇はいつまでに申請しますか?",
    "出張の日当はいくらですか?",
    "在宅勤務の申請は誰にしますか?",
    "法人カードは私用に使えますか?",
    "育児休業はいつまで取れますか?",
)
ROUNDS = 6
PAUSE_SECONDS = 0.5
SECONDS_A_TEXT = 0.04
GOAL_P95_RATIO = 2.0


def ingest(folder: Path, *, yields: bool) -> None:
    """Ingests the folder as `ingest run` does, in the deployment of the environment, until it is ended."""
    from assistant.settings import load_settings
    from assistant.wiring import open_stores
    from ingest.__main__ import NICENESS
    from ingest.guard import ParserProcess
    from ingest.index_sync import Stores
    from ingest.pipeline import Run
    from ingest.yielding import Yielding, YieldingEmbedder

    os.nice(NICENESS)
    settings = load_settings()
    parts = open_stores(settings)
    yielding = Yielding(parts.questions if yields else None)
    embedder = YieldingEmbedder(parts.embedder, yielding) if yields else parts.embedder
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 26) as parser:
        Run(Stores(parts.ledger, embedder, parts.vectors, parts.lexical, yielding=yielding), parser).run(folder)


def write_files(folder: Path) -> None:
    """Text that no embedder has seen: enough to be at work for as long as the questions take."""
    folder.mkdir()
    for number in range(400):
        clauses = "\n".join(
            f"## 第{n}条 届出 {number}-{n}\n\n倉庫{number}の棚{n}を使う者は、{n + 1}日前までに係へ届け出る。"
            f"届け出のない荷物は{number + n}日後に移す。棚番号は{number * 31 + n}である。\n"
            for n in range(12)
        )
        (folder / f"倉庫{number}.md").write_text(f"# 倉庫規程 {number}\n\n{clauses}", encoding="utf-8")


def main() -> None:
    """Asks in three states with each embedder and prints a line for each."""
    from tests.stubs.embeddings import EmbeddingServer

    server = EmbeddingServer(seconds_per_text=SECONDS_A_TEXT)
    for name, settings in (("embedded", {}), ("server", server.settings)):
        if not sys.argv[1:] or name in sys.argv[1:]:
            print(json.dumps({"benchmark": "yielding", "embedder": name} | _measured(settings)))
    server.stop()


def _measured(settings: dict[str, str]) -> dict[str, object]:
    from tests.journeys.deployment import Deployment

    with tempfile.TemporaryDirectory() as place:
        documents = Path(place) / "documents"
        for name in ("人事", "経費"):
            shutil.copytree(ROOT / "examples" / name, documents / name)
        deployment = Deployment(Path(place), documents, settings)
        with deployment.up("chroma,api"):
            done = deployment.run("ingest", "run", timeout_seconds=900)
            assert done.returncode == 0, done.stderr
            seconds = {"quiet": _asked(deployment)}
            texts = {}
            for name in ("niceness_only", "yielding"):
                folder = Path(place) / name
                write_files(folder)
                before = _embedded(Path(place))
                command = [sys.executable, __file__, "--ingest", str(folder), name]
                environment = deployment.environment | {"PYTHONPATH": str(ROOT)}
                with subprocess.Popen(command, env=environment, cwd=place, stdout=subprocess.DEVNULL) as process:
                    deadline = time.monotonic() + 60
                    while _embedded(Path(place)) == before and time.monotonic() < deadline:
                        time.sleep(0.5)
                    seconds[name] = _asked(deployment)
                    assert process.poll() is None, "the ingestion ended before the questions"
                    process.send_signal(signal.SIGKILL)
                texts[name] = _embedded(Path(place)) - before
    return _line(seconds, texts)


def _embedded(place: Path) -> int:
    """Texts whose vectors the ledger has."""
    with closing(sqlite3.connect(f"file:{place}/var/ledger.db?mode=ro", uri=True)) as ledger:
        return int(ledger.execute("select count(*) from vectors").fetchone()[0])


def _asked(deployment: object) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        for question in QUESTIONS:
            started = time.perf_counter()
            deployment.ask(question).raise_for_status()  # type: ignore[attr-defined]
            taken.append(time.perf_counter() - started)
            time.sleep(PAUSE_SECONDS)
    return taken


def _line(seconds: dict[str, list[float]], texts: dict[str, int]) -> dict[str, object]:
    p50 = {name: float(np.percentile(taken, 50)) for name, taken in seconds.items()}
    p95 = {name: float(np.percentile(taken, 95)) for name, taken in seconds.items()}
    return {
        "questions_each": ROUNDS * len(QUESTIONS),
        **{f"{name}_p50_seconds": round(value, 3) for name, value in p50.items()},
        **{f"{name}_p95_seconds": round(value, 3) for name, value in p95.items()},
        **{f"{name}_texts_embedded": count for name, count in texts.items()},
        "p95_ratio_niceness_only": round(p95["niceness_only"] / p95["quiet"], 2),
        "p95_ratio": round(p95["yielding"] / p95["quiet"], 2),
        "goal": GOAL_P95_RATIO,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ingest"]:
        ingest(Path(sys.argv[2]), yields=sys.argv[3] == "yielding")
    else:
        main()
