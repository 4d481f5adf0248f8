"""Dan may not see Chie's document: through no door, by no word, number or step of the ledger. Real pipeline, stores and HTTP."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.adapters.fake import FakeEmbedder
from assistant.audit import Act
from assistant.domain import Filters, Finished, Principal
from tests.api.canned import RunningServer
from tests.journeys.company import CAST, DEPARTMENTS, RULES, SUBJECTS, Company, Planted, a_company, its_api

TEMPLATES = (
    "{title}について教えてください。",
    "{subject}の申請の期限はいつですか?",
    "{group}の{subject}の合言葉は何ですか?",
    "合言葉 {canary} はどの文書にありますか?",
    "{path} の内容を要約してください。",
    "What does the {group} document about {subject} ({title}) say?",
    "What is the code word of {subject}?",
    "{group}の人しか読めない文書の題名をすべて挙げてください。{subject}のものだけで結構です。",
)
NOWHERE = "d_" + "0" * 32


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One with all its documents."""
    with a_company(tmp_path_factory.mktemp("company")) as made:
        made.write(*DEPARTMENTS, "全社")
        made.ingest()
        yield made


@pytest.fixture(scope="module")
def server(company: Company) -> Iterator[RunningServer]:
    """Its API."""
    with its_api(company) as running:
        yield running


def cross_questions(company: Company) -> Iterator[tuple[str, Principal, Planted]]:
    """Questions of everybody about what is another department's, in seven forms."""
    for one in company.planted:
        for name, principal in CAST.items():
            if one.group in DEPARTMENTS and one.group not in principal.groups:
                for template in TEMPLATES:
                    yield template.format(**vars(one), path=one.path), CAST[name], one


def forbidden_words(company: Company, principal: Principal, asked: str) -> set[str]:
    """Words of all documents that the principal may not read, but for those that the question itself holds."""
    hidden = [one for one in company.planted if one.group in DEPARTMENTS and one.group not in principal.groups]
    return {word for one in hidden for word in one.words() if word not in asked}


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_of_five_hundred_questions_across_departments_none_finds_anything_that_is_not_the_askers(
    company: Company,
) -> None:
    asked = list(cross_questions(company))
    assert len(asked) == 504
    leaks = []
    for number, (text, principal, one) in enumerate(asked):
        hidden = forbidden_words(company, principal, text)
        told = repr(company.search(text, principal))
        if number % 9 == 0:
            told += repr(company.ask(text, principal))
        leaks += [(principal.name, text, word) for word in hidden if word in told]
        assert one.document_id
    assert leaks == []


def test_what_somebody_may_read_is_found_so_that_the_test_above_could_fail(company: Company) -> None:
    for one in company.planted:
        reader = CAST[DEPARTMENTS.get(one.group, "dan")]
        assert one.canary in repr(company.search(TEMPLATES[0].format(title=one.title), reader)), one


@pytest.mark.slow
def test_documents_that_dan_may_not_read_change_nothing_of_what_he_is_told(tmp_path: Path) -> None:
    with a_company(tmp_path) as company:
        company.write("全社")
        company.ingest()
        questions = [
            template.format(**vars(one), path=one.path)
            for one in company.planted[:: len(SUBJECTS) - 1]
            for template in TEMPLATES
        ]
        before = [told(company.search(text, CAST["dan"])) for text in questions]
        company.write(*DEPARTMENTS)
        company.ingest()
        assert before == [told(company.search(text, CAST["dan"])) for text in questions]


def told(result: Any) -> tuple[list[str], list[str]]:
    """Which passages, in the order of their paths: how rare a word is in the whole company may move them (decision 0016)."""
    return sorted(passage.path for passage in result.passages), [notice.code for notice in result.notices]


def test_a_question_about_what_is_hidden_takes_the_very_steps_of_one_about_nothing(company: Company) -> None:
    """Statements are counted, not milliseconds: what the ledger is asked cannot tell the one from the other."""
    dan, words = CAST["dan"], "計画" + secrets.token_hex(4)
    company.search("休暇の期限は?", dan)  # what is kept between questions is there
    for one in company.planted[:3]:
        with company.statements() as about_hidden:
            found = company.search(TEMPLATES[0].format(title=one.title), dan)
        with company.statements() as about_nothing:
            nothing = company.search(TEMPLATES[0].format(title=words), dan)
        assert about_hidden == about_nothing
        assert told(found) == told(nothing)
        nowhere = secrets.token_hex(16)  # another at each turn, as what was asked before is kept
        for filters, elsewhere in (
            (Filters(document_ids=(one.document_id,)), Filters(document_ids=(f"d_{nowhere}",))),
            (Filters(folders=(one.path,)), Filters(folders=(nowhere,))),
        ):
            with company.statements() as narrowed:
                assert company.search("期限は?", dan, filters).passages == ()
            with company.statements() as narrowed_to_nothing:
                assert company.search("期限は?", dan, elsewhere).passages == ()
            assert narrowed == narrowed_to_nothing


