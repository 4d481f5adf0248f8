"""SIGKILL of each process in turn during an ingestion of the examples: nothing lost, nothing twice, status true."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.deployment import ROOT, Deployment, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    documents = tmp_path / "documents"
    shutil.copytree(ROOT / "examples", documents)
    return Deployment(tmp_path, documents, {"SCAN_INTERVAL_SECONDS": "3"})


def searchable(deployment: Deployment) -> int:
    """Documents live in the ledger, read without disturbing it."""
    with closing(sqlite3.connect(f"file:{deployment.folder}/var/ledger.db?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from documents where version_id is not null").fetchone()[0])


def chunk_ids(deployment: Deployment) -> list[str]:
    with closing(sqlite3.connect(f"file:{deployment.folder}/var/ledger.db?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "select c.chunk_id from chunks c join documents d on d.version_id = c.version_id where d.deleted_at = ''"
        )
        return [row[0] for row in rows]


def is_at_rest(deployment: Deployment) -> bool:
    """Whether nothing is left to do; not while Chroma, killed last, is not back."""
    status = deployment.status_if_chroma_is_back()
    return status is not None and not status["running_jobs"] and set(status["documents"]) == {"indexed"}


def test_killing_each_process_during_an_ingestion_loses_and_doubles_nothing(deployment: Deployment) -> None:
    files = [path for path in deployment.documents.rglob("*") if path.is_file()]
    with deployment.up("chroma,api,ingest,ui"):
        for part, after in (("ingest", 1), ("chroma", 8), ("api", 16), ("ui", 20), ("ingest", 26), ("chroma", 32)):
            wait_until(lambda after=after: searchable(deployment) >= after, timeout_seconds=200)
            os.kill(deployment.pid_of(part), signal.SIGKILL)
        wait_until(lambda: searchable(deployment) == len(files), timeout_seconds=300)
        # What went live while the vector index was being restarted is asked for by the next look at the folder.
        wait_until(lambda: is_at_rest(deployment), timeout_seconds=100, pause_seconds=2)
        status = deployment.status()
        assert status["is_true"], status
        assert status["documents"] == {"indexed": len(files)}
        assert status["failures"] == []
        ids = chunk_ids(deployment)
        assert len(ids) == len(set(ids)) == status["ledger_chunks"]
        answer = deployment.ask("有給休暇はいつまでに申請しますか?").json()
        assert "3営業日前" in answer["answer"]
