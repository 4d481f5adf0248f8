"""Errors as responses: RFC 9457 problems in the caller's language, and OpenAI's shape under /v1.

Knows the table of api/errors.py and the request; must not know what any route does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.edge import edge_of, log_fields, request_id_of
from api.errors import (
    AddressUnknown,
    BadRequest,
    FieldFault,
    InvalidRequest,
    MethodNotAllowed,
    RangeNotSatisfiable,
    internal_error,
    row_of,
)
from assistant.errors import (
    AssistantError,
    Language,
    NotAuthenticated,
    Overloaded,
    QuestionError,
    Text,
)
from assistant.grammar import language_of
from assistant.text import is_readable
from assistant.wire import Problem

DEFAULT_LANGUAGE: Language = "ja"
"""Where neither a header nor a question says otherwise: the people who use this work in Japan."""
OPENAI_PREFIX = "/v1/"
PROBLEM_MEDIA_TYPE = "application/problem+json"


def caller_language(request: Request, *, question: str = "") -> Language:
    """The language of Accept-Language; without it the question's; without letters in it Japanese."""
    wanted = request.headers.get("accept-language", "").strip()
    if wanted and wanted != "*":
        return _accepted(wanted)
    return language_of(question) if is_readable(question) else DEFAULT_LANGUAGE


def _accepted(header: str) -> Language:
    weights: dict[str, float] = {}
    for part in header.split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        primary = tag.strip().lower().split("-")[0]
        weights[primary] = max(weight, weights.get(primary, 0.0))
    return "ja" if weights.get("ja", 0.0) > weights.get("en", 0.0) else "en"


def remember_question(request: Request, text: str) -> None:
    """Lets a later problem of this request speak the question's language."""
    request.state.question_text = text


def problem_of(error: AssistantError, *, language: Language, request_id: str) -> Problem:
    """The error as RFC 9457 problem; a wrong field is named in `errors`."""
    row = row_of(error)
    problem = Problem(
        type=f"urn:company-assistant:problem:{error.code}",
        title=row.title.in_language(language),
        status=row.status,
        detail=error.message.in_language(language),
        hint=error.hint.in_language(language),
        code=error.code,
        request_id=request_id,
        retryable=not error.permanent,
    )
    faults = _faults(error)
    if faults:
        named = [{"field": fault.field, "detail": fault.detail.in_language(language)} for fault in faults]
        problem = problem.model_copy(update={"errors": named})
    return problem


def _faults(error: AssistantError) -> tuple[FieldFault, ...]:
    if isinstance(error, InvalidRequest):
        return error.faults
    return (FieldFault("question", error.message),) if isinstance(error, QuestionError) else ()


def problem_for(request: Request, error: AssistantError) -> Problem:
    """The error as problem in the language of this request."""
    language = caller_language(request, question=getattr(request.state, "question_text", ""))
    return problem_of(error, language=language, request_id=request_id_of(request))


def openai_error(problem: Problem) -> dict[str, Any]:
    """The problem in OpenAI's error shape."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(problem.status, "invalid_request_error" if problem.status < 500 else "server_error")
    faults = (problem.model_extra or {}).get("errors") or [{"field": None}]
    field = faults[0]["field"]
    return {
        "error": {
            "message": f"{problem.detail} {problem.hint}",
            "type": kind,
            "param": "messages" if field == "question" else field,
            "code": problem.code,
            "request_id": problem.request_id,
            "retryable": problem.retryable,
        }
    }


def error_response(request: Request, error: AssistantError) -> Response:
    """The error as response: status of the table, problem body, Retry-After where waiting helps."""
    problem = problem_for(request, error)
    note_error(request, error)
    headers = _headers_of(error)
    headers["X-Request-Id"] = problem.request_id
    if request.url.path.startswith(OPENAI_PREFIX):
        return JSONResponse(openai_error(problem), status_code=problem.status, headers=headers)
    body = problem.model_dump(mode="json")
    return JSONResponse(body, status_code=problem.status, headers=headers, media_type=PROBLEM_MEDIA_TYPE)


def note_error(request: Request, error: AssistantError) -> None:
    """Counts the error and puts its code into the request's log line."""
    edge_of(request).metrics.errors.labels(code=error.code).inc()
    log_fields(request)["code"] = error.code


def _headers_of(error: AssistantError) -> dict[str, str]:
    pause_seconds = error.retry_after_seconds if isinstance(error, Overloaded) else row_of(error).pause_seconds
    headers = {} if pause_seconds is None else {"Retry-After": str(max(1, math.ceil(pause_seconds)))}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size_bytes}"
    if isinstance(error, MethodNotAllowed) and error.allowed:
        headers["Allow"] = error.allowed
    return headers


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem, the framework's own included."""
    app.add_exception_handler(AssistantError, _on_assistant_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unforeseen)


