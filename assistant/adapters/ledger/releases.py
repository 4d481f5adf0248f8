"""Releases: drafts, which one answers (one row, moved by a conditional update), and the history of who did what.

Every change is in the audit in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, case, func, insert, select, update

from assistant.adapters.ledger import release_tables as t
from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.auditing import write_entry
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional
from assistant.audit import Act, AuditEntry
from assistant.errors import NotFound, ReleaseConflict, Text
from assistant.releases import (
    Content,
    Release,
    ReleaseAct,
    ReleaseEvent,
    ReleaseState,
    ReleaseUse,
    Standing,
    Tuning,
)

_PLACE = "answers"
_r, _e, _st = t.releases.c, t.release_events.c, t.release_standing.c


class Releases(Transactional):
    """Reads and changes releases; a change is one transaction."""

    def standing(self) -> Standing:
        """Which release answers now; one row."""
        with self._reading() as connection:
            return _standing(connection)

    def release(self, release_id: str) -> Release:
        """The release, by its id or a beginning of it that no other has. Raises NotFound."""
        with self._reading() as connection:
            rows = connection.execute(
                select(t.releases).where(_r.release_id.startswith(release_id, autoescape=True)).limit(2)
            ).mappings().all()  # fmt: skip
        if not release_id or len(rows) != 1:
            raise _unknown(release_id)
        return _release(rows[0])

    def releases(self, *, limit: int = 100) -> list[Release]:
        """The newest first."""
        query = select(t.releases).order_by(_r.created_at.desc(), _r.release_id).limit(limit)
        with self._reading() as connection:
            return [_release(row) for row in connection.execute(query).mappings()]

    def release_events(self, release_id: str | None = None, *, limit: int = 100) -> list[ReleaseEvent]:
        """The history of one release or of all, the newest first."""
        query = select(t.release_events).order_by(_e.event_id.desc()).limit(limit)
        if release_id is not None:
            query = query.where(_e.release_id == release_id)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            ReleaseEvent(
                **{name: row[name] for name in ("at", "actor", "release_id", "former_id", "why", "details")},
                act=ReleaseAct(row["act"]),
            )
            for row in rows
        ]

    def save_draft(
        self, content: Content, *, by: str, why: str = "", based_on: str | None = None, details: Mapping[str, Any]
    ) -> Release:
        """The draft of that content; content that is known already is the release that it was."""
        release_id = content.release_id
        with self._writing() as connection:
            known = connection.execute(select(t.releases).where(_r.release_id == release_id)).mappings().first()
            if known is None:
                _insert(connection, content, ReleaseState.DRAFT, by=by, why=why, based_on=based_on)
                _note(connection, ReleaseAct.DRAFTED, release_id, by=by, former_id=based_on, why=why, details=details)
        return self.release(release_id)

    def adopt(self, content: Content, *, model: str, digest: str, by: str) -> Standing:
        """Notes what answered before the first release as the published one; nothing changes where one stands already."""
        release_id = content.release_id
        with self._writing() as connection:
            if _standing(connection).release_id is not None:
                return _standing(connection)
            if connection.execute(select(_r.release_id).where(_r.release_id == release_id)).first() is None:
                _insert(connection, content, ReleaseState.PUBLISHED, by=by, why="", based_on=None)
            _change(connection, release_id, state=ReleaseState.PUBLISHED.value, model=model, digest=digest)
            first = {"release_id": release_id, "former_id": None, "canary_id": None}
            values = {"place": _PLACE, "revision": 1, "canary_percent": 0, "canary_since": "", **first}
            connection.execute(insert(t.release_standing).values(**values))
            _note(connection, ReleaseAct.ADOPTED, release_id, by=by, details={"model": model})
            return _standing(connection)

    def note_made(self, release_id: str, *, model: str, digest: str) -> None:
        """The model of a release lies on the host."""
        with self._writing() as connection:
            _change(connection, release_id, model=model, digest=digest)

    def note_evaluated(self, release_id: str, evaluation: Mapping[str, Any], *, by: str) -> None:
        """What its comparison with the published one found."""
        with self._writing() as connection:
            _change(connection, release_id, evaluation=dict(evaluation))
            _note(connection, ReleaseAct.EVALUATED, release_id, by=by, details=evaluation.get("sums", {}))

    def note_refused(self, release_id: str, *, by: str, why: str, details: Mapping[str, Any]) -> None:
        """The release was not published, and why. One that was published before stays what it is."""
        with self._writing() as connection:
            connection.execute(
                update(t.releases)
                .where(_r.release_id == release_id, _r.state == ReleaseState.DRAFT.value)
                .values(state=ReleaseState.REFUSED.value)
            )
            _note(connection, ReleaseAct.REFUSED, release_id, by=by, why=why, details=details)

    def move(
        self,
        release_id: str,
        *,
        revision: int,
        act: ReleaseAct,
        by: str,
        why: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> Standing:
        """Answers come from this release from now on, and the one before is kept to go back to. A canary ends.

        Raises ReleaseConflict when the standing is not `revision` any more, NotFound for an unknown release.
        """
        with self._writing() as connection:
            before = _standing(connection)
            if connection.execute(select(_r.release_id).where(_r.release_id == release_id)).first() is None:
                raise _unknown(release_id)
            former = before.former_id if before.release_id == release_id else before.release_id
            values = {"release_id": release_id, "former_id": former, "canary_id": None, "canary_percent": 0}
            self._stand(connection, revision, **values)
            if before.release_id not in (None, release_id):
                _change(connection, str(before.release_id), state=ReleaseState.PREVIOUS.value)
            _change(connection, release_id, state=ReleaseState.PUBLISHED.value)
            _note(connection, act, release_id, by=by, former_id=before.release_id, why=why, details=details or {})
            return _standing(connection)

    def set_canary(self, release_id: str | None, percent: int, *, revision: int, by: str) -> Standing:
        """That share of the conversations goes to the release; None or 0 ends it. Raises ReleaseConflict, NotFound."""
        with self._writing() as connection:
            before = _standing(connection)
            chosen = release_id if percent else None
            if chosen and connection.execute(select(_r.release_id).where(_r.release_id == chosen)).first() is None:
                raise _unknown(chosen)
            since = before.canary_since if chosen == before.canary_id else now()
            share = percent if chosen else 0
            self._stand(connection, revision, canary_id=chosen, canary_percent=share, canary_since=since)
            told = chosen or before.canary_id or before.release_id
            if told is not None:
                _note(connection, ReleaseAct.CANARY, told, by=by, details={"percent": share})
            return _standing(connection)

    def uses_since(self, since: str, release_ids: Sequence[str]) -> list[ReleaseUse]:
        """How the answers of these releases went since then; evaluations are not counted."""
        a, f, c = s.answers.c, s.feedback.c, s.answer_citations.c
        cited = select(c.answer_id, func.count().label("count")).group_by(c.answer_id).subquery()
        statement = (
            select(
                a.release_id,
                func.count().label("answers"),
                func.sum(case((a.refused.is_(True), 1), else_=0)).label("refused"),
                func.sum(case((a.mode == "quotes", 1), else_=0)).label("quotes"),
                func.coalesce(func.sum(cited.c.count), 0).label("citations"),
                func.sum(case((f.rating == "up", 1), else_=0)).label("up"),
                func.sum(case((f.rating == "down", 1), else_=0)).label("down"),
                func.avg(a.total_seconds).label("mean_seconds"),
            )
            .select_from(
                s.answers.outerjoin(s.feedback, f.answer_id == a.answer_id).outerjoin(
                    cited, cited.c.answer_id == a.answer_id
                )
            )
            .where(a.release_id.in_(list(release_ids)), a.created_at >= since, a.principal != _EVALUATION)
            .group_by(a.release_id)
        )
        with self._reading() as connection:
            rows = {row["release_id"]: row for row in connection.execute(statement).mappings()}
        nothing = dict.fromkeys(("answers", "refused", "quotes", "citations", "up", "down"), 0)
        return [
            ReleaseUse(**rows[each]) if each in rows else ReleaseUse(each, mean_seconds=None, **nothing)
            for each in release_ids
        ]

    def asked_lately(self, *, limit: int) -> list[tuple[str, str]]:
        """(question, language) of the last questions that people asked, each once, the newest first; follow-ups as they were
        understood."""
        a = s.answers.c
        text, last = func.coalesce(a.rewritten, a.question).label("text"), func.max(a.created_at)
        statement = select(text, func.max(a.language).label("language")).where(a.principal != _EVALUATION)
        with self._reading() as connection:
            rows = connection.execute(statement.group_by(text).order_by(last.desc(), text).limit(limit)).all()
        return [(row.text, row.language) for row in rows]

    def _stand(self, connection: Connection, revision: int, **values: Any) -> None:
        """Changes the standing if it still is `revision`; before the first release that is 0. Raises ReleaseConflict."""
        if revision == 0 and connection.execute(select(_st.place)).first() is None and values.get("release_id"):
            values = {"canary_since": "", **values}
            connection.execute(insert(t.release_standing).values(place=_PLACE, revision=1, **values))
            return
        unchanged = update(t.release_standing).where(_st.revision == revision)
        if not connection.execute(unchanged.values(revision=revision + 1, **values)).rowcount:
            raise _overtaken(connection)


_EVALUATION = "evaluation"  # the name of release/evaluate.py EVALUATOR


def _standing(connection: Connection) -> Standing:
    row = connection.execute(select(t.release_standing)).mappings().first()
    return Standing() if row is None else Standing(**{name: value for name, value in row.items() if name != "place"})


def _release(row: RowMapping) -> Release:
    names = ("release_id", "created_at", "created_by", "why", "based_on", "model", "digest", "evaluation")
    content = Content(row["modelfile"], Tuning(**row["tuning"]))
    return Release(content=content, state=ReleaseState(row["state"]), **{name: row[name] for name in names})


def _insert(
    connection: Connection, content: Content, state: ReleaseState, *, by: str, why: str, based_on: str | None
) -> None:
    connection.execute(
        insert(t.releases).values(
            release_id=content.release_id,
            modelfile=content.modelfile,
            tuning=asdict(content.tuning),
            state=state.value,
            why=why,
            based_on=based_on,
            created_at=now(),
            created_by=by,
        )
    )


def _change(connection: Connection, release_id: str, **values: Any) -> None:
    connection.execute(update(t.releases).where(_r.release_id == release_id).values(**values))


def _note(
    connection: Connection,
    act: ReleaseAct,
    release_id: str,
    *,
    by: str,
    former_id: str | None = None,
    why: str = "",
    details: Mapping[str, Any],
) -> None:
    values = {"at": now(), "actor": by, "act": act.value, "release_id": release_id, "former_id": former_id, "why": why}
    connection.execute(insert(t.release_events).values(**values, details=dict(details)))
    via = "cli" if by.startswith("cli:") else "api"
    told = {"act": act.value, "former": former_id}
    entry = AuditEntry(Act.RELEASE_CHANGED, by, via=via, subject=release_id, details=told)
    write_entry(connection, entry)


def _unknown(release_id: str) -> NotFound:
    return NotFound(
        Text(ja=f"リリース {release_id} はありません。", en=f"There is no release {release_id}."),
        Text(ja="`assistant release list` で確かめてください。", en="Look with `assistant release list`."),
    )


def _overtaken(connection: Connection) -> ReleaseConflict:
    last = connection.execute(select(t.release_events).order_by(_e.event_id.desc()).limit(1)).mappings().first()
    who = "" if last is None else f"{last['actor']}: {last['act']} {last['release_id']}"
    return ReleaseConflict(
        Text(
            ja=f"その間に別の管理者が公開中のリリースを変えました({who})。",
            en=f"Meanwhile another administrator changed the published release ({who}).",
        ),
        Text(
            ja="`assistant release list` で確かめ、必要ならもう一度行ってください。",
            en="Look with `assistant release list`, and do it again if it is still wanted.",
        ),
    )
