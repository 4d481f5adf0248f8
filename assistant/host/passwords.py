"""nginx's password file: one line a person, hashed with bcrypt. Passwords are made here, because people's own are short."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import bcrypt

from assistant.errors import HostError, Text

BCRYPT_COST = 5
"""nginx hashes at every request and its worker waits meanwhile: cost 5 answers 565 requests a second on 2 cores, cost 10
20 (docs/lab-notes.md). What a low cost gives away, a password of 120 random bits makes up for."""
RANDOM_BYTES = 15
LEAST_CHARACTERS = 14
MOST_BYTES = 72
"""What bcrypt reads of a password."""
READABLE_FOR_NGINX = 0o644


def new_password() -> str:
    """20 random characters, 120 bits."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def write_password(file: Path, user: str, password: str) -> None:
    """Adds the user's line to the file or replaces it; nginx reads it at the next request.

    Raises HostError for a name that the file cannot hold, and a password that is short or longer than bcrypt reads.
    """
    if not user.strip() or ":" in user or user.startswith("#") or not user.isprintable() or user != user.strip():
        raise HostError(
            Text(ja=f"{user!r} は利用者名に使えません。", en=f"{user!r} cannot be a user's name."),
            Text(
                ja="コロン、前後の空白、制御文字、先頭の # は使えません。",
                en="No colon, no blanks around it, no control characters, no # in front.",
            ),
        )
    if len(password) < LEAST_CHARACTERS or len(password.encode()) > MOST_BYTES:
        raise HostError(
            Text(
                ja=f"パスワードは {LEAST_CHARACTERS} 文字以上、{MOST_BYTES} バイト以内にしてください。",
                en=f"A password has at least {LEAST_CHARACTERS} characters and at most {MOST_BYTES} bytes.",
            ),
            Text(ja="--ask なしなら、こちらで作ります。", en="Without --ask one is made for you."),
        )
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
    # nginx hands hashes to the C library, which knows this one by the name 2y everywhere.
    _write(file, [*_others(file, user), f"{user}:{hashed.replace('$2b$', '$2y$', 1)}"])


def remove_password(file: Path, user: str) -> bool:
    """Takes the user out of the file; whether they were in it."""
    lines = _lines(file)
    others = _others(file, user)
    if len(others) == len(lines):
        return False
    _write(file, others)
    return True


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _others(file: Path, user: str) -> list[str]:
    return [line for line in _lines(file) if line.split(":", 1)[0] != user]


def _write(file: Path, lines: list[str]) -> None:
    """In place, not by renaming: a file that is mounted into a container would stay the old one there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, READABLE_FOR_NGINX)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write("".join(f"{line}\n" for line in lines))
        out.truncate()
