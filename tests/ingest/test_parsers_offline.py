"""The kernel's own refusal of the network, in a process that has no other wall, and in one that it starts."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from ingest.guard import ParserProcess

PROGRAM = """
import socket, subprocess, sys
from ingest.parsers.offline import forbid_network
print(forbid_network())
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_UNIX):
    try:
        socket.socket(family, socket.SOCK_STREAM).close()
    except PermissionError:
        print("refused", family.name)
connect = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"
child = subprocess.run([sys.executable, "-c", connect, sys.argv[1]], capture_output=True, text=True)
print("PermissionError" in child.stderr)
"""


def test_no_socket_but_of_this_machine_opens_in_the_process_or_below_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run([sys.executable, "-c", PROGRAM, port], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == ["True", "refused AF_INET", "refused AF_INET6", "refused AF_PACKET", "True"]


def test_the_parser_process_is_behind_the_filter(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# 題名\n\n本文です。\n", encoding="utf-8")
    with ParserProcess(timeout_seconds=60, memory_bytes=2 << 30, file_limit_bytes=1 << 20) as parser:
        parser.parse(tmp_path / "note.md", relative_path="note.md")
        assert parser.process_id is not None
        state = Path(f"/proc/{parser.process_id}/status").read_text(encoding="ascii")
    assert "\nSeccomp:\t2\n" in state
    assert "\nNoNewPrivs:\t1\n" in state
