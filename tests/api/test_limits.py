"""The line in front of the model at the HTTP edge: found at once, then queued; bounds, waits, places that come back.

The order itself is tested in virtual time by tests/assistant/test_admission.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import httpx

from assistant import domain
from assistant.adapters.ledger import Ledger
from tests.api.canned import ANSWER, FOREVER, FOUND, GOOD_COURSE, asking
from tests.api.conftest import StartServer

FINISHED = domain.Finished(ANSWER)


def wait_until(is_so: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Returns when it is so; fails when it is not in time."""
    deadline = time.perf_counter() + seconds
    while not is_so():
        assert time.perf_counter() < deadline
        time.sleep(0.002)


def test_the_first_who_waits_after_a_start_is_told_what_answers_took_before_it(
    start_server: StartServer, ledger: Ledger
) -> None:
    times = replace(ANSWER.timings, queue_seconds=7.0, total_seconds=40.0)
    for number in range(3):
        answer = replace(ANSWER, citations=(), answer_id=f"a_{number}", timings=times)
        ledger.save_answer(answer, question="期限は?", principal=domain.Principal("ben"))
    quoted = replace(ANSWER, citations=(), answer_id="a_q", mode=domain.AnswerMode.QUOTES, timings=times)
    ledger.save_answer(
        replace(quoted, timings=replace(times, total_seconds=7.1)), question="", principal=domain.Principal("ben")
    )
    server = start_server(course=(FOUND, FOREVER), model_parallel=1)
    with server.client() as client, ExitStack() as open_streams:
        running = open_streams.enter_context(asking(client))
        assert running.next().name == "found"
        waiting = open_streams.enter_context(asking(client))
        assert waiting.next().name == "found"
        told = waiting.next().data
    assert 20.0 < told["wait_seconds"] <= 33.0, "33 s each: without the wait in line and without the quoted answer"


def test_a_full_queue_is_refused_with_429_and_a_pause(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1, queue_limit=1)
    with server.client() as client, ExitStack() as open_streams:
        running = open_streams.enter_context(asking(client))
        assert running.next().name == "found"
        waiting = open_streams.enter_context(asking(client))
        assert waiting.next().name == "found"
        told = waiting.next().data
        assert told["position"] == 1
        assert 0.0 < told["wait_seconds"] <= 10.0
        pauses = []
        for streamed in (True, False):
            refused = client.post("/ask", json={"question": "leave", "stream": streamed})
            assert refused.status_code == 429
            assert refused.json()["code"] == "overloaded"
            assert refused.json()["retryable"] is True
            pauses.append(int(refused.headers["retry-after"]))
        assert 1 <= pauses[0] <= 10, "when the first place in line comes free"
        assert pauses[0] + 5 <= pauses[1] <= 20, "the one after that: the first is promised already"
        shown = client.get("/metrics").text
    for line in (
        "assistant_questions_waiting 1.0",
        'assistant_queue_depth{crowd="people"} 1.0',
        'assistant_queue_depth{crowd="apps"} 0.0',
        "assistant_model_places 1.0",
        "assistant_model_places_taken 1.0",
        'assistant_queue_refusals_total{bound="machine"} 2.0',
    ):
        assert line in shown


def test_a_user_who_has_too_many_questions_open_is_refused_and_others_are_not(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), queue={"user_running": 1, "user_waiting": 1})
    with server.client() as client, server.client(user="aiko") as other, ExitStack() as open_streams:
        streams = [open_streams.enter_context(asking(client)) for _ in range(2)]
        assert [stream.next().name for stream in streams] == ["found", "found"]
        refused = client.post("/ask", json={"question": "leave"}, headers={"Accept-Language": "ja"})
        assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
        assert "あなたの質問がすでに 2 件" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) >= 1
        streams.append(open_streams.enter_context(asking(other)))
        assert streams[-1].next().name == "found"
        assert 'assistant_queue_refusals_total{bound="user"} 1.0' in client.get("/metrics").text


