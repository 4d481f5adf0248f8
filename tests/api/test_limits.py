"""Admission: so many at once, first come first served, a bounded queue, honest waits, places that come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from assistant import domain
from tests.api.canned import ANSWER, FOREVER, FOUND, GOOD_COURSE, asking
from tests.api.conftest import StartServer

FINISHED = domain.Finished(ANSWER)


def wait_until(is_so: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Returns when it is so; fails when it is not in time."""
    deadline = time.perf_counter() + seconds
    while not is_so():
        assert time.perf_counter() < deadline
        time.sleep(0.002)


def test_a_full_queue_is_refused_with_429_and_a_pause(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1, queue_limit=1)
    with server.client() as client, ExitStack() as open_streams:
        running = open_streams.enter_context(asking(client))
        assert running.next().name == "found"
        waiting = open_streams.enter_context(asking(client))
        assert waiting.next().data == {"position": 1, "wait_seconds": 10.0}
        started = time.perf_counter()
        for streamed in (True, False):
            refused = client.post("/ask", json={"question": "leave", "stream": streamed})
            assert refused.status_code == 429
            assert refused.json()["code"] == "overloaded"
            assert refused.json()["retryable"] is True
            assert refused.headers["retry-after"] == "20"
        assert time.perf_counter() - started < 0.5
        assert client.get("/metrics").text.count("assistant_questions_waiting 1.0") == 1


def test_a_queue_of_no_places_refuses_at_once_and_takes_the_next_when_free(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 0.3, FINISHED), model_parallel=1, queue_limit=0)
    with server.client() as client:
        with asking(client) as stream:
            stream.next()
            assert client.post("/ask", json={"question": "leave"}).status_code == 429
            stream.rest()
        assert client.post("/ask", json={"question": "leave"}).status_code == 200


def test_waiting_questions_see_their_position_fall_and_are_served_in_order(start_server: StartServer) -> None:
    gate = threading.Event()
    server = start_server(course=(FOUND, gate, 0.05, FINISHED), model_parallel=1, queue_limit=8)
    seen: dict[int, list[object]] = {}

    def ask(number: int) -> None:
        with server.client() as client, asking(client, f"leave {number}") as stream:
            seen[number] = [e.data["position"] if e.name == "queued" else e.name for e in stream.rest() if e.number]

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        server.assistant.wait_asked()
        wait_until(lambda ahead=number: server.app.state.edge.admission.waiting == ahead)
    gate.set()
    for thread in threads:
        thread.join()
    assert seen == {
        0: ["found", "finished"],
        1: [1, "found", "finished"],
        2: [2, 1, "found", "finished"],
        3: [3, 2, 1, "found", "finished"],
    }
    assert [question.text for question in server.assistant.questions] == [f"leave {n}" for n in range(4)]


def test_the_wait_is_told_from_the_measured_pace(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 0.5, FINISHED), model_parallel=1)
    with server.client() as client:
        client.post("/ask", json={"question": "leave"})
        server.assistant.course = (FOUND, FOREVER)
        with asking(client) as running, asking(client) as waiting:
            assert running.next().name == "found"
            told = waiting.next()
    assert told.name == "queued"
    assert told.data["position"] == 1
    assert 0.5 <= told.data["wait_seconds"] <= 1.0


def test_no_more_than_the_allowed_number_run_at_once(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 0.2, FINISHED), model_parallel=2, queue_limit=32)
    most = 0
    with server.client() as client, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(client.post, "/ask", json={"question": "leave"}) for _ in range(8)]
        while not all(answer.done() for answer in answers):
            running = len(server.assistant.questions) - len(server.assistant.closed_at)
            most = max(most, running)
            time.sleep(0.005)
    assert most == 2
    assert {answer.result().status_code for answer in answers} == {200}


def test_a_waiting_caller_who_leaves_gives_up_the_place_in_the_queue(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1, queue_limit=1)
    admission = server.app.state.edge.admission
    with server.client() as client, asking(client) as running:
        running.next()
        with asking(client) as waiting:
            waiting.next()
            assert admission.waiting == 1
        wait_until(lambda: not admission.waiting, seconds=1.0)
        with asking(client) as waiting:
            assert waiting.next().name == "queued"
    assert len(server.assistant.questions) == 1


def test_the_place_of_a_caller_who_leaves_goes_to_the_next(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1)
    with server.client() as client, ExitStack() as left_open:
        with asking(client) as running:
            running.next()
            second = left_open.enter_context(asking(client))
            assert second.next().name == "queued"
        assert second.next().name == "found"
    server.assistant.wait_closed(count=2)


def test_sixty_questions_that_come_and_go_leave_every_place_free(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 0.01, *GOOD_COURSE[1:]), model_parallel=3, queue_limit=200)

    def ask(number: int) -> None:
        with server.client() as client, asking(client) as stream:
            stream.next()
            if number % 3:
                stream.rest()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(ask, range(60)))
    admission = server.app.state.edge.admission
    wait_until(lambda: not admission.active and not admission.waiting)
    assert len(server.assistant.closed_at) == len(server.assistant.questions)
