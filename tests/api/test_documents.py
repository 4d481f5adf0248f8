"""GET /documents…: lists, one document, receipts, originals; what may not be read does not seem to exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.people import User
from assistant.users_file import sync_users
from assistant.wire import DocumentOut, DocumentsOut
from assistant.wire_excerpt import ExcerptOut
from tests.api.canned import RULE, RunningServer, write_document
from tests.api.conftest import StartServer

TEXT = (RULE + "\n") * 400
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
JAPANESE_NAME = "人事/休暇規程 (2026年版)\u3000改訂.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The ingested folder."""
    return tmp_path / "handbook"


@pytest.fixture
def leave_id(ledger: Ledger, root: Path) -> str:
    """A Shift_JIS text with a Japanese name that everyone may read."""
    data = TEXT.encode("cp932")
    return write_document(ledger, root, JAPANESE_NAME, data=data, media_type="text/plain", encoding="cp932")


@pytest.fixture
def secret_id(ledger: Ledger, root: Path) -> str:
    """Chie's document, which Dan may not see."""
    document_id = write_document(ledger, root, "役員/報酬.pdf", data=PDF, media_type="application/pdf", encoding=None)
    ledger.set_groups("chie", ["役員"])
    ledger.set_document_groups(document_id, ["役員"])
    return document_id


def test_documents_are_listed_page_by_page(server: RunningServer, ledger: Ledger, root: Path) -> None:
    for number in range(5):
        write_document(ledger, root, f"経費/{number}.md", data=b"# x", media_type="text/markdown", encoding="utf-8")
    paths, cursor = [], None
    with server.client() as client:
        for _ in range(3):
            page = client.get("/documents", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
            documents = DocumentsOut.model_validate(page.json())
            paths += [document.path for document in documents.documents]
            cursor = documents.next
    assert paths == [f"経費/{number}.md" for number in range(5)]
    assert cursor is None


def test_documents_are_narrowed_by_words_folder_and_state(
    server: RunningServer, ledger: Ledger, root: Path, leave_id: str
) -> None:
    write_document(ledger, root, "経費/出張.md", data=b"# x", media_type="text/markdown", encoding="utf-8")
    with server.client() as client:

        def found(**params: str) -> list[str]:
            answer = client.get("/documents", params=params)
            assert answer.status_code == 200, answer.text
            return [document["path"] for document in answer.json()["documents"]]

        assert found(query="休暇") == [JAPANESE_NAME]
        assert found(folder="経費/") == ["経費/出張.md"]
        assert found(query="%") == []
        assert len(found(status="indexed")) == 2
        assert found(status="failed") == []
        assert len(found(query="", folder="")) == 2


def test_the_text_is_read_part_by_part(server: RunningServer, ledger: Ledger, leave_id: str, secret_id: str) -> None:
    parts, start = [], 0
    with server.client() as client:
        while True:
            part = ExcerptOut.model_validate(
                client.get(f"/documents/{leave_id}/text", params={"start": start, "limit": 10}).json()
            )
            assert (part.start, part.end - part.start, part.characters) == (start, len(part.text), len(RULE))
            parts.append(part.text)
            start = part.end
            if part.end == part.characters:
                break
        assert "".join(parts) == RULE
        assert [entry.documents for entry in ledger.audit_entries(act=Act.OPENED)] == [(leave_id,)]
        assert client.get(f"/documents/{leave_id}/text", params={"start": 10**9}).json()["text"] == ""
        assert client.get(f"/documents/{leave_id}/text", params={"limit": 0}).status_code == 422
        hidden, missing = (client.get(f"/documents/{d}/text", headers={"X-Request-Id": "r"}) for d in (secret_id, "no"))
        assert (hidden.status_code, hidden.text) == (404, missing.text)


def test_one_document_and_its_receipt_are_shown(server: RunningServer, leave_id: str) -> None:
    with server.client() as client:
        document = DocumentOut.model_validate(client.get(f"/documents/{leave_id}").json())
        receipt = client.get(f"/documents/{leave_id}/receipt").json()
    assert (document.path, document.status, document.media_type) == (JAPANESE_NAME, "indexed", "text/plain")
    assert document.modified.endswith("+00:00")
    assert document.size_bytes == len(TEXT.encode("cp932"))
    assert (receipt["encoding"], receipt["document_id"]) == ("cp932", leave_id)


def test_a_text_opens_in_the_browser_with_its_own_charset_and_japanese_name(
    server: RunningServer, leave_id: str
) -> None:
    with server.client() as client:
        response = client.get(f"/documents/{leave_id}/file")
    assert response.status_code == 200
    assert response.content == TEXT.encode("cp932")
    assert response.headers["content-type"] == "text/plain; charset=shift_jis"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("inline; filename*=utf-8''")
    assert unquote(disposition.partition("''")[2]) == JAPANESE_NAME.rpartition("/")[2]
    assert disposition.isascii()
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "private, no-cache"


def test_a_pdf_opens_in_the_browser(server: RunningServer, secret_id: str) -> None:
    with server.client(user="chie") as client:
        response = client.get(f"/documents/{secret_id}/file")
    assert response.content == PDF
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"].startswith("inline;")


@pytest.mark.parametrize(
    ("media_type", "encoding", "declared"),
    [
        ("text/html", "utf-8", "application/octet-stream"),
        ("image/svg+xml", None, "application/octet-stream"),
        ("application/xhtml+xml", "utf-8", "application/octet-stream"),
        ("text/javascript", "utf-8", "application/octet-stream"),
        ("text/plain", None, "application/octet-stream"),
        ("text/markdown", "euc_jp", "text/markdown; charset=euc-jp"),
        ("application/vnd.ms-outlook", None, "application/vnd.ms-outlook"),
        ("nonsense\r\nX-Evil: 1", None, "application/octet-stream"),
    ],
)
def test_anything_else_is_downloaded_and_never_as_a_type_that_runs(
    server: RunningServer, ledger: Ledger, root: Path, media_type: str, encoding: str | None, declared: str
) -> None:
    data = b"<script>alert(1)</script>"
    document_id = write_document(ledger, root, "a.bin", data=data, media_type=media_type, encoding=encoding)
    with server.client() as client:
        response = client.get(f"/documents/{document_id}/file")
    assert response.headers["content-type"] == declared
    assert response.headers["content-disposition"] == 'attachment; filename="a.bin"'
    assert "x-evil" not in response.headers


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=10-999999999", 10, None)],
)
def test_a_range_gives_those_bytes(server: RunningServer, leave_id: str, asked: str, start: int, end: int) -> None:
    data = TEXT.encode("cp932")
    with server.client() as client:
        response = client.get(f"/documents/{leave_id}/file", headers={"Range": asked})
    assert response.status_code == 206
    assert response.content == data[start:end]
    assert response.headers["content-range"].endswith(f"/{len(data)}")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,3-4"])
