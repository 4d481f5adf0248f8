"""The permission canary: planted for nobody, asked for as everybody through every door of the real API."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from assistant.adapters.canary_doors import check_doors, lines_of
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.schema import answers, conversations
from assistant.audit import Act
from assistant.canary import GROUP, WARDEN, Report, folder_of, plant, planted_in, readers_in, roles_in, state_of
from assistant.domain import EVERYONE
from assistant.errors import StoreUnavailable
from assistant.settings import Door
from ingest.pipeline import Run
from ingest.rules import Rule, canary_rules
from ingest.worker import SETTLE_SECONDS
from tests.api.canned import RunningServer
from tests.api.test_door import wait_until
from tests.journeys.company import CAST, Company, a_company, its_api

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _few_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """One group alone and all together: each role is forty requests."""
    monkeypatch.setattr("assistant.canary.MOST_ROLES", 1)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One with a few documents and two planted ones; a rule that opens everything does not open those."""
    with a_company(tmp_path_factory.mktemp("company")) as made:
        del made.planted[3:]
        made.write("人事部", "全社")
        made.ingest()
        data_folder = made.root.parent
        folder = plant(data_folder)
        assert plant(data_folder) == folder == folder_of(data_folder)
        rules = (Rule("**", groups=(EVERYONE,)), *canary_rules(folder, data_folder))
        Run(made.stores, made.parser, rules, settle_seconds=SETTLE_SECONDS).run(folder)  # as the worker does at once
        yield made


@pytest.fixture(scope="module")
def server(company: Company) -> Iterator[RunningServer]:
    with its_api(company) as running:
        yield running


def check(company: Company, server: RunningServer) -> Report:
    """What a check of the running API finds."""

    async def walk() -> Report:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
            return await check_doors(company.ledger, client, by="cli:root")

    return asyncio.run(walk())


def test_planted_documents_are_for_their_warden_alone(company: Company) -> None:
    planted = planted_in(company.ledger)
    assert len(planted) == 2
    for one in planted:
        assert len(one.words) >= 3
        for principal in CAST.values():
            told = repr(company.search(f"見張り {one.title} の合言葉は何ですか?", principal))
            assert [word for word in one.words if word in told] == []
        assert one.words[0] in repr(company.search(one.title, WARDEN))
    assert not company.ledger.has_restricted_documents() or {"人事部"} <= company.ledger.groups_of_documents()


def test_a_tight_door_gives_a_good_report_that_leaves_nothing_behind(company: Company, server: RunningServer) -> None:
    report = check(company, server)
    assert report.is_good, report
    assert report.roles == 2 + len(roles_in(company.ledger))
    assert report.requests > 25 * report.roles
    assert company.ledger.list_keys() == []
    with company.ledger._engine.begin() as connection:
        assert connection.execute(select(answers.c.answer_id)).all() == []
        assert connection.execute(select(conversations.c.conversation_id)).all() == []
    last = company.ledger.last_entry(Act.CANARY_CHECKED)
    assert last is not None
    assert (last.actor, last.details["leaks"]) == ("cli:root", [])
    assert state_of(last, readers=[], most_hours=24).state == "ok"
    assert state_of(last, readers=["ben"], most_hours=24).state == "warn"
    assert state_of(None, readers=[], most_hours=24).state == "ok"
    assert "roles" in next(lines_of(report))


def test_a_document_that_became_readable_is_found_at_every_door_it_leaks_from(
    company: Company, server: RunningServer
) -> None:
    one = planted_in(company.ledger)[0]
    company.ledger.set_document_groups(one.document_id, [GROUP, "人事部"])
    try:
        report = check(company, server)
    finally:
        company.ledger.set_document_groups(one.document_id, [GROUP])
    doors = {leak.door for leak in report.leaks}
    assert doors >= {"GET /documents", "POST /search", "POST /ask", "POST /mcp"} | {
        f"GET /documents/{{document_id}}{part}" for part in ("", "/file", "/receipt", "/text")
    }
    assert all("人事部" in leak.role for leak in report.leaks)
    last = company.ledger.last_entry(Act.CANARY_CHECKED)
    state = state_of(last, readers=[], most_hours=24)
    assert state.state == "fail"
    assert "leaks" in state.seen


