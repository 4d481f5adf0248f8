"""Examples of requests and answers for openapi.json. A test holds each to its shape, so they cannot go stale.

Values only; no route and no request is known here.
"""

from __future__ import annotations

from typing import Any

from assistant.domain import DocumentStatus, JobState

Json = dict[str, Any]
Responses = dict[int | str, Json]

NAMED = "example:"
"""Mark of a reference to an example of this file."""

_DOCUMENT_ID = "d_4f0c2a7be51d4c0f9a3e6b8d2c7f1a90"
_VERSION_ID = "v_9b1e6d3f7a2c4e5f8d0b1c2a3f4e5d6c"
_REQUEST_ID = "7c9e6679f3b94a0e8d1c5b2a4f6e8d90"
_QUOTE = "年次有給休暇は、取得日の3営業日前までに申請する。"

_PASSAGE: Json = {
    "rank": 1,
    "chunk_id": f"{_VERSION_ID}_3",
    "document_id": _DOCUMENT_ID,
    "version_id": _VERSION_ID,
    "title": "休暇規程",
    "path": "人事/休暇規程.pdf",
    "page": 3,
    "heading_path": ["第2章 年次有給休暇", "第5条 申請"],
    "text": _QUOTE,
    "start": 1204,
    "end": 1204 + len(_QUOTE),
    "score": 0.0328,
    "used": True,
    "url": f"/documents/{_DOCUMENT_ID}/file#page=3",
}
CITATION: Json = {
    "number": 1,
    **{key: value for key, value in _PASSAGE.items() if key not in {"rank", "text", "score", "used"}},
    "quote": _QUOTE,
    "is_current": True,
}
ASK: Json = {
    "question": "有給休暇はいつまでに申請しますか?",
    "stream": False,
    "language": "auto",
    "filters": {"folders": ["人事/"], "document_ids": []},
}
ANSWER: Json = {
    "answer": "取得日の3営業日前までに申請します [1]。",
    "refused": False,
    "reason": None,
    "mode": "generated",
    "language": "ja",
    "citations": [CITATION],
    "passages": [_PASSAGE],
    "context": {
        "num_ctx": 8192,
        "prompt_tokens": 1830,
        "counted_by": "model",
        "passages_used": 6,
        "passages_dropped": 2,
        "answer_tokens": 24,
    },
    "warnings": [],
    "notices": [],
    "release_id": "r_3f2a9c1d5e7b8046",
    "model": "company-assistant",
    "answer_id": "a_0d9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a",
    "conversation_id": "c_1a2b3c4d5e6f708192a3b4c5d6e7f809",
    "request_id": _REQUEST_ID,
    "timings": {"queue_seconds": 0.0, "retrieve_seconds": 0.02, "first_token_seconds": 0.6, "total_seconds": 2.1},
    "rewritten": None,
}
VALIDITY: Json = {
    "answer_id": "a_0d9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a",
    "state": "changed",
    "citations": [
        {
            "number": 1,
            "document_id": _DOCUMENT_ID,
            "state": "changed",
            "title": "休暇規程",
            "path": "人事/休暇規程.pdf",
            "quote_is_there": False,
        }
    ],
}
SEARCH: Json = {"question": "VPN", "limit": 8, "filters": {"folders": [], "document_ids": []}}
SEARCH_RESULT: Json = {"passages": [_PASSAGE], "warnings": [], "notices": [], "timings": {"retrieve_seconds": 0.02}}
DOCUMENT: Json = {
    "document_id": _DOCUMENT_ID,
    "title": "休暇規程",
    "path": "人事/休暇規程.pdf",
    "folder": "examples",
    "status": DocumentStatus.INDEXED.value,
    "reason": None,
    "media_type": "application/pdf",
    "size_bytes": 48213,
    "modified": "2026-04-01T00:00:00+00:00",
    "version_id": _VERSION_ID,
    "chunk_count": 12,
    "pages": 6,
    "language": "ja",
    "kind": "pdf",
    "added": "2025-04-01T00:00:00.000+00:00",
    "changed": "2026-04-01T00:00:00.000+00:00",
    "owner": "人事部",
}
DOCUMENT_TEXT: Json = {
    "document_id": _DOCUMENT_ID,
    "version_id": _VERSION_ID,
    "title": "休暇規程",
    "path": "人事/休暇規程.pdf",
    "text": _QUOTE,
    "start": 1204,
    "end": 1204 + len(_QUOTE),
    "characters": 5120,
}
DOCUMENTS: Json = {"documents": [DOCUMENT], "next": None}
RECEIPT: Json = {
    "document_id": _DOCUMENT_ID,
    "path": "人事/休暇規程.pdf",
    "status": DocumentStatus.INDEXED.value,
    "reason": None,
    "detail": None,
    "attempts": 0,
    "version_id": _VERSION_ID,
    "parser": "pypdfium2",
    "media_type": "application/pdf",
    "pages": 6,
    "characters": 5120,
    "chunks": 12,
    "language": "ja",
    "encoding": None,
}
JOB_WANTED: Json = {"kind": "run", "folder": None}
JOB: Json = {
    "job_id": "j_5e4d3c2b1a0f4e8d9c7b6a5f4e3d2c1b",
    "kind": "run",
    "folder": "/srv/documents",
    "state": JobState.DONE.value,
    "requested_by": "aiko",
    "created_at": "2026-04-01T00:00:00.000+00:00",
    "started_at": "2026-04-01T00:00:00.500+00:00",
    "finished_at": "2026-04-01T00:00:09.250+00:00",
    "counts": {"add": 3, "change": 1, "delete": 0, "failed": 0},
    "error": None,
}
JOBS: Json = {"jobs": [JOB]}
ME: Json = {"name": "ben", "groups": ["everyone", "人事部"], "scopes": ["ask", "documents"], "via": "proxy"}
HEALTH: Json = {"status": "ok"}
READY: Json = {
    "status": "ready",
    "dependencies": [{"name": "ledger", "state": "ok", "seen": "answers", "hint": ""}],
}
NOT_READY: Json = {
    "status": "not_ready",
    "dependencies": [
        {"name": "vectors", "state": "fail", "seen": "Chroma does not answer.", "hint": "Start it: assistant up"}
    ],
}
MODELS: Json = {
    "object": "list",
    "data": [{"id": "company-assistant", "object": "model", "created": 0, "owned_by": "company"}],
}
CHAT: Json = {
    "model": "company-assistant",
    "messages": [{"role": "user", "content": "有給休暇はいつまでに申請しますか?"}],
    "stream": False,
}
CHAT_ANSWER: Json = {
    "id": "chatcmpl-a_0d9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a",
    "object": "chat.completion",
    "created": 1775001600,
    "model": "company-assistant",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": f"{ANSWER['answer']}\n\n出典:\n[1] 休暇規程 (人事/休暇規程.pdf 3ページ)",
                "refusal": None,
            },
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 1830, "completion_tokens": 24, "total_tokens": 1854},
    "citations": [CITATION],
    "mode": "generated",
    "refused": False,
    "warnings": [],
    "request_id": _REQUEST_ID,
}
_EVENT: Json = {
    "type": "object",
    "properties": {
        "event": {"enum": ["queued", "rewritten", "found", "token", "cited", "finished", "error"]},
        "id": {"type": "string"},
        "data": {"type": "string", "description": "JSON."},
    },
}
EVENT_STREAM: Json = {
    "text/event-stream": {
        "schema": _EVENT
        | {
            "description": "One event; the stream ends with exactly one `finished` or `error`. Comments are heartbeats.",
            "required": ["event", "id", "data"],
        },
        "example": (
            'event: queued\ndata: {"position":1,"wait_seconds":4.0}\nid: 1\n\n'
            'event: found\ndata: {"passages":[]}\nid: 2\n\n'
            ": hb\n\n"
            'event: token\ndata: {"text":"取得日の"}\nid: 3\n\n'
        ),
    }
}
CHAT_STREAM: Json = {
    "text/event-stream": {
        "schema": _EVENT | {"description": "chat.completion.chunk objects, then [DONE].", "required": ["data"]},
        "example": 'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"取得日の"}}]}\n\ndata: [DONE]\n\n',
    }
}
EXPORTED: Json = {
    "application/json": {
        "schema": {"$ref": "#/components/schemas/ConversationDetailOut"},
        "example": NAMED + "CONVERSATION",
    },
    "text/markdown": {
        "schema": {"type": "string"},
        "example": "# 有給休暇の申請\n\n## 有給休暇はいつまでに申請しますか?\n",
    },
}
EXPORTED |= {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {
        "schema": {"type": "string", "format": "binary"}
    }
}
FILE: Json = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
UPLOAD: Json = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
PICTURE: Json = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
METRICS: Json = {
    "text/plain": {
        "schema": {"type": "string"},
        "example": 'assistant_questions_total{mode="generated",refused="false"} 12.0\n',
    }
}

