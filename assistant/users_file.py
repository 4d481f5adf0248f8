"""The file that says who there is: `users.toml`, or nginx's htpasswd with a file of groups. Read here, applied to the ledger.

    [users.ben]
    display_name = "田中 勉"       # for lists; optional
    groups = ["人事部", "board"]   # optional; everybody is in `everyone`
    disabled = true                # optional; ends what Ben has open within a minute, and his keys

A known user that the file does not name is disabled: whoever leaves the company is taken out of the file, and that is
enough. An unknown key is an error that names the nearest one, and then nothing is changed.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from assistant.admin_file import expect_keys, unreadable
from assistant.domain import EVERYONE, DependencyState
from assistant.errors import PeopleError, Text
from assistant.people import Sync, User, checked_name

KEYS = ("display_name", "groups", "disabled")
MOST_DISABLED_SHARE = 0.5
"""A file that would disable more of the enabled users than this is probably cut short or the wrong one."""
FEW_USERS = 4
"""Up to this many may be disabled at once, whatever share they are."""


class UsersLedger(Protocol):
    """What applying a file needs of the ledger."""

    def users(self) -> list[User]:
        """Every known user."""

    def groups_of_documents(self) -> frozenset[str]:
        """Every group that may read a living document."""

    def apply_users(self, users: Sequence[User], *, by: str, details: Mapping[str, Any]) -> None:
        """Writes these users in one transaction."""


def sync_users(
    ledger: UsersLedger, wanted: Sequence[User], *, by: str, is_dry: bool = False, allow_disabling: bool = False
) -> Sync:
    """Makes the ledger say what the file says; what changed, or with `is_dry` would change.

    Raises PeopleError when it would disable more than half of the users, unless `allow_disabling`.
    """
    known = {user.name: user for user in ledger.users()}
    named = {user.name: user for user in wanted}
    gone = [replace(user, is_disabled=True) for name, user in known.items() if name not in named]
    changes = [user for user in (*wanted, *gone) if known.get(user.name) != user]
    sync = _sync_of(changes, known, named, ledger.groups_of_documents())
    ending = [
        user.name for user in changes if user.is_disabled and user.name in known and not known[user.name].is_disabled
    ]
    enabled = [user for user in known.values() if not user.is_disabled]
    if len(ending) > max(FEW_USERS, MOST_DISABLED_SHARE * len(enabled)) and not allow_disabling:
        raise PeopleError(
            Text(
                ja=f"有効な利用者 {len(enabled)} 人のうち {len(ending)} 人が無効になります。何も変更していません。",
                en=f"{len(ending)} of {len(enabled)} enabled users would be disabled. Nothing was changed.",
            ),
            Text(
                ja="ファイルが途中で切れていないか確かめてください。正しければ assistant users sync --allow-disabling を使います。",
                en="See whether the file is whole. If it is right, use assistant users sync --allow-disabling.",
            ),
        )
    if changes and not is_dry:
        details = {name: list(getattr(sync, name)) for name in ("added", "changed", "disabled", "enabled", "missing")}
        ledger.apply_users(changes, by=by, details=details)
    return sync


def users_state(ledger: UsersLedger, file: Path) -> DependencyState | None:
    """Whether the ledger says what the file says, for doctor; None where there is no file. Raises StoreUnavailable."""
    if not file.exists():
        return None
    try:
        due = sync_users(ledger, read_users(file), by="doctor", is_dry=True)
    except PeopleError as error:
        return DependencyState("users_file", "warn", error.message.en, error.hint.ja, error.hint.en)
    if due.is_empty:
        return DependencyState("users_file", "ok", f"{file} is applied", "", "")
    return DependencyState(
        "users_file",
        "warn",
        f"{file} differs from what is applied",
        "API が動いていれば自動で反映されます。すぐ反映するには assistant users sync。",
        "A running API applies it by itself; assistant users sync does it now.",
    )


def _sync_of(
    changes: Sequence[User], known: Mapping[str, User], named: Mapping[str, User], used: frozenset[str]
) -> Sync:
    def names(kind: str) -> tuple[str, ...]:
        return tuple(sorted(user.name for user in changes if _kind(user, known.get(user.name), named) == kind))

    groups = {group for user in named.values() for group in user.groups}
    return Sync(
        added=names("added"),
        changed=names("changed"),
        disabled=names("disabled"),
        enabled=names("enabled"),
        missing=names("missing"),
        unused_groups=tuple(sorted(groups - used - {EVERYONE})),
    )


def _kind(user: User, before: User | None, named: Mapping[str, User]) -> str:
    if user.name not in named:
        return "missing"
    if before is None:
        return "added"
    if user.is_disabled != before.is_disabled:
        return "disabled" if user.is_disabled else "enabled"
    return "changed"


def read_users(file: Path) -> list[User]:
    """The users of a `users.toml`, by name. Raises PeopleError that names the place."""
    return parse_users(_text_of(file), source=str(file))


def parse_users(text: str, *, source: str) -> list[User]:
    """The same from its text; `source` names it in errors."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise unreadable(PeopleError, source, str(error), '[users.ben] groups = ["board"]') from error
    expect_keys(PeopleError, source, content, ("users",))
    users = content.get("users", {})
    if not isinstance(users, dict) or not all(isinstance(entry, dict) for entry in users.values()):
        raise unreadable(PeopleError, source, "users", '[users.ben] groups = ["board"]')
    return sorted((_user(source, name, entry) for name, entry in users.items()), key=lambda user: user.name)


