"""`assistant up --demo`: chooses what this machine can run, gets what is missing, and says which and why.

An Ollama on 127.0.0.1:11434 that has both models is used; else the embedded embedder and the embedded chat model; else
literal quotes. `ANSWERS` (ollama | embedded | quotes) decides instead, and is an error where it cannot be. What else is
weaker on this machine (a port that is taken, no reader for scans) comes as notes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from assistant.adapters.model_files import QWEN_CODER_1_5B, obtain
from assistant.errors import AssistantError, FolderMissing, ModelMissing, Text
from assistant.settings import Settings

Answers = Literal["auto", "ollama", "embedded", "quotes"]

EMBEDDED_PROMPT_LIMIT_TOKENS = 1200
"""A 1.5B model on two cores reads 40 to 60 tokens a second: 1,200 tokens are 20 to 30 s before the first word."""
EMBEDDED_NUM_PREDICT = 256
EMBEDDED_PASSAGES = 5

Told = Callable[[int, int, str], None]
Announced = Callable[[Text], None]


@dataclass(frozen=True)
class Choice:
    """What the demo runs, the reason in both languages, and what is weaker than it could be."""

    settings: Settings
    reason: Text
    notes: tuple[Text, ...] = ()


def choose(
    settings: Settings, *, answers: Answers, port: int, documents: Path, told: Told, announced: Announced
) -> Choice:
    """Settings of the demo. May download the embedded chat model, telling (done bytes, total bytes, source).

    `announced` hears where the model comes from, and which source was refused. Raises FolderMissing for `documents`,
    ModelMissing when ANSWERS names something that this machine does not have.
    """
    _check_folder(documents)
    ollama_lacks = _ollama_lacks(settings)
    if answers == "ollama" and ollama_lacks is not None:
        raise _ollama_unusable(settings, ollama_lacks)
    common, notes = _common(settings, port=port, documents=documents)
    if answers in {"auto", "ollama"} and ollama_lacks is None:
        update = {"embedder": "ollama", "answers": "ollama", **_stores(settings, "demo-ollama", documents)}
        return Choice(
            common.model_copy(update=update),
            Text(
                ja=f"{settings.ollama_url} の Ollama に必要なモデルがあるので、それを使います。",
                en=f"The Ollama at {settings.ollama_url} has the models, so it is used.",
            ),
            notes,
        )
    update = {"embedder": "embedded", "answers": "quotes", **_stores(settings, "demo", documents)}
    embedded = common.model_copy(update=update)
    if answers == "quotes":
        reason = Text(
            ja="ANSWERS=quotes の指定により、モデルを使わず文書の文をそのまま示します。",
            en="ANSWERS=quotes: no chat model; sentences of the documents are shown literally.",
        )
        return Choice(embedded, reason, notes)
    lacks = ollama_lacks or Text(ja="指定により不使用", en="not wanted")
    try:
        chosen, reason = _with_embedded_model(embedded, lacks, told=told, announced=announced)
    except AssistantError as error:
        if answers == "embedded":
            raise
        reason = Text(
            ja=f"Ollama なし({lacks.ja})、内蔵モデルも取得できないため({error.message.ja})、文書の文をそのまま示します。",
            en=f"No Ollama ({lacks.en}) and no embedded model ({error.message.en}): sentences are quoted literally.",
        )
        return Choice(embedded, reason, notes)
    return Choice(chosen, reason, notes)


def with_chat_file(settings: Settings, *, told: Told, announced: Announced) -> tuple[Settings, str]:
    """The settings with a verified file of the embedded chat model, and where it came from; may download it.

    Raises ModelMissing, ModelUnavailable.
    """
    obtained = obtain(
        QWEN_CODER_1_5B,
        folder=model_folder(),
        given_path=settings.embedded_chat_file,
        progress=told,
        announce=announced,
    )
    return settings.model_copy(update={"embedded_chat_file": obtained.path}), obtained.source


def model_folder() -> Path:
    """Where model files are kept between installations."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "company-assistant" / "models"


def _with_embedded_model(settings: Settings, lacks: Text, *, told: Told, announced: Announced) -> tuple[Settings, Text]:
    with_file, source = with_chat_file(settings, told=told, announced=announced)
    update = {
        "answers": "embedded",
        "num_predict": EMBEDDED_NUM_PREDICT,
        "prompt_limit_tokens": EMBEDDED_PROMPT_LIMIT_TOKENS,
        "passages_limit": EMBEDDED_PASSAGES,
    }
    return with_file.model_copy(update=update), Text(
        ja=f"Ollama は使えないので({lacks.ja})、内蔵の小さなモデル {QWEN_CODER_1_5B.name} で答えます(入手元: {source})。",
        en=f"No usable Ollama ({lacks.en}): the embedded model {QWEN_CODER_1_5B.name} answers (source: {source}).",
    )


