"""/v1 with the programs that apps use: they find the model, ask, stream, are refused in their own terms, and hang up.

Long, because they are installed first. The openai package for Python is in every run: tests/api/test_openai.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant import domain
from tests.api.canned import ANSWER, FOREVER, FOUND, RunningServer
from tests.api.conftest import StartServer
from tests.clients.conftest import python_environment

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

HERE = Path(__file__).parent
FIRST = "取得"
SOURCES = "\n\n出典:\n[1] 休暇規程 (人事/休暇規程.txt 3ページ)"
WHOLE = ANSWER.text + SOURCES
COUNTED = replace(ANSWER, context=replace(ANSWER.context, answer_tokens=24))
PLAIN = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
"""A company's proxy has no place between a test and loopback."""


@pytest.fixture
def good(start_server: StartServer) -> RunningServer:
    """A server that answers."""
    return start_server(course=(FOUND, domain.Token(ANSWER.text), domain.Finished(COUNTED)))


@pytest.fixture
def slow(start_server: StartServer) -> RunningServer:
    """A server whose model says one word and then nothing."""
    return start_server(course=(FOUND, domain.Token(FIRST), FOREVER))


def said(command: list[str | Path], **more: Any) -> str:
    """Standard output of the program."""
    done = subprocess.run(command, capture_output=True, text=True, env=PLAIN | more.pop("env", {}), timeout=300, **more)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize(
    ("pins", "script"), [("langchain-llm", "ask_langchain.py"), ("llama-index", "ask_llama_index.py")]
)
def test_a_python_framework_asks_streams_is_refused_and_hangs_up(
    good: RunningServer, slow: RunningServer, key: str, pins: str, script: str
) -> None:
    seen = json.loads(said([python_environment(pins) / "python", HERE / script, good.url, key, slow.url]))
    assert seen["answer"] == seen["streamed"] == WHOLE
    assert seen["usage"] == [900, 24]
    assert seen.get("streamed_usage", 24) == 24
    assert seen["refused"] == "not_authenticated"
    assert seen["first"] == FIRST
    slow.assistant.wait_closed()


def test_the_node_package_asks_streams_is_refused_and_hangs_up(
    good: RunningServer, slow: RunningServer, key: str, node_clients: Path, tmp_path: Path
) -> None:
    script = node_clients / "ask_node.mjs"
    script.write_bytes((HERE / "ask_node.mjs").read_bytes())
    seen = json.loads(said(["node", script, good.url, key, slow.url]))
    assert seen == {
        "models": ["company-assistant"],
        "answer": WHOLE,
        "citations": 1,
        "streamed": WHOLE,
        "usage": [900, 24],
        "streamed_usage": 24,
        "refused": "not_authenticated",
        "first": FIRST,
    }
    slow.assistant.wait_closed()


def test_llm_asks_streams_is_refused_and_hangs_up(
    good: RunningServer, slow: RunningServer, key: str, tmp_path: Path
) -> None:
    program = python_environment("langchain-llm") / "llm"
    models = [
        {"model_id": name, "model_name": "company-assistant", "api_base": server.url + "/v1", "api_key_name": "x"}
        for name, server in (("company", good), ("slow", slow))
    ]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(models))
    home = {"LLM_USER_PATH": str(tmp_path)}
    llm: list[str | Path] = [program, "prompt", "--no-log", "-m"]
    assert "company" in said([program, "models", "list"], env=home)
    assert said([*llm, "company", "--key", key, "期限は?"], env=home).strip() == WHOLE
    assert said([*llm, "company", "--no-stream", "--key", key, "期限は?"], env=home).strip() == WHOLE
    refused = subprocess.run(
        [*llm, "company", "--key", "ca_wrong", "期限は?"], env=PLAIN | home, capture_output=True, text=True
    )
    assert refused.returncode != 0
    assert "誰からの問い合わせか分かりません" in refused.stderr
    with subprocess.Popen([*llm, "slow", "--key", key, "期限は?"], env=PLAIN | home, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        assert asking.stdout.read(len(FIRST.encode())).decode() == FIRST
        asking.send_signal(signal.SIGINT)
        slow.assistant.wait_closed()


def test_curl_asks_streams_is_refused_and_hangs_up(good: RunningServer, slow: RunningServer, key: str) -> None:
    question = {"model": "company-assistant", "messages": [{"role": "user", "content": "期限は?"}]}
    curl: list[str | Path] = [
        "curl",
        "-sSN",
        "-H",
        f"Authorization: Bearer {key}",
        "-H",
        "Content-Type: application/json",
    ]
    chat = good.url + "/v1/chat/completions"
    assert json.loads(said([*curl, good.url + "/v1/models"]))["data"][0]["id"] == "company-assistant"
    whole = json.loads(said([*curl, chat, "-d", json.dumps(question)]))
    assert whole["choices"][0]["message"]["content"] == WHOLE
    frames = said([*curl, chat, "-d", json.dumps(question | {"stream": True})]).split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    refused = json.loads(said(["curl", "-sS", good.url + "/v1/models", "-H", "Authorization: Bearer ca_wrong"]))
    assert refused["error"]["type"] == "authentication_error"
    asking = subprocess.Popen([*curl, slow.url + "/v1/chat/completions", "-d", json.dumps(question | {"stream": True})])
    slow.assistant.wait_asked()
    time.sleep(0.2)
    asking.terminate()
    asking.wait()
    slow.assistant.wait_closed()
