"""The one pipeline over fakes: its events, its refusals, and what happens when the model is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

import pytest

from assistant.adapters.fake import FakeEmbedder
from assistant.ask import Pipeline, ask
from assistant.domain import (
    Answer,
    AnswerMode,
    Cited,
    Event,
    Failed,
    Finished,
    Found,
    ModelEnd,
    ModelToken,
    Principal,
    Question,
    Rewritten,
    Token,
)
from assistant.errors import (
    AnswerAborted,
    AssistantError,
    ContextOverflow,
    Language,
    ModelMissing,
    ModelTimeout,
    ModelUnavailable,
    NotFound,
    StoreUnavailable,
    Text,
)
from assistant.history import Exchange
from tests.assistant.passages import passage
from tests.assistant.test_retrieve import AWAY, AwayLexical, AwayVectors, LedgerOfThree, indexes

BEN = Principal("ben")


class ScriptedModel:
    """Says what it is told to, or fails so."""

    name = "scripted"

    def __init__(
        self, *pieces: str, error: AssistantError | None = None, overflows: int = 0, num_ctx: int = 4096
    ) -> None:
        self.pieces = pieces
        self.error = error
        self.overflows = overflows
        self.num_ctx = num_ctx
        self.told: dict[str, float] = {}
        self.prompts: list[str] = []
        self.is_freed = False

    async def count_tokens(self, text: str) -> tuple[int, Literal["tokenizer", "estimate"]]:
        return len(text), "estimate"

    async def stream(
        self, prompt: str, *, num_predict: int, alternatives: int = 0
    ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
        self.prompts.append(prompt)
        told = self.told if alternatives else {}
        try:
            if self.overflows:
                self.overflows -= 1
                raise ContextOverflow(AWAY, AWAY)
            for piece in self.pieces:
                yield ModelToken(piece, told)
                await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
            yield ModelEnd(prompt_tokens=77, answer_tokens=5, truncated=False)
        finally:
            self.is_freed = True

    async def check(self) -> None:
        return None


def pipeline(model: ScriptedModel | None, **parts: object) -> Pipeline:
    return Pipeline(
        indexes=indexes(**parts),  # type: ignore[arg-type]
        model=model,
        release_id="r",
        num_predict=100,
        budget_tokens=3000,
        passages_limit=3,
    )


def events_of(
    text: str, line: Pipeline, *, conversation_id: str | None = None, language: Language = "ja"
) -> list[Event]:
    async def collect() -> list[Event]:
        question = Question(text, language, BEN, conversation_id=conversation_id)
        async with aclosing(ask(question, line)) as events:
            return [event async for event in events]

    return asyncio.run(collect())


def answer_of(text: str, line: Pipeline, *, conversation_id: str | None = None, language: Language = "ja") -> Answer:
    last = events_of(text, line, conversation_id=conversation_id, language=language)[-1]
    assert isinstance(last, Finished), last
    return last.answer


def test_passages_come_before_the_first_token_and_the_end_comes_once() -> None:
    events = events_of("有給休暇の申請", pipeline(ScriptedModel("3営業日前まで", "に申請する [1]。")))
    assert [type(event) for event in events] == [Found, Token, Token, Cited, Finished]


def test_the_models_own_count_replaces_the_estimate() -> None:
    context = answer_of("有給休暇の申請", pipeline(ScriptedModel("3営業日前まで [1]。"))).context
    assert (context.prompt_tokens, context.counted_by) == (77, "model")


@pytest.mark.parametrize(("said", "is_refused"), [("いいえ", True), ("No.", True), ("はい", False), ("たぶん", False)])
def test_a_model_that_is_asked_first_and_says_no_writes_no_answer(said: str, is_refused: bool) -> None:
    model = ScriptedModel(said)
    events = events_of("有給休暇の申請", replace(pipeline(model), asks_first=True))
    assert ("Write only yes or no." in model.prompts[0], len(model.prompts)) == (True, 1 if is_refused else 2)
    last = events[-1]
    assert isinstance(last, Finished)
    assert any(isinstance(event, Token) for event in events) is not is_refused
    assert last.answer.refused or not is_refused
    if is_refused:
        assert last.answer.reason == "not_in_documents"
        assert [notice.code for notice in last.answer.notices] == ["model_found_nothing"]


@pytest.mark.parametrize(("refuses_from", "is_refused"), [(0.39, True), (0.41, False)])
def test_a_release_says_from_which_doubt_a_question_is_refused_whatever_word_is_likelier(
    refuses_from: float, *, is_refused: bool
) -> None:
    model = ScriptedModel("はい")
    model.told = {"はい": 0.45, "い": 0.2, "いいえ": 0.1, "たぶん": 0.1}
    last = events_of(
        "有給休暇の申請", replace(pipeline(model), asks_first=True, refuses_from={"ja": refuses_from, "en": 1.0})
    )[-1]
    assert isinstance(last, Finished)
    assert last.answer.doubt == pytest.approx(0.4)
    assert ([notice.code for notice in last.answer.notices] == ["model_found_nothing"]) is is_refused
    assert len(model.prompts) == (1 if is_refused else 2)


def test_both_prompts_of_a_question_begin_alike_so_that_the_server_reads_once() -> None:
    model = ScriptedModel("はい")
    events_of("有給休暇の申請", replace(pipeline(model), asks_first=True))
    first, second = model.prompts
    assert first.index("質問:") == second.index("質問:")
    assert first[: first.index("質問:")] == second[: second.index("質問:")]


def test_the_fixed_sentence_is_a_refusal_with_the_nearest_passages() -> None:
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel("情報が不足しているため回答できません。")))
    assert (answer.refused, answer.reason) == (True, "not_in_documents")
    assert answer.passages
    assert answer.citations == ()


@pytest.mark.parametrize(
    "error",
    [
        ModelUnavailable(AWAY, AWAY),
        ModelTimeout(AWAY, AWAY),
        ModelMissing(AWAY, AWAY),
        AnswerAborted(AWAY, AWAY),
    ],
    ids=lambda error: error.code,
)
def test_a_model_that_fails_even_in_mid_answer_is_replaced_by_quotes_with_the_reason(error: AssistantError) -> None:
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel("3営業", error=error)))
    assert (answer.mode, answer.reason) == (AnswerMode.QUOTES, "model_unavailable")
    assert "3営業日前まで" in answer.text
    assert answer.notices[-1].code == error.code


def test_an_answer_of_marks_alone_is_replaced_by_quotes() -> None:
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel("[1]")))
    assert answer.mode is AnswerMode.QUOTES


def test_a_prompt_that_the_server_refuses_is_packed_smaller_once() -> None:
    model = ScriptedModel("3営業日前まで [1]。", overflows=1)
    assert answer_of("有給休暇の申請", pipeline(model)).mode is AnswerMode.GENERATED
    assert len(model.prompts) == 2
    assert len(model.prompts[1]) <= 1500


def test_a_prompt_that_is_refused_twice_is_an_error_and_never_cut() -> None:
    last = events_of("有給休暇の申請", pipeline(ScriptedModel("x", overflows=2)))[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, ContextOverflow)


def test_leaving_in_mid_answer_frees_the_model_at_once() -> None:
    model = ScriptedModel("a", "b", "c")

    async def leave() -> None:
        async with aclosing(ask(Question("有給休暇", "ja", BEN), pipeline(model))) as events:
            async for event in events:
                if isinstance(event, Token):
                    return

    asyncio.run(leave())
    assert model.is_freed


def test_nothing_found_is_a_refusal_and_the_model_is_not_asked() -> None:
    model = ScriptedModel("x")
    answer = answer_of("有給休暇", pipeline(model, readable=set()))
    assert (answer.refused, answer.reason) == (True, "nothing_found")
    assert model.prompts == []


@pytest.mark.parametrize("text", ["🎉", "???", "…"])
def test_a_question_without_letters_is_refused_as_unreadable(text: str) -> None:
    answer = answer_of(text, pipeline(ScriptedModel("x")))
    assert (answer.refused, answer.reason) == (True, "unreadable_question")


def test_a_refusal_while_files_are_being_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LedgerOfThree, "is_reading_files", lambda self: True)
    nothing = answer_of("有給休暇の申請", pipeline(ScriptedModel("x"), readable=set()))
    assert [notice.code for notice in nothing.notices] == ["documents_being_read"]
    unsaid = answer_of("有給休暇の申請", pipeline(ScriptedModel("情報が不足しているため回答できません。")))
    assert (unsaid.reason, unsaid.notices[-1].code) == ("not_in_documents", "documents_being_read")
    something = answer_of("有給休暇の申請", pipeline(ScriptedModel("3営業日前まで [1]。")))
    assert "documents_being_read" not in {notice.code for notice in something.notices}


def test_with_no_index_the_question_fails_with_the_store() -> None:
    (only,) = events_of("有給休暇", pipeline(None, vectors=AwayVectors(), lexical=AwayLexical()))
    assert isinstance(only, Failed)
    assert isinstance(only.error, StoreUnavailable)


def test_an_answer_that_cannot_be_stored_is_still_given_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable(AWAY, Text("ディスク", "disk"))

    monkeypatch.setattr(LedgerOfThree, "save_answer", save)
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel("3営業日前まで [1]。")))
    assert answer.notices[-1].code == "answer_not_saved"


def test_another_persons_conversation_looks_as_if_it_did_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LedgerOfThree, "owns_conversation", lambda *args, **kwargs: False)
    (only,) = events_of("有給休暇", pipeline(None), conversation_id="c_other")
    assert isinstance(only, Failed)
    assert isinstance(only.error, NotFound)


def test_without_a_model_the_answer_is_quoted_and_that_is_no_failure() -> None:
    answer = answer_of("有給休暇の申請", pipeline(None))
    assert (answer.mode, answer.reason, answer.model) == (AnswerMode.QUOTES, None, "quotes")
    assert answer.citations[0].quote in {passage.text for passage in answer.passages}


def test_the_embedder_of_the_fakes_is_the_one_that_their_generation_names() -> None:
    generation = LedgerOfThree(set()).active_generation()
    assert generation is not None
    assert generation.embedder_id == FakeEmbedder().embedder_id


BEFORE = Exchange(
    asked="有給休暇の申請はいつまでですか?",
    question="有給休暇の申請はいつまでですか?",
    answer="取得日の3営業日前までに申請します [1]。",
    language="ja",
    offered=("v:00001", "v:00002"),
)


@pytest.fixture
def in_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ben has asked about leave before."""
    monkeypatch.setattr(LedgerOfThree, "exchanges", lambda *args, **kwargs: [BEFORE])


