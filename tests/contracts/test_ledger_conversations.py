"""Conversations, feedback, numbers of use, texts and repeated requests mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from assistant.adapters.ledger import Ledger
from assistant.errors import IdempotencyKeyReused, NotFound
from assistant.history import CitationState, Unfinished
from tests.api.canned import ANSWER
from tests.contracts.test_ledger import BEN, DAN, store
from tests.contracts.test_ledger_answers import answered

RULE = "三営業日前までに申請する。😀"


def test_a_conversation_is_listed_read_renamed_and_deleted_by_its_owner_alone(ledger: Ledger) -> None:
    made = store(ledger, "a.md", RULE)
    for number in range(3):
        answered(ledger, made, answer_id=f"a_{number}", text=f"答え {number} [1]")
    page, following = ledger.stored_answers("c_1", principal=BEN, limit=2)
    rest, end = ledger.stored_answers("c_1", principal=BEN, limit=2, cursor=following)
    assert [one.text for one in (*page, *rest)] == ["答え 0 [1]", "答え 1 [1]", "答え 2 [1]"]
    assert end is None
    assert [(c.state, c.quote, c.path) for c in page[0].citations] == [(CitationState.CURRENT, RULE, "a.md")]
    (listed,), none = ledger.list_conversations(principal=BEN)
    assert (listed.answers, none) == (3, None)
    assert ledger.list_conversations(principal=DAN) == ([], None)
    for forbidden in (
        lambda: ledger.rename_conversation("c_1", title="x", principal=DAN),
        lambda: ledger.delete_conversation("c_1", principal=DAN),
        lambda: ledger.stored_answers("c_1", principal=DAN),
        lambda: ledger.save_feedback("a_1", rating="up", reason=None, text=None, principal=DAN),
    ):
        with pytest.raises(NotFound):
            forbidden()
    assert ledger.rename_conversation("c_1", title="休暇", principal=BEN).title == "休暇"
    ledger.save_feedback("a_1", rating="up", reason=None, text=None, principal=BEN)
    ledger.delete_conversation("c_1", principal=BEN)
    assert ledger.list_conversations(principal=BEN) == ([], None)


def test_a_wish_to_be_told_is_kept_once_and_only_for_the_one_who_asked(ledger: Ledger) -> None:
    asked = replace(ANSWER, answer_id="a_1", citations=(), refused=True, rewritten="社宅の申し込み方は?")
    ledger.save_answer(asked, question="申し込み方は?", principal=BEN)
    wish = ledger.want_answer("a_1", principal=BEN)
    assert (wish.question, wish.language, wish.closed_at) == ("社宅の申し込み方は?", "ja", None)
    assert ledger.want_answer("a_1", principal=BEN) == wish
    assert ledger.wanted_answers(principal=BEN) == [wish]
    assert ledger.wanted_answers(principal=DAN) == []
    for forbidden in (
        lambda: ledger.want_answer("a_1", principal=DAN),
        lambda: ledger.forget_wanted(wish.wanted_id, principal=DAN),
    ):
        with pytest.raises(NotFound):
            forbidden()
    ledger.forget_wanted(wish.wanted_id, principal=BEN)
    assert ledger.wanted_answers(principal=BEN) == []
    ledger.want_answer("a_1", principal=BEN)
    ledger.delete_conversation(asked.conversation_id, principal=BEN)
    assert ledger.wanted_answers(principal=BEN) == []


def test_use_is_counted_by_day_with_ratings(ledger: Ledger) -> None:
    for number, refused in enumerate((False, True, True)):
        answer = replace(
            ANSWER, answer_id=f"a_{number}", citations=(), refused=refused, reason="nothing_found" if refused else None
        )
        ledger.save_answer(answer, question=f"問 {refused}", principal=BEN)
    ledger.save_feedback("a_0", rating="down", reason="wrong", text="違う", principal=BEN)
    (day,) = ledger.usage_by_day(since="2020-01-01")
    assert (day.questions, day.refused, day.askers, day.up, day.down) == (3, 2, 1, 0, 1)
    assert ledger.usage_by_day(since="2999-01-01") == []
    wanted = ledger.open_questions(since="2020-01-01", limit=5)
    assert [(q.question, q.reason, q.times) for q in wanted] == [
        ("問 True", "nothing_found", 2),
        ("問 False", "rated_down", 1),
    ]
    ((feedback, question),), following = ledger.list_feedback(rating="down")
    assert (feedback.text, question, following) == ("違う", "問 False", None)


def test_what_asks_nothing_is_no_open_question(ledger: Ledger) -> None:
    for number, reason in enumerate(("unreadable_question", "not_in_documents")):
        answer = replace(ANSWER, answer_id=f"a_{number}", citations=(), refused=True, reason=reason)
        ledger.save_answer(answer, question=f"問 {reason}", principal=BEN)
    assert [q.question for q in ledger.open_questions(since="2020-01-01", limit=5)] == ["問 not_in_documents"]
    due = ledger.due_questions(changed_at="2999-01-01", since="2020-01-01", limit=5)
    assert [q.question for q in due] == ["問 not_in_documents"]


def test_a_part_of_a_text_is_counted_in_characters(ledger: Ledger) -> None:
    document_id, _ = store(ledger, "a.md", RULE)
    part = ledger.document_text(document_id, principal=BEN, start=10, limit=4)
    assert (part.text, part.characters) == (RULE[10:14], len(RULE))
    ledger.set_document_groups(document_id, ["board"])
    with pytest.raises(NotFound):
        ledger.document_text(document_id, principal=BEN, start=0, limit=4)


def test_a_request_that_comes_twice_at_once_makes_one_job(ledger: Ledger) -> None:
    def ask(_: int) -> str:
        return ledger.create_job("run", folder="/f", requested_by="app:wiki", request_key="k").job_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(12)))) == 1
    with pytest.raises(IdempotencyKeyReused):
        ledger.create_job("run", folder="/other", requested_by="app:wiki", request_key="k")
    (job,) = ledger.list_jobs()
    ledger.drop_job(job.job_id)
    assert ask(0) != job.job_id


def test_an_unfinished_answer_is_shown_while_all_that_it_rests_on_may_be_read(ledger: Ledger) -> None:
    document_id, chunk_id = store(ledger, "a.md", RULE)
    note = Unfinished("u_1", "c_1", "期限は?", "ja", "三営業日", offered=(chunk_id,))
    ledger.note_unfinished(replace(note, text="", offered=()), principal=BEN)
    ledger.note_unfinished(note, principal=BEN)
    (kept,) = ledger.unfinished("c_1", principal=BEN)
    assert replace(kept, created_at="") == note
    assert ledger.unfinished("c_1", principal=DAN) == []
    ledger.set_document_groups(document_id, ["board"])
    (closed,) = ledger.unfinished("c_1", principal=BEN)
    assert closed.text is None
    ledger.save_answer(replace(ANSWER, conversation_id="c_1", citations=()), question="期限は?", principal=BEN)
    assert ledger.unfinished("c_1", principal=BEN) == []
    ledger.note_unfinished(replace(note, question="別の質問"), principal=BEN)
    assert ledger.get_conversation("c_1", principal=BEN).answers == 2
    ledger.delete_conversation("c_1", principal=BEN)
    assert ledger.list_conversations(principal=BEN) == ([], None)
