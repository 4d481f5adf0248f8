"""Pydantic shapes of what is told about answers given earlier. Names are the contract's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant import history
from assistant.errors import Language
from assistant.wire import document_url
from assistant.wire_words import Title

State = Literal["current", "changed", "gone"]
_WORST_FIRST: tuple[State, ...] = ("gone", "changed", "current")


class CitationValidityOut(BaseModel):
    """One citation today: `current` (the cited file is unchanged), `changed`, or `gone` (deleted, or not to be seen).

    `quote_is_there`: the quotation still stands in the document letter by letter. Null for a document that is gone.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    document_id: str
    state: State
    title: str | None
    path: str | None
    quote_is_there: bool | None


class ValidityOut(BaseModel):
    """Whether what an answer cited still stands; `state` is the worst of its citations, `current` without any."""

    model_config = ConfigDict(extra="forbid")

    answer_id: str
    state: State
    citations: list[CitationValidityOut]

    @classmethod
    def from_domain(cls, answer_id: str, citations: Sequence[history.CitationValidity]) -> ValidityOut:
        """The answer's state as sent to clients."""
        states = {citation.state.value for citation in citations}
        return cls(
            answer_id=answer_id,
            state=next((state for state in _WORST_FIRST if state in states), "current"),
            citations=[
                CitationValidityOut(
                    number=citation.number,
                    document_id=citation.document_id,
                    state=citation.state.value,
                    title=citation.title,
                    path=citation.path,
                    quote_is_there=citation.is_quote_there,
                )
                for citation in citations
            ],
        )


Rating = Literal["up", "down"]
FeedbackReason = Literal["wrong", "incomplete", "outdated", "wrong_source", "unclear", "other"]


class HistoryShape(BaseModel):
    """Base of the shapes below: unknown fields are refused so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid")


class FeedbackIn(HistoryShape):
    """Body of POST /answers/{id}/feedback; a second one replaces the first."""

    rating: Rating
    reason: FeedbackReason | None = None
    text: str | None = Field(default=None, max_length=2000)


class FeedbackOut(HistoryShape):
    """What the asker thought of an answer."""

    answer_id: str
    rating: Rating
    reason: str | None
    text: str | None
    created_at: str

    @classmethod
    def from_domain(cls, feedback: history.Feedback) -> FeedbackOut:
        """The feedback as sent to clients."""
        return cls.model_validate(vars(feedback))


class WantedOut(HistoryShape):
    """A question that the caller wants to be told of; `closed_at` is set once the documents answer it."""

    wanted_id: str
    question: str
    language: Language
    asked_at: str
    answer_id: str
    closed_at: str | None
    closed_answer_id: str | None

    @classmethod
    def from_domain(cls, wanted: history.Wanted) -> WantedOut:
        """The wish as sent to clients."""
        return cls.model_validate(vars(wanted))


class WantedListOut(HistoryShape):
    """What the caller waits for."""

    wanted: list[WantedOut]


class StoredCitationOut(HistoryShape):
    """A citation of a stored answer, seen with today's rights; title, path and quote are null where it is `gone`."""

    number: int
    document_id: str
    version_id: str
    chunk_id: str
    state: State
    title: str | None
    path: str | None
    page: int | None
    heading_path: list[str]
    quote: str | None
    start: int
    end: int
    url: str | None
    is_current: bool

    @classmethod
    def from_domain(cls, citation: history.StoredCitation) -> StoredCitationOut:
        """The citation as sent to clients."""
        is_gone = citation.state is history.CitationState.GONE
        return cls(
            **{**vars(citation), "state": citation.state.value, "heading_path": list(citation.heading_path)},
            url=None if is_gone else document_url(citation.document_id, page=citation.page),
            is_current=citation.state is history.CitationState.CURRENT,
        )


class ExchangeOut(HistoryShape):
    """A question of a conversation and its answer. `answer` is null, and `withheld` true, where something that it cites
    may no longer be read."""

    answer_id: str
    question: str
    rewritten: str | None
    answer: str | None
    withheld: bool
    refused: bool
    reason: str | None
    mode: Literal["generated", "quotes"]
    language: Language
    warnings: list[str]
    citations: list[StoredCitationOut]
    feedback: FeedbackOut | None
    release_id: str
    model: str
    total_seconds: float
    created_at: str

    @classmethod
    def from_domain(cls, stored: history.StoredAnswer) -> ExchangeOut:
        """The exchange as sent to clients."""
        same = {name: value for name, value in vars(stored).items() if name in cls.model_fields}
        return cls(
            **{
                **same,
                "answer": stored.text,
                "withheld": stored.text is None,
                "warnings": list(stored.warnings),
                "citations": [StoredCitationOut.from_domain(citation) for citation in stored.citations],
                "feedback": None if stored.feedback is None else FeedbackOut.from_domain(stored.feedback),
            }
        )


class ConversationIn(HistoryShape):
    """Body of PATCH /conversations/{id}."""

    title: Title


class ConversationOut(HistoryShape):
    """One conversation of the caller; `answers` counts its questions, unfinished ones as well."""

    conversation_id: str
    title: str
    created_at: str
    updated_at: str
    answers: int

    @classmethod
    def from_domain(cls, conversation: history.Conversation) -> ConversationOut:
        """The conversation as sent to clients."""
        return cls.model_validate(vars(conversation))


class ConversationsOut(HistoryShape):
    """One page of conversations, the last used first; `next` is the cursor of the following page."""

    conversations: list[ConversationOut]
    next: str | None


class UnfinishedOut(HistoryShape):
    """A question that is being answered, or whose answer was broken off: stopped, or the connection or the server went away.

    `text` is what had been written, unchecked; null where it rests on what may no longer be read. Asked again in the same
    words, the question has its answer among the exchanges.
    """

    question: str
    language: Language
    text: str | None
    created_at: str

    @classmethod
    def from_domain(cls, unfinished: history.Unfinished) -> UnfinishedOut:
        """The question as sent to clients."""
        return cls(**{name: value for name, value in vars(unfinished).items() if name in cls.model_fields})


class ConversationDetailOut(ConversationOut):
    """A conversation with one page of its exchanges, the oldest first; `next` is the cursor of the following page.
    `unfinished` are all of its questions without an answer yet, whatever the page."""

    exchanges: list[ExchangeOut]
    unfinished: list[UnfinishedOut] = Field(default_factory=list)
    next: str | None
