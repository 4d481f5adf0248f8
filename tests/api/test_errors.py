"""Every error -> its row, its status, its sentences in both languages; the framework's own refusals are problems too."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

import api.errors
import assistant.errors
from api.errors import TABLE, row_of
from api.problems import caller_language, problem_of
from assistant.errors import AssistantError, FailureReason, Overloaded, Text
from assistant.wire import Problem
from tests.api.canned import RunningServer
from tests.api.conftest import StartServer

MESSAGE = Text(ja="起きたこと。", en="What happened.")
HINT = Text(ja="すること。", en="What to do.")
CONTRACT = {
    "settings_error": 500,
    "question_error": 422,
    "question_too_long": 422,
    "invalid_request": 422,
    "not_authenticated": 401,
    "access_denied": 403,
    "not_found": 404,
    "overloaded": 429,
    "context_overflow": 413,
    "body_too_large": 413,
    "model_unavailable": 503,
    "model_missing": 503,
    "answer_aborted": 503,
    "store_unavailable": 503,
    "embedder_mismatch": 503,
    "embedder_unavailable": 503,
    "shutting_down": 503,
    "model_timeout": 504,
    "internal_error": 500,
}
"""The contract's table by error code."""


def all_errors() -> Iterator[type[AssistantError]]:
    """Every error class of the core and of the edge."""
    found = [AssistantError]
    while found:
        kind = found.pop()
        if kind.__module__ in {assistant.errors.__name__, api.errors.__name__}:
            yield kind
        found.extend(kind.__subclasses__())


def made(kind: type[AssistantError]) -> AssistantError:
    """One error of the class, whatever else its constructor wants."""
    values: dict[str, Any] = {
        "reason": FailureReason.CORRUPT,
        "retry_after_seconds": 7.2,
        "line": 3,
        "size_bytes": 10,
        "index": "vectors",
    }
    wanted = inspect.signature(kind).parameters
    return kind(MESSAGE, HINT, **{name: value for name, value in values.items() if name in wanted})


@pytest.mark.parametrize("kind", sorted(set(all_errors()), key=lambda kind: kind.__name__))
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_error_has_a_row_and_speaks_both_languages(kind: type[AssistantError], language: Any) -> None:
    assert kind in TABLE, f"{kind.__name__} needs a row in api/errors.py"
    problem = problem_of(made(kind), language=language, request_id="r")
    assert problem.status == TABLE[kind].status
    assert problem.detail == MESSAGE.in_language(language)
    assert problem.hint == HINT.in_language(language)
    assert problem.title == TABLE[kind].title.in_language(language)
    assert problem.title
    assert problem.retryable is not kind.permanent
    assert 400 <= problem.status <= 599


def test_the_table_keeps_the_contracts_statuses() -> None:
    statuses = {made(kind).code: TABLE[kind].status for kind in all_errors()}
    assert {code: statuses[code] for code in CONTRACT} == CONTRACT


def test_every_503_and_429_tells_when_to_come_back() -> None:
    silent = [kind for kind, row in TABLE.items() if row.status in {429, 503} and row.pause_seconds is None]
    assert silent == []


def test_a_class_without_a_row_takes_its_ancestors() -> None:
    class Narrower(Overloaded):
        """An error of a later day."""

    assert row_of(Narrower(MESSAGE, HINT, retry_after_seconds=1)).status == 429


def test_every_error_leaves_ask_with_its_status(server: RunningServer) -> None:
    with server.client(**{"Accept-Language": "ja"}) as client:
        for kind in set(all_errors()):
            server.assistant.course = (made(kind),)
            response = client.post("/ask", json={"question": "leave"})
            assert response.status_code == TABLE[kind].status, kind
            assert response.headers["content-type"] == "application/problem+json"
            problem = Problem.model_validate(response.json())
            assert (problem.code, problem.detail) == (made(kind).code, MESSAGE.ja)
            assert response.headers.get("retry-after") == _pause(kind)


def _pause(kind: type[AssistantError]) -> str | None:
    pause_seconds = 8 if issubclass(kind, Overloaded) else TABLE[kind].pause_seconds
    return None if pause_seconds is None else f"{pause_seconds:.0f}"


@pytest.mark.parametrize(
    ("header", "question", "language"),
    [
        ("ja", "leave", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "leave", "ja"),
        ("en-US,en;q=0.9,ja;q=0.3", "休暇は?", "en"),
        ("ja;q=0.2, en;q=0.9", "", "en"),
        ("fr", "休暇は?", "en"),
        ("ja;q=x", "", "en"),
        ("", "休暇は?", "ja"),
        ("", "What about leave?", "en"),
        ("", "", "ja"),
        ("*", "?!", "ja"),
    ],
)
def test_the_caller_is_answered_in_the_language_of_the_header_or_of_the_question(
    header: str, question: str, language: str
) -> None:
    headers = Headers({"accept-language": header} if header else {})
    request = Request({"type": "http", "headers": headers.raw})
    assert caller_language(request, question=question) == language


@pytest.mark.parametrize(("question", "start"), [("休" * 5000, "質問"), ("leave " * 5000, "The question")])
def test_without_a_header_the_question_decides_the_language(server: RunningServer, question: str, start: str) -> None:
    with server.client() as client:
        assert client.post("/ask", json={"question": question}).json()["detail"].startswith(start)
        assert client.post("/ask", json={"question": question, "x": 1}).json()["detail"].isascii() == (
            start == "The question"
        )


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("GET", "/nowhere", 404, "address_unknown"),
        ("GET", "/docs", 404, "address_unknown"),
        ("GET", "/documents/a/b/c", 404, "address_unknown"),
        ("GET", "/ask", 405, "method_not_allowed"),
        ("DELETE", "/documents", 405, "method_not_allowed"),
        ("GET", "/documents?limit=0", 422, "invalid_request"),
        ("GET", "/documents?limit=many", 422, "invalid_request"),
        ("GET", "/documents?status=lost", 422, "invalid_request"),
    ],
)
def test_the_frameworks_own_refusals_are_problems(
    server: RunningServer, method: str, address: str, status: int, code: str, language: str
) -> None:
    with server.client(**{"Accept-Language": language}) as client:
        response = client.request(method, address)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(response.json())
    assert problem.code == code
    assert problem.request_id == response.headers["x-request-id"]
    assert (problem.title + problem.hint).isascii() == (language == "en")
    assert ("allow" in response.headers) == (status == 405)


def test_a_failure_nobody_foresaw_is_a_problem_without_its_words(start_server: StartServer) -> None:
    server = start_server(search_error=ZeroDivisionError("secret words"))
    with server.client() as client:
        response = client.post("/search", json={"question": "secret leave"})
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert response.headers["x-request-id"] == response.json()["request_id"]
    assert "secret" not in response.text + server.log_text
    failure = next(line for line in server.log(count=2) if line["event"] == "unforeseen error")
    assert failure["error_type"] == ["builtins.ZeroDivisionError"]
    assert any("canned.py" in place for place in failure["places"])


def test_a_body_that_is_not_utf_8_is_named_as_one_that_is_no_json(server: RunningServer) -> None:
    with server.client(**{"Accept-Language": "en", "Content-Type": "application/json"}) as client:
        response = client.post("/ask", content=b'{"question": "\xff"}')
    assert (response.status_code, response.json()["errors"]) == (
        422,
        [{"field": "body", "detail": "This is not JSON."}],
    )
