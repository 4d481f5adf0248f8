"""Counters for Prometheus, in a registry of their own so that two apps in one process never meet.

prometheus_client because it is the reference implementation of the text format. No label holds a user, a question or a
document: labels are few and known beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from assistant.adapters.breaker import Breaker, State
from assistant.admission import Admission
from assistant.line import Crowd
from assistant.places import Places

_FIRST_TOKEN_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
_WAIT_BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320)
_PACE_BUCKETS = (1, 2, 5, 10, 15, 20, 30, 40, 60, 80, 120)
_RETRIEVAL_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_STATES: dict[State, int] = {"closed": 0, "half open": 1, "open": 2}


class Metrics:
    """All counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.questions = Counter(
            "assistant_questions", "Questions answered.", ["mode", "refused"], registry=self.registry
        )
        self._count_models()
        self.errors = Counter("assistant_errors", "Errors told to callers.", ["code"], registry=self.registry)
        self.hang_ups = Counter(
            "assistant_hang_ups", "Questions whose caller left before the end.", registry=self.registry
        )
        self.feedback = Counter(
            "assistant_feedback", "Ratings that people gave to answers.", ["rating"], registry=self.registry
        )
        self.canary_leaks = Gauge(
            "assistant_canary_leaks",
            "Leaks that the last check of the permission canary found; NaN before the first.",
            registry=self.registry,
        )
        self.canary_leaks.set(math.nan)
        self.canary_checked = Gauge(
            "assistant_canary_checked_timestamp_seconds",
            "When the permission canary was last checked whole; 0 for never.",
            registry=self.registry,
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
        self.tokens = Counter("assistant_tokens", "Pieces of answers sent, about a token each.", registry=self.registry)
        self.tokens_per_second = Histogram(
            "assistant_tokens_per_second",
            "Pieces of an answer per second, from its first to its last.",
            buckets=_PACE_BUCKETS,
            registry=self.registry,
        )
        self.queue_wait_seconds = Histogram(
            "assistant_queue_wait_seconds",
            "Seconds in line for the model.",
            ["crowd"],
            buckets=_WAIT_BUCKETS,
            registry=self.registry,
        )
        self.queue_refusals = Counter(
            "assistant_queue_refusals",
            "Questions refused because a bound was reached.",
            ["bound"],
            registry=self.registry,
        )

    def _count_models(self) -> None:
        self.answers = Counter(
            "assistant_answers", "Answers by the model that wrote them, or `quotes`.", ["model"], registry=self.registry
        )
        self.moves = Counter(
            "assistant_model_moves",
            "Questions that went to the other model, because theirs did not answer.",
            registry=self.registry,
        )

    def watch_breakers(self, breakers: Callable[[], Sequence[Breaker]]) -> None:
        """Shows the breakers, 0 for those that are not there (yet)."""
        state = Gauge(
            "assistant_breaker_state",
            "Breaker around a server: 0 closed, 1 half open, 2 open.",
            ["dependency"],
            registry=self.registry,
        )
        openings = Gauge(
            "assistant_breaker_openings",
            "How often it has opened since the start.",
            ["dependency"],
            registry=self.registry,
        )
        for name in ("model", "second", "embedder"):
            state.labels(dependency=name).set_function(partial(_state_of, name, breakers))
            openings.labels(dependency=name).set_function(partial(_openings_of, name, breakers))

    def watch(self, admission: Admission) -> None:
        """Shows the lines and the places of an admission, as they are when somebody looks."""
        waiting = Gauge("assistant_questions_waiting", "Questions waiting for the model now.", registry=self.registry)
        waiting.set_function(lambda: admission.waiting)
        depth = Gauge("assistant_queue_depth", "Questions in line by crowd.", ["crowd"], registry=self.registry)
        for crowd in Crowd:
            depth.labels(crowd=crowd.value).set_function(partial(admission.depth, crowd))
            self.queue_wait_seconds.labels(crowd=crowd.value)
        places = Gauge("assistant_model_places", "Answers that may be written at once.", registry=self.registry)
        places.set(admission.parallel)
        taken = Gauge("assistant_model_places_taken", "Answers being written now.", registry=self.registry)
        taken.set_function(lambda: admission.active)
        by_line = Gauge(
            "assistant_model_line",
            "In front of the first and the second model: places, places taken, questions waiting.",
            ["model", "what"],
            registry=self.registry,
        )
        for name, line in zip(("first", "second"), admission.lines, strict=False):
            by_line.labels(model=name, what="places").set(line.parallel)
            by_line.labels(model=name, what="taken").set_function(partial(_taken_of, line))
            by_line.labels(model=name, what="waiting").set_function(partial(_waiting_of, line))
        for bound in ("machine", "user"):
            self.queue_refusals.labels(bound=bound)


def _taken_of(places: Places) -> int:
    return places.active


def _waiting_of(places: Places) -> int:
    return places.waiting


def _state_of(name: str, breakers: Callable[[], Sequence[Breaker]]) -> int:
    return max((_STATES[each.state] for each in breakers() if each.name == name), default=0)


def _openings_of(name: str, breakers: Callable[[], Sequence[Breaker]]) -> int:
    return sum(each.openings for each in breakers() if each.name == name)
