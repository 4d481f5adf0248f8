"""openapi.json: an example for each request and answer, each true to its shape; nothing undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from api.errors import TABLE
from api.main import create_app
from assistant.settings import Settings
from tests.api.canned import RunningServer
from tests.api.test_errors import all_errors, made

JSON_TYPES = {"application/json", "application/problem+json"}
TEXT_TYPES = {"text/event-stream", "text/plain", "text/markdown"}


@cache
def described() -> dict[str, Any]:
    """The document of an app that was never started."""
    return create_app(Settings(_env_file=None)).openapi()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of each operation."""
    paths = described()["paths"]
    return [(method, path, operation) for path, methods in paths.items() for method, operation in methods.items()]


def bodies() -> Iterator[Any]:
    """Every request and response body that is described."""
    for method, path, operation in operations():
        if "requestBody" in operation:
            for media_type, content in operation["requestBody"]["content"].items():
                yield pytest.param(media_type, content, id=f"{method} {path} body {media_type}")
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                yield pytest.param(media_type, content, id=f"{method} {path} {status} {media_type}")


@pytest.mark.parametrize(("media_type", "content"), list(bodies()))
def test_every_body_has_an_example_that_fits_its_shape(media_type: str, content: dict[str, Any]) -> None:
    if media_type == "application/octet-stream":
        assert content["schema"]["format"] == "binary"
    elif media_type in TEXT_TYPES:
        assert isinstance(content["example"], str)
    else:
        assert media_type in JSON_TYPES
        schema = content["schema"] | {"components": described()["components"]}
        jsonschema.validate(content["example"], schema)


@pytest.mark.parametrize(("method", "path", "operation"), operations())
def test_every_operation_is_named_described_and_guarded(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["operationId"]
    assert operation["summary"]
    assert operation["description"]
    is_open = path in {"/healthz", "/readyz", "/metrics"}
    assert ("security" in operation) is not is_open
    assert ("401" in operation["responses"]) is not is_open
    assert "HTTPValidationError" not in str(operation)


def test_error_examples_have_codes_and_statuses_of_the_table() -> None:

    statuses = {made(kind).code: TABLE[kind].status for kind in all_errors()}
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            example = answer.get("content", {}).get("application/problem+json", {}).get("example")
            if example is not None:
                assert str(example["status"]) == status
                assert statuses[example["code"]] == int(status)


def test_the_document_is_served_to_anybody_and_lists_the_contracts_addresses(server: RunningServer) -> None:
    with server.client(user=None) as client:
        served = client.get("/openapi.json").json()
    assert served == described()
    assert {
        "/ask",
        "/answers/{answer_id}/feedback",
        "/answers/{answer_id}/validity",
        "/search",
        "/conversations",
        "/conversations/{conversation_id}",
        "/conversations/{conversation_id}/export",
        "/admin/usage",
        "/admin/folders",
        "/admin/feedback",
        "/admin/unanswered",
        "/documents",
        "/documents/{document_id}",
        "/documents/{document_id}/file",
        "/documents/{document_id}/receipt",
        "/documents/{document_id}/text",
        "/jobs",
        "/jobs/{job_id}",
        "/me",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/models",
        "/v1/chat/completions",
    } == set(served["paths"])
