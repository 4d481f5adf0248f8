"""A model that writes what no answer should hold: thoughts, marks of other scripts, more tokens than its window has."""

from __future__ import annotations

import pytest

from assistant.domain import AnswerMode, Finished, Token
from assistant.history import Exchange
from tests.assistant.test_ask import BEFORE, ScriptedModel, answer_of, events_of, pipeline
from tests.assistant.test_retrieve import LedgerOfThree


def test_a_models_thoughts_leave_neither_the_stream_nor_the_answer() -> None:
    events = events_of(
        "有給休暇の申請",
        pipeline(
            ScriptedModel(
                "<thi", "nk>情報が不足しているため回答できません [2]?</th", "ink>\n3営業日前までに申請する [1]。"
            )
        ),
    )
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.answer.text == "3営業日前までに申請する [1]。"
    assert "".join(event.text for event in events if isinstance(event, Token)) == last.answer.text


@pytest.mark.parametrize("pieces", [("<think>まだ考え中です",), ("考えた。</think>",)])
def test_thoughts_alone_are_no_answer_and_quotes_take_their_place(pieces: tuple[str, ...]) -> None:
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel(*pieces)))
    assert (answer.mode, answer.reason) == (AnswerMode.QUOTES, "model_unavailable")


def test_thoughts_whose_opening_tag_stood_in_the_prompt_are_taken_back() -> None:
    answer = answer_of(
        "有給休暇の申請", pipeline(ScriptedModel("資料 [2] を", "見る。</think>", "3営業日前までに申請する [1]。"))
    )
    assert answer.text == "3営業日前までに申請する [1]。"


def test_a_window_that_the_server_found_full_is_said() -> None:
    model = ScriptedModel("3営業日前までに申請する [1]。", num_ctx=77)
    assert "prompt_may_be_cut" in [notice.code for notice in answer_of("有給休暇の申請", pipeline(model)).notices]


def test_marks_in_the_digits_of_another_script_break_nothing() -> None:
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel("3営業日前までに申請する [٩٩][١]。")))
    assert answer.text == "3営業日前までに申請する [1]。"


def test_a_question_asked_again_after_it_was_broken_off_does_not_lean_on_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken_off = Exchange(asked="では病気の場合は?", question="では病気の場合は?", answer="", language="ja")
    monkeypatch.setattr(LedgerOfThree, "exchanges", lambda *args, **kwargs: [BEFORE, broken_off])
    answer = answer_of(broken_off.asked, pipeline(None), conversation_id="c_1")
    assert answer.rewritten == f"{broken_off.asked} (前の質問: {BEFORE.question})"