async def _on_assistant_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, AssistantError):
        raise error
    return error_response(request, error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    question = error.body.get("question") if isinstance(error.body, dict) else None
    if isinstance(question, str):
        remember_question(request, question)
    return error_response(request, invalid_request(error.errors()))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path
    if error.status_code == 404:
        return error_response(request, _address_unknown(path))
    if error.status_code == 405:
        return error_response(
            request, _method_not_allowed(request.method, path, allowed=(error.headers or {}).get("Allow", ""))
        )
    if error.status_code == 400:  # FastAPI's word for a body whose bytes are not UTF-8
        return error_response(request, invalid_request([{"loc": ("body",), "type": "json_invalid"}]))
    return error_response(request, _bad_request())


async def _on_unforeseen(request: Request, error: Exception) -> Response:
    edge_of(request).log.error("unforeseen error", request_id=request_id_of(request), exc_info=error)
    return error_response(request, internal_error())


def invalid_request(pydantic_errors: Sequence[Any]) -> InvalidRequest:
    """The validation's findings as one error that names every field, in both languages."""
    faults = tuple(_fault(found) for found in pydantic_errors)
    named_ja = " ".join(f"{fault.field}: {fault.detail.ja}" for fault in faults)
    named_en = " ".join(f"{fault.field}: {fault.detail.en}" for fault in faults)
    return InvalidRequest(
        Text(ja=f"リクエストに誤りがあります。{named_ja}", en=f"The request has faults. {named_en}"),
        Text(
            ja="JSON(Content-Type: application/json)で送ってください。形と例は /openapi.json にあります。",
            en="Send JSON (Content-Type: application/json). Shapes and examples are in /openapi.json.",
        ),
        faults=faults,
    )


def _fault(found: Any) -> FieldFault:
    place = [str(step) for step in found["loc"]]
    inside = place[1:] if place and place[0] in {"body", "query", "path", "header"} else place
    kind = str(found["type"])
    if kind == "json_invalid":
        return FieldFault("body", Text(ja="JSON として読めません。", en="This is not JSON."))
    detail = next((sentence for prefix, sentence in _SENTENCES if kind.startswith(prefix)), None)
    limits = {name: value for name, value in (found.get("ctx") or {}).items() if isinstance(value, str | int | float)}
    shown = ", ".join(f"{name} = {value}" for name, value in limits.items() if name != "error")
    if detail is None:
        detail = Text(ja="この値は使えません。", en="This value is not allowed.")
    if shown:
        detail = Text(ja=f"{detail.ja}({shown})", en=f"{detail.en} ({shown})")
    return FieldFault(".".join(inside) or "body", detail)


_SENTENCES: tuple[tuple[str, Text], ...] = (
    ("missing", Text(ja="必要な項目がありません。", en="This field is required.")),
    (
        "extra_forbidden",
        Text(ja="この項目は使えません。つづりを確かめてください。", en="There is no such field. Check its spelling."),
    ),
    ("literal_error", Text(ja="決められた値のどれかにしてください。", en="Choose one of the allowed values.")),
    ("enum", Text(ja="決められた値のどれかにしてください。", en="Choose one of the allowed values.")),
    ("string_too_long", Text(ja="長すぎます。", en="This is too long.")),
    ("too_long", Text(ja="数が多すぎます。", en="There are too many.")),
    ("string_pattern", Text(ja="使えない文字があります。", en="It holds characters that are not allowed.")),
    ("string", Text(ja="文字列にしてください。", en="This must be text.")),
    ("int", Text(ja="整数にしてください。", en="This must be a whole number.")),
    ("bool", Text(ja="true か false にしてください。", en="This must be true or false.")),
    ("list", Text(ja="配列にしてください。", en="This must be a list.")),
    ("greater_than", Text(ja="小さすぎます。", en="This is too small.")),
    ("less_than", Text(ja="大きすぎます。", en="This is too large.")),
    ("model_", Text(ja="JSON のオブジェクトにしてください。", en="This must be a JSON object.")),
    ("dict", Text(ja="JSON のオブジェクトにしてください。", en="This must be a JSON object.")),
)


def _address_unknown(path: str) -> AddressUnknown:
    shown = path if len(path) <= 200 else path[:200] + "…"
    return AddressUnknown(
        Text(ja=f"{shown} というアドレスはありません。", en=f"There is no address {shown}."),
        Text(ja="使えるアドレスは /openapi.json にあります。", en="All addresses are in /openapi.json."),
    )


def _method_not_allowed(method: str, path: str, *, allowed: str) -> MethodNotAllowed:
    return MethodNotAllowed(
        Text(ja=f"{path} に {method} は使えません。", en=f"{method} is not possible on {path}."),
        Text(
            ja=f"使える操作: {allowed or '/openapi.json を見てください'}",
            en=f"Possible: {allowed or 'see /openapi.json'}",
        ),
        allowed=allowed,
    )


def _bad_request() -> BadRequest:
    return BadRequest(
        Text(ja="リクエストを読み取れませんでした。", en="The request could not be read."),
        Text(ja="形と例は /openapi.json にあります。", en="Shapes and examples are in /openapi.json."),
    )
