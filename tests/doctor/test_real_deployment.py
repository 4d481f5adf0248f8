"""The doctor on a deployment of real parts (Chroma, tantivy, SQLite, nginx, a stub Ollama over HTTP): no alarm while it is
well, and each fault that is made in it is named by the right check. Only what a GPU, Docker and systemd say is recorded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from assistant.adapters.this_machine import ThisMachine
from assistant.audit import Act, AuditEntry
from assistant.backup.making import Contents, back_up
from assistant.doctor_commands import examine, site_of
from assistant.embedders import Embedders
from assistant.generation import Generation
from assistant.host.certificate import make_certificate
from assistant.host.passwords import new_password, write_password
from assistant.machine import Ran
from assistant.release.examining.finding import Finding
from assistant.release.examining.look import CONTAINER_MARKS, Site
from assistant.settings import Door, Settings
from assistant.wiring import OpenStores, open_stores
from ingest.index_sync import Stores, mend
from tests.contracts.conftest import ChromaServer, free_port
from tests.contracts.test_ledger import store
from tests.doctor.recorded import good_machine
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

pytestmark = pytest.mark.slow

SECRET = "0123456789abcdef0123456789abcdef"
MODELFILE = "FROM llama3.1:8b\nPARAMETER num_ctx 8192\nSYSTEM 規則\n"


class Here(ThisMachine):
    """This machine, with the GPU, Docker and systemd of the recorded one."""

    def run(self, *command: str) -> Ran | None:
        found = good_machine()["commands"].get(" ".join(command))
        if found is not None and command[0] != "tesseract":
            return Ran(0, found.get("out", ""), found.get("err", ""))
        return super().run(*command)

    def mode_of(self, path: Path) -> int | None:
        return None if path in CONTAINER_MARKS else super().mode_of(path)


class Healthy(BaseHTTPRequestHandler):
    """Answers as the API's /healthz does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Deployment:
    """Real parts in one folder; `alarms` are the checks that warn or fail."""

    def __init__(self, folder: Path, chroma: ChromaServer, ollama: StubOllama, api_port: int) -> None:
        self.folder = folder
        (folder / "models").mkdir()
        self.modelfile = folder / "models/x.Modelfile"
        self.modelfile.write_text(MODELFILE, encoding="utf-8")
        self.settings = Settings(
            _env_file=None, data_folder=folder / "var", chroma_url=chroma.url, ollama_url=ollama.url,  # type: ignore[call-arg]
            api_url=f"http://127.0.0.1:{api_port}", api_port=api_port, ui_port=free_port(), embed_model="bge-m3",
            modelfile=self.modelfile, proxy_secret=SECRET, rules_file=folder / "ingest.toml",
            door=Door(users_file=folder / "users.toml"),
        )  # fmt: skip
        self.ollama = ollama
        self.stores: OpenStores = open_stores(self.settings)
        make_certificate(folder / "tls", ["assistant.example"], days=90)
        write_password(folder / "htpasswd", "aiko", new_password())
        self.generation = self._filled()
        back_up(self.stores.ledger, Contents((), (), self.settings.data_folder), folder / "backups", keep=2, by="test")

    def _filled(self) -> Generation:
        ledger = self.stores.ledger
        for number in range(6):
            store(ledger, f"{number}.md", f"第{number}条 休暇は三営業日前までに申請する。", sha256=str(number))
        ingesting = self.ingesting
        generation = ingesting.new_generation()
        ledger.switch_generation(generation.generation_id)
        active = ledger.active_generation()
        assert active is not None
        mend(ingesting, active)
        return active

    @property
    def ingesting(self) -> Stores:
        """The stores as an ingestion has them."""
        parts = self.stores
        embedders: Embedders = parts.embedders
        return Stores(parts.ledger, parts.embedder, parts.vectors, parts.lexical, 5.0, embedders=embedders)

    def findings(self, settings: Settings | None = None) -> dict[str, Finding]:
        """What the doctor finds, by check."""
        chosen = settings or self.settings
        site: Site = site_of(chosen, passwords=self.folder / "htpasswd", tls=self.folder / "tls")
        return {finding.name: finding for finding in asyncio.run(examine(chosen, site, Here()))}

    def alarms(self, settings: Settings | None = None) -> dict[str, str]:
        """Those that warn or fail."""
        found = self.findings(settings)
        return {name: finding.state for name, finding in found.items() if finding.state in ("warn", "fail")}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no finding."""
    monkeypatch.setattr("assistant.adapters.this_machine.COMMAND_SECONDS", 90.0)
    monkeypatch.setattr("assistant.adapters.this_machine.ASK_SECONDS", 90.0)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("doctor")
    chroma = ChromaServer(folder / "chroma", free_port())
    chroma.start()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with start_stub_ollama(models=["company-assistant", "bge-m3"], is_on_gpu=True, load_seconds=0) as ollama:
            httpx.post(f"{ollama.url}/api/chat", json={"model": "company-assistant", "messages": []}, timeout=30)
            yield Deployment(folder, chroma, ollama, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        chroma.stop()


def test_a_good_deployment_gives_no_alarm(deployment: Deployment) -> None:
    assert deployment.alarms() == {}
    states = {name: finding.state for name, finding in deployment.findings().items()}
    assert {
        "indexes",
        "backup",
        "certificate",
        "passwords",
        "num_ctx",
        "chat_template",
        "embed_model",
        "model_on_gpu",
    } <= {name for name, state in states.items() if state == "ok"}


def test_an_index_that_is_out_of_step_is_named_and_mended(deployment: Deployment) -> None:
    vectors, lexical, index = deployment.stores.vectors, deployment.stores.lexical, deployment.generation.index_name
    ids = sorted(vectors.all_ids(index))
    vectors.delete(index, ids[:2])
    assert deployment.alarms() == {"indexes": "fail"}
    assert deployment.findings()["indexes"].seen.en == "vectors missing: 2"
    mend(deployment.ingesting, deployment.generation)
    lexical.write(index, add=[("v_none:00000", "t", "surplus")], delete=[ids[3]])
    assert deployment.findings()["indexes"].seen.en == "words missing: 1, words surplus: 1"
    mend(deployment.ingesting, deployment.generation)
    kept = vectors.read(index, ids[:1])[ids[0]]
    vectors.upsert(index, ids[:1], -kept.reshape(1, -1))
    other = deployment.findings()["indexes"]
    assert (other.state, other.command) == ("fail", "ingest mend --anew")
    vectors.upsert(index, ids[:1], kept.reshape(1, -1))
    assert deployment.alarms() == {}


def test_what_is_wrong_with_the_models_is_named(deployment: Deployment) -> None:
    deployment.ollama.change_settings(version="0.16.3")
    try:
        # another version makes other vectors, so that the embedder is not the one of the indexes any more
        assert deployment.alarms().get("ollama_version") == "fail"
    finally:
        deployment.ollama.change_settings(version="0.17.7")
    deployment.modelfile.write_text(MODELFILE.replace("8192", "4096"), encoding="utf-8")
    try:
        assert deployment.alarms().get("num_ctx") == "fail"
    finally:
        deployment.modelfile.write_text(MODELFILE, encoding="utf-8")
    wrong = deployment.settings.model_copy(update={"embed_model": "company-assistant"})
    assert deployment.alarms(wrong) == {"embed_model": "fail", "rebuild_due": "warn"}
    away = deployment.settings.model_copy(update={"ollama_url": f"http://127.0.0.1:{free_port()}"})
    assert deployment.alarms(away).items() >= {"address_ollama": "fail", "embedder": "fail", "model": "warn"}.items()
    assert deployment.alarms() == {}


def test_a_leak_a_stale_users_file_and_a_lost_certificate_are_named(deployment: Deployment) -> None:
    users = deployment.settings.door.users_file
    users.write_text('[users.ben]\ngroups = ["board"]\n', encoding="utf-8")
    assert deployment.alarms() == {"users_file": "warn"}
    users.unlink()
    tls = deployment.folder / "tls"
    make_certificate(deployment.folder / "other", ["b.example"], days=90)
    own = (tls / "key.pem").read_bytes()
    (tls / "key.pem").write_bytes((deployment.folder / "other/key.pem").read_bytes())
    assert deployment.alarms() == {"certificate": "fail"}
    (tls / "key.pem").write_bytes(own)
    leak = {"role": "-", "door": "/search", "told": "canary-word"}
    details = {"requests": 9, "roles": 2, "leaks": [leak], "unchecked": [], "problem": ""}
    deployment.stores.ledger.record(AuditEntry(Act.CANARY_CHECKED, "test", via="system", details=details))
    alarms = deployment.findings()
    assert alarms["canary"].state == "fail"
    assert alarms["canary"].command == "assistant canary check --json"


def test_a_store_and_a_port_that_are_away_are_named(deployment: Deployment) -> None:
    away = deployment.settings.model_copy(update={"chroma_url": f"http://127.0.0.1:{free_port()}"})
    named = deployment.findings(away)
    assert (named["address_chroma"].state, named["vectors"].state) == ("fail", "fail")
    assert named["indexes"].state == "unchecked"
    nowhere = deployment.settings.model_copy(update={"database_url": "postgresql+psycopg://a:b@127.0.0.1:1/none"})
    found = deployment.findings(nowhere)
    assert found["ledger"].state == "fail"
    assert "b@" not in str(found["ledger"].as_record())
