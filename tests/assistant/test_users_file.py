from __future__ import annotations

from pathlib import Path

import pytest

from assistant.adapters.ledger import Ledger
from assistant.errors import PeopleError
from assistant.people import User, checked_name, expiry
from assistant.users_file import parse_users, read_htpasswd, read_users, sync_users, users_state


def test_a_users_file_says_names_groups_and_who_is_disabled(tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text(
        '[users.ben]\ngroups = ["人事部", "everyone"]\n[users."鈴木 太郎"]\ndisplay_name = "太郎"\ndisabled = true\n',
        encoding="utf-8-sig",  # as an editor on Windows saves it
    )
    assert read_users(file) == [
        User("ben", groups=frozenset({"人事部"})),
        User("鈴木 太郎", "太郎", is_disabled=True),
    ]
    assert parse_users("", source="-") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[users.ben]\ngruops = ["a"]\n', "groups"),
        ("[users.ben]\ndisable = true\n", "disabled"),
        ("[user.ben]\n", "users"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(text: str, named: str) -> None:
    with pytest.raises(PeopleError) as caught:
        parse_users(text, source="users.toml")
    assert f"Did you mean {named}? Nothing was changed." in caught.value.hint.en
    assert named in caught.value.hint.ja


@pytest.mark.parametrize(
    "text",
    [
        "[users.ben]\ngroups = 3\n", '[users.ben]\ngroups = [""]\n', '[users.ben]\ndisabled = "yes"\n',
        "[users.ben]\ndisplay_name = 1\n", '[users." ben"]\n', '[users."be\\tn"]\n', "users = 3\n", "[users.ben\n",
        '[users.""]\n', "[users]\nben = 1\n",
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PeopleError) as caught:
        parse_users(text, source="users.toml")
    assert "users.toml" in caught.value.message.ja
    assert "Example:" in caught.value.hint.en


def test_nginx_passwords_and_a_file_of_groups_say_the_same(tmp_path: Path) -> None:
    passwords, groups = tmp_path / "htpasswd", tmp_path / "groups"
    passwords.write_text("# staff\nben:$2y$05$abc\nchie:$2y$05$def\n")
    groups.write_text("board: chie\n人事部: ben chie\n", encoding="utf-8")
    assert read_htpasswd(passwords, groups) == [
        User("ben", groups=frozenset({"人事部"})),
        User("chie", groups=frozenset({"board", "人事部"})),
    ]
    groups.write_text("board: chei\n")
    with pytest.raises(PeopleError) as caught:
        read_htpasswd(passwords, groups)
    assert "Did you mean chie?" in caught.value.hint.en
    groups.write_text("board\n")
    with pytest.raises(PeopleError, match="cannot be read: board"):
        read_htpasswd(passwords, groups)


def test_doctor_says_whether_the_file_is_applied(tmp_path: Path) -> None:
    file, ledger = tmp_path / "users.toml", Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    assert users_state(ledger, file) is None
    seen = []
    for text in ("[users.ben]\n", "[users.ben]\ngruops = 1\n"):
        file.write_text(text)
        state = users_state(ledger, file)
        assert state is not None
        seen.append(state.state)
    file.write_text("[users.ben]\n")
    sync_users(ledger, read_users(file), by="cli")
    state = users_state(ledger, file)
    assert state is not None
    assert [*seen, state.state] == ["warn", "warn", "ok"]
    ledger.close()


def test_a_name_of_measurements_is_nobodys(tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[users.measuring-01]\ngroups = ["hr"]\n', encoding="utf-8")
    with pytest.raises(PeopleError, match="measuring-01"):
        read_users(file)
    with pytest.raises(PeopleError, match="is a name of measurements"):
        checked_name("measuring-01")
    assert checked_name("measurer") == "measurer"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PeopleError, match=r"users\.toml cannot be read"):
        read_users(tmp_path / "users.toml")


@pytest.mark.parametrize("given", ["0d", "-1d", "d", "2020-01-01", "soon", "999999999d", "2027-13-01", ""])
def test_an_expiry_that_is_no_time_to_come_is_refused(given: str) -> None:
    with pytest.raises(PeopleError):
        expiry(given)


def test_an_expiry_is_days_from_now_or_the_end_of_a_day() -> None:
    assert expiry("2999-03-31") == "2999-04-01T00:00:00.000+00:00"
    assert expiry("1d") > expiry("1d")[:10]
