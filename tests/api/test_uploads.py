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
from assistant.domain import DocumentStatus, SourceFile
from assistant.errors import FailureReason
from assistant.wire_library import UploadedOut, UploadsOut
from tests.api.canned import PROXY_SECRET, RunningServer
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
    deadline = time.monotonic() + 20
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
