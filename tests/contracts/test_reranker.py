"""The contract of rerankers, on the fake and on the HTTP adapter against a server over real HTTP.

No cross-encoder's weights are at hand: the server is held to the documented shape of Jina's, Cohere's and llama.cpp's
`/v1/rerank`, results in any order.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assistant.adapters.fake import FakeReranker
from assistant.adapters.reranker import HttpReranker
from assistant.domain import Candidate
from assistant.errors import RerankerUnavailable
from assistant.ports import Reranker
from assistant.text import overlap
from tests.assistant.passages import passage

CANDIDATES = [
    Candidate(passage(text, number=number), 0.5, 1.0)
    for number, text in enumerate(
        ("経費は翌月5日まで。", "有給休暇は3営業日前まで。", "ポンプの保証は24か月。"), start=1
    )
]


class Server(ThreadingHTTPServer):
    """Answers /v1/rerank by shared characters, worst first; `fault` replaces the answer."""

    fault: Callable[[list[dict[str, Any]]], tuple[int, bytes]] | None = None
    seen: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.seen = {"path": self.path, "authorization": self.headers.get("Authorization"), **body}
        results = [
            {"index": index, "relevance_score": overlap(body["query"], text)}
            for index, text in enumerate(body["documents"])
        ]
        results.sort(key=lambda result: result["relevance_score"])
        status, content = server.fault(results) if server.fault else (200, json.dumps({"results": results}).encode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def http_reranker(server: Server) -> HttpReranker:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return HttpReranker(url=url, model="a-cross-encoder", api_key="k", timeout_seconds=5.0)


@pytest.fixture(params=["fake", "http"])
def reranker(request: pytest.FixtureRequest, server: Server) -> Reranker:
    return FakeReranker() if request.param == "fake" else http_reranker(server)


def scores(reranker: Reranker) -> list[float]:
    return asyncio.run(reranker.scores("有給休暇は何営業日前?", CANDIDATES))


def test_there_is_one_score_for_each_candidate_in_their_order(reranker: Reranker) -> None:
    found = scores(reranker)
    assert len(found) == 3
    assert max(range(3), key=lambda index: found[index]) == 1
    assert reranker.name


def test_nothing_to_rank_gives_no_scores(reranker: Reranker) -> None:
    assert asyncio.run(reranker.scores("質問", [])) == []


def test_the_server_gets_question_titles_and_texts_in_the_shared_shape(server: Server) -> None:
    scores(http_reranker(server))
    assert server.seen["path"] == "/v1/rerank"
    assert server.seen["authorization"] == "Bearer k"
    assert server.seen["model"] == "a-cross-encoder"
    assert server.seen["query"] == "有給休暇は何営業日前?"
    assert server.seen["top_n"] == 3
    assert server.seen["documents"][0] == "休暇規程 > 第2章\n経費は翌月5日まで。"


@pytest.mark.parametrize(
    "fault",
    [
        lambda results: (500, b"{}"),
        lambda results: (200, b"not json"),
        lambda results: (200, b'{"results": "none"}'),
        lambda results: (200, json.dumps({"results": results[1:]}).encode()),
        lambda results: (200, json.dumps({"results": [{**each, "index": 9} for each in results]}).encode()),
        lambda results: (
            200,
            json.dumps({"results": [{**each, "relevance_score": None} for each in results]}).encode(),
        ),
    ],
    ids=["500", "no JSON", "another shape", "one missing", "unknown index", "no score"],
)
def test_an_answer_that_cannot_be_used_is_an_error_that_names_the_setting(
    server: Server, fault: Callable[[list[dict[str, Any]]], tuple[int, bytes]]
) -> None:
    server.fault = fault
    with pytest.raises(RerankerUnavailable) as caught:
        scores(http_reranker(server))
    assert "ASSISTANT_RERANK_URL" in caught.value.hint.en


def test_a_server_that_is_not_there_is_an_error_that_helps() -> None:
    away = HttpReranker(url="http://127.0.0.1:9", model="", timeout_seconds=1.0)
    with pytest.raises(RerankerUnavailable):
        scores(away)
