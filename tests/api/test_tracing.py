"""Traces reach a real collector over OTLP: one for each request, with the parts of a question, and no word of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service

from assistant.settings import Traces
from tests.api.canned import RunningServer
from tests.api.conftest import StartServer

CALLERS_TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector(service.TraceServiceServicer):
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.lock = threading.Lock()
        self.url = ""

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        with self.lock:
            self.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        return messages.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on a free port."""
    kept = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(kept, server)
    kept.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield kept
    server.stop(None).wait()


def attributes(span: Any) -> dict[str, Any]:
    """The span's attributes as plain values."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def asked_and_stopped(server: RunningServer) -> None:
    """One question, one page of nothing, one look at the health; then the server stops, which sends what is left."""
    with server.client(traceparent=f"00-{CALLERS_TRACE}-b7ad6b7169203331-01") as client:
        assert client.post("/ask", json={"question": "canary question"}, headers={"X-Request-Id": "line-3"}).is_success
        assert client.get("/documents/canary").status_code == 404
    server.__exit__()


def test_a_question_is_a_trace_of_its_parts_without_its_words(start_server: StartServer, collector: Collector) -> None:
    asked_and_stopped(start_server(traces=Traces(url=collector.url)))
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"POST /ask", "retrieval", "chat company-assistant", "GET /documents/{document_id}"}
    request = spans["POST /ask"]
    assert request.trace_id.hex() == CALLERS_TRACE
    assert attributes(request)["company_assistant.request_id"] == "line-3"
    assert attributes(request)["http.response.status_code"] == 200
    for name in ("retrieval", "chat company-assistant"):
        assert spans[name].parent_span_id == request.span_id
        assert request.start_time_unix_nano <= spans[name].start_time_unix_nano <= spans[name].end_time_unix_nano
    told = attributes(spans["chat company-assistant"])
    assert (told["gen_ai.request.model"], told["gen_ai.usage.input_tokens"]) == ("company-assistant", 900)
    everything = b"".join(span.SerializeToString() for span in collector.spans)
    for word in ("canary", "ben", "営業日", "休暇"):
        assert word.encode() not in everything


def test_a_collector_that_is_away_costs_no_answer(start_server: StartServer) -> None:
    server = start_server(traces=Traces(url="http://127.0.0.1:1"))
    with server.client() as client:
        assert client.post("/ask", json={"question": "leave"}).is_success


def test_without_a_collector_nothing_is_traced(server: RunningServer) -> None:
    assert server.app.state.edge.traces is None