@pytest.mark.usefixtures("in_conversation")
def test_a_follow_up_is_rewritten_searched_and_answered_as_rewritten() -> None:
    class TwoCalls(ScriptedModel):
        async def stream(
            self, prompt: str, *, num_predict: int, alternatives: int = 0
        ) -> AsyncGenerator[ModelToken | ModelEnd, None]:
            is_rewriting = "書き直した質問:" in prompt
            self.pieces = (
                ("VPNを使う場合、有給休暇の申請はいつまでですか?",)
                if is_rewriting
                else ("取得日の3営業日前まで [1]。",)
            )
            async for piece in super().stream(prompt, num_predict=num_predict):
                yield piece

    model = TwoCalls()
    events = events_of("ではVPNの場合は?", pipeline(model), conversation_id="c_1")
    assert isinstance(events[0], Rewritten)
    assert isinstance(events[1], Found)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.answer.rewritten == events[0].question == "VPNを使う場合、有給休暇の申請はいつまでですか?"
    assert model.prompts[1].endswith(f"質問: {events[0].question}")
    assert "follow_up_joined" not in [notice.code for notice in last.answer.notices]


@pytest.mark.usefixtures("in_conversation")
def test_without_a_model_a_follow_up_is_joined_and_that_is_said() -> None:
    answer = answer_of("病気の場合は?", pipeline(None), conversation_id="c_1")
    assert answer.rewritten is not None
    assert BEFORE.question in answer.rewritten
    assert [notice.code for notice in answer.notices] == ["follow_up_joined"]
    assert "3営業日前" in answer.text


