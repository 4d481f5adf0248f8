"""What the product is about: source files become documents, questions become answers.

Frozen values only; no I/O, no vendor types, no settings.

source file (on disk) -> document (its identity) -> version -> element (what a parser saw) -> chunk (what is stored)
-> passage (a chunk found for a question, with rank) -> citation (a passage that an answer used)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from assistant.errors import AssistantError, FailureReason, Language
from assistant.history import Exchange

EVERYONE = "everyone"  # the group that every principal belongs to; documents without an access rule carry it


class ElementKind(StrEnum):
    """What a parser saw."""

    HEADING = "heading"
    TEXT = "text"
    LIST_ITEM = "list_item"
    TABLE = "table"


class DocumentStatus(StrEnum):
    """State of a document in the ledger."""

    PENDING = "pending"
    INDEXED = "indexed"
    WARN = "warn"
    FAILED = "failed"
    SKIPPED = "skipped"
    DELETED = "deleted"


class SourceFile(NamedTuple):
    """A file found under a folder. `path` is relative to the folder, with `/`.

    A tuple, because a scan makes tens of thousands of them: a third of the time of a frozen dataclass.
    """

    folder: str
    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Element:
    """One heading, paragraph, list item or table; `text` is `full_text[start:end]` of its parsed document.

    `level` is the heading depth (1 = top) and 0 for anything else; `header` is a table's header row, repeated
    by the chunker when the table is split.
    """

    kind: ElementKind
    start: int
    end: int
    level: int = 0
    page: int | None = None
    header: str | None = None


@dataclass(frozen=True)
class ParsedDocument:
    """What a parser made of one source file: the whole text and its elements in reading order."""

    title: str
    text: str
    elements: tuple[Element, ...]
    parser: str
    media_type: str
    pages: int | None = None
    encoding: str | None = None
    notes: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Chunk:
    """A stored piece of a version. `text` is literally `version_text[start:end]`.

    `embedding_text` is what the embedder and the lexical index see: the title path in front, a table's header row
    repeated.
    """

    ordinal: int
    text: str
    start: int
    end: int
    page: int | None
    heading_path: tuple[str, ...]
    embedding_text: str


@dataclass(frozen=True)
class Passage:
    """A chunk found for a question, re-read from the ledger. `score` is 0 to 1, `rank` counts from 1.

    `joined` are the ids of neighbouring chunks that its text goes on into, beside its own.
    """

    chunk_id: str
    document_id: str
    version_id: str
    ordinal: int
    title: str
    folder: str
    path: str
    page: int | None
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    rank: int
    score: float
    used: bool = False
    modified_ns: int = 0
    joined: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A passage before it is ranked: its cosine in the search by meaning and its BM25 score in the search by words, None
    where that search did not bring it."""

    passage: Passage
    meaning: float | None
    words: float | None


@dataclass(frozen=True)
class Citation:
    """A passage that an answer used; `quote` is the exact source text at `start:end` of the version's text."""

    number: int
    chunk_id: str
    document_id: str
    version_id: str
    title: str
    path: str
    page: int | None
    heading_path: tuple[str, ...]
    quote: str
    start: int
    end: int
    is_current: bool = True


@dataclass(frozen=True)
class Principal:
    """Who asks: a user or an app, with the groups that decide what may be read."""

    name: str
    groups: frozenset[str] = frozenset({EVERYONE})
    scopes: frozenset[str] = frozenset({"ask", "documents"})
    via: Literal["proxy", "key", "cli"] = "cli"


@dataclass(frozen=True)
class Filters:
    """Narrowing of a search; empty means everything that may be read. Folders are path prefixes."""

    folders: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One question as asked. `language` is the answer's language, decided before the question enters the pipeline."""

    text: str
    language: Language
    principal: Principal
    filters: Filters = Filters()
    conversation_id: str | None = None
    request_id: str = ""
    earlier: tuple[Exchange, ...] = ()  # what came before, from callers that keep their conversation themselves
    talk_key: str = ""  # what all questions of such a conversation have in common: its first words


class RefusalReason(StrEnum):
    """Why an answer says nothing."""

    NOTHING_FOUND = "nothing_found"
    NOT_IN_DOCUMENTS = "not_in_documents"
    UNREADABLE_QUESTION = "unreadable_question"


