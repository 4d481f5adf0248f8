"""What administrators see of use: numbers of days, ratings, questions without an answer. Never who asked, never a document."""

from __future__ import annotations

from sqlalchemy import Select, and_, case, func, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.cursors import decode_cursor, encode_cursor
from assistant.adapters.ledger.transaction import Transactional
from assistant.adapters.ledger.unanswered import IS_OPEN
from assistant.history import MEASURING, DayOfUse, Feedback, OpenQuestion

RATED_DOWN = "rated_down"
"""The reason of a question whose answer somebody rated down."""
_EVALUATION = "evaluation"  # the name of release/evaluate.py EVALUATOR


class Usage(Transactional):
    """Counts over answers and feedback; days are UTC."""

    def usage_by_day(self, *, since: str) -> list[DayOfUse]:
        """Each day with a question since the day `since` (YYYY-MM-DD), the newest first."""
        a, f = s.answers.c, s.feedback.c
        day = func.substr(a.created_at, 1, 10).label("day")
        statement = (
            select(
                day,
                func.count().label("questions"),
                func.sum(case((a.refused.is_(True), 1), else_=0)).label("refused"),
                func.sum(case((a.mode == "quotes", 1), else_=0)).label("quotes"),
                func.count(a.principal.distinct()).label("askers"),
                func.sum(case((f.rating == "up", 1), else_=0)).label("up"),
                func.sum(case((f.rating == "down", 1), else_=0)).label("down"),
                func.avg(a.total_seconds).label("mean_seconds"),
            )
            .select_from(s.answers.outerjoin(s.feedback, f.answer_id == a.answer_id))
            .where(a.created_at >= since)
            .group_by(day)
            .order_by(day.desc())
        )
        with self._reading() as connection:
            return [DayOfUse(**row) for row in connection.execute(statement).mappings()]

    def open_questions(self, *, since: str, limit: int) -> list[OpenQuestion]:
        """Questions since that day that were refused or whose answer was rated down; the most frequent first. What asks nothing
        (an emoji, thanks) is none."""
        a, f = s.answers.c, s.feedback.c
        reason = case((f.rating == "down", RATED_DOWN), else_=func.coalesce(a.reason, "")).label("reason")
        last = func.max(a.created_at).label("last_asked_at")
        statement = (
            select(a.question, reason, func.count().label("times"), last)
            .select_from(s.answers.outerjoin(s.feedback, f.answer_id == a.answer_id))
            .where(a.created_at >= since, IS_OPEN)
            .group_by(a.question, reason)
            .order_by(func.count().desc(), last.desc(), a.question)
            .limit(limit)
        )
        with self._reading() as connection:
            return [OpenQuestion(**row) for row in connection.execute(statement).mappings()]

    def list_feedback(
        self, *, rating: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[tuple[Feedback, str]], str | None]:
        """One page of ratings with the question of each, the newest first, and the cursor of the next page or None."""
        f = s.feedback.c
        statement: Select[tuple[object, ...]] = (
            select(s.feedback, s.answers.c.question)
            .join(s.answers, s.answers.c.answer_id == f.answer_id)
            .order_by(f.created_at.desc(), f.answer_id)
            .limit(limit + 1)
        )
        if rating:
            statement = statement.where(f.rating == rating)
        if cursor:
            created_at, answer_id = decode_cursor(cursor)
            twin = (f.created_at == created_at) & (f.answer_id > answer_id)
            statement = statement.where((f.created_at < created_at) | twin)
        with self._reading() as connection:
            rows = [dict(row) for row in connection.execute(statement).mappings()]
        page: list[tuple[Feedback, str]] = []
        for row in rows[:limit]:
            question = str(row.pop("question"))
            page.append((Feedback(**row), question))
        last = page[-1][0] if len(rows) > limit else None
        return page, None if last is None else encode_cursor(last.created_at, last.answer_id)

    def prompt_sizes(self, *, since: str, limit: int) -> list[int]:
        """Tokens of the prompts that a model answered since that day, the newest first; evaluations and measurements left out."""
        a = s.answers.c
        people = and_(a.principal != _EVALUATION, a.principal.not_like(f"{MEASURING}%"))
        statement = (
            select(a.prompt_tokens)
            .where(a.created_at >= since, a.mode == "generated", a.prompt_tokens > 0, people)
            .order_by(a.created_at.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return list(connection.execute(statement).scalars())

    def answers_written(self, *, since: str) -> list[tuple[int, str, float]]:
        """(tokens of the prompt, text, seconds) of each answer that a model wrote since that day, measurements left out."""
        a = s.answers.c
        statement = select(a.prompt_tokens, a.text, a.total_seconds).where(
            a.created_at >= since, a.mode == "generated", a.principal.not_like(f"{MEASURING}%")
        )
        with self._reading() as connection:
            return [(row.prompt_tokens, row.text, row.total_seconds) for row in connection.execute(statement)]

    def documents_by_folder(self) -> dict[str, dict[str, int]]:
        """Living documents by status, of each folder by its name."""
        d = s.documents.c
        statement = select(d.folder, d.status, func.count()).where(d.deleted_at == "").group_by(d.folder, d.status)
        counts: dict[str, dict[str, int]] = {}
        with self._reading() as connection:
            for folder, status, count in connection.execute(statement).all():
                counts.setdefault(folder, {})[status] = count
        return counts
