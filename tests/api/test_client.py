"""The typed client and the LangChain retriever, against the real edge over a real pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.adapters.ledger import Ledger
from assistant.client import ApiProblem, ApiUnreachable, Client
from assistant.retriever import CompanyRetriever
from assistant.settings import Settings, Uploads
from assistant.wire import AnswerOut, FoundOut
from tests.api.canned import FOREVER, FOUND, PROXY_SECRET, RULE, RunningServer
from tests.api.conftest import StartServer
from tests.api.whole import whole_assistant


@pytest.fixture
def whole(ledger: Ledger, tmp_path: Path) -> Iterator[RunningServer]:
    """A server that answers from three documents."""
    settings = Settings(
        _env_file=None,
        proxy_secret=PROXY_SECRET,
        documents_folder=tmp_path / "handbook",
        uploads=Uploads(folder=tmp_path / "inbox"),
    )
    with RunningServer(settings, whole_assistant(ledger, tmp_path)) as running:
        yield running


@pytest.fixture
def client(whole: RunningServer, ledger: Ledger) -> Iterator[Client]:
    """An app's client."""
    with Client(whole.url + "/", ledger.create_key("wiki", scopes=["ask", "documents", "ingest"])) as opened:
        yield opened


def test_an_app_asks_reads_rates_and_forgets(client: Client) -> None:
    answer = client.ask("年次有給休暇の申請はいつまで?", folders=["人事/"])
    assert "3営業日前" in answer.answer
    (cited,) = answer.citations
    assert client.text(cited.document_id).text[cited.start : cited.end] == cited.quote
    assert client.file(cited.document_id) == RULE.encode()
    assert client.document(cited.document_id).path == "人事/休暇.txt"
    assert client.rate(answer.answer_id, "down", reason="outdated", text="古い").rating == "down"
    assert client.validity(answer.answer_id).state == "current"
    (conversation,) = client.conversations()
    (exchange,) = client.conversation(conversation.conversation_id).exchanges
    assert exchange.feedback is not None
    assert exchange.feedback.text == "古い"
    client.delete_conversation(conversation.conversation_id)
    assert list(client.conversations()) == []
    assert client.me().name == "app:wiki"


def test_an_app_brings_a_file_and_takes_it_back(client: Client) -> None:
    brought = client.upload("50% #1 案内.txt", b"abc")
    assert [one.path for one in client.uploads().uploads] == [brought.upload.path]
    client.take_back(brought.upload.path)
    assert client.uploads().uploads == []
    with pytest.raises(ApiProblem) as refused:
        client.take_back(brought.upload.path)
    assert refused.value.problem.status == 404


def test_a_stream_ends_with_the_answer(client: Client) -> None:
    events = list(client.stream("年次有給休暇の申請はいつまで?"))
    assert isinstance(events[0], FoundOut)
    assert isinstance(events[-1], AnswerOut)


def test_lists_go_on_over_all_pages_and_hold_only_what_may_be_read(client: Client, whole: RunningServer) -> None:
    assert sorted(d.path for d in client.documents()) == ["general/travel.txt", "人事/休暇.txt"]
    assert [d.path for d in client.documents(folder="人事")] == ["人事/休暇.txt"]
    assert client.ingest(request_key="k").job_id == client.ingest(request_key="k").job_id


def test_refusals_and_silence_are_errors_with_hints(client: Client, start_server: StartServer, ledger: Ledger) -> None:
    with pytest.raises(ApiProblem) as missing:
        client.document("d_0")
    assert (missing.value.problem.status, missing.value.permanent) == (404, True)
    assert missing.value.hint.ja
    with Client("http://127.0.0.1:1", "ca_x") as nobody, pytest.raises(ApiUnreachable):
        nobody.me()
    busy = start_server(course=(FOUND, FOREVER), model_parallel=1, queue_limit=0)
    with Client(busy.url, ledger.create_key("two")) as two:
        stream = two.stream("休暇")
        next(stream)
        with pytest.raises(ApiProblem) as full:
            two.ask("休暇")
        assert full.value.problem.status == 429
        assert full.value.retry_after_seconds is not None
        stream.close()
        busy.assistant.wait_closed()


def test_langchain_gets_passages_with_where_they_stand(client: Client) -> None:
    documents = CompanyRetriever(client=client, limit=2, folders=("人事/",)).invoke("年次有給休暇の申請")
    assert [d.page_content for d in documents] == [RULE]
    assert documents[0].metadata["path"] == "人事/休暇.txt"
    assert documents[0].metadata["url"].endswith("/file")
