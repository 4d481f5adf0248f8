"""openapi.json: an example for each request and answer, each true to its shape; nothing undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import pytest

from api.deps import ADMINISTRATORS
from api.errors import TABLE
from api.examples_releases import CONTENT
from api.main import create_app
from assistant.adapters.ledger import Ledger
from assistant.domain import Principal
from assistant.releases import Content, ReleaseAct
from assistant.settings import Settings
from tests.api.canned import ANSWER, RunningServer
from tests.api.test_errors import all_errors, made

JSON_TYPES = {"application/json", "application/problem+json"}
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
BINARY_TYPES = {"*/*", "application/octet-stream", "image/png", WORD}
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
    if media_type in BINARY_TYPES:
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
        "/answers/{answer_id}/wanted",
        "/wanted",
        "/wanted/{wanted_id}",
        "/conversations",
        "/conversations/{conversation_id}",
        "/conversations/{conversation_id}/export",
        "/admin/usage",
        "/admin/folders",
        "/admin/ingestion",
        "/admin/questions",
        "/admin/questions/owner",
        "/admin/use",
        "/admin/prices",
        "/admin/feedback",
        "/admin/unanswered",
        "/admin/capacity",
        "/admin/capacity/plan",
        "/admin/capacity/advice",
        "/admin/system",
        "/admin/doctor",
        "/admin/keys",
        "/admin/keys/revoke",
        "/admin/users",
        "/admin/users/state",
        "/admin/audit",
        "/admin/releases",
        "/admin/releases/canary",
        "/admin/releases/rollback",
        "/admin/releases/{release_id}",
        "/admin/releases/{release_id}/publish",
        "/documents",
        "/documents/{document_id}",
        "/documents/{document_id}/file",
        "/documents/{document_id}/pages/{page}",
        "/documents/{document_id}/receipt",
        "/documents/{document_id}/text",
        "/folders",
        "/uploads",
        "/uploads/{place}/{name}",
        "/jobs",
        "/jobs/{job_id}",
        "/me",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/models",
        "/v1/chat/completions",
    } == set(served["paths"])


def requests_with_bodies() -> Iterator[Any]:
    """Each operation that takes a body, with its example."""
    for method, path, operation in operations():
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            example = operation["requestBody"]["content"]["application/json"]["example"]
            yield pytest.param(method, path, example, id=f"{method} {path}")


@pytest.mark.parametrize(("method", "path", "example"), list(requests_with_bodies()))
def test_the_example_of_a_request_is_answered_as_described(
    server: RunningServer, ledger: Ledger, method: str, path: str, example: dict[str, Any]
) -> None:
    ledger.set_groups("ben", [ADMINISTRATORS])
    ledger.save_answer(replace(ANSWER, citations=()), question="期限は?", principal=Principal("ben"))
    ledger.adopt(Content("FROM m\nPARAMETER num_ctx 4096\n"), model="m", digest="d", by="chie")
    release_id = ledger.save_draft(CONTENT, by="chie", details={}).release_id
    ledger.move(release_id, revision=1, act=ReleaseAct.PUBLISHED, by="chie")
    ids = {"answer_id": "a_1", "conversation_id": "c_1", "release_id": release_id}
    if path == "/admin/keys/revoke":
        ledger.create_key(example["name"])
    elif path == "/admin/users/state":
        ledger.set_groups(example["name"], [])
    with server.client() as client:
        response = client.request(method, path.format(**ids), json=example)
    assert response.is_success, response.text
    if response.status_code == 204:
        assert not response.content
        return
    shape = described()["paths"][path][method]["responses"][str(response.status_code)]["content"]["application/json"]
    jsonschema.validate(response.json(), shape["schema"] | {"components": described()["components"]})


def test_every_link_leads_from_an_answer_to_an_operation_and_its_parameter() -> None:
    parameters = {
        operation["operationId"]: {f"{p['in']}.{p['name']}" for p in operation.get("parameters", [])}
        for _, _, operation in operations()
    }
    links = [
        link
        for _, _, operation in operations()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 12
    for link in links:
        assert set(link["parameters"]) <= parameters[link["operationId"]]
