"""Who knocks at nginx in these tests: the cast's passwords, and requests with or without them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx

from tests.compose.native_stack import NativeStack

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

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET without redirects."""
        return httpx.get(self.url + path, headers=headers, trust_env=False, timeout=20)

    def log(self) -> str:
        """Access and error log."""
        return self.stack.running["nginx"].text()
