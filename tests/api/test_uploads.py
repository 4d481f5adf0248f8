"""/uploads: a file lands whole in a place of the person's own, under the same rules as every other file."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.domain import DocumentStatus, JobState, Principal, SourceFile
from assistant.errors import FailureReason
from assistant.wire_library import UploadedOut, UploadsOut
from tests.api.canned import PROXY_SECRET, RunningServer, write_document
from tests.api.conftest import StartServer

RULE = "出張旅費は10日以内に精算する。".encode()


@pytest.fixture
def aiko(start_server: StartServer, ledger: Ledger, tmp_path: Path) -> Iterator[httpx.Client]:
    """Aiko, who may upload as a member of `clerks`."""
    ledger.set_groups("aiko", ["clerks"])
    server = start_server(uploads={"folder": tmp_path / "inbox", "groups": "clerks office"}, file_limit_bytes=4096)
    with server.client(user="aiko") as client:
        yield client


def send(client: httpx.Client, name: str, content: bytes = RULE, **more: str) -> httpx.Response:
    """One upload."""
    return client.post("/uploads", params={"name": name, **more}, content=content)


def test_an_upload_lands_in_the_persons_own_place_and_is_ingested_next(
    aiko: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    response = send(aiko, "旅費.txt")
    assert response.status_code == 202
    done = UploadedOut.model_validate(response.json())
    assert (done.outcome, done.sha256, done.upload.state) == ("new", hashlib.sha256(RULE).hexdigest(), "waiting")
    assert (tmp_path / "inbox/aiko/旅費.txt").read_bytes() == RULE
    job = ledger.get_job(done.job_id)
    assert (job.kind, job.folder, job.requested_by) == ("run", str((tmp_path / "inbox").resolve()), "aiko")
    (entry,) = ledger.audit_entries(act=Act.UPLOADED)
    assert (entry.actor, entry.subject, entry.details["bytes"]) == ("aiko", "aiko/旅費.txt", len(RULE))


def test_many_uploads_wait_for_one_ingestion(aiko: httpx.Client, ledger: Ledger) -> None:
    jobs = {send(aiko, f"{number}.txt").json()["job_id"] for number in range(4)}
    assert len(jobs) == 1
    assert len(ledger.list_jobs()) == 1


def test_another_content_needs_a_word_to_become_a_new_version(aiko: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "inbox/aiko/旅費.txt"
    send(aiko, "旅費.txt")
    assert send(aiko, "旅費.txt").json()["outcome"] == "same"
    refused = send(aiko, "旅費.txt", b"another")
    assert (refused.status_code, refused.json()["code"]) == (409, "upload_exists")
    assert file.read_bytes() == RULE
    assert send(aiko, "旅費.txt", b"another", replace="true").json()["outcome"] == "replaced"
    assert file.read_bytes() == b"another"
    assert [found.name for found in file.parent.iterdir()] == ["旅費.txt"]


def test_nobody_reaches_the_files_of_another_person(start_server: StartServer, ledger: Ledger, tmp_path: Path) -> None:
    server = start_server(uploads={"folder": tmp_path / "inbox", "groups": "everyone"})
    with server.client(user="aiko") as aiko, server.client(user="chie") as chie:
        send(aiko, "旅費.txt")
        answer = send(chie, "旅費.txt", b"mine", replace="true")
        assert answer.json()["outcome"] == "new"
        assert [one["path"] for one in chie.get("/uploads").json()["uploads"]] == ["chie/旅費.txt"]
        assert "aiko" not in chie.get("/uploads").text
    assert (tmp_path / "inbox/aiko/旅費.txt").read_bytes() == RULE


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("旅費.txt", b"x" * 4097, 413, "body_too_large"),
        ("旅費.txt", b"", 422, "upload_refused"),
        (".htaccess", RULE, 422, "upload_refused"),
        ("旅費", RULE, 422, "upload_refused"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_and_leaves_nothing(
    aiko: httpx.Client, tmp_path: Path, name: str, content: bytes, status: int, code: str
) -> None:
    response = send(aiko, name, content)
    assert (response.status_code, response.json()["code"]) == (status, code)
    undeclared = aiko.post("/uploads", params={"name": name}, content=iter([content]))
    assert (undeclared.status_code, undeclared.json()["code"]) == (status, code)
    assert [file for file in (tmp_path / "inbox").rglob("*") if file.is_file()] == []
    assert aiko.get("/uploads").json()["uploads"] == []


def test_an_upload_that_breaks_off_leaves_nothing(server: RunningServer, ledger: Ledger, tmp_path: Path) -> None:
    ledger.set_groups("aiko", ["administrators"])
    head = (
        "POST /uploads?name=a.txt HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: aiko\r\n"
        f"X-Proxy-Secret: {PROXY_SECRET}\r\nContent-Length: 1000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + b"half")
        wait_for(lambda: list((tmp_path / "inbox/aiko").glob(".upload-*")))
    wait_for(lambda: not list((tmp_path / "inbox/aiko").iterdir()))
    assert ledger.list_jobs() == []


def wait_for(condition: object) -> None:
    """Returns once it holds."""
    deadline = time.monotonic() + 100
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_only_members_and_keys_with_the_scope_may_bring_files(
    start_server: StartServer, ledger: Ledger, tmp_path: Path
) -> None:
    server = start_server(uploads={"folder": tmp_path / "inbox", "groups": "clerks"})
    key = ledger.create_key("scanner", scopes=["documents", "ingest"])
    with server.client(user="ben") as ben, server.client(user=None, Authorization=f"Bearer {key}") as scanner:
        assert (send(ben, "a.txt").status_code, ben.get("/uploads").status_code) == (403, 403)
        assert send(scanner, "a.txt").status_code == 202
    assert (tmp_path / "inbox" / "app%3Ascanner" / "a.txt").exists()
    without = start_server(uploads={})
    ledger.set_groups("ben", ["administrators"])
    with without.client(user="ben") as ben:
        assert send(ben, "a.txt").status_code == 404


def test_the_list_tells_how_each_file_went_and_opens_only_what_may_be_read(
    aiko: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    for name in ("読めた.txt", "秘密.txt", "壊れた.pdf", "これから.txt"):
        send(aiko, name)
    inbox = (tmp_path / "inbox").resolve()
    folder = ledger.register_folder(inbox)
    ids = {}
    for name, groups in (("読めた.txt", ["everyone"]), ("秘密.txt", ["board"]), ("壊れた.pdf", ["everyone"])):
        stat = (inbox / "aiko" / name).stat()
        source = SourceFile(folder, f"aiko/{name}", stat.st_size, stat.st_mtime_ns)
        ids[name], _ = ledger.begin_attempt(None, source, sha256="0" * 64, groups=groups)
    ledger.record_failure(
        ids["壊れた.pdf"], reason=FailureReason.CORRUPT, detail="壊れています。\nBroken.", status=DocumentStatus.FAILED
    )
    listed = {one.name: one for one in UploadsOut.model_validate(aiko.get("/uploads").json()).uploads}
    assert {name: one.state for name, one in listed.items()} == {
        "読めた.txt": "pending",
        "秘密.txt": "pending",
        "壊れた.pdf": "failed",
        "これから.txt": "waiting",
    }
    assert listed["読めた.txt"].document_id == ids["読めた.txt"]
    assert listed["秘密.txt"].document_id is None
    assert (listed["壊れた.pdf"].reason, listed["壊れた.pdf"].detail) == ("corrupt", "壊れています。\nBroken.")
    send(aiko, "読めた.txt", b"newer", replace="true")
    newer = UploadsOut.model_validate(aiko.get("/uploads").json())
    assert {one.name: one.state for one in newer.uploads}["読めた.txt"] == "waiting"
    assert newer.job is not None
    assert newer.job.state == "queued"


def test_what_was_brought_by_mistake_is_taken_back_from_the_disk_and_from_every_answer(
    aiko: httpx.Client, ledger: Ledger, tmp_path: Path
) -> None:
    path = send(aiko, "旅費.txt").json()["upload"]["path"]
    inbox = (tmp_path / "inbox").resolve()
    document_id = write_document(ledger, inbox, path, data=RULE, media_type="text/plain", encoding="utf-8")
    ben = Principal("ben")
    assert [document.document_id for document in ledger.list_documents(principal=ben)[0]] == [document_id]
    assert ledger.claim_job(worker="w") is not None
    assert aiko.delete(f"/uploads/{path}").status_code == 204
    assert list((tmp_path / "inbox/aiko").iterdir()) == []
    assert ledger.list_documents(principal=ben)[0] == []
    assert aiko.get("/uploads").json()["uploads"] == []
    (entry,) = ledger.audit_entries(act=Act.UPLOAD_TAKEN_BACK)
    assert (entry.actor, entry.subject, entry.details) == ("aiko", path, {"document_id": document_id})
    assert [job.state for job in ledger.list_jobs()].count(JobState.QUEUED) == 1, "the indexes are cleared next"
    again = aiko.delete(f"/uploads/{path}")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


def test_uploads_of_others_do_not_exist_for_anybody_but_administrators(
    start_server: StartServer, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.set_groups("chie", ["administrators"])
    key = ledger.create_key("folder", scopes=["ingest"])
    server = start_server(uploads={"folder": tmp_path / "inbox", "groups": "everyone"})
    file = tmp_path / "inbox/aiko/旅費.txt"
    with (
        server.client(user="aiko") as aiko,
        server.client(user="dan") as dan,
        server.client(user=None, Authorization=f"Bearer {key}") as app,
        server.client(user="chie") as chie,
    ):
        send(aiko, "旅費.txt")
        missing = dan.delete("/uploads/aiko/other.txt")
        for client in (dan, app):
            refused = client.delete("/uploads/aiko/旅費.txt")
            assert refused.status_code == 404
            for word in ("detail", "hint", "code"):
                assert refused.json()[word] == missing.json()[word], "as if there were none"
        assert file.exists()
        assert list(ledger.audit_entries(act=Act.UPLOAD_TAKEN_BACK)) == []
        assert chie.delete("/uploads/aiko/旅費.txt").status_code == 204
    assert not file.exists()
    (entry,) = ledger.audit_entries(act=Act.UPLOAD_TAKEN_BACK)
    assert (entry.actor, entry.subject) == ("chie", "aiko/旅費.txt")


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "%2e%2e/secret.txt", "chie/..%2f..%2fsecret.txt", "chie/%2e%2e", "./a.txt", "link/secret.txt"],
)
def test_nothing_outside_the_inbox_can_be_taken_back(
    start_server: StartServer, ledger: Ledger, tmp_path: Path, path: str
) -> None:
    ledger.set_groups("chie", ["administrators"])
    server = start_server(uploads={"folder": tmp_path / "inbox"})
    outside = tmp_path / "secret.txt"
    outside.write_bytes(RULE)
    (tmp_path / "inbox/chie").mkdir(parents=True)
    (tmp_path / "inbox/link").symlink_to(tmp_path)
    head = f"DELETE /uploads/{path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: chie\r\nX-Proxy-Secret: {PROXY_SECRET}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).split()[1] == b"404"
    assert outside.read_bytes() == RULE


def test_a_draft_that_is_still_being_sent_cannot_be_taken_back(aiko: httpx.Client, tmp_path: Path) -> None:
    draft = tmp_path / "inbox/aiko/.upload-1"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(RULE)
    assert aiko.delete("/uploads/aiko/.upload-1").status_code == 404
    assert draft.exists()
