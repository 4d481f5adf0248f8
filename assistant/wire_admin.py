"""Pydantic shapes of what administrators see: numbers of use, folders, questions without an answer. Never who asked."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from assistant import history, outcomes
from assistant.errors import Language
from assistant.generation import Generation
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


class OutcomeFileOut(AdminShape):
    """A file that the administrator may read; `detail` says what is wrong and what to do, in their language."""

    document_id: str
    folder: str
    path: str
    detail: str | None
    attempts: int


class TroubledOut(AdminShape):
    """Files with one reason or warning: `count` has all of them, `files` the first that the administrator may read."""

    code: str
    count: int
    files: list[OutcomeFileOut]


class ScannedPageOut(AdminShape):
    """A recognised page; `confidence` is the recogniser's own, 0 to 100."""

    document_id: str
    path: str
    page: int
    confidence: float


class FitnessOut(AdminShape):
    """Share of probe questions of a language that the vectors alone find."""

    language: str
    share: float


class IngestionOut(AdminShape):
    """What ingestion left behind. `pages_by_tenth` counts recognised pages by confidence, 0-9, 10-19 ... 90-100."""

    failures: list[TroubledOut]
    warnings: list[TroubledOut]
    pages_by_tenth: list[int]
    worst_pages: list[ScannedPageOut]
    embedder: str | None
    fitness: list[FitnessOut]

    @classmethod
    def from_domain(
        cls, found: outcomes.Outcomes, generation: Generation | None, *, language: Language
    ) -> IngestionOut:
        """The outcomes as sent to clients, in one language."""
        measured = sorted((dict(generation.fitness) if generation is not None else {}).items())
        return cls(
            failures=[_troubled(one, language) for one in found.failures],
            warnings=[_troubled(one, language) for one in found.warnings],
            pages_by_tenth=list(found.pages_by_tenth),
            worst_pages=[ScannedPageOut(**vars(page)) for page in found.worst_pages],
            embedder=generation.embedder_id if generation is not None else None,
            fitness=[FitnessOut(language=of, share=share) for of, share in measured],
        )


def in_language(lines: str | None, language: Language) -> str | None:
    """Of a text kept as a Japanese and an English line, the one in that language."""
    both = (lines or "").splitlines()
    return (both[0] if language == "ja" else both[-1]) if both else None


def _troubled(one: outcomes.Troubled, language: Language) -> TroubledOut:
    files = [OutcomeFileOut(**{**vars(file), "detail": in_language(file.detail, language)}) for file in one.files]
    return TroubledOut(code=one.code, count=one.count, files=files)
