"""Counters for Prometheus, in a registry of their own so that two apps in one process never meet.

prometheus_client because it is the reference implementation of the text format. No label holds a user, a question or a
document: labels are few and known beforehand.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FIRST_TOKEN_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
_RETRIEVAL_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """All counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.questions = Counter(
            "assistant_questions", "Questions answered.", ["mode", "refused"], registry=self.registry
        )
        self.errors = Counter("assistant_errors", "Errors told to callers.", ["code"], registry=self.registry)
        self.hang_ups = Counter(
            "assistant_hang_ups", "Questions whose caller left before the end.", registry=self.registry
        )
        self.feedback = Counter(
            "assistant_feedback", "Ratings that people gave to answers.", ["rating"], registry=self.registry
        )
        self.requests = Counter(
            "assistant_requests", "Requests by route and status.", ["route", "status"], registry=self.registry
        )
        self.first_token_seconds = Histogram(
            "assistant_first_token_seconds",
            "Seconds from the question to the first token, waiting included.",
            buckets=_FIRST_TOKEN_BUCKETS,
            registry=self.registry,
        )
        self.retrieval_seconds = Histogram(
            "assistant_retrieval_seconds",
            "Seconds spent on finding passages.",
            buckets=_RETRIEVAL_BUCKETS,
            registry=self.registry,
        )
        self.streams_active = Gauge("assistant_streams_active", "Event streams open now.", registry=self.registry)
        self.questions_waiting = Gauge(
            "assistant_questions_waiting", "Questions waiting for the model now.", registry=self.registry
        )
