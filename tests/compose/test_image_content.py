"""What gets into the images: the build's files as .dockerignore lets them through, and the package that is made of them.

There is no Docker engine here. Its two steps that take files from this folder are done as it does them: what the ignore file
leaves out is not sent, and `pip` makes the package of the rest (Dockerfile, stage `packages`).
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest

from tests.compose.compose_file import PROJECT

LEFT_BEHIND = (
    ".env",
    "var/htpasswd",
    "var/audit.key",
    "var/users/users.toml",
    "nginx/certificates/key.pem",
    "assistant/.env",
    "api/.env.production",
    "ui/htpasswd",
    "docker/key.pem",
    ".streamlit/secrets.toml",
    "ingest/__pycache__/settings.cpython-312.pyc",
)
"""Where secrets and what was compiled with them lie on machines of administrators and developers."""


@pytest.mark.slow  # setuptools makes the package
def test_no_secret_that_lies_in_the_folder_gets_into_an_image(tmp_path: Path) -> None:
    secret = secrets.token_hex(16)
    folder, sent = tmp_path / "folder", tmp_path / "sent"
    shutil.copytree(
        PROJECT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", "tests", "docs")
    )
    for name in LEFT_BEHIND:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"SECRET={secret}\n", encoding="utf-8")
    lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    for path in (one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder)
        if is_sent(PurePosixPath(name), rules):
            (sent / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, sent / name)
    assert (sent / "assistant" / "ask.py").is_file()
    assert holders(sent, secret) == []
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(tmp_path),
        ".",
    ]
    subprocess.run(command, cwd=sent, check=True, capture_output=True)
    (package,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(package) as opened:
        opened.extractall(tmp_path / "package")
    assert (tmp_path / "package" / "assistant" / "ask.py").is_file()
    assert holders(tmp_path / "package", secret) == []


def is_sent(name: PurePosixPath, rules: list[str]) -> bool:
    """As Docker decides: the last rule that fits a file or a folder above it. `**/` is any folder; other rules begin at the top."""
    sent = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        for place in (name, *name.parents):
            text = place.name if pattern.startswith("**/") else str(place)
            if fnmatchcase(text, pattern.removeprefix("**/")):
                sent = rule.startswith("!")
    return sent


def holders(folder: Path, secret: str) -> list[str]:
    """Files with the secret in them."""
    found = (path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes())
    return sorted(str(path.relative_to(folder)) for path in found)
