"""Questions to a deployment whose model is real and slow: long waits, and streams that a test may leave at any time."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.journeys.deployment import PROXY_SECRET, Deployment, wait_until
from tests.live.handbook import DOCUMENTS

ANSWER_SECONDS = 800.0  # on a machine that others use too
HEADERS = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}

# Prompts that two cores read in seconds, and no limit that a busy machine could meet by chance.
SMALL_PROMPTS = {
    "PROMPT_LIMIT_TOKENS": "700",
    "PASSAGES_LIMIT": "3",
    "NUM_PREDICT": "96",
    "CONNECT_TIMEOUT_SECONDS": "20",
    "FIRST_TOKEN_TIMEOUT_SECONDS": "700",
    "TOKEN_TIMEOUT_SECONDS": "300",
}

TRIES = 3  # a 1.5B model declines a plain question now and then; how often was not counted


@dataclass(frozen=True)
class Fact:
    """A question, and what its answer says and cites."""

    question: str
    says: str
    path: str


@dataclass(frozen=True)
class StreamEvent:
    """One event of an answer's stream, and when it came (monotonic seconds)."""

    name: str
    data: dict[str, Any]
    at: float


def ask(deployment: Deployment, question: str) -> dict[str, Any]:
    """The whole answer as JSON."""
    reply = httpx.post(
        f"{deployment.api_url}/ask",
        json={"question": question},
        headers=HEADERS,
        timeout=ANSWER_SECONDS,
        trust_env=False,
    )
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def ask_at_the_command_line(deployment: Deployment, question: str, **settings: str) -> dict[str, Any]:
    """The whole answer of `assistant ask --json`, with some settings of the deployment replaced."""
    replaced = {f"ASSISTANT_{name}": value for name, value in settings.items()}
    done = deployment.run("assistant", "ask", question, "--json", timeout_seconds=ANSWER_SECONDS, **replaced)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@contextmanager
def stream(deployment: Deployment, question: str) -> Iterator[Iterator[StreamEvent]]:
    """The events as they come; leaving the block hangs up."""
    with httpx.stream(
        "POST",
        f"{deployment.api_url}/ask",
        json={"question": question, "stream": True},
        headers=HEADERS,
        timeout=ANSWER_SECONDS,
        trust_env=False,
    ) as reply:
        assert reply.status_code == 200, reply.read()
        yield _events(reply)


def first_token_seconds(deployment: Deployment, question: str) -> float:
    """Seconds from asking to the first token; the rest of the answer is not waited for."""
    started = time.monotonic()
    with stream(deployment, question) as events:
        return next(event.at for event in events if event.name == "token") - started


def ask_and_leave_after_the_first_token(deployment: Deployment, question: str) -> None:
    """Asks for JSON, whose caller sees nothing before the end, and drops the connection once the model writes."""
    written_before = counted(deployment, "assistant_first_token_seconds_count")
    connection = http.client.HTTPConnection(deployment.api_url.removeprefix("http://"))
    try:
        headers = {**HEADERS, "Content-Type": "application/json"}
        connection.request("POST", "/ask", body=json.dumps({"question": question}), headers=headers)
        wait_until(
            lambda: counted(deployment, "assistant_first_token_seconds_count") > written_before,
            timeout_seconds=ANSWER_SECONDS,
            pause_seconds=0.05,
        )
    finally:
        connection.close()


def counted(deployment: Deployment, name: str) -> float:
    """What one counter of the API says."""
    text = httpx.get(f"{deployment.api_url}/metrics", timeout=60, trust_env=False).text
    lines = (line.split() for line in text.splitlines())
    return next(float(value) for given, value in (line for line in lines if len(line) == 2) if given == name)


def _events(reply: httpx.Response) -> Iterator[StreamEvent]:
    name = ""
    for line in reply.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield StreamEvent(name, json.loads(value), time.monotonic())


def told(fact: Fact, asked: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The answer, asked for again where the model said that it does not know, or pointed at another passage."""
    for _ in range(TRIES):
        answer = asked(fact.question)
        if fact.says in answer["answer"] and fact.path in {citation["path"] for citation in answer["citations"]}:
            break
    return answer


def assert_generated(answer: dict[str, Any], fact: Fact) -> None:
    """The model wrote the fact, counted its prompt itself, and every quote is literally in the file that it is from."""
    assert answer["mode"] == "generated", answer["notices"]
    assert not answer["refused"], answer["answer"]
    assert fact.says in answer["answer"]
    assert answer["context"]["counted_by"] == "model"
    assert 0 < answer["context"]["prompt_tokens"] < answer["context"]["num_ctx"]
    assert fact.path in {citation["path"] for citation in answer["citations"]}
    assert_quotes_are_literal(answer)


def assert_quoted(answer: dict[str, Any], *, warning: str) -> None:
    """Literal sentences of the sources, with the reason that the model wrote none."""
    assert (answer["mode"], answer["reason"]) == ("quotes", "model_unavailable")
    assert warning in answer["warnings"]
    assert_quotes_are_literal(answer)


def assert_quotes_are_literal(answer: dict[str, Any]) -> None:
    """Each mark has its citation, and each citation a quote that is in its source file."""
    assert answer["citations"]
    for citation in answer["citations"]:
        assert citation["quote"]
        assert citation["quote"] in DOCUMENTS[citation["path"]]
    marks = {int(number) for number in re.findall(r"\[(\d+)\]", answer["answer"])}
    assert marks == {citation["number"] for citation in answer["citations"]}