def _common(settings: Settings, *, port: int, documents: Path) -> tuple[Settings, tuple[Text, ...]]:
    """Addresses for one machine: the screen on `port`, everything else on free ports of 127.0.0.1; and notes."""
    chroma, chat, api, screen = free_port(8100), free_port(8101), free_port(settings.api_port), free_port(port)
    notes = [note for note in (_port_note(port, screen), _scan_note()) if note is not None]
    common = settings.model_copy(
        update={
            "documents_folder": documents,
            "chroma_url": f"http://127.0.0.1:{chroma}",
            "embedded_chat_url": f"http://127.0.0.1:{chat}",
            "api_host": "127.0.0.1",
            "api_port": api,
            "api_url": f"http://127.0.0.1:{api}",
            "ui_host": "127.0.0.1",
            "ui_port": screen,
            "proxy_secret": settings.proxy_secret or secrets.token_urlsafe(24),
            "demo_user": settings.demo_user or "demo",
        }
    )
    return common, tuple(notes)


def _port_note(wanted: int, got: int) -> Text | None:
    if wanted == got:
        return None
    return Text(
        ja=f"ポート {wanted} は使用中なので、画面は {got} で開きます。別のポートは PORT= で選べます。",
        en=f"Port {wanted} is in use, so the screen is on {got}. PORT= chooses another.",
    )


def _scan_note() -> Text | None:
    """What a machine without a program for reading scans should hear; None where it is complete."""
    if shutil.which("tesseract") is not None:
        listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, check=False, timeout=20)  # noqa: S607
        if b"jpn" in listed.stdout.split():
            return None
    return Text(
        ja="スキャンした文書は読めません(ほかは読めます): sudo apt-get install tesseract-ocr tesseract-ocr-jpn",
        en="Scanned documents cannot be read (all others can): sudo apt-get install tesseract-ocr tesseract-ocr-jpn",
    )


def _check_folder(documents: Path) -> None:
    if not documents.is_dir():
        raise FolderMissing(
            Text(ja=f"文書のフォルダ {documents} がありません。", en=f"There is no folder {documents}."),
            Text(
                ja="DOCS= にあるフォルダを指定するか、DOCS を外してください(例の文書を使います)。",
                en="Set DOCS= to a folder that exists, or leave it out for the example documents.",
            ),
        )


def _stores(settings: Settings, name: str, documents: Path) -> dict[str, object]:
    """Where the demo keeps things: never in a real ledger, and own documents apart from the handbook."""
    if documents.resolve() != settings.documents_folder.resolve():
        name += "-" + hashlib.sha256(os.fsencode(documents.resolve())).hexdigest()[:8]
    folder = (settings.data_folder / name).resolve()
    return {"data_folder": folder, "database_url": f"sqlite:///{folder / 'ledger.db'}"}


def free_port(wanted: int) -> int:
    """`wanted` if nobody listens there on 127.0.0.1, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted


def _ollama_unusable(settings: Settings, lacks: Text) -> ModelMissing:
    return ModelMissing(
        Text(
            ja=f"{settings.ollama_url} の Ollama を使えません({lacks.ja})。",
            en=f"The Ollama at {settings.ollama_url} cannot be used ({lacks.en}).",
        ),
        Text(
            ja=f"`ollama serve` と `ollama create {settings.chat_model} -f {settings.modelfile}` を実行するか、ANSWERS を外してください。",
            en=f"Run `ollama serve` and `ollama create {settings.chat_model} -f {settings.modelfile}`, or leave ANSWERS out.",
        ),
    )


def _ollama_lacks(settings: Settings) -> Text | None:
    """Why the Ollama at `ollama_url` cannot be used, or None when it can."""
    try:
        reply = httpx.get(f"{settings.ollama_url}/api/tags", timeout=2.0, trust_env=False)
        reply.raise_for_status()
        names = {str(model.get("name", "")) for model in reply.json().get("models", [])}
    except (httpx.HTTPError, ValueError):
        return Text(ja="応答がありません", en="it does not answer")
    known = names | {name.removesuffix(":latest") for name in names}
    for model in (settings.chat_model, settings.embed_model):
        if model not in known:
            return Text(ja=f"モデル {model} がありません", en=f"it has no model {model}")
    return None
