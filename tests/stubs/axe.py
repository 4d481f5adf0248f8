"""npm's axe-core, installed once for each version below the cache; skips where there is no npm."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

VERSION = "4.14.1"
INSTALL_SECONDS = 180


def axe_source() -> str:
    """The script that puts `axe` into a page. Skips the test where it cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "company-assistant"
    folder = cache / f"axe-core-{VERSION}"
    if not folder.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not here")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as name:
            new = Path(name) / "new"
            new.mkdir()
            (new / "package.json").write_text('{"private": true}')
            command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
            command.append(f"axe-core@{VERSION}")
            done = subprocess.run(command, cwd=new, capture_output=True, text=True, timeout=INSTALL_SECONDS)
            if done.returncode != 0:
                pytest.skip(f"npm could not install axe-core: {done.stderr[-300:]}")
            if not folder.exists():
                new.rename(folder)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
