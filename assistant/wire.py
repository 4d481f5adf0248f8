"""Pydantic shapes of the HTTP API and its event stream, shared by api and ui. Names are the contract's.

Knows nothing of FastAPI, Streamlit or the pipeline's inner life; `from_domain` turns domain values into these.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote as url_quote

from pydantic import BaseModel, ConfigDict, Field

from assistant import domain
from assistant.errors import Language
from assistant.wire_words import Identifier, PlainLine, QuestionText


class Wire(BaseModel):
    """Base of all shapes: unknown fields are refused so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid")


class FiltersIn(Wire):
    """Narrowing of a search."""

    folders: list[PlainLine] = Field(default_factory=list, max_length=50, examples=[["人事/"]])
    document_ids: list[PlainLine] = Field(default_factory=list, max_length=200)

    def to_domain(self) -> domain.Filters:
        """The filters as the pipeline takes them."""
        return domain.Filters(folders=tuple(self.folders), document_ids=tuple(self.document_ids))


class AskIn(Wire):
    """Body of POST /ask."""

    question: QuestionText = Field(examples=["有給休暇はいつまでに申請しますか?"])
    conversation_id: Identifier | None = None
    stream: bool = False
    language: Literal["auto", "ja", "en"] = "auto"
    filters: FiltersIn = Field(default_factory=FiltersIn)
    release: PlainLine | None = None


class SearchIn(Wire):
    """Body of POST /search."""

    question: QuestionText = Field(examples=["VPN"])
    limit: int = Field(default=8, ge=1, le=50)
    filters: FiltersIn = Field(default_factory=FiltersIn)


class PassageOut(Wire):
    """A chunk found for the question."""

    rank: int
    chunk_id: str
    document_id: str
    version_id: str
    title: str
    path: str
    page: int | None
    heading_path: list[str]
    text: str
    start: int
    end: int
    score: float
    used: bool
    url: str

    @classmethod
    def from_domain(cls, passage: domain.Passage) -> PassageOut:
        """The passage as sent to clients."""
        return cls(
            rank=passage.rank,
            chunk_id=passage.chunk_id,
            document_id=passage.document_id,
            version_id=passage.version_id,
            title=passage.title,
            path=passage.path,
            page=passage.page,
            heading_path=list(passage.heading_path),
            text=passage.text,
            start=passage.start,
            end=passage.end,
            score=passage.score,
            used=passage.used,
            url=document_url(passage.document_id, page=passage.page),
        )


class CitationOut(Wire):
    """A passage that the answer used; `quote` is the exact source text at `start:end`."""

    number: int
    chunk_id: str
    document_id: str
    version_id: str
    title: str
    path: str
    page: int | None
    heading_path: list[str]
    quote: str
    start: int
    end: int
    url: str
    is_current: bool

    @classmethod
    def from_domain(cls, citation: domain.Citation) -> CitationOut:
        """The citation as sent to clients."""
        return cls(
            number=citation.number,
            chunk_id=citation.chunk_id,
            document_id=citation.document_id,
            version_id=citation.version_id,
            title=citation.title,
            path=citation.path,
            page=citation.page,
            heading_path=list(citation.heading_path),
            quote=citation.quote,
            start=citation.start,
            end=citation.end,
            url=document_url(citation.document_id, page=citation.page),
            is_current=citation.is_current,
        )


class ContextOut(Wire):
    """How the model's window was used; nothing is ever cut in silence."""

    num_ctx: int
    prompt_tokens: int
    counted_by: Literal["model", "tokenizer", "estimate", "none"]
    passages_used: int
    passages_dropped: int
    answer_tokens: int = 0


class NoticeOut(Wire):
    """A warning in words; `start:end` is its place in the answer, if it has one."""

    code: str
    message: str
    start: int | None = None
    end: int | None = None

    @classmethod
    def from_domain(cls, notice: domain.Notice, *, language: Language) -> NoticeOut:
        """The notice as sent to clients, in one language."""
        message = notice.message_ja if language == "ja" else notice.message_en
        return cls(code=notice.code, message=message, start=notice.start, end=notice.end)


class TimingsOut(Wire):
    """Wall-clock seconds of the question."""

    queue_seconds: float
    retrieve_seconds: float
    first_token_seconds: float | None
    total_seconds: float


class AnswerOut(Wire):
    """The whole answer: body of POST /ask, and data of the `finished` event."""

    answer: str
    refused: bool
    reason: str | None
    mode: Literal["generated", "quotes"]
    language: Language
    citations: list[CitationOut]
    passages: list[PassageOut]
    context: ContextOut
    warnings: list[str]
    notices: list[NoticeOut]
    release_id: str
    model: str
    answer_id: str
    conversation_id: str
    request_id: str
    timings: TimingsOut
    rewritten: str | None = None

    @classmethod
    def from_domain(cls, answer: domain.Answer) -> AnswerOut:
        """The answer as sent to clients; notices in the answer's language, their codes in `warnings`."""
        return cls(
            answer=answer.text,
            refused=answer.refused,
            reason=answer.reason,
            mode=answer.mode.value,
            language=answer.language,
            citations=[CitationOut.from_domain(c) for c in answer.citations],
            passages=[PassageOut.from_domain(p) for p in answer.passages],
            context=ContextOut(**vars(answer.context)),
            warnings=list(dict.fromkeys(n.code for n in answer.notices)),
            notices=[NoticeOut.from_domain(n, language=answer.language) for n in answer.notices],
            release_id=answer.release_id,
            model=answer.model,
            answer_id=answer.answer_id,
            conversation_id=answer.conversation_id,
            request_id=answer.request_id,
            timings=TimingsOut(**vars(answer.timings)),
            rewritten=answer.rewritten,
        )


