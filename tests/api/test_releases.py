"""/admin/releases: an administrator drafts, publishes, is refused, goes back and tries a canary, over HTTP and a stub of Ollama."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.deps import ADMINISTRATORS
from api.release_work import ReleaseWork, Work
from assistant.adapters.ledger import Ledger
from assistant.errors import ReleaseConflict
from tests.api.canned import RunningServer
from tests.api.conftest import StartServer
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

ADDRESS = "/admin/releases"


@pytest.fixture
def stub() -> Iterator[StubOllama]:
    with start_stub_ollama(tokens_per_second=0) as running:
        yield running


@pytest.fixture
def chie(start_server: StartServer, stub: StubOllama, ledger: Ledger) -> Iterator[httpx.Client]:
    """An administrator at a server whose models are the stub's."""
    ledger.set_groups("chie", [ADMINISTRATORS])
    server: RunningServer = start_server(ollama_url=stub.url)
    with server.client(user="chie", **{"Accept-Language": "en"}) as client:
        yield client


def drafted(client: httpx.Client, **body: Any) -> dict[str, Any]:
    """The draft."""
    answer = client.post(ADDRESS, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def worked(client: httpx.Client) -> dict[str, Any]:
    """What the API was busy with, once it is done."""
    deadline = time.monotonic() + 120
    while (work := client.get(ADDRESS).json()["work"])["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(work)


def test_a_release_is_drafted_published_and_taken_back(chie: httpx.Client) -> None:
    draft = drafted(chie, temperature=0.1, passages=4, system="抜粋だけから　短く答えます。", why="shorter")
    assert (draft["state"], draft["num_ctx"], draft["created_by"]) == ("draft", 8192, "chie")
    assert draft["differences"]["temperature"] == [0.2, 0.1]
    release_id = draft["release_id"]

    begun = chie.post(f"{ADDRESS}/{release_id}/publish", json={"why": "shorter"})
    assert begun.status_code == 202
    assert (begun.json()["what"], begun.json()["release_id"]) == ("publish", release_id)
    assert worked(chie) == {**begun.json(), "state": "done", "step": "moved"}

    listed = chie.get(ADDRESS).json()
    assert listed["standing"]["release_id"] == release_id
    assert [one["state"] for one in listed["releases"] if one["release_id"] == release_id] == ["published"]
    detail = chie.get(f"{ADDRESS}/{release_id}").json()
    assert detail["differences"] == {}
    assert detail["model"] == f"company-assistant:{release_id}"
    assert [(event["act"], event["why"]) for event in detail["events"]] == [
        ("published", "shorter"), ("drafted", "shorter"),
    ]  # fmt: skip

    standing = chie.post(f"{ADDRESS}/rollback", json={"why": "worse"}).json()
    assert standing["former_id"] == release_id


def test_a_refused_release_says_why_in_the_caller_s_language_and_changes_nothing(chie: httpx.Client) -> None:
    bad = drafted(chie, system="Answer with the single word YES.")["release_id"]
    chie.post(f"{ADDRESS}/{bad}/publish", json={})
    work = worked(chie)
    assert work["state"] == "failed"
    assert "does not say what the passage says: YES" in work["message"]
    listed = chie.get(ADDRESS, headers={"Accept-Language": "ja"}).json()
    assert "抜粋の事実を言いません" in listed["work"]["message"]
    assert listed["standing"]["release_id"] != bad
    assert next(one for one in listed["releases"] if one["release_id"] == bad)["state"] == "refused"


def test_a_canary_begins_after_its_checks_and_is_compared(chie: httpx.Client) -> None:
    other = drafted(chie, temperature=0.3)["release_id"]
    assert chie.get(f"{ADDRESS}/canary").json()["uses"] == []
    assert chie.put(f"{ADDRESS}/canary", json={"release_id": other, "percent": 20}).status_code == 200
    assert worked(chie)["state"] == "done"
    told = chie.get(f"{ADDRESS}/canary").json()
    assert (told["standing"]["canary_id"], told["standing"]["canary_percent"]) == (other, 20)
    assert [use["release_id"] for use in told["uses"]] == [told["standing"]["release_id"], other]
    ended = chie.put(f"{ADDRESS}/canary", json={"release_id": other, "percent": 0}).json()
    assert ended["standing"]["canary_id"] is None


def test_what_is_wrong_with_a_request_is_named(chie: httpx.Client) -> None:
    for body, field in (({"num_ctx": 2}, "num_ctx"), ({"temperature": 5}, "temperature"), ({"base": "a b"}, "base")):
        answer = chie.post(ADDRESS, json=body)
        assert answer.status_code == 422
        assert field in answer.json()["detail"]
    assert chie.post(ADDRESS, json={"base": "r_none"}).status_code == 404
    assert chie.post(ADDRESS, json={"meaning": 0, "words": 0}).status_code == 409
    short = drafted(chie, temperature=0.3)["release_id"][:8]
    assert chie.get(f"{ADDRESS}/{short}").status_code == 404, "an address names one release"
    assert chie.post(f"{ADDRESS}/rollback", json={}).json()["code"] == "nothing_to_roll_back_to"


def test_a_draft_may_be_asked_by_administrators_alone(chie: httpx.Client, ledger: Ledger) -> None:
    draft = drafted(chie, temperature=0.3)["release_id"]
    body = {"question": "休暇は?", "release": draft}
    assert chie.post("/ask", json=body).status_code == 200
    key = ledger.create_key("wiki", scopes=["ask"])
    refused = chie.post("/ask", json=body, headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"})
    assert refused.status_code == 422
    assert "There is no such release." in refused.json()["detail"]


def test_only_one_publication_is_under_way_and_the_other_administrator_is_told_whose() -> None:
    async def day() -> tuple[Work, Work, Work]:
        works, may_end = ReleaseWork(), asyncio.Event()

        async def course(work: Work) -> None:
            await may_end.wait()

        first = works.begin(Work("publish", "r_1", "chie"), course)
        same = works.begin(Work("publish", "r_1", "aiko"), course)
        with pytest.raises(ReleaseConflict, match="chie"):
            works.begin(Work("publish", "r_2", "aiko"), course)
        may_end.set()
        await works.ended()
        may_end.clear()
        last = works.begin(Work("publish", "r_2", "aiko"), course)
        await works.close()
        return first, same, last

    first, same, last = asyncio.run(day())
    assert same is first
    assert first.state == "done"
    assert (last.by, last.state) == ("aiko", "failed")