class AnswerMode(StrEnum):
    """`generated` by the chat model, or `quotes` taken literally from the passages."""

    GENERATED = "generated"
    QUOTES = "quotes"


@dataclass(frozen=True)
class Notice:
    """Something the reader of an answer must know; `code` is stable, the sentences are for people."""

    code: str
    message_ja: str
    message_en: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class ContextUse:
    """How the model's window was used. `counted_by`: model (its own count), tokenizer, estimate, or none (no model)."""

    num_ctx: int
    prompt_tokens: int
    counted_by: Literal["model", "tokenizer", "estimate", "none"]
    passages_used: int
    passages_dropped: int
    answer_tokens: int = 0  # as the model counted them; 0 where it did not


@dataclass(frozen=True)
class Timings:
    """Wall-clock seconds of one question."""

    queue_seconds: float
    retrieve_seconds: float
    first_token_seconds: float | None
    total_seconds: float


@dataclass(frozen=True)
class Answer:
    """The whole answer; its citation marks `[n]` each have an entry in `citations`."""

    text: str
    refused: bool
    reason: str | None
    mode: AnswerMode
    language: Language
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    context: ContextUse
    notices: tuple[Notice, ...]
    release_id: str
    model: str
    answer_id: str
    conversation_id: str
    request_id: str
    timings: Timings
    rewritten: str | None = None  # the question made to stand alone, where it leaned on the conversation
    doubt: float | None = None  # the model's chance, 0 to 1, that no passage says it; None: not asked
    offered: tuple[str, ...] = ()  # chunk ids of the passages in the prompt, in their order; empty without a model


@dataclass(frozen=True)
class Queued:
    """Waiting for the model; `position` counts from 1. 0 says, once, that the wait is over."""

    position: int
    wait_seconds: float


@dataclass(frozen=True)
class Rewritten:
    """The question as it was understood from the conversation, sent before the search."""

    question: str


@dataclass(frozen=True)
class Found:
    """The passages, sent before the first token."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Token:
    """A piece of the answer as the model writes it; marks in it are not yet checked."""

    text: str


@dataclass(frozen=True)
class Cited:
    """A checked citation."""

    citation: Citation


@dataclass(frozen=True)
class Finished:
    """The end of a good stream."""

    answer: Answer


@dataclass(frozen=True)
class Failed:
    """The end of a failed stream."""

    error: AssistantError


Event = Queued | Rewritten | Found | Token | Cited | Finished | Failed


@dataclass(frozen=True)
class ModelToken:
    """A piece of text from a chat model. `alternatives`: chances, 0 to 1, of the likeliest tokens here, if asked for and told."""

    text: str
    alternatives: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelEnd:
    """The chat model's end mark with its own counts; `truncated` when it stopped at its token limit."""

    prompt_tokens: int | None
    answer_tokens: int | None
    truncated: bool


@dataclass(frozen=True)
class Failure:
    """A source file that could not be ingested, for status and receipts."""

    path: str
    reason: FailureReason
    message: str
    attempts: int


@dataclass(frozen=True)
class Document:
    """A document as listed to people. `folder` is the ingested folder's name, `path` is relative to its root."""

    document_id: str
    folder: str
    path: str
    title: str
    status: DocumentStatus
    reason: FailureReason | None
    media_type: str | None
    size_bytes: int
    modified_ns: int
    version_id: str | None
    chunk_count: int
    pages: int | None
    language: str | None


class JobState(StrEnum):
    """State of a job; claimed by a conditional update."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """One ingestion run asked for or running; `counts` holds added, changed, moved, deleted, unchanged, failed ..."""

    job_id: str
    kind: str
    folder: str
    state: JobState
    requested_by: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    counts: Mapping[str, int]
    error: str | None


@dataclass(frozen=True)
class DependencyState:
    """One dependency as seen just now. `state` is ok, warn or fail; `hint` says what to do."""

    name: str
    state: Literal["ok", "warn", "fail"]
    seen: str
    hint_ja: str
    hint_en: str


@dataclass(frozen=True)
class SearchResult:
    """Passages without an answer."""

    passages: tuple[Passage, ...]
    notices: tuple[Notice, ...]
    retrieve_seconds: float