def test_a_single_route_that_forgets_the_rights_is_found(
    company: Company, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Ledger.receipt

    def forgetful(self: Ledger, document_id: str, *, principal: Any) -> Any:
        return own(self, document_id, principal=WARDEN)

    monkeypatch.setattr(Ledger, "receipt", forgetful)
    report = check(company, server)
    assert {leak.door for leak in report.leaks} == {"GET /documents/{document_id}/receipt"}
    assert len(report.leaks) >= 2


def test_a_check_that_could_find_nothing_is_not_good(
    company: Company, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.adapters.canary_doors.QUESTIONS", ("無関係な話", "nothing"))
    report = check(company, server)
    assert "not found even by who may read it" in report.problem
    assert not report.is_good
    assert state_of(company.ledger.last_entry(Act.CANARY_CHECKED), readers=[], most_hours=24).state == "warn"


def test_an_api_that_does_not_answer_is_an_error_and_no_good_report(company: Company) -> None:
    async def walk() -> Report:
        async with httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False) as client:
            return await check_doors(company.ledger, client, by="cli")

    with pytest.raises(StoreUnavailable, match="does not answer"):
        asyncio.run(walk())
    assert company.ledger.list_keys() == []


def test_the_api_checks_by_itself_and_shows_it_in_its_metrics(company: Company) -> None:
    with its_api(company, door=Door(canary_hours=0.00001, recheck_seconds=0.05)) as server:
        metrics = server.app.state.edge.metrics
        wait_until(lambda: metrics.canary_leaks._value.get() == 0 and metrics.canary_checked._value.get() > 0)
        with server.client(user=None) as client:
            assert "assistant_canary_leaks 0.0" in client.get("/metrics").text
        one = planted_in(company.ledger)[0]
        company.ledger.set_document_groups(one.document_id, [GROUP, EVERYONE])
        try:
            wait_until(lambda: metrics.canary_leaks._value.get() > 0)
        finally:
            company.ledger.set_document_groups(one.document_id, [GROUP])
        wait_until(lambda: "canary_leaks" in server.log_text)
    assert [key for key in company.ledger.list_keys() if key.revoked_at is None] == []


def test_a_walk_that_is_cut_off_while_its_key_is_made_leaves_no_key(
    company: Company, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, begun, may_go_on = Ledger.create_key, threading.Event(), threading.Event()

    def slow(self: Ledger, *given: Any, **named: Any) -> str:
        begun.set()
        assert may_go_on.wait(30)
        return own(self, *given, **named)

    monkeypatch.setattr(Ledger, "create_key", slow)

    async def cut_off() -> None:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
            walk = asyncio.create_task(check_doors(company.ledger, client, by="api"))
            await asyncio.to_thread(begun.wait)
            walk.cancel()
            await asyncio.sleep(0.05)
            may_go_on.set()
            await asyncio.wait({walk})
            assert walk.cancelled()

    asyncio.run(cut_off())
    assert company.ledger.list_keys() == []


def test_before_anything_is_planted_nothing_is_checked_and_nothing_claimed(tmp_path: Path) -> None:
    with a_company(tmp_path) as company, its_api(company) as server:
        report = check(company, server)
        assert (report.planted, report.problem) == (0, "nothing planted is searchable yet")
        assert math.isnan(server.app.state.edge.metrics.canary_leaks._value.get())
        assert company.ledger.last_entry(Act.CANARY_CHECKED) is None


def test_people_and_keys_in_the_group_are_named(company: Company) -> None:
    company.ledger.set_groups("emi", [GROUP])
    company.ledger.create_key("wiki", groups=[GROUP])
    try:
        assert readers_in(company.ledger) == ["emi", "app:wiki"]
    finally:
        company.ledger.set_groups("emi", [])
        company.ledger.forget_key("wiki", by="cli")
