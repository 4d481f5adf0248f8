"""systemd units for a machine without Docker: the same parts, each with as few rights as it can work with.

    company-assistant.target
      ├── company-assistant-chroma      vectors, loopback only
      ├── company-assistant-api         answers, loopback only
      ├── company-assistant-ingest      reads the documents
      ├── company-assistant-ui          the screen, loopback only
      └── company-assistant-nginx       the only one that others reach
    ollama.service.d/company-assistant.conf   what the installed Ollama is told

Settings come from one environment file, which holds what .env holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import HostError, Text

TARGET = "company-assistant.target"
NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")

HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
UMask=0077
"""
LOOPBACK_ONLY = "IPAddressDeny=any\nIPAddressAllow=localhost\n"


@dataclass(frozen=True)
class Site:
    """Where things are on this machine. `code` holds the project with its `.venv`, `data` what is written."""

    user: str
    code: Path
    data: Path
    documents: Path
    environment: Path
    tls: Path
    passwords: Path
    listen: str
    calls_provider: bool = False


def make_units(site: Site) -> dict[str, str]:
    """Content by name below /etc/systemd/system. Raises HostError for a path or name that a unit cannot hold."""
    _check(site)
    folder = site.code / ".venv" / "bin"
    address = "" if site.calls_provider else LOOPBACK_ONLY
    return {
        TARGET: _TARGET,
        "company-assistant-chroma.service": _unit(
            site,
            "Chroma, the vectors",
            f"{folder}/chroma run --path {site.data}/chroma --host 127.0.0.1 --port 8100",
            LOOPBACK_ONLY,
        ),
        "company-assistant-api.service": _unit(
            site,
            "the API",
            f"{folder}/python -m api",
            f"{address}ReadOnlyPaths={site.documents}\nTimeoutStopSec=60\n",
            after="company-assistant-chroma.service",
        ),
        "company-assistant-ingest.service": _unit(
            site,
            "ingestion",
            f"{folder}/ingest watch",
            f"{LOOPBACK_ONLY}ReadOnlyPaths={site.documents}\nNice=10\nTimeoutStopSec=60\n",
            after="company-assistant-chroma.service",
        ),
        "company-assistant-ui.service": _unit(
            site, "the screen", f"{folder}/python -m ui", LOOPBACK_ONLY, after="company-assistant-api.service"
        ),
        "company-assistant-nginx.service": _nginx(site),
        "ollama.service.d/company-assistant.conf": _OLLAMA,
    }


def _unit(site: Site, what: str, command: str, more: str, *, after: str = "") -> str:
    return f"""\
# Made by `assistant systemd`.
[Unit]
Description=Company assistant: {what}
PartOf={TARGET}
After=network-online.target {after}
Wants=network-online.target {after}

[Service]
User={site.user}
WorkingDirectory={site.code}
EnvironmentFile={site.environment}
Environment=ASSISTANT_DATA_FOLDER={site.data} ASSISTANT_DOCUMENTS_FOLDER={site.documents}
Environment=HOME=/tmp DO_NOT_TRACK=1 ANONYMIZED_TELEMETRY=False
ExecStart={command}
Restart=on-failure
RestartSec=2
ReadWritePaths={site.data}
{HARDENING}{more}
[Install]
WantedBy={TARGET}
"""


def _nginx(site: Site) -> str:
    """nginx may open a port below 1024 and nothing else that root may."""
    start = f"/bin/sh {site.code}/nginx/start.sh"
    hardening = HARDENING.replace("CapabilityBoundingSet=\nAmbientCapabilities=\n", "")
    return f"""\
# Made by `assistant systemd`. Reads the proxy secret from the same file as the others.
[Unit]
Description=Company assistant: nginx, the only one that others reach
PartOf={TARGET}
After=network-online.target company-assistant-ui.service
Wants=network-online.target

[Service]
User={site.user}
EnvironmentFile={site.environment}
Environment=NGINX_LISTEN={site.listen} NGINX_PUBLISHED={site.listen.rpartition(":")[0]}
Environment=NGINX_HEALTH_LISTEN=127.0.0.1:8079 NGINX_API=127.0.0.1:8000 NGINX_UI=127.0.0.1:8501
Environment=NGINX_RUN_FOLDER=/run/company-assistant-nginx NGINX_LOG=/var/log/company-assistant/access.log
Environment=NGINX_TLS_FOLDER={site.tls} NGINX_PASSWORDS={site.passwords}
RuntimeDirectory=company-assistant-nginx
LogsDirectory=company-assistant
ExecStart={start}
ExecReload={start} reload
KillSignal=SIGQUIT
TimeoutStopSec=40
Restart=on-failure
RestartSec=2
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
{hardening}
[Install]
WantedBy={TARGET}
"""


def write_units(units: dict[str, str], folder: Path) -> list[Path]:
    """Writes them below the folder; where. Raises HostError."""
    written = []
    for name, content in units.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            path.chmod(0o644)
        except OSError as error:
            raise HostError(
                Text(ja=f"{path} に書けません。", en=f"{path} cannot be written."),
                Text(
                    ja="root で実行するか、--folder で別の場所を選んでください。",
                    en="Run it as root, or choose --folder.",
                ),
            ) from error
        written.append(path)
    return written


def _check(site: Site) -> None:
    paths = [site.code, site.data, site.documents, site.environment, site.tls, site.passwords]
    odd = [str(path) for path in paths if not path.is_absolute() or re.search(r"[\s%\"'\\\\$]", str(path))]
    if not NAME.fullmatch(site.user):
        odd.append(site.user)
    if not re.fullmatch(r"(\[[0-9a-f:]+\]|[0-9.]+):\d{1,5}", site.listen):
        odd.append(site.listen)
    if odd:
        raise HostError(
            Text(ja=f"ユニットに書けない値です: {', '.join(odd)}", en=f"A unit cannot hold this: {', '.join(odd)}"),
            Text(
                ja="絶対パス(空白、%、引用符、$ なし)、小文字の利用者名、アドレス:ポートを指定してください。",
                en="Give absolute paths (no blanks, %, quotes, $), a user name in lower case, and ADDRESS:PORT.",
            ),
        )


_TARGET = """\
# Made by `assistant systemd`.
[Unit]
Description=Company assistant
Wants=company-assistant-chroma.service company-assistant-api.service company-assistant-ingest.service
Wants=company-assistant-ui.service company-assistant-nginx.service

[Install]
WantedBy=multi-user.target
"""
_OLLAMA = """\
# Made by `assistant systemd`. The reasons stand in docker-compose.yml; OLLAMA_NUM_PARALLEL is ASSISTANT_MODEL_PARALLEL.
[Service]
Environment=OLLAMA_HOST=127.0.0.1:11434 OLLAMA_NO_CLOUD=1
Environment=OLLAMA_NUM_PARALLEL=4 OLLAMA_CONTEXT_LENGTH=8192 OLLAMA_MAX_LOADED_MODELS=2 OLLAMA_KEEP_ALIVE=-1
Environment=OLLAMA_FLASH_ATTENTION=1 OLLAMA_KV_CACHE_TYPE=q8_0
NoNewPrivileges=yes
ProtectSystem=full
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
"""
