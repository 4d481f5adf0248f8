"""docker-compose.yml as a real compose implementation understands it: Debian's docker-compose, whose `config` needs no
daemon. Knows the file and that program, not what the services do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yml"
DOCKERFILE = PROJECT / "Dockerfile"
SECRET = "a-secret-of-the-tests-0123456789"  # only ever used on loopback

Service = dict[str, Any]
Config = dict[str, Any]


def run_config(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`docker-compose config` in `folder` with these variables in its `.env`; nothing of this machine's environment."""
    program = shutil.which("docker-compose")
    assert program is not None, "docker-compose is missing. On Debian or Ubuntu: apt-get install docker-compose"
    shutil.copy(COMPOSE_FILE, folder)
    lines = [f"{name}={value}\n" for name, value in variables.items()]
    (folder / ".env").write_text("".join(lines), encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [program, "config"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def load_config(folder: Path, **variables: str) -> Config:
    """The whole file with variables filled in and every path absolute. Fails with the program's own words."""
    done = run_config(folder, **{"ASSISTANT_PROXY_SECRET": SECRET, **variables})
    assert done.returncode == 0, done.stderr
    config: Config = yaml.safe_load(done.stdout)
    return config


def dockerfile_instructions() -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) of the Dockerfile in order, continuation lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def dockerfile_stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions of each named stage, its FROM first."""
    stages: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, rest in dockerfile_instructions():
        if word == "FROM":
            name = rest.split(" AS ")[1]
        if name:
            stages.setdefault(name, []).append((word, rest))
    return stages


def image_environment(target: str) -> dict[str, str]:
    """ENV of a stage and of the stages that it is built on."""
    stages = dockerfile_stages()
    values: dict[str, str] = {}
    for word, rest in stages[target]:
        if word == "FROM" and rest.split()[0] in stages:
            values |= image_environment(rest.split()[0])
        elif word == "ENV":
            values |= dict(part.split("=", 1) for part in rest.split())
    return values


def image_command(target: str) -> list[str]:
    """CMD of a stage."""
    texts = [rest for word, rest in dockerfile_stages()[target] if word == "CMD"]
    command: list[str] = json.loads(texts[-1])
    return command
