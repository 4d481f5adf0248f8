"""POST /ask as an event stream: order, numbers, heartbeats in silence, hang-up, one end whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx
import pytest

from assistant import domain
from assistant.errors import ModelUnavailable, StoreUnavailable, Text
from assistant.wire import AnswerOut, CitedOut, FoundOut, Problem, TokenOut
from tests.api.canned import FOREVER, FOUND, FREED_SECONDS, GOOD_COURSE, RunningServer, asking
from tests.api.conftest import StartServer

SENTENCE = Text(ja="モデルがいません。", en="The model is away.")
AWAY = ModelUnavailable(SENTENCE, SENTENCE)
TERMINAL = {"finished", "error"}


def test_a_stream_gives_the_contracts_events_in_order_with_numbers(server: RunningServer) -> None:
    with server.client() as client, asking(client) as stream:
        events = stream.rest()
    assert stream.response.status_code == 200
    assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.response.headers["cache-control"] == "no-cache"
    assert stream.response.headers["x-accel-buffering"] == "no"
    assert [event.name for event in events] == ["found", "token", "token", "cited", "finished"]
    assert [event.number for event in events] == [1, 2, 3, 4, 5]
    shapes = (FoundOut, TokenOut, TokenOut, CitedOut, AnswerOut)
    for shape, event in zip(shapes, events, strict=True):
        shape.model_validate(event.data)
    assert events[-1].data["request_id"] == stream.response.headers["x-request-id"]


def test_a_follow_up_says_how_it_was_understood_before_anything_is_found(start_server: StartServer) -> None:
    course = (domain.Rewritten("病気の場合、有給休暇の期限は?"), *GOOD_COURSE)
    server = start_server(course=course)
    with server.client() as client, asking(client, "では病気の場合は?") as stream:
        events = stream.rest()
    assert [event.name for event in events] == ["rewritten", "found", "token", "token", "cited", "finished"]
    assert events[0].data == {"question": "病気の場合、有給休暇の期限は?"}


def test_the_finished_event_is_the_json_answer(server: RunningServer) -> None:
    with server.client(**{"X-Request-Id": "same"}) as client:
        with asking(client) as stream:
            streamed = stream.rest()[-1].data
        answered = client.post("/ask", json={"question": "有給休暇の期限は?"}).json()
    for answer in (streamed, answered):
        del answer["timings"]
    assert streamed == answered


def test_a_stream_that_the_accept_header_refuses_is_not_sent(server: RunningServer) -> None:
    with server.client(Accept="text/event-stream;q=0, application/json") as client:
        answered = client.post("/ask", json={"question": "有給休暇の期限は?"})
    assert answered.headers["content-type"] == "application/json"


def test_the_accept_header_alone_asks_for_a_stream(server: RunningServer) -> None:
    with server.client(Accept="text/event-stream") as client:
        response = client.post("/ask", json={"question": "leave"})
    assert response.headers["content-type"].startswith("text/event-stream")


def test_every_token_is_sent_when_it_is_written(start_server: StartServer) -> None:
    course = (FOUND, 0.3, domain.Token("a"), 0.3, domain.Token("b"), 0.3, GOOD_COURSE[-1])
    server = start_server(course=course)
    with server.client() as client, asking(client) as stream:
        started = time.perf_counter()
        arrived = [event.at - started for event in stream.rest()]
    assert len(arrived) == 4
    assert arrived[-1] - arrived[0] > 0.3, "what is kept back until the end arrives all at once"


def test_a_small_event_does_not_wait_for_the_receipt_of_the_one_before(server: RunningServer) -> None:
    assert server.sends_at_once


def test_silence_is_filled_with_heartbeats_every_second(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 3.3, *GOOD_COURSE[1:]))
    with server.client() as client, asking(client) as stream:
        events = stream.rest()
    assert [event.name for event in events][:5] == ["found", ":", ":", ":", "token"]
    assert events[3].at - events[0].at > 2.0
    assert [event.number for event in events if event.number] == [1, 2, 3, 4, 5]


def test_a_store_that_keeps_silent_is_covered_by_heartbeats_too(start_server: StartServer) -> None:
    server = start_server(course=(2.5, *GOOD_COURSE), connect_timeout_seconds=0.001)
    with server.client() as client, asking(client) as stream:
        names = [event.name for event in stream.rest()]
    assert names[0] == ":"
    assert names[-1] == "finished"


@pytest.mark.parametrize("wait_seconds", [0.3, 1.6], ids=["before a heartbeat", "between heartbeats"])
def test_a_caller_who_leaves_a_silent_stream_frees_the_model(start_server: StartServer, wait_seconds: float) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1)

    def leave(client: httpx.Client) -> float:
        with asking(client) as stream:
            assert stream.next().name == "found"
            time.sleep(wait_seconds)
            return time.perf_counter()

    assert freed_seconds(server, leave) <= FREED_SECONDS
    edge = server.app.state.edge
    assert edge.admission.active == 0
    assert edge.metrics.streams_active._value.get() == 0
    assert edge.metrics.hang_ups._value.get() == 3


def test_a_caller_who_leaves_between_tokens_frees_the_model(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, *[domain.Token("語"), 0.02] * 2000))

    def leave(client: httpx.Client) -> float:
        with asking(client) as stream:
            for _ in range(10):
                stream.next()
            return time.perf_counter()

    assert freed_seconds(server, leave) <= FREED_SECONDS


def test_a_caller_who_leaves_before_the_first_event_frees_the_model(start_server: StartServer) -> None:
    server = start_server(course=(FOREVER,))

    def leave(client: httpx.Client) -> float:
        try:
            client.post("/ask", json={"question": "leave", "stream": True}, timeout=0.5)
        except httpx.ReadTimeout:
            return time.perf_counter() - 0.01  # httpx hangs up a moment before it raises
        raise AssertionError("no response was due")

    assert freed_seconds(server, leave) <= FREED_SECONDS


def freed_seconds(server: RunningServer, leave: Callable[[httpx.Client], float]) -> float:
    """The best of three: seconds from the moment that `leave` gives back to the closing of ask()."""
    seen = []
    for count in (1, 2, 3):
        with server.client() as client:
            left_at = leave(client)
            seen.append(server.assistant.wait_closed(count=count) - left_at)
    assert min(seen) > -0.01
    return min(seen)


def test_a_reader_who_stops_reading_makes_the_model_wait(start_server: StartServer) -> None:
    course = (FOUND, *[domain.Token("語" * 20_000)] * 2_000, GOOD_COURSE[-1])  # 120 MB
    server = start_server(course=course)

    def leave(client: httpx.Client) -> float:
        closed = len(server.assistant.closed_at)
        with asking(client) as stream:
            stream.next()
            time.sleep(0.7)
            assert len(server.assistant.closed_at) == closed
            return time.perf_counter()

    assert freed_seconds(server, leave) <= FREED_SECONDS


@pytest.mark.parametrize("error", [StoreUnavailable(SENTENCE, SENTENCE), AWAY])
@pytest.mark.parametrize("is_raised", [True, False])
def test_an_error_before_any_event_has_its_own_status(
    start_server: StartServer, error: domain.AssistantError, is_raised: bool
) -> None:
    server = start_server(course=(error if is_raised else domain.Failed(error),))
    with server.client() as client, asking(client) as stream:
        problem = stream.response
        problem.read()
    assert problem.status_code == 503
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == error.code


@pytest.mark.parametrize("ending", [domain.Failed(AWAY), AWAY], ids=["failed", "raised"])
def test_an_error_in_mid_stream_ends_it_with_one_error_event(start_server: StartServer, ending: object) -> None:
    server = start_server(course=(FOUND, domain.Token("取得"), ending, *GOOD_COURSE))
    with server.client(**{"Accept-Language": "ja"}) as client, asking(client) as stream:
        events = stream.rest()
    assert [event.name for event in events] == ["found", "token", "error"]
    problem = Problem.model_validate(events[-1].data)
    assert (problem.code, problem.status, problem.detail, problem.retryable) == (
        "model_unavailable",
        503,
        "モデルがいません。",
        True,
    )
    assert problem.request_id == stream.response.headers["x-request-id"]


@pytest.mark.parametrize("ending", [(ZeroDivisionError("secret words"),), ()], ids=["raised", "no end event"])
def test_an_unforeseen_end_still_gives_one_error_event(start_server: StartServer, ending: tuple[object, ...]) -> None:
    server = start_server(course=(FOUND, domain.Token("取得"), *ending))
    with server.client() as client, asking(client) as stream:
        events = stream.rest()
    assert [event.name for event in events] == ["found", "token", "error"]
    assert events[-1].data["code"] == "internal_error"
    assert "secret words" not in server.log_text
    assert any(line["event"] == "a question ended without an end event" for line in server.log(count=2))


def test_nothing_follows_the_end_event(start_server: StartServer) -> None:
    server = start_server(course=(*GOOD_COURSE, domain.Token("more"), GOOD_COURSE[-1]))
    with server.client() as client, asking(client) as stream:
        names = [event.name for event in stream.rest()]
    assert [name for name in names if name in TERMINAL] == ["finished"]
    assert names[-1] == "finished"


@pytest.mark.parametrize("course", [(FOUND, FOREVER), (FOUND, *[domain.Token("語"), 0.01] * 1000)])
def test_stopping_the_server_ends_open_streams_with_shutting_down(
    start_server: StartServer, course: tuple[object, ...]
) -> None:
    server = start_server(course=course)
    with server.client() as client, asking(client) as stream:
        events = [stream.next()]
        server.begin_stop()
        events += stream.rest()
    assert [event.name for event in events if event.name in TERMINAL] == ["error"]
    assert events[-1].data["code"] == "shutting_down"
    assert events[-1].data["retryable"] is True
    assert events[-1].at - events[0].at < 2.0
    assert len(server.assistant.closed_at) == 1


def test_a_server_that_stops_lets_a_running_answer_finish(start_server: StartServer) -> None:
    gate = threading.Event()
    server = start_server(course=(FOUND, gate, *GOOD_COURSE[1:]), queue={"drain_seconds": 60.0})
    with server.client() as client, asking(client) as stream:
        assert stream.next().name == "found"
        server.begin_stop()
        edge = server.app.state.edge
        while not edge.refuses:
            time.sleep(0.01)
        with server.client() as other:
            refused = other.post("/ask", json={"question": "leave"})
        assert (refused.status_code, refused.json()["code"]) == (503, "shutting_down")
        assert refused.headers["connection"] == "close"
        gate.set()
        names = [event.name for event in stream.rest() if event.number]
    assert names == ["token", "token", "cited", "finished"]
