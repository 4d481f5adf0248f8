"""The screens of documents and of ingestion against the product's own API, by Streamlit's test runner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.unanswered import question_key
from assistant.domain import DocumentStatus, Principal, SourceFile
from assistant.errors import FailureReason
from assistant.settings import Settings
from tests.api.canned import ANSWER, PROXY_SECRET, RULE, CannedAssistant, RunningServer, write_document
from ui.words import documents, ingestion, open_questions, receipts, uploads, use

PATIENCE_SECONDS = 60


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Two documents, one of them for the board alone, and a file that could not be read."""
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    root = tmp_path / "handbook"
    for path in ("人事/休暇_規程.txt", "限定/報酬.txt"):
        document_id = write_document(opened, root, path, data=RULE.encode(), media_type="text/plain", encoding="utf-8")
        if path.startswith("限定"):
            opened.set_document_groups(document_id, ["board"])
    locked, _ = opened.begin_attempt(None, SourceFile("handbook", "名簿.pdf", 10, 1), sha256="0" * 64)
    opened.record_failure(
        locked, reason=FailureReason.ENCRYPTED, detail="鍵を外してください。\nUnlock it.", status=DocumentStatus.FAILED
    )
    opened.set_groups("chie", ["administrators"])
    yield opened
    opened.close()


@pytest.fixture
def api(ledger: Ledger, tmp_path: Path) -> Iterator[RunningServer]:
    """The API over that ledger, with an inbox."""
    settings = Settings(
        _env_file=None,
        proxy_secret=PROXY_SECRET,
        documents_folder=tmp_path / "handbook",
        uploads={"folder": tmp_path / "inbox"},  # type: ignore[arg-type]
    )
    with RunningServer(settings, CannedAssistant(ledger)) as server:
        yield server


def script(api_url: str, user: str, secret: str, screen: str) -> None:
    """One screen alone: the test runner cannot turn to a page that is a function."""
    from importlib import import_module

    from ui.client import ApiClient
    from ui.visit import Visit

    visit = Visit(ApiClient(api_url, user, proxy_secret=secret, language="ja"), "ja", timezone="Asia/Tokyo")
    import_module(f"ui.screens.{screen}").show(visit)


def opened(api: RunningServer, screen: str, *, user: str = "chie") -> AppTest:
    """The screen as that person sees it."""
    page = AppTest.from_function(
        script, args=(api.url, user, PROXY_SECRET, screen), default_timeout=PATIENCE_SECONDS
    ).run()
    assert not page.exception
    return page


def shown(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(str(part.proto.body) for part in page.get("html"))


def press(page: AppTest, label: str) -> None:
    next(found for found in page.button if found.label == label).click().run()


def test_a_document_is_opened_from_the_list_and_its_receipt_is_in_plain_words(api: RunningServer) -> None:
    page = opened(api, "documents", user="ben")
    assert "名簿.pdf" in shown(page)
    assert "報酬" not in shown(page)
    assert uploads.UPLOADS_TITLE.ja not in [box.label for box in page.expander]
    press(page, "休暇\\_規程")
    assert receipts.SEARCHABLE.ja in shown(page)
    assert "人事/休暇_規程.txt" in shown(page)
    press(page, documents.BACK.ja)
    next(box for box in page.selectbox if box.label == documents.DOCUMENTS_KIND.ja).set_value("pdf").run()
    assert "休暇" not in shown(page)
    press(page, "名簿")
    assert "鍵を外してください。" in shown(page)


def test_only_those_who_may_are_offered_to_bring_files(api: RunningServer) -> None:
    page = opened(api, "documents")
    assert uploads.UPLOADS_TITLE.ja in [box.label for box in page.expander]


def test_a_file_brought_by_mistake_is_taken_back_and_that_is_said(api: RunningServer, tmp_path: Path) -> None:
    with api.client(user="chie") as client:
        brought = client.post("/uploads", params={"name": "[誤]送信 _1_.txt"}, content="間違えた。".encode())
    assert brought.status_code == 202, brought.text
    path = brought.json()["upload"]["path"]
    assert (tmp_path / "inbox" / path).exists()
    page = opened(api, "documents")
    assert "送信" in shown(page)
    press(page, uploads.TAKE_BACK_REALLY.ja)
    assert any("取り消しました" in said.value for said in page.success)
    assert not (tmp_path / "inbox" / path).exists()
    assert uploads.TAKE_BACK_REALLY.ja not in [found.label for found in page.button]


def test_administrators_see_what_failed_and_ask_for_a_plan_and_a_retry(api: RunningServer, ledger: Ledger) -> None:
    page = opened(api, "ingestion")
    labels = [box.label for box in page.expander]
    assert any(documents.FAILURES[FailureReason.ENCRYPTED].ja in label for label in labels)
    assert [info.value for info in page.info] == ["鍵を外してください。"]
    press(page, ingestion.PLAN.ja)
    (job,) = ledger.list_jobs()
    assert (job.kind, job.requested_by) == ("plan", "chie")
    file = {"path": "人事/新規.txt", "bytes": 3, "note": None, "groups": ["everyone"]}
    found = {
        "counts": {"add": 1},
        "files": {"add": [file]},
        "read_files": 1,
        "read_bytes": 3,
        "seconds": 90.0,
        "runs": 2,
    }
    ledger.finish_job(job.job_id, counts={"add": 1}, error=None, result=found)
    page.run()
    tables = [table.value.to_string() for table in page.dataframe]
    assert any("人事/新規.txt" in table for table in tables)
    press(page, ingestion.RETRY.ja)
    assert {job.kind for job in ledger.list_jobs()} == {"plan", "retry"}


def test_who_is_no_administrator_is_told_so(api: RunningServer) -> None:
    page = opened(api, "ingestion", user="ben")
    assert "admin" in shown(page)


def test_administrators_see_open_questions_give_them_to_an_owner_and_compute_the_cost(
    api: RunningServer, ledger: Ledger
) -> None:
    refused = replace(ANSWER, refused=True, reason="not_in_documents", citations=())
    ledger.save_answer(refused, question="社宅は*?*", principal=Principal("ben"))
    page = opened(api, "questions")
    assert any("社宅は" in box.label for box in page.expander)
    page.text_input[0].set_value("総務部")
    press(page, open_questions.ASSIGN.ja)
    key = question_key("社宅は*?*")
    assert ledger.question_states([key])[key].owner == "総務部"
    page = opened(api, "use")
    assert [metric.value for metric in page.metric][:2] == ["1", "1"]
    assert use.ENTER_PRICES.ja in [info.value for info in page.info]
    next(box for box in page.number_input if box.label == use.CLOUD_PROMPT.ja).set_value(1e6)
    press(page, use.SAVE_PRICES.ja)
    assert "900 JPY" in [metric.value for metric in page.metric]
