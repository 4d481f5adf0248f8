"""Makes, loads and tries models on an Ollama server, over its JSON API; see ports.ModelHost.

    settings -> POST /api/create (never the command line, which drops full-width spaces)
             -> POST /api/show, /api/tags    what was really made
             -> POST /api/chat without words, GET /api/ps    what was really loaded

The server fetches a base model that it lacks from the internet: hence a look for it first. Must not know releases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog

from assistant.adapters.model_http import HTTPX_ERRORS, async_client
from assistant.adapters.ollama_embedder import ollama_server
from assistant.adapters.ollama_models import facts_of
from assistant.errors import ModelMissing, Text, WillNotFit
from assistant.releases import LoadedModel, MadeModel, ModelFile, Tried, full_name

_log = structlog.get_logger(__name__)

LOOK_SECONDS = 20.0
WORK_SECONDS = 900.0
"""Longest creation, load or probe: a cold 70B model is read from disk for minutes."""
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_BLOB = re.compile(r"^FROM (\S*sha256-[0-9a-f]{64})\s*$", re.MULTILINE)
_NANOSECONDS = 1e9


class OllamaModelHost:
    """An Ollama server as a host of models."""

    def __init__(
        self, *, url: str, connect_timeout_seconds: float = 3.0, work_timeout_seconds: float = WORK_SECONDS
    ) -> None:
        self._server = ollama_server(url)
        self._connect_seconds = connect_timeout_seconds
        self._work_seconds = work_timeout_seconds

    async def seen(self, name: str) -> MadeModel | None:
        """The model as the server has it. Raises ModelUnavailable, ModelTimeout."""
        entry = (await self._tags()).get(full_name(name))
        shown = None if entry is None else await self._call("POST", "/api/show", {"model": name}, may_miss=True)
        if entry is None or shown is None:
            return None
        info = shown.get("model_info") or {}
        window = info.get(f"{info.get('general.architecture')}.context_length")
        return MadeModel(
            name=full_name(name),
            digest=str(entry["digest"]),
            size_bytes=int(entry["size"]),
            system=shown.get("system") or "",
            template=shown.get("template") or "",
            parameters=_parameters(shown.get("parameters") or ""),
            facts=facts_of(name, shown, source=f"{self._server.shown_url} /api/show"),
            window=window if isinstance(window, int) else 0,
            can_chat="completion" in (shown.get("capabilities") or []),
            messages=tuple((each["role"], each["content"]) for each in shown.get("messages") or []),
        )

    async def make(self, name: str, *, base: str, settings: Mapping[str, Any]) -> MadeModel:
        """The model, made anew from `base`. Raises ModelMissing where there is no base, ModelUnavailable, ModelTimeout."""
        if full_name(base) not in await self._tags():
            raise self._server.missing(
                base, Text(ja=f"`ollama pull {base}` を実行してください。", en=f"Run `ollama pull {base}`.")
            )
        body = {"model": name, "from": base, "stream": False, **settings}
        done = await self._call("POST", "/api/create", body, seconds=self._work_seconds)
        made = await self.seen(name)
        if done is None or done.get("status") != "success" or made is None:
            raise self._server.garbled()
        return made

    async def load(self, name: str) -> LoadedModel:
        """Loads the model with its own window. Raises WillNotFit, ModelMissing, ModelUnavailable, ModelTimeout."""
        await self._call(
            "POST", "/api/chat", {"model": name, "messages": [], "stream": False}, seconds=self._work_seconds
        )
        loaded = await self.loaded(name)
        if loaded is None:
            raise self._server.refused(None, _CROWDED)
        return loaded

    async def loaded(self, name: str) -> LoadedModel | None:
        """What /api/ps says of the model. It names a loaded file by whichever of its names loaded it first."""
        rows = (await self._call("GET", "/api/ps") or {}).get("models") or []
        own = next((row for row in rows if row["name"] == full_name(name)), None)
        if own is None and rows:
            blob = await self._blob(name)
            for row in rows:
                if blob is not None and await self._blob(row["name"]) == blob:
                    own = row
        if own is None:
            return None
        return LoadedModel(int(own["context_length"]), int(own["size"]), int(own["size_vram"]))

    async def try_out(self, name: str, prompt: str, *, num_predict: int) -> Tried:
        """What the model says, taking the likeliest word each time. Raises WillNotFit, ModelMissing, ModelUnavailable."""
        body = {
            "model": name,
            "messages": [{"role": "user", "content": prompt}],
            "stream": False,
            "truncate": False,
            "shift": False,
            "options": {"temperature": 0, "seed": 1, "num_predict": num_predict},
        }
        said = await self._call("POST", "/api/chat", body, seconds=self._work_seconds)
        if said is None or said.get("done") is not True:
            raise self._server.aborted()
        writing = said.get("eval_duration", 0) / _NANOSECONDS
        count = int(said.get("eval_count", 0))
        return Tried(
            text=said["message"]["content"],
            prompt_tokens=int(said.get("prompt_eval_count", 0)),
            answer_tokens=count,
            is_whole=said.get("done_reason") == "stop",
            first_token_seconds=round(said.get("prompt_eval_duration", 0) / _NANOSECONDS, 3),
            tokens_per_second=round(count / writing, 1) if writing else 0.0,
        )

    async def copy(self, source: str, name: str) -> None:
        """Gives the model a second name. Raises ModelMissing, ModelUnavailable."""
        await self._call("POST", "/api/copy", {"source": source, "destination": name})

    async def remove(self, name: str) -> None:
        """Takes the name away; one that is not there is no error."""
        await self._call("DELETE", "/api/delete", {"model": name}, may_miss=True)

    async def digests(self) -> dict[str, str]:
        """Digests by full name. Raises ModelUnavailable, ModelTimeout."""
        return {name: str(entry["digest"]) for name, entry in (await self._tags()).items()}

    async def files(self) -> dict[str, ModelFile]:
        """Weights and sizes by full name. Raises ModelUnavailable, ModelTimeout."""
        rows = await self._tags()
        return {name: ModelFile(await self._blob(name) or name, int(row["size"])) for name, row in rows.items()}

    def free_bytes(self) -> int | None:
        """Free memory of this machine, if the server is on it and this is a Linux."""
        if urlsplit(self._server.url).hostname not in _LOCAL:
            return None
        try:
            lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)

    async def _tags(self) -> dict[str, Any]:
        rows = (await self._call("GET", "/api/tags") or {}).get("models") or []
        return {row["name"]: row for row in rows}

    async def _blob(self, name: str) -> str | None:
        shown = await self._call("POST", "/api/show", {"model": name}, may_miss=True)
        found = _BLOB.search((shown or {}).get("modelfile") or "")
        return found[1] if found else None

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        seconds: float = LOOK_SECONDS,
        may_miss: bool = False,
    ) -> dict[str, Any] | None:
        """The server's answer; None for an empty one, and for 404 where that `may_miss`."""
        timeout = httpx.Timeout(seconds, connect=self._connect_seconds)
        try:
            async with async_client(timeout=timeout) as client:
                response = await client.request(method, self._server.url + path, json=body)
        except HTTPX_ERRORS as error:
            raise self._server.model_error(error, limit_seconds=seconds) from error
        if response.status_code == 404 and may_miss:
            return None
        if response.status_code >= 400:
            self._refuse(response, (body or {}).get("model") or (body or {}).get("source") or "")
        if not response.content:
            return None
        try:
            answer: dict[str, Any] = response.json()
        except ValueError as error:
            raise self._server.garbled() from error
        return answer

    def _refuse(self, response: httpx.Response, model: str) -> None:
        words = response.text[:300].lower()
        _log.warning("ollama_refused", model=model, status=response.status_code, words=words)
        if "memory" in words and "model" in words:
            raise WillNotFit(
                Text(ja=f"{model} を載せるメモリが足りません。", en=f"There is not enough memory to load {model}."),
                Text(
                    ja="num_ctx を小さくするか、より小さいモデルにするか、メモリを空けてください。",
                    en="Use a smaller num_ctx or a smaller model, or free some memory.",
                ),
            )
        if response.status_code == 404:
            raise ModelMissing(
                Text(ja=f"Ollama にモデル {model} がありません。", en=f"Ollama has no model {model}."),
                Text(ja="`ollama list` で確かめてください。", en="Look with `ollama list`."),
            )
        raise self._server.refused(response.status_code)


def _parameters(text: str) -> dict[str, Any]:
    """What /api/show prints a line each, in any order; several `stop` are a list, in the order of the alphabet."""
    found: dict[str, Any] = {}
    for line in text.splitlines():
        name, _, raw = line.partition(" ")
        try:
            value = json.loads(raw.strip())
        except ValueError:
            value = raw.strip().strip('"')
        if name == "stop":
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return {name: sorted(value) if isinstance(value, list) else value for name, value in found.items()}


_CROWDED = Text(
    ja="別のモデルに追い出されたかもしれません。`ollama ps` と OLLAMA_MAX_LOADED_MODELS を確かめてください。",
    en="Another model may have taken its place. Look at `ollama ps` and OLLAMA_MAX_LOADED_MODELS.",
)
