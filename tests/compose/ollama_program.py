"""The `ollama` command line where no Ollama is installed: `serve` is the stub server, the rest speaks HTTP to it.

What it prints has the real program's form (0.17.7): messages on stderr, a pull's progress with escape codes. Only what
docker/ollama-entrypoint.sh uses is here; tests/live runs that script with the real program.

STUB_MODELS names the models that the server has at first, with commas between them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
HOST = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434")


def install(folder: Path) -> Path:
    """Writes an `ollama` into `folder` that runs this file; returns the folder, for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "ollama"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{PROJECT}" exec "{sys.executable}" "{__file__}" "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return folder


class Failed(Exception):
    """The server refused; the message is the server's."""


def lines_of(method: str, path: str, body: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The JSON lines of an answer, as they come. Raises Failed, ConnectionError."""
    address, port = HOST.split(":")
    connection = HTTPConnection(address, int(port), timeout=60)
    connection.request(method, path, body=None if body is None else json.dumps(body))
    for line in connection.getresponse():
        content = json.loads(line)
        if "error" in content:
            raise Failed(content["error"])
        yield content


def serve() -> None:
    """Becomes the stub server on OLLAMA_HOST."""
    from tests.stubs.ollama import __main__ as program
    from tests.stubs.ollama import server
    from tests.stubs.ollama.state import Settings

    address, port = HOST.split(":")
    server.HOST = address
    names = Settings.__dataclass_fields__
    values = {name: getattr(Settings(), name) for name in names} | {"tokens_per_second": 0.0}
    models = os.environ.get("STUB_MODELS", "")
    asyncio.run(program.serve(Namespace(**values, port=int(port), models=models, until_stdin_ends=False)))


def show(name: str) -> None:
    """Says nothing but whether the model is there."""
    next(lines_of("POST", "/api/show", {"model": name}))


def table() -> None:
    """`ollama list`."""
    print("NAME                       ID              SIZE      MODIFIED")
    for model in next(lines_of("GET", "/api/tags"))["models"]:
        print(f"{model['name']:<26} {model['digest'][:12]}    {model['size'] // 1_000_000} MB    Just now")


def pull(name: str) -> None:
    """Downloads, drawing as the real program does when nobody watches: escape codes and no line ends."""
    for line in lines_of("POST", "/api/pull", {"model": name}):
        text = line["status"]
        if "completed" in line:
            percent = 100 * line["completed"] // line["total"]
            total = f"{line['total'] // 1_000_000} MB"
            text = f"pulling {line['digest'][7:19]}: {percent:3d}% ▕██████    ▏ {total}                  "
        sys.stderr.write(f"\x1b[?2026h\x1b[?25l\x1b[1G{text}\x1b[K\x1b[?25h\x1b[?2026l")
        sys.stderr.flush()
    sys.stderr.write("\n")


def create(name: str, file: str) -> None:
    """From a Modelfile with FROM, PARAMETER and one SYSTEM in triple quotes."""
    text = Path(file).read_text(encoding="utf-8")
    base = re.search(r"^FROM (\S+)", text, re.MULTILINE)
    system = re.search(r'^SYSTEM """(.*?)"""', text, re.DOTALL | re.MULTILINE)
    parameters = {key: json.loads(value) for key, value in re.findall(r"^PARAMETER (\w+) (\S+)$", text, re.MULTILINE)}
    if base is None or system is None:
        raise Failed("no FROM line")
    body = {"model": name, "from": base[1], "system": system[1], "parameters": parameters}
    for line in lines_of("POST", "/api/create", body):
        sys.stderr.write(f"{line['status']} \x1b[K\n")


def run(name: str, text: str) -> None:
    """Loads a chat model for an empty text; embeds for an embedding model, which wants one."""
    if "embedding" in next(lines_of("POST", "/api/show", {"model": name}))["capabilities"]:
        if not text:
            raise Failed(f'embedding models require input text. Usage: ollama run {name} "your text here"')
        next(lines_of("POST", "/api/embed", {"model": name, "input": text}))
    else:
        next(lines_of("POST", "/api/generate", {"model": name, "prompt": text, "stream": False}))


def main(words: list[str]) -> int:
    """Exit code of one command."""
    try:
        match words:
            case ["serve"]:
                serve()
            case ["list"]:
                table()
            case ["show", name]:
                show(name)
            case ["pull", name]:
                pull(name)
            case ["create", name, "-f", file]:
                create(name, file)
            case ["run", name, text]:
                run(name, text)
            case _:
                raise Failed(f"unknown command {words}")
    except ConnectionError:
        sys.stderr.write("Error: could not connect to ollama server, run 'ollama serve' to start it\n")
        return 1
    except Failed as failed:
        sys.stderr.write(f"Error: {failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
