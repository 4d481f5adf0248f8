"""docker/ollama-entrypoint.sh with a real Ollama, in the environment that docker-compose.yml gives it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compose.compose_file import load_config
from tests.compose.native_stack import NativeStack, Running
from tests.compose.processes import processes_of_session
from tests.live.ollama_process import PROJECT, LiveOllama, free_port, read_modelfile
from tests.live.registry import HOST, write_certificate

BASE = "llama3.1:8b-instruct-q4_K_M"
EMBEDDER = "nomic-embed-text:latest"
READY_SECONDS = 90.0


class Entrypoint:
    """The ollama service over a folder of models; its network is a proxy's port, closed unless a test opens it."""

    def __init__(self, folder: Path, live: LiveOllama) -> None:
        self.folder, self.live = folder, live
        (folder / "modelfiles").mkdir()
        self.modelfile = folder / "modelfiles" / "company-assistant.Modelfile"
        self.modelfile.write_bytes((PROJECT / "modelfiles" / "company-assistant.Modelfile").read_bytes())
        self.stack = NativeStack(load_config(folder, ASSISTANT_MODEL_PARALLEL="1"), folder, live.binary.parent)
        self.proxy_port = free_port()
        self.certificate = folder / "registry.pem"
        write_certificate(self.certificate)
        self.stack.added["ollama"] = {
            "ENTRYPOINT_FIRST_WAIT_SECONDS": "1",
            "ENTRYPOINT_LONGEST_WAIT_SECONDS": "2",
            "HTTPS_PROXY": f"http://localhost:{self.proxy_port}",
            "SSL_CERT_FILE": str(self.certificate),
        }

    def start(self) -> Running:
        """The script with whatever models are in the volume."""
        return self.stack.start("ollama")

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://{self.stack.addresses['ollama']}:11434"

    @property
    def models_folder(self) -> Path:
        """OLLAMA_MODELS of the service."""
        return Path(self.stack.environment("ollama")["OLLAMA_MODELS"])

    def fill(self, folder: Path, models: Mapping[str, str]) -> None:
        """Gives a models folder the test machine's small models under other names, without copying their weights."""
        source = self.live.models_folder
        (folder / "blobs").mkdir(parents=True)
        for blob in (source / "blobs").iterdir():
            (folder / "blobs" / blob.name).symlink_to(blob)
        for name, small in models.items():
            title, tag = name.split(":")
            target = folder / "manifests" / HOST / "library" / title / tag
            target.parent.mkdir(parents=True)
            target.write_bytes((source / "manifests" / HOST / "library" / small / "latest").read_bytes())

    def show(self, name: str = "company-assistant") -> dict[str, Any]:
        """What the server says of a model."""
        answer = httpx.post(f"{self.url}/api/show", json={"model": name}, trust_env=False)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def digest(self) -> str:
        """The manifest digest of company-assistant, which changes whenever it is created anew."""
        models = httpx.get(f"{self.url}/api/tags", trust_env=False).json()["models"]
        digest: str = next(model["digest"] for model in models if model["name"] == "company-assistant:latest")
        return digest


@pytest.fixture
def entrypoint(tmp_path: Path, live_ollama: LiveOllama) -> Iterator[Entrypoint]:
    """Nothing of it is left running."""
    made = Entrypoint(tmp_path, live_ollama)
    yield made
    made.stack.stop_all()


