"""The API for Python programs: typed calls over HTTP with an API key. `pip install company-assistant` is all they need.

    with Client("https://assistant.example.co.jp/api", key) as client:
        print(client.ask("有給休暇はいつまでに申請しますか?").answer)

Knows HTTP and the wire shapes alone; it opens no ledger, no index and no settings. It is synchronous, as most scripts are;
a program that is not may call the HTTP API itself: every shape is in `assistant.wire`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from assistant.errors import AssistantError, Language, Text
from assistant.wire import (
    AnswerOut,
    CitedOut,
    DocumentOut,
    DocumentsOut,
    FoundOut,
    JobOut,
    MeOut,
    Problem,
    QueuedOut,
    RewrittenOut,
    SearchOut,
    TokenOut,
)
from assistant.wire_excerpt import ExcerptOut
from assistant.wire_history import (
    ConversationDetailOut,
    ConversationOut,
    ConversationsOut,
    FeedbackOut,
    FeedbackReason,
    Rating,
    ValidityOut,
)
from assistant.wire_library import UploadedOut, UploadsOut, upload_address

SILENCE_LIMIT_SECONDS: Final = 330.0
"""How long an answer may stay silent: the longest wait for a first token, and some seconds for the network."""
CONNECT_SECONDS: Final = 5.0

Shape = TypeVar("Shape", bound=BaseModel)
StreamEvent = QueuedOut | RewrittenOut | FoundOut | TokenOut | CitedOut | AnswerOut

EVENT_SHAPES: Final[dict[str, type[StreamEvent]]] = {
    "queued": QueuedOut,
    "rewritten": RewrittenOut,
    "found": FoundOut,
    "token": TokenOut,
    "cited": CitedOut,
    "finished": AnswerOut,
}
"""What each event of an answer's stream holds, by its name; `error` holds a Problem."""


class ApiProblem(AssistantError):
    """The API refused, or failed: its RFC 9457 problem in the client's language, and when to try again, if it said so."""

    def __init__(self, problem: Problem, *, retry_after_seconds: float | None = None) -> None:
        detail, hint = Text(ja=problem.detail, en=problem.detail), Text(ja=problem.hint, en=problem.hint)
        super().__init__(detail, hint, permanent=not problem.retryable)
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds


class ApiUnreachable(AssistantError):
    """Nobody answers at the address, the connection broke, or what came is not this API's."""


class Client:
    """One app's connection to the API. Every method raises ApiProblem for a refusal and ApiUnreachable for silence."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        language: Language = "ja",
        silence_limit_seconds: float = SILENCE_LIMIT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
        timeout = httpx.Timeout(silence_limit_seconds, connect=CONNECT_SECONDS)
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def me(self) -> MeOut:
        """Name, groups and scopes that the key stands for."""
        return self._fetch(MeOut, "GET", "/me")

    def ask(self, question: str, **narrowed: Any) -> AnswerOut:
        """The whole answer. Keywords: conversation_id, language, folders, document_ids."""
        return self._fetch(AnswerOut, "POST", "/ask", json=_asked(question, **narrowed))

    def stream(self, question: str, **narrowed: Any) -> Generator[StreamEvent, None, None]:
        """The events of a question as they come; the last one is the AnswerOut. Closing the generator hangs up, which
        frees the model. Unknown events are left out."""
        body = {**_asked(question, **narrowed), "stream": True}
        with self._reporting(), self._http.stream("POST", "/ask", json=body) as response:
            _refuse_problems(response)
            for name, data in parse_events(response.iter_bytes()):
                if name == "error":
                    raise ApiProblem(_shaped(Problem, data))
                if name in EVENT_SHAPES:
                    event = _shaped(EVENT_SHAPES[name], data)
                    yield event
                    if isinstance(event, AnswerOut):
                        return
        raise _broken()

    def search(
        self, question: str, *, limit: int = 8, folders: Sequence[str] = (), document_ids: Sequence[str] = ()
    ) -> SearchOut:
        """The passages that an answer would be made from, best first."""
        filters = {"folders": list(folders), "document_ids": list(document_ids)}
        return self._fetch(
            SearchOut, "POST", "/search", json={"question": question, "limit": limit, "filters": filters}
        )

    def documents(self, query: str = "", *, folder: str = "", status: str = "") -> Iterator[DocumentOut]:
        """All documents that the key may read, page by page as they are wanted."""
        cursor: str | None = ""
        while cursor is not None:
            wanted = {"query": query, "folder": folder, "status": status, "cursor": cursor}
            page = self._fetch(DocumentsOut, "GET", "/documents", params={k: v for k, v in wanted.items() if v})
            yield from page.documents
            cursor = page.next

    def document(self, document_id: str) -> DocumentOut:
        """One document."""
        return self._fetch(DocumentOut, "GET", f"/documents/{document_id}")

    def text(self, document_id: str, *, start: int = 0, limit: int = 20_000) -> ExcerptOut:
        """A part of the text that answers are made from, by characters."""
        wanted = {"start": start, "limit": limit}
        return self._fetch(ExcerptOut, "GET", f"/documents/{document_id}/text", params=wanted)

    def file(self, document_id: str) -> bytes:
        """The original, byte for byte."""
        return self._request("GET", f"/documents/{document_id}/file").content

    def conversations(self) -> Iterator[ConversationOut]:
        """The key's own conversations, the last used first, page by page as they are wanted."""
        cursor: str | None = ""
        while cursor is not None:
            wanted = {"cursor": cursor} if cursor else {}
            page = self._fetch(ConversationsOut, "GET", "/conversations", params=wanted)
            yield from page.conversations
            cursor = page.next

    def conversation(self, conversation_id: str) -> ConversationDetailOut:
        """One conversation with its first fifty exchanges."""
        return self._fetch(ConversationDetailOut, "GET", f"/conversations/{conversation_id}")

    def delete_conversation(self, conversation_id: str) -> None:
        """The conversation is gone with its answers."""
        self._request("DELETE", f"/conversations/{conversation_id}")

    def validity(self, answer_id: str) -> ValidityOut:
        """Whether what an answer cited still stands."""
        return self._fetch(ValidityOut, "GET", f"/answers/{answer_id}/validity")

    def rate(
        self, answer_id: str, rating: Rating, *, reason: FeedbackReason | None = None, text: str | None = None
    ) -> FeedbackOut:
        """Says what an answer was worth."""
        body = {"rating": rating, "reason": reason, "text": text}
        return self._fetch(FeedbackOut, "POST", f"/answers/{answer_id}/feedback", json=body)

    def ingest(self, folder: str | None = None, *, request_key: str | None = None) -> JobOut:
        """Asks for an ingestion; the same `request_key` within a day gives the same job."""
        headers = {} if request_key is None else {"Idempotency-Key": request_key}
        return self._fetch(JobOut, "POST", "/jobs", json={"folder": folder}, headers=headers)

    def upload(self, name: str, content: bytes, *, replace: bool = False) -> UploadedOut:
        """Brings a file; `replace` makes another content a new version of a file of that name, which is refused else."""
        return self._fetch(UploadedOut, "POST", "/uploads", params={"name": name, "replace": replace}, content=content)

    def uploads(self) -> UploadsOut:
        """The key's own uploads and what became of them."""
        return self._fetch(UploadsOut, "GET", "/uploads")

    def take_back(self, path: str) -> None:
        """Deletes an upload, named by its `path`, and takes it out of every answer."""
        self._request("DELETE", upload_address(path))

    def job(self, job_id: str) -> JobOut:
        """One ingestion."""
        return self._fetch(JobOut, "GET", f"/jobs/{job_id}")

    def _fetch(self, shape: type[Shape], method: str, path: str, **sent: Any) -> Shape:
        return _shaped(shape, self._request(method, path, **sent).content)

    def _request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        with self._reporting():
            response = self._http.request(method, path, **sent)
            _refuse_problems(response)
            return response

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self._url) from error


