"""API keys of apps and groups of users. Keys are stored as hashes; the key itself is shown once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, exists, insert, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.reach import renew_reach
from assistant.adapters.ledger.transaction import Transactional, plain_rows
from assistant.domain import EVERYONE, Principal

KEY_PREFIX = "ca_"
PREFIX_CHARACTERS = 10


class People(Transactional):
    """Who may ask, and which groups they are in."""

    def create_key(self, name: str, *, groups: Iterable[str] = (), scopes: Iterable[str] = ("ask", "documents")) -> str:
        """A new key for an app; shown this once, stored as SHA-256. A name that is taken gets its key replaced."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        with self._writing() as connection:
            connection.execute(delete(s.api_keys).where(s.api_keys.c.name == name))
            connection.execute(
                insert(s.api_keys).values(
                    key_hash=_hash(key),
                    prefix=key[:PREFIX_CHARACTERS],
                    name=name,
                    groups=sorted(set(groups)),
                    scopes=sorted(set(scopes)),
                    created_at=now(),
                )
            )
        return key

    def list_keys(self) -> list[dict[str, Any]]:
        """Name, prefix, groups, scopes, created_at, revoked_at of every key; never the key."""
        columns = [column for column in s.api_keys.c if column.name != "key_hash"]
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(select(*columns).order_by(s.api_keys.c.name)).mappings()]

    def revoke_key(self, name: str) -> bool:
        """Whether there was a living key of that name; it no longer works."""
        with self._writing() as connection:
            changed = connection.execute(
                update(s.api_keys)
                .where(s.api_keys.c.name == name, s.api_keys.c.revoked_at.is_(None))
                .values(revoked_at=now())
            ).rowcount
        return bool(changed)

    def principal_for_key(self, key: str) -> Principal | None:
        """The app that holds the key, or None for an unknown or revoked one."""
        with self._reading() as connection:
            row = (
                connection.execute(
                    select(s.api_keys).where(s.api_keys.c.key_hash == _hash(key), s.api_keys.c.revoked_at.is_(None))
                )
                .mappings()
                .first()
            )
        if row is None:
            return None
        return Principal(
            name=f"app:{row['name']}",
            groups=frozenset({EVERYONE, *row["groups"]}),
            scopes=frozenset(row["scopes"]),
            via="key",
        )

    def groups_of(self, user: str) -> frozenset[str]:
        """Groups of a user; everybody is at least in `everyone`."""
        with self._reading() as connection:
            rows = connection.execute(
                select(s.user_groups.c.group_name).where(s.user_groups.c.user_name == user)
            ).scalars()
            return frozenset({EVERYONE, *rows})

    def set_groups(self, user: str, groups: Iterable[str]) -> None:
        """Replaces the user's groups."""
        with self._writing() as connection:
            connection.execute(delete(s.user_groups).where(s.user_groups.c.user_name == user))
            names = sorted(set(groups) - {EVERYONE})
            if names:
                connection.execute(insert(s.user_groups), [{"user_name": user, "group_name": name} for name in names])

    def apply_groups(self, folder: str, groups_of_path: Callable[[str], Sequence[str]]) -> int:
        """Writes who may read each living document of the folder, by its path; how many changed. Nothing is embedded."""
        d, g = s.documents.c, s.document_groups.c
        statement = (
            select(d.document_id, d.path, g.group_name)
            .outerjoin(s.document_groups, g.document_id == d.document_id)
            .where(d.folder == folder, d.deleted_at == "")
        )
        with self._reading() as connection:
            rows = plain_rows(connection, statement)
        now_in: dict[str, set[str]] = {}
        paths: dict[str, str] = {}
        for document_id, path, group in rows:
            paths[document_id] = path
            if group is not None:
                now_in.setdefault(document_id, set()).add(group)
        nobody: set[str] = set()
        wanted = {document_id: set(groups_of_path(path)) for document_id, path in paths.items()}
        changed = [document_id for document_id, groups in wanted.items() if groups != now_in.get(document_id, nobody)]
        for document_id in changed:
            self.set_document_groups(document_id, wanted[document_id])
        return len(changed)

    def has_restricted_documents(self) -> bool:
        """Whether any living document may not be read by everyone."""
        d, g = s.documents.c, s.document_groups.c
        for_everyone = exists(select(g.document_id).where(g.document_id == d.document_id, g.group_name == EVERYONE))
        with self._reading() as connection:
            statement = select(d.document_id).where(d.deleted_at == "", ~for_everyone).limit(1)
            return connection.execute(statement).first() is not None

    def apply_owners(self, folder: str, owner_of_path: Callable[[str], str | None]) -> int:
        """Writes who answers for each living document of the folder into its receipt; how many changed."""
        owner = s.versions.c.receipt["owner"].as_string()
        statement = (
            select(s.versions.c.version_id, s.documents.c.path, owner)
            .join(s.documents, s.documents.c.version_id == s.versions.c.version_id)
            .where(s.documents.c.folder == folder, s.documents.c.deleted_at == "")
        )
        with self._reading() as connection:
            rows = plain_rows(connection, statement)
        changed = {version_id: wanted for version_id, path, seen in rows if (wanted := owner_of_path(path)) != seen}
        for version_id, wanted in changed.items():
            with self._writing() as connection:
                its = s.versions.c.version_id == version_id
                receipt = connection.execute(select(s.versions.c.receipt).where(its)).scalar_one()
                connection.execute(update(s.versions).where(its).values(receipt={**receipt, "owner": wanted}))
        return len(changed)

    def set_document_groups(self, document_id: str, groups: Iterable[str]) -> None:
        """Replaces who may read the document; takes effect at the next question, nothing is embedded again."""
        with self._writing() as connection:
            renew_reach(connection)
            connection.execute(delete(s.document_groups).where(s.document_groups.c.document_id == document_id))
            names = sorted(set(groups))
            if names:
                connection.execute(
                    insert(s.document_groups), [{"document_id": document_id, "group_name": name} for name in names]
                )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
