"""Users and their groups, and which groups may read which document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.auditing import write_entry
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.reach import renew_reach
from assistant.adapters.ledger.transaction import Transactional, plain_rows
from assistant.audit import Act, AuditEntry
from assistant.canary import GROUP
from assistant.domain import EVERYONE
from assistant.people import Standing, User


class People(Transactional):
    """Who may ask, and which groups they are in."""

    def groups_of(self, user: str) -> frozenset[str]:
        """Groups of a user; everybody is at least in `everyone`."""
        with self._reading() as connection:
            rows = connection.execute(
                select(s.user_groups.c.group_name).where(s.user_groups.c.user_name == user)
            ).scalars()
            return frozenset({EVERYONE, *rows})

    def standing_of(self, user: str) -> Standing:
        """Whether the user is known or disabled, and their groups: what the door asks at every request."""
        statement = (
            select(s.users.c.is_disabled, s.user_groups.c.group_name)
            .select_from(s.users.outerjoin(s.user_groups, s.user_groups.c.user_name == s.users.c.user_name))
            .where(s.users.c.user_name == user)
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
            if not rows:
                groups = select(s.user_groups.c.group_name).where(s.user_groups.c.user_name == user)
                return Standing(
                    is_known=False,
                    is_disabled=False,
                    groups=frozenset({EVERYONE, *connection.execute(groups).scalars()}),
                )
        named = {row.group_name for row in rows if row.group_name is not None}
        return Standing(is_known=True, is_disabled=bool(rows[0].is_disabled), groups=frozenset({EVERYONE, *named}))

    def set_groups(self, user: str, groups: Iterable[str], *, by: str = "cli") -> None:
        """Replaces the user's groups, and makes the user known."""
        names = sorted(set(groups) - {EVERYONE})
        with self._writing() as connection:
            self._write_groups(connection, user, names)
            if not connection.execute(select(s.users.c.user_name).where(s.users.c.user_name == user)).first():
                _write_user(connection, User(user))
            write_entry(connection, AuditEntry(Act.GROUPS_SET, by, subject=user, details={"groups": names}))

    def users(self) -> list[User]:
        """Every known user by name, with groups; those as well who have groups only."""
        with self._reading() as connection:
            rows = connection.execute(select(s.users).order_by(s.users.c.user_name)).mappings().all()
            members = connection.execute(select(s.user_groups.c.user_name, s.user_groups.c.group_name)).all()
        groups: dict[str, set[str]] = {row["user_name"]: set() for row in rows}
        for user, group in members:
            groups.setdefault(user, set()).add(group)
        known = {row["user_name"]: row for row in rows}
        return [
            User(
                name,
                display_name=known[name]["display_name"] if name in known else "",
                groups=frozenset(groups[name]),
                is_disabled=bool(known[name]["is_disabled"]) if name in known else False,
            )
            for name in sorted(groups)
        ]

    def groups_of_documents(self) -> frozenset[str]:
        """Every group that may read a living document."""
        statement = (
            select(s.document_groups.c.group_name)
            .distinct()
            .join(s.documents, s.documents.c.document_id == s.document_groups.c.document_id)
            .where(s.documents.c.deleted_at == "")
        )
        with self._reading() as connection:
            return frozenset(connection.execute(statement).scalars())

    def apply_users(self, users: Iterable[User], *, by: str, details: Mapping[str, Any]) -> None:
        """Writes these users with their groups in one transaction, and an entry of the audit with `details`."""
        with self._writing() as connection:
            for user in users:
                connection.execute(delete(s.users).where(s.users.c.user_name == user.name))
                _write_user(connection, user)
                self._write_groups(connection, user.name, sorted(user.groups - {EVERYONE}))
            write_entry(connection, AuditEntry(Act.USERS_SYNCED, by, details=details))

    @staticmethod
    def _write_groups(connection: Connection, user: str, names: Sequence[str]) -> None:
        connection.execute(delete(s.user_groups).where(s.user_groups.c.user_name == user))
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
        """Whether any living document, but for those of the canary, may not be read by everyone."""
        d, g = s.documents.c, s.document_groups.c
        # The canary's documents have a rule of their own, which no file holds.
        named = g.group_name.in_([EVERYONE, GROUP])
        for_everyone = exists(select(g.document_id).where(g.document_id == d.document_id, named))
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


def _write_user(connection: Connection, user: User) -> None:
    connection.execute(
        insert(s.users).values(
            user_name=user.name, display_name=user.display_name, is_disabled=user.is_disabled, updated_at=now()
        )
    )