class QueuedOut(Wire):
    """Data of the `queued` event: sent again whenever the position changes; 0 says, once, that the wait is over."""

    position: int
    wait_seconds: float


class RewrittenOut(Wire):
    """Data of the `rewritten` event: the question as it was understood from the conversation."""

    question: str


class FoundOut(Wire):
    """Data of the `found` event."""

    passages: list[PassageOut]


class TokenOut(Wire):
    """Data of the `token` event."""

    text: str


class CitedOut(Wire):
    """Data of the `cited` event."""

    citation: CitationOut


class SearchOut(Wire):
    """Body of a 200 from POST /search."""

    passages: list[PassageOut]
    warnings: list[str]
    notices: list[NoticeOut]
    timings: dict[str, float]

    @classmethod
    def from_domain(cls, found: domain.SearchResult, *, language: Language) -> SearchOut:
        """The passages as sent to clients; `timings` holds `retrieve_seconds`."""
        return cls(
            passages=[PassageOut.from_domain(p) for p in found.passages],
            warnings=list(dict.fromkeys(n.code for n in found.notices)),
            notices=[NoticeOut.from_domain(n, language=language) for n in found.notices],
            timings={"retrieve_seconds": found.retrieve_seconds},
        )


class DocumentOut(Wire):
    """A document that the caller may read."""

    document_id: str
    title: str
    path: str
    folder: str
    status: str
    reason: str | None
    media_type: str | None
    size_bytes: int
    modified: str
    version_id: str | None
    chunk_count: int
    pages: int | None
    language: str | None
    kind: str = "other"
    added: str | None = None
    changed: str | None = None
    owner: str | None = None

    @classmethod
    def from_domain(cls, document: domain.Document) -> DocumentOut:
        """The document as sent to clients; `modified` is ISO 8601 in UTC."""
        return cls(
            document_id=document.document_id,
            title=document.title,
            path=document.path,
            folder=document.folder,
            status=document.status.value,
            reason=document.reason.value if document.reason is not None else None,
            media_type=document.media_type,
            size_bytes=document.size_bytes,
            modified=datetime.fromtimestamp(document.modified_ns // 1_000_000_000, tz=UTC).isoformat(),
            version_id=document.version_id,
            chunk_count=document.chunk_count,
            pages=document.pages,
            language=document.language,
        )


class DocumentsOut(Wire):
    """One page of documents; `next` is the cursor of the following page."""

    documents: list[DocumentOut]
    next: str | None


class JobIn(Wire):
    """Body of POST /jobs: the folder by its name (else the documents folder) is brought up to date (`run`), only looked at
    (`plan`), or its files that are not searchable are tried once more (`retry`)."""

    kind: Literal["run", "plan", "retry"] = "run"
    folder: PlainLine | None = None


class JobOut(Wire):
    """One ingestion run asked for or running; times are ISO 8601 in UTC."""

    job_id: str
    kind: str
    folder: str
    state: str
    requested_by: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    counts: dict[str, int]
    error: str | None

    @classmethod
    def from_domain(cls, job: domain.Job) -> JobOut:
        """The job as sent to clients."""
        return cls(**{**vars(job), "state": job.state.value, "counts": dict(job.counts)})


class JobsOut(Wire):
    """Jobs, newest first."""

    jobs: list[JobOut]


class MeOut(Wire):
    """Who the caller is to the assistant."""

    name: str
    groups: list[str]
    scopes: list[str]
    via: Literal["proxy", "key", "cli"]

    @classmethod
    def from_domain(cls, principal: domain.Principal) -> MeOut:
        """The principal as sent to itself."""
        return cls(
            name=principal.name, groups=sorted(principal.groups), scopes=sorted(principal.scopes), via=principal.via
        )


class DependencyOut(Wire):
    """One dependency as seen just now; `hint` says what to do, in the caller's language."""

    name: str
    state: Literal["ok", "warn", "fail"]
    seen: str
    hint: str


class HealthOut(Wire):
    """The process lives."""

    status: Literal["ok"]


class ReadyOut(Wire):
    """Whether questions can be answered, and each dependency. `not_ready` comes with status 503."""

    status: Literal["ready", "not_ready"]
    dependencies: list[DependencyOut]


class Problem(BaseModel):
    """RFC 9457 problem with the hint that tells what to do. Further members are allowed."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    hint: str
    code: str
    request_id: str
    retryable: bool


def document_url(document_id: str, *, page: int | None) -> str:
    """Path of the original under the API, with `#page=` for a paged document."""
    suffix = f"#page={page}" if page is not None else ""
    return f"/documents/{url_quote(document_id)}/file{suffix}"
