"""What answering used: tokens, seconds, the folders that answers cite, how many people ask. Numbers alone."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.transaction import Transactional
from assistant.consumption import Consumption, DayOfTimes, percentile

MOST = 15
"""Folders and people that are listed."""


class Consuming(Transactional):
    """Reads over stored answers; days are UTC."""

    def consumption(self, *, since: str) -> Consumption:
        """What was used since that day (YYYY-MM-DD)."""
        a, c, d = s.answers.c, s.answer_citations.c, s.documents.c
        answers = select(
            a.created_at, a.principal, a.prompt_tokens, a.answer_tokens, a.queue_seconds, a.first_token_seconds,
            a.total_seconds,
        ).where(a.created_at >= since)  # fmt: skip
        cited = (
            select(d.folder, d.path, func.count())
            .select_from(s.answer_citations.join(s.answers, a.answer_id == c.answer_id))
            .join(s.documents, d.document_id == c.document_id)
            .where(a.created_at >= since)
            .group_by(d.folder, d.path)
        )
        with self._reading() as connection:
            rows = connection.execute(answers).all()
            cited_paths = connection.execute(cited).all()
        folders: Counter[str] = Counter()
        for folder, path, count in cited_paths:
            first, slash, _ = path.partition("/")
            folders[f"{folder}/{first}/" if slash else f"{folder}/"] += count
        people = Counter(row.principal for row in rows)
        days: dict[str, list[tuple[float | None, float | None]]] = {}
        for row in rows:
            days.setdefault(row.created_at[:10], []).append((row.first_token_seconds, row.queue_seconds))
        return Consumption(
            askers=len(people),
            prompt_tokens=sum(row.prompt_tokens for row in rows),
            answer_tokens=sum(row.answer_tokens or 0 for row in rows),
            busy_seconds=sum(max(row.total_seconds - (row.queue_seconds or 0.0), 0.0) for row in rows),
            days=tuple(_times(day, pairs) for day, pairs in sorted(days.items(), reverse=True)),
            folders=tuple(folders.most_common(MOST)),
            people=tuple(people.most_common(MOST)),
        )


def _times(day: str, pairs: list[tuple[float | None, float | None]]) -> DayOfTimes:
    first = [seconds for seconds, _ in pairs if seconds is not None]
    waits = [seconds for _, seconds in pairs if seconds is not None]
    return DayOfTimes(
        day,
        len(pairs),
        percentile(first, 0.5),
        percentile(first, 0.95),
        percentile(waits, 0.5),
        percentile(waits, 0.95),
    )
