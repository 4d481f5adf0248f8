"""Every adapter behind a port, ready to be held to that port's contract: the fakes, and the real ones on real servers.

Chroma, tantivy and the embedded embedder are the real things. Ollama and OpenAI's protocol are spoken to the stub
server (held to recordings by test_stub_ollama.py); marked `live`, to a real Ollama (`OLLAMA_UNDER_TEST` names a running
one, else one is built) and to the embedded chat server, llama.cpp's own, with a real model. `OPENAI_UNDER_TEST` (address with
/v1) and `OPENAI_UNDER_TEST_MODEL` put any other server to the same tests; it must have a window of 2,048 tokens.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.adapters.chroma import CHROMA_ENVIRONMENT, ChromaVectorIndex, chroma_command
from assistant.adapters.embedded import EmbeddedChatModel, EmbeddedEmbedder, embedded_chat_command
from assistant.adapters.fake import FakeChatModel, FakeEmbedder, InMemoryLexicalIndex, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.schema import metadata
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.adapters.model_files import QWEN_CODER_1_5B, obtain
from assistant.adapters.ollama import OllamaChatModel, OllamaEmbedder
from assistant.adapters.openai_compatible import OpenAICompatibleChatModel, OpenAICompatibleEmbedder
from assistant.errors import ModelMissing, StoreUnavailable
from assistant.ports import ChatModel, Embedder, LexicalIndex, VectorIndex
from tests.postgresql import running_postgresql
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

SYSTEM = "あなたは社内文書だけを根拠に答える社内アシスタントです。"
NUM_CTX = 2048
START_SECONDS = 60.0
LIVE_SECONDS = 900.0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A live test waits for a model to be built, loaded, and to read."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("live"):
            item.add_marker(pytest.mark.timeout(LIVE_SECONDS))


@dataclass
class ChromaServer:
    """A real Chroma server that a test may stop and start again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and returns when it answers."""
        command = chroma_command(path=self.folder, host="127.0.0.1", port=self.port)
        self.process = subprocess.Popen(
            command, env={**os.environ, **CHROMA_ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        index = ChromaVectorIndex(url=self.url)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                index.check()
            except StoreUnavailable:
                assert time.monotonic() < deadline, "Chroma did not start"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Ends it in an orderly way."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_SECONDS)
            self.process = None


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    server = ChromaServer(tmp_path_factory.mktemp("chroma"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running_stub() -> Iterator[StubOllama]:
    with start_stub_ollama(tokens_per_second=200) as stub:
        yield stub


@pytest.fixture
def stub_ollama(running_stub: StubOllama) -> Iterator[StubOllama]:
    """The stub without anything left over from another test."""
    running_stub.clear_faults()
    running_stub.forget_requests()
    running_stub.change_settings(tokens_per_second=200)
    yield running_stub
    running_stub.clear_faults()


@dataclass(frozen=True)
class RealOllama:
    """A real server and the names of its models."""

    url: str
    chat_model: str
    embed_model: str


@pytest.fixture(scope="session")
def real_ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    given = os.environ.get("OLLAMA_UNDER_TEST")
    if given:
        yield RealOllama(given, "company-assistant", os.environ.get("OLLAMA_UNDER_TEST_EMBEDDER", "nomic-embed-text"))
        return
    from tests.live.ollama_process import CACHE, LiveOllama, ensure_binary

    server = LiveOllama(
        binary=ensure_binary(),
        models_folder=CACHE / "ollama-models",
        log_path=tmp_path_factory.mktemp("ollama") / "ollama.log",
    )
    server.start()
    try:
        server.create_models()
        yield RealOllama(server.url, server.chat_model, server.embed_model)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def embedded_chat_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running embedded chat server; skipped where its model file is not in the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "company-assistant"
    try:
        model = obtain(QWEN_CODER_1_5B, folder=cache / "models", sources=())
    except ModelMissing as missing:
        pytest.skip(missing.describe("en"))
    port = free_port()
    log_path = tmp_path_factory.mktemp("chat") / "chat.log"
    with log_path.open("wb") as log:
        command = embedded_chat_command(model_path=model.path, port=port, num_ctx=NUM_CTX)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"listening"), log_path.read_text(encoding="utf-8")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_SECONDS)
        process.stdout.close()


@pytest.fixture(
    params=["fake", "embedded", "ollama", "openai", pytest.param("real_ollama", marks=pytest.mark.live)], scope="module"
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Each embedder."""
    if request.param == "fake":
        return FakeEmbedder()
    if request.param == "embedded":
        return EmbeddedEmbedder()
    if request.param == "real_ollama":
        real: RealOllama = request.getfixturevalue("real_ollama")
        return OllamaEmbedder(url=real.url, model=real.embed_model)
    stub: StubOllama = request.getfixturevalue("running_stub")
    stub.clear_faults()
    if request.param == "ollama":
        return OllamaEmbedder(url=stub.url, model="nomic-embed-text")
    return OpenAICompatibleEmbedder(url=f"{stub.url}/v1", model="nomic-embed-text")


