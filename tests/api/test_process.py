"""`python -m api` as a process: signals in mid-stream, sentences instead of tracebacks, nothing done at import."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.main import create_app
from assistant.settings import Settings
from tests.api.canned import PROXY_SECRET, asking

ROOT = Path(__file__).parents[2]
MODELFILE = ROOT / "modelfiles/company-assistant.Modelfile"


def environment(**given: str) -> dict[str, str]:
    """This process's environment without the settings of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    return inherited | {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "LC_ALL": ""} | given


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server whose model never answers."""
    command = [sys.executable, "-m", "tests.api.canned_process", str(tmp_path), "silent"]
    started = subprocess.Popen(
        command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with started:
        yield started
        started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_leaves_open_streams_time_and_a_second_one_ends_them_and_exits_cleanly(
    process: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert process.stdout is not None
    port = int(process.stdout.readline())
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=10) as client:
        with asking(client) as stream, asking(client) as waiting:
            assert stream.next().name == "found"
            assert [waiting.next().name, waiting.next().name] == ["found", "queued"]
            process.send_signal(number)
            assert stream.next().name == ":", "heartbeats go on"
            refused = client.post("/ask", json={"question": "leave"})
            assert (refused.status_code, refused.json()["code"]) == (503, "shutting_down")
            assert int(refused.headers["retry-after"]) > 0
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
            started = time.perf_counter()
            process.send_signal(number)
            ends = [stream.rest(), waiting.rest()]
            assert time.perf_counter() - started < 20
        for events in ends:
            assert [event.name for event in events if event.name not in {":", "queued"}] == ["error"]
            assert events[-1].data["code"] == "shutting_down"
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == "closed 2\n"
    assert "Traceback" not in err
    lines = [json.loads(line) for line in err.splitlines()]
    assert {line["event"] for line in lines} >= {"listening", "request", "draining", "Shutting down"}


def api(*, cwd: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """`python -m api` in a folder of its own, which must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "api"], env=environment(**given), cwd=cwd, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("locale", "word"), [("ja_JP.UTF-8", "設定はありません"), ("en_US.UTF-8", "There is no setting")]
)
def test_an_unknown_setting_is_a_sentence_in_the_callers_language(tmp_path: Path, locale: str, word: str) -> None:
    ended = api(cwd=tmp_path, LANG=locale, ASSISTANT_API_PROT="1")
    assert ended.returncode == 2
    assert word in ended.stderr
    assert "ASSISTANT_API_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = api(cwd=tmp_path, ASSISTANT_API_PORT=str(port))
    assert ended.returncode == 2
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "ASSISTANT_API_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_modelfile_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ended = api(cwd=tmp_path, ASSISTANT_API_PORT=str(port), ASSISTANT_MODELFILE=str(tmp_path / "none"))
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert str(tmp_path / "none") in ended.stderr
    assert "→" in ended.stderr


def test_an_app_without_an_assistant_opens_its_own_and_closes_it(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_folder=tmp_path, answers="quotes", modelfile=MODELFILE)

    async def live() -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            assert app.state.edge.assistant.chat_model_name == "quotes"
            assert not app.state.edge.closing.is_set()
        assert app.state.edge.closing.is_set()

    asyncio.run(live())


def test_importing_the_edge_opens_and_configures_nothing(tmp_path: Path) -> None:
    code = (
        "import os, sys, threading, structlog; before = set(os.listdir('.'))\n"
        "import api.main, api.__main__\n"
        "assert 'assistant.wiring' not in sys.modules and 'chromadb' not in sys.modules\n"
        "assert threading.active_count() == 1 and set(os.listdir('.')) == before\n"
        "assert not structlog.is_configured()\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(), cwd=tmp_path, check=True, timeout=60)
