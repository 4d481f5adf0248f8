"""OpenTelemetry traces of requests and questions; off unless the settings name a collector. The door to opentelemetry.

    POST /ask ──┬── retrieval          names follow OpenTelemetry's conventions for HTTP and generative AI (in development)
                ├── queue
                └── chat MODEL         no span holds a question, an answer, a document or a user

A collector that is away loses spans, never answers: they are sent by a thread of their own, and the SDK logs the loss.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.domain import Answer
from assistant.errors import SettingsError, Text

if TYPE_CHECKING:  # half a second of imports, and the extra may not be installed
    from opentelemetry.trace import Span

SERVICE = "company-assistant-api"
CLOSE_SECONDS = 5.0
"""Longest wait for the last spans to leave when the server stops."""


@dataclass
class Course:
    """When a question came and when its passages were found, in nanoseconds since 1970."""

    started_ns: int = field(default_factory=time.time_ns)
    found_ns: int | None = None


class Traces:
    """Spans of one app, sent to the collector at `url` (OTLP over gRPC). Raises SettingsError without the extra."""

    def __init__(self, url: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise SettingsError(
                Text(
                    ja="ASSISTANT_TRACES__URL には OpenTelemetry が必要です。",
                    en="ASSISTANT_TRACES__URL needs OpenTelemetry.",
                ),
                Text(ja="pip install 'company-assistant[traces]'", en="pip install 'company-assistant[traces]'"),
            ) from error
        # A provider of our own, so that other libraries' spans (Chroma's client has some) stay out.
        self._provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=url, insecure=url.startswith("http://"), timeout=CLOSE_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(SERVICE)

    def begin(self, headers: Mapping[str, str], *, request_id: str) -> Span:
        """The span of a request; it goes on with the caller's trace where `traceparent` names one."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({"traceparent": headers.get("traceparent", "")})
        attributes = {"company_assistant.request_id": request_id}
        return self._tracer.start_span("request", context=parent, kind=SpanKind.SERVER, attributes=attributes)

    def end(self, span: Span, *, method: str, route: str, status: int) -> None:
        """Names the request by its route and ends its span."""
        from opentelemetry.trace import StatusCode

        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()

    def question(self, request: Span, course: Course, answer: Answer) -> None:
        """The parts of a question that was answered, under its request's span."""
        from opentelemetry.trace import SpanKind, set_span_in_context

        inside = set_span_in_context(request)
        found_ns = course.found_ns or course.started_ns
        turn_ns = found_ns + int(answer.timings.queue_seconds * 1e9)
        tokens: dict[str, str | int | bool] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": answer.model,
            "gen_ai.usage.input_tokens": answer.context.prompt_tokens,
            "gen_ai.usage.output_tokens": answer.context.answer_tokens,
            "company_assistant.mode": answer.mode.value,
            "company_assistant.refused": answer.refused,
        }
        retrieved: dict[str, str | int] = {
            "gen_ai.operation.name": "retrieval",
            "company_assistant.passages": len(answer.passages),
        }
        start = self._tracer.start_span
        start("retrieval", context=inside, attributes=retrieved, start_time=course.started_ns).end(found_ns)
        if answer.timings.queue_seconds:
            start("queue", context=inside, start_time=found_ns).end(turn_ns)
        model = start(
            f"chat {answer.model}", context=inside, kind=SpanKind.CLIENT, attributes=tokens, start_time=turn_ns
        )
        model.end(max(turn_ns, time.time_ns()))

    def close(self) -> None:
        """Sends what is left and stops."""
        self._provider.shutdown()
