"""`assistant up --demo`: chooses what this machine can run, gets what is missing, and says which and why.

An Ollama on 127.0.0.1:11434 that has both models is used; else the embedded embedder and the embedded chat model; else
literal quotes. `ANSWERS` (ollama | embedded | quotes) decides instead, and is an error where it cannot be.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from assistant.adapters.model_files import QWEN_CODER_1_5B, obtain
from assistant.errors import AssistantError, ModelMissing, Text
from assistant.settings import Settings

Answers = Literal["auto", "ollama", "embedded", "quotes"]

EMBEDDED_PROMPT_LIMIT_TOKENS = 1200
"""A 1.5B model on two cores reads 40 to 60 tokens a second: 1,200 tokens are 20 to 30 s before the first word."""
EMBEDDED_NUM_PREDICT = 256
EMBEDDED_PASSAGES = 5


@dataclass(frozen=True)
class Choice:
    """What the demo runs, and the reason in both languages."""

    settings: Settings
    reason: Text


def choose(
    settings: Settings, *, answers: Answers, port: int, documents: Path, told: Callable[[int, int, str], None]
) -> Choice:
    """Settings of the demo. May download the embedded chat model, telling (done bytes, total bytes, source).

    Raises ModelMissing when ANSWERS names something that this machine does not have.
    """
    ollama_lacks = _ollama_lacks(settings)
    if answers == "ollama" and ollama_lacks is not None:
        raise ModelMissing(
            Text(
                ja=f"{settings.ollama_url} の Ollama を使えません({ollama_lacks.ja})。",
                en=f"The Ollama at {settings.ollama_url} cannot be used ({ollama_lacks.en}).",
            ),
            Text(
                ja=f"`ollama serve` と `ollama create {settings.chat_model} -f {settings.modelfile}` を実行するか、ANSWERS を外してください。",
                en=f"Run `ollama serve` and `ollama create {settings.chat_model} -f {settings.modelfile}`, or leave ANSWERS out.",
            ),
        )
    common = _common(settings, port=port, documents=documents)
    if answers in {"auto", "ollama"} and ollama_lacks is None:
        return Choice(
            common.model_copy(
                update={"embedder": "ollama", "answers": "ollama", "data_folder": settings.data_folder / "demo-ollama"}
            ),
            Text(
                ja=f"{settings.ollama_url} の Ollama に必要なモデルがあるので、それを使います。",
                en=f"The Ollama at {settings.ollama_url} has the models, so it is used.",
            ),
        )
    embedded = common.model_copy(update={"embedder": "embedded", "data_folder": settings.data_folder / "demo"})
    lacks = ollama_lacks or Text(ja="指定により不使用", en="not wanted")
    if answers == "quotes":
        return Choice(
            embedded.model_copy(update={"answers": "quotes"}),
            Text(
                ja="ANSWERS=quotes の指定により、モデルを使わず文書の文をそのまま示します。",
                en="ANSWERS=quotes: no chat model; sentences of the documents are shown literally.",
            ),
        )
    return _with_embedded_model(embedded, lacks, told, is_required=answers == "embedded")


def _with_embedded_model(
    settings: Settings, lacks: Text, told: Callable[[int, int, str], None], *, is_required: bool
) -> Choice:
    try:
        obtained = obtain(QWEN_CODER_1_5B, folder=model_folder(), given_path=settings.embedded_chat_file, progress=told)
    except AssistantError as error:
        if is_required:
            raise
        return Choice(
            settings.model_copy(update={"answers": "quotes"}),
            Text(
                ja=f"Ollama なし({lacks.ja})、内蔵モデルも取得できないため({error.message.ja})、文書の文をそのまま示します。",
                en=f"No Ollama ({lacks.en}) and no embedded model ({error.message.en}): sentences are quoted literally.",
            ),
        )
    update = {
        "answers": "embedded",
        "embedded_chat_file": obtained.path,
        "num_predict": EMBEDDED_NUM_PREDICT,
        "prompt_limit_tokens": EMBEDDED_PROMPT_LIMIT_TOKENS,
        "passages_limit": EMBEDDED_PASSAGES,
    }
    return Choice(
        settings.model_copy(update=update),
        Text(
            ja=f"Ollama は使えないので({lacks.ja})、内蔵の小さなモデル {QWEN_CODER_1_5B.name} で答えます(入手元: {obtained.source})。",
            en=f"No usable Ollama ({lacks.en}): the embedded model {QWEN_CODER_1_5B.name} answers (source: {obtained.source}).",
        ),
    )


def model_folder() -> Path:
    """Where model files are kept between installations."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "company-assistant" / "models"


def _common(settings: Settings, *, port: int, documents: Path) -> Settings:
    """Addresses for one machine: the screen on `port`, everything else on free ports of 127.0.0.1."""
    chroma, chat, api = free_port(8100), free_port(8101), free_port(settings.api_port)
    return settings.model_copy(
        update={
            "documents_folder": documents,
            "chroma_url": f"http://127.0.0.1:{chroma}",
            "embedded_chat_url": f"http://127.0.0.1:{chat}",
            "api_port": api,
            "api_url": f"http://127.0.0.1:{api}",
            "ui_port": free_port(port),
            "proxy_secret": settings.proxy_secret or secrets.token_urlsafe(24),
            "demo_user": settings.demo_user or "demo",
        }
    )


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
