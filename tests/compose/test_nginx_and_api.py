"""The real nginx in front of the real API: what needs both, quickly; whole installations are in test_stack_runs.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from assistant.adapters.ledger import Ledger
from assistant.client import Client as Api
from assistant.settings import Settings, Uploads
from tests.api.canned import PROXY_SECRET, RunningServer, asking
from tests.api.whole import whole_assistant
from tests.compose.door import Door, basic

QUESTION = "年次有給休暇の申請はいつまで?"
FORGED = {
    "X-Forwarded-User": "chie",
    "X-Proxy-Secret": PROXY_SECRET,
    "X-Sign-In": "chie",
    "Cookie": "__Host-assistant=chie",
    "Mcp-Session-Id": "of-another",
}
STREAMS = 8  # one person may have nine: one answered, eight waiting


@dataclass(frozen=True)
class Behind:
    """nginx, and the API that it passes requests on to."""

    door: Door
    api: RunningServer
    ledger: Ledger

    def users_in_log(self, route: str) -> set[str]:
        """Whom the API took the requests of an address for."""
        lines = self.api.log(count=1)
        return {line["user"] for line in lines if line.get("route") == route}


@pytest.fixture(scope="module")
def behind(open_door: Callable[..., Door], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Three documents, one of them the board's, and somebody of the board who is called Chie."""
    folder = tmp_path_factory.mktemp("behind")
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    ledger.set_groups("chie", ["board"])
    settings = Settings(
        _env_file=None,
        proxy_secret=PROXY_SECRET,
        documents_folder=folder / "handbook",
        uploads=Uploads(folder=folder / "inbox"),
    )
    with RunningServer(settings, whole_assistant(ledger, Path(folder))) as api:
        given = {"NGINX_API": f"127.0.0.1:{api.port}", "ASSISTANT_PROXY_SECRET": PROXY_SECRET}
        yield Behind(open_door(given, PUBLISH_ASK_RATE="6000r/m"), api, ledger)
    ledger.close()


def paths_found_over_mcp(url: str, headers: dict[str, str]) -> list[str]:
    """What the protocol's own client finds by asking and searching."""

    async def run() -> list[str]:
        async with (
            httpx2.AsyncClient(headers=headers, trust_env=False, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == {"ask", "search", "read_document"}
            told = (await client.call_tool("ask", {"question": QUESTION})).structured_content
            assert told is not None
            assert "3営業日前" in told["answer"]
            hits: dict[str, Any] | None = (
                await client.call_tool("search", {"question": QUESTION, "limit": 50})
            ).structured_content
            assert hits is not None
            return sorted(hit["path"] for hit in hits["passages"])

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/mcp", "/api/mcp"])
def test_a_program_comes_in_by_mcp_with_its_key_and_forged_names_beside_it_open_nothing(
    behind: Behind, path: str
) -> None:
    name = f"tool{path.replace('/', '-')}"
    key = behind.ledger.create_key(name)
    found = paths_found_over_mcp(behind.door.url + path, {"Authorization": f"Bearer {key}", **FORGED})
    assert found == ["general/travel.txt", "人事/休暇.txt"], "nothing of the board's, whatever name was claimed"
    assert f"app:{name}" in behind.users_in_log("/mcp") & behind.users_in_log("/ask")
    assert "chie" not in behind.api.log_text


def test_mcp_is_closed_to_passwords_to_nobody_and_to_pages_of_other_sites(behind: Behind) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    key = behind.ledger.create_key("page")

    def status(**headers: str) -> int:
        return httpx.post(f"{behind.door.url}/mcp", json=call, headers=headers, trust_env=False).status_code

    accepted = {"Accept": "application/json, text/event-stream"}
    assert status(**accepted) == 401
    assert status(**accepted, **FORGED) == 401
    assert status(**accepted, **basic("aiko")) == 401, "a program's door: people's passwords are not asked for"
    assert status(**accepted, Authorization="Bearer ca_guessed") == 401
    assert status(**accepted, Authorization=f"Bearer {key}", Origin="https://evil.example") == 403
    assert status(**accepted, Authorization=f"Bearer {key}") == 200


def test_an_address_with_a_slash_too_many_is_told_so_and_sends_nobody_to_another_address(behind: Behind) -> None:
    for path in ("/api/documents/", "/api/ask/", "/v1/models/"):
        headers = {"Authorization": f"Bearer {behind.ledger.create_key('slash' + path.replace('/', ''))}"}
        answer = httpx.get(behind.door.url + path, headers=headers, trust_env=False)
        assert (answer.status_code, answer.headers.get("location")) == (404, None), path
        code = answer.json().get("code") or answer.json()["error"]["code"]
        assert code == "address_unknown", path


def test_an_upload_is_taken_back_through_the_door_whatever_letters_its_name_has(behind: Behind) -> None:
    key = behind.ledger.create_key("scanner", scopes=["ingest"])
    with Api(f"{behind.door.url}/api", key) as client:
        for name in ("出張 50% #1.txt", "a+b&c.txt"):
            client.take_back(client.upload(name, b"abc").upload.path)
        assert client.uploads().uploads == []


def test_eight_answers_stream_through_the_door_at_once_each_to_its_own_end(behind: Behind) -> None:
    all_are_open = Barrier(STREAMS, timeout=60)

    def one(number: int) -> list[str]:
        url = f"{behind.door.url}/api"
        headers = {**basic("aiko"), "X-Request-Id": f"stream-{number:02}"}
        with (
            httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client,
            asking(client, QUESTION) as stream,
        ):
            assert stream.response.headers["content-type"].startswith("text/event-stream")
            first = stream.next()
            all_are_open.wait()
            events = [first, *stream.rest()]
        assert events[-1].data["request_id"] == f"stream-{number:02}"
        return [event.name for event in events if event.number]

    with ThreadPoolExecutor(STREAMS) as pool:
        for names in pool.map(one, range(STREAMS)):
            assert names[0] == "found"
            assert "token" in names
            assert names[-1] == "finished"
            assert "error" not in names
