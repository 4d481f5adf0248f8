"""/admin/…: numbers, folders, questions without an answer; only for administrators, and never who asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assistant.adapters.ledger import Ledger
from assistant.domain import AnswerMode, DocumentStatus, Principal, SourceFile
from assistant.errors import FailureReason
from assistant.wire_admin import FoldersOut, IngestionOut, OpenQuestionsOut, RatingsOut, UsageOut
from tests.api.canned import ANSWER, RULE, RunningServer, write_document


@pytest.fixture
def admin(server: RunningServer, ledger: Ledger) -> Iterator[httpx.Client]:
    """A client with the admin scope alone."""
    with server.client(user=None, Authorization="Bearer " + ledger.create_key("chie", scopes=["admin"])) as client:
        yield client


def asked(ledger: Ledger, number: int, question: str, *, by: str, reason: str | None = None) -> None:
    """One answer; with a reason it is a refusal."""
    answer = replace(
        ANSWER,
        answer_id=f"a_{number}",
        conversation_id=f"c_{by}",
        citations=(),
        refused=reason is not None,
        reason=reason,
        mode=AnswerMode.QUOTES if number == 1 else AnswerMode.GENERATED,
    )
    ledger.save_answer(answer, question=question, principal=Principal(by))


@pytest.fixture(autouse=True)
def questions(ledger: Ledger) -> None:
    """Four questions of two people, two refused, one rated down."""
    asked(ledger, 1, "有給の期限は?", by="ben")
    asked(ledger, 2, "社宅は?", by="ben", reason="not_in_documents")
    asked(ledger, 3, "社宅は?", by="dan", reason="not_in_documents")
    asked(ledger, 4, "経費は?", by="dan")
    ledger.save_feedback("a_4", rating="down", reason="wrong", text="違う", principal=Principal("dan"))
    ledger.save_feedback("a_1", rating="up", reason=None, text=None, principal=Principal("ben"))


def test_use_is_told_in_numbers_by_day(admin: httpx.Client) -> None:
    usage = UsageOut.model_validate(admin.get("/admin/usage", params={"days": 7}).json())
    (day,) = usage.days
    assert (day.questions, day.refused, day.quotes, day.askers, day.up, day.down) == (4, 2, 1, 2, 1, 1)
    assert day.mean_seconds == pytest.approx(0.5)
    assert (usage.questions, usage.refused, usage.up, usage.down) == (4, 2, 1, 1)


def test_questions_without_an_answer_are_told_by_how_often(admin: httpx.Client) -> None:
    response = admin.get("/admin/unanswered")
    open_questions = OpenQuestionsOut.model_validate(response.json()).questions
    assert [(q.question, q.reason, q.times) for q in open_questions] == [
        ("社宅は?", "not_in_documents", 2),
        ("経費は?", "rated_down", 1),
    ]
    assert len(admin.get("/admin/unanswered", params={"limit": 1}).json()["questions"]) == 1
    assert "dan" not in response.text
    assert "ben" not in response.text


def test_ratings_are_paged_with_their_questions(admin: httpx.Client) -> None:
    first = RatingsOut.model_validate(admin.get("/admin/feedback", params={"limit": 1}).json())
    rest = RatingsOut.model_validate(admin.get("/admin/feedback", params={"cursor": first.next}).json())
    assert [(f.question, f.rating) for f in (*first.feedback, *rest.feedback)] == [
        ("有給の期限は?", "up"),
        ("経費は?", "down"),
    ]
    down = RatingsOut.model_validate(admin.get("/admin/feedback", params={"rating": "down"}).json())
    assert [(f.text, f.reason) for f in down.feedback] == [("違う", "wrong")]


def test_folders_are_told_with_counts_and_their_last_ingestion(
    admin: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    root = tmp_path / "handbook"
    write_document(ledger, root, "a.txt", data=RULE.encode(), media_type="text/plain", encoding="utf-8")
    job = ledger.start_job("run", folder=str(root), worker="w")
    ledger.finish_job(job.job_id, counts={"add": 1}, error=None)
    (folder,) = FoldersOut.model_validate(admin.get("/admin/folders").json()).folders
    assert (folder.folder, folder.documents) == ("handbook", {"indexed": 1})
    assert folder.last_job is not None
    assert (folder.last_job.state, folder.last_job.counts) == ("done", {"add": 1})


def test_one_who_only_asks_sees_no_numbers(server: RunningServer) -> None:
    with server.client() as ben:
        for address in ("usage", "folders", "unanswered", "feedback"):
            assert ben.get(f"/admin/{address}").status_code == 403


def test_what_ingestion_left_behind_is_counted_whole_and_named_only_where_it_may_be_read(
    admin: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.register_folder(tmp_path / "handbook")
    for path, groups in (("a.pdf", ["everyone"]), ("限定/b.pdf", ["board"])):
        document_id, _ = ledger.begin_attempt(None, SourceFile("handbook", path, 10, 1), sha256="0" * 64, groups=groups)
        ledger.record_failure(
            document_id, reason=FailureReason.ENCRYPTED, detail="外して。\nUnlock.", status=DocumentStatus.FAILED
        )
    response = admin.get("/admin/ingestion", headers={"Accept-Language": "en"})
    (failure,) = IngestionOut.model_validate(response.json()).failures
    assert (failure.code, failure.count) == ("encrypted", 2)
    assert [(file.path, file.detail) for file in failure.files] == [("a.pdf", "Unlock.")]
    assert "限定" not in response.text
