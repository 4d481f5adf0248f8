"""API keys of apps. Keys are stored as hashes; the key itself is shown once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from sqlalchemy import RowMapping, delete, insert, or_, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.auditing import write_entry
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional
from assistant.audit import Act, AuditEntry
from assistant.domain import EVERYONE, Principal
from assistant.people import ApiKey, HeldKey

KEY_PREFIX = "ca_"
PREFIX_CHARACTERS = 10


class Keys(Transactional):
    """Which apps may ask, what, until when, and how much."""

    def create_key(
        self,
        name: str,
        *,
        groups: Iterable[str] = (),
        scopes: Iterable[str] = ("ask", "documents"),
        owner: str | None = None,
        expires_at: str | None = None,
        questions_per_minute: int | None = None,
        by: str = "cli",
    ) -> str:
        """A new key for an app; shown this once, stored as SHA-256. A name that is taken gets its key replaced."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        kept = {
            "prefix": key[:PREFIX_CHARACTERS],
            "groups": sorted(set(groups)),
            "scopes": sorted(set(scopes)),
            "owner": owner,
            "questions_per_minute": questions_per_minute,
            "expires_at": expires_at,
        }
        with self._writing() as connection:
            connection.execute(delete(s.api_keys).where(s.api_keys.c.name == name))
            connection.execute(insert(s.api_keys).values(key_hash=_hash(key), name=name, created_at=now(), **kept))
            write_entry(connection, AuditEntry(Act.KEY_CREATED, by, subject=name, details=kept))
        return key

    def list_keys(self) -> list[ApiKey]:
        """Every key by name; never the key itself."""
        with self._reading() as connection:
            return [_key(row) for row in connection.execute(select(s.api_keys).order_by(s.api_keys.c.name)).mappings()]

    def revoke_key(self, name: str, *, by: str = "cli") -> bool:
        """Whether there was a living key of that name; it no longer works."""
        with self._writing() as connection:
            changed = connection.execute(
                update(s.api_keys)
                .where(s.api_keys.c.name == name, s.api_keys.c.revoked_at.is_(None))
                .values(revoked_at=now())
            ).rowcount
            if changed:
                write_entry(connection, AuditEntry(Act.KEY_REVOKED, by, subject=name))
        return bool(changed)

    def held_key(self, key: str) -> HeldKey | None:
        """Who holds the key; None for an unknown, revoked or expired one, and for one whose owner is disabled.

        A key that belongs to a user reads what both it and its owner may read.
        """
        k, u = s.api_keys.c, s.users.c
        living = (
            select(s.api_keys, u.user_name.label("known_owner"))
            .select_from(s.api_keys.outerjoin(s.users, (u.user_name == k.owner) & u.is_disabled.is_(False)))
            .where(k.key_hash == _hash(key), k.revoked_at.is_(None), or_(k.expires_at.is_(None), k.expires_at > now()))
        )
        with self._reading() as connection:
            row = connection.execute(living).mappings().first()
            if row is None or (row["owner"] is not None and row["known_owner"] is None):
                return None
            groups = frozenset(row["groups"])
            if row["owner"] is not None:
                its = select(s.user_groups.c.group_name).where(s.user_groups.c.user_name == row["owner"])
                groups &= frozenset(connection.execute(its).scalars())
        principal = Principal(
            name=f"app:{row['name']}", groups=groups | {EVERYONE}, scopes=frozenset(row["scopes"]), via="key"
        )
        return HeldKey(row["name"], principal, row["questions_per_minute"], row["last_used_at"])

    def principal_for_key(self, key: str) -> Principal | None:
        """The app that holds the key, or None for a key that does not count; see `held_key`."""
        held = self.held_key(key)
        return None if held is None else held.principal

    def note_key_use(self, name: str) -> None:
        """Writes that the key was used just now."""
        with self._writing() as connection:
            connection.execute(update(s.api_keys).where(s.api_keys.c.name == name).values(last_used_at=now()))


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(
        name=row["name"],
        prefix=row["prefix"],
        groups=tuple(row["groups"]),
        scopes=tuple(row["scopes"]),
        owner=row["owner"],
        questions_per_minute=row["questions_per_minute"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
