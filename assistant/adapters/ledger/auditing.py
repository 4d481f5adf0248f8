"""The audit: entries are added and read; only retention and erasure change or delete any, and the database sees to it.

Triggers (migration 0008) refuse every UPDATE and DELETE unless the same transaction holds a row in `audit_permits`. That
row is never committed, so nobody else's transaction can use it. It guards against mistakes in this code and against a
careless hand at the database, not against an administrator of the database who means it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, Table, delete, insert, or_, select, update

from assistant.adapters.ledger import release_tables as t
from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional
from assistant.audit import Act, AuditEntry

PAGE_ENTRIES = 1000
SUBJECT_CHARACTERS = 200


class Auditing(Transactional):
    """Adds to the audit, reads it, and takes out of it what retention and erasure say."""

    def record(self, entry: AuditEntry) -> None:
        """Adds the entry with the present time. Raises StoreUnavailable: what cannot be audited is not to be shown."""
        with self._writing() as connection:
            write_entry(connection, entry)

    def audit_entries(self, *, since: str = "", until: str = "9999", act: Act | None = None) -> Iterator[AuditEntry]:
        """Entries from `since` up to, not including, `until` (ISO 8601), oldest first, read in pieces."""
        last = 0
        a = s.audit_entries.c
        while True:
            query = select(s.audit_entries).where(a.at >= since, a.at < until, a.entry_id > last)
            query = query if act is None else query.where(a.act == act.value)
            with self._reading() as connection:
                rows = connection.execute(query.order_by(a.entry_id).limit(PAGE_ENTRIES)).all()
            if not rows:
                return
            yield from map(_entry, rows)
            last = rows[-1].entry_id

    def newest_entries(
        self, *, actor: str | None, act: Act | None, since: str, until: str, before: int | None, limit: int
    ) -> list[AuditEntry]:
        """At most `limit` entries from `since` up to, not including, `until`, the newest first; of `actor`, of `act`, and
        older than the entry `before`, where these are given."""
        a = s.audit_entries.c
        conditions = [a.at >= since, a.at < until]
        conditions += [] if actor is None else [a.actor == actor]
        conditions += [] if act is None else [a.act == act.value]
        conditions += [] if before is None else [a.entry_id < before]
        query = select(s.audit_entries).where(*conditions)
        with self._reading() as connection:
            return [_entry(row) for row in connection.execute(query.order_by(a.entry_id.desc()).limit(limit)).all()]

    def last_entry(self, act: Act) -> AuditEntry | None:
        """The newest entry of that act."""
        a = s.audit_entries.c
        query = select(s.audit_entries).where(a.act == act.value).order_by(a.entry_id.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _entry(row)

    def prune_audit(self, *, keep_days: int, by: str = "retention") -> int:
        """How many entries were older than `keep_days` days and are gone; one entry says so."""
        oldest = (datetime.now(UTC) - timedelta(days=keep_days)).isoformat(timespec="milliseconds")
        old = s.audit_entries.c.at < oldest
        with self._reading() as connection:
            if connection.execute(select(s.audit_entries.c.entry_id).where(old).limit(1)).first() is None:
                return 0
        with self._writing() as connection, _permitted(connection):
            gone = connection.execute(delete(s.audit_entries).where(old)).rowcount
            write_entry(
                connection, AuditEntry(Act.PRUNED, by, via="system", details={"entries": gone, "until": oldest})
            )
        return gone

    def erase_user(self, name: str, *, by: str = "cli") -> dict[str, int]:
        """Deletes the user with groups, keys, questions, conversations and whatever else is theirs; rows by table.

        In the audit, in jobs and in the history of releases a pseudonym takes the name's place, and questions go: what was
        done stays, who did it does not. The pseudonym is told to nobody.
        """
        pseudonym = "erased-" + secrets.token_hex(8)
        with self._writing() as connection, _permitted(connection):
            keys = connection.execute(select(s.api_keys.c.name).where(s.api_keys.c.owner == name)).scalars().all()
            names = [name, *(f"app:{key}" for key in keys)]
            counts = _delete_of(connection, names)
            named = [(table, "user_name") for table in (s.sign_ins, s.user_groups, s.users)]
            for table, column in ((s.api_keys, "owner"), *named):
                counts[table.name] = connection.execute(delete(table).where(table.c[column] == name)).rowcount
            owned = update(s.question_states).where(s.question_states.c.owner == name).values(owner=None)
            counts["question_states"] = connection.execute(owned).rowcount
            jobs = update(s.jobs).where(s.jobs.c.requested_by.in_(names)).values(requested_by=pseudonym)
            counts["jobs"] = connection.execute(jobs).rowcount
            for table, column in ((t.release_events, "actor"), (t.releases, "created_by")):
                renamed = update(table).where(table.c[column].in_(names)).values({column: pseudonym})
                counts[table.name] = connection.execute(renamed).rowcount
            counts["audit_entries"] = _rename(connection, name, names, [*names, *keys], pseudonym)
            counts = {table: count for table, count in counts.items() if count}
            entry = AuditEntry(Act.USER_ERASED, by, subject=pseudonym, details=counts)
            write_entry(connection, entry if by not in names else replace(entry, actor=pseudonym))
        return counts

    def forget_key(self, name: str, *, by: str) -> None:
        """Ends a key that was made for a moment, and deletes it with everything that was asked with it."""
        with self._writing() as connection:
            _delete_of(connection, [f"app:{name}"])
            connection.execute(delete(s.api_keys).where(s.api_keys.c.name == name))
            write_entry(connection, AuditEntry(Act.KEY_REVOKED, by, subject=name))


def write_entry(connection: Connection, entry: AuditEntry) -> None:
    """Adds the entry within a transaction, so that the act and its entry become true together."""
    connection.execute(
        insert(s.audit_entries).values(
            at=now(),
            act=entry.act.value,
            actor=entry.actor,
            via=entry.via,
            subject=entry.subject[:SUBJECT_CHARACTERS],
            request_id=entry.request_id,
            question=entry.question,
            question_hash=entry.question_hash,
            documents=list(entry.documents),
            details=dict(entry.details),
        )
    )


@contextmanager
def _permitted(connection: Connection) -> Iterator[None]:
    """Within it this transaction, and no other, may change and delete entries."""
    permit = secrets.token_hex(8)
    connection.execute(insert(s.audit_permits).values(permit=permit))
    yield
    connection.execute(delete(s.audit_permits).where(s.audit_permits.c.permit == permit))


def _delete_of(connection: Connection, names: list[str]) -> dict[str, int]:
    """Deletes the rows of every table that says whose they are in a column `principal`, and the rows that hang on them."""
    counts: dict[str, int] = {}
    for table in reversed(s.metadata.sorted_tables):
        conditions = [
            key.parent.in_(select(key.column).where(key.column.table.c.principal.in_(names)))
            for key in table.foreign_keys
            if "principal" in key.column.table.c
        ]
        if "principal" in table.c:
            conditions.append(table.c.principal.in_(names))
        if conditions:
            counts[table.name] = connection.execute(delete(table).where(or_(*conditions))).rowcount
    return counts


def _rename(connection: Connection, name: str, names: list[str], subjects: list[str], pseudonym: str) -> int:
    a: Table = s.audit_entries
    asked = update(a).where(a.c.actor.in_(names)).values(actor=pseudonym, question=None, question_hash=None)
    changed = connection.execute(asked).rowcount
    connection.execute(update(a).where(a.c.subject.in_(subjects)).values(subject=pseudonym))
    # Details are JSON, which no two databases search alike: the few entries of administrators are read here.
    admin = select(a.c.entry_id, a.c.details).where(a.c.act.not_in([Act.ASKED.value, Act.SEARCHED.value]))
    for entry_id, details in connection.execute(admin).all():
        hidden = _without(details, {*names, *subjects}, pseudonym)
        if hidden != details:
            connection.execute(update(a).where(a.c.entry_id == entry_id).values(details=hidden))
    return changed


def _without(value: object, names: set[str], pseudonym: str) -> object:
    """The same JSON with the pseudonym in place of each text that is one of the names."""
    if isinstance(value, dict):
        return {_without(key, names, pseudonym): _without(inner, names, pseudonym) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, names, pseudonym) for inner in value]
    return pseudonym if isinstance(value, str) and value in names else value


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    found = row._mapping
    return AuditEntry(
        act=Act(found["act"]),
        actor=found["actor"],
        via=found["via"],
        subject=found["subject"],
        request_id=found["request_id"],
        question=found["question"],
        question_hash=found["question_hash"],
        documents=tuple(found["documents"]),
        details=found["details"],
        at=found["at"],
        entry_id=found["entry_id"],
    )
