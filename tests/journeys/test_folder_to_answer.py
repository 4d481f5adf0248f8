"""The main journey with real parts: a folder becomes answers, and its changes become changes of the answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.deployment import PROXY_SECRET, Deployment

LEAVE = "# 休暇規程\n\n## 第5条 申請\n\n有給休暇は取得日の3営業日前までに申請する。\n"
EXPENSES = "# 経費規程\n\n経費は翌月5日までに精算する。\n"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("journey")
    made = Deployment(folder, folder / "documents")
    made.documents.mkdir()
    with made.up("chroma,api"):
        yield made


@pytest.fixture
def documents(deployment: Deployment) -> Path:
    shutil.rmtree(deployment.documents)
    (deployment.documents / "人事").mkdir(parents=True)
    (deployment.documents / "人事" / "休暇.md").write_text(LEAVE, encoding="utf-8")
    (deployment.documents / "経費.md").write_text(EXPENSES, encoding="utf-8")
    ingest(deployment)
    return deployment.documents


def ingest(deployment: Deployment) -> dict[str, int]:
    done = deployment.run("ingest", "run", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def cited_paths(deployment: Deployment, question: str) -> list[str]:
    return [citation["path"] for citation in deployment.ask(question).json()["citations"]]


def test_a_question_is_answered_with_a_quote_that_is_literally_in_the_source(
    deployment: Deployment, documents: Path
) -> None:
    answer = deployment.ask("有給休暇はいつまでに申請しますか?").json()
    citation = answer["citations"][0]
    source = (documents / citation["path"]).read_text(encoding="utf-8")
    assert "3営業日前" in citation["quote"]
    assert citation["quote"] in source
    assert f"[{citation['number']}]" in answer["answer"]
    assert citation["heading_path"][-1] == "第5条 申請"


def test_a_stream_shows_passages_first_and_ends_once(deployment: Deployment, documents: Path) -> None:
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET, "Accept": "text/event-stream"}
    reply = httpx.post(
        f"{deployment.api_url}/ask",
        json={"question": "経費はいつまでに精算しますか?"},
        headers=headers,
        timeout=60,
        trust_env=False,
    )
    events = [line.removeprefix("event: ") for line in reply.text.splitlines() if line.startswith("event: ")]
    assert events[0] in {"queued", "found"}
    assert events.index("found") < events.index("finished")
    assert [event for event in events if event in {"finished", "error"}] == ["finished"]


@pytest.mark.slow
def test_a_second_run_changes_nothing(deployment: Deployment, documents: Path) -> None:
    counts = ingest(deployment)
    assert {name: counts[name] for name in ("add", "change", "move", "delete", "unchanged", "mended", "chunks")} == {
        "add": 0, "change": 0, "move": 0, "delete": 0, "unchanged": 2, "mended": 0, "chunks": 0,
    }  # fmt: skip


@pytest.mark.slow
def test_a_changed_file_is_changed_in_the_answers(deployment: Deployment, documents: Path) -> None:
    (documents / "人事" / "休暇.md").write_text(LEAVE.replace("3営業日前", "10営業日前"), encoding="utf-8")
    assert ingest(deployment)["change"] == 1
    text = deployment.ask("有給休暇はいつまでに申請しますか?").text
    assert "10営業日前" in text
    assert "日の3営業日前" not in text


@pytest.mark.slow
def test_a_moved_file_is_cited_at_its_new_place_without_reading_it_again(
    deployment: Deployment, documents: Path
) -> None:
    (documents / "総務").mkdir()
    (documents / "人事" / "休暇.md").rename(documents / "総務" / "休暇.md")
    counts = ingest(deployment)
    assert (counts["move"], counts["chunks"]) == (1, 0)
    assert cited_paths(deployment, "有給休暇はいつまでに申請しますか?")[0] == "総務/休暇.md"


def test_a_deleted_file_is_gone_from_answers_and_from_both_indexes(deployment: Deployment, documents: Path) -> None:
    (documents / "経費.md").unlink()
    assert ingest(deployment)["delete"] == 1
    assert "翌月5日" not in deployment.ask("経費はいつまでに精算しますか?").text
    status = deployment.status()
    assert status["is_true"]
    assert status["ledger_chunks"] == 1


def test_the_ledgers_figures_are_told_while_chroma_is_away(deployment: Deployment, documents: Path) -> None:
    away = {"ASSISTANT_CHROMA_URL": "http://127.0.0.1:1", "LC_ALL": "ja_JP.UTF-8"}
    status = deployment.run("ingest", "status", "--json", **away)
    told = json.loads(status.stdout)
    assert status.returncode == 1
    assert (told["ledger_chunks"], told["is_true"], told["indexes"]) == (2, False, {})
    assert "http://127.0.0.1:1" in told["indexes_error"]

    shown = deployment.run("ingest", "status", **away)
    assert shown.returncode == 1
    assert "2  断片" in shown.stdout
    assert "索引を台帳と比べられませんでした" in shown.stdout
    assert "索引が台帳と一致していません" not in shown.stdout


@pytest.mark.slow
def test_rebuilding_from_the_ledger_alone_restores_both_indexes(deployment: Deployment, documents: Path) -> None:
    before = deployment.status()
    shutil.rmtree(deployment.folder / "var" / "lexical")
    assert deployment.run("ingest", "rebuild").returncode == 0
    after = deployment.status()
    assert after["is_true"]
    assert after["ledger_chunks"] == before["ledger_chunks"]
    assert after["generation"]["index_name"] != before["generation"]["index_name"]
    assert cited_paths(deployment, "有給休暇はいつまでに申請しますか?")[0] == "人事/休暇.md"


@pytest.mark.slow
def test_a_lost_index_is_mended_by_the_next_run(deployment: Deployment, documents: Path) -> None:
    shutil.rmtree(deployment.folder / "var" / "lexical")
    assert not deployment.status()["is_true"]
    assert ingest(deployment)["mended"] == 2
    assert deployment.status()["is_true"]


@pytest.mark.slow
def test_a_rule_takes_effect_at_the_next_run_without_reading_anything_again(
    deployment: Deployment, documents: Path
) -> None:
    rules = deployment.folder / "ingest.toml"
    rules.write_text('[[rule]]\npath = "人事/**"\ngroups = ["hr"]\n', encoding="utf-8")
    try:
        counts = ingest(deployment)
        assert (counts["regrouped"], counts["chunks"]) == (1, 0)
        assert "人事/休暇.md" not in deployment.ask("有給休暇はいつまでに申請しますか?").text
        assert deployment.run("assistant", "users", "set-groups", "aiko", "hr").returncode == 0
        asked = deployment.run("assistant", "ask", "有給休暇はいつまでに申請しますか?", "--as", "aiko")
        assert "人事/休暇.md" in asked.stdout
    finally:
        rules.write_text("", encoding="utf-8")  # a file that is gone would open nothing
        ingest(deployment)
    assert cited_paths(deployment, "有給休暇はいつまでに申請しますか?")[0] == "人事/休暇.md"


@pytest.mark.slow
def test_a_second_ingestion_at_the_same_time_is_told_to_wait(deployment: Deployment, documents: Path) -> None:
    import fcntl

    with (deployment.folder / "var" / "ingest.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = deployment.run("ingest", "run", LANG="ja_JP.UTF-8")
    assert done.returncode == 75
    assert "別の取り込みが実行中です" in done.stderr


def test_a_question_of_emoji_alone_is_refused_without_an_error(deployment: Deployment, documents: Path) -> None:
    answer = deployment.ask("🎉🎉").json()
    assert (answer["refused"], answer["reason"]) == (True, "unreadable_question")


def test_the_command_line_asks_and_searches_like_the_api(deployment: Deployment, documents: Path) -> None:
    asked = json.loads(deployment.run("assistant", "ask", "経費の精算期限は?", "--json").stdout)
    searched = json.loads(deployment.run("assistant", "search", "経費の精算期限は?", "--json").stdout)
    assert asked["citations"][0]["path"] == "経費.md"
    assert [p["path"] for p in searched["passages"]] == [p["path"] for p in asked["passages"]]
