"""npm's oidc-provider as a process, installed once for each version below the cache; skips where there is no Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.stubs.api.process import free_port
from tests.stubs.npm import installed_package

VERSION = "8.8.1"
"""The last that runs on Node.js 18 and 20 as well."""
SCRIPT = Path(__file__).with_name("oidc_provider.mjs")
START_SECONDS = 60


def installed() -> Path:
    """The folder with the package. Skips the test where it cannot be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not here")
    return installed_package("oidc-provider", VERSION)


@contextmanager
def running_oidc_provider(folder: Path, *, client_id: str, client_secret: str, public_url: str) -> Iterator[str]:
    """The provider's address. `folder` is the test's own; the package is linked into it."""
    (folder / "node_modules").symlink_to(installed() / "node_modules")
    script = shutil.copy(SCRIPT, folder)
    port = free_port()
    client = {
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uris": [f"{public_url}/sign-in/callback"],
        "post_logout_redirect_uris": [f"{public_url}/sign-in/ended"],
    }
    log = (folder / "log").open("wb")
    process = subprocess.Popen(["node", str(script), str(port), json.dumps(client)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the provider did not start"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.well-known/openid-configuration", trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False
