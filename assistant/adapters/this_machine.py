"""The machine that this process runs on, for the doctor: programs, files, addresses, sockets. Looks, changes nothing."""

from __future__ import annotations

import glob
import ipaddress
import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from assistant.adapters.model_http import HTTPX_ERRORS, Trouble, sync_client, trouble_of
from assistant.machine import Listening, Ran, Reply

COMMAND_SECONDS = 8.0
"""nvidia-smi and docker answer within half a second; some seconds where the driver has to be loaded first. One that hangs
is a finding of its own."""
ASK_SECONDS = 4.0
MOST_BYTES = 4 << 20
_LISTEN = "0A"  # of a socket's state in /proc/net/tcp


class ThisMachine:
    """See machine.Machine."""

    def run(self, *command: str) -> Ran | None:
        """What a program said; None where there is no such program."""
        program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            return None
        try:
            done = subprocess.run(  # noqa: S603  commands are the checks' own
                [program, *command[1:]], capture_output=True, timeout=COMMAND_SECONDS, check=False,
                stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ran(None)
        except OSError:
            return None
        return Ran(done.returncode, _text(done.stdout), _text(done.stderr))

    def read(self, path: Path) -> bytes | None:
        """A file's last megabytes; None where it cannot be read."""
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - MOST_BYTES))
                return file.read(MOST_BYTES)
        except OSError:
            return None

    def read_all(self, pattern: str) -> list[str]:
        """Content of each file that matches."""
        contents = (self.read(Path(name)) for name in glob.glob(pattern))
        return [_text(content) for content in contents if content is not None]

    def mode_of(self, path: Path) -> int | None:
        """Permission bits."""
        try:
            return path.stat().st_mode & 0o777
        except OSError:
            return None

    def newest(self, pattern: str) -> datetime | None:
        """When the newest file that matches was changed."""
        times = []
        for name in glob.glob(pattern):
            try:
                times.append(Path(name).stat().st_mtime)
            except OSError:
                continue
        return datetime.fromtimestamp(max(times), UTC) if times else None

    def ask(self, url: str, body: Any = None) -> Reply:
        """GET, or POST with a body."""
        try:
            with sync_client(timeout=httpx.Timeout(ASK_SECONDS)) as client:
                response = client.get(url) if body is None else client.post(url, json=body)
        except HTTPX_ERRORS as error:
            return Reply(_trouble(error))
        try:
            return Reply("", response.status_code, response.json())
        except ValueError:
            return Reply("", response.status_code, response.text[:2000])

    def listening(self) -> list[Listening] | None:
        """Sockets that listen, of all programs of this machine (or container)."""
        tables = [self.read(Path("/proc/net") / name) for name in ("tcp", "tcp6")]
        if all(table is None for table in tables):
            return None
        found = []
        for table in tables:
            for line in _text(table or b"").splitlines()[1:]:
                columns = line.split()
                if len(columns) > 3 and columns[3] == _LISTEN:
                    address, port = columns[1].split(":")
                    found.append(Listening(_address(address), int(port, 16)))
        return found

    def free_bytes(self, folder: Path) -> int | None:
        """Free disk space for this user."""
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            return None

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _trouble(error: httpx.HTTPError | httpx.InvalidURL) -> Any:
    if isinstance(error.__cause__, socket.gaierror) or "Name or service not known" in str(error):
        return "unknown_host"
    return {Trouble.AWAY: "refused", Trouble.SLOW: "slow"}.get(trouble_of(error), "odd")


def _address(hexadecimal: str) -> str:
    """An address of /proc/net/tcp: words of four bytes, each the wrong way round."""
    words = [bytes.fromhex(hexadecimal[start : start + 8])[::-1] for start in range(0, len(hexadecimal), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