def test_people_go_before_apps_and_both_before_what_is_marked_as_background(start_server: StartServer) -> None:
    gate = threading.Event()
    server = start_server(course=(FOUND, gate, FINISHED), model_parallel=1)
    key = server.assistant.ledger.create_key("app", scopes=["ask"])
    admission = server.app.state.edge.admission

    def ask(name: str, client: httpx.Client, **headers: str) -> None:
        with client:
            assert client.post("/ask", json={"question": name}, headers=headers).status_code == 200

    def app() -> httpx.Client:
        return server.client(user=None, Authorization=f"Bearer {key}")

    threads = []
    for name, client, headers in (
        ("first", server.client(), {}),
        ("background", app(), {"X-Priority": "background"}),
        ("app", app(), {}),
        ("person", server.client(user="aiko"), {}),
    ):
        threads.append(threading.Thread(target=ask, args=(name, client), kwargs=headers))
        threads[-1].start()
        wait_until(lambda: admission.active + admission.waiting == len(threads))
    gate.set()
    for thread in threads:
        thread.join()
    assert server.assistant.answered == ["first", "person", "app", "background"]


def test_a_reader_who_is_slow_holds_no_place(start_server: StartServer) -> None:
    course = (FOUND, *[domain.Token("語" * 40)] * 3_000, FINISHED)
    server = start_server(course=course, model_parallel=1)
    admission = server.app.state.edge.admission
    with server.client() as client, asking(client) as stream:
        assert stream.next().name == "found"
        wait_until(lambda: not admission.active and server.assistant.closed_at)
        assert [event.name for event in stream.rest()][-1] == "finished"


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
    for number, (first, *positions, last) in seen.items():
        assert (first, last) == ("found", "finished")
        assert positions == sorted(positions, key=str, reverse=True)
        assert (positions[:1], positions[-1:]) == (([number], [0]) if number else ([], [])), "0: it is your turn"
    assert [question.text for question in server.assistant.questions] == [f"leave {n}" for n in range(4)]


def test_the_wait_is_told_from_the_measured_pace(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 0.5, FINISHED), model_parallel=1)
    with server.client() as client:
        client.post("/ask", json={"question": "leave"})
        server.assistant.course = (FOUND, FOREVER)
        with asking(client) as running, asking(client) as waiting:
            assert running.next().name == "found"
            assert waiting.next().name == "found"
            told = waiting.next()
    assert told.name == "queued"
    assert told.data["position"] == 1
    assert 0.0 <= told.data["wait_seconds"] <= 5.0, "not the guess of 10 s any more"


def test_no_more_than_the_allowed_number_run_at_once(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, 0.2, FINISHED), model_parallel=2, queue={"user_running": 2})
    admission, most = server.app.state.edge.admission, 0
    with server.client() as client, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(client.post, "/ask", json={"question": "leave"}) for _ in range(8)]
        while not all(answer.done() for answer in answers):
            most = max(most, admission.active)
            time.sleep(0.005)
    assert most == 2
    assert {answer.result().status_code for answer in answers} == {200}


def test_a_waiting_caller_who_leaves_gives_up_the_place_in_the_queue(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1, queue_limit=1)
    admission = server.app.state.edge.admission
    with server.client() as client, asking(client) as running:
        running.next()
        for _ in range(2):
            with asking(client) as waiting:
                assert [waiting.next().name, waiting.next().name] == ["found", "queued"]
                assert admission.waiting == 1
            wait_until(lambda: admission.present == 1)


def test_the_place_of_a_caller_who_leaves_goes_to_the_next(start_server: StartServer) -> None:
    server = start_server(course=(FOUND, FOREVER), model_parallel=1)
    with server.client() as client, ExitStack() as left_open:
        with asking(client) as running:
            running.next()
            second = left_open.enter_context(asking(client))
            assert [second.next().name, second.next().name] == ["found", "queued"]
        admission = server.app.state.edge.admission
        wait_until(lambda: (admission.active, admission.waiting) == (1, 0))
    server.assistant.wait_closed(count=2)


def test_sixty_questions_that_come_and_go_leave_every_place_free(start_server: StartServer) -> None:
    server = start_server(
        course=(FOUND, 0.01, *GOOD_COURSE[1:]), model_parallel=3, queue={"user_running": 3, "user_waiting": 60}
    )

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
