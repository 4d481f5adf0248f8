"""Settings -> the commands of the stack's processes. The only place that knows how each part is started."""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from assistant.adapters.chroma import CHROMA_ENVIRONMENT, chroma_command
from assistant.adapters.embedded import EMBEDDED_NUM_CTX, embedded_chat_command
from assistant.errors import SettingsError, Text
from assistant.settings import Settings, values_of
from assistant.stack import STOP_SECONDS, Listens, Part

PART_NAMES = ("chroma", "chat", "api", "ingest", "ui")


def stack_parts(settings: Settings, *, only: Sequence[str] = ()) -> list[Part]:
    """The parts in starting order: all that these settings need, or those named. Raises SettingsError for a name."""
    for name in only:
        if name not in PART_NAMES:
            raise SettingsError(
                Text(ja=f"--only に {name} という部分はありません。", en=f"--only: there is no part {name}."),
                Text(ja=f"使える名前: {', '.join(PART_NAMES)}", en=f"Parts: {', '.join(PART_NAMES)}"),
            )
    if "chat" in only and settings.answers != "embedded":
        raise SettingsError(
            Text(
                ja=f"ASSISTANT_ANSWERS={settings.answers} では chat という部分はありません。",
                en=f"With ASSISTANT_ANSWERS={settings.answers} there is no part chat.",
            ),
            Text(ja="--only から chat を外してください。", en="Leave chat out of --only."),
        )
    parts = [_chroma(settings), *_chat(settings), _api(settings), _ingest(settings), _ui(settings)]
    return [part for part in parts if not only or part.name in only]


def completed(settings: Settings) -> Settings:
    """What nobody set and one start of all parts can decide: where the screen finds the API, and their shared secret."""
    update: dict[str, str] = {}
    if "api_url" not in settings.model_fields_set:
        update["api_url"] = _url(settings.api_host, settings.api_port)
    if not settings.proxy_secret:
        update["proxy_secret"] = secrets.token_urlsafe(24)
    return settings.model_copy(update=update)


def environment_of(settings: Settings) -> dict[str, str]:
    """These settings as environment variables for child processes, paths made absolute."""
    environment: dict[str, str] = {}
    for variable, value in values_of(settings).items():
        if isinstance(value, Path):
            environment[variable] = str(value.resolve())
        elif value is not None:
            environment[variable] = str(value).lower() if isinstance(value, bool) else str(value)
    return environment


def _address(url: str) -> tuple[str, int]:
    split = urlsplit(url)
    return split.hostname or "127.0.0.1", split.port or 80


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _chroma(settings: Settings) -> Part:
    host, port = _address(settings.chroma_url)
    folder = settings.data_folder.resolve() / "chroma"
    folder.mkdir(parents=True, exist_ok=True)
    return Part(
        name="chroma",
        command=chroma_command(path=folder, host=host, port=port),
        environment=CHROMA_ENVIRONMENT,
        health_url=f"{settings.chroma_url}/api/v2/heartbeat",
        where=settings.chroma_url,
        listens=Listens(host, port, "ASSISTANT_CHROMA_URL"),
        derived_folder=folder,
    )


def _chat(settings: Settings) -> list[Part]:
    if settings.answers != "embedded" or settings.embedded_chat_file is None:
        return []
    _, port = _address(settings.embedded_chat_url)
    num_ctx = settings.num_ctx or EMBEDDED_NUM_CTX
    return [
        Part(
            name="chat",
            command=embedded_chat_command(model_path=settings.embedded_chat_file, port=port, num_ctx=num_ctx),
            environment={},
            health_url=f"{settings.embedded_chat_url}/health",
            where=settings.embedded_chat_url,
            listens=Listens("127.0.0.1", port, "ASSISTANT_EMBEDDED_CHAT_URL"),
        )
    ]


def _api(settings: Settings) -> Part:
    address = _url(settings.api_host, settings.api_port)
    return Part(
        name="api",
        command=[sys.executable, "-m", "api"],
        environment=environment_of(settings),
        health_url=f"{address}/healthz",
        where=address,
        listens=Listens(settings.api_host, settings.api_port, "ASSISTANT_API_PORT"),
        stop_seconds=STOP_SECONDS + settings.queue.drain_seconds,
        socket_option="--socket",
    )


def _ingest(settings: Settings) -> Part:
    return Part(
        name="ingest",
        command=[executable("ingest"), "watch"],
        environment=environment_of(settings),
        health_url=None,
        where=str(settings.documents_folder),
    )


def _ui(settings: Settings) -> Part:
    address = _url(settings.ui_host, settings.ui_port)
    return Part(
        name="ui",
        command=[sys.executable, "-m", "ui"],
        environment=environment_of(settings),
        health_url=f"{address}/_stcore/health",
        where=address,
        listens=Listens(settings.ui_host, settings.ui_port, "ASSISTANT_UI_PORT"),
    )


def executable(name: str) -> str:
    """The console script beside this Python, or the one on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else shutil.which(name) or name
