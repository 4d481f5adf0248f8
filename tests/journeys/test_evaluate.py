"""`assistant evaluate` with real parts: a set is ingested into a deployment of its own, searched, asked and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.assistant.beir import write_beir
from tests.journeys.deployment import ROOT, Deployment

DOCUMENTS = {
    "leave": ("休暇規程", "有給休暇は取得日の3営業日前までに申請する。"),
    "travel": ("出張旅費規程", "国内出張の日当は2,500円とする。"),
    "pump": ("Pump manual", "Error E-17 means that the leak sensor found liquid. Replace the diaphragm."),
    "untitled": ("", "The guard room is open all night. Its extension is 6119."),
}
QUESTIONS = {
    "q-leave": "有給休暇はいつまでに申請しますか?",
    "q-travel": "日当はいくらですか?",
    "q-pump": "What does E-17 mean?",
    "q-guard": "What is the extension of the guard room?",
}
ANSWERS = {"q-leave": "3営業日前", "q-travel": "2,500円", "q-pump": "leak sensor", "q-guard": "6119"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "documents").mkdir()
    (folder / "ingest.toml").write_text('[[rule]]\npath = "**"\ngroups = ["board"]\n', encoding="utf-8")
    return Deployment(folder, folder / "documents")


@pytest.fixture(scope="module")
def beir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    relevant = [(key, key.removeprefix("q-").replace("guard", "untitled"), 1) for key in QUESTIONS]
    return write_beir(
        tmp_path_factory.mktemp("sets") / "small",
        documents=DOCUMENTS,
        questions=QUESTIONS,
        relevant=relevant,
        metadata={key: {"answers": [answer]} for key, answer in ANSWERS.items()},
    )


@pytest.mark.slow
def test_a_beir_folder_is_searched_and_asked_without_touching_the_companys_ledger(
    deployment: Deployment, beir: Path, tmp_path: Path
) -> None:
    done = deployment.run("assistant", "evaluate", str(beir), "--json", "--baselines", timeout_seconds=280)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["metrics"] == {"Hit@5": 1.0, "Recall@5": 1.0, "nDCG@10": 1.0}
    assert (found["questions"], found["documents"]) == (4, 4), "a company's rules do not restrict a set's texts"
    assert "remarks" not in found
    assert found["p95_ms"] >= found["p50_ms"] > 0
    assert set(found["by_language_pair"]) == {"ja-ja", "en-en"}
    assert set(found["baselines"]) == {"bm25_blanks", "dense", "naive_rrf", "ensemble"}
    assert found["answers"]["citation"]["validity"] == 1.0
    assert found["answers"]["containment"] >= 0.75
    assert not (deployment.folder / "var" / "ledger.db").exists(), "the company's own ledger was not even opened"


def test_a_golden_set_without_documents_says_what_to_do(deployment: Deployment, tmp_path: Path) -> None:
    golden = tmp_path / "golden.yaml"
    golden.write_text(
        "- {id: a, language: ja, question: '期限は?', expected_paths: [a.md], must_say: [x], must_refuse: false}\n",
        encoding="utf-8",
    )
    done = deployment.run("assistant", "evaluate", str(golden), "--retrieval-only", LANG="en_US.UTF-8")
    assert done.returncode == 1
    assert "--documents" in done.stderr


@pytest.mark.slow
def test_a_chat_model_that_is_away_is_told_before_anything_is_searched(
    deployment: Deployment, beir: Path, tmp_path: Path
) -> None:
    asked = ("assistant", "evaluate", str(beir), "--keep", str(tmp_path / "kept"))
    away = {"ASSISTANT_ANSWERS": "ollama", "ASSISTANT_OLLAMA_URL": "http://127.0.0.1:9", "LANG": "en_US.UTF-8"}
    done = deployment.run(*asked, timeout_seconds=280, **away)
    assert done.returncode == 1
    assert "Ollama" in done.stderr
    assert "search" not in done.stderr, "the bar of the search"
    done = deployment.run(*asked, "--retrieval-only", timeout_seconds=280, **away)
    assert (done.returncode, "Hit@5      1.000" in done.stdout) == (0, True), done.stderr


@pytest.mark.slow
def test_questions_across_languages_find_their_document_among_those_in_both(
    deployment: Deployment, tmp_path: Path
) -> None:
    asked = ("assistant", "evaluate", str(ROOT / "modelfiles/golden"), "--documents", str(ROOT / "examples"), "--json")
    rules = {"ASSISTANT_RULES_FILE": str(ROOT / "ingest.toml")}
    done = deployment.run(*asked, "--retrieval-only", timeout_seconds=1200, **rules)
    assert done.returncode == 0, done.stderr
    pairs = {pair: of["metrics"]["Hit@5"] for pair, of in json.loads(done.stdout)["by_language_pair"].items()}
    assert pairs.keys() == {"ja-ja", "en-en", "ja-en", "en-ja"}
    assert min(pairs.values()) >= 0.9, pairs


@pytest.mark.slow
def test_golden_questions_obey_the_rules_and_documents_that_are_not_there_are_told(
    deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.md").write_text(
        "# 休暇規程\n\n有給休暇は3営業日前までに申請します。\n", encoding="utf-8"
    )
    (tmp_path / "golden.yaml").write_text(
        "- {id: a, question: 有給休暇の期限は, expected_paths: a.md}\n- {id: b, question: 日当は, expected_paths: b.md}\n",
        encoding="utf-8",
    )
    asked = ("assistant", "evaluate", str(tmp_path / "golden.yaml"), "--documents", str(tmp_path / "documents"))
    done = deployment.run(*asked, "--retrieval-only", LANG="ja_JP.UTF-8", timeout_seconds=280)
    assert done.returncode == 0, done.stderr
    assert "Hit@5      0.000" in done.stdout, "only the board may read it"
    assert "求める文書 1 件が検索できる文書にありません(b.md)" in done.stdout