@pytest.mark.usefixtures("in_conversation")
def test_the_next_prompt_begins_as_the_last_one_did_and_the_answer_keeps_its_passages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = [
        passage("経費は翌月5日までに精算する。", number=1),
        passage("有給休暇は取得日の3営業日前までに申請する。", number=2),
    ]
    found = [passage("代休は当月中に取る。", number=3), old[1]]

    def read(*args: object, **kwargs: object) -> list[object]:
        is_of_the_last_prompt = args[1] == [("v:00001", 0.0), ("v:00002", 0.0)]
        return list(old if is_of_the_last_prompt else found)

    monkeypatch.setattr(LedgerOfThree, "read_passages", read)
    model = ScriptedModel("有給休暇は取得日の3営業日前までに申請する [2]。")
    answer = answer_of("有給休暇の申請の締切はいつになりますか?", pipeline(model), conversation_id="c_1")
    assert answer.rewritten is None
    assert answer.offered == ("v:00001", "v:00002", "v:00003")
    assert [p.chunk_id for p in answer.passages] == ["v:00002", "v:00003", "v:00001"], "as found, then the others"
    assert answer.citations[0].chunk_id == "v:00002"


@pytest.mark.usefixtures("in_conversation")
def test_a_follow_up_about_another_year_is_not_held_to_the_year_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = replace(BEFORE, asked="2025年度の予算は?", question="2025年度の予算は?")
    monkeypatch.setattr(LedgerOfThree, "exchanges", lambda *args, **kwargs: [before])
    monkeypatch.setattr(LedgerOfThree, "read_passages", lambda *args, **kwargs: [passage("2026年度の予算は3億円。")])
    answer = answer_of("では2026年度の場合は?", pipeline(ScriptedModel("3億円です [1]。")), conversation_id="c_1")
    assert answer.rewritten is not None
    assert "2025年度" in answer.rewritten
    assert "asked_name_missing" not in [notice.code for notice in answer.notices]


def test_an_answer_that_no_passage_supports_is_a_refusal_with_the_nearest_passages() -> None:
    answer = answer_of("有給休暇の申請", pipeline(ScriptedModel("社員食堂の定食は650円です [1]。")))
    assert (answer.refused, answer.reason) == (True, "not_in_documents")
    assert "650" not in answer.text
    assert [notice.code for notice in answer.notices] == ["answer_without_source"]
    assert answer.passages


def test_an_answer_in_the_other_language_says_so() -> None:
    model = ScriptedModel("有給休暇は取得日の3営業日前までに申請する [1]。")
    codes = [notice.code for notice in answer_of("有給休暇 leave", pipeline(model), language="en").notices]
    assert codes == ["answer_in_other_language"]


def test_links_leave_neither_the_stream_nor_the_answer() -> None:
    model = ScriptedModel("取得日の3営業日前までに", "[申請](https://evil.ex", "ample/?q=1)", "する [1]。")
    events = events_of("有給休暇の申請", pipeline(model))
    shown = "".join(event.text for event in events if isinstance(event, Token))
    assert shown == "取得日の3営業日前までに申請する [1]。"
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.answer.text == shown
    assert "links_removed" in [notice.code for notice in last.answer.notices]
