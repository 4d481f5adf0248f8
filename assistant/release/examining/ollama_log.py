"""Reads what an Ollama server logs: its settings, when it loaded which model, and what went wrong.

The lines are those of 0.17 (slog's `time=… level=… msg="…"`, and llama.cpp's own, which have no time). Only what it said
since its last start counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_TIME = re.compile(r"^time=(\S+) ")
_SETTINGS = re.compile(r'msg="server config" env="map\[(.*)\]"')
_SETTING = re.compile(r"(\w+):(.*?)(?= \w+:|$)")
_LOAD = re.compile(r'msg="starting (?:runner|llama server)" cmd=".*?--model \S*?sha256-([0-9a-f]{64})')
_NO_FLASH = "OLLAMA_FLASH_ATTENTION must be enabled to use a quantized OLLAMA_KV_CACHE_TYPE"
_OUT_OF_MEMORY = re.compile(
    r"out of memory|cudaMalloc failed|model requires more system memory|llama runner terminated.*signal: killed"
    r"|failed to allocate (?:compute buffers|buffer for kv cache|\S+ buffer of size)|unable to allocate \S+ buffer",
    re.IGNORECASE,
)
_KILLED = re.compile(r"Out of memory: Killed process \d+ \((?:ollama|llama)[^)]*\)", re.IGNORECASE)
_STALLED = re.compile(r"part \d+ stalled; retrying")
_NO_MANIFEST = re.compile(r"pull model manifest: .*|dial tcp: lookup registry\.ollama\.ai.*")


@dataclass(frozen=True)
class Load:
    """A model's file, by the beginning of its hash, that was loaded at a time."""

    at: datetime
    blob: str


@dataclass(frozen=True)
class OllamaLog:
    """What the lines since the last start say. `settings` are the server's variables as it understood them."""

    settings: Mapping[str, str]
    loads: tuple[Load, ...]
    out_of_memory: tuple[str, ...]
    stalled: tuple[str, ...]
    unreachable: tuple[str, ...]
    is_without_flash: bool

    def loads_within(self, span: timedelta) -> list[Load]:
        """Those of the last such span before the newest one."""
        return [load for load in self.loads if self.loads[-1].at - load.at <= span]


def read_log(lines: Sequence[str]) -> OllamaLog:
    """What a log says; lines of other programs between them do no harm."""
    starts = [number for number, line in enumerate(lines) if _SETTINGS.search(line)]
    lines = lines[starts[-1] :] if starts else lines
    settings = _SETTINGS.search(lines[0]) if starts else None
    return OllamaLog(
        settings=dict(_SETTING.findall(settings[1])) if settings else {},
        loads=tuple(load for line in lines if (load := _load_of(line)) is not None),
        out_of_memory=tuple(line for line in lines if _OUT_OF_MEMORY.search(line)),
        stalled=tuple(line for line in lines if _STALLED.search(line)),
        unreachable=tuple(found[0] for line in lines if (found := _NO_MANIFEST.search(line))),
        is_without_flash=any(_NO_FLASH in line for line in lines),
    )


def killed_in(kernel: str) -> list[str]:
    """Lines of the kernel's log that say that it ended Ollama for want of memory."""
    return [line for line in kernel.splitlines() if _KILLED.search(line)]


def _load_of(line: str) -> Load | None:
    load, time = _LOAD.search(line), _TIME.search(line)
    if load is None or time is None:
        return None
    try:
        return Load(datetime.fromisoformat(time[1]), load[1][:12])
    except ValueError:
        return None
