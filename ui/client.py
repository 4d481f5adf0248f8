"""The screen's only door to the API: typed requests out, typed answers and events in, every failure a ProblemError.

Knows HTTP and the wire shapes; knows nothing of Streamlit. It is synchronous, because Streamlit runs a script in a
thread and can stop it only between two calls: an asynchronous stream cannot be closed cleanly from there.

SSE lines -> (event name, JSON) -> QueuedOut | RewrittenOut | FoundOut | TokenOut | CitedOut | AnswerOut | Heartbeat
                                                                     error event -> ProblemError
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from assistant.client import EVENT_SHAPES, StreamEvent, parse_events
from assistant.errors import Language, Text
from assistant.wire import (
    AnswerOut,
    AskIn,
    DocumentOut,
    DocumentsOut,
    FiltersIn,
    MeOut,
    Problem,
    SearchIn,
    SearchOut,
)
from assistant.wire_excerpt import ExcerptOut
from assistant.wire_history import ConversationDetailOut, ConversationsOut, WantedListOut, WantedOut
from ui.identity import SECRET_HEADER, SIGN_IN_HEADER, USER_HEADER
from ui.words import problems, say

# The API sends a heartbeat at least every 10 s, so three missed ones mean that it is gone.
SILENCE_LIMIT_SECONDS: Final = 30.0
ME_SECONDS: Final = 3.0
# Code of the problems that the screen itself notices: nobody answers, or what answers is not the API.
LOST: Final = "screen_lost_api"

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class Heartbeat:
    """The API is alive and has nothing to say yet."""


@dataclass(frozen=True)
class PagePicture:
    """A page as PNG; `marks` counts its marked lines, `top` is how far down the highest is, 0 to 1."""

    png: bytes
    marks: int
    top: float = 0.0


Event = StreamEvent | Heartbeat


class ProblemError(Exception):
    """The API said, or the connection showed, that something went wrong; `problem` is in the person's language.

    `retry_after_seconds` is how long to wait before another try, where the API said so.
    """

    def __init__(self, problem: Problem, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(problem.title)
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds


class ApiClient:
    """The API as seen by one person; holds no connection between calls."""

    def __init__(
        self,
        api_url: str,
        user: str,
        *,
        proxy_secret: str,
        language: Language,
        sign_in: str = "",
        connect_timeout_seconds: float = 3.0,
        silence_limit_seconds: float = SILENCE_LIMIT_SECONDS,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._language = language
        self._silence_limit_seconds = silence_limit_seconds
        self._connect_timeout_seconds = connect_timeout_seconds
        # Bytes, because httpx refuses names that are not ASCII; they travel as UTF-8.
        self._identity = {USER_HEADER.encode(): user.encode(), SECRET_HEADER.encode(): proxy_secret.encode()}
        if sign_in:  # the API ends with it what this tab does
            self._identity[SIGN_IN_HEADER.encode()] = sign_in.encode()

    def ask_stream(
        self,
        question: str,
        *,
        conversation_id: str | None = None,
        language: str = "auto",
        folders: Sequence[str] = (),
        document_ids: Sequence[str] = (),
    ) -> Generator[Event, None, None]:
        """Events of one question as they come, the last one an AnswerOut.

        Closing the generator hangs up, which frees the model. Raises ProblemError for an error event, an error status,
        a lost connection, and a stream that ends without its end mark. Unknown events are left out.
        """
        filters = FiltersIn(folders=list(folders), document_ids=list(document_ids))
        body = AskIn(
            question=question,
            conversation_id=conversation_id,
            stream=True,
            language="ja" if language == "ja" else "en" if language == "en" else "auto",
            filters=filters,
        )
        request_id = uuid.uuid4().hex
        with (
            self._connected(request_id) as client,
            client.stream("POST", "/ask", json=body.model_dump(), headers={"Accept": "text/event-stream"}) as response,
        ):
            self._refuse_errors(response, request_id)
            for name, data in parse_events(response.iter_bytes()):
                if name == "":
                    yield Heartbeat()
                elif name == "error":
                    raise ProblemError(self._problem_of(data, status=200, request_id=request_id))
                elif (shape := EVENT_SHAPES.get(name)) is not None:
                    event = self._shaped(shape, data, request_id=request_id)
                    yield event
                    if isinstance(event, AnswerOut):
                        return
        raise self._failed(request_id, problems.PROBLEM_CUT, problems.PROBLEM_CUT_DETAIL, problems.PROBLEM_CUT_HINT)

    def search(self, question: str, *, limit: int = 8) -> SearchOut:
        """Passages for `question`, without an answer. Raises ProblemError."""
        return self.call(SearchOut, "POST", "/search", body=SearchIn(question=question, limit=limit).model_dump())

    def documents(self, query: str = "", *, status: str = "", cursor: str = "", limit: int = 50) -> DocumentsOut:
        """One page of the documents that the person may read. Raises ProblemError."""
        asked = {"query": query, "status": status, "cursor": cursor, "limit": str(limit)}
        return self.call(DocumentsOut, "GET", "/documents", query={k: v for k, v in asked.items() if v})

    def me(self) -> MeOut:
        """Who the person is to the API: name, groups, scopes. Raises ProblemError, soon: the page waits for it."""
        return self.call(MeOut, "GET", "/me", silence_limit_seconds=ME_SECONDS)

    def document(self, document_id: str) -> DocumentOut:
        """One document. Raises ProblemError, of status 404 if it is not there or may not be read."""
        return self.call(DocumentOut, "GET", f"/documents/{document_id}")

    def text(self, document_id: str, *, start: int, limit: int) -> ExcerptOut:
        """A part of the document's text. Raises ProblemError."""
        return self.call(
            ExcerptOut, "GET", f"/documents/{document_id}/text", query={"start": str(start), "limit": str(limit)}
        )

    def page_picture(self, document_id: str, page: int, *, start: int, end: int) -> PagePicture:
        """A page of a PDF with the text `start:end` marked. Raises ProblemError, of status 404 where it has no picture."""
        asked = {"start": str(start), "end": str(end)}
        response = self._call("GET", f"/documents/{document_id}/pages/{page}", query=asked)
        marks = response.headers.get("X-Marked-Lines", "0")
        top = response.headers.get("X-Mark-Top", "0")
        is_share = re.fullmatch(r"[01](\.\d+)?", top) is not None
        return PagePicture(response.content, int(marks) if marks.isdecimal() else 0, float(top) if is_share else 0.0)

    def owner(self, document_id: str) -> str:
        """Who answers for the document, "" where nobody is named. Raises ProblemError."""
        told = self._call("GET", f"/documents/{document_id}/receipt").json()
        return str(told.get("owner") or "") if isinstance(told, dict) else ""

    def conversations(self, query: str = "", *, cursor: str = "", limit: int = 30) -> ConversationsOut:
        """One page of the person's own conversations, the last used first. Raises ProblemError."""
        asked = {"query": query, "cursor": cursor, "limit": str(limit)}
        return self.call(ConversationsOut, "GET", "/conversations", query={k: v for k, v in asked.items() if v})

    def conversation(self, conversation_id: str) -> ConversationDetailOut:
        """A conversation with its first hundred exchanges. Raises ProblemError."""
        path = f"/conversations/{quote(conversation_id, safe='')}"
        return self.call(ConversationDetailOut, "GET", path, query={"limit": "100"})

    def rename_conversation(self, conversation_id: str, title: str) -> None:
        """Gives the conversation another title. Raises ProblemError."""
        self._call("PATCH", f"/conversations/{conversation_id}", body={"title": title})

    def delete_conversation(self, conversation_id: str) -> None:
        """The conversation is gone with its answers. Raises ProblemError."""
        self._call("DELETE", f"/conversations/{conversation_id}")

    def export(self, conversation_id: str, kind: str) -> bytes:
        """The conversation as a file: `md`, `json` or `docx`. Raises ProblemError."""
        return self._call("GET", f"/conversations/{conversation_id}/export", query={"format": kind}).content

    def rate(self, answer_id: str, rating: str, reason: str | None, text: str) -> None:
        """Says what an answer was worth; a second time replaces the first. Raises ProblemError."""
        body: dict[str, object] = {"rating": rating, "reason": reason, "text": text or None}
        self._call("POST", f"/answers/{answer_id}/feedback", body=body)

    def want(self, answer_id: str) -> None:
        """Asks to be told when the question of an answer can be answered. Raises ProblemError."""
        self._call("POST", f"/answers/{answer_id}/wanted")

    def wanted(self) -> list[WantedOut]:
        """The questions that the person waits for. Raises ProblemError."""
        return self.call(WantedListOut, "GET", "/wanted").wanted

    def forget_wanted(self, wanted_id: str) -> None:
        """The person waits no more, or has been told. Raises ProblemError."""
        self._call("DELETE", f"/wanted/{wanted_id}")

    def call(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        *,
        body: dict[str, object] | None = None,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        silence_limit_seconds: float | None = None,
    ) -> Shape:
        """Any address of the API: the answer in its shape. `content` is a file as the body. Raises ProblemError."""
        response = self._call(
            method, path, body=body, query=query, content=content, silence_limit_seconds=silence_limit_seconds
        )
        return self._shaped(shape, response.content, request_id=response.headers.get("X-Request-Id", ""))

    def send(self, method: str, path: str, *, body: dict[str, object] | None = None) -> None:
        """Any address of the API that answers without a body. Raises ProblemError."""
        self._call(method, path, body=body)

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, object] | None = None,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        silence_limit_seconds: float | None = None,
    ) -> httpx.Response:
        request_id = uuid.uuid4().hex
        with self._connected(request_id, silence_limit_seconds=silence_limit_seconds) as client:
            response = client.request(method, path, json=body, params=query, content=content)
            self._refuse_errors(response, request_id)
            return response

    @contextmanager
    def _connected(self, request_id: str, *, silence_limit_seconds: float | None = None) -> Iterator[httpx.Client]:
        """A connection of its own per call: no cookie and no header of one person can reach another's request."""
        patience_seconds = silence_limit_seconds or self._silence_limit_seconds
        timeout = httpx.Timeout(patience_seconds, connect=self._connect_timeout_seconds)
        headers = {**self._identity, b"Accept-Language": self._language.encode(), b"X-Request-Id": request_id.encode()}
        try:
            # trust_env off: a company's HTTP_PROXY must not see what travels between the screen and the API.
            with httpx.Client(base_url=self._api_url, headers=headers, timeout=timeout, trust_env=False) as client:
                yield client
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise self._away(request_id) from error
        except httpx.TimeoutException as error:
            raise self._failed(
                request_id,
                problems.PROBLEM_SILENT,
                problems.PROBLEM_SILENT_DETAIL,
                problems.PROBLEM_API_AWAY_HINT,
                seconds=round(patience_seconds),
            ) from error
        except httpx.HTTPError as error:
            raise self._failed(
                request_id, problems.PROBLEM_CUT, problems.PROBLEM_CUT_DETAIL, problems.PROBLEM_CUT_HINT
            ) from error

    def _refuse_errors(self, response: httpx.Response, request_id: str) -> None:
        if response.is_success:
            return
        problem = self._problem_of(response.read(), status=response.status_code, request_id=request_id)
        retry_after = response.headers.get("Retry-After", "")
        raise ProblemError(problem, retry_after_seconds=float(retry_after) if retry_after.isdecimal() else None)

    def _problem_of(self, data: bytes | str, *, status: int, request_id: str) -> Problem:
        """The problem in `data`; one in the screen's own words if `data` is none (a proxy's page, another version)."""
        try:
            return Problem.model_validate_json(data)
        except ValidationError:
            return self._failed(
                request_id,
                problems.PROBLEM_STRANGE,
                problems.PROBLEM_STRANGE_DETAIL,
                problems.PROBLEM_STRANGE_HINT,
                status=status,
            ).problem

    def _shaped(self, shape: type[Shape], data: bytes | str, *, request_id: str) -> Shape:
        try:
            return shape.model_validate_json(data)
        except ValidationError as error:
            raise self._failed(
                request_id,
                problems.PROBLEM_STRANGE,
                problems.PROBLEM_STRANGE_DETAIL,
                problems.PROBLEM_STRANGE_HINT,
                status=200,
            ) from error

    def _away(self, request_id: str) -> ProblemError:
        return self._failed(
            request_id,
            problems.PROBLEM_API_AWAY,
            problems.PROBLEM_API_AWAY_DETAIL,
            problems.PROBLEM_API_AWAY_HINT,
            api_url=self._api_url,
        )

    def _failed(self, request_id: str, title: Text, detail: Text, hint: Text, **values: object) -> ProblemError:
        """A problem that the screen itself noticed, in the same shape as the API's."""
        return ProblemError(
            Problem(
                type="about:blank",
                title=title.in_language(self._language),
                status=503,
                detail=say(detail, self._language, **values),
                hint=hint.in_language(self._language),
                code=LOST,
                request_id=request_id,
                retryable=True,
            )
        )
