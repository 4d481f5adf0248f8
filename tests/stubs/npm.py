"""Packages of npm, installed once for each version below the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

INSTALL_SECONDS = 180


def installed_package(name: str, version: str) -> Path:
    """The folder whose `node_modules` holds the package. Skips the test where it cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "company-assistant"
    folder = cache / f"{name}-{version}"
    if not folder.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not here")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            new = Path(made) / "new"
            new.mkdir()
            (new / "package.json").write_text('{"private": true}')
            command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
            command.append(f"{name}@{version}")
            done = subprocess.run(command, cwd=new, capture_output=True, text=True, timeout=INSTALL_SECONDS)
            if done.returncode != 0:
                pytest.skip(f"npm could not install {name}: {done.stderr[-300:]}")
            if not folder.exists():
                new.rename(folder)
    return folder
