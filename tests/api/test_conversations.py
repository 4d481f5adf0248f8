"""/conversations and feedback: lists, one, renaming, deleting, export; another's looks as if there were none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docx
import httpx
import pytest

from assistant.adapters.ledger import Ledger
from assistant.domain import Notice, Principal
from assistant.history import Unfinished
from assistant.wire_history import ConversationDetailOut, ConversationsOut, FeedbackOut
from tests.api.canned import ANSWER, CITATION, RULE, RunningServer, write_document

BEN = Principal("ben")


@pytest.fixture
def document_id(ledger: Ledger, tmp_path: Path) -> str:
    """A document that everybody may read."""
    return write_document(
        ledger, tmp_path / "handbook", "人事/休暇.txt", data=RULE.encode(), media_type="text/plain", encoding="utf-8"
    )


def asked(
    ledger: Ledger, number: int, *, conversation: str = "c_1", by: Principal = BEN, document_id: str | None = None
) -> None:
    """One more answer of the conversation, citing the document."""
    version_id = ledger.get_document(document_id, principal=BEN).version_id if document_id else None
    cited = replace(CITATION, document_id=document_id or "", version_id=version_id or "")
    answer = replace(
        ANSWER,
        answer_id=f"a_{conversation}_{number}",
        conversation_id=conversation,
        citations=(cited,) if document_id else (),
        notices=(Notice("number_not_in_sources", "数", "number"),),
    )
    ledger.save_answer(answer, question=f"質問 {number}?", principal=by)


@pytest.fixture
def ben(server: RunningServer) -> Iterator[httpx.Client]:
    """Ben's client."""
    with server.client() as client:
        yield client


def test_conversations_are_paged_with_the_last_used_first(ben: httpx.Client, ledger: Ledger) -> None:
    for number in range(5):
        asked(ledger, number, conversation=f"c_{number}")
    asked(ledger, 9, conversation="c_0")
    asked(ledger, 1, conversation="c_dan", by=Principal("dan"))
    seen, cursor = [], None
    while True:
        page = ConversationsOut.model_validate(
            ben.get("/conversations", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        )
        seen += [(one.conversation_id, one.answers) for one in page.conversations]
        cursor = page.next
        if cursor is None:
            break
    assert seen[0] == ("c_0", 2)
    assert sorted(seen[1:]) == [("c_1", 1), ("c_2", 1), ("c_3", 1), ("c_4", 1)]
    assert ben.get("/conversations", params={"query": "質問 3"}).json()["conversations"][0]["conversation_id"] == "c_3"
    for doubtful in ("AAAA", "W10=", "WyJhIiwgIlx1MDAwMCJd", "WzEsMl0", "é"):
        assert ben.get("/conversations", params={"cursor": doubtful}).status_code == 404, doubtful


def test_a_conversation_tells_what_has_no_answer_yet(ben: httpx.Client, ledger: Ledger) -> None:
    asked(ledger, 1)
    ledger.note_unfinished(Unfinished("u_1", "c_1", "では病気のときは?", "ja", "当日の"), principal=BEN)
    told = ConversationDetailOut.model_validate(ben.get("/conversations/c_1").json())
    assert [(one.question, one.text) for one in told.unfinished] == [("では病気のときは?", "当日の")]
    assert told.answers == 2


def test_a_conversation_tells_its_exchanges_in_order(ben: httpx.Client, ledger: Ledger, document_id: str) -> None:
    for number in range(3):
        asked(ledger, number, document_id=document_id)
    first = ConversationDetailOut.model_validate(ben.get("/conversations/c_1", params={"limit": 2}).json())
    rest = ConversationDetailOut.model_validate(ben.get("/conversations/c_1", params={"cursor": first.next}).json())
    assert [one.question for one in (*first.exchanges, *rest.exchanges)] == ["質問 0?", "質問 1?", "質問 2?"]
    assert (first.title, first.answers, rest.next) == ("質問 0?", 3, None)
    (exchange,) = rest.exchanges
    assert (exchange.answer, exchange.withheld, exchange.warnings) == (ANSWER.text, False, ["number_not_in_sources"])
    (citation,) = exchange.citations
    assert (citation.quote, citation.path, citation.is_current) == (RULE, "人事/休暇.txt", True)
    assert citation.url == f"/documents/{document_id}/file"


def test_what_may_no_longer_be_read_is_withheld(ben: httpx.Client, ledger: Ledger, document_id: str) -> None:
    asked(ledger, 1, document_id=document_id)
    ledger.set_document_groups(document_id, ["board"])
    told = ben.get("/conversations/c_1").json()["exchanges"][0]
    assert (told["answer"], told["withheld"]) == (None, True)
    assert told["citations"][0]["state"] == "gone"
    exported = [ben.get("/conversations/c_1/export", params={"format": f}).text for f in ("md", "json")]
    for text in (str(told), *exported):
        assert RULE not in text
        assert "休暇" not in text
        assert ANSWER.text not in text


def test_a_conversation_is_renamed_and_deleted_with_all_that_belongs_to_it(
    ben: httpx.Client, ledger: Ledger, document_id: str
) -> None:
    asked(ledger, 1, document_id=document_id)
    assert ben.post("/answers/a_c_1_1/feedback", json={"rating": "up"}).status_code == 200
    renamed = ben.patch("/conversations/c_1", json={"title": "  休暇のこと "})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "休暇のこと")
    for title in ("", " ", "a\nb", "x" * 201, None, 5):
        assert ben.patch("/conversations/c_1", json={"title": title}).status_code == 422
    gone = ben.delete("/conversations/c_1")
    assert (gone.status_code, gone.content) == (204, b"")
    for method, address in (("GET", "/conversations/c_1"), ("DELETE", "/conversations/c_1")):
        assert ben.request(method, address).status_code == 404
    assert ben.get("/answers/a_c_1_1/validity").status_code == 404
    assert ben.get("/conversations").json()["conversations"] == []