_SITUATIONS: dict[int, tuple[str, str, str, str, bool]] = {
    401: ("not_authenticated", "Who asks is not known", "It is not known who asks.", "Send an API key.", False),
    403: ("access_denied", "Not permitted", "This needs the scope ask.", "Ask the administrator.", False),
    404: ("not_found", "Not found", "There is no such document.", "Check the id.", False),
    400: ("bad_request", "The request is not as it must be", "The upload broke off.", "Send it again.", False),
    409: ("upload_exists", "There is a file of this name", "It has another content.", "Replace it.", False),
    413: ("body_too_large", "The body is too large", "The body has too many bytes.", "Send a shorter question.", False),
    416: ("range_not_satisfiable", "The range is outside the file", "It lies behind the end.", "Ask for less.", False),
    422: ("question_error", "The question cannot be taken", "The question is empty.", "Write a question.", False),
    429: ("overloaded", "Too many questions at once", "1 running, 32 waiting.", "Ask again in 60 seconds.", True),
    503: ("store_unavailable", "The document search is away", "Chroma does not answer.", "Run assistant up.", True),
    504: ("model_timeout", "The answer took too long", "The model is too slow.", "Ask again later.", True),
}


def content(name: str) -> Json:
    """The `content` of a JSON answer with the example of that name in this file, put in by api/description.py."""
    return {"application/json": {"example": NAMED + name}}


