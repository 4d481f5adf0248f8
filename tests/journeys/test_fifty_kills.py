"""Fifty SIGKILLs at random moments while 300 files are ingested and changed: Chroma, the worker, its parser, the API.

At the end nothing is lost, nothing there twice, no deleted or outdated text is found, and every store can be read. The
seed is printed; `KILLS_SEED` and `KILLS` repeat a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.adapters.ledger import Ledger
from tests.journeys.deployment import PROXY_SECRET, Deployment, wait_until
from tests.stubs.embeddings import EmbeddingServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

FILES = 300
SECTIONS = 6
KILLS = int(os.environ.get("KILLS", "50"))
VICTIMS = {"chroma": 3, "ingest": 3, "parser": 5, "api": 2}
"""How often each is drawn, of thirteen."""
DEATHS_A_MINUTE = 4
"""Of one part; the stack gives up at five."""


class Folder:
    """The folder, and what must be found in it: one word that no other text holds, by path."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.root = root
        self.words: dict[str, str] = {}
        self.outdated: list[str] = []
        self._chance = chance
        self._count = 0

    def add(self) -> None:
        """A new file."""
        self._write(f"{self._chance.choice('abcdefgh')}/規程{self._count}.md")

    def change(self) -> None:
        """Another text in an old file."""
        path = self._any()
        self.outdated.append(self.words[path])
        self._write(path)

    def move(self) -> None:
        """The same text at another place."""
        old = self._any()
        new = f"moved/{self._count}-{Path(old).name}"
        self._count += 1
        (self.root / new).parent.mkdir(exist_ok=True)
        (self.root / old).rename(self.root / new)
        self.words[new] = self.words.pop(old)

    def delete(self) -> None:
        """One file less."""
        path = self._any()
        (self.root / path).unlink()
        self.outdated.append(self.words.pop(path))

    def _any(self) -> str:
        return self._chance.choice(sorted(self.words))

    def _write(self, path: str) -> None:
        self._count += 1
        word = f"QX{self._count:05d}ZK"
        # Texts unlike each other: among near copies Chroma leaves some vectors without a way to them, killed or not
        # (docs/lab-notes.md, 2026-11-26).
        clauses = [
            f"## 第{n}条 {word}の届出\n\n{word}を使う者は、{n + 1}日前までに係へ届け出る。"
            + "".join(f"棚{self._chance.randrange(10**6)}は箱{self._chance.randrange(10**6)}。" for _ in range(20))
            for n in range(SECTIONS)
        ]
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {word}規程\n\n" + "\n\n".join(clauses), encoding="utf-8")
        self.words[path] = word


class Killer(threading.Thread):
    """Kills at random moments, and counts whom."""

    def __init__(self, deployment: Deployment, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._deployment, self._chance = deployment, chance
        self.killed: Counter[str] = Counter()
        self._deaths: dict[str, list[float]] = {}
        self.errors: list[BaseException] = []

    def run(self) -> None:
        """Until there were enough."""
        try:
            while sum(self.killed.values()) < KILLS:
                time.sleep(self._chance.uniform(0.2, 2.5))
                (victim,) = self._chance.choices(list(VICTIMS), weights=list(VICTIMS.values()))
                self._kill(victim)
        except (OSError, ValueError, psutil.Error) as error:
            self.errors.append(error)

    def _kill(self, victim: str) -> None:
        recent = [at for at in self._deaths.get(victim, []) if time.monotonic() - at < 61]
        if victim != "parser" and len(recent) >= DEATHS_A_MINUTE:
            return
        pid = self._parser() if victim == "parser" else self._deployment.pid_of(victim)
        if pid is None or not psutil.pid_exists(pid):
            return
        os.kill(pid, signal.SIGKILL)
        self._deaths[victim] = [*recent, time.monotonic()]
        self.killed[victim] += 1

    def _parser(self) -> int | None:
        try:
            children = psutil.Process(self._deployment.pid_of("ingest")).children(recursive=True)
            return next((child.pid for child in children if "ingest.parsers.child" in child.cmdline()), None)
        except psutil.NoSuchProcess:
            return None


@pytest.fixture
def embedder() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer(seconds_per_text=0.002)
    yield server
    server.stop()


def tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


def found(deployment: Deployment, word: str) -> dict[str, str]:
    """Texts that the search gives for a word, by path."""
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}
    answer = httpx.post(
        f"{deployment.api_url}/search",
        json={"question": word, "limit": 5},
        headers=headers,
        timeout=30,
        trust_env=False,
    )
    answer.raise_for_status()
    return {passage["path"]: passage["text"] for passage in answer.json()["passages"]}