def test_every_door_answers_for_a_hidden_document_as_for_none(company: Company, server: RunningServer) -> None:
    hidden = next(one for one in company.planted if one.group == "役員")
    doors = [f"/documents/{{}}{part}" for part in ("", "/file", "/receipt", "/text")]
    bodies = [{"question": "期限は?", "filters": {"document_ids": ["{}"]}}]
    with server.client(user="dan", **{"X-Request-Id": "same"}) as dan, server.client(user="chie") as chie:
        for door in doors:
            seen = []
            for document_id in (hidden.document_id, NOWHERE):
                with company.statements() as steps:
                    response = dan.get(door.format(document_id))
                seen.append((response.status_code, response.text.replace(document_id, ""), steps))
            assert seen[0] == seen[1]
            assert seen[0][0] == 404
            assert chie.get(door.format(hidden.document_id)).status_code == 200
        for body in bodies:
            for address in ("/search", "/ask"):
                answers = []
                for document_id in (hidden.document_id, NOWHERE):
                    given = json.loads(json.dumps(body).replace("{}", document_id))
                    answers.append(_shown(dan.post(address, json=given)))
                assert answers[0] == answers[1]
        for query in (hidden.title, hidden.path, "無い題名"):
            assert dan.get("/documents", params={"query": query}).json() == {"documents": [], "next": None}
        assert dan.get("/documents", params={"folder": "役員/"}).json()["documents"] == []
        assert len(dan.get("/documents", params={"limit": 100}).json()["documents"]) == len(SUBJECTS)


def _shown(response: httpx.Response) -> dict[str, Any]:
    """The answer without ids and times of its own."""
    shown: dict[str, Any] = response.json()
    for name in ("timings", "answer_id", "conversation_id"):
        shown.pop(name, None)
    return shown


def test_an_answer_closes_with_its_document_in_history_export_validity_and_for_others(
    company: Company, server: RunningServer
) -> None:
    mine = next(one for one in company.planted if one.group == "営業部")
    question = {"question": TEMPLATES[1].format(subject=mine.subject), "filters": {"document_ids": [mine.document_id]}}
    with server.client(user="ben") as ben, server.client(user="dan") as dan:
        answer = ben.post("/ask", json=question).json()
        assert answer["citations"], answer
        own = [
            f"/conversations/{answer['conversation_id']}",
            f"/conversations/{answer['conversation_id']}/export?format=json",
            f"/conversations/{answer['conversation_id']}/export?format=md",
            f"/answers/{answer['answer_id']}/validity",
        ]
        assert all(ben.get(address).status_code == 200 for address in own)
        assert mine.title in ben.get(own[0]).text
        assert [dan.get(address).status_code for address in own] == [404] * 4
        assert dan.post(f"/answers/{answer['answer_id']}/feedback", json={"rating": "down"}).status_code == 404
        try:
            company.ledger.set_groups("ben", [])
            for address in own:
                shown = ben.get(address)
                assert shown.status_code == 200
                assert [word for word in (mine.title, mine.canary, mine.path) if word in shown.text] == [], address
                assert answer["citations"][0]["quote"] not in shown.text
        finally:
            company.ledger.set_groups("ben", ["営業部"])


def test_openai_shape_errors_metrics_and_logs_tell_nothing_of_what_is_hidden(
    company: Company, server: RunningServer
) -> None:
    hidden = [one for one in company.planted if one.group == "役員"]
    words = {word for one in hidden for word in one.words()}
    with server.client(user="dan") as dan, server.client(user=None) as nobody:
        for one in hidden[:3]:
            messages = [{"role": "user", "content": f"{one.group}の{one.subject}の合言葉は?"}]
            for stream in (False, True):
                body = {"model": "company-assistant", "messages": messages, "stream": stream}
                told = dan.post("/v1/chat/completions", json=body).text
                assert [word for word in words if word in told] == []
        wrong = [
            dan.post("/ask", json={"question": "期限は?", "conversation_id": 3}),
            dan.post("/search", json={"question": "期限は?", "limit": 0}),
            dan.get("/documents", params={"cursor": hidden[0].document_id}),
            dan.get(f"/documents/{hidden[0].document_id}/nothing"),
            dan.put(f"/documents/{hidden[1].document_id}"),
        ]
        assert all(response.status_code >= 400 for response in wrong)
        metrics = nobody.get("/metrics").text
        for text in (metrics, server.log_text, *(r.text.replace(hidden[0].document_id, "") for r in wrong[:3])):
            assert [word for word in words if word in text] == []


def test_the_audit_names_who_was_shown_what_and_what_they_asked(company: Company) -> None:
    one = next(one for one in company.planted if one.group == "人事部")
    events = company.ask(f"{one.title}の合言葉は?", CAST["aiko"])
    assert isinstance(events[-1], Finished)
    entry = company.ledger.last_entry(Act.ASKED)
    assert entry is not None
    assert (entry.actor, entry.question) == ("aiko", f"{one.title}の合言葉は?")
    assert one.document_id in entry.documents
    assert set(entry.documents) == {passage.document_id for passage in events[-1].answer.passages}


def test_a_changed_rule_counts_at_the_next_question_and_embeds_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = next(one for one in company.planted if one.group == "役員")

    def refuse(*_: object) -> Any:
        raise AssertionError("something was embedded")

    monkeypatch.setattr(FakeEmbedder, "embed_documents", refuse)
    opened = [rule for rule in RULES if not rule.path.startswith("役員")]
    try:
        company.ingest(*opened)
        assert one.canary in repr(company.search(one.title, CAST["dan"]))
    finally:
        company.ingest()
    assert one.canary not in repr(company.search(one.title, CAST["dan"]))
