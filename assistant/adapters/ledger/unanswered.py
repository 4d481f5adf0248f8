"""Questions without a good answer on their way to one: who owns them, when they were tried again, when they were answered.

    refused or rated down ─▶ open ─▶ owned by somebody ─▶ closed: the pipeline answers it now
                              ▲                              │
                              └── refused again after that ──┘

The state hangs on the hash of the text; the text itself stays with those who asked, and goes with them.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.auditing import write_entry
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.jobs import PLAN
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.audit import Act, AuditEntry
from assistant.domain import JobState, RefusalReason
from assistant.history import DueQuestion, QuestionState

APP_PREFIX = "app:"
IS_OPEN = or_(
    s.answers.c.refused.is_(True) & (func.coalesce(s.answers.c.reason, "") != RefusalReason.UNREADABLE_QUESTION.value),
    s.feedback.c.rating == "down",
)
"""Of an answer and its feedback: refused, though something was asked, or rated down."""
LOOKED_AT = 500
"""Questions and jobs looked through, the newest ones."""
_CHANGES = ("add", "change", "retry", "move", "mended", "regrouped")
"""Counts of an ingestion after which a question may find more than before."""


def question_key(question: str) -> str:
    """The same for texts that differ in width, case and blanks alone."""
    plain = " ".join(unicodedata.normalize("NFKC", question).lower().split())
    return hashlib.sha256(plain.encode()).hexdigest()


class Unanswered(Transactional):
    """Reads and writes of these states."""

    def question_states(self, keys: Sequence[str]) -> dict[str, QuestionState]:
        """What is known of these questions, by key; nothing of those that nobody touched."""
        q = s.question_states.c
        found: dict[str, QuestionState] = {}
        with self._reading() as connection:
            for some in slices(list(keys)):
                rows = connection.execute(select(s.question_states).where(q.question_key.in_(some))).mappings()
                found |= {row["question_key"]: QuestionState(row["owner"], row["closed_at"]) for row in rows}
        return found

    def assign_questions(self, keys: Sequence[str], *, owner: str | None, by: str) -> None:
        """Somebody answers for these questions now; None: nobody."""
        with self._writing() as connection:
            for key in keys:
                _put(connection, key, owner=owner)
            details = {"owner": owner or "", "questions": len(keys)}
            write_entry(connection, AuditEntry(Act.QUESTION_ASSIGNED, by, via="proxy", details=details))

    def last_change(self) -> str | None:
        """When an ingestion ended last that brought or changed something; None before the first."""
        j = s.jobs.c
        ended = select(j.finished_at, j.counts).where(j.state == JobState.DONE.value, j.kind != PLAN)
        with self._reading() as connection:
            for finished_at, counts in connection.execute(ended.order_by(j.finished_at.desc()).limit(LOOKED_AT)):
                if any(counts.get(name) for name in _CHANGES):
                    return str(finished_at)
        return None

    def due_questions(self, *, changed_at: str, since: str, limit: int) -> list[DueQuestion]:
        """Open questions of people that were asked, and tried, before the documents changed; those that somebody waits for
        first.

        Each comes with one who asked it, whose rights count when it is tried; apps' questions are never tried.
        """
        a, f, w = s.answers.c, s.feedback.c, s.wanted_answers.c
        wishes = select(w.wanted_id, w.principal, w.question, w.language, w.asked_at).where(w.closed_at.is_(None))
        refused = (
            select(a.principal, a.question, a.language, func.max(a.created_at).label("asked_at"))
            .select_from(s.answers.outerjoin(s.feedback, f.answer_id == a.answer_id))
            .where(
                a.created_at >= since,
                a.principal.not_like(APP_PREFIX + "%"),
                IS_OPEN,
            )
            .group_by(a.principal, a.question, a.language)
            .order_by(func.max(a.created_at).desc())
            .limit(LOOKED_AT)
        )
        with self._reading() as connection:
            wanted = connection.execute(wishes.order_by(w.asked_at).limit(LOOKED_AT)).all()
            others = connection.execute(refused).all()
            states = {row.question_key: row for row in connection.execute(select(s.question_states)).all()}
        due: dict[str, DueQuestion] = {}
        for row in (*wanted, *others):
            key, wanted_id = question_key(row.question), getattr(row, "wanted_id", None)
            state = states.get(key)
            tried_at = (state and state.checked_at) or ""
            is_closed = state is not None and (state.closed_at or "") > row.asked_at
            # Two who wait are told each; nobody else's question is asked beside theirs.
            known = f"{key}:{wanted_id}" if wanted_id else key
            is_beside = wanted_id is None and any(other.startswith(key) for other in due)
            is_late = max(row.asked_at, tried_at) > changed_at  # the documents have not changed since
            if (
                is_late
                or is_beside
                or known in due
                or row.principal.startswith(APP_PREFIX)
                or (is_closed and wanted_id is None)
            ):
                continue
            due[known] = DueQuestion(key, row.question, row.language, row.principal, wanted_id)
        return list(due.values())[:limit]

    def note_tried(self, key: str, *, is_answered: bool) -> None:
        """The question was asked again just now; closed if it was answered."""
        at = now()
        with self._writing() as connection:
            values = {"checked_at": at} | ({"closed_at": at} if is_answered else {})
            _put(connection, key, **values)

    def close_wanted(self, wanted_id: str, *, answer_id: str) -> None:
        """Whoever waits for it is told at their next visit."""
        with self._writing() as connection:
            connection.execute(
                update(s.wanted_answers)
                .where(s.wanted_answers.c.wanted_id == wanted_id)
                .values(closed_at=now(), closed_answer_id=answer_id)
            )

    def keep_value(self, name: str, value: object, *, by: str) -> None:
        """Keeps what an administrator entered, as JSON; the audit says that, not what."""
        with self._writing() as connection:
            connection.execute(delete(s.kept_values).where(s.kept_values.c.name == name))
            connection.execute(insert(s.kept_values).values(name=name, value=value, updated_at=now()))
            write_entry(connection, AuditEntry(Act.VALUE_KEPT, by, via="proxy", subject=name))

    def kept_value(self, name: str) -> object | None:
        """What was entered last; None before that."""
        with self._reading() as connection:
            return connection.execute(select(s.kept_values.c.value).where(s.kept_values.c.name == name)).scalar()


def _put(connection: Connection, key: str, **values: str | None) -> None:
    q = s.question_states
    if not connection.execute(update(q).where(q.c.question_key == key).values(**values)).rowcount:
        connection.execute(insert(q).values(question_key=key, **values))
