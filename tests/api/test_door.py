"""What ends at the door: disabled users, expired keys, rates; answers that end with a right; the users file; the audit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.rates import KeyUses, Lately, Rates
from assistant import domain
from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.errors import TooManyQuestions
from assistant.people import User
from assistant.settings import Audit, Door
from assistant.users_file import sync_users
from tests.api.canned import FOREVER, FOUND, GOOD_COURSE, RunningServer, asking, write_document
from tests.api.conftest import StartServer

QUICK = Door(recheck_seconds=0.05)
BEN = User("ben", groups=frozenset({"board"}))


def wait_until(is_so: Callable[[], object]) -> None:
    """Returns once it is so."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_disabled_user_is_let_in_again_only_when_enabled(server: RunningServer, ledger: Ledger) -> None:
    with server.client(**{"Accept-Language": "en"}) as client:
        assert client.get("/me").status_code == 200
        sync_users(ledger, [replace(BEN, is_disabled=True)], by="cli")
        refused = client.get("/me")
        assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")
        assert "Ask the administrator." in refused.json()["hint"]
        sync_users(ledger, [BEN], by="cli")
        assert client.get("/me").json()["groups"] == ["board", "everyone"]


def test_where_only_known_users_may_enter_the_others_are_refused(start_server: StartServer, ledger: Ledger) -> None:
    server = start_server(door=Door(known_users_only=True))
    ledger.set_groups("ben", [])
    with server.client() as ben, server.client(user="zoe") as zoe:
        assert (ben.get("/me").status_code, zoe.get("/me").status_code) == (200, 403)


def _disable(ledger: Ledger, _key: str) -> None:
    sync_users(ledger, [replace(BEN, is_disabled=True)], by="cli")


def _take_a_group_away(ledger: Ledger, _key: str) -> None:
    ledger.set_groups("ben", [])


def _revoke(ledger: Ledger, _key: str) -> None:
    ledger.revoke_key("bens tool")


@pytest.mark.parametrize(
    ("is_key", "end"),
    [(False, _disable), (True, _disable), (False, _take_a_group_away), (True, _take_a_group_away), (True, _revoke)],
)
def test_a_running_answer_ends_with_the_right_to_it(
    start_server: StartServer, ledger: Ledger, *, is_key: bool, end: Callable[[Ledger, str], None]
) -> None:
    sync_users(ledger, [BEN], by="cli")
    key = ledger.create_key("bens tool", groups=["board"], owner="ben")
    server = start_server(course=(FOUND, domain.Token("取得日の"), FOREVER), door=QUICK)
    identity = {"user": None, "Authorization": f"Bearer {key}"} if is_key else {"user": "ben"}
    with server.client(**identity) as client, asking(client) as stream:  # type: ignore[arg-type]
        assert [stream.next().name, stream.next().name] == ["found", "token"]
        end(ledger, key)
        *_, last = stream.rest()
    assert (last.name, last.data["code"], last.data["status"]) == ("error", "access_denied", 403)
    server.assistant.wait_closed()


def test_an_answer_goes_on_while_its_right_lasts_and_a_waiting_one_is_refused_without(
    start_server: StartServer, ledger: Ledger
) -> None:
    server = start_server(course=(FOUND, 0.4, *GOOD_COURSE[1:]), door=QUICK)
    with server.client() as client, asking(client) as stream:
        assert stream.rest()[-1].name == "finished"
    server.assistant.course = (FOREVER,)
    with server.client() as client:
        _disable(ledger, "")
        refused = client.post("/ask", json={"question": "leave"})
    assert refused.status_code == 403


def test_a_key_is_refused_when_its_time_has_come(server: RunningServer, ledger: Ledger) -> None:
    key = ledger.create_key("wiki", expires_at="2999-01-01T00:00:00.000+00:00")
    old = ledger.create_key("old", expires_at="2026-01-01T00:00:00.000+00:00")
    for given, status in ((key, 200), (old, 401)):
        with server.client(user=None, Authorization=f"Bearer {given}") as client:
            assert client.get("/me").status_code == status


def test_a_key_asks_as_often_as_it_may_and_is_told_when_it_may_again(server: RunningServer, ledger: Ledger) -> None:
    key = ledger.create_key("wiki", questions_per_minute=2)
    with server.client(user=None, Authorization=f"Bearer {key}", **{"Accept-Language": "ja"}) as client:
        assert client.post("/ask", json={"question": ""}).status_code == 422
        assert client.post("/ask", json={"question": "leave"}).status_code == 200
        assert client.post("/search", json={"question": "leave"}).status_code == 200
        refused = client.post("/ask", json={"question": "leave"})
        messages = [{"role": "user", "content": "leave"}]
        body = {"model": "company-assistant", "messages": messages, "stream": True}
        assert client.post("/v1/chat/completions", json=body).status_code == 429
        assert client.get("/me").status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_questions")
    assert refused.json()["detail"] == "質問は 1 分に 2 回までです。"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(server.assistant.questions) == 2


def test_users_ask_as_often_as_the_door_says(start_server: StartServer) -> None:
    server = start_server(door=Door(questions_per_minute=1))
    with server.client() as ben, server.client(user="chie") as chie:
        assert [client.post("/ask", json={"question": "leave"}).status_code for client in (ben, ben, chie)] == [
            200, 429, 200,
        ]  # fmt: skip


def test_the_time_to_wait_is_exactly_the_time_after_which_a_question_is_taken() -> None:
    now = 100.0
    rates = Rates(clock=lambda: now)
    for _ in range(3):
        rates.take("wiki", per_minute=3)
        now += 7
    with pytest.raises(TooManyQuestions) as caught:
        rates.take("wiki", per_minute=3)
    assert caught.value.retry_after_seconds == 39
    now += 38.9
    with pytest.raises(TooManyQuestions):
        rates.take("wiki", per_minute=3)
    now += 0.1
    rates.take("wiki", per_minute=3)
    rates.take("other", per_minute=1)
    rates.take("free", per_minute=0)


