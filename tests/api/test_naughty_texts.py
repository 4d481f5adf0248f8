"""Texts that have broken programs, in every text field of every route: refused or taken, never a failure of the server."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.logs import make_log
from api.main import create_app
from assistant.adapters.ledger import Ledger
from assistant.domain import Principal
from assistant.settings import Settings
from tests.api.canned import ANSWER, PROXY_SECRET
from tests.api.naughty import naughty_texts
from tests.api.whole import whole_assistant

CHAT = {"model": "company-assistant"}


@dataclass(frozen=True)
class Sent:
    """One request with the text somewhere in it."""

    method: str
    address: str
    body: Any = None
    headers: tuple[tuple[str, bytes], ...] = ()


def in_query(address: str, name: str) -> Callable[[str], Sent]:
    return lambda text: Sent("GET", f"{address}?{name}={encoded(text)}")


def in_path(method: str, before: str, after: str = "", body: Any = None) -> Callable[[str], Sent]:
    return lambda text: Sent(method, f"{before}{encoded(text[:300]) or '%20'}{after}", body)


def in_body(method: str, address: str, wrap: Callable[[str], Any]) -> Callable[[str], Sent]:
    return lambda text: Sent(method, address, wrap(text))


def in_header(name: str) -> Callable[[str], Sent]:
    def sent(text: str) -> Sent:
        plain = text.encode("utf-8", "surrogatepass").translate(None, b"\r\n\0")[:1000]
        return Sent("POST", "/jobs", {}, ((name, plain),))

    return sent


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass")[:4000], safe="")


TAKEN = {
    "search": in_body("POST", "/search", lambda t: {"question": t}),
    "feedback": in_body("POST", "/answers/a_1/feedback", lambda t: {"rating": "up", "text": t}),
    "documents": in_query("/documents", "query"),
}
"""Fields that take any text: each gets every one."""
Record = Callable[[str, object], None]
FIELDS = {
    "ask": in_body("POST", "/ask", lambda t: {"question": t}),
    "chat": in_body("POST", "/v1/chat/completions", lambda t: CHAT | {"messages": [{"role": "user", "content": t}]}),
    "ask conversation": in_body("POST", "/ask", lambda t: {"question": "休暇", "conversation_id": t}),
    "ask release": in_body("POST", "/ask", lambda t: {"question": "休暇", "release": t}),
    "ask language": in_body("POST", "/ask", lambda t: {"question": "休暇", "language": t}),
    "ask name": in_body("POST", "/ask", lambda t: {"question": "休暇", t: 1}),
    "search folder": in_body("POST", "/search", lambda t: {"question": "休暇", "filters": {"folders": [t]}}),
    "search document": in_body("POST", "/search", lambda t: {"question": "休暇", "filters": {"document_ids": [t]}}),
    "chat model": in_body(
        "POST", "/v1/chat/completions", lambda t: {"model": t, "messages": [{"role": "user", "content": "休暇"}]}
    ),
    "chat role": in_body("POST", "/v1/chat/completions", lambda t: CHAT | {"messages": [{"role": t, "content": "休"}]}),
    "chat earlier": in_body(
        "POST",
        "/v1/chat/completions",
        lambda t: (
            CHAT
            | {
                "messages": [
                    {"role": "user", "content": t},
                    {"role": "assistant", "content": t},
                    {"role": "user", "content": "では病気の場合は?"},
                ]
            }
        ),
    ),
    "chat part": in_body(
        "POST",
        "/v1/chat/completions",
        lambda t: CHAT | {"messages": [{"role": "user", "content": [{"type": t, "text": t}]}]},
    ),
    "documents folder": in_query("/documents", "folder"),
    "documents status": in_query("/documents", "status"),
    "documents cursor": in_query("/documents", "cursor"),
    "documents limit": in_query("/documents", "limit"),
    "document": in_path("GET", "/documents/"),
    "text": in_path("GET", "/documents/", "/text"),
    "file": in_path("GET", "/documents/", "/file"),
    "receipt": in_path("GET", "/documents/", "/receipt"),
    "conversations query": in_query("/conversations", "query"),
    "conversations cursor": in_query("/conversations", "cursor"),
    "conversation": in_path("GET", "/conversations/"),
    "conversation cursor": in_query("/conversations/c_1", "cursor"),
    "rename": in_path("PATCH", "/conversations/", body={"title": "x"}),
    "delete": in_path("DELETE", "/conversations/x"),
    "export": in_query("/conversations/c_1/export", "format"),
    "validity": in_path("GET", "/answers/", "/validity"),
    "feedback reason": in_body("POST", "/answers/a_1/feedback", lambda t: {"rating": "up", "reason": t}),
    "want": in_path("POST", "/answers/", "/wanted"),
    "wanted": in_path("DELETE", "/wanted/"),
    "job": in_path("GET", "/jobs/"),
    "job folder": in_body("POST", "/jobs", lambda t: {"folder": t}),
    "job kind": in_body("POST", "/jobs", lambda t: {"kind": t}),
    "job key": in_header("Idempotency-Key"),
    "request id": in_header("X-Request-Id"),
    "language": in_header("Accept-Language"),
    "user": in_header("X-Forwarded-User"),
    "key": in_header("Authorization"),
    "admin days": in_query("/admin/usage", "days"),
    "admin cursor": in_query("/admin/feedback", "cursor"),
    "admin rating": in_query("/admin/feedback", "rating"),
    "address": in_path("GET", "/"),
}


@pytest.fixture
def log() -> io.StringIO:
    """What the server logs."""
    return io.StringIO()


@pytest.fixture
def app(ledger: Ledger, tmp_path: Path, log: io.StringIO) -> Any:
    """The app over the real pipeline; ben administers and has one conversation."""
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, documents_folder=tmp_path / "handbook")
    ledger.set_groups("ben", ["administrators"])
    answer = replace(ANSWER, citations=())
    ledger.save_answer(answer, question="期限は?", principal=Principal("ben"))
    return create_app(settings, assistant=whole_assistant(ledger, tmp_path), log=make_log(settings, stream=log))  # type: ignore[arg-type]


@asynccontextmanager
async def asking(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client inside the process; what the app raises becomes its 500."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
        yield client


async def answer_to(client: httpx.AsyncClient, sent: Sent) -> httpx.Response:
    """What comes back."""
    content = None if sent.body is None else json.dumps(sent.body).encode()
    headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")] if content else []
    headers += [(name.encode(), value) for name, value in sent.headers]
    return await client.request(sent.method, sent.address, content=content, headers=headers)


def failures(app: Any, wanted: list[tuple[str, Callable[[str], Sent], str]]) -> list[str]:
    """Each (field, request, text) that got a 5xx, or a body that is not UTF-8."""

    async def run() -> list[str]:
        failed = []
        async with asking(app) as client:
            for name, field, text in wanted:
                response = await answer_to(client, field(text))
                response.content.decode()
                if response.status_code >= 500:
                    failed.append(f"{name}: {text[:60]!a} -> {response.status_code} {response.text[:100]}")
        return failed

    return asyncio.run(run())


def test_there_are_more_than_five_hundred_different_texts() -> None:
    assert len(set(naughty_texts())) >= 500


@pytest.mark.slow
@pytest.mark.parametrize("name", TAKEN)
def test_a_field_that_takes_any_text_takes_or_refuses_every_one(
    app: Any, name: str, log: io.StringIO, record_property: Record
) -> None:
    failed = failures(app, [(name, TAKEN[name], text) for text in naughty_texts()])
    record_property("requests", len(naughty_texts()))
    record_property("server_errors", len(failed))
    assert failed == []
    assert "unforeseen" not in log.getvalue()


@pytest.mark.slow
def test_every_text_is_sent_to_one_of_the_other_fields(app: Any, log: io.StringIO, record_property: Record) -> None:
    names = list(FIELDS)
    turns = [names[number % len(names)] for number in range(len(naughty_texts()))]
    wanted = [(name, FIELDS[name], text) for name, text in zip(turns, naughty_texts(), strict=True)]
    failed = failures(app, wanted)
    record_property("texts", len(naughty_texts()))
    record_property("requests", len(wanted))
    record_property("server_errors", len(failed))
    assert failed == []
    assert "unforeseen" not in log.getvalue()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", FIELDS)
def test_every_text_is_sent_to_every_field(app: Any, name: str, log: io.StringIO) -> None:
    assert failures(app, [(name, FIELDS[name], text) for text in naughty_texts()]) == []
    assert "unforeseen" not in log.getvalue()


@pytest.mark.slow
def test_a_title_comes_back_as_it_was_given_or_is_refused(app: Any) -> None:
    async def run() -> None:
        async with asking(app) as client:
            for text in naughty_texts():
                response = await answer_to(client, Sent("PATCH", "/conversations/c_1", {"title": text}))
                assert response.status_code in {200, 422}
                if response.status_code == 200:
                    assert response.json()["title"] == text.strip()

    asyncio.run(run())
