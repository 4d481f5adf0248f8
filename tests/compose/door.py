"""Who knocks at nginx in these tests: the cast's passwords, and requests with or without them."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx

from tests.compose.native_stack import NOBODY, NativeStack

PASSWORDS = {"aiko": "right-password", "山田": "別のパスワード"}
BCRYPT_COST = 5  # nginx hashes on every request; htpasswd's own default


def write_passwords(path: Path) -> None:
    """An htpasswd file with the cast's passwords."""
    lines = []
    for user, password in PASSWORDS.items():
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode().replace("$2b$", "$2y$", 1)
        lines.append(f"{user}:{hashed}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")


def basic(user: str, password: str | None = None) -> dict[str, str]:
    """The Authorization header of a user; with the right password unless another is given."""
    pair = f"{user}:{PASSWORDS[user] if password is None else password}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


@dataclass(frozen=True)
class Door:
    """A running nginx. `url` is where it listens."""

    stack: NativeStack
    url: str
    certificate: Path | None = None

    def trusting(self) -> ssl.SSLContext | bool:
        """What a client that trusts this door's certificate is given as `verify`."""
        return ssl.create_default_context(cafile=str(self.certificate)) if self.certificate else True

    def reload(self, **changes: str) -> subprocess.CompletedProcess[str]:
        """`start.sh reload` by the user that nginx runs as, with other variables."""
        other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run(
            [*self.stack.words("nginx"), "reload"],
            env={**self.stack.environment("nginx"), **changes},
            capture_output=True,
            text=True,
            timeout=60,
            **other,
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET without redirects."""
        return httpx.get(self.url + path, headers=headers, trust_env=False, timeout=20, verify=self.trusting())

    def raw(self, data: bytes, *, timeout: float = 20) -> bytes:
        """What comes back for exactly these bytes, until nginx closes or 20 s; for requests that no client sends."""
        host, _, port = self.url.rpartition("//")[2].rpartition(":")
        found = b""
        with socket.create_connection((host, int(port)), timeout=timeout) as connection:
            connection.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    found += piece
        return found

    def log(self) -> str:
        """Access and error log."""
        return self.stack.running["nginx"].text()