@pytest.fixture(params=["memory", "chroma"])
def vector_index(request: pytest.FixtureRequest) -> VectorIndex:
    """Each vector index."""
    if request.param == "memory":
        return InMemoryVectorIndex()
    server: ChromaServer = request.getfixturevalue("chroma_server")
    return ChromaVectorIndex(url=server.url)


@pytest.fixture(params=["memory", "tantivy"])
def lexical_index(request: pytest.FixtureRequest, tmp_path: Path) -> LexicalIndex:
    """Each lexical index, empty."""
    return InMemoryLexicalIndex() if request.param == "memory" else TantivyLexicalIndex(tmp_path / "lexical")


@pytest.fixture(scope="module")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger on each database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
    else:
        url = request.getfixturevalue("postgresql_url")
    opened = Ledger.open(url)
    yield opened
    with opened._engine.begin() as connection:
        permits = metadata.tables["audit_permits"]
        connection.execute(permits.insert().values(permit="the end of a test"))
        for table in [t for t in reversed(metadata.sorted_tables) if t is not permits] + [permits]:
            connection.execute(table.delete())
    opened.close()


MakeChatModel = Callable[..., ChatModel]


@pytest.fixture(
    params=[
        "fake",
        "ollama",
        "openai",
        pytest.param("real_ollama", marks=pytest.mark.live),
        pytest.param("embedded", marks=pytest.mark.live),
        *([pytest.param("given_openai", marks=pytest.mark.live)] if "OPENAI_UNDER_TEST" in os.environ else []),
    ]
)
def chat_model(request: pytest.FixtureRequest) -> ChatModel:
    """Each chat model, with the same window."""
    if request.param == "fake":
        return FakeChatModel(num_ctx=NUM_CTX, system_text=SYSTEM, seconds_per_token=0.005)
    if request.param == "embedded":
        url: str = request.getfixturevalue("embedded_chat_url")
        # llama.cpp's own server, through the door for OpenAI's protocol
        return EmbeddedChatModel(url=url, num_ctx=NUM_CTX, system_text=SYSTEM, sampling={"temperature": 0.0})
    if request.param == "real_ollama":
        real: RealOllama = request.getfixturevalue("real_ollama")
        # The window is the Modelfile's: another one would reload the model for the tests that follow.
        return OllamaChatModel(url=real.url, model=real.chat_model, num_ctx=8192, system_text=SYSTEM)
    if request.param == "given_openai":
        return OpenAICompatibleChatModel(
            url=os.environ["OPENAI_UNDER_TEST"],
            model=os.environ["OPENAI_UNDER_TEST_MODEL"],
            num_ctx=NUM_CTX,
            system_text=SYSTEM,
            sampling={"temperature": 0.0},
            first_token_timeout_seconds=LIVE_SECONDS,
        )
    stub: StubOllama = request.getfixturevalue("stub_ollama")
    if request.param == "ollama":
        return OllamaChatModel(url=stub.url, model="company-assistant", num_ctx=NUM_CTX, system_text=SYSTEM)
    return OpenAICompatibleChatModel(
        url=f"{stub.url}/v1", model="company-assistant", num_ctx=8192, system_text=SYSTEM, sampling={"temperature": 0.2}
    )


def free_port() -> int:
    """A port on the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
