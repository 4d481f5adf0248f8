"""docker/ollama-entrypoint.sh, run as the compose file runs it, with the stub server behind the `ollama` command."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compose import ollama_program
from tests.compose.compose_file import PROJECT, load_config
from tests.compose.native_stack import NativeStack, Running
from tests.compose.processes import processes_of_session

BASE = "llama3.1:8b-instruct-q4_K_M"
EMBEDDER = "nomic-embed-text"
FULL_WIDTH_SPACE = "\u3000"
SCRIPT = PROJECT / "docker" / "ollama-entrypoint.sh"


class Entrypoint:
    """The ollama service with a Modelfile of its own, waits of a second, and the models that a test names."""

    def __init__(self, folder: Path) -> None:
        self.stack = NativeStack(load_config(folder), folder, ollama_program.install(folder / "programs"))
        self.modelfile = folder / "modelfiles" / "company-assistant.Modelfile"
        self.modelfile.parent.mkdir()
        self.modelfile.write_text((PROJECT / "modelfiles" / "company-assistant.Modelfile").read_text(encoding="utf-8"))
        waits = {"ENTRYPOINT_FIRST_WAIT_SECONDS": "1", "ENTRYPOINT_LONGEST_WAIT_SECONDS": "2"}
        self.environment = self.stack.added["ollama"] = waits

    def start(self, *models: str) -> Running:
        """The script, with a server that has these models at first."""
        self.environment["STUB_MODELS"] = ",".join(models)
        return self.stack.start("ollama")

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://{self.stack.addresses['ollama']}:11434"

    def requests(self, path: str) -> list[dict[str, Any]]:
        """Bodies that the server got on this path, oldest first."""
        entries = httpx.get(f"{self.url}/__requests", trust_env=False).json()
        return [entry["body"] for entry in entries if entry["path"] == path]

    def show(self) -> dict[str, Any]:
        """What the server says of company-assistant."""
        answer: dict[str, Any] = httpx.post(
            f"{self.url}/api/show", json={"model": "company-assistant"}, trust_env=False
        ).json()
        return answer


def eventually(is_true: Callable[[], object], running: Running, *, seconds: float = 100.0) -> None:
    """Returns when it is true; fails with the script's log."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, running.text()
        time.sleep(0.1)


@pytest.fixture
def entrypoint(tmp_path: Path) -> Iterator[Entrypoint]:
    """Nothing of it is left running."""
    made = Entrypoint(tmp_path)
    yield made
    made.stack.stop_all()


def test_with_the_models_there_it_becomes_healthy_without_asking_the_network(entrypoint: Entrypoint) -> None:
    entrypoint.start(BASE, EMBEDDER)
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    assert entrypoint.requests("/api/pull") == []
    loaded = {model["name"] for model in httpx.get(f"{entrypoint.url}/api/ps", trust_env=False).json()["models"]}
    assert loaded == {"company-assistant:latest", f"{EMBEDDER}:latest"}
    system = re.search(r'SYSTEM """(.*)"""', entrypoint.modelfile.read_text(encoding="utf-8"), re.DOTALL)
    assert system is not None
    assert entrypoint.show()["system"] == system[1]
    assert re.search(r"num_ctx +8192", entrypoint.show()["parameters"])


def test_without_models_and_network_it_says_so_in_both_languages_and_keeps_trying(entrypoint: Entrypoint) -> None:
    running = entrypoint.start()
    eventually(lambda: running.text().count("Trying again") >= 2, running)
    asked = entrypoint.stack.health("ollama")
    assert asked.returncode == 1
    assert f"モデル {BASE} がこのサーバーになく、ダウンロードもできません" in asked.stdout
    assert f"The model {BASE} is not on this server and cannot be downloaded" in asked.stdout
    assert "no such host" in asked.stdout
    assert running.process.poll() is None
    assert [int(text) for text in re.findall(r"again in (\d+) seconds", running.text())][:2] == [1, 2]


def test_it_recovers_by_itself_when_the_network_comes_back(entrypoint: Entrypoint) -> None:
    running = entrypoint.start()
    eventually(lambda: "Trying again" in running.text(), running)
    httpx.post(f"{entrypoint.url}/__faults", json={"kind": "pull_works"}, trust_env=False).raise_for_status()
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    assert re.search(rf"\[ollama\] {re.escape(BASE)} [0-9a-f]{{12}} 100% ", running.text())
    assert "\x1b" not in running.text()
    assert entrypoint.show()["details"]["parent_model"] == BASE


