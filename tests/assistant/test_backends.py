"""Two models behind one pipeline: who gets which, and what happens when one of them is away."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace

import pytest

from assistant.adapters.breaker import Breaker, GuardedChatModel
from assistant.admission import Admission
from assistant.ask import Pipeline, ask
from assistant.backends import MOVED_CODE, SecondModel, bucket_of, key_of, order_of
from assistant.domain import Answer, AnswerMode, Finished, Found, Principal, Question, Queued, Token
from assistant.errors import AnswerAborted, AssistantError, ModelMissing, ModelTimeout, ModelUnavailable, Text
from assistant.line import Crowd
from tests.assistant.test_ask import BEFORE, BEN, ScriptedModel, answer_of, events_of, pipeline
from tests.assistant.test_retrieve import AWAY, LedgerOfThree

OLD_SAYS, NEW_SAYS = "3営業日前まで [1]。", "3営業日前までに申請する [1]。"
APP = Principal("portal", via="key")


class Named(ScriptedModel):
    """A scripted model with a name of its own."""

    def __init__(self, name: str, *pieces: str, error: AssistantError | None = None) -> None:
        super().__init__(*pieces, error=error)
        self.name = name


def two(old: ScriptedModel, new: ScriptedModel, *, share_percent: float = 0.0) -> Pipeline:
    """The usual pipeline with a second model."""
    return replace(pipeline(old), second=SecondModel(new, share_percent))


def asked_first(question: Question, *, share_percent: float, conversation_id: str = "c_1") -> str:
    """The model that a question goes to."""
    second = SecondModel(Named("new"), share_percent)
    return order_of(question, Named("old"), second, conversation_id=conversation_id)[0].model.name


def of_person(number: int) -> Question:
    """A question of one of many people."""
    return Question("有給休暇", "ja", Principal(f"user-{number}", via="proxy"))


def test_the_share_of_people_that_the_second_model_answers_is_the_one_that_was_set() -> None:
    for share_percent in (0.0, 10.0, 50.0, 100.0):
        moved = sum(asked_first(of_person(n), share_percent=share_percent) == "new" for n in range(5000))
        assert abs(moved / 50 - share_percent) < 1.5, share_percent


def test_a_larger_share_only_adds_people_and_nobody_goes_back_and_forth() -> None:
    moved = [{n for n in range(1000) if bucket_of(key_of(of_person(n), f"c_{n}")) < share} for share in (5, 20, 60)]
    assert moved[0] < moved[1] < moved[2]
    for conversation_id in ("c_1", "c_2", "c_3"):
        assert {
            n
            for n in range(1000)
            if asked_first(of_person(n), share_percent=20, conversation_id=conversation_id) == "new"
        } == moved[1]


def test_one_large_app_moves_by_conversations_and_each_of_them_stays() -> None:
    question = Question("有給休暇", "ja", APP)
    first = [asked_first(question, share_percent=30, conversation_id=f"c_{n}") for n in range(2000)]
    again = [asked_first(replace(question, text="x"), share_percent=30, conversation_id=f"c_{n}") for n in range(2000)]
    assert first == again
    assert abs(first.count("new") / 20 - 30) < 3


def test_a_conversation_that_the_caller_keeps_is_known_by_its_first_words() -> None:
    asked = [Question(str(n), "ja", APP, talk_key="有給休暇の申請期限は?") for n in range(50)]
    models = {asked_first(q, share_percent=50, conversation_id=f"c_{n}") for n, q in enumerate(asked)}
    assert len(models) == 1


def test_the_conversation_that_decides_is_the_one_that_the_answer_names() -> None:
    line = two(Named("old", OLD_SAYS), Named("new", NEW_SAYS), share_percent=50)

    async def answered(question: Question) -> Answer:
        async with aclosing(ask(question, line)) as events:
            last = [event async for event in events][-1]
        assert isinstance(last, Finished)
        return last.answer

    for _ in range(12):
        begun = asyncio.run(answered(Question("有給休暇の申請", "ja", APP)))
        question = Question("出張旅費の精算", "ja", APP, conversation_id=begun.conversation_id)
        assert asyncio.run(answered(question)).model == begun.model


@pytest.mark.parametrize("share_percent", [0.0, 100.0])
def test_an_answer_names_the_model_that_wrote_it(share_percent: float) -> None:
    answer = answer_of(
        "有給休暇の申請", two(Named("old", OLD_SAYS), Named("new", NEW_SAYS), share_percent=share_percent)
    )
    assert answer.model == ("new" if share_percent else "old")
    assert answer.notices == ()


@pytest.mark.parametrize(
    "error",
    [ModelUnavailable(AWAY, AWAY), ModelTimeout(AWAY, AWAY), ModelMissing(AWAY, AWAY), AnswerAborted(AWAY, AWAY)],
    ids=lambda error: error.code,
)
@pytest.mark.parametrize("share_percent", [0.0, 100.0])
def test_a_model_that_does_not_begin_is_replaced_by_the_other_one_and_that_is_said(
    error: AssistantError, share_percent: float
) -> None:
    away, there = Named("away", error=error), Named("there", NEW_SAYS)
    old, new = (there, away) if share_percent else (away, there)
    answer = answer_of("有給休暇の申請", two(old, new, share_percent=share_percent))

    assert (answer.mode, answer.model, answer.reason) == (AnswerMode.GENERATED, "there", None)
    assert answer.text == NEW_SAYS
    (notice,) = answer.notices
    assert notice.code == MOVED_CODE
    assert "there" in notice.message_ja
    assert AWAY.ja in notice.message_ja
    assert AWAY.en in notice.message_en


def test_a_model_that_breaks_off_is_not_continued_by_another() -> None:
    new = Named("new", NEW_SAYS)
    events = events_of("有給休暇の申請", two(Named("old", "3営業日前", error=AnswerAborted(AWAY, AWAY)), new))
    assert "".join(event.text for event in events if isinstance(event, Token)) == "3営業日前"
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.answer.mode is AnswerMode.QUOTES
    assert new.prompts == []


def test_with_both_models_away_the_answer_is_quoted_and_both_reasons_are_given() -> None:
    old = Named("old", error=ModelUnavailable(Text("古い方が止まっています。", "The old one is away."), AWAY))
    new = Named("new", error=ModelMissing(Text("新しい方がありません。", "The new one is missing."), AWAY))
    answer = answer_of("有給休暇の申請", two(old, new))
    assert (answer.mode, answer.reason) == (AnswerMode.QUOTES, "model_unavailable")
    assert [notice.code for notice in answer.notices] == [MOVED_CODE, "model_missing"]
    assert "古い方" in answer.notices[0].message_ja
    assert "新しい方" in answer.notices[1].message_ja


def resting(model: ScriptedModel, *, pause_seconds: float = 60.0) -> GuardedChatModel:
    """The model behind a breaker that has just opened."""
    guarded = GuardedChatModel(model, Breaker("model", failures=1, pause_seconds=pause_seconds))
    with guarded.breaker.call() as call:
        assert call is not None
        call.failed(ModelUnavailable(AWAY, AWAY))
    return guarded


def test_a_model_that_rests_is_not_waited_for_and_gets_its_questions_back_when_it_answers() -> None:
    old = Named("old", OLD_SAYS)
    guarded = resting(old, pause_seconds=0.3)
    line = replace(two(old, Named("new", NEW_SAYS)), model=guarded)
    meanwhile = answer_of("有給休暇の申請", line)
    assert (meanwhile.model, [notice.code for notice in meanwhile.notices]) == ("new", [MOVED_CODE])
    assert old.prompts == []
    time.sleep(0.35)
    afterwards = answer_of("有給休暇の申請", line)
    assert (afterwards.model, afterwards.notices) == ("old", ())
    assert guarded.breaker.state == "closed"


def test_a_follow_up_is_rewritten_by_the_model_that_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LedgerOfThree, "exchanges", lambda *args, **kwargs: [BEFORE])
    new = Named("new", NEW_SAYS)
    line = replace(two(Named("old"), new), model=resting(Named("old")))
    assert answer_of("ではVPNの場合は?", line, conversation_id="c_1").model == "new"
    assert "書き直した質問:" in new.prompts[0]


def test_whoever_moves_stands_in_the_other_models_line_and_frees_the_first() -> None:
    admission = Admission(parallel=1, second_parallel=1, queue_limit=4)
    line = two(Named("old", error=ModelUnavailable(AWAY, AWAY)), Named("new", NEW_SAYS))
    active: list[tuple[int, int]] = []

    async def collect() -> list[object]:
        with admission.turn("aiko", Crowd.PEOPLE) as held, admission.turn("ben", Crowd.PEOPLE) as turn:
            held.line_up(1)
            asyncio.get_running_loop().call_later(0.2, held.leave)
            async with aclosing(ask(Question("有給休暇の申請", "ja", BEN), line, turn)) as events:
                seen: list[object] = []
                async for event in events:
                    seen.append(event)
                    if isinstance(event, Queued):
                        active.append((admission.lines[0].active, admission.lines[1].waiting))
                return seen

    events = asyncio.run(collect())
    assert [type(event) for event in events[:2]] == [Found, Queued]
    assert active[0] == (0, 1)
    assert isinstance(events[-1], Finished)
    assert events[-1].answer.model == "new"
    assert events[-1].answer.timings.queue_seconds >= 0.15
    assert (admission.active, admission.waiting, admission.present) == (0, 0, 0)
