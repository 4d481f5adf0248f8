"""Every address x every kind of caller, as api/access.py says, on rows that are Chie's: her document, answer, conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import examples_library
from api.access import TABLE, Caller, Seen, expected, routes_of
from api.deps import ADMINISTRATORS, ALL_SCOPES
from assistant.adapters.ledger import Ledger
from assistant.domain import Principal
from assistant.people import User
from assistant.releases import Content, ReleaseAct, Tuning
from assistant.users_file import sync_users
from tests.api.canned import ANSWER, CITATION, RunningServer, write_document
from tests.ingest.pdf_writing import write_pdf

SECRET = "報酬"
RELEASE = Content("FROM base\nPARAMETER num_ctx 4096\n")
QUESTION = {"question": "有給休暇の期限は?"}
CHAT = {"model": "company-assistant", "messages": [{"role": "user", "content": "休暇は?"}]}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/ask"): QUESTION,
    ("POST", "/search"): QUESTION,
    ("POST", "/v1/chat/completions"): CHAT,
    ("POST", "/answers/{answer_id}/feedback"): {"rating": "up"},
    ("PATCH", "/conversations/{conversation_id}"): {"title": f"{SECRET}のこと"},
    ("POST", "/jobs"): {"kind": "run"},
    ("PUT", "/admin/questions/owner"): examples_library.QUESTIONS_OWNER,
    ("PUT", "/admin/prices"): examples_library.PRICES,
    ("POST", "/uploads"): {"the body": "is the file"},
    ("PUT", "/admin/releases/canary"): {"release_id": RELEASE.release_id, "percent": 0},
    ("POST", "/admin/releases"): {"temperature": 0.1},
    ("POST", "/admin/releases/rollback"): {"why": "worse"},
    ("POST", "/admin/releases/{release_id}/publish"): {"why": "better"},
    ("POST", "/admin/keys"): {"name": "wiki", "scopes": ["admin"]},
    ("POST", "/admin/keys/revoke"): {"name": "wiki"},
    ("PUT", "/admin/users/state"): {"name": "emi", "is_disabled": True},
    ("POST", "/mcp"): {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
}
PARAMETERS = {("POST", "/uploads"): {"name": "案内.txt"}}


@dataclass(frozen=True)
class Scene:
    """The server, ids of what is Chie's, and a client for each kind of caller."""

    server: RunningServer
    ids: dict[str, str]
    clients: dict[Caller, httpx.Client]
    upload: Path

    def call(self, address: tuple[str, str], caller: Caller) -> httpx.Response:
        """The answer to that caller."""
        method, path = address
        body = BODIES.get(address)
        if path.startswith("/admin/keys") and body is not None:
            body = body | {"name": f"{path.removeprefix('/admin/').replace('/', '-')} {caller.value}"}
        if path.startswith("/uploads/"):
            self.upload.write_bytes(b"x")  # an administrator before may have taken it back
        return self.clients[caller].request(method, path.format(**self.ids), json=body, params=PARAMETERS.get(address))


