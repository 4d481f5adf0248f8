"""The administrator's system, keys, users and audit over HTTP: what is told, what is refused, and what never leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from api.deps import ADMINISTRATORS
from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.domain import DependencyState
from assistant.embedders import Embedders
from assistant.generation import EmbedderSpec
from assistant.people import User
from assistant.release.examining.matters import matter_of
from assistant.settings import Settings
from assistant.users_file import sync_users
from tests.api.canned import PROXY_SECRET, CannedAssistant, RunningServer
from tests.api.conftest import StartServer
from tests.stubs.ollama.process import start_stub_ollama

PATIENCE_SECONDS = 60
AWAY = DependencyState(
    "vectors", "fail", "Chroma does not answer.", "Chroma を起動してください。", "Start Chroma: assistant up."
)


@pytest.fixture
def chie(server: RunningServer, ledger: Ledger) -> Iterator[httpx.Client]:
    """The administrator, who is in the board as well."""
    sync_users(ledger, [User("chie", groups=frozenset({"board", ADMINISTRATORS})), User("ben")], by="cli")
    with server.client(user="chie", **{"Accept-Language": "ja"}) as client:
        yield client


def stores() -> Any:
    """As much of the stores as the doctor looks at before anything was ingested."""
    embedder = FakeEmbedder()
    spec = EmbedderSpec("embedded", "")
    return SimpleNamespace(embedder_in_use=lambda: embedder, embedders=Embedders(embedder, spec, lambda _: embedder))


def with_ledger(ledger: Ledger, **more: Any) -> Any:
    """Keywords for a server whose stores the doctor can look at."""
    known = stores()
    known.ledger = ledger
    return {"stores": known, **more}


def examined(client: httpx.Client) -> dict[str, Any]:
    """The check-up once it has ended."""
    assert client.post("/admin/doctor").status_code == 202
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (told := client.get("/admin/doctor").json())["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(told)


def test_a_check_up_says_what_the_doctor_says_the_worst_first_and_never_ok_without_having_looked(
    start_server: StartServer, ledger: Ledger
) -> None:
    ledger.set_groups("chie", [ADMINISTRATORS])
    server = start_server(
        **with_ledger(ledger, states=[AWAY, replace(AWAY, name="ledger", state="ok", seen="answers")])
    )
    with server.client(user="chie", **{"Accept-Language": "ja"}) as client:
        assert client.get("/admin/doctor").json()["state"] == "never"
        told = examined(client)
    assert (told["state"], told["by"]) == ("done", "chie")
    by_name = {finding["name"]: finding for finding in told["findings"]}
    worst = by_name["vectors"]
    assert (worst["state"], worst["command"]) == ("fail", "assistant up --only chroma")
    assert worst["why"] == matter_of("vectors").why.ja
    assert worst["hint"] == AWAY.hint_ja
    states = [finding["state"] for finding in told["findings"]]
    assert states == sorted(states, key=["fail", "warn", "unchecked", "ok"].index)
    assert by_name["gpu_driver"]["state"] == "unchecked"  # a machine on which nothing is to be seen
    assert PROXY_SECRET not in str(told)


def test_a_check_up_that_breaks_is_told_as_failed_and_the_next_one_can_begin(
    start_server: StartServer, ledger: Ledger
) -> None:
    ledger.set_groups("chie", [ADMINISTRATORS])
    server = start_server()  # its stores lack what the doctor needs
    with server.client(user="chie", **{"Accept-Language": "en"}) as client:
        first = examined(client)
        assert (first["state"], first["findings"]) == ("failed", [])
        assert "unforeseen" in first["problem"]
        assert examined(client)["started_at"] > first["started_at"]


def test_the_system_tells_the_line_and_what_ollama_has_in_memory(ledger: Ledger) -> None:
    ledger.set_groups("chie", [ADMINISTRATORS])
    with start_stub_ollama(tokens_per_second=0) as stub:
        settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, ollama_url=stub.url, model_parallel=3)
        with (
            RunningServer(settings, CannedAssistant(ledger)) as server,
            server.client(user="chie") as client,
        ):
            before = client.get("/admin/system").json()
            chat = {"model": "company-assistant", "messages": [], "stream": False}
            httpx.post(f"{stub.url}/api/chat", json=chat, timeout=PATIENCE_SECONDS, trust_env=False).raise_for_status()
            after = client.get("/admin/system").json()
    assert (before["models"], before["models_problem"]) == ([], None)
    (model,) = after["models"]
    assert model["name"] == "company-assistant:latest"
    assert model["num_ctx"] > 0
    assert 0 <= model["vram_bytes"] <= model["size_bytes"]
    assert [line["parallel"] for line in after["lines"]] == [3]
    assert after["most_present"] == 3 + settings.queue_limit


def test_an_ollama_that_is_away_is_told_and_not_an_error(chie: httpx.Client) -> None:
    told = chie.get("/admin/system")
    assert told.status_code == 200
    assert told.json()["models"] is None
    assert "Ollama" in told.json()["models_problem"]


def test_a_key_made_over_http_works_until_it_is_revoked_and_is_told_once(
    chie: httpx.Client, server: RunningServer
) -> None:
    wanted = {"name": "社内 wiki", "scopes": ["documents"], "groups": ["board"], "days": 30, "questions_per_minute": 5}
    response = chie.post("/admin/keys", json=wanted)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    key, made = response.json()["key"], response.json()["made"]
    assert key.startswith(made["prefix"])
    assert made["groups"] == ["board"]
    with server.client(user=None, Authorization=f"Bearer {key}") as app:
        assert app.get("/documents").status_code == 200
        assert app.get("/admin/keys").status_code == 403
        assert chie.post("/admin/keys", json=wanted).status_code == 409
        for address in ("/admin/keys", "/admin/audit", "/admin/system"):
            assert key not in chie.get(address).text
        assert chie.post("/admin/keys/revoke", json={"name": "社内 wiki"}).status_code == 204
        assert app.get("/documents").status_code == 401
    assert chie.post("/admin/keys/revoke", json={"name": "社内 wiki"}).status_code == 404
    assert chie.get("/admin/keys").json()["keys"][0]["state"] == "revoked"
    assert chie.post("/admin/keys", json=wanted).status_code == 201  # the name is free again


def test_nobody_gives_a_key_what_they_do_not_hold(chie: httpx.Client, server: RunningServer, ledger: Ledger) -> None:
    held = chie.get("/admin/keys").json()
    assert held["groups"] == [ADMINISTRATORS, "board"]
    refused = chie.post("/admin/keys", json={"name": "x", "scopes": ["ask"], "groups": ["salaries", "board"]})
    assert refused.status_code == 403
    assert "salaries" in refused.json()["detail"]
    narrow = ledger.create_key("narrow", scopes=["admin"])
    with server.client(user=None, Authorization=f"Bearer {narrow}") as app:
        assert app.get("/admin/keys").json()["scopes"] == ["admin"]
        assert app.post("/admin/keys", json={"name": "y", "scopes": ["ask"]}).status_code == 403
    assert [key["name"] for key in chie.get("/admin/keys").json()["keys"]] == ["narrow"]


@pytest.mark.parametrize("name", ["", " x", "x ", "a/b", "x\n", "n" * 65])
def test_a_key_needs_a_name_that_one_can_say(chie: httpx.Client, name: str) -> None:
    assert chie.post("/admin/keys", json={"name": name, "scopes": ["ask"]}).status_code == 422


def test_a_disabled_user_is_out_at_once_and_nobody_disables_themselves(
    chie: httpx.Client, server: RunningServer
) -> None:
    with server.client(user="ben") as ben:
        assert ben.get("/me").status_code == 200
        assert chie.put("/admin/users/state", json={"name": "ben", "is_disabled": True}).json()["is_disabled"]
        assert ben.get("/me").status_code == 403
        chie.put("/admin/users/state", json={"name": "ben", "is_disabled": False})
        assert ben.get("/me").status_code == 200
    assert chie.put("/admin/users/state", json={"name": "chie", "is_disabled": True}).status_code == 409
    assert chie.put("/admin/users/state", json={"name": "nobody", "is_disabled": True}).status_code == 404


def test_a_users_file_decides_alone(start_server: StartServer, ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text('[users.chie]\ngroups = ["administrators"]\n[users.ben]\n', encoding="utf-8")
    server = start_server(door={"users_file": file})
    with server.client(user="chie", **{"Accept-Language": "en"}) as chie:
        told = chie.get("/admin/users").json()
        assert (told["is_in_file"], told["file"]) == (True, str(file))
        refused = chie.put("/admin/users/state", json={"name": "ben", "is_disabled": True})
    assert refused.status_code == 409
    assert "disabled = true" in refused.json()["hint"]
    assert not ledger.standing_of("ben").is_disabled


def test_the_audit_is_told_newest_first_by_person_act_and_day_and_each_look_is_an_entry(
    chie: httpx.Client, ledger: Ledger
) -> None:
    for number in range(3):
        chie.post("/admin/keys", json={"name": f"app-{number}", "scopes": ["ask"]})
    first = chie.get("/admin/audit", params={"act": "key_created", "limit": 2}).json()
    assert [entry["subject"] for entry in first["entries"]] == ["app-2", "app-1"]
    rest = chie.get("/admin/audit", params={"act": "key_created", "limit": 2, "cursor": first["next"]}).json()
    assert ([entry["subject"] for entry in rest["entries"]], rest["next"]) == (["app-0"], None)
    today = first["entries"][0]["at"][:10]
    of_today = {"actor": "chie", "act": "key_created", "since": today, "until": today}
    assert len(chie.get("/admin/audit", params=of_today).json()["entries"]) == 3
    assert (
        chie.get("/admin/audit", params=of_today | {"until": "2020-01-01", "since": "2019-01-01"}).json()["entries"]
        == []
    )
    assert chie.get("/admin/audit", params={"actor": "ben"}).json()["entries"] == []
    newest = ledger.last_entry(Act.VIEWED)
    assert newest is not None
    assert (newest.actor, newest.subject, newest.details) == ("chie", "/admin/audit", {"actor": "ben"})
    assert (first["questions"], first["keep_days"]) == ("hashed", 365)
