"""What was asked and answered before: exchanges of a conversation, and what became of the documents that an answer cited.

Frozen values only, as in domain.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assistant.errors import Language


@dataclass(frozen=True)
class Exchange:
    """An earlier question of a conversation and its answer.

    `asked` is what the person typed, `question` the same made to stand alone. `answer` is empty where something that it
    cites may no longer be read. `offered` are the chunks that its prompt held, in their order.
    """

    asked: str
    question: str
    answer: str
    language: Language
    offered: tuple[str, ...] = ()


class CitationState(StrEnum):
    """What became of a cited document since the answer was given."""

    CURRENT = "current"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True)
class CitationValidity:
    """One citation of a stored answer today. Title, path and `is_quote_there` are None when the document is gone.

    `is_quote_there`: whether the quotation still stands in the document letter by letter.
    """

    number: int
    document_id: str
    state: CitationState
    title: str | None
    path: str | None
    is_quote_there: bool | None


@dataclass(frozen=True)
class Conversation:
    """One conversation of a principal; times are ISO 8601 in UTC. `answers` counts its questions, unfinished ones as well."""

    conversation_id: str
    title: str
    created_at: str
    updated_at: str
    answers: int


@dataclass(frozen=True)
class Feedback:
    """What somebody thought of an answer; `rating` is up or down."""

    answer_id: str
    rating: str
    reason: str | None
    text: str | None
    created_at: str


@dataclass(frozen=True)
class Wanted:
    """A question that somebody wants to be told of when it can be answered; `closed_at` is None until then."""

    wanted_id: str
    question: str
    language: Language
    asked_at: str
    answer_id: str
    closed_at: str | None
    closed_answer_id: str | None


@dataclass(frozen=True)
class StoredCitation:
    """A citation of a stored answer with today's right to read: all but number, ids and state are None when it is gone."""

    number: int
    document_id: str
    version_id: str
    chunk_id: str
    start: int
    end: int
    state: CitationState
    title: str | None
    path: str | None
    page: int | None
    heading_path: tuple[str, ...]
    quote: str | None


@dataclass(frozen=True)
class StoredAnswer:
    """A question of a conversation and what was answered. `text` is None where something that it cites may no longer be
    read; `warnings` are codes."""

    answer_id: str
    conversation_id: str
    question: str
    rewritten: str | None
    text: str | None
    language: Language
    mode: str
    refused: bool
    reason: str | None
    release_id: str
    model: str
    warnings: tuple[str, ...]
    citations: tuple[StoredCitation, ...]
    feedback: Feedback | None
    total_seconds: float
    created_at: str


@dataclass(frozen=True)
class Unfinished:
    """A question that is being answered, or whose answer was broken off.

    `text` is what had been written, unchecked; None where it rests on passages that may no longer be read. `offered` are
    those passages, as in an `Exchange`.
    """

    unfinished_id: str
    conversation_id: str
    question: str
    language: Language
    text: str | None
    offered: tuple[str, ...] = ()
    created_at: str = ""


MEASURING: Final = "measuring-"
"""Beginning of the names of the users that `assistant capacity measure` asks as; they are no people."""


@dataclass(frozen=True)
class DayOfUse:
    """One day (UTC) in numbers: questions, those refused, those answered by quotations, people and apps that asked,
    ratings, and the mean seconds of an answer."""

    day: str
    questions: int
    refused: int
    quotes: int
    askers: int
    up: int
    down: int
    mean_seconds: float | None


@dataclass(frozen=True)
class OpenQuestion:
    """A question that the documents did not answer, or whose answer was rated down; who asked is not told."""

    question: str
    reason: str
    times: int
    last_asked_at: str


@dataclass(frozen=True)
class QuestionState:
    """What became of a question without an answer: who answers for it, and since when the documents do (or None)."""

    owner: str | None
    closed_at: str | None


@dataclass(frozen=True)
class DueQuestion:
    """An open question to be tried again with the rights of `principal`; `wanted_id` of whoever waits to be told."""

    key: str
    question: str
    language: str
    principal: str
    wanted_id: str | None
