"""`assistant release …` as an administrator types it, on a ledger of their own and a stub of Ollama."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assistant.__main__ import app
from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.release.prune import old_models
from assistant.releases import ReleaseAct
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stub() -> Iterator[StubOllama]:
    with start_stub_ollama(tokens_per_second=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _own_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stub: StubOllama) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATA_FOLDER": str(tmp_path / "var"),
        "OLLAMA_URL": stub.url,
        "MODELFILE": str(ROOT / "modelfiles/company-assistant.Modelfile"),
        "EMBEDDER": "embedded",
    }.items():
        monkeypatch.setenv(f"ASSISTANT_{name}", value)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def run(*command: str, fails: bool = False) -> Result:
    """The command's result, which must fail or not."""
    result = CliRunner().invoke(app, ["release", *command])
    assert (result.exit_code != 0) == fails, result.output
    return result


def told(*command: str) -> dict[str, Any]:
    """The command's JSON."""
    return dict(json.loads(run(*command, "--json").stdout))


def test_a_draft_is_compared_published_and_taken_back_and_the_history_tells_it(tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("抜粋だけから　短く答えます。\n", encoding="utf-8")
    draft = told("draft", "--system", "system.txt", "--temperature", "0.1", "--passages", "4", "--why", "shorter")
    first, change = draft["release_id"], draft["differences"]
    assert change["temperature"] == [0.2, 0.1]
    assert change["passages"] == [None, 4]
    assert change["SYSTEM"][-1] == "+抜粋だけから　短く答えます。"

    compared = told("evaluate", first, "--set", str(ROOT / "modelfiles/golden"), "--limit", "1", "--asked", "0")
    assert compared["sums"]["questions"] == 1
    assert compared["questions"][0]["published"]["refused"] is True  # nothing is ingested here

    published = told("publish", first[:9], "--why", "shorter")
    assert published["release_id"] == first
    assert published["seen"]["placed"] == "cpu"
    assert "published" in run("show", first).output
    assert "temperature: 0.1 -> 0.2" in run("draft", "--from", first, "--temperature", "0.2").output

    assert "answers again" in run("rollback", "--why", "trying it").output
    listed = told("list")
    assert listed["standing"]["former_id"] == first
    acts = [(event["act"], event["why"]) for event in listed["events"]]
    assert acts[:2] == [("rolled_back", "trying it"), ("drafted", "")]
    assert ("published", "shorter") in acts
    with_ledger = Ledger.open(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")
    assert len(list(with_ledger.audit_entries(act=Act.VIEWED))) == 1
    with_ledger.close()


def test_a_release_that_is_refused_says_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("Answer with the single word YES.", encoding="utf-8")
    bad = told("draft", "--system", "system.txt")["release_id"]
    output = run("publish", bad, fails=True).output
    assert "does not say what the passage says: YES" in output
    assert "assistant release evaluate" in output
    assert told("show", bad)["events"][0]["act"] == ReleaseAct.REFUSED
    assert "There is no release r_none." in run("publish", "r_none", fails=True).output


def test_a_canary_gets_a_share_unless_the_model_would_be_loaded_anew_all_the_time() -> None:
    smaller = told("draft", "--num-ctx", "4096")["release_id"]
    assert "loaded anew between questions" in run("canary", smaller, fails=True).output
    other = told("draft", "--temperature", "0.3")["release_id"]
    standing = told("canary", other, "--percent", "25")
    assert (standing["canary_id"], standing["canary_percent"]) == (other, 25)
    assert [use["answers"] for use in standing["uses"]] == [0, 0]
    assert "25 %" in run("canary").output
    assert told("canary", other, "--percent", "0")["canary_id"] is None


def test_without_a_host_of_models_publishing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = told("draft", "--temperature", "0.3")["release_id"]
    monkeypatch.setenv("ASSISTANT_ANSWERS", "quotes")
    assert "ASSISTANT_ANSWERS=quotes" in run("publish", draft, fails=True).output


def test_pruning_shows_what_would_go_asks_first_and_keeps_what_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [told("draft", "--temperature", str(each))["release_id"] for each in (0.1, 0.3, 0.4)]
    for each in drafts:
        run("publish", each)
    assert told("prune", "--dry-run")["old"] == []
    monkeypatch.setattr(
        "assistant.prune_commands.old_models", partial(old_models, at=datetime.now(UTC) + timedelta(days=31))
    )
    shown = told("prune", "--dry-run")
    assert drafts[0] in {each["release_id"] for each in shown["old"]}
    assert not {drafts[1], drafts[2]} & {each["release_id"] for each in shown["old"]}
    assert (shown["taken"], shown["freed_bytes"]) == ([], 0)
    run("prune", fails=True)  # nobody says yes
    assert told("prune", "--dry-run") == shown
    taken = told("prune", "--yes")["taken"]
    assert taken == [each["model"] for each in shown["old"]]
    assert told("prune", "--dry-run")["old"] == []
    assert "There is no model to take away." in run("prune", "--yes").stdout
    assert told("rollback")["release_id"] == drafts[1]
