"""/mcp and `assistant mcp`, checked with the protocol's own client: the tools, their rights, and hanging up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from assistant.adapters.ledger import Ledger
from assistant.settings import Settings
from tests.api.canned import FOREVER, FOUND, PROXY_SECRET, RULE, RunningServer
from tests.api.conftest import StartServer
from tests.api.whole import whole_assistant

QUESTION = "年次有給休暇の申請はいつまで?"
Use = Callable[[Client], Coroutine[Any, Any, None]]


@pytest.fixture
def whole(ledger: Ledger, tmp_path: Path) -> Iterator[RunningServer]:
    """A server that answers from three documents, one of them the board's."""
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, documents_folder=tmp_path / "handbook")
    with RunningServer(settings, whole_assistant(ledger, tmp_path)) as running:
        yield running


def over_http(url: str, key: str, use: Use, *, mode: Any = "auto") -> None:
    """Runs `use` with a client of /mcp."""

    async def run() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=20) as http,
            Client(streamable_http_client(url + "/mcp", http_client=http), mode=mode) as client,
        ):
            await use(client)

    asyncio.run(run())


def over_stdio(url: str, key_file: Path, use: Use) -> None:
    """Runs `use` with a client that starts `assistant mcp`."""

    async def run() -> None:
        arguments = ["-m", "assistant", "mcp", "--api", url, "--key-file", str(key_file), "--language", "en"]
        async with Client(StdioServerParameters(command=sys.executable, args=arguments)) as client:
            await use(client)

    asyncio.run(run())


async def journey(client: Client) -> None:
    """Asks, searches, reads, and is refused."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"ask", "search", "read_document"}
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())
    told = (await client.call_tool("ask", {"question": QUESTION})).structured_content
    assert told is not None
    assert "3営業日前" in told["answer"]
    hits = (await client.call_tool("search", {"question": QUESTION, "limit": 50})).structured_content
    assert hits is not None
    assert sorted(hit["path"] for hit in hits["passages"]) == ["general/travel.txt", "人事/休暇.txt"]
    document_id = hits["passages"][0]["document_id"]
    read = (
        await client.call_tool("read_document", {"document_id": document_id, "start": 3, "limit": 5})
    ).structured_content
    assert read is not None
    assert (read["text"], read["characters"]) == (RULE[3:8], len(RULE))
    for document in ("d_0", "../admin/usage"):
        refused = await client.call_tool("read_document", {"document_id": document})
        assert refused.is_error
    empty = await client.call_tool("ask", {"question": " "})
    assert empty.is_error


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_program_asks_searches_and_reads_over_http(whole: RunningServer, ledger: Ledger, mode: str) -> None:
    over_http(whole.url, ledger.create_key("tool"), journey, mode=mode)


@pytest.mark.slow
def test_a_program_asks_searches_and_reads_over_stdio(whole: RunningServer, ledger: Ledger, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(ledger.create_key("tool") + "\n")
    over_stdio(whole.url, key_file, journey)


def test_a_document_is_read_by_its_readers_alone(whole: RunningServer, ledger: Ledger) -> None:
    board = ledger.create_key("board", groups=["board"])
    found: list[str] = []

    async def look(client: Client) -> None:
        hits = (await client.call_tool("search", {"question": QUESTION, "folders": ["役員/"]})).structured_content
        assert hits is not None
        found.extend(hit["document_id"] for hit in hits["passages"])

    over_http(whole.url, board, look)
    (secret,) = found
    texts: list[str] = []

    async def spy(client: Client) -> None:
        await look(client)
        for document in (secret, "d_0"):
            refused = await client.call_tool("read_document", {"document_id": document})
            assert refused.is_error
            texts.append(str(refused.content))

    over_http(whole.url, ledger.create_key("other"), spy)
    assert found == [secret]
    assert texts[0] == texts[1]


def test_a_key_without_the_scope_is_refused_by_the_tool(whole: RunningServer, ledger: Ledger) -> None:
    async def try_to_ask(client: Client) -> None:
        refused = await client.call_tool("ask", {"question": QUESTION})
        assert refused.is_error
        assert "ask" in str(refused.content)

    over_http(whole.url, ledger.create_key("reader", scopes=["documents"]), try_to_ask)


def test_nobody_and_no_foreign_page_gets_in(whole: RunningServer, ledger: Ledger) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with whole.client(user=None) as nobody:
        assert nobody.post("/mcp", json=body).status_code == 401
        assert nobody.get("/mcp").status_code == 401
    with whole.client(user=None, Authorization="Bearer " + ledger.create_key("tool")) as client:
        for origin in ("https://evil.example", "null", "http://[", f"http://x@{whole.url[7:]}", f"{whole.url}/page"):
            assert client.post("/mcp", json=body, headers={"Origin": origin}).status_code == 403
        accepted = {"Origin": whole.url, "Accept": "application/json, text/event-stream"}
        assert client.post("/mcp", json=body, headers=accepted).status_code == 200


def test_a_program_that_leaves_frees_the_model(start_server: StartServer, ledger: Ledger) -> None:
    server = start_server(course=(FOUND, FOREVER))

    async def leave(client: Client) -> None:
        asked = asyncio.create_task(client.call_tool("ask", {"question": QUESTION}))
        await asyncio.to_thread(server.assistant.wait_asked)
        asked.cancel()
        await asyncio.wait([asked])

    over_http(server.url, ledger.create_key("tool"), leave)
    server.assistant.wait_closed()


def test_a_tool_that_runs_when_its_person_signs_out_is_ended(start_server: StartServer, ledger: Ledger) -> None:
    server = start_server(course=(FOUND, FOREVER), door={"recheck_seconds": 0.1})
    token = ledger.start_sign_in("ben", minutes=5)
    held = ledger.signed_in(token)
    assert held is not None
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    call["params"] = {"name": "ask", "arguments": {"question": QUESTION}}  # type: ignore[assignment]
    accepted = {"Accept": "application/json, text/event-stream", "X-Sign-In": held.sign_in_id}
    with server.client(user="ben", **accepted) as client, ThreadPoolExecutor(1) as pool:
        called = pool.submit(client.post, "/mcp", json=call)
        server.assistant.wait_asked()
        ledger.end_sign_in(token)
        told = called.result(timeout=60)
    assert '"isError":true' in told.text
    server.assistant.wait_closed()


def test_every_request_of_a_tool_is_in_the_log_under_its_own_id(whole: RunningServer, ledger: Ledger) -> None:
    key = ledger.create_key("tool")
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "search", "arguments": {"question": QUESTION}},
    }
    accepted = {"Accept": "application/json, text/event-stream", "X-Request-Id": "line-7"}
    with httpx.Client(base_url=whole.url, headers={"Authorization": f"Bearer {key}", **accepted}) as client:
        assert client.post("/mcp", json=call).status_code == 200
    lines = whole.log(count=2)
    assert [(line["route"], line["request_id"], line["user"]) for line in lines] == [
        ("/search", "line-7", "app:tool"),
        ("/mcp", "line-7", "app:tool"),
    ]
