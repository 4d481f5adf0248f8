"""A machine made of recorded outputs (tests/doctor/machines), and what is different on a broken one."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import yaml

from assistant.machine import Listening, Ran, Reply
from assistant.release.doctor import Facts, of_machine
from assistant.release.examining.finding import Finding
from assistant.release.examining.look import Site, look
from assistant.release.examining.models import Wanted

FOLDER = Path(__file__).parent / "machines"
DATA = Path("/var/lib/company-assistant")
LOGS = "docker logs --tail 5000 3f1a9c0d7b52"
SITE = Site(
    wanted=Wanted("company-assistant", "bge-m3", 8192, "ollama create company-assistant -f modelfiles/x.Modelfile"),
    ollama_url="http://ollama",
    chroma_url="http://chroma",
    api_url="http://api",
    data_folder=DATA,
    ports={8000: "api", 8501: "ui"},
    proxy_secret="0123456789abcdef0123456789abcdef",
)


def yaml_of(name: str) -> dict[str, Any]:
    """One file of recordings."""
    return dict(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))


def good_machine() -> dict[str, Any]:
    """The whole good machine."""
    return yaml_of("good.yaml")


def broken_machine(changes: dict[str, Any]) -> dict[str, Any]:
    """The good machine with something different."""
    machine = deepcopy(good_machine())
    for key in ("commands", "replies", "read_all", "facts"):
        machine[key] |= changes.get(key, {})
    machine |= {key: changes[key] for key in ("listening", "free_gib", "files") if key in changes}
    if "log" in changes:
        machine["commands"][LOGS] = {"err": (FOLDER / changes["log"]).read_text(encoding="utf-8")}
    machine["commands"][LOGS] = {"err": machine["commands"][LOGS]["err"] + changes.get("more_log", "")}
    return machine


@dataclass
class Recorded:
    """See assistant/machine.py; `asked` are the commands that nothing is recorded of."""

    machine: dict[str, Any]

    def run(self, *command: str) -> Ran | None:
        found = self.machine["commands"].get(" ".join(command))
        if found is None:
            return None
        return Ran(cast("int | None", found.get("status", 0)), found.get("out", ""), found.get("err", ""))

    def read(self, path: Path) -> bytes | None:
        return None

    def read_all(self, pattern: str) -> list[str]:
        return list(self.machine["read_all"].get(pattern, []))

    def mode_of(self, path: Path) -> int | None:
        return 0o644 if str(path) in self.machine.get("files", []) else None

    def newest(self, pattern: str) -> datetime | None:
        return None

    def ask(self, url: str, body: Any = None) -> Reply:
        found = self.machine["replies"].get(url if body is None else f"{url} {body['model']}", "refused")
        return Reply("refused") if found == "refused" else Reply("", 200, found)

    def listening(self) -> list[Listening] | None:
        return [Listening(*entry) for entry in self.machine["listening"]]

    def free_bytes(self, folder: Path) -> int | None:
        return int(self.machine["free_gib"]) << 30

    def now(self) -> datetime:
        return datetime.fromisoformat(self.machine["now"]).astimezone(UTC)


def examined(machine: dict[str, Any], site: Site = SITE) -> list[Finding]:
    """What the doctor finds on it."""
    return of_machine(look(Recorded(machine), site), site, Facts(**machine["facts"]))
