from __future__ import annotations

import pytest

from assistant.adapters.ledger.folders import KnownDocument
from assistant.domain import DocumentStatus, SourceFile
from assistant.errors import FailureReason, Text, UnreadableDocument
from ingest.plan import Found, Plan, make_plan

HASHES = {"a.md": "A", "b.md": "B", "new/a.md": "A", "c.md": "A"}


def source(path: str, *, size_bytes: int = 10, modified_ns: int = 1) -> SourceFile:
    return SourceFile("handbook", path, size_bytes, modified_ns)


def known(
    path: str,
    sha256: str,
    *,
    status: DocumentStatus = DocumentStatus.INDEXED,
    pipeline_id: str = "p",
) -> dict[str, KnownDocument]:
    return {path: KnownDocument(f"d-{path}", path, 10, 1, sha256, status, "v", pipeline_id)}


def plan_of(
    files: list[SourceFile], documents: dict[str, KnownDocument], *, is_retrying: bool = False
) -> tuple[Plan, list[str]]:
    hashed: list[str] = []

    def hash_of(file: SourceFile) -> str:
        hashed.append(file.path)
        return HASHES[file.path]

    plan = make_plan(
        Found(files), documents, hash_of=hash_of, pipeline_id_of=lambda _path: "p", is_retrying=is_retrying
    )
    return plan, hashed


def test_an_unchanged_file_is_not_even_read() -> None:
    plan, hashed = plan_of([source("a.md")], known("a.md", "A"))
    assert plan.unchanged == ["a.md"]
    assert hashed == []


def test_a_new_file_is_added_and_a_changed_one_keeps_its_identity() -> None:
    plan, _ = plan_of([source("a.md"), source("b.md", modified_ns=2)], known("b.md", "old"))
    assert [(work.kind, work.document_id) for work in plan.work] == [("add", None), ("change", "d-b.md")]


def test_a_file_with_a_new_time_but_the_same_content_is_only_touched() -> None:
    plan, _ = plan_of([source("a.md", modified_ns=2)], known("a.md", "A"))
    assert plan.work == []
    assert [document.path for document, _ in plan.touched] == ["a.md"]
    assert plan.counts()["unchanged"] == 1


def test_a_moved_file_keeps_its_identity_and_is_not_read_again() -> None:
    plan, _ = plan_of([source("new/a.md")], known("a.md", "A"))
    assert plan.work == []
    assert plan.deleted == []
    assert [(document.document_id, file.path) for document, file in plan.moved] == [("d-a.md", "new/a.md")]


def test_of_two_gone_twins_the_one_with_the_same_name_is_the_one_that_moved() -> None:
    documents = known("old/c.md", "A") | known("old/a.md", "A")
    plan, _ = plan_of([source("new/a.md")], documents)
    assert [document.path for document, _ in plan.moved] == ["old/a.md"]
    assert [document.path for document in plan.deleted] == ["old/c.md"]


def test_a_copy_beside_its_original_is_a_new_document() -> None:
    plan, _ = plan_of([source("a.md"), source("c.md")], known("a.md", "A"))
    assert [(work.kind, work.source.path) for work in plan.work] == [("add", "c.md")]


def test_a_file_that_is_gone_is_deleted() -> None:
    plan, _ = plan_of([source("b.md")], known("b.md", "B") | known("a.md", "A"))
    assert [document.path for document in plan.deleted] == ["a.md"]


def test_a_failed_file_waits_for_a_change_or_for_a_person() -> None:
    failed = known("a.md", "A", status=DocumentStatus.FAILED)
    assert plan_of([source("a.md")], failed)[0].work == []
    assert [work.kind for work in plan_of([source("a.md")], failed, is_retrying=True)[0].work] == ["retry"]


def test_a_file_that_an_interrupted_run_had_begun_is_resumed() -> None:
    plan, _ = plan_of([source("a.md")], known("a.md", "A", status=DocumentStatus.PENDING))
    assert [work.kind for work in plan.work] == ["resume"]


def test_another_pipeline_reads_every_file_again() -> None:
    plan, _ = plan_of([source("a.md")], known("a.md", "A", pipeline_id="older"))
    assert [work.kind for work in plan.work] == ["change"]


def test_a_file_that_cannot_be_opened_is_listed_and_the_others_go_on() -> None:
    def hash_of(file: SourceFile) -> str:
        if file.path == "a.md":
            raise UnreadableDocument(Text("x", "x"), Text("x", "x"), reason=FailureReason.NO_PERMISSION)
        return "B"

    found = Found([source("a.md"), source("b.md")])
    plan = make_plan(found, {}, hash_of=hash_of, pipeline_id_of=lambda _path: "p")
    assert [file.path for file, _, _ in plan.unreadable] == ["a.md"]
    assert [work.source.path for work in plan.work] == ["b.md"]


def many(count: int) -> dict[str, KnownDocument]:
    return {path: doc for n in range(count) for path, doc in known(f"{n:02d}.md", f"hash-{n}").items()}


def plan_after_losing(lost: int, *, of: int, allows_deletions: bool = False, found: Found | None = None) -> Plan:
    left = [source(f"{n:02d}.md") for n in range(lost, of)]
    return make_plan(
        found or Found(left),
        many(of),
        hash_of=lambda file: file.path,
        pipeline_id_of=lambda _path: "p",
        allows_deletions=allows_deletions,
    )


@pytest.mark.parametrize(
    ("lost", "of", "is_waiting"),
    [(4, 5, False), (5, 25, False), (6, 25, True), (5, 24, True), (5, 5, True), (1, 1, True), (20, 100, False)],
)
def test_deletions_wait_when_more_than_a_fifth_and_a_handful_is_gone(lost: int, of: int, is_waiting: bool) -> None:
    plan = plan_after_losing(lost, of=of)
    assert (len(plan.waiting), len(plan.deleted)) == ((lost, 0) if is_waiting else (0, lost))
    confirmed = plan_after_losing(lost, of=of, allows_deletions=True)
    assert (len(confirmed.waiting), len(confirmed.deleted)) == (0, lost)


def test_documents_in_a_folder_that_may_not_be_listed_are_kept() -> None:
    documents = known("closed/a.md", "A") | known("closed too/b.md", "B") | known("c.md", "C")
    found = Found([source("c.md")], [("closed", "unreadable")])
    plan = make_plan(found, documents, hash_of=lambda file: "C", pipeline_id_of=lambda _path: "p")
    assert [document.path for document in plan.kept] == ["closed/a.md"]
    assert [document.path for document in plan.deleted] == ["closed too/b.md"]


def test_each_of_many_twins_moves_once() -> None:
    documents = {f"old/{n}.md": known(f"old/{n}.md", "A")[f"old/{n}.md"] for n in range(3000)}
    files = [source(f"new/{n}.md") for n in range(3000)]
    plan = make_plan(Found(files), documents, hash_of=lambda file: "A", pipeline_id_of=lambda _path: "p")
    assert {(document.path[4:], file.path[4:]) for document, file in plan.moved} == {
        (f"{n}.md",) * 2 for n in range(3000)
    }
    assert (plan.work, plan.deleted) == ([], [])