def body(name: str) -> Json:
    """What `openapi_extra` needs to give a request body its example."""
    return {"requestBody": {"content": content(name)}}


def by_name(reference: str) -> Json:
    """The example that `content` refers to."""
    from api import (
        examples_history,
        examples_library,
        examples_releases,
        examples_system,
    )  # they are made of values of this file

    name = reference.removeprefix(NAMED)
    places = (globals(), vars(examples_history), vars(examples_library), vars(examples_releases), vars(examples_system))
    example: Json = next(place[name] for place in places if name in place)
    return example


def problems(*statuses: int) -> Responses:
    """The `responses` of a route that may answer with these statuses as problems."""
    return {status: _response(status, "application/problem+json", "Problem", _problem(status)) for status in statuses}


def openai_problems(*statuses: int) -> Responses:
    """The same in OpenAI's error shape."""
    return {status: _response(status, "application/json", "OpenAIError", _openai(status)) for status in statuses}


def _response(status: int, media_type: str, shape: str, example: Json) -> Json:
    schema = {"$ref": f"#/components/schemas/{shape}"}
    return {"description": _SITUATIONS[status][1], "content": {media_type: {"schema": schema, "example": example}}}


def _problem(status: int) -> Json:
    code, title, detail, hint, is_retryable = _SITUATIONS[status]
    return {
        "type": f"urn:company-assistant:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "hint": hint,
        "code": code,
        "request_id": _REQUEST_ID,
        "retryable": is_retryable,
    }


def _openai(status: int) -> Json:
    code, _, detail, hint, is_retryable = _SITUATIONS[status]
    return {
        "error": {
            "message": f"{detail} {hint}",
            "type": "server_error" if status >= 500 else "invalid_request_error",
            "param": None,
            "code": code,
            "request_id": _REQUEST_ID,
            "retryable": is_retryable,
        }
    }
