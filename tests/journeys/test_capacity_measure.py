"""`assistant capacity measure` on a running stack whose model is a stub with two slots at a known pace."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.deployment import PROXY_SECRET, ROOT, Deployment
from tests.stubs.ollama.process import start_stub_ollama

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SLOTS = 2


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The personnel rules, and a model that writes 40 tokens a second for two people at once."""
    documents = tmp_path / "documents"
    shutil.copytree(ROOT / "examples" / "人事", documents)
    pace = {"tokens_per_second": 40.0, "prefill_seconds": 0.2, "load_seconds": 0.0, "parallel": SLOTS}
    with start_stub_ollama(**pace) as stub:
        given = {"ANSWERS": "ollama", "EMBEDDER": "ollama", "OLLAMA_URL": stub.url, "MODEL_PARALLEL": str(SLOTS)}
        made = Deployment(tmp_path, documents, given)
        with made.up("chroma,api"):
            done = made.run("ingest", "run", timeout_seconds=300)
            assert done.returncode == 0, done.stderr
            yield made


def test_users_are_measured_step_by_step_and_leave_no_trace(deployment: Deployment, tmp_path: Path) -> None:
    report = tmp_path / "report"
    person = {"headers": {"X-Forwarded-User": "measuring-00", "X-Proxy-Secret": PROXY_SECRET}}
    assert deployment.ask("有給休暇は何日前までに申請しますか?", **person).status_code == 200
    done = deployment.run(
        "assistant", "capacity", "measure", "--steps", "1,2,8", "--each", "4", "--people", "9999", "--target", "60",
        "--questions", str(ROOT / "modelfiles/golden"), "--report", str(report), "--json", timeout_seconds=400,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr  # nobody serves 9,999
    told = json.loads(done.stdout)
    assert [step["users"] for step in told["steps"]] == [1, 2, 8]
    ends = [sample["end"] for step in told["steps"] for sample in step["samples"]]
    assert len(ends) == 4 + 4 + 16
    assert set(ends) == {"answered"}, told["steps"]
    waits = [step["wait_p95_seconds"] for step in told["steps"]]
    assert waits[-1] > waits[0], "eight users wait for two slots"
    assert told["findings"]["people"] == 8
    assert told["findings"]["advice"] == "measure_more"
    assert json.loads((report / "report.json").read_text(encoding="utf-8")) == told
    page = (report / "report.md").read_text(encoding="utf-8")
    assert "| 8 | 16 | 16 |" in page
    assert (report / "report.svg").read_text(encoding="utf-8").startswith("<?xml")

    kept = httpx.get(f"{deployment.api_url}/conversations", headers=person["headers"], timeout=60, trust_env=False)
    assert len(kept.json()["conversations"]) == 1, "a person whose name looks like a measurement's keeps what is theirs"
    again = deployment.run("assistant", "capacity", "advise", "--json", "--model", "llama3.1:8b-instruct-q4_K_M")
    assert json.loads(again.stdout)["questions"] == 0, "what was asked for the measurement is forgotten"