def test_anothers_conversation_answers_exactly_like_none(server: RunningServer, ledger: Ledger) -> None:
    asked(ledger, 1)
    body = {"/conversations/c_1": {"title": "x"}, "/answers/a_c_1_1/feedback": {"rating": "up"}}
    with server.client(user="dan", **{"X-Request-Id": "one"}) as dan:
        for method, address in (
            ("GET", "/conversations/c_1"),
            ("GET", "/conversations/c_1/export"),
            ("PATCH", "/conversations/c_1"),
            ("DELETE", "/conversations/c_1"),
            ("POST", "/answers/a_c_1_1/feedback"),
        ):
            nowhere = address.replace("c_1", "c_0").replace("_1_1", "_0_0")
            sent = body.get(address) if method in {"PATCH", "POST"} else None
            seen = [dan.request(method, a, json=sent) for a in (address, nowhere, nowhere.replace("c_0", "%00"))]
            assert [r.status_code for r in seen] == [404, 404, 404], address
            assert len({r.text for r in seen}) == 1
        assert dan.get("/conversations").json() == {"conversations": [], "next": None}
    assert ledger.get_conversation("c_1", principal=BEN).title == "質問 1?"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("休暇のこと", "%E4%BC%91%E6%9A%87%E3%81%AE%E3%81%93%E3%81%A8.md"),
        ('a/b\\"c".exe', "a_b__c_.exe.md"),
        (" .. ", "conversation.md"),
        ("x\u202egpj", "x_gpj.md"),
    ],
)
def test_an_export_is_a_download_with_a_safe_name(ben: httpx.Client, ledger: Ledger, title: str, name: str) -> None:
    asked(ledger, 1)
    ledger.rename_conversation("c_1", title=title, principal=BEN)
    response = ben.get("/conversations/c_1/export", headers={"Accept-Language": "ja"})
    assert response.status_code == 200
    sent = response.headers["content-disposition"]
    assert sent.startswith('attachment; filename="')
    assert sent.endswith(f"; filename*=UTF-8''{name}")
    assert response.headers["content-security-policy"].endswith("sandbox")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"


def test_an_export_holds_every_question_with_its_sources(ben: httpx.Client, ledger: Ledger, document_id: str) -> None:
    for number in range(120):
        asked(ledger, number, document_id=document_id)
    ja = ben.get("/conversations/c_1/export", headers={"Accept-Language": "ja"}).text
    assert ja.count("\n## 質問 ") == 120
    assert (
        f"\n出典:\n\n- [1] 休暇 (人事/休暇.txt 3ページ): 「{RULE}」" in ja
        or f"- [1] 休暇 (人事/休暇.txt): 「{RULE}」" in ja
    )
    en = ben.get("/conversations/c_1/export", headers={"Accept-Language": "en"}).text
    assert "\nSources:\n" in en
    whole = ConversationDetailOut.model_validate_json(ben.get("/conversations/c_1/export?format=json").content)
    assert len(whole.exchanges) == 120
    assert ben.get("/conversations/c_1/export?format=exe").status_code == 422


def test_an_export_for_word_holds_questions_answers_and_sources_of_today(
    ben: httpx.Client, ledger: Ledger, document_id: str
) -> None:
    asked(ledger, 1, document_id=document_id)
    response = ben.get("/conversations/c_1/export?format=docx", headers={"Accept-Language": "ja"})
    assert "filename*=UTF-8''" in response.headers["content-disposition"]
    lines = [paragraph.text for paragraph in docx.Document(io.BytesIO(response.content)).paragraphs]
    assert {"質問 1?", ANSWER.text, "出典:"} <= set(lines)
    assert any("人事/休暇.txt" in line for line in lines)
    ledger.set_document_groups(document_id, ["board"])
    withheld = ben.get("/conversations/c_1/export?format=docx").content
    after = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(withheld)).paragraphs)
    assert RULE not in after
    assert "人事/休暇.txt" not in after


def test_feedback_is_kept_once_for_each_answer_and_counted(
    server: RunningServer, ben: httpx.Client, ledger: Ledger
) -> None:
    asked(ledger, 1)
    ben.post("/answers/a_c_1_1/feedback", json={"rating": "up"})
    wanted = {"rating": "down", "reason": "outdated", "text": " 古い\x00です "}
    said = FeedbackOut.model_validate(ben.post("/answers/a_c_1_1/feedback", json=wanted).json())
    assert (said.rating, said.reason, said.text) == ("down", "outdated", "古いです")
    assert ben.get("/conversations/c_1").json()["exchanges"][0]["feedback"]["rating"] == "down"
    for wrong in ({"rating": "meh"}, {}, {"rating": "up", "reason": "because"}, {"rating": "up", "text": "x" * 2001}):
        assert ben.post("/answers/a_c_1_1/feedback", json=wrong).status_code == 422
    assert 'assistant_feedback_total{rating="down"} 1.0' in ben.get("/metrics").text