def test_what_was_lately_is_forgotten_after_its_time() -> None:
    now = 0.0
    lately = Lately(seconds=10, clock=lambda: now)
    assert not lately.has("ben", "d_1")
    lately.note("ben", "d_1")
    now = 9.9
    assert lately.has("ben", "d_1")
    assert not lately.has("dan", "d_1")
    now = 10.0
    assert not lately.has("ben", "d_1")


def test_the_use_of_a_key_is_written_at_most_once_a_minute(
    server: RunningServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    note = Ledger.note_key_use
    monkeypatch.setattr(Ledger, "note_key_use", lambda self, name: (written.append(name), note(self, name)))
    key = ledger.create_key("wiki")
    with server.client(user=None, Authorization=f"Bearer {key}") as client:
        for _ in range(5):
            assert client.get("/me").status_code == 200
    wait_until(lambda: ledger.list_keys()[0].last_used_at)
    assert written == ["wiki"]
    held = ledger.held_key(key)
    assert held is not None
    KeyUses(server.app.state.edge.log).note(held, written.append)  # another process: it was written a moment ago
    assert written == ["wiki"]


def test_a_changed_users_file_is_applied_and_ends_what_its_users_have_open(
    start_server: StartServer, ledger: Ledger, tmp_path: Path
) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[users.ben]\ngroups = ["board"]\n')
    server = start_server(course=(FOUND, FOREVER), door=Door(users_file=file, recheck_seconds=0.05))
    with server.client() as client, asking(client) as stream:
        assert stream.next().name == "found"
        assert server.assistant.questions[0].principal.groups == {"board", "everyone"}
        file.write_text("[users.ben]\ndisabled = true\n")
        assert stream.rest()[-1].data["code"] == "access_denied"
        assert client.get("/me").status_code == 403


def test_an_upkeep_that_ends_for_a_reason_that_nobody_foresaw_is_told_and_logged(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(door=Door(recheck_seconds=0.05))

    def states(client: httpx.Client) -> dict[str, str]:
        return {state["name"]: state["state"] for state in client.get("/readyz").json()["dependencies"]}

    def unforeseen(_: Act) -> None:
        raise RuntimeError("what somebody typed")

    with server.client() as client:
        assert "upkeep" not in states(client)
        monkeypatch.setattr(server.assistant.ledger, "last_entry", unforeseen)
        wait_until(lambda: states(client).get("upkeep") == "warn")
        assert client.get("/readyz").status_code == 200
    assert '"event": "upkeep_ended"' in server.log_text
    assert "what somebody typed" not in server.log_text


def test_a_broken_users_file_changes_nothing_and_is_told(
    start_server: StartServer, ledger: Ledger, tmp_path: Path
) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[users.ben]\ngruops = ["board"]\n')
    server = start_server(door=Door(users_file=file, recheck_seconds=0.05))

    def seen() -> tuple[str, str]:
        states = client.get("/readyz").json()["dependencies"]
        return next(((s["state"], s["seen"]) for s in states if s["name"] == "users_file"), ("", ""))

    with server.client(**{"Accept-Language": "en"}) as client:
        assert seen()[0] == "warn"
        assert "unknown key gruops" in seen()[1]
        assert ledger.users() == []
        file.write_text('[users.ben]\ngroups = ["board"]\n')
        wait_until(lambda: seen()[0] == "ok")
        assert ledger.users() == [BEN]
        os.remove(file)
        wait_until(lambda: "gone" in seen()[1])
        assert ledger.users() == [BEN]
    assert server.log_text.count("users_file_not_applied") == 1


def test_who_opens_a_document_is_in_the_audit_once_however_many_ranges_they_read(
    server: RunningServer, ledger: Ledger, tmp_path: Path
) -> None:
    document_id = write_document(
        ledger, tmp_path / "handbook", "a.txt", data=b"twelve bytes", media_type="text/plain", encoding="utf-8"
    )
    ledger.set_document_groups(document_id, ["everyone"])
    with server.client(**{"X-Request-Id": "mine"}) as client:
        for wanted in ("bytes=4-", "bytes=0-3", "bytes=0-"):
            assert client.get(f"/documents/{document_id}/file", headers={"Range": wanted}).status_code == 206
        assert client.get("/documents/d_0/file").status_code == 404
    (entry,) = ledger.audit_entries()
    assert (entry.act, entry.actor, entry.via, entry.request_id, entry.documents) == (
        Act.OPENED, "ben", "proxy", "mine", (document_id,),
    )  # fmt: skip


def test_an_administrator_who_reads_what_others_asked_is_in_the_audit(server: RunningServer, ledger: Ledger) -> None:
    ledger.set_groups("chie", ["administrators"])
    with server.client(user="chie") as chie, server.client(user="ben") as ben:
        for address in ("/admin/unanswered", "/admin/feedback", "/admin/usage"):
            assert chie.get(address).status_code == 200
            assert ben.get(address).status_code == 403
    viewed = [(entry.actor, entry.subject) for entry in ledger.audit_entries() if entry.act is Act.VIEWED]
    assert viewed == [("chie", "/admin/unanswered"), ("chie", "/admin/feedback")]


def test_old_entries_of_the_audit_go_when_the_server_starts(
    start_server: StartServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("assistant.adapters.ledger.auditing.now", lambda: "2025-01-01T00:00:00.000+00:00")
        ledger.create_key("old", by="cli:root")
    start_server(audit=Audit(keep_days=30))
    assert [entry.act for entry in ledger.audit_entries()] == [Act.PRUNED]
