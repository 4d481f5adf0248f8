"""Pydantic shapes of what administrators see: numbers of use, folders, questions without an answer. Never who asked."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from assistant import history
from assistant.wire import JobOut
from assistant.wire_history import FeedbackOut


class AdminShape(BaseModel):
    """Base of these shapes."""

    model_config = ConfigDict(extra="forbid")


class DayOut(AdminShape):
    """One day (UTC). `askers` counts people and apps; `quotes` are answers by quotation alone."""

    day: str
    questions: int
    refused: int
    quotes: int
    askers: int
    up: int
    down: int
    mean_seconds: float | None


class UsageOut(AdminShape):
    """Days with questions, the newest first, and their sums."""

    since: str
    questions: int
    refused: int
    quotes: int
    up: int
    down: int
    days: list[DayOut]

    @classmethod
    def from_domain(cls, since: str, days: Sequence[history.DayOfUse]) -> UsageOut:
        """The days as sent to clients."""
        return cls(
            since=since,
            questions=sum(day.questions for day in days),
            refused=sum(day.refused for day in days),
            quotes=sum(day.quotes for day in days),
            up=sum(day.up for day in days),
            down=sum(day.down for day in days),
            days=[DayOut.model_validate(vars(day)) for day in days],
        )


class FolderOut(AdminShape):
    """A folder with its documents by status, and the ingestion that ended last."""

    folder: str
    root: str
    documents: dict[str, int]
    last_job: JobOut | None


class FoldersOut(AdminShape):
    """All folders by name."""

    folders: list[FolderOut]


class OpenQuestionOut(AdminShape):
    """A question that was refused (its reason), or whose answer was rated down (`rated_down`)."""

    question: str
    reason: str
    times: int
    last_asked_at: str


class OpenQuestionsOut(AdminShape):
    """The most frequent first."""

    since: str
    questions: list[OpenQuestionOut]

    @classmethod
    def from_domain(cls, since: str, questions: Sequence[history.OpenQuestion]) -> OpenQuestionsOut:
        """The questions as sent to clients."""
        return cls(since=since, questions=[OpenQuestionOut.model_validate(vars(question)) for question in questions])


class RatedOut(FeedbackOut):
    """A rating with the question that was asked."""

    question: str


class RatingsOut(AdminShape):
    """One page of ratings, the newest first; `next` is the cursor of the following page."""

    feedback: list[RatedOut]
    next: str | None
