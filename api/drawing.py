"""Pictures of pages, drawn by a process of their own: a few at a time, with a limit of time, the last ones remembered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

AT_ONCE: Final = 2
"""Each takes up to a second of a core; more would slow down the answers."""
SECONDS: Final = 20.0
REMEMBERED_BYTES: Final = 32 << 20
LARGEST_BYTES: Final = 8 << 20
HEAD_BYTES: Final = 8
PACKAGES: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Picture:
    """A page as PNG; `marks` counts the lines that are marked, `top` is how far down the highest is, 0 to 1."""

    png: bytes
    marks: int
    top: float = 0.0


@dataclass
class Drawing:
    """What one server draws and remembers. Who may see a picture is decided before it is asked for."""

    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    kept: OrderedDict[tuple[str, int, str], Picture] = field(default_factory=OrderedDict)
    kept_bytes: int = 0

    async def picture(self, path: Path, *, version_id: str, page: int, quote: str) -> Picture | None:
        """The page with the quotation marked; None where there is no such page, or the file cannot be drawn in time."""
        key = (version_id, page, quote)
        if key not in self.kept:
            async with self.at_once:
                drawn = await _drawn(path, page=page, quote=quote)
            if drawn is None:
                return None
            self._keep(key, drawn)
        self.kept.move_to_end(key)
        return self.kept[key]

    def _keep(self, key: tuple[str, int, str], picture: Picture) -> None:
        former = self.kept.pop(key, None)
        self.kept_bytes += len(picture.png) - (len(former.png) if former is not None else 0)
        self.kept[key] = picture
        while self.kept_bytes > REMEMBERED_BYTES and len(self.kept) > 1:
            self.kept_bytes -= len(self.kept.popitem(last=False)[1].png)


async def _drawn(path: Path, *, page: int, quote: str) -> Picture | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.page_picture",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # may hold text of the document
        cwd=PACKAGES,
        env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
    )
    asked = json.dumps({"path": str(path), "page": page, "quote": quote}).encode()
    try:
        async with asyncio.timeout(SECONDS):
            written, _ = await process.communicate(asked)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0 or not HEAD_BYTES < len(written) <= LARGEST_BYTES:
        return None
    marks, thousandths = (int.from_bytes(written[at : at + 4], "big") for at in (0, 4))
    return Picture(png=written[HEAD_BYTES:], marks=marks, top=thousandths / 1000)
