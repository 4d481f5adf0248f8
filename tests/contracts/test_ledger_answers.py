"""What the ledger remembers of answers: conversations, and whether what was cited still stands. On SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.adapters.ledger import Ledger
from assistant.domain import Answer, Chunk, Citation, DocumentStatus, Filters, ParsedDocument, Principal
from assistant.errors import NotFound
from assistant.history import CitationState, Unfinished
from tests.api.canned import ANSWER
from tests.contracts.test_ledger import BEN, CHIE, DAN, store

RULE = "三営業日前までに申請する。"


def answered(
    ledger: Ledger, *chunks: tuple[str, str], principal: Principal = BEN, answer_id: str = "a_1", **parts: object
) -> Answer:
    """Stores an answer that cites the first words of each (document_id, chunk_id)."""
    passages = ledger.read_passages(
        [(chunk, 1.0) for _, chunk in chunks], principal=principal, filters=Filters(), limit=9
    )
    citations = tuple(
        Citation(
            n, p.chunk_id, p.document_id, p.version_id, p.title, p.path, p.page, p.heading_path, p.text, p.start, p.end
        )
        for n, p in enumerate(passages, start=1)
    )
    answer = replace(ANSWER, answer_id=answer_id, citations=citations, passages=tuple(passages), **parts)
    ledger.save_answer(answer, question="期限は?", principal=principal)
    return answer


def test_the_exchanges_of_a_conversation_come_back_oldest_first_with_what_was_offered(ledger: Ledger) -> None:
    made = store(ledger, "a.md", RULE)
    answered(ledger, made, text="一つ目", offered=("c1", "c2"))
    answered(ledger, made, answer_id="a_2", text="二つ目", rewritten="休暇の期限は?", offered=("c2",))
    answered(ledger, made, answer_id="a_3", conversation_id="c_2", text="別の会話")
    first, second = ledger.exchanges("c_1", principal=BEN, limit=5)
    assert (first.asked, first.question, first.answer, first.offered) == ("期限は?", "期限は?", "一つ目", ("c1", "c2"))
    assert (second.question, second.answer, second.offered) == ("休暇の期限は?", "二つ目", ("c2",))
    assert [e.answer for e in ledger.exchanges("c_1", principal=BEN, limit=1)] == ["二つ目"]


def test_a_question_whose_answer_was_broken_off_is_an_exchange_without_its_text(ledger: Ledger) -> None:
    answered(ledger, store(ledger, "a.md", RULE), text="一つ目")
    ledger.note_unfinished(Unfinished("u_1", "c_1", "病気のときは?", "ja", "当日の", ("c1",)), principal=BEN)
    told = ledger.exchanges("c_1", principal=BEN, limit=5)
    assert [(one.asked, one.answer, one.offered) for one in told[-1:]] == [("病気のときは?", "", ("c1",))]
    assert [one.asked for one in told] == ["期限は?", "病気のときは?"]
    assert ledger.exchanges("c_1", principal=DAN, limit=5) == []


def test_a_conversation_is_read_by_its_owner_alone(ledger: Ledger) -> None:
    answered(ledger, store(ledger, "a.md", RULE))
    assert ledger.exchanges("c_1", principal=DAN, limit=5) == []


def test_an_answer_whose_document_is_closed_by_now_comes_without_its_text(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "限定/報酬.md", RULE)
    answered(ledger, (document_id, chunk_id), text="三営業日前 [1]")
    ledger.set_document_groups(document_id, ["board"])
    (exchange,) = ledger.exchanges("c_1", principal=BEN, limit=5)
    assert (exchange.asked, exchange.answer) == ("期限は?", "")


def test_an_unchanged_document_is_current(ledger: Ledger) -> None:
    answered(ledger, store(ledger, "a.md", RULE))
    (cited,) = ledger.answer_validity("a_1", principal=BEN)
    assert (cited.state, cited.path, cited.is_quote_there) == (CitationState.CURRENT, "a.md", True)


def test_the_same_file_read_again_by_a_newer_pipeline_is_current(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "a.md", RULE)
    answered(ledger, (document_id, chunk_id))
    ledger.stage_version(
        document_id, version_id="v_newer", sha256="1", pipeline_id="q", language="ja", receipt={},
        parsed=ParsedDocument("規程", RULE, (), "x", "x"), chunks=[Chunk(0, RULE, 0, len(RULE), None, (), RULE)],
    )  # fmt: skip
    ledger.activate_versions([(document_id, "v_newer", DocumentStatus.INDEXED)])
    assert [cited.state for cited in ledger.answer_validity("a_1", principal=BEN)] == [CitationState.CURRENT]


def test_a_changed_document_is_named_and_says_whether_the_quotation_stands(ledger: Ledger) -> None:
    one, other = store(ledger, "a.md", RULE), store(ledger, "b.md", "別の規程。")
    answered(ledger, one, other)
    store(ledger, "a.md", "五営業日前までに申請する。", sha256="2", document_id=one[0])
    store(ledger, "b.md", "別の規程。追記した。", sha256="3", document_id=other[0])
    changed, added_to = ledger.answer_validity("a_1", principal=BEN)
    assert (changed.number, changed.state, changed.title, changed.is_quote_there) == (
        1,
        CitationState.CHANGED,
        "規程",
        False,
    )
    assert (added_to.state, added_to.path, added_to.is_quote_there) == (CitationState.CHANGED, "b.md", True)


def test_a_deleted_and_a_closed_document_look_alike(ledger: Ledger) -> None:
    deleted, closed = store(ledger, "a.md", RULE), store(ledger, "b.md", RULE)
    answered(ledger, deleted, closed)
    ledger.delete_documents([deleted[0]])
    ledger.set_document_groups(closed[0], ["board"])
    for cited in ledger.answer_validity("a_1", principal=BEN):
        assert (cited.state, cited.title, cited.path, cited.is_quote_there) == (CitationState.GONE, None, None, None)


def test_another_persons_answer_looks_as_if_there_were_none(ledger: Ledger) -> None:
    answered(ledger, store(ledger, "a.md", RULE))
    for answer_id, principal in (("a_1", CHIE), ("a_none", BEN)):
        with pytest.raises(NotFound):
            ledger.answer_validity(answer_id, principal=principal)
