"""The doctor on a real Ollama: nothing is wrong with a good deployment, and what is made wrong is named by the right check."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.adapters.model_files import QWEN_CODER_0_5B
from assistant.adapters.ollama_host import OllamaModelHost
from assistant.release.modelfile import parse_modelfile
from assistant.releases import Content
from tests.contracts.conftest import ChromaServer, free_port
from tests.doctor.deployed import Deployment, answering_as_the_api
from tests.live.ollama_process import CACHE, LiveOllama, ensure_binary

NAME = "doctor-live"
OTHER = "doctor-live-other"
FOLDER = f"FROM {QWEN_CODER_0_5B.name}\nPARAMETER num_ctx 2048\nPARAMETER num_thread 1\nSYSTEM 規則\n"
RELEASE = Content(FOLDER.replace("2048", "1024"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveOllama]:
    """One of its own: the log of the others tells of their loads, too."""
    log = tmp_path_factory.mktemp("ollama") / "ollama.log"
    started = LiveOllama(binary=ensure_binary(), models_folder=CACHE / "ollama-models", log_path=log)
    started.start()
    try:
        started.create_chat_model_of(QWEN_CODER_0_5B)
        yield started
    finally:
        started.stop()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no finding."""
    monkeypatch.setattr("assistant.adapters.this_machine.COMMAND_SECONDS", 90.0)
    monkeypatch.setattr("assistant.adapters.this_machine.ASK_SECONDS", 90.0)


@pytest.fixture
def host(server: LiveOllama) -> Iterator[OllamaModelHost]:
    made = OllamaModelHost(url=server.url, connect_timeout_seconds=60)
    yield made
    for name in (NAME, f"{NAME}:{RELEASE.release_id}", OTHER):
        asyncio.run(made.remove(name))


def make(host: OllamaModelHost, name: str, modelfile: str) -> str:
    """The digest of a model that is made of a Modelfile."""
    asked = parse_modelfile(modelfile)
    settings = {"system": asked.system, "parameters": dict(asked.parameters)}
    return asyncio.run(host.make(name, base=asked.base_model, settings=settings)).digest


def test_a_good_one_gives_no_alarm_and_each_wrong_model_is_named_rightly(
    server: LiveOllama, host: OllamaModelHost, tmp_path: Path
) -> None:
    make(host, NAME, FOLDER)
    make(host, OTHER, FOLDER)
    asyncio.run(host.load(NAME))
    chroma = ChromaServer(tmp_path / "chroma", free_port())
    chroma.start()
    try:
        with answering_as_the_api() as api_port:
            given = {"embedder": "embedded", "chat_model": NAME, "answers": "ollama", "connect_timeout_seconds": 60}
            deployment = Deployment(
                tmp_path / "deployment",
                chroma.url,
                server.url,
                api_port,
                modelfile=FOLDER,
                log=server.log_path,
                **given,
            )
            assert deployment.alarms() == {}
            seen = {name: finding.state for name, finding in deployment.findings().items()}
            assert seen["ollama_version"] == seen["chat_template"] == seen["num_ctx"] == seen["flash_attention"] == "ok"

            missing = deployment.settings.model_copy(update={"chat_model": "no-such-model"})
            assert deployment.alarms(missing) == {"model": "warn"}
            chat_as_embedder = deployment.settings.model_copy(update={"embedder": "ollama", "embed_model": OTHER})
            assert deployment.alarms(chat_as_embedder) == {"embed_model": "fail", "rebuild_due": "warn"}
            deployment.modelfile.write_text(FOLDER.replace("2048", "1024"), encoding="utf-8")
            assert deployment.alarms() == {"num_ctx": "fail"}
            deployment.modelfile.write_text(FOLDER, encoding="utf-8")

            released = f"{NAME}:{RELEASE.release_id}"
            digest = make(host, released, RELEASE.modelfile)
            asyncio.run(host.copy(released, NAME))
            deployment.stores.ledger.adopt(RELEASE, model=released, digest=digest, by="chie")
            asyncio.run(host.load(released))
            assert deployment.alarms() == {}, "a release with another window than the folder's is no fault"
            make(host, released, FOLDER)  # somebody makes it anew behind our back
            asyncio.run(host.copy(released, NAME))
            found = deployment.findings()
            assert {name: found[name].state for name in ("num_ctx", "release")} == {
                "num_ctx": "fail",
                "release": "warn",
            }
            assert found["num_ctx"].command == f"assistant release publish {RELEASE.release_id}"
    finally:
        chroma.stop()
