"""The administrator's way to another embedder, with the real commands and an API that is never restarted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

QUESTION = "How far in advance do I apply for annual paid leave?"
HANDBOOK = {  # in English: the stub's nomic-embed-text is as deaf to Japanese as the real one, and is left out there
    "leave.md": "# Leave\n\n## Applying\n\nApply for annual paid leave three business days in advance.\n",
    "expenses.md": "# Expenses\n\nExpenses are claimed by the fifth of the next month.\n",
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_another_embedder_is_built_compared_switched_to_and_given_up_while_answers_go_on(tmp_path: Path) -> None:
    with start_stub_ollama(models=["nomic-embed-text", "bge-m3"]) as ollama:
        settings = {"EMBEDDER": "ollama", "EMBED_MODEL": "nomic-embed-text", "OLLAMA_URL": ollama.url}
        at = Deployment(tmp_path, tmp_path / "documents", settings)
        at.documents.mkdir()
        for name, text in HANDBOOK.items():
            (at.documents / name).write_text(text, encoding="utf-8")
        with at.up("chroma,api"):
            assert at.run("ingest", "run").returncode == 0
            at.settings["EMBED_MODEL"] = "bge-m3"  # the API that runs does not know

            assert at.run("ingest", "run").returncode == 0
            status = at.status()
            assert (status["rebuild_due"]["configured"]["model"], status["is_true"]) == ("bge-m3", True)
            doctor = json.loads(at.run("assistant", "doctor", "--json").stdout)
            assert "ingest rebuild" in next(state["hint_en"] for state in doctor if state["name"] == "rebuild_due")

            built = at.run("ingest", "rebuild", "--no-switch", "--json")
            assert built.returncode == 0, built.stderr
            compared = json.loads(built.stdout)
            assert (compared["generation"]["state"], compared["is_worse"], compared["kept"]) == ("ready", False, [])
            assert compared["sets"]["probes"]["questions"] > 0
            assert embedders_asked(at, ollama) == {"nomic-embed-text"}

            switched = at.run("ingest", "switch")
            assert "bge-m3" in switched.stdout, switched.stderr
            assert embedders_asked(at, ollama) == {"bge-m3"}
            assert at.status()["rebuild_due"] is None
            listed = json.loads(at.run("ingest", "generations", "--json").stdout)
            assert [entry["state"] for entry in listed] == ["active", "previous"]
            assert [entry["vectors"] == entry["texts"] > 0 for entry in listed] == [True, True]

            assert "nomic-embed-text" in at.run("ingest", "rollback").stdout
            assert embedders_asked(at, ollama) == {"nomic-embed-text"}
            assert at.run("ingest", "rollback").returncode == 1
            assert at.run("ingest", "generations", "--drop-candidate").returncode == 0
            assert at.status()["generation_beside"] is None


def embedders_asked(at: Deployment, ollama: StubOllama) -> set[str]:
    """The models that a question to the running API is embedded with; it is answered from the right document."""
    ollama.forget_requests()
    answer = at.ask(QUESTION).json()
    assert answer["citations"][0]["path"] == "leave.md"
    assert "degraded_search_embedder_mismatch" not in answer["warnings"]
    return {request["body"]["model"] for request in ollama.requests("/api/embed")}