def is_settled(deployment: Deployment, files: int) -> Callable[[], bool]:
    """Whether every file is searchable and proved, and nothing runs any more."""

    def look() -> bool:
        with closing(sqlite3.connect(f"file:{deployment.folder}/var/ledger.db?mode=ro", uri=True)) as ledger:
            live = ledger.execute(
                "select count(*) from documents d join versions v on v.version_id = d.version_id"
                " where d.status in ('indexed', 'warn') and d.deleted_at = '' and v.proof is not null"
            )
            if int(live.fetchone()[0]) != files:
                return False
        status = deployment.status_if_chroma_is_back()
        return status is not None and not status["running_jobs"] and deployment.is_api_back()

    return look


def test_fifty_kills_lose_and_double_nothing_and_leave_nothing_behind(
    tmp_path: Path, embedder: EmbeddingServer
) -> None:
    seed = int(os.environ.get("KILLS_SEED", str(random.randrange(1_000_000))))
    tell(f"seed {seed}")
    chance = random.Random(seed)
    documents = tmp_path / "documents"
    documents.mkdir()
    folder = Folder(documents, chance)
    for _ in range(FILES):
        folder.add()
    settings = embedder.settings | {"SCAN_INTERVAL_SECONDS": "2", "STORE_WAIT_SECONDS": "30"}
    deployment = Deployment(tmp_path, documents, settings)
    with deployment.up("chroma,api,ingest"):
        killer = Killer(deployment, random.Random(seed + 1))
        killer.start()
        number = 0
        while killer.is_alive():
            time.sleep(chance.uniform(0.4, 2.0))
            chance.choice([folder.add, folder.change, folder.change, folder.move, folder.delete])()
            number += 1
            if number % 20 == 0:
                tell(f"change {number}, killed {dict(killer.killed)}")
        assert not killer.errors, killer.errors
        tell(f"{number} changes made, killed {dict(killer.killed)}")
        wait_until(is_settled(deployment, len(folder.words)), timeout_seconds=240, pause_seconds=2)
        tell("settled")
        check(deployment, folder)
    log = (tmp_path / "var/logs/ingest.log").read_text()
    tell(f"indexes made anew: {log.count('index_made_anew')}, mended: {log.count('indexes_mended')}")


def check(deployment: Deployment, folder: Folder) -> None:
    """The promises, one after the other."""
    status = deployment.status()
    assert status["is_true"], status
    # Hashed words take some of 300 like texts for each other, so that a probe question is not always answered.
    searchable = status["documents"].get("indexed", 0) + status["documents"].get("warn", 0)
    assert searchable == sum(status["documents"].values()) == len(folder.words)
    assert status["failures"] == []
    for path, word in folder.words.items():
        hits = found(deployment, f"{word}の届出は何日前までですか")
        assert word in hits.get(path, ""), f"{path} is lost"
    for word in folder.outdated:
        hits = found(deployment, f"{word}の届出は何日前までですか")
        assert not any(word in text for text in hits.values()), f"{word} is outdated and was found"
    ledger = Ledger.open(f"sqlite:///{deployment.folder}/var/ledger.db")
    try:
        check_vectors(deployment, ledger)
    finally:
        ledger.close()
    with closing(sqlite3.connect(deployment.folder / "var/ledger.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        doubled = connection.execute(
            "select document_id from versions where state = 'live' group by document_id having count(*) > 1"
        ).fetchall()
        assert doubled == []


def check_vectors(deployment: Deployment, ledger: Ledger) -> None:
    """Chroma gives each chunk for the chunk's own vector: none is there in name only."""
    generation = ledger.active_generation()
    assert generation is not None
    index = ChromaVectorIndex(url=deployment.settings["CHROMA_URL"])
    chunks = list(ledger.live_chunks())
    vectors = ledger.read_vectors(generation.embedder_id, [chunk.text_hash for chunk in chunks])

    async def missing() -> list[str]:
        lost = []
        for chunk in chunks:
            (hits,) = await index.search(generation.index_name, vectors[chunk.text_hash].reshape(1, -1), limit=10)
            if chunk.text_hash not in {text_hash for text_hash, _ in hits}:
                lost.append(chunk.chunk_id)
        return lost

    lost = asyncio.run(missing())
    tell(f"{len(chunks)} chunks, {len(lost)} not the nearest of their own vector")
    assert len(lost) <= len(chunks) // 100, lost  # an approximate index may miss one
