"""All looks at the machine, at once: each has its own limit, so that the whole takes no longer than the slowest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from assistant.machine import Listening, Machine, Ran, Reply
from assistant.release.examining.models import Wanted
from assistant.release.examining.ollama_log import OllamaLog, read_log

_Seen = TypeVar("_Seen")
THREADS = 24
LOG_LINES = "5000"
SMI = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")
VENDORS = "/sys/bus/pci/devices/*/vendor"
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
SERVICE = "label=com.docker.compose.service="
MODEL_FOLDERS = ("/usr/share/ollama/.ollama/models", "/ollama/models", str(Path.home() / ".ollama/models"))
NGINX_CONFIGURATIONS = ("/run/company-assistant-nginx/conf/nginx.conf", "/tmp/nginx/conf/nginx.conf")  # noqa: S108  in its container


@dataclass(frozen=True)
class Site:
    """The deployment in plain values. `ports` are ours that nobody else may reach; empty paths are looked for."""

    wanted: Wanted
    ollama_url: str | None
    chroma_url: str
    api_url: str
    data_folder: Path
    ports: Mapping[int, str] = field(default_factory=dict)
    proxy_secret: str = ""
    database_url: str = ""
    passwords_file: Path = Path("var/htpasswd")
    tls_folder: Path = Path("var/tls")
    nginx_configuration: Path | None = None
    ollama_log: Path | None = None


@dataclass(frozen=True)
class Seen:
    """What was seen; None where there was nothing to see."""

    now: datetime
    is_container: bool
    smi: Ran | None
    vendors: list[str]
    docker: Ran | None
    published: Ran | None
    ollama_container: Ran | None
    smi_inside: Ran | None
    timedatectl: Ran | None
    tesseract: Ran | None
    nginx: Ran | None
    kernel: Ran | None
    log: OllamaLog | None
    partial: datetime | None
    can_see_models: bool
    addresses: Mapping[str, Reply]
    version: str | None
    running: list[dict[str, Any]] | None
    chat: dict[str, Any] | None
    embed: dict[str, Any] | None
    listening: list[Listening] | None
    free: Mapping[Path, int | None]
    htpasswd: bytes | None
    certificate: bytes | None
    key: bytes | None
    key_mode: int | None

    @property
    def ollama_settings(self) -> dict[str, str]:
        """Ollama's variables as it logged them, or as its container was given them."""
        if self.log is not None and self.log.settings:
            return dict(self.log.settings)
        given = _first(self.ollama_container).get("Config", {}).get("Env") or []
        return dict(entry.split("=", 1) for entry in given if "=" in entry)


def look(machine: Machine, site: Site) -> Seen:
    """Everything that the checks judge. Raises nothing: what cannot be seen is None."""
    with ThreadPoolExecutor(THREADS) as pool:

        def ask(part: Callable[..., _Seen], *given: Any) -> Future[_Seen]:
            return pool.submit(part, *given)

        run = machine.run
        docker = ask(run, "docker", "info", "--format", "{{json .}}")
        containers = {name: ask(_container, machine, name) for name in ("ollama", "nginx")}
        ollama, nginx = ask(_ollama, machine, site), ask(_nginx, machine, site, containers["nginx"])
        inspected = ask(_inside, machine, containers["ollama"], ("inspect",), ())
        smi_inside = ask(_inside, machine, containers["ollama"], ("exec",), ("nvidia-smi", "-L"))
        log, models = ask(_log, machine, site, containers["ollama"]), ask(_partial, machine, containers["ollama"])
        replies = {name: ask(machine.ask, url) for name, url in _addresses(site).items()}
        published = ask(run, "docker", "ps", "--format", "{{json .}}")
        smi, timedatectl = ask(run, *SMI), ask(run, "timedatectl", "show", "-p", "NTPSynchronized")
        tesseract, kernel = ask(run, "tesseract", "--list-langs"), ask(_kernel, machine)
        partial, can_see = models.result()
        return Seen(
            now=machine.now(),
            is_container=any(machine.mode_of(mark) is not None for mark in CONTAINER_MARKS),
            smi=smi.result(),
            vendors=machine.read_all(VENDORS),
            docker=docker.result(),
            published=published.result(),
            ollama_container=inspected.result(),
            smi_inside=smi_inside.result(),
            timedatectl=timedatectl.result(),
            tesseract=tesseract.result(),
            nginx=nginx.result(),
            kernel=kernel.result(),
            log=log.result(),
            partial=partial,
            can_see_models=can_see,
            addresses={name: reply.result() for name, reply in replies.items()},
            **ollama.result(),
            listening=machine.listening(),
            free={site.data_folder: machine.free_bytes(site.data_folder)},
            htpasswd=machine.read(site.passwords_file),
            certificate=machine.read(site.tls_folder / "certificate.pem"),
            key=machine.read(site.tls_folder / "key.pem"),
            key_mode=machine.mode_of(site.tls_folder / "key.pem"),
        )