@pytest.fixture
def scene(server: RunningServer, ledger: Ledger, tmp_path: Path) -> Iterator[Scene]:
    """Chie may do everything and has something of everything; Dan may do everything, but may not see Chie's document."""
    sync_users(
        ledger,
        [
            User("chie", groups=frozenset({"board", ADMINISTRATORS})),
            User("dan", groups=frozenset({ADMINISTRATORS})),
            User("emi", groups=frozenset({"board", ADMINISTRATORS}), is_disabled=True),
        ],
        by="cli",
    )
    root = tmp_path / "handbook"
    drawn = write_pdf(tmp_path / "drawn.pdf", [[(72, 72, 12, SECRET)]])
    document_id = write_document(
        ledger, root, f"限定/{SECRET}.pdf", data=drawn.read_bytes(), media_type="application/pdf", encoding=None
    )
    ledger.set_document_groups(document_id, ["board"])
    version_id = ledger.get_document(document_id, principal=Principal("chie", frozenset({"board"}))).version_id or ""
    citation = replace(CITATION, document_id=document_id, version_id=version_id, title=SECRET, quote=SECRET)
    answer = replace(
        ANSWER, text=f"{SECRET}は [1]。", citations=(citation,), answer_id="a_chies", conversation_id="c_chies"
    )
    ledger.save_answer(answer, question=f"{SECRET}は?", principal=Principal("chie"))
    job = ledger.create_job("run", folder=str(root), requested_by="chie")
    wanted_id = ledger.want_answer("a_chies", principal=Principal("chie")).wanted_id
    ledger.adopt(Content(RELEASE.modelfile, Tuning(passages=3)), model="m", digest="d", by="chie")
    ledger.save_draft(RELEASE, by="chie", details={})
    ledger.move(RELEASE.release_id, revision=1, act=ReleaseAct.PUBLISHED, by="chie")
    ids = {"document_id": document_id, "answer_id": "a_chies", "conversation_id": "c_chies", "job_id": job.job_id} | {
        "wanted_id": wanted_id,
        "page": "1",
        "place": "chie",
        "name": "案内.txt",
        "release_id": RELEASE.release_id,
    }
    keys = {
        Caller.WRONG_KEY: "ca_" + "x" * 43,
        Caller.EXPIRED_KEY: ledger.create_key("old", scopes=["admin"], expires_at="2026-01-01T00:00:00.000+00:00"),
        Caller.WRONG_SCOPE: ledger.create_key("none", groups=["board"], scopes=[]),
    }
    clients = {caller: server.client(user=None, Authorization=f"Bearer {key}") for caller, key in keys.items()}
    for caller in (Caller.RIGHT, Caller.OTHER):
        ledger.create_key(f"keys-revoke {caller.value}")
    people = {Caller.RIGHT: "chie", Caller.OTHER: "dan", Caller.DISABLED_USER: "emi", Caller.ANONYMOUS: None}
    clients |= {caller: server.client(user=user) for caller, user in people.items()}
    (tmp_path / "inbox/chie").mkdir(parents=True)
    yield Scene(server, ids, clients, tmp_path / "inbox/chie/案内.txt")
    for client in clients.values():
        client.close()


def test_every_route_of_the_app_has_its_row_and_no_row_is_left_over(server: RunningServer) -> None:
    assert routes_of(server.app) == set(TABLE)


def test_every_address_answers_every_kind_of_caller_as_the_table_says(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    wrong = []
    order = sorted(TABLE, key=lambda address: address[0] == "DELETE")  # what is deleted is asked for last
    for caller in Caller:
        for address in order:
            response = scene.call(address, caller)
            wanted = expected(address[1], TABLE[address], caller)
            if response.status_code != wanted:
                wrong.append((caller.value, *address, response.status_code, wanted, response.text[:200]))
    record_property("calls", len(Caller) * len(order))
    record_property("wrong", len(wrong))
    assert wrong == []


def test_a_scope_opens_its_own_addresses_and_no_other(scene: Scene, ledger: Ledger) -> None:
    for scope in sorted(ALL_SCOPES):
        key = ledger.create_key(f"with-{scope}", scopes=[scope], groups=["board"])
        with scene.server.client(user=None, Authorization=f"Bearer {key}") as client:
            for address, access in TABLE.items():
                if access.scopes is None:
                    continue
                response = client.request(address[0], address[1].format(**scene.ids), json=BODIES.get(address))
                is_open = not access.scopes or scope in access.scopes
                assert (response.status_code != 403) == is_open, (scope, address, response.text)
                assert response.status_code != 401, (scope, address)


def test_nobody_but_its_readers_learns_a_name_an_id_or_a_number_of_a_document(scene: Scene) -> None:
    hidden = {SECRET, *(scene.ids[name] for name in ("document_id", "answer_id", "conversation_id", "wanted_id"))}
    for caller in Caller:
        for address, access in TABLE.items():
            if caller is Caller.RIGHT or (access.seen is Seen.SAME and caller is Caller.OTHER) or "DELETE" in address:
                continue
            if address[1] in {"/ask", "/search", "/v1/chat/completions"}:
                continue  # the scripted assistant knows no groups; tests/journeys/test_access.py asks the real one
            told = scene.call(address, caller).text
            asked = address[1].format(**scene.ids)  # `instance` repeats it
            found = [word for word in hidden if word in told.replace(asked, "")]
            assert found == [], (caller, address, told)
    listed = scene.clients[Caller.OTHER].get("/documents").json()
    assert listed == {"documents": [], "next": None}
