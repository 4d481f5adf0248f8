"""What one asker notes of an answer, whatever the API does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from assistant.errors import Text
from assistant.load import Course, ask_once, measure
from assistant.release.load_steps import Sample, Step

Answering = Callable[[httpx.Request], httpx.Response]


def events(*pairs: tuple[str, object]) -> httpx.Response:
    body = ": beat\n\n" + "".join(f"id: 1\nevent: {name}\ndata: {json.dumps(data)}\n\n" for name, data in pairs)
    return httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})


def noted(answer: Answering) -> Sample:
    async def once() -> Sample:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(base_url="http://api", transport=transport) as client:
            return await ask_once(client, "有給休暇は?", {"X-Forwarded-User": "measuring-00"})

    return asyncio.run(once())


def test_an_answer_is_noted_with_its_pieces_and_its_wait() -> None:
    finished = {"mode": "generated", "reason": None, "timings": {"queue_seconds": 1.5}}
    seen = noted(lambda _: events(("queued", {}), *[("token", {"text": "あ"})] * 4, ("finished", finished)))
    assert (seen.end, seen.pieces, seen.wait_seconds) == ("answered", 3, 1.5)
    assert seen.first_token_seconds is not None
    assert seen.first_token_seconds <= seen.total_seconds


def test_an_answer_in_quotes_is_noted_as_such() -> None:
    seen = noted(lambda _: events(("finished", {"mode": "quotes", "reason": "model_unavailable", "timings": None})))
    assert (seen.end, seen.code) == ("quotes", "model_unavailable")


@pytest.mark.parametrize(
    ("answer", "end", "code"),
    [
        (lambda _: httpx.Response(429, headers={"Retry-After": "0"}), "turned_away", "429"),
        (lambda _: httpx.Response(503), "failed", "503"),
        (lambda _: events(("token", {"text": "a"}), ("error", {"code": "answer_aborted"})), "failed", "answer_aborted"),
        (lambda _: events(("token", {"text": "a"})), "failed", "no_end"),
    ],
)
def test_what_is_no_answer_is_noted_with_its_reason(answer: Answering, end: str, code: str) -> None:
    seen = noted(answer)
    assert (seen.end, seen.code) == (end, code)


def test_an_api_that_is_away_is_noted_and_larger_steps_are_left_out_with_a_word() -> None:
    said: list[Text] = []
    done: list[Step] = []
    course = Course("http://127.0.0.1:9", ["a"], users=[1, 2], each_step=3)
    steps = asyncio.run(measure(course, lambda _: {}, say=said.append, done=done.append))
    assert [step.users for step in steps] == [1]
    assert done == steps
    assert [sample.code for sample in steps[0].samples] == ["ConnectError"] * 3
    assert "2 users" in said[0].en
