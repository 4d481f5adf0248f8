"""The screen's client against the product's own API, its pipeline played from a script."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.ledger import Ledger
from assistant.domain import Queued
from assistant.errors import ModelTimeout, Text
from assistant.settings import Settings
from assistant.wire import AnswerOut, CitedOut, FoundOut, QueuedOut, TokenOut
from tests.api.canned import (
    FOREVER,
    FOUND,
    GOOD_COURSE,
    PROXY_SECRET,
    RULE,
    CannedAssistant,
    RunningServer,
    write_document,
)
from ui.client import ApiClient, Heartbeat, ProblemError

TOO_SLOW = ModelTimeout(Text("モデルが遅すぎます。", "The model is too slow."), Text("待って。", "Wait."))
Starter = Callable[..., RunningServer]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def start_api(ledger: Ledger, tmp_path: Path) -> Iterator[Starter]:
    with ExitStack() as running:

        def start(*course: Any) -> RunningServer:
            settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, documents_folder=tmp_path / "handbook")
            return running.enter_context(RunningServer(settings, CannedAssistant(ledger, course=course)))

        yield start


def client_of(server: RunningServer, *, user: str = "愛子", secret: str = PROXY_SECRET) -> ApiClient:
    return ApiClient(server.url, user, proxy_secret=secret, language="ja")


def test_every_event_of_the_api_is_read(start_api: Starter) -> None:
    server = start_api(Queued(position=1, wait_seconds=2.0), *GOOD_COURSE)
    kinds = [type(event) for event in client_of(server).ask_stream("有給休暇の期限は?", conversation_id="c_1")]
    assert kinds == [QueuedOut, FoundOut, TokenOut, TokenOut, CitedOut, AnswerOut]
    question = server.assistant.questions[0]
    assert (question.principal.name, question.conversation_id) == ("愛子", "c_1")


def test_hanging_up_on_a_silent_model_ends_the_question(start_api: Starter) -> None:
    server = start_api(FOUND, FOREVER)
    with closing(client_of(server).ask_stream("有給休暇の期限は?")) as events:
        assert isinstance(next(events), FoundOut)
        assert isinstance(next(events), Heartbeat)
        left_at = time.perf_counter()
    assert server.assistant.wait_closed() - left_at < 1


@pytest.mark.parametrize("course", [(TOO_SLOW,), (FOUND, TOO_SLOW)])
def test_the_apis_errors_before_and_within_the_stream_come_as_its_problem(
    start_api: Starter, course: tuple[Any, ...]
) -> None:
    with pytest.raises(ProblemError) as caught:
        list(client_of(start_api(*course)).ask_stream("有給休暇の期限は?"))
    assert caught.value.problem.code == "model_timeout"
    assert caught.value.problem.detail == "モデルが遅すぎます。"


@pytest.mark.parametrize(("question", "status"), [("", 422), (" \n", 422), ("あ" * 4001, 422)])
def test_impossible_questions_are_refused_in_words(start_api: Starter, question: str, status: int) -> None:
    with pytest.raises(ProblemError) as caught:
        list(client_of(start_api(*GOOD_COURSE)).ask_stream(question))
    assert caught.value.problem.status == status
    assert caught.value.problem.hint


def test_a_wrong_secret_is_refused_by_the_api_too(start_api: Starter) -> None:
    with pytest.raises(ProblemError) as caught:
        client_of(start_api(*GOOD_COURSE), secret="wrong").me()
    assert caught.value.problem.status == 401


def test_documents_passages_and_the_person_are_read(start_api: Starter, ledger: Ledger, tmp_path: Path) -> None:
    server = start_api(*GOOD_COURSE)
    handbook = tmp_path / "handbook"
    for name in ("一.txt", "二.txt", "三.txt"):
        write_document(ledger, handbook, name, data=RULE.encode(), media_type="text/plain", encoding="utf-8")
    client = client_of(server)
    first = client.documents(limit=2)
    assert first.next is not None
    second = client.documents(limit=2, cursor=first.next)
    assert {d.path for d in [*first.documents, *second.documents]} == {"一.txt", "二.txt", "三.txt"}
    assert second.next is None
    assert [d.path for d in client.documents("二", status="indexed").documents] == ["二.txt"]
    assert client.documents(status="failed").documents == []
    assert client.document(first.documents[0].document_id) == first.documents[0]
    assert client.search("休暇").passages[0].text == RULE
    assert client.me().name == "愛子"
