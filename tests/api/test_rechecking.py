"""Questions without an answer: put together, given to somebody, asked again after an ingestion, closed when answered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from api.main import create_app
from api.rechecking import QUESTIONS_A_PASS, REQUEST_PREFIX, recheck
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.unanswered import question_key
from assistant.audit import Act
from assistant.domain import AnswerMode, Finished, Principal
from assistant.errors import EmbedderUnavailable, Text
from assistant.settings import Settings
from assistant.wire_questions import QuestionGroupsOut, UseOut
from tests.api.canned import ANSWER, FOUND, CannedAssistant, RunningServer
from tests.api.conftest import StartServer

REFUSED = replace(ANSWER, refused=True, reason="not_in_documents", citations=(), answer_id="a_refused")


def refuse(ledger: Ledger, number: int, question: str, *, by: str = "ben") -> str:
    """A refusal that `by` got; its answer id."""
    answer = replace(REFUSED, answer_id=f"a_r{number}", conversation_id=f"c_{by}{number}")
    ledger.save_answer(answer, question=question, principal=Principal(by))
    return answer.answer_id


def ingest(ledger: Ledger, **counts: int) -> None:
    """An ingestion that ended just now."""
    job = ledger.start_job("run", folder="/handbook", worker="w")
    ledger.finish_job(job.job_id, counts=counts, error=None)


def look(assistant: CannedAssistant) -> int:
    """One look of the upkeep of an API that is not started, so that it has no upkeep of its own."""
    return asyncio.run(recheck(create_app(Settings(_env_file=None), assistant=assistant).state.edge))  # type: ignore[arg-type]


def test_a_question_is_asked_again_only_after_an_ingestion_brought_something(ledger: Ledger) -> None:
    assistant = CannedAssistant(ledger)
    refuse(ledger, 1, "社宅は?")
    assert look(assistant) == 0
    ingest(ledger, unchanged=4, delete=1)
    assert look(assistant) == 0
    ingest(ledger, add=1)
    assert look(assistant) == 1
    (asked,) = assistant.questions
    assert (asked.text, asked.principal.name, asked.principal.via) == ("社宅は?", "ben", "proxy")
    assert asked.request_id.startswith(REQUEST_PREFIX)
    assert look(assistant) == 0


@pytest.mark.parametrize(
    ("answer", "is_closed"),
    [(ANSWER, True), (REFUSED, False), (replace(ANSWER, mode=AnswerMode.QUOTES), False)],
)
def test_only_a_real_answer_closes_a_question_and_tells_whoever_waits(
    ledger: Ledger, answer: Any, is_closed: bool
) -> None:
    ledger.want_answer(refuse(ledger, 1, "社宅は?"), principal=Principal("ben"))
    ingest(ledger, change=1)
    found = replace(answer, answer_id="a_again", conversation_id="c_again", citations=())
    assert look(CannedAssistant(ledger, course=(FOUND, Finished(found)))) == 1
    (wanted,) = ledger.wanted_answers(principal=Principal("ben"))
    assert (wanted.closed_at is not None, wanted.closed_answer_id) == (is_closed, "a_again" if is_closed else None)
    state = ledger.question_states([question_key("社宅は?")])[question_key("社宅は?")]
    assert (state.closed_at is not None) is is_closed
    assert len(ledger.list_conversations(principal=Principal("ben"))[0]) == (2 if is_closed else 1)


def test_a_pass_is_bounded_and_leaves_the_questions_of_apps_out(ledger: Ledger) -> None:
    assistant = CannedAssistant(ledger)
    for number in range(QUESTIONS_A_PASS + 2):
        refuse(ledger, number, f"質問 {number}")
    refuse(ledger, 90, "アプリの質問", by="app:ci")
    ingest(ledger, add=1)
    assert [look(assistant), look(assistant), look(assistant)] == [QUESTIONS_A_PASS, 2, 0]
    assert "アプリの質問" not in {question.text for question in assistant.questions}


def test_a_closed_question_that_is_refused_again_is_open_again(server: RunningServer, ledger: Ledger) -> None:
    refuse(ledger, 1, "社宅は?")
    ingest(ledger, add=1)
    look(CannedAssistant(ledger))
    admin = "Bearer " + ledger.create_key("chie", scopes=["admin"])
    with server.client(user=None, Authorization=admin) as client:
        assert [group.state for group in groups_of(client).groups] == ["closed"]
        refuse(ledger, 2, "社宅は?")
        assert [group.state for group in groups_of(client).groups] == ["open"]


def groups_of(client: httpx.Client) -> QuestionGroupsOut:
    """The groups as an administrator sees them."""
    return QuestionGroupsOut.model_validate(client.get("/admin/questions").json())


def test_an_administrator_gives_questions_to_an_owner_and_the_audit_has_no_word_of_them(
    server: RunningServer, ledger: Ledger
) -> None:
    refuse(ledger, 1, "社宅は?")
    refuse(ledger, 2, "社宅は?", by="dan")
    refuse(ledger, 3, "駐車場は?")
    with server.client(user=None, Authorization="Bearer " + ledger.create_key("chie", scopes=["admin"])) as client:
        first, second = groups_of(client).groups
        assert (first.question, first.times, first.state) == ("社宅は?", 2, "open")
        keys = [question.key for question in first.questions]
        assert client.put("/admin/questions/owner", json={"keys": keys, "owner": "総務部"}).status_code == 204
        assert [(group.owner, group.state) for group in groups_of(client).groups] == [
            ("総務部", "owned"),
            (None, "open"),
        ]
        assert client.put("/admin/questions/owner", json={"keys": ["x"], "owner": "総務部"}).status_code == 422
        assert client.put("/admin/questions/owner", json={"keys": keys, "owner": None}).status_code == 204
        assert groups_of(client).groups[0].owner is None
    assert second.question == "駐車場は?"
    assigned = list(ledger.audit_entries(act=Act.QUESTION_ASSIGNED))
    assert [entry.details for entry in assigned] == [{"owner": "総務部", "questions": 1}, {"owner": "", "questions": 1}]


def test_without_the_embedder_each_wording_stands_alone_and_that_is_said(server: RunningServer, ledger: Ledger) -> None:
    def away() -> None:
        raise EmbedderUnavailable(Text("いません。", "Away."), Text("待って。", "Wait."))

    server.assistant.stores = SimpleNamespace(embedder_in_use=away)
    refuse(ledger, 1, "社宅は?")
    refuse(ledger, 2, "社宅ある?")
    with server.client(user=None, Authorization="Bearer " + ledger.create_key("chie", scopes=["admin"])) as client:
        found = groups_of(client)
    assert (found.is_grouped, len(found.groups)) == (False, 2)


@pytest.mark.parametrize(("questions", "people"), [("hashed", []), ("text", ["ben", "dan"])])
def test_use_is_told_in_numbers_and_people_only_where_the_house_allows_it(
    start_server: StartServer, ledger: Ledger, questions: str, people: list[str]
) -> None:
    server = start_server(audit={"questions": questions})
    refuse(ledger, 1, "a?")
    refuse(ledger, 2, "b?")
    refuse(ledger, 3, "c?", by="dan")
    with server.client(user=None, Authorization="Bearer " + ledger.create_key("chie", scopes=["admin"])) as client:
        use = UseOut.model_validate(client.get("/admin/use").json())
        assert (use.askers, use.prompt_tokens, use.prices, use.cost) == (2, 2700, None, None)
        assert [person.name for person in use.people] == people
        assert use.times[0].first_token_p50 == 0.2
        prices = {
            "currency": "JPY", "cloud_prompt_per_million": 1e6, "cloud_answer_per_million": 0, "busy_watts": 0,
            "idle_watts": 0, "electricity_per_kwh": 0, "hardware_price": 0, "hardware_years": 1,
        }  # fmt: skip
        assert client.put("/admin/prices", json=prices).json() == prices
        assert client.put("/admin/prices", json=prices | {"hardware_years": 0}).status_code == 422
        cost = UseOut.model_validate(client.get("/admin/use").json()).cost
    assert cost is not None
    assert (cost.cloud, cost.own, cost.saving) == (2700.0, 0.0, 1.0)
