"""GET /answers/{id}/validity: what became of the cited documents, told only to the one who asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.adapters.ledger import Ledger
from assistant.domain import Principal
from assistant.wire_history import ValidityOut
from tests.api.canned import ANSWER, CITATION, RULE, RunningServer, write_document


@pytest.fixture
def document_id(ledger: Ledger, tmp_path: Path) -> str:
    """A document that Ben's answer a_1 cites."""
    made = write_document(
        ledger, tmp_path / "handbook", "休暇.txt", data=RULE.encode(), media_type="text/plain", encoding="utf-8"
    )
    version_id = ledger.get_document(made, principal=Principal("ben")).version_id
    assert version_id is not None
    cited = replace(CITATION, document_id=made, version_id=version_id)
    ledger.save_answer(replace(ANSWER, citations=(cited,)), question="期限は?", principal=Principal("ben"))
    return made


def test_an_answer_whose_document_is_unchanged_is_current(server: RunningServer, document_id: str) -> None:
    with server.client() as client:
        response = client.get("/answers/a_1/validity")
    assert response.status_code == 200
    validity = ValidityOut.model_validate(response.json())
    assert (validity.answer_id, validity.state) == ("a_1", "current")
    assert [(c.number, c.document_id, c.state, c.quote_is_there) for c in validity.citations] == [
        (1, document_id, "current", True)
    ]


def test_a_deleted_document_makes_the_answer_gone_without_its_title(
    server: RunningServer, ledger: Ledger, document_id: str
) -> None:
    ledger.delete_documents([document_id])
    with server.client() as client:
        answer = client.get("/answers/a_1/validity").json()
    assert answer["state"] == "gone"
    assert answer["citations"][0] | {"number": 1} == {
        "number": 1, "document_id": document_id, "state": "gone", "title": None, "path": None, "quote_is_there": None,
    }  # fmt: skip


def test_a_document_that_was_closed_looks_exactly_like_a_deleted_one(
    server: RunningServer, ledger: Ledger, document_id: str
) -> None:
    ledger.set_document_groups(document_id, ["board"])
    with server.client() as client:
        closed = client.get("/answers/a_1/validity").json()
    ledger.set_document_groups(document_id, ["everyone"])
    ledger.delete_documents([document_id])
    with server.client() as client:
        assert client.get("/answers/a_1/validity").json() == closed


@pytest.mark.parametrize(
    "path", ["/answers/a_1/validity", "/answers/a_none/validity", "/answers/%27%20or%201=1/validity"]
)
def test_another_persons_answer_and_one_that_never_was_are_the_same_404(
    server: RunningServer, document_id: str, path: str
) -> None:
    assert document_id
    with server.client(user="dan") as client:
        response = client.get(path)
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert "回答" in response.text or "answer" in response.text


def test_nobody_unknown_learns_about_an_answer(server: RunningServer, document_id: str) -> None:
    assert document_id
    with server.client(user=None) as client:
        assert client.get("/answers/a_1/validity").status_code == 401