def _asked(
    question: str,
    *,
    conversation_id: str | None = None,
    language: Literal["auto", "ja", "en"] = "auto",
    folders: Sequence[str] = (),
    document_ids: Sequence[str] = (),
) -> dict[str, Any]:
    return {
        "question": question,
        "conversation_id": conversation_id,
        "language": language,
        "filters": {"folders": list(folders), "document_ids": list(document_ids)},
    }


def _shaped(shape: type[Shape], data: bytes | str) -> Shape:
    try:
        return shape.model_validate_json(data)
    except ValidationError as error:
        raise _broken() from error


def _refuse_problems(response: httpx.Response) -> None:
    if not response.is_success:
        response.read()
        raise problem_in(response)


def problem_in(response: httpx.Response) -> AssistantError:
    """The error that a refused request became: ApiProblem, or ApiUnreachable where the body is not this API's."""
    retry_after = response.headers.get("Retry-After", "")
    pause_seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
    try:
        return ApiProblem(Problem.model_validate_json(response.content), retry_after_seconds=pause_seconds)
    except ValidationError:
        return _broken(status=response.status_code)


def unreachable(url: str) -> ApiUnreachable:
    """The error for an address where nobody answers."""
    return ApiUnreachable(
        Text(ja=f"{url} の API に届きません。", en=f"The API at {url} does not answer."),
        Text(ja="アドレスとネットワークを確かめてください。", en="Check the address and the network."),
    )


def _broken(*, status: int | None = None) -> ApiUnreachable:
    shown = "" if status is None else f" (HTTP {status})"
    return ApiUnreachable(
        Text(
            ja=f"API ではないものが答えたか、途中で切れました{shown}。",
            en=f"The answer broke off, or is not the API's{shown}.",
        ),
        Text(
            ja="アドレス(/api を含む)を確かめ、もう一度試してください。",
            en="Check the address (with /api), and try again.",
        ),
    )


def parse_events(pieces: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Events of an SSE stream as (name, data); a comment line comes as ("", its text).

    Lines end at a line feed only: JSON may hold U+2028 and its kin, at which Python's own splitting would cut it.
    """
    name = ""
    data: list[str] = []
    for line in _lines(pieces):
        if line == "":
            if data:
                yield name or "message", "\n".join(data)
            name, data = "", []
        elif line.startswith(":"):
            yield "", line[1:].strip()
        else:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", errors="replace")
