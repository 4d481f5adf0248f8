"""The doctor on a deployment of real parts (Chroma, tantivy, SQLite, nginx, a stub Ollama over HTTP): no alarm while it is
well, and each fault that is made in it is named by the right check. Only what a GPU, Docker and systemd say is recorded."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from assistant.audit import Act, AuditEntry
from assistant.host.certificate import make_certificate
from ingest.index_sync import mend
from tests.contracts.conftest import ChromaServer, free_port
from tests.doctor.deployed import MODELFILE, Deployment, WithGpu, answering_as_the_api
from tests.stubs.ollama.process import StubOllama, start_stub_ollama

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no finding."""
    monkeypatch.setattr("assistant.adapters.this_machine.COMMAND_SECONDS", 90.0)
    monkeypatch.setattr("assistant.adapters.this_machine.ASK_SECONDS", 90.0)


@pytest.fixture(scope="module")
def ollama() -> Iterator[StubOllama]:
    with start_stub_ollama(models=["company-assistant", "bge-m3"], is_on_gpu=True, load_seconds=0) as stub:
        httpx.post(f"{stub.url}/api/chat", json={"model": "company-assistant", "messages": []}, timeout=30)
        yield stub


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, ollama: StubOllama) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("doctor")
    chroma = ChromaServer(folder / "chroma", free_port())
    chroma.start()
    try:
        with answering_as_the_api() as api_port:
            yield Deployment(folder, chroma.url, ollama.url, api_port, machine=WithGpu(), embed_model="bge-m3")
    finally:
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
    lexical.write(index, add=[("v_none:00000", "t", "surplus")], delete=[sorted(lexical.all_ids(index))[3]])
    assert deployment.findings()["indexes"].seen.en == "words missing: 1, words surplus: 1"
    mend(deployment.ingesting, deployment.generation)
    kept = vectors.read(index, ids[:1])[ids[0]]
    vectors.upsert(index, ids[:1], -kept.reshape(1, -1))
    other = deployment.findings()["indexes"]
    assert (other.state, other.command) == ("fail", "ingest mend --anew")
    vectors.upsert(index, ids[:1], kept.reshape(1, -1))
    assert deployment.alarms() == {}


def test_what_is_wrong_with_the_models_is_named(deployment: Deployment, ollama: StubOllama) -> None:
    ollama.change_settings(version="0.16.3")
    try:
        # another version makes other vectors, so that the embedder is not the one of the indexes any more
        assert deployment.alarms().get("ollama_version") == "fail"
    finally:
        ollama.change_settings(version="0.17.7")
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
