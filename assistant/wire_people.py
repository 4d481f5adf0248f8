"""Pydantic shapes of keys, users and the audit, for administrators. A key itself is in one answer only: the one that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from assistant.audit import AuditEntry
from assistant.people import SCOPES, ApiKey, User
from assistant.wire_admin import AdminShape
from assistant.wire_releases import A_NUMBER
from assistant.wire_words import PlainLine

LETTERS = r"0-9A-Za-z\u3041-\u3096\u30a1-\u30fa\u30fc\u3005\u4e00-\u9fa0"
KeyName = Annotated[
    str, StringConstraints(pattern=rf"^[{LETTERS}]([{LETTERS} ._-]{{0,62}}[{LETTERS}])?$", min_length=1, max_length=64)
]
"""A key's name that one can say and type: letters and digits, and between them blanks, dots, lines."""
Scope = Literal["ask", "documents", "ingest", "admin"]
KeyState = Literal["active", "revoked", "expired"]


def _flag(value: object) -> object:
    """The value, if it is true or false: Pydantic takes words and numbers for them as well."""
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")  # noqa: TRY004 - pydantic takes no TypeError
    return value


class KeyOut(AdminShape):
    """A key without the key: `prefix` is how it begins. Times are ISO 8601 in UTC, null where there is none."""

    name: str
    prefix: str
    state: KeyState
    scopes: list[str]
    groups: list[str]
    owner: str | None
    questions_per_minute: int | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None

    @classmethod
    def from_domain(cls, key: ApiKey, *, at: str) -> KeyOut:
        """The key as it stands at that time."""
        fields = {name: value for name, value in asdict(key).items() if name != "revoked_at"}
        return cls(**fields | {"scopes": list(key.scopes), "groups": list(key.groups), "state": key.state(at=at)})


class KeysOut(AdminShape):
    """All keys by name. A key made here has at most these scopes and groups: those of who makes it."""

    keys: list[KeyOut]
    scopes: list[str]
    groups: list[str]


class KeyIn(AdminShape):
    """A key to be made. `days` until it ends, null: it has no end. `owner`: a known user with whom it ends."""

    name: KeyName
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    groups: list[PlainLine] = Field(default_factory=list, max_length=50)
    owner: PlainLine | None = None
    days: Annotated[int, Field(ge=1, le=3650), A_NUMBER] | None = 90
    questions_per_minute: Annotated[int, Field(ge=1, le=100_000), A_NUMBER] | None = None


class KeyMadeOut(AdminShape):
    """The new key, shown this once: the ledger keeps its hash alone."""

    key: str
    made: KeyOut


class KeyNameIn(AdminShape):
    """Whose key is to end."""

    name: PlainLine


class UserOut(AdminShape):
    """A person; `groups` without `everyone`, which everybody is in."""

    name: str
    display_name: str
    groups: list[str]
    is_disabled: bool

    @classmethod
    def from_domain(cls, user: User) -> UserOut:
        """The user as sent to clients."""
        return cls(**asdict(user) | {"groups": sorted(user.groups)})


class UsersOut(AdminShape):
    """Known users by name. With a file they are kept there: it is applied again and again, so nobody is changed here."""

    users: list[UserOut]
    file: str
    is_in_file: bool
    known_users_only: bool


class UserStateIn(AdminShape):
    """Whether a known user may come in."""

    name: PlainLine
    is_disabled: Annotated[bool, BeforeValidator(_flag)]


class AuditEntryOut(AdminShape):
    """One act. `question` only where the audit keeps words; `documents` are ids, as the audit has no titles."""

    entry_id: int
    at: str
    act: str
    actor: str
    via: str
    subject: str
    request_id: str
    question: str | None
    documents: list[str]
    details: dict[str, Any]


class AuditOut(AdminShape):
    """One page, the newest first; `next` is the cursor of the following page, null at the end."""

    entries: list[AuditEntryOut]
    next: int | None
    questions: Literal["text", "hashed", "none"]
    keep_days: int

    @classmethod
    def from_domain(
        cls, entries: Iterable[AuditEntry], *, limit: int, questions: Literal["text", "hashed", "none"], keep_days: int
    ) -> AuditOut:
        """The page; `entries` may hold one more than `limit`, which shows that there is another page."""
        found = list(entries)
        shown = [
            AuditEntryOut(
                entry_id=entry.entry_id,
                at=entry.at,
                act=entry.act.value,
                actor=entry.actor,
                via=entry.via,
                subject=entry.subject,
                request_id=entry.request_id,
                question=entry.question,
                documents=list(entry.documents),
                details=dict(entry.details),
            )
            for entry in found[:limit]
        ]
        following = shown[-1].entry_id if len(found) > limit else None
        return cls(entries=shown, next=following, questions=questions, keep_days=keep_days)