def eventually(is_true: Callable[[], object], running: Running, *, seconds: float = 60.0) -> None:
    """Returns when it is true; fails with the script's log."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, running.text()[-4000:]
        time.sleep(0.2)


def test_with_the_models_there_it_is_healthy_without_a_network(entrypoint: Entrypoint) -> None:
    live = entrypoint.live
    entrypoint.fill(entrypoint.models_folder, {BASE: live.base_model, EMBEDDER: live.embed_model})
    running = entrypoint.start()
    entrypoint.stack.wait_until_healthy("ollama", seconds=READY_SECONDS)
    assert "Trying again" not in running.text()

    shown = entrypoint.show()
    system, parameters = read_modelfile(entrypoint.modelfile)
    assert shown["system"] == system
    assert shown["details"]["parent_model"] == BASE
    given = dict(re.findall(r"^(\w+) +(.+)$", shown["parameters"], re.MULTILINE))
    assert {name: float(given[name]) for name in parameters} == {
        name: float(value) for name, value in parameters.items()
    }
    assert given["num_ctx"] == "8192"

    loaded = httpx.get(f"{entrypoint.url}/api/ps", trust_env=False).json()["models"]
    assert {model["name"] for model in loaded} == {"company-assistant:latest", EMBEDDER}
    years = {int(model["expires_at"][:4]) for model in loaded}
    assert min(years) > 2200, "nothing unloads them"

    first = entrypoint.digest()
    session = running.process.pid
    assert entrypoint.stack.stop("ollama") < 15
    eventually(lambda: not processes_of_session(session), running, seconds=15)

    entrypoint.start()
    entrypoint.stack.wait_until_healthy("ollama", seconds=READY_SECONDS)
    assert entrypoint.digest() == first, "an unchanged Modelfile is not created anew"


def test_without_models_and_network_it_waits_with_a_clear_message_and_does_not_end(entrypoint: Entrypoint) -> None:
    running = entrypoint.start()
    eventually(lambda: running.text().count("Trying again") >= 3, running)
    asked = entrypoint.stack.health("ollama")
    assert asked.returncode == 1
    assert f"モデル {BASE} がこのサーバーになく、ダウンロードもできません" in asked.stdout
    assert f"The model {BASE} is not on this server and cannot be downloaded" in asked.stdout
    assert "connection refused" in asked.stdout
    assert running.process.poll() is None
    assert "\x1b" not in "".join(line for line in running.text().splitlines() if line.startswith("[ollama]"))
    assert httpx.get(f"{entrypoint.url}/api/version", trust_env=False).status_code == 200


def test_it_pulls_what_is_missing_when_the_network_comes_back(entrypoint: Entrypoint) -> None:
    live, remote = entrypoint.live, entrypoint.folder / "remote"
    entrypoint.fill(remote, {EMBEDDER: live.embed_model})
    entrypoint.fill(entrypoint.models_folder, {BASE: live.base_model})
    running = entrypoint.start()
    eventually(lambda: "Trying again" in running.text(), running)

    script = str(Path(__file__).with_name("registry.py"))
    command = [sys.executable, script, str(entrypoint.proxy_port), str(remote), str(entrypoint.certificate)]
    with (entrypoint.folder / "registry.log").open("wb") as log:
        registry = subprocess.Popen(command, env={"PYTHONPATH": str(PROJECT)}, stdout=log, stderr=log)
        try:
            entrypoint.stack.wait_until_healthy("ollama", seconds=READY_SECONDS)
        finally:
            registry.terminate()
            registry.wait(timeout=10)
    assert re.search(r"^\[ollama\] nomic-embed-text [0-9a-f]{12} 100% ", running.text(), re.MULTILINE)
    assert "embedding" in entrypoint.show("nomic-embed-text")["capabilities"]


LOST = "\u3000\u00a0\u00ad\u200b\u200d\u2028\u202f\u2060\ue000\uf8ff"
KEPT = "①「」・~〜～ｶﾞ々〆☎ 한국어 …—–“” \ufffd 豈 👨\ufe0f é\t"


def test_the_characters_that_the_script_refuses_are_those_that_the_real_program_deletes(
    live_ollama: LiveOllama,
) -> None:
    modelfile = live_ollama.log_path.with_name("characters.Modelfile")
    modelfile.write_text(f'FROM {live_ollama.base_model}\nSYSTEM """あ{LOST}い{KEPT}う"""\n', encoding="utf-8")
    command = [str(live_ollama.binary), "create", "characters", "-f", str(modelfile)]
    subprocess.run(command, env=live_ollama.environment(), check=True, capture_output=True, stdin=subprocess.DEVNULL)
    shown = httpx.post(f"{live_ollama.url}/api/show", json={"model": "characters"}, trust_env=False).json()
    httpx.request("DELETE", f"{live_ollama.url}/api/delete", json={"model": "characters"}).raise_for_status()
    assert shown["system"] == f"あい{KEPT}う"
