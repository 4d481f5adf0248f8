"""Clients of apps in environments of their own, made once for each set of versions and kept in the user's cache.

Without the cache they are made anew; nothing of them enters the project's own environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.adapters.ledger import Ledger
from tests.api.conftest import ledger, start_server

__all__ = ["ledger", "start_server"]
HERE = Path(__file__).parent


def kept_folder(name: str, *files: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache for these files' contents, made once; a half made one is never taken for a whole one."""
    digest = hashlib.sha256(b"".join((HERE / file).read_bytes() for file in files)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "company-assistant" / "clients"
    folder = cache / f"{name}-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    done = folder / "done"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        done.touch()
    return folder


def python_environment(name: str) -> Path:
    """The bin folder of an environment with what `requirements-NAME.txt` pins."""
    pins = f"requirements-{name}.txt"

    def make(folder: Path) -> None:
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
        python = folder / "venv" / "bin" / "python"
        install = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r"]
        subprocess.run([*install, HERE / pins], check=True)

    return kept_folder(name, pins, make=make) / "venv" / "bin"


@pytest.fixture(scope="session")
def node_clients() -> Path:
    """A folder with the openai package for Node."""

    def make(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)

    return kept_folder("node", "package.json", "package-lock.json", make=make)


@pytest.fixture
def key(ledger: Ledger) -> str:
    """An app's key."""
    return ledger.create_key("wiki")
