"""The screen's only door to the API: typed requests out, typed answers and events in, every failure a ProblemError.

Knows HTTP and the wire shapes; knows nothing of Streamlit. It is synchronous, because Streamlit runs a script in a
thread and can stop it only between two calls: an asynchronous stream cannot be closed cleanly from there.

SSE lines -> (event name, JSON) -> QueuedOut | RewrittenOut | FoundOut | TokenOut | CitedOut | AnswerOut | Heartbeat
                                                                     error event -> ProblemError
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from assistant.client import EVENT_SHAPES, StreamEvent, parse_events
from assistant.errors import Language, Text
from assistant.wire import (
    AnswerOut,
    AskIn,
    DocumentOut,
    DocumentsOut,
    MeOut,
    Problem,
    SearchIn,
    SearchOut,
)
from ui.identity import SECRET_HEADER, SIGN_IN_HEADER, USER_HEADER
from ui.words import problems, say

# The API sends a heartbeat at least every 10 s, so three missed ones mean that it is gone.
SILENCE_LIMIT_SECONDS: Final = 30.0
ME_SECONDS: Final = 3.0

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class Heartbeat:
    """The API is alive and has nothing to say yet."""


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

    def ask_stream(self, question: str, *, conversation_id: str | None = None) -> Generator[Event, None, None]:
        """Events of one question as they come, the last one an AnswerOut.

        Closing the generator hangs up, which frees the model. Raises ProblemError for an error event, an error status,
        a lost connection, and a stream that ends without its end mark. Unknown events are left out.
        """
        body = AskIn(question=question, conversation_id=conversation_id, stream=True)
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
        return self._fetch(SearchOut, "POST", "/search", body=SearchIn(question=question, limit=limit).model_dump())

    def documents(self, query: str = "", *, status: str = "", cursor: str = "", limit: int = 50) -> DocumentsOut:
        """One page of the documents that the person may read. Raises ProblemError."""
        asked = {"query": query, "status": status, "cursor": cursor, "limit": str(limit)}
        return self._fetch(DocumentsOut, "GET", "/documents", query={k: v for k, v in asked.items() if v})

    def me(self) -> MeOut:
        """Who the person is to the API: name, groups, scopes. Raises ProblemError, soon: the page waits for it."""
        return self._fetch(MeOut, "GET", "/me", silence_limit_seconds=ME_SECONDS)

    def document(self, document_id: str) -> DocumentOut:
        """One document. Raises ProblemError, of status 404 if it is not there or may not be read."""
        return self._fetch(DocumentOut, "GET", f"/documents/{document_id}")

    def _fetch(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        *,
        body: dict[str, object] | None = None,
        query: dict[str, str] | None = None,
        silence_limit_seconds: float | None = None,
    ) -> Shape:
        request_id = uuid.uuid4().hex
        with self._connected(request_id, silence_limit_seconds=silence_limit_seconds) as client:
            response = client.request(method, path, json=body, params=query)
            self._refuse_errors(response, request_id)
            return self._shaped(shape, response.content, request_id=response.headers.get("X-Request-Id", request_id))

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
        if response.status_code == httpx.codes.OK:
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
                code="screen_lost_api",
                request_id=request_id,
                retryable=True,
            )
        )