def _addresses(site: Site) -> dict[str, str]:
    found = {"chroma": f"{site.chroma_url}/api/v2/heartbeat", "api": f"{site.api_url}/healthz"}
    return found if site.ollama_url is None else {"ollama": f"{site.ollama_url}/api/version", **found}


def _ollama(machine: Machine, site: Site) -> dict[str, Any]:
    """Version, loaded models, and what the wanted models are."""
    if site.ollama_url is None:
        return {"version": None, "running": None, "chat": None, "embed": None}

    def body(path: str, sent: Any = None) -> dict[str, Any] | None:
        reply = machine.ask(f"{site.ollama_url}{path}", sent)
        return reply.body if not reply.trouble and reply.status == 200 and isinstance(reply.body, dict) else None

    version = body("/api/version")
    if version is None:
        return {"version": None, "running": None, "chat": None, "embed": None}
    running = body("/api/ps")
    shown = [
        None if name is None else body("/api/show", {"model": name})
        for name in (site.wanted.chat_model, site.wanted.embed_model)
    ]
    return {
        "version": str(version.get("version", "")),
        "running": None if running is None else list(running.get("models") or []),
        "chat": shown[0],
        "embed": shown[1],
    }


def _container(machine: Machine, service: str) -> str:
    """The id of the compose service's container; empty where there is none."""
    found = machine.run("docker", "ps", "--filter", f"{SERVICE}{service}", "--format", "{{.ID}}")
    return found.out.split()[0] if found is not None and found.status == 0 and found.out.split() else ""


def _inside(machine: Machine, container: Future[str], before: tuple[str, ...], after: tuple[str, ...]) -> Ran | None:
    """A docker command on the container; None without one."""
    known = container.result()
    return machine.run("docker", *before, known, *after) if known else None


def _log(machine: Machine, site: Site, container: Future[str]) -> OllamaLog | None:
    if site.ollama_log is not None:
        content = machine.read(site.ollama_log)
        return None if content is None else read_log(content.decode("utf-8", "replace").splitlines())
    if known := container.result():
        ran = machine.run("docker", "logs", "--tail", LOG_LINES, known)
    else:
        ran = machine.run("journalctl", "-u", "ollama", "-n", LOG_LINES, "--no-pager", "-o", "cat")
    if ran is None or ran.status != 0 or not (lines := f"{ran.out}\n{ran.err}".splitlines()):
        return None
    log = read_log(lines)
    return log if log.settings or log.loads or log.out_of_memory else None


def _kernel(machine: Machine) -> Ran | None:
    return machine.run("journalctl", "-k", "-n", LOG_LINES, "--no-pager", "-o", "cat")


def _partial(machine: Machine, container: Future[str]) -> tuple[datetime | None, bool]:
    """When the newest half-loaded file grew last, and whether any models folder could be looked into."""
    if known := container.result():
        find = ("find", "/ollama/models", "-name", "*-partial*", "-printf", "%T@\\n")
        ran = machine.run("docker", "exec", known, *find)
        if ran is not None and ran.status == 0:
            times = [float(time) for time in ran.out.split()]
            return (datetime.fromtimestamp(max(times), machine.now().tzinfo) if times else None), True
    found = [machine.newest(f"{folder}/blobs/*-partial*") for folder in MODEL_FOLDERS]
    times_here = [time for time in found if time is not None]
    can_see = any(machine.newest(f"{folder}/blobs") is not None for folder in MODEL_FOLDERS)
    return max(times_here, default=None), can_see


def _nginx(machine: Machine, site: Site, container: Future[str]) -> Ran | None:
    if site.nginx_configuration is None and (known := container.result()):
        return machine.run("docker", "exec", known, "nginx", "-t", "-q", "-c", NGINX_CONFIGURATIONS[1], "-e", "stderr")
    places = [site.nginx_configuration] if site.nginx_configuration else [Path(NGINX_CONFIGURATIONS[0])]
    here = next((place for place in places if machine.mode_of(place) is not None), None)
    if here is None:
        return None
    return machine.run("nginx", "-t", "-q", "-p", f"{here.parent.parent}/", "-c", str(here), "-e", "stderr")


def _first(inspected: Ran | None) -> dict[str, Any]:
    """The container that `docker inspect` tells of; empty where there is none."""
    try:
        told = json.loads(inspected.out) if inspected is not None else []
    except ValueError:
        return {}
    return dict(told[0]) if isinstance(told, list) and told else {}
