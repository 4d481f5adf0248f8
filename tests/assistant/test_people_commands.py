"""`assistant keys | users | audit` as an administrator types them, on a ledger of their own."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assistant.__main__ import app
from assistant.adapters.ledger import Ledger
from assistant.audit import Act, AuditEntry, auditor_of
from assistant.domain import Principal, Question
from assistant.errors import StoreUnavailable


@pytest.fixture(autouse=True)
def _own_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path / "var"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    opened = Ledger.open(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")
    yield opened
    opened.close()


def run(*command: str, fails: bool = False, given: str = "") -> Result:
    """The command's result, which must fail or not."""
    result = CliRunner().invoke(app, list(command), input=given)
    assert (result.exit_code != 0) == fails, result.output
    return result


def test_a_key_is_made_listed_and_ended(ledger: Ledger) -> None:
    ledger.set_groups("ben", ["board"])
    made = json.loads(
        run(
            "keys", "create", "wiki", "--group", "board", "--scope", "ask", "--owner", "ben", "--expires", "90d",
            "--rate", "7", "--json",
        ).output
    )  # fmt: skip
    held = ledger.held_key(made["key"])
    assert held is not None
    assert held.questions_per_minute == 7
    (listed,) = json.loads(run("keys", "list", "--json").output)
    assert made["key"].startswith(listed["prefix"])
    assert (listed["state"], listed["owner"], listed["expires_at"]) == ("active", "ben", made["expires_at"])
    assert made["key"] not in run("keys", "list").output
    run("keys", "revoke", "wiki")
    assert ledger.held_key(made["key"]) is None
    assert "There is no active key wiki." in run("keys", "revoke", "wiki", fails=True).output


def test_a_living_key_is_replaced_only_when_asked_to(ledger: Ledger) -> None:
    first = run("keys", "create", "wiki").output.strip()
    assert "--replace" in run("keys", "create", "wiki", fails=True).output
    assert ledger.held_key(first) is not None
    second = run("keys", "create", "wiki", "--replace").output.strip()
    assert ledger.held_key(first) is None
    assert ledger.held_key(second) is not None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scope", "asks"], "Did you mean ask?"),
        (["--expires", "yesterday"], "90d"),
        (["--owner", "nobody"], "There is no known user nobody."),
    ],
)
def test_a_wrong_option_of_a_key_is_told_in_both_languages(
    monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    assert said in run("keys", "create", "wiki", *options, fails=True).output
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert "ません" in run("keys", "create", "wiki", *options, fails=True).output
    assert json.loads(run("keys", "list", "--json").output) == []


def test_users_are_synced_from_their_file_or_standard_input(ledger: Ledger) -> None:
    Path("users.toml").write_text('[users.ben]\ngroups = ["board"]\n[users.dan]\n')
    assert "added: ben, dan" in run("users", "sync", "--dry-run").output
    assert ledger.users() == []
    told = run("users", "sync").output
    assert "added: ben, dan" in told
    assert "groups that no document names: board" in told
    assert run("users", "sync").output == "groups that no document names: board\nNothing to change.\n"
    gone = json.loads(run("users", "sync", "--file", "-", "--json", given="[users.dan]\ndisabled = true\n").output)
    assert (gone["missing"], gone["disabled"]) == (["ben"], ["dan"])
    listed = json.loads(run("users", "list", "--json").output)
    assert [(user["name"], user["groups"], user["is_disabled"]) for user in listed] == [
        ("ben", ["board"], True),
        ("dan", [], True),
    ]
    assert "Give --file" in run("users", "sync", "--htpasswd", "x", fails=True).output


def test_a_person_is_erased_only_after_a_yes(ledger: Ledger) -> None:
    ledger.set_groups("ben", ["board"])
    run("users", "erase", "ben", fails=True, given="n\n")
    assert [user.name for user in ledger.users()] == ["ben"]
    told = run("users", "erase", "ben", "--yes").output
    assert "user_groups: 1, users: 1" in told
    assert "htpasswd" in told
    assert ledger.users() == []


def test_the_audit_is_exported_by_day_as_a_table_or_as_json(ledger: Ledger) -> None:
    ledger.record(AuditEntry(Act.ASKED, "ben", via="proxy", question="=1+1?", documents=("d_1", "d_2")))
    day = next(ledger.audit_entries()).at[:10]
    rows = list(csv.DictReader(io.StringIO(run("audit", "export", "--from", day, "--to", day).output.lstrip("\ufeff"))))
    assert [(row["act"], row["actor"], row["question"], row["documents"]) for row in rows[:1]] == [
        ("asked", "ben", "'=1+1?", "d_1 d_2")
    ]
    entries = json.loads(run("audit", "export", "--format", "json").output)
    assert [entry["act"] for entry in entries] == ["asked", "exported", "exported"]
    assert entries[0]["question"] == "=1+1?"
    assert json.loads(run("audit", "export", "--format", "json", "--to", "2020-01-01").output) == []
    assert "2026-11-01" in run("audit", "export", "--from", "yesterday", fails=True).output


def test_a_question_is_kept_as_text_as_a_hash_of_this_deployment_or_not_at_all(tmp_path: Path) -> None:
    question = Question("期限は?", "ja", Principal("ben", via="proxy"), request_id="r_1")

    def entry(questions: Any, folder: str) -> AuditEntry:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        return auditor_of(questions, data_folder=place).entry_of(Act.ASKED, question, ["d_2", "d_1", "d_2"])

    assert entry("text", "a").question == "期限は?"
    assert (entry("none", "a").question, entry("none", "a").question_hash) == (None, None)
    hashed = entry("hashed", "a")
    assert hashed.question is None
    assert hashed.question_hash == entry("hashed", "a").question_hash != entry("hashed", "b").question_hash
    assert (hashed.actor, hashed.via, hashed.request_id, hashed.documents) == ("ben", "proxy", "r_1", ("d_2", "d_1"))
    assert (tmp_path / "a" / "audit.key").stat().st_mode & 0o077 == 0
    (tmp_path / "a" / "audit.key").write_bytes(b"short")
    with pytest.raises(StoreUnavailable):
        entry("hashed", "a")