def read_htpasswd(htpasswd: Path, groups_file: Path) -> list[User]:
    """The users that nginx lets in, with the groups of lines like `board: chie ben`. Raises PeopleError.

    A name in the groups that has no password is an error: it is a mistyped one, or somebody who left.
    """
    names = {_name(str(htpasswd), line.split(":", 1)[0]) for line in _lines(htpasswd)}
    groups: dict[str, set[str]] = {name: set() for name in names}
    for line in _lines(groups_file):
        group, colon, members = line.partition(":")
        if not colon or not group.strip():
            raise unreadable(PeopleError, str(groups_file), line, "board: chie ben")
        for member in members.split():
            if member not in groups:
                nearest = difflib.get_close_matches(member, sorted(names), n=1, cutoff=0.0)
                raise PeopleError(
                    Text(
                        ja=f"{groups_file} の {member} は {htpasswd} にいません。",
                        en=f"{member} in {groups_file} is not in {htpasswd}.",
                    ),
                    Text(
                        ja=f"{(nearest or ['?'])[0]} のことですか。何も変更していません。",
                        en=f"Did you mean {(nearest or ['?'])[0]}? Nothing was changed.",
                    ),
                )
            groups[member].add(group.strip())
    return [User(name, groups=frozenset(groups[name] - {EVERYONE})) for name in sorted(names)]


def _user(source: str, name: str, entry: Mapping[str, Any]) -> User:
    expect_keys(PeopleError, source, entry, KEYS)
    groups, is_disabled, shown = entry.get("groups", []), entry.get("disabled", False), entry.get("display_name", "")
    if not isinstance(groups, list) or not all(isinstance(group, str) and group.strip() for group in groups):
        raise unreadable(PeopleError, source, f"users.{name}: groups = {groups!r}", 'groups = ["board"]')
    if not isinstance(is_disabled, bool):
        raise unreadable(
            PeopleError, source, f"users.{name}: disabled = {is_disabled!r}", "disabled = true | disabled = false"
        )
    if not isinstance(shown, str):
        raise unreadable(PeopleError, source, f"users.{name}: display_name = {shown!r}", 'display_name = "田中 勉"')
    return User(_name(source, name), shown, frozenset(groups) - {EVERYONE}, is_disabled)


def _name(source: str, name: str) -> str:
    try:
        return checked_name(name)
    except PeopleError as error:
        raise unreadable(PeopleError, source, repr(name), "[users.ben]") from error


def _lines(file: Path) -> list[str]:
    lines = (line.strip() for line in _text_of(file).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(PeopleError, str(file), type(error).__name__, '[users.ben] groups = ["board"]') from error
