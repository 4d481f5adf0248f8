"""Who is signed in by cookie, and until when. Only hashes: a copy of the ledger signs nobody in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, insert, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.auditing import write_entry
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional
from assistant.audit import Act, AuditEntry
from assistant.people import HeldSignIn

TOKEN_BYTES = 32


class SignIns(Transactional):
    """Sign-ins: begun, asked for at every request, ended by people, by time, or with the user."""

    def start_sign_in(self, user: str, *, minutes: float) -> str:
        """The cookie's value, known to nobody else. Sign-ins that are over go."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        begun = datetime.now(UTC)
        ends_at = (begun + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
        token_hash, sign_in_id = _hashes(token)
        with self._writing() as connection:
            connection.execute(delete(s.sign_ins).where(s.sign_ins.c.ends_at <= now()))
            connection.execute(
                insert(s.sign_ins).values(
                    token_hash=token_hash,
                    sign_in_id=sign_in_id,
                    user_name=user,
                    started_at=begun.isoformat(timespec="milliseconds"),
                    ends_at=ends_at,
                )
            )
            write_entry(connection, AuditEntry(Act.SIGNED_IN, user, via="sign-in"))
        return token

    def signed_in(self, token: str) -> HeldSignIn | None:
        """Whose cookie this is; None for one that is unknown, over, or of a disabled user."""
        with self._reading() as connection:
            row = connection.execute(_living(s.sign_ins.c.token_hash == _hashes(token)[0])).first()
        return HeldSignIn(row.user_name, row.sign_in_id) if row else None

    def is_signed_in(self, sign_in_id: str, user: str) -> bool:
        """Whether this sign-in lives and is that user's."""
        condition = (s.sign_ins.c.sign_in_id == sign_in_id) & (s.sign_ins.c.user_name == user)
        with self._reading() as connection:
            return connection.execute(_living(condition)).first() is not None

    def end_sign_in(self, token: str) -> str | None:
        """Ends it; whose it was, None if there was none."""
        its = s.sign_ins.c.token_hash == _hashes(token)[0]
        with self._writing() as connection:
            user = connection.execute(select(s.sign_ins.c.user_name).where(its)).scalar()
            if user is None:
                return None
            connection.execute(delete(s.sign_ins).where(its))
            write_entry(connection, AuditEntry(Act.SIGNED_OUT, user, via="sign-in"))
        return str(user)


def _living(condition: ColumnElement[bool]) -> Select[tuple[str, str]]:
    """Those that are not over, of users who are not disabled."""
    c, u = s.sign_ins.c, s.users.c
    disabled = exists(select(u.user_name).where(u.user_name == c.user_name, u.is_disabled.is_(True)))
    return select(c.user_name, c.sign_in_id).where(condition, c.ends_at > now(), ~disabled)


def _hashes(token: str) -> tuple[str, str]:
    """What is stored of a cookie, and the name under which screen and API know the sign-in."""
    first = hashlib.sha256(token.encode()).hexdigest()
    return first, hashlib.sha256(first.encode()).hexdigest()