def test_a_range_that_is_not_one_plain_range_gives_the_whole_file(
    server: RunningServer, leave_id: str, asked: str
) -> None:
    with server.client() as client:
        response = client.get(f"/documents/{leave_id}/file", headers={"Range": asked})
    assert response.status_code == 200
    assert response.content == TEXT.encode("cp932")


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_a_problem(server: RunningServer, leave_id: str, asked: str) -> None:
    with server.client() as client:
        response = client.get(f"/documents/{leave_id}/file", headers={"Range": asked})
    assert response.status_code == 416
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["content-range"] == f"bytes */{len(TEXT.encode('cp932'))}"


def test_a_file_that_the_caller_has_is_not_sent_again(server: RunningServer, root: Path, leave_id: str) -> None:
    address = f"/documents/{leave_id}/file"
    with server.client() as client:
        etag = client.get(address).headers["etag"]
        for known in (etag, f'"other", W/{etag}', "*"):
            kept = client.get(address, headers={"If-None-Match": known, "Range": "bytes=0-3"})
            assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", etag)
        (root / JAPANESE_NAME).write_bytes(b"changed, and longer than before" * 1000)
        changed = client.get(address, headers={"If-None-Match": etag})
        assert (changed.status_code, changed.headers["etag"] != etag) == (200, True)


def test_a_download_goes_on_only_with_the_same_bytes(server: RunningServer, leave_id: str) -> None:
    address, data = f"/documents/{leave_id}/file", TEXT.encode("cp932")
    with server.client() as client:
        whole = client.get(address)
        for known in (whole.headers["etag"], whole.headers["last-modified"]):
            rest = client.get(address, headers={"Range": "bytes=100-", "If-Range": known})
            assert (rest.status_code, rest.content) == (206, data[100:])
        for other in ('"other"', "Mon, 01 Jan 2024 00:00:00 GMT", ""):
            for asked in ("bytes=100-", "bytes=99999999-"):
                again = client.get(address, headers={"Range": asked, "If-Range": other})
                assert (again.status_code, again.content) == (200, data), other