def test_a_modelfile_with_characters_that_create_would_delete_is_refused_by_line(entrypoint: Entrypoint) -> None:
    text = entrypoint.modelfile.read_text(encoding="utf-8")
    line = 1 + text[: text.index("数字・日付")].count("\n")
    entrypoint.modelfile.write_text(text.replace("数字・日付", f"数字{FULL_WIDTH_SPACE}日付"), encoding="utf-8")
    running = entrypoint.start(BASE, EMBEDDER)
    eventually(lambda: "Trying again" in running.text(), running)
    assert f"{line} 行目" in entrypoint.stack.health("ollama").stdout
    assert f"Line {line} of company-assistant.Modelfile" in entrypoint.stack.health("ollama").stdout
    assert entrypoint.requests("/api/create") == []
    entrypoint.modelfile.write_text(text, encoding="utf-8")
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)


@pytest.mark.parametrize(
    "lost", ["\u00a0", "\u00ad", "\u200b", "\u200d", "\u2028", "\u202f", "\u2060", "\ue000", "\uf8ff"]
)
def test_every_kind_of_character_that_is_lost_is_found(tmp_path: Path, lost: str) -> None:
    assert line_with_lost_characters(tmp_path, f"FROM x\n# 全角{lost}空白\n") == 2


def test_japanese_punctuation_and_symbols_are_kept(tmp_path: Path) -> None:
    kept = "①「」・~〜～ｶﾞ々〆☎ 한국어 …—–“” \ufffd 豈 👨\ufe0f é\tx\r\n"
    assert line_with_lost_characters(tmp_path, f"\ufeffFROM x\n# {kept}") is None


def test_the_assistant_is_created_again_only_when_its_modelfile_changed(entrypoint: Entrypoint) -> None:
    models = (BASE, EMBEDDER, "company-assistant")
    entrypoint.start(*models)  # a company-assistant of unknown origin is replaced
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    assert len(entrypoint.requests("/api/create")) == 1
    entrypoint.stack.stop("ollama")

    entrypoint.start(*models)
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    assert entrypoint.requests("/api/create") == []
    entrypoint.stack.stop("ollama")

    text = entrypoint.modelfile.read_text(encoding="utf-8")
    entrypoint.modelfile.write_text(text.replace("temperature 0.2", "temperature 0.1"), encoding="utf-8")
    entrypoint.start(*models)
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    assert entrypoint.requests("/api/create")[0]["parameters"]["temperature"] == 0.1


def test_it_stops_at_once_even_while_it_waits_and_leaves_nothing_running(entrypoint: Entrypoint) -> None:
    entrypoint.environment["ENTRYPOINT_FIRST_WAIT_SECONDS"] = "600"
    running = entrypoint.start()
    eventually(lambda: "Trying again" in running.text(), running)
    children = processes_of_session(running.process.pid)
    assert len(children) >= 3, "the script, the server, the waiting part and its sleep"
    assert entrypoint.stack.stop("ollama") < 5
    eventually(lambda: not processes_of_session(running.process.pid), running, seconds=5)


def test_it_ends_with_the_server_so_that_docker_starts_it_again(entrypoint: Entrypoint) -> None:
    running = entrypoint.start(BASE, EMBEDDER)
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    rule = {"kind": "kill", "after_tokens": 0}
    httpx.post(f"{entrypoint.url}/__faults", json=rule, trust_env=False).raise_for_status()
    body = {"model": "company-assistant", "messages": [{"role": "user", "content": "x"}]}
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{entrypoint.url}/api/chat", json=body, trust_env=False)
    assert running.process.wait(timeout=10) == 128 + 9
    assert entrypoint.stack.health("ollama").returncode == 1


def test_a_model_that_was_deleted_makes_it_unhealthy(entrypoint: Entrypoint) -> None:
    entrypoint.start(BASE, EMBEDDER)
    entrypoint.stack.wait_until_healthy("ollama", seconds=30)
    httpx.request(
        "DELETE", f"{entrypoint.url}/api/delete", json={"model": EMBEDDER}, trust_env=False
    ).raise_for_status()
    asked = entrypoint.stack.health("ollama")
    assert asked.returncode == 1
    assert f"The model {EMBEDDER} is gone" in asked.stdout


def test_a_missing_modelfile_is_named(entrypoint: Entrypoint) -> None:
    entrypoint.modelfile.unlink()
    running = entrypoint.start(BASE, EMBEDDER)
    eventually(lambda: "Trying again" in running.text(), running)
    assert f"{entrypoint.modelfile} が読めません" in entrypoint.stack.health("ollama").stdout


def line_with_lost_characters(folder: Path, text: str) -> int | None:
    """The line that the script's own check names, or None where it has no objection."""
    modelfile = folder / "Modelfile"
    modelfile.write_text(text, encoding="utf-8", newline="")
    found = re.search(
        r"^refuse_lost_characters\(\) .*?^}$", SCRIPT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    program = f'explain() {{ printf "%s" "$2"; }}\n{found[0]}\nmodelfile=$1\nrefuse_lost_characters'
    done = subprocess.run(["bash", "-c", program, "check", str(modelfile)], capture_output=True, text=True)
    line = re.match(r"Line (\d+) of", done.stdout)
    assert (done.returncode == 0) == (line is None), done.stderr
    return int(line[1]) if line else None
