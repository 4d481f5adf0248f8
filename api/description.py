"""openapi.json: what FastAPI finds in the routes, with our error shapes, our ways to say who asks, and whole examples.

FastAPI describes neither problems nor two headers that only count together, and it drops nulls from examples, which then
no longer fit their shapes.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import examples
from api.deps import OPEN_PATHS
from api.openai_shapes import OpenAIError
from assistant.wire import Problem

_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "API key of an app (assistant keys create)."},
    "user": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Forwarded-User",
        "description": "The user, from nginx or the screen only.",
    },
    "proxy": {"type": "apiKey", "in": "header", "name": "X-Proxy-Secret", "description": "The proxy's shared secret."},
}
_SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"user": [], "proxy": []}]
_UNUSED_SHAPES = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the app, made once and kept."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _add_shapes(schema["components"])
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                _complete(operation, is_open=path in OPEN_PATHS)
        app.openapi_schema = schema
    return app.openapi_schema


def _add_shapes(components: dict[str, Any]) -> None:
    shapes = components["schemas"]
    for shape in (Problem, OpenAIError):
        described = shape.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes |= described.pop("$defs", {}) | {shape.__name__: described}
    for name in _UNUSED_SHAPES:
        shapes.pop(name, None)
    components["securitySchemes"] = _SCHEMES


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    if not is_open:
        operation["security"] = _SECURITY
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]  # only a path in it, which is text and cannot be invalid
    for place in [operation.get("requestBody", {}), *answers.values()]:
        for described in place.get("content", {}).values():
            name = described.get("example", "")
            if isinstance(name, str) and name.startswith(examples.NAMED):
                described["example"] = examples.by_name(name)
