"""/v1: an OpenAI SDK works by base_url and key alone; answers carry their sources; errors have OpenAI's shape."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openai
import pytest

from api.openai_text import StreamedText
from assistant import domain
from assistant.adapters.ledger import Ledger
from assistant.errors import ModelUnavailable, StoreUnavailable, Text
from tests.api.canned import ANSWER, CITATION, FOREVER, FOUND, FREED_SECONDS, PASSAGE, RunningServer
from tests.api.conftest import StartServer

SENTENCE = Text(ja="モデルがいません。", en="The model is away.")
SOURCES = "\n\n出典:\n[1] 休暇規程 (人事/休暇規程.txt 3ページ)"


@pytest.fixture
def key(ledger: Ledger) -> str:
    """An app's key."""
    return ledger.create_key("wiki")


def sdk(server: RunningServer, key: str, **options: Any) -> openai.OpenAI:
    """OpenAI's own client."""
    return openai.OpenAI(base_url=server.url + "/v1", api_key=key, max_retries=0, timeout=10, **options)


@pytest.fixture
def client(server: RunningServer, key: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client of the usual server."""
    with sdk(server, key) as opened:
        yield opened


def complete(client: openai.OpenAI, text: str = "有給休暇の期限は?", **more: Any) -> Any:
    """One chat completion with an older turn before the question."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "earlier"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": text},
    ]
    return client.chat.completions.create(model="company-assistant", messages=messages, temperature=0.7, **more)


def test_the_sdk_finds_the_model(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["company-assistant"]


def test_the_last_user_message_is_answered_with_sources(server: RunningServer, client: openai.OpenAI) -> None:
    completion = complete(client)
    assert completion.choices[0].message.content == ANSWER.text + SOURCES
    assert completion.choices[0].finish_reason == "stop"
    assert completion.citations[0]["quote"] == CITATION.quote
    assert completion.request_id
    assert server.assistant.questions[0].text == "有給休暇の期限は?"
    assert server.assistant.questions[0].principal.name == "app:wiki"


def test_what_the_client_tells_of_its_conversation_reaches_the_pipeline(
    server: RunningServer, client: openai.OpenAI
) -> None:
    messages = [
        {"role": "system", "content": "x"},
        {"role": "user", "content": "経費の締切は?"},
        {"role": "assistant", "content": "翌月5日です [1]。"},
        {"role": "user", "content": "有給休暇の期限は?"},
        {"role": "assistant", "content": "3営業日前です [1]。"},
        {"role": "user", "content": "では病気の場合は?"},
    ]
    client.chat.completions.create(model="company-assistant", messages=messages)
    (question,) = server.assistant.questions
    assert question.text == "では病気の場合は?"
    assert [(e.asked, e.answer, e.offered) for e in question.earlier] == [
        ("経費の締切は?", "翌月5日です [1]。", ()),
        ("有給休暇の期限は?", "3営業日前です [1]。", ()),
    ]


def test_tokens_are_told_as_the_model_counted_them(start_server: StartServer, key: str) -> None:
    counted = replace(ANSWER, context=replace(ANSWER.context, answer_tokens=24))
    server = start_server(course=(FOUND, domain.Token(ANSWER.text), domain.Finished(counted)))
    with sdk(server, key) as client:
        usage = complete(client).usage
        chunks = list(complete(client, stream=True, stream_options={"include_usage": True}))
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (900, 24, 924)
    assert chunks[-1].choices == []
    assert chunks[-1].usage == usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_sources_under_the_text_can_be_left_out(client: openai.OpenAI) -> None:
    assert complete(client, extra_body={"sources": False}).choices[0].message.content == ANSWER.text


def test_a_question_in_parts_is_read(server: RunningServer, client: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "休暇の"}, {"type": "text", "text": "期限は?"}]
    client.chat.completions.create(model="company-assistant", messages=[{"role": "user", "content": parts}])
    assert server.assistant.questions[0].text == "休暇の\n期限は?"


