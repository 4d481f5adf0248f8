"""A prompt that the server counts higher than we did, through the whole pipeline: packed smaller once, or an error that
names the window; never an answer from a prompt that lost its middle."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from assistant.answering import Draft, Writing, finish, generate
from assistant.domain import Answer, Principal, Question, SearchResult
from assistant.errors import ContextOverflow
from tests.assistant.passages import passage
from tests.contracts.chat_models import ollama_model
from tests.stubs.ollama.process import StubOllama

RULE = "年次有給休暇は、取得日の3営業日前までに所属長へ申請する。"
PASSAGES = (
    passage(RULE),
    *(passage("旅費は五営業日以内に精算する。" * 40, number=n, title="旅費規程") for n in (2, 3, 4)),
)


def answered(stub: StubOllama, *, num_ctx: int, budget_tokens: int) -> Answer:
    """The answer of a pipeline that believes in `budget_tokens` while the model has `num_ctx`."""
    model = ollama_model(stub.url, num_ctx=num_ctx)
    draft = Draft(Question("年次有給休暇は何営業日前までに申請しますか?", "ja", Principal("ben")), "r", started=0.0)
    draft.found(SearchResult(PASSAGES, (), 0.0))

    async def write() -> None:
        async with aclosing(generate(draft, model, Writing(budget_tokens=budget_tokens, num_predict=64))) as tokens:
            async for _ in tokens:
                pass

    asyncio.run(write())
    return asyncio.run(finish(draft))


def test_a_prompt_that_the_server_refuses_is_packed_smaller_and_what_was_left_out_is_counted(
    stub_ollama: StubOllama,
) -> None:
    answer = answered(stub_ollama, num_ctx=1000, budget_tokens=2500)
    sent = [request["body"] for request in stub_ollama.requests("/api/chat")]
    assert [(body["truncate"], body["shift"]) for body in sent] == [(False, False)] * 2
    first, second = (body["messages"][0]["content"] for body in sent)
    assert len(second) < len(first)
    assert second.count("</passage>") == answer.context.passages_used
    assert answer.context.passages_dropped == len(PASSAGES) - answer.context.passages_used > 0
    assert "3営業日前" in answer.text


def test_a_prompt_that_cannot_fit_is_an_error_with_the_window_and_no_answer(stub_ollama: StubOllama) -> None:
    with pytest.raises(ContextOverflow) as refused:
        answered(stub_ollama, num_ctx=200, budget_tokens=6000)
    assert "200" in refused.value.message.en
    assert "200" in refused.value.message.ja
    assert refused.value.hint.ja
    assert len(stub_ollama.requests("/api/chat")) == 2
