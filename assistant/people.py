"""People and apps as the ledger knows them: users with groups, keys with scopes. Frozen values and their rules only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assistant.domain import Principal
from assistant.errors import PeopleError, Text
from assistant.history import MEASURING

SCOPES = ("ask", "documents", "ingest", "admin")
"""What a key may do: ask and search, read documents, run ingestions, administer."""
LONGEST_NAME_CHARACTERS = 128


@dataclass(frozen=True)
class User:
    """A person. `groups` without `everyone`, which everybody is in."""

    name: str
    display_name: str = ""
    groups: frozenset[str] = frozenset()
    is_disabled: bool = False


@dataclass(frozen=True)
class Standing:
    """What the ledger says of a user's name just now; `groups` with `everyone`."""

    is_known: bool
    is_disabled: bool
    groups: frozenset[str]


@dataclass(frozen=True)
class ApiKey:
    """A key without the key itself. Times are ISO 8601 in UTC, None where there is none."""

    name: str
    prefix: str
    groups: tuple[str, ...]
    scopes: tuple[str, ...]
    owner: str | None
    questions_per_minute: int | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None

    def state(self, *, at: str) -> str:
        """`active`, `revoked` or `expired` at that time."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "active"


@dataclass(frozen=True)
class HeldKey:
    """A living key as the door meets it: who holds it, and how much they may ask."""

    name: str
    principal: Principal
    questions_per_minute: int | None
    last_used_at: str | None


@dataclass(frozen=True)
class HeldSignIn:
    """A living sign-in: whose, and the name under which screen and API know it, which signs nobody in."""

    user: str
    sign_in_id: str


@dataclass(frozen=True)
class Sync:
    """What a users file changes, by name. `missing` are known users that it does not name: they are disabled."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    disabled: tuple[str, ...]
    enabled: tuple[str, ...]
    missing: tuple[str, ...]
    unused_groups: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the ledger already says what the file says."""
        return not (self.added or self.changed or self.disabled or self.enabled or self.missing)


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes, sorted. Raises PeopleError with the nearest name for one that does not exist, or for none at all."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            nearest = difflib.get_close_matches(scope, SCOPES, n=1, cutoff=0.0)[0]
            raise PeopleError(
                Text(ja=f"{scope} という権限はありません。", en=f"There is no scope {scope}."),
                Text(
                    ja=f"{nearest} のことですか。使えるのは {'、'.join(SCOPES)} です。",
                    en=f"Did you mean {nearest}? There are {', '.join(SCOPES)}.",
                ),
            )
    return wanted


def checked_name(name: str) -> str:
    """The name. Raises PeopleError for an empty or overlong one, one with control characters, or one of a measurement."""
    if name.startswith(MEASURING):
        raise PeopleError(
            Text(ja=f"{name} は測定用の名前です。", en=f"{name} is a name of measurements."),
            Text(
                ja=f"{MEASURING} で始まらない名前にしてください。`assistant capacity measure` が使い、終わると消します。",
                en=f"Take one that does not begin with {MEASURING}: `assistant capacity measure` uses and erases those.",
            ),
        )
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME_CHARACTERS or not name.isprintable():
        raise PeopleError(
            Text(ja=f"{name!r} は名前に使えません。", en=f"{name!r} cannot be a name."),
            Text(
                ja=f"1~{LONGEST_NAME_CHARACTERS} 文字で、前後の空白と制御文字は使えません。",
                en=f"1 to {LONGEST_NAME_CHARACTERS} characters, no blanks around it, no control characters.",
            ),
        )
    return name


def expiry(given: str, *, at: datetime | None = None) -> str:
    """When a key ends, in UTC: from `90d` (days from now) or a date as 2027-03-31 (its end in UTC). Raises PeopleError."""
    at = at or datetime.now(UTC)
    try:
        if given.endswith("d"):
            ends = at + timedelta(days=int(given[:-1]))
        else:
            ends = datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise _bad_expiry(given) from error
    if ends <= at:
        raise _bad_expiry(given)
    return ends.isoformat(timespec="milliseconds")


def _bad_expiry(given: str) -> PeopleError:
    return PeopleError(
        Text(ja=f"期限 {given!r} は使えません。", en=f"{given!r} is no time in the future."),
        Text(
            ja="90d(今から 90 日)か 2027-03-31(その日の終わり、UTC)の形で、先の日を書いてください。",
            en="Write 90d (90 days from now) or a date to come as 2027-03-31 (its end, UTC).",
        ),
    )