def test_the_sdk_reads_the_stream_with_sources_and_citations(client: openai.OpenAI) -> None:
    chunks = list(complete(client, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == ANSWER.text + SOURCES
    assert [chunk.choices[0].finish_reason for chunk in chunks][-2:] == [None, "stop"]
    assert chunks[-1].citations[0]["number"] == 1
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_stream_ends_with_done_and_breathes_in_silence(start_server: StartServer, key: str) -> None:
    server = start_server(course=(FOUND, 1.3, domain.Finished(ANSWER)))
    body = {"model": "company-assistant", "messages": [{"role": "user", "content": "休暇"}], "stream": True}
    with server.client(user=None, Authorization=f"Bearer {key}") as client:
        response = client.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    frames = response.text.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    assert ": hb" in frames
    assert all(json.loads(f.removeprefix("data: "))["object"] == "chat.completion.chunk" for f in frames[:1])


def test_marks_to_passages_that_were_never_found_are_not_streamed(start_server: StartServer, key: str) -> None:
    tokens = [domain.Token(t) for t in ("申請し", "ます", "[", "7", "]", "【1", "】", "。[注", "]")]
    answer = replace(ANSWER, text="申請します [1]。[注]")
    server = start_server(course=(FOUND, *tokens, domain.Finished(answer)))
    with sdk(server, key) as client:
        chunks = list(complete(client, stream=True, extra_body={"sources": False}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "申請します[1]。[注]"


def test_a_mark_that_did_not_hold_is_corrected_at_the_end_of_the_stream(start_server: StartServer, key: str) -> None:
    moved = replace(ANSWER, text="取得日の3営業日前までに申請します [1]。")
    course = (
        replace(FOUND, passages=(PASSAGE, PASSAGE)),
        domain.Token("取得日の3営業日前までに申請します [2]。"),
        domain.Finished(moved),
    )
    with sdk(start_server(course=course), key) as client:
        chunks = list(complete(client, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "確認後の回答:\n取得日の3営業日前までに申請します [1]。" in text


def test_an_answer_that_changed_after_checking_is_said_again(start_server: StartServer, key: str) -> None:
    quotes = replace(ANSWER, text=f"{PASSAGE.text} [1]", mode=domain.AnswerMode.QUOTES)
    server = start_server(course=(FOUND, domain.Token("取得日の"), domain.Finished(quotes)))
    with sdk(server, key) as client:
        chunks = list(complete(client, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == f"取得日の\n\n確認後の回答:\n{PASSAGE.text} [1]{SOURCES}"


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["a [1]", " b"], ["a [1]", " b"]),
        (["a [", "1", "] b"], ["a ", "", "[1] b"]),
        (["x [2, 1; 9]"], ["x [2][1]"]),
        (["［３］ 〔出典 2〕"], ["[3] [2]"]),
        (["[passages 1, passages 2,", " passages 3,", " passages 1]"], ["", "", "[1][2][3]"]),
        (["arr[i] and [see below]"], ["arr[i] and [see below]"]),
        (["open [ and then a text that never closes it" + " and goes on" * 5, " at all"], None),
        (["[[1]]"], None),
    ],
)
def test_brackets_are_held_back_only_until_they_are_plain(pieces: list[str], said: list[str] | None) -> None:
    text = StreamedText()
    text.passage_count = 3
    sent = [text.add(piece) for piece in pieces]
    if said is None:
        whole = "".join(pieces)
        assert "".join(sent) + text.finish(replace(ANSWER, text=whole)) == whole
    else:
        assert sent == said


def test_errors_have_the_types_that_the_sdk_raises(start_server: StartServer, server: RunningServer, key: str) -> None:
    with sdk(server, "ca_wrong") as client, pytest.raises(openai.AuthenticationError) as unknown:
        client.models.list()
    assert unknown.value.code == "not_authenticated"
    with sdk(server, key) as client:
        with pytest.raises(openai.UnprocessableEntityError) as empty:
            complete(client, " ")
        assert (empty.value.code, empty.value.param) == ("question_error", "messages")
        with pytest.raises(openai.UnprocessableEntityError):
            client.chat.completions.create(model="company-assistant", messages=[])
        with pytest.raises(openai.NotFoundError) as other:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "a"}])
        assert other.value.code == "model_unknown"
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="company-assistant", input="a")
    full = start_server(course=(FOUND, FOREVER), model_parallel=1, queue_limit=0)
    with sdk(full, key) as client, complete(client, stream=True), pytest.raises(openai.RateLimitError) as busy:
        complete(client)
    assert busy.value.response.headers["retry-after"] == "10"
    away = start_server(course=(StoreUnavailable(SENTENCE, SENTENCE),))
    with sdk(away, key) as client, pytest.raises(openai.InternalServerError) as lost:
        complete(client, stream=True)
    assert lost.value.status_code == 503


def test_an_error_in_mid_stream_is_raised_by_the_sdk(start_server: StartServer, key: str) -> None:
    failed = domain.Failed(ModelUnavailable(SENTENCE, SENTENCE))
    server = start_server(course=(FOUND, domain.Token("取得"), failed))
    with sdk(server, key) as client, pytest.raises(openai.APIError) as lost:
        list(complete(client, stream=True))
    assert "モデルがいません。" in lost.value.message


def test_an_sdk_that_closes_its_stream_frees_the_model(start_server: StartServer, key: str) -> None:
    server = start_server(course=(FOUND, domain.Token("取得"), FOREVER))
    freed_after = []
    with sdk(server, key) as client:
        for count in (1, 2, 3):
            stream = complete(client, stream=True)
            chunks = iter(stream)
            assert [next(chunks).choices[0].delta.content for _ in range(2)] == ["", "取得"]
            left_at = time.perf_counter()
            stream.close()
            freed_after.append(server.assistant.wait_closed(count=count) - left_at)
    assert 0 <= min(freed_after) <= FREED_SECONDS
