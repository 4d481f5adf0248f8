"""How much memory this machine has for models: GPUs as nvidia-smi sees them, else the machine's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

from assistant.errors import HostError, Text

_QUERY: Final = ("--query-gpu=name,memory.total,memory.used", "--format=csv,noheader,nounits")
_SECONDS: Final = 20.0
_FIELDS: Final = 3


@dataclass(frozen=True)
class Gpu:
    """One card; memory in bytes. `used_bytes` is what runs on it now, Ollama included."""

    name: str
    total_bytes: int
    used_bytes: int


def seen_gpus() -> list[Gpu]:
    """The cards that nvidia-smi names; none when it is not installed. Raises HostError when it is there and fails."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603 - no shell, fixed arguments
            [program, *_QUERY], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _driver_fails("timeout") from error
    if done.returncode != 0:
        raise _driver_fails((done.stdout + done.stderr).strip()[:200])
    return parse_gpus(done.stdout)


def parse_gpus(table: str) -> list[Gpu]:
    """The cards of nvidia-smi's answer. Raises HostError for one whose memory it does not tell."""
    cards = []
    for line in table.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != _FIELDS:
            continue
        if not fields[1].isdigit():  # "[N/A]": a card in an error state, or one that shares the machine's memory
            raise _driver_fails(line.strip())
        used = int(fields[2]) if fields[2].isdigit() else 0
        cards.append(Gpu(fields[0], int(fields[1]) << 20, used << 20))
    return cards


def machine_bytes() -> int:
    """The machine's own memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _driver_fails(words: str) -> HostError:
    return HostError(
        Text(
            ja=f"nvidia-smi が GPU のメモリを答えません({words})。",
            en=f"nvidia-smi does not tell the GPU's memory ({words}).",
        ),
        Text(
            ja="ドライバーを直すか、`--gpu-memory 24` のように GiB で指定してください。",
            en="Mend the driver, or give it in GiB as `--gpu-memory 24`.",
        ),
    )
