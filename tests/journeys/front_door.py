"""The product's own nginx, as nginx/start.sh configures it, in front of a deployment: the way in that people have."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt

from tests.journeys.deployment import PROXY_SECRET, ROOT, Deployment, free_ports, is_answering, wait_until

NOBODY = 65534
BCRYPT_COST = 5  # nginx hashes on every request; htpasswd's own default


@contextmanager
def running_front_door(folder: Path, deployment: Deployment, passwords: Mapping[str, str]) -> Iterator[str]:
    """nginx in front of the API and the screen; its address. `folder` must be one that any user of the machine may enter."""
    home = folder / "nginx"
    home.mkdir()
    (home / "htpasswd").write_text("".join(_line(*pair) for pair in passwords.items()), encoding="utf-8")
    port, health_port = free_ports(2)
    environment = {
        "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
        "NGINX_LISTEN": f"127.0.0.1:{port}",
        "NGINX_HEALTH_LISTEN": f"127.0.0.1:{health_port}",
        # All askers have one address here, and nginx guards by address.
        "NGINX_ASK_RATE": "60000r/m",
        "NGINX_ASK_BURST": "1000",
        "NGINX_ASK_STREAMS": "1000",
        "NGINX_API": deployment.api_url.removeprefix("http://"),
        "NGINX_UI": deployment.ui_url.removeprefix("http://"),
        "NGINX_PASSWORDS": str(home / "htpasswd"),
        "NGINX_RUN_FOLDER": str(home / "run"),
        "ASSISTANT_PROXY_SECRET": PROXY_SECRET,
    }
    shutil.copytree(ROOT / "nginx", home / "conf")
    log_file = home / "log"  # opened anew by nginx through /dev/stdout
    log_file.touch()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # as root it would hand its work to a user who can read nothing
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    with log_file.open("ab") as log:
        command = ["sh", str(home / "conf" / "start.sh")]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, **identity)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: is_answering(f"{url}/healthz") or process.poll() is not None, timeout_seconds=60)
            assert process.poll() is None, log_file.read_text()
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def _line(user: str, password: str) -> str:
    """A line of nginx's password file."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
    return f"{user}:{hashed.replace('$2b$', '$2y$', 1)}\n"
