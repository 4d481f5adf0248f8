"""Walks through every door of a running API as somebody, and notes every word of a planted document that it is told.

The API is asked over HTTP, whole: a check of the inner rules alone would miss a route that forgets them. Keys are made for it,
one for each role, and are gone afterwards with everything that was asked with them.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from assistant.adapters.ledger import Ledger
from assistant.canary import GROUP, QUESTIONS, Leak, Planted, Report, entry_of, planted_in, roles_in
from assistant.errors import StoreUnavailable, Text
from assistant.people import SCOPES

KEY_HOURS = 1
REQUEST_SECONDS = 300.0
PER_MINUTE = 10_000
AFTER_PEOPLE = {"X-Priority": "background"}
UNANSWERED = frozenset({429, 502, 503, 504})
"""Statuses that say nothing about rights."""


@dataclass
class _Walk:
    """One role's way through the doors."""

    client: httpx.AsyncClient
    role: str
    headers: dict[str, str]
    planted: list[Planted]
    requests: int = 0
    leaks: list[Leak] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    async def all_doors(self) -> None:
        """Asks at each."""
        for address in ("/documents?limit=100", "/conversations", "/jobs", "/admin/folders", "/admin/unanswered"):
            await self.ask("GET", address)
        for address in ("/me", "/metrics", "/readyz", "/openapi.json", "/v1/models"):
            await self.ask("GET", address)
        for number, one in enumerate(self.planted):
            await self.ask("GET", f"/documents?query={one.title}")
            for part in ("", "/file", "/receipt", "/text"):
                await self.ask("GET", f"/documents/{one.document_id}{part}", is_hidden=True)
            for question in QUESTIONS:
                text = question.format(title=one.title)
                await self.ask("POST", "/search", {"question": text})
            await self.ask("POST", "/search", {"question": text, "filters": {"document_ids": [one.document_id]}})
            await self.use_tool("search", {"question": text})
            await self.use_tool("read_document", {"document_id": one.document_id})
            messages = [{"role": "user", "content": text}]
            if number % 2:  # a model may be busy with each for a while; two doors, two documents
                await self.ask("POST", "/v1/chat/completions", {"model": "company-assistant", "messages": messages})
            else:
                await self.ask("POST", "/ask", {"question": text})

    async def use_tool(self, name: str, arguments: dict[str, Any]) -> None:
        """Asks for one of the tools at /mcp, where there are any."""
        call = {"name": name, "arguments": arguments}
        await self.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})

    async def ask(
        self, method: str, address: str, body: dict[str, Any] | None = None, *, is_hidden: bool = False
    ) -> str:
        """The answer's text, looked through. `is_hidden`: any status but a refusal says that the document is there."""
        door = f"{method} {address.partition('?')[0]}"
        for one in self.planted:
            door = door.replace(one.document_id, "{document_id}")
        response = await self.client.request(method, address, json=body, headers={**self.headers, **AFTER_PEOPLE})
        self.requests += 1
        if response.status_code in UNANSWERED and address != "/readyz":
            self.unchecked.append(f"{door} as {self.role}: {response.status_code}")
        if is_hidden and response.status_code not in {401, 403, 404} | UNANSWERED:
            self.leaks.append(Leak(self.role, door, f"status {response.status_code}"))
        said = address + json.dumps(body, ensure_ascii=False)
        told = response.text + str(response.headers)
        if address == "/admin/unanswered":  # another check's questions may stand there, and they name the title
            said += "".join(one.title for one in self.planted)
        words = [word for one in self.planted for word in one.words if word in told and word not in said]
        self.leaks += [Leak(self.role, door, word) for word in words]
        return told


async def check_doors(ledger: Ledger, client: httpx.AsyncClient, *, by: str) -> Report:
    """Asks as every role at every door of the API behind `client`, and keeps the report in the audit.

    Raises StoreUnavailable when the ledger or the API does not answer at all.
    """
    planted = await asyncio.to_thread(planted_in, ledger)
    if not planted:
        return Report(0, 0, 0, problem="nothing planted is searchable yet")
    walks = []
    try:
        for role, headers in (("nobody", {}), ("a wrong key", {"Authorization": "Bearer ca_wrong"})):
            walks.append(_Walk(client, role, headers, planted))
            await walks[-1].all_doors()
        for groups in await asyncio.to_thread(roles_in, ledger):
            async with _key(ledger, groups, by=by) as headers:
                walks.append(_Walk(client, "+".join(sorted(groups)) or "everyone", headers, planted))
                await walks[-1].all_doors()
        problem = await _blindness(ledger, client, planted, by=by)
    except httpx.TransportError as error:
        raise StoreUnavailable(
            Text(ja=f"{client.base_url} の API が答えません。", en=f"The API at {client.base_url} does not answer."),
            Text(ja="起動して、もう一度実行してください。", en="Start it, and run this once more."),
        ) from error
    report = Report(
        planted=len(planted),
        roles=len(walks),
        requests=sum(walk.requests for walk in walks),
        leaks=tuple(leak for walk in walks for leak in walk.leaks),
        unchecked=tuple(door for walk in walks for door in walk.unchecked),
        problem=problem,
    )
    await asyncio.to_thread(ledger.record, entry_of(report, by=by))
    return report


async def _blindness(ledger: Ledger, client: httpx.AsyncClient, planted: list[Planted], *, by: str) -> str:
    """Why the check could not have found a leak: who may read the planted documents does not find them either. '' if so."""
    async with _key(ledger, frozenset({GROUP}), by=by) as headers:
        walk = _Walk(client, GROUP, headers, planted)
        for one in planted:
            told = await walk.ask("POST", "/search", {"question": QUESTIONS[0].format(title=one.title)})
            if not any(word in told for word in one.words):
                return f"{one.title} is not found even by who may read it"
    return ""


@asynccontextmanager
async def _key(ledger: Ledger, groups: frozenset[str], *, by: str) -> AsyncIterator[dict[str, str]]:
    """A key of that role for this walk; afterwards it and all that was asked with it are gone."""
    name = f"canary-{secrets.token_hex(4)}"
    ends = (datetime.now(UTC) + timedelta(hours=KEY_HOURS)).isoformat(timespec="milliseconds")

    def make() -> str:
        return ledger.create_key(
            name, groups=groups, scopes=SCOPES, expires_at=ends, questions_per_minute=PER_MINUTE, by=by
        )

    making = asyncio.create_task(asyncio.to_thread(make))
    try:
        yield {"Authorization": f"Bearer {await asyncio.shield(making)}"}
    finally:
        # A server that stops cancels the walk, but not a thread: the key may only now come to be.
        await asyncio.wait({making})
        await asyncio.shield(asyncio.to_thread(ledger.forget_key, name, by=by))


def lines_of(report: Report) -> Iterator[str]:
    """The report for a terminal."""
    yield f"{report.requests} requests as {report.roles} roles for {report.planted} planted documents"
    for leak in report.leaks:
        yield f"LEAK  {leak.door} told {leak.role}: {leak.told}"
    for door in report.unchecked:
        yield f"?     {door}"
    if report.problem:
        yield f"?     {report.problem}"
