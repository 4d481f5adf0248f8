"""A deployment of real parts in one folder, for the doctor: stores that are filled, a certificate, passwords, a backup."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from assistant.adapters.this_machine import ThisMachine
from assistant.backup.making import Contents, back_up
from assistant.doctor_commands import examine, site_of
from assistant.embedders import Embedders
from assistant.generation import Generation
from assistant.host.certificate import make_certificate
from assistant.host.passwords import new_password, write_password
from assistant.machine import Machine, Ran
from assistant.release.examining.finding import Finding
from assistant.release.examining.look import CONTAINER_MARKS, Site
from assistant.settings import Door, Settings
from assistant.wiring import OpenStores, open_stores
from ingest.index_sync import Stores, mend
from tests.contracts.conftest import free_port
from tests.contracts.test_ledger import store
from tests.doctor.recorded import good_machine

SECRET = "0123456789abcdef0123456789abcdef"
MODELFILE = "FROM llama3.1:8b\nPARAMETER num_ctx 8192\nSYSTEM 規則\n"


class Here(ThisMachine):
    """This machine, and no container."""

    def mode_of(self, path: Path) -> int | None:
        return None if path in CONTAINER_MARKS else super().mode_of(path)


class WithGpu(Here):
    """The same with the GPU, Docker and systemd of the recorded one."""

    def run(self, *command: str) -> Ran | None:
        found = good_machine()["commands"].get(" ".join(command))
        if found is not None and command[0] != "tesseract":
            return Ran(0, found.get("out", ""), found.get("err", ""))
        return super().run(*command)


class Healthy(BaseHTTPRequestHandler):
    """Answers as the API's /healthz does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Deployment:
    """Real parts in one folder; `alarms` are the checks that warn or fail. `given` are more settings."""

    def __init__(
        self,
        folder: Path,
        chroma_url: str,
        ollama_url: str,
        api_port: int,
        *,
        modelfile: str = MODELFILE,
        log: Path | None = None,
        machine: Machine | None = None,
        **given: Any,
    ) -> None:
        self.folder, self.log, self.machine = folder, log, machine or Here()
        (folder / "models").mkdir(parents=True)
        self.modelfile = folder / "models/x.Modelfile"
        self.modelfile.write_text(modelfile, encoding="utf-8")
        self.settings = Settings(
            _env_file=None, data_folder=folder / "var", chroma_url=chroma_url, ollama_url=ollama_url,  # type: ignore[call-arg]
            api_url=f"http://127.0.0.1:{api_port}", api_port=api_port, ui_port=free_port(),
            modelfile=self.modelfile, proxy_secret=SECRET, rules_file=folder / "ingest.toml",
            door=Door(users_file=folder / "users.toml"), **given,
        )  # fmt: skip
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
        places = {"passwords": self.folder / "htpasswd", "tls": self.folder / "tls"}
        site: Site = site_of(chosen, ollama_log=self.log, **places)
        return {finding.name: finding for finding in asyncio.run(examine(chosen, site, self.machine))}

    def alarms(self, settings: Settings | None = None) -> dict[str, str]:
        """Those that warn or fail."""
        found = self.findings(settings)
        return {name: finding.state for name, finding in found.items() if finding.state in ("warn", "fail")}


@contextmanager
def answering_as_the_api() -> Iterator[int]:
    """The port of something that answers as the API's /healthz does, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
