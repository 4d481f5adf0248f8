"""Plans of memory over HTTP: the same figures as the command's, for any model that Ollama or the catalogue knows."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from api.deps import ADMINISTRATORS
from assistant.__main__ import app
from assistant.adapters.ledger import Ledger
from assistant.domain import ContextUse, Principal
from assistant.settings import Settings
from tests.api.canned import ANSWER, PROXY_SECRET, CannedAssistant, RunningServer
from tests.stubs.ollama.process import start_stub_ollama

LLAMA = "llama3.1:8b-instruct-q4_K_M"


@pytest.fixture
def chie(server: RunningServer, ledger: Ledger) -> Iterator[httpx.Client]:
    """The administrator; the server's Ollama is away."""
    ledger.set_groups("chie", [ADMINISTRATORS])
    with server.client(user="chie", **{"Accept-Language": "ja"}) as client:
        yield client


def planned(client: httpx.Client, **wanted: Any) -> dict[str, Any]:
    """A plan of Llama 3.1 8B for four at once, without an embedder."""
    asked = {"model": LLAMA, "num_ctx": 8192, "parallel": 4, "embedder": "none"} | wanted
    response = client.get("/admin/capacity/plan", params=asked)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_a_model_fits_a_large_gpu_and_not_a_small_one_and_the_largest_that_does_is_named(chie: httpx.Client) -> None:
    large, small = planned(chie, gpu_gib=16), planned(chie, gpu_gib=4)
    assert (large["verdict"], large["verdict_words"], large["is_gpu"]) == ("fits", "収まります", True)
    assert (small["verdict"], small["largest_num_ctx"], small["largest_parallel"]) == ("too_large", 0, 0)
    assert sum(part["size_bytes"] for part in large["parts"]) == large["total_bytes"]
    longest = planned(chie, gpu_gib=16, num_ctx=large["largest_num_ctx"])
    assert longest["verdict"] == "fits"
    assert planned(chie, gpu_gib=16, num_ctx=large["largest_num_ctx"] + 1024)["verdict"] != "fits"
    assert [cell["kv_type"] for cell in large["table"][0]["cells"]] == ["f16", "q8_0", "q4_0"]


def test_the_screen_is_told_the_same_figures_as_the_terminal(
    chie: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSISTANT_OLLAMA_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path / "var"))
    command = ["capacity", "plan", LLAMA, "--gpu-memory", "24", "--gpu-memory", "24", "--num-ctx", "16384"]
    done = CliRunner().invoke(app, [*command, "--parallel", "8", "--kv", "q4_0", "--embedder", "bge-m3", "--json"])
    printed = json.loads(done.stdout)
    told = planned(chie, gpu_gib=[24, 24], num_ctx=16384, parallel=8, kv_type="q4_0", embedder="bge-m3")
    assert {part["name"]: part["size_bytes"] for part in told["parts"]} == printed["parts_bytes"]
    names = ("total_bytes", "free_bytes", "verdict", "largest_num_ctx", "largest_parallel", "planned_bytes")
    assert {name: told[name] for name in names} == {name: printed[name] for name in names}


def test_what_the_engine_would_do_silently_is_said(chie: httpx.Client) -> None:
    told = planned(chie, gpu_gib=24, flash_attention="off")
    assert (told["kv_type"], told["used_kv_type"]) == ("q8_0", "f16")
    assert any("f16" in notice for notice in told["notices"])
    without = planned(chie)  # no GPU was entered, and none is here
    if not without["is_gpu"]:
        assert without["room_bytes"] > 0
        assert not any("--gpu-memory" in notice for notice in without["notices"])


def test_a_model_that_nobody_knows_is_not_found_and_the_hint_names_those_that_are(chie: httpx.Client) -> None:
    refused = chie.get("/admin/capacity/plan", params={"model": "no-such-model"})
    assert refused.status_code == 404
    assert LLAMA in refused.json()["hint"]


def test_an_ollama_that_is_away_leaves_the_catalogue(chie: httpx.Client) -> None:
    told = chie.get("/admin/capacity").json()
    assert "Ollama" in told["models_problem"]
    assert LLAMA in [model["name"] for model in told["models"]]
    assert told["machine_bytes"] > 0


def test_a_gpu_that_does_not_tell_its_memory_is_to_be_entered(
    chie: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Unable to determine the device handle'\nexit 9\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "nvidia-smi" in chie.get("/admin/capacity").json()["gpu_problem"]
    refused = chie.get("/admin/capacity/plan", params={"model": LLAMA, "embedder": "none"})
    assert refused.status_code == 422
    assert planned(chie, gpu_gib=16)["verdict"] == "fits"


def test_installed_models_are_planned_by_their_own_files_and_the_advice_is_by_real_prompts(ledger: Ledger) -> None:
    ledger.set_groups("chie", [ADMINISTRATORS])
    use = ContextUse(num_ctx=8192, prompt_tokens=3000, counted_by="model", passages_used=6, passages_dropped=0)
    with start_stub_ollama(tokens_per_second=0) as stub:
        settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, ollama_url=stub.url)
        with RunningServer(settings, CannedAssistant(ledger)) as server, server.client(user="chie") as client:
            told = client.get("/admin/capacity").json()
            installed = [model["name"] for model in told["models"] if model["is_installed"]]
            assert told["model"] == "company-assistant"
            assert "company-assistant:latest" in installed
            plan = client.get("/admin/capacity/plan", params={"gpu_gib": 80}).json()
            assert "/api/show" in plan["source"]
            assert client.get("/admin/capacity/advice").json()["advice"] == "unknown"
            for number in range(60):
                answer = replace(ANSWER, context=use, citations=(), answer_id=f"a_{number}")
                ledger.save_answer(answer, question="期限は?", principal=Principal("ben"))
            advice = client.get("/admin/capacity/advice", headers={"Accept-Language": "en"}).json()
    assert (advice["advice"], advice["questions"]) == ("shorten", 60)
    assert advice["needed_tokens"] == 3000 + settings.num_predict
    assert "60 questions" in advice["lines"][0]
