"""nginx's configuration as a tree: what start.sh fills in, read as nginx reads it, includes resolved. Starts no nginx."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.compose.compose_file import PROJECT, SECRET
from tests.compose.door import write_passwords

TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark>[{};])|(?P<word>(?:[^\s{};"']|\$\{)+)"""
)


@dataclass
class Directive:
    """One directive; `inner` holds what stands in its braces."""

    words: list[str]
    inner: list[Directive] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its first word."""
        return self.words[0]

    def named(self, name: str) -> list[Directive]:
        """Those of one name directly inside."""
        return [directive for directive in self.inner if directive.name == name]

    def everywhere(self, name: str) -> Iterator[Directive]:
        """Those of one name inside, at any depth."""
        for directive in self.inner:
            if directive.name == name:
                yield directive
            yield from directive.everywhere(name)


def environment_of_start(folder: Path, **changes: str) -> dict[str, str]:
    """What start.sh needs, with `nginx` replaced by a program that does nothing."""
    write_passwords(folder / "passwords")
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / "nginx"
    program.write_text("#!/bin/sh\necho 'nginx version: nginx/1.22.1' >&2\n")
    program.chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(folder / "bin"), "/usr/bin", "/bin"]),
        "NGINX_LISTEN": "127.0.0.1:8080",
        "NGINX_HEALTH_LISTEN": "127.0.0.1:8079",
        "NGINX_API": "api:8000",
        "NGINX_UI": "ui:8501",
        "NGINX_OAUTH2_PROXY": "oauth2-proxy:4180",
        "NGINX_PASSWORDS": str(folder / "passwords"),
        "NGINX_RUN_FOLDER": str(folder / "run"),
        "ASSISTANT_PROXY_SECRET": SECRET,
        **changes,
    }


def run_start(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """start.sh without an nginx."""
    command = ["/bin/sh", str(PROJECT / "nginx" / "start.sh")]
    environment = environment_of_start(folder, **changes)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)


def filled_in(folder: Path, **changes: str) -> Directive:
    """The whole configuration that start.sh makes."""
    done = run_start(folder, **changes)
    assert done.returncode == 0, done.stderr
    return Directive(["main"], read(folder / "run" / "conf" / "nginx.conf"))


def read(path: Path) -> list[Directive]:
    """The directives of a file, those of included files in their place."""
    directives, rest = _block(list(_tokens(path.read_text(encoding="utf-8"))), path.parent)
    assert not rest
    return directives


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        found = TOKEN.match(text, position)
        assert found is not None, text[position : position + 60]
        position = found.end()
        if found["quoted"]:
            yield found["quoted"][1:-1]
        elif found["mark"] or found["word"]:
            yield found[0]


def _block(tokens: list[str], folder: Path) -> tuple[list[Directive], list[str]]:
    directives: list[Directive] = []
    words: list[str] = []
    while tokens:
        token, tokens = tokens[0], tokens[1:]
        if token == ";":
            if words[0] == "include":
                # nginx looks for included files in the folder of the main file, also from within a sub-folder
                main = folder if (folder / words[1]).exists() else folder.parent
                directives += read(main / words[1])
            else:
                directives.append(Directive(words))
            words = []
        elif token == "{":
            inner, tokens = _block(tokens, folder)
            directives.append(Directive(words, inner))
            words = []
        elif token == "}":
            return directives, tokens
        else:
            words.append(token)
    assert not words
    return directives, []
