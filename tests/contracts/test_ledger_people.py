"""Users, keys and the audit in the ledger, on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from assistant.adapters.ledger import Ledger, engine
from assistant.adapters.ledger.schema import api_keys, audit_entries, audit_permits, metadata
from assistant.audit import Act, AuditEntry
from assistant.domain import EVERYONE
from assistant.errors import PeopleError
from assistant.people import Standing, User
from assistant.users_file import sync_users
from tests.contracts.test_ledger import BEN, CHIE, DAN, store
from tests.contracts.test_ledger_answers import RULE, answered

AIKO_AND_BEN = [User("aiko", "鈴木 愛子", frozenset({"人事部"})), User("ben", groups=frozenset({"board"}))]


def test_a_key_ends_when_its_time_has_come(ledger: Ledger) -> None:
    key = ledger.create_key("wiki", expires_at="2999-01-01T00:00:00.000+00:00")
    assert ledger.held_key(key) is not None
    past = ledger.create_key("wiki", expires_at="2026-01-01T00:00:00.000+00:00")
    assert ledger.held_key(past) is None
    assert [found.state(at="2026-11-26") for found in ledger.list_keys()] == ["expired"]


def test_a_key_of_a_user_reads_no_more_than_they_do_and_ends_with_them(ledger: Ledger) -> None:
    sync_users(ledger, AIKO_AND_BEN, by="cli")
    key = ledger.create_key("bens tool", groups=["board", "人事部"], owner="ben")
    held = ledger.held_key(key)
    assert held is not None
    assert held.principal.groups == {EVERYONE, "board"}
    sync_users(ledger, [replace(AIKO_AND_BEN[1], is_disabled=True)], by="cli")
    assert ledger.held_key(key) is None
    assert ledger.held_key(ledger.create_key("ghost", owner="nobody")) is None


def test_the_last_use_of_a_key_is_kept(ledger: Ledger) -> None:
    key = ledger.create_key("wiki", questions_per_minute=7)
    ledger.note_key_use("wiki")
    held = ledger.held_key(key)
    assert held is not None
    assert held.questions_per_minute == 7
    assert [found.last_used_at for found in ledger.list_keys()] == [held.last_used_at] != [None]


def test_a_user_stands_as_known_disabled_or_unknown(ledger: Ledger) -> None:
    sync_users(ledger, [replace(AIKO_AND_BEN[0], is_disabled=True), User("emi")], by="cli")
    standing = {name: ledger.standing_of(name) for name in ("aiko", "emi", "zoe")}
    assert standing["aiko"] == Standing(is_known=True, is_disabled=True, groups=frozenset({EVERYONE, "人事部"}))
    assert standing["emi"] == Standing(is_known=True, is_disabled=False, groups=frozenset({EVERYONE}))
    assert standing["zoe"] == Standing(is_known=False, is_disabled=False, groups=frozenset({EVERYONE}))


def test_a_synced_file_is_the_truth_and_a_second_sync_changes_nothing(ledger: Ledger) -> None:
    ledger.set_groups("chie", ["board"])
    first = sync_users(ledger, AIKO_AND_BEN, by="cli:root")
    assert (first.added, first.missing, first.unused_groups) == (("aiko", "ben"), ("chie",), ("board", "人事部"))
    assert sync_users(ledger, AIKO_AND_BEN, by="cli:root").is_empty
    assert ledger.users() == [*AIKO_AND_BEN, User("chie", groups=frozenset({"board"}), is_disabled=True)]
    again = sync_users(ledger, [*AIKO_AND_BEN, User("chie")], by="cli:root")
    assert again.enabled == ("chie",)
    synced = [entry for entry in ledger.audit_entries() if entry.act is Act.USERS_SYNCED]
    assert [(entry.actor, entry.details["added"]) for entry in synced] == [
        ("cli:root", ["aiko", "ben"]),
        ("cli:root", []),
    ]


def test_a_dry_sync_tells_the_same_and_writes_nothing(ledger: Ledger) -> None:
    assert sync_users(ledger, AIKO_AND_BEN, by="cli", is_dry=True).added == ("aiko", "ben")
    assert ledger.users() == []
    assert list(ledger.audit_entries()) == []


def test_a_file_that_would_disable_most_people_is_refused_until_confirmed(ledger: Ledger) -> None:
    everybody = [User(f"user {number}") for number in range(12)]
    sync_users(ledger, everybody, by="cli")
    with pytest.raises(PeopleError, match="7 of 12 enabled users"):
        sync_users(ledger, everybody[:5], by="cli")
    assert sync_users(ledger, everybody[:6], by="cli").missing
    assert len(sync_users(ledger, [], by="cli", allow_disabling=True).missing) == 6


def test_every_act_of_an_administrator_is_an_entry_of_the_audit(ledger: Ledger) -> None:
    key = ledger.create_key("wiki", groups=["board"], by="cli:root")
    ledger.revoke_key("wiki", by="cli:root")
    ledger.set_groups("ben", ["board"], by="cli:root")
    job = ledger.create_job("run", folder="/handbook", requested_by="chie")
    entries = list(ledger.audit_entries())
    assert [(entry.act.value, entry.actor, entry.subject) for entry in entries] == [
        ("key_created", "cli:root", "wiki"),
        ("key_revoked", "cli:root", "wiki"),
        ("groups_set", "cli:root", "ben"),
        ("job_requested", "chie", job.job_id),
    ]
    assert key not in str(entries)
    assert ledger.last_entry(Act.GROUPS_SET) == entries[2]
    assert list(ledger.audit_entries(since=entries[2].at, until=entries[3].at)) == [
        entry for entry in entries if entries[2].at <= entry.at < entries[3].at
    ]


def test_the_newest_entries_come_first_by_person_act_time_and_page(ledger: Ledger) -> None:
    for actor, act in (("chie", Act.KEY_CREATED), ("ben", Act.OPENED), ("chie", Act.OPENED), ("ben", Act.OPENED)):
        ledger.record(AuditEntry(act, actor))

    def found(**wanted: object) -> list[tuple[str, Act]]:
        usual = {"actor": None, "act": None, "since": "", "until": "9999", "before": None, "limit": 10}
        return [(entry.actor, entry.act) for entry in ledger.newest_entries(**(usual | wanted))]  # type: ignore[arg-type]

    opened = [("ben", Act.OPENED), ("chie", Act.OPENED), ("ben", Act.OPENED)]
    assert found() == [*opened, ("chie", Act.KEY_CREATED)]
    assert found(act=Act.OPENED, limit=2) == opened[:2]
    assert found(actor="chie") == [("chie", Act.OPENED), ("chie", Act.KEY_CREATED)]
    assert found(until="2026-01-01") == []
    second = ledger.newest_entries(actor=None, act=None, since="", until="9999", before=None, limit=2)[1]
    assert found(before=second.entry_id) == [("ben", Act.OPENED), ("chie", Act.KEY_CREATED)]


@pytest.mark.parametrize(
    "statement", [update(audit_entries).values(actor="nobody"), delete(audit_entries)], ids=["update", "delete"]
)
def test_the_database_itself_refuses_to_change_the_audit(ledger: Ledger, statement: object) -> None:
    ledger.record(AuditEntry(Act.EXPORTED, "chie"))
    with pytest.raises(DBAPIError, match="append-only"), ledger._engine.begin() as connection:
        connection.execute(statement)  # type: ignore[call-overload]
    if ledger._engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="append-only"), ledger._engine.begin() as connection:
            connection.execute(text("TRUNCATE audit_entries"))
    assert [entry.actor for entry in ledger.audit_entries()] == ["chie"]


def test_entries_older_than_they_may_be_go_and_one_entry_says_so(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.adapters.ledger.auditing.now", lambda: "2025-01-01T00:00:00.000+00:00")
    ledger.record(AuditEntry(Act.ASKED, "ben", question="期限は?"))
    monkeypatch.setattr("assistant.adapters.ledger.auditing.now", engine.now)
    ledger.record(AuditEntry(Act.ASKED, "dan", question="報酬は?"))
    assert ledger.prune_audit(keep_days=30) == 1
    assert ledger.prune_audit(keep_days=30) == 0
    assert [(entry.act, entry.actor) for entry in ledger.audit_entries()] == [
        (Act.ASKED, "dan"),
        (Act.PRUNED, "retention"),
    ]
    with ledger._engine.begin() as connection:
        assert connection.execute(select(audit_permits)).all() == []


def test_an_erased_person_is_nowhere_and_everybody_else_still_is(ledger: Ledger) -> None:
    cited = store(ledger, "a.md", RULE)
    sync_users(ledger, [User("ben", "田中 勉", frozenset({"board"})), User("dan")], by="cli")
    for principal, name in ((BEN, "b"), (DAN, "d"), (CHIE, "c")):
        answered(ledger, cited, principal=principal, answer_id=f"a_{name}", conversation_id=f"c_{name}", text=name)
        ledger.record(AuditEntry(Act.ASKED, principal.name, question=f"私は {principal.name} ですが"))
    ledger.create_key("bens tool", owner="ben")
    ledger.create_job("run", folder="/handbook", requested_by="app:bens tool")
    counts = ledger.erase_user("ben", by="cli:root")
    assert counts == {
        "answer_citations": 1, "answers": 1, "api_keys": 1, "audit_entries": 2, "conversations": 1, "jobs": 1,
        "user_groups": 1, "users": 1,
    }  # fmt: skip
    everything = _everything(ledger)
    assert "ben" not in everything
    assert "田中" not in everything
    assert "私は dan ですが" in everything
    assert [e.answer for e in ledger.exchanges("c_d", principal=DAN, limit=5)] == ["d"]
    pseudonyms = {entry.actor for entry in ledger.audit_entries() if entry.actor.startswith("erased-")}
    assert pseudonyms == {entry.subject for entry in ledger.audit_entries() if entry.act is Act.USER_ERASED}
    assert ledger.erase_user("ben") == {}


def _everything(ledger: Ledger) -> str:
    """All that the database holds, but for what documents say."""
    with ledger._engine.begin() as connection:
        return "\n".join(
            str(tuple(row))
            for table in metadata.sorted_tables
            if table.name not in {"chunks", "versions"}
            for row in connection.execute(select(table))
        )


def test_keys_are_stored_as_hashes_alone(ledger: Ledger) -> None:
    key = ledger.create_key("wiki", owner=None)
    with ledger._engine.begin() as connection:
        row = connection.execute(select(api_keys)).one()
    assert key not in str(row)
    assert key.startswith(row.prefix)
    assert len(row.prefix) == 10