def test_what_may_not_be_read_is_answered_exactly_like_what_does_not_exist(
    server: RunningServer, secret_id: str
) -> None:
    unknown = ["d_" + "0" * 32, "none", "..%2F..%2Fetc%2Fpasswd", "%00", "a" * 500, "休暇", "'; drop table documents"]
    with server.client(user="dan", **{"X-Request-Id": "one"}) as dan, server.client(user="chie") as chie:
        for ending in ("", "/file", "/receipt"):
            assert chie.get(f"/documents/{secret_id}{ending}").status_code == 200
            hidden = dan.get(f"/documents/{secret_id}{ending}")
            assert hidden.status_code == 404
            for document_id in unknown:
                missing = dan.get(f"/documents/{document_id}{ending}")
                if missing.json()["code"] == "address_unknown":
                    assert "%2F" in document_id
                    continue
                assert (missing.status_code, missing.text) == (hidden.status_code, hidden.text), document_id
        assert dan.get("/documents").json() == {"documents": [], "next": None}
        assert dan.get("/documents", params={"query": "報酬"}).json() == {"documents": [], "next": None}
        assert len(chie.get("/documents").json()["documents"]) == 1


def test_a_right_that_is_taken_away_ends_at_the_next_request(
    server: RunningServer, ledger: Ledger, secret_id: str
) -> None:
    with server.client(user="chie") as chie:
        assert chie.get(f"/documents/{secret_id}/file").status_code == 200
        ledger.set_groups("chie", [])
        assert chie.get(f"/documents/{secret_id}/file").status_code == 404


@pytest.mark.parametrize("what_ends", ["the user", "the group", "the document's own rule"])
def test_a_download_ends_with_the_right_to_read_however_slowly_it_is_read(
    start_server: StartServer, ledger: Ledger, root: Path, what_ends: str
) -> None:
    large = b"x" * 48 * 2**20  # more than the buffers of two sockets hold
    document_id = write_document(ledger, root, "役員/large.bin", data=large, media_type="x/y", encoding=None)
    ledger.set_document_groups(document_id, ["役員"])
    staff = [User("chie", groups=frozenset({"役員"})), User("aiko", groups=frozenset({"役員"}))]
    sync_users(ledger, staff, by="cli")
    server = start_server(door={"recheck_seconds": 0.05})
    address = f"/documents/{document_id}/file"
    with server.client(user="chie") as chie, chie.stream("GET", address) as download:
        assert (download.status_code, int(download.headers["content-length"])) == (200, len(large))
        pieces = download.iter_raw(65536)
        next(pieces)
        if what_ends == "the user":
            sync_users(ledger, [replace(staff[0], is_disabled=True), staff[1]], by="cli")
        elif what_ends == "the group":
            sync_users(ledger, [replace(staff[0], groups=frozenset()), staff[1]], by="cli")
        else:
            ledger.set_document_groups(document_id, ["監査"])
        (line,) = server.log(count=1)
        assert (line["route"], line["code"]) == ("/documents/{document_id}/file", "access_denied")
        with pytest.raises(httpx.RemoteProtocolError, match="closed"):
            list(pieces)
    if what_ends == "the user":
        with server.client(user="aiko") as aiko:
            assert aiko.get(address).content == large, "whoever may still read it gets all of it"


def test_an_original_that_is_gone_is_not_found(server: RunningServer, root: Path, leave_id: str) -> None:
    (root / JAPANESE_NAME).unlink()
    with server.client() as client:
        assert client.get(f"/documents/{leave_id}/file").status_code == 404
        assert client.get(f"/documents/{leave_id}").status_code == 200


def test_an_original_that_leads_out_of_its_folder_is_not_given(
    server: RunningServer, root: Path, tmp_path: Path, leave_id: str
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    (root / JAPANESE_NAME).unlink()
    (root / JAPANESE_NAME).symlink_to(outside)
    with server.client() as client:
        assert client.get(f"/documents/{leave_id}/file").status_code == 404


def test_a_cursor_nobody_gave_out_is_a_problem(server: RunningServer) -> None:
    with server.client() as client:
        response = client.get("/documents", params={"cursor": "a"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
