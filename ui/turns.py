"""What one browser tab has asked: questions with all that came back so far. Pure; knows neither Streamlit nor the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from assistant.errors import Language
from assistant.wire import (
    AnswerOut,
    CitationOut,
    CitedOut,
    ContextOut,
    FoundOut,
    PassageOut,
    Problem,
    QueuedOut,
    RewrittenOut,
    TimingsOut,
    TokenOut,
)
from assistant.wire_history import ConversationDetailOut, ExchangeOut, StoredCitationOut, UnfinishedOut
from ui.client import Event
from ui.words import asking, say, sources

# A question that is too long or no question stays so; it goes back into the box instead.
NOT_TO_BE_RETRIED: Final = frozenset({413, 422})


@dataclass(frozen=True)
class Wish:
    """How a question is asked: the answer's language, and where to look; nothing named means everywhere."""

    language: str = "auto"
    folders: tuple[str, ...] = ()
    document_id: str = ""
    document_title: str = ""


@dataclass
class Turn:
    """One question and all that came back so far.

    `is_lost` says that the browser went away in the middle: the question is asked again when it is back. `is_broken_off`:
    the history holds it without an answer.
    `owners` answer for the nearest documents; None until they were asked for.
    """

    question: str
    wish: Wish = Wish()
    identifier: str = field(default_factory=lambda: uuid4().hex[:8])
    queued: QueuedOut | None = None
    rewritten: str | None = None
    passages: list[PassageOut] | None = None
    citations: list[CitationOut] = field(default_factory=list)
    text: str = ""
    answer: AnswerOut | None = None
    problem: Problem | None = None
    retry_after_seconds: float | None = None
    is_lost: bool = False
    is_wanted: bool = False
    is_from_history: bool = False
    is_broken_off: bool = False
    owners: list[tuple[str, str]] | None = None

    def take(self, event: Event) -> None:
        """Grow by one event."""
        match event:
            case QueuedOut():
                self.queued = event if event.position else None  # 0: the model has begun to read
            case RewrittenOut():
                self.queued, self.rewritten = None, event.question
            case FoundOut():
                self.queued, self.passages = None, event.passages
            case TokenOut():
                self.queued, self.text = None, self.text + event.text
            case CitedOut():
                self.citations.append(event.citation)
            case AnswerOut():
                self.answer, self.citations, self.passages = event, event.citations, event.passages
                self.rewritten = event.rewritten

    @property
    def must_be_reworded(self) -> bool:
        """Whether the question itself was refused, so that asking it again would not help."""
        return self.problem is not None and self.problem.status in NOT_TO_BE_RETRIED

    @property
    def anchors(self) -> dict[int, str]:
        """Each checked citation's number and the id of its highlighted quote on the page."""
        return {c.number: f"source-{self.identifier}-{c.number}" for c in self.citations}

    def as_text(self, language: Language) -> str:
        """Question, answer and sources as plain text, to be pasted into a mail."""
        answer = self.answer.answer if self.answer is not None else self.text
        lines = [self.question, "", answer]
        if self.citations:
            lines += ["", say(sources.SOURCES, language)]
        for cited in self.citations:
            page = "" if cited.page is None else " " + say(sources.PAGE, language, page=cited.page)
            lines.append(f"[{cited.number}] {cited.title} ({cited.path}{page})")
        return "\n".join(lines)


@dataclass
class Talk:
    """The questions of one tab. `box_number` tells the boxes apart that were drawn one after another.

    `conversation_id` is made here, before the first question is asked, so that the page's address can name it from then on.
    """

    turns: list[Turn] = field(default_factory=list)
    pending: Turn | None = None
    box_number: int = 0
    conversation_id: str | None = None

    def ask_next(self, question: str, wish: Wish) -> None:
        """To be asked at the next run."""
        self.pending = Turn(question, wish)

    def ask_again(self, turn: Turn) -> None:
        """The same question once more, in the old one's place."""
        if turn in self.turns:
            self.turns.remove(turn)
        self.pending = Turn(turn.question, turn.wish)

    def start_over(self) -> None:
        """Nothing was asked yet."""
        self.turns.clear()
        self.pending = self.conversation_id = None


def turns_from(told: ConversationDetailOut, *, language: Language) -> list[Turn]:
    """The questions of a conversation of the history, the oldest first; those without an answer at their time's place."""
    dated = [
        (one.created_at, turn_from(one, conversation_id=told.conversation_id, language=language))
        for one in told.exchanges
    ]
    dated += [(one.created_at, _broken_off(one, language=language)) for one in told.unfinished]
    return [turn for _, turn in sorted(dated, key=lambda pair: pair[0])]


def _broken_off(unfinished: UnfinishedOut, *, language: Language) -> Turn:
    text = say(asking.WITHHELD, language) if unfinished.text is None else unfinished.text
    return Turn(unfinished.question, text=text, is_from_history=True, is_broken_off=True)


def turn_from(exchange: ExchangeOut, *, conversation_id: str, language: Language) -> Turn:
    """A question of the history as it is shown: what may no longer be read is left out and said."""
    cited = [CitationOut.model_validate(_still_there(one)) for one in exchange.citations if one.title is not None]
    turn = Turn(exchange.question, is_from_history=True, rewritten=exchange.rewritten, citations=cited, passages=[])
    turn.answer = AnswerOut(
        answer=say(asking.WITHHELD, language) if exchange.answer is None else exchange.answer,
        refused=exchange.refused,
        reason=exchange.reason,
        mode=exchange.mode,
        language=exchange.language,
        citations=cited,
        passages=[],
        context=ContextOut(num_ctx=0, prompt_tokens=0, counted_by="none", passages_used=0, passages_dropped=0),
        warnings=exchange.warnings,
        notices=[],
        release_id=exchange.release_id,
        model=exchange.model,
        answer_id=exchange.answer_id,
        conversation_id=conversation_id,
        request_id="",
        timings=TimingsOut(
            queue_seconds=0, retrieve_seconds=0, first_token_seconds=None, total_seconds=exchange.total_seconds
        ),
        rewritten=exchange.rewritten,
    )
    return turn


def _still_there(cited: StoredCitationOut) -> dict[str, object]:
    told = cited.model_dump(exclude={"state"})
    return {**told, "quote": cited.quote or "", "path": cited.path or "", "url": cited.url or ""}
