"""The doctor on real files, sockets and programs of this machine: certificates, passwords, nginx, ports, a full disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bcrypt
import pytest

from assistant.adapters.this_machine import ThisMachine
from assistant.host.certificate import make_certificate
from assistant.host.passwords import new_password, write_password
from assistant.release.examining import doors, upkeep
from assistant.release.examining.finding import Finding
from tests.compose.compose_file import PROJECT, SECRET
from tests.journeys.deployment import free_ports

MACHINE = ThisMachine()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no finding."""
    monkeypatch.setattr("assistant.adapters.this_machine.COMMAND_SECONDS", 90.0)
    monkeypatch.setattr("assistant.adapters.this_machine.ASK_SECONDS", 90.0)


def looked_at(folder: Path, *, now: datetime | None = None) -> Finding:
    """The check of a certificate on the files of a folder."""
    return doors.certificate(
        MACHINE.read(folder / "certificate.pem"),
        MACHINE.read(folder / "key.pem"),
        key_mode=MACHINE.mode_of(folder / "key.pem"),
        now=now or MACHINE.now(),
        folder=str(folder),
    )


def test_a_certificate_is_well_then_ends_soon_then_has_ended(tmp_path: Path) -> None:
    make_certificate(tmp_path, ["assistant.example"], days=90)
    assert looked_at(tmp_path).state == "ok"
    later = datetime.now(UTC) + timedelta(days=70)
    assert looked_at(tmp_path, now=later).state == "warn"
    ended = looked_at(tmp_path, now=later + timedelta(days=70))
    assert ended.state == "fail"
    assert "assistant certificate --replace" in ended.command


def test_a_key_of_another_certificate_and_an_open_key_are_told(tmp_path: Path) -> None:
    make_certificate(tmp_path / "one", ["a.example"], days=90)
    make_certificate(tmp_path / "other", ["b.example"], days=90)
    (tmp_path / "one" / "key.pem").chmod(0o644)
    assert "Everybody" in looked_at(tmp_path / "one").seen.en
    shutil.copy(tmp_path / "other" / "key.pem", tmp_path / "one" / "key.pem")
    assert "another certificate" in looked_at(tmp_path / "one").seen.en
    (tmp_path / "one" / "certificate.pem").write_text("-----BEGIN CERTIFICATE-----\nnone\n")
    assert looked_at(tmp_path / "one").state == "fail"
    assert looked_at(tmp_path).state == "unchecked"


def test_usual_passwords_are_found_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "htpasswd"
    write_password(file, "aiko", new_password())
    secret = "0123456789abcdef"
    assert doors.passwords(proxy_secret=secret, database_url="", htpasswd=MACHINE.read(file)).state == "ok"
    weak = bcrypt.hashpw(b"ben", bcrypt.gensalt(5)).decode().replace("$2b$", "$2y$", 1)
    file.write_text(file.read_text() + f"ben:{weak}\n")
    found = doors.passwords(
        proxy_secret="changeme",
        database_url="postgresql+psycopg://assistant:assistant@db/ledger",
        htpasswd=MACHINE.read(file),
    )
    assert found.state == "fail"
    assert found.seen.en == "Can be guessed: ASSISTANT_PROXY_SECRET, ASSISTANT_DATABASE_URL, ben"
    assert found.command == "assistant password ben"
    assert "changeme" not in "".join(found.as_record().values())


def test_a_password_file_of_an_old_form_is_told(tmp_path: Path) -> None:
    file = tmp_path / "htpasswd"
    file.write_text("chie:$apr1$abcdefgh$0123456789012345678901\n")
    found = doors.passwords(proxy_secret="", database_url="", htpasswd=MACHINE.read(file))
    assert (found.state, found.command) == ("warn", "assistant password chie")
    assert doors.passwords(proxy_secret="", database_url="", htpasswd=None).state == "unchecked"


def test_a_socket_for_everybody_is_told_and_one_for_this_machine_is_not() -> None:
    with socket.socket() as own, socket.socket() as everybody:
        own.bind(("127.0.0.1", 0))
        everybody.bind(("0.0.0.0", 0))
        own.listen()
        everybody.listen()
        ports = {own.getsockname()[1]: "api", everybody.getsockname()[1]: "chroma"}
        found = doors.exposed_ports(ports, MACHINE.listening(), None, is_container=False)
    assert found.state == "fail"
    assert found.seen.en == f"0.0.0.0:{[*ports][1]} (chroma)"
    assert f"ufw deny {[*ports][1]}/tcp" in found.command
    assert doors.exposed_ports(ports, [], None, is_container=True).state == "unchecked"


def test_a_port_that_nobody_answers_at_and_one_where_another_program_does() -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    away = doors.address("chroma", url, MACHINE.ask(url), is_container=False, sign="heartbeat")
    assert (away.name, away.state) == ("address_chroma", "fail")
    assert "refused" in away.seen.en
    assert "127.0.0.1" in doors.address("ollama", url, MACHINE.ask(url), is_container=True, sign="version").hint.en


@pytest.fixture
def filled_in(tmp_path: Path) -> Path:
    """nginx.conf as start.sh fills it in; the program that would run it only says its version."""
    program = tmp_path / "bin" / "nginx"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'nginx version: nginx/1.22.1' >&2\n")
    program.chmod(0o755)
    write_password(tmp_path / "passwords", "aiko", new_password())
    listen, health, api, ui = free_ports(4)
    environment = {
        "PATH": os.pathsep.join([str(program.parent), "/usr/bin", "/bin"]),
        "NGINX_LISTEN": f"127.0.0.1:{listen}",
        "NGINX_HEALTH_LISTEN": f"127.0.0.1:{health}",
        "NGINX_API": f"127.0.0.1:{api}",
        "NGINX_UI": f"127.0.0.1:{ui}",
        "NGINX_PASSWORDS": str(tmp_path / "passwords"),
        "NGINX_RUN_FOLDER": str(tmp_path / "run"),
        "NGINX_LOG": str(tmp_path / "access.log"),
        "ASSISTANT_PROXY_SECRET": SECRET,
    }
    subprocess.run(["/bin/sh", str(PROJECT / "nginx/start.sh")], env=environment, check=True, capture_output=True)
    return tmp_path / "run/conf/nginx.conf"


def test_a_real_nginx_accepts_the_configuration_and_names_the_line_of_a_broken_one(filled_in: Path) -> None:
    def tested() -> Finding:
        prefix = f"{filled_in.parent.parent}/"
        return doors.nginx(MACHINE.run("nginx", "-t", "-q", "-p", prefix, "-c", str(filled_in), "-e", "stderr"))

    assert tested().state == "ok"
    filled_in.write_text(filled_in.read_text().replace("proxy_pass http://$ui;", "proxy_pas http://$ui;", 1))
    broken = tested()
    assert broken.state == "fail"
    assert 'unknown directive "proxy_pas"' in broken.seen.en


def test_a_small_disk_is_told(tmp_path: Path) -> None:
    assert upkeep.disk({tmp_path: MACHINE.free_bytes(tmp_path)}).state in ("ok", "fail")
    assert upkeep.disk({tmp_path / "none": MACHINE.free_bytes(tmp_path / "none")}).state == "unchecked"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    try:
        full = upkeep.disk({tmp_path: MACHINE.free_bytes(tmp_path)})
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert full.state == "fail"


def test_programs_that_are_not_there_or_hang_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.adapters.this_machine.COMMAND_SECONDS", 0.3)
    assert MACHINE.run("no-such-program-at-all") is None
    slow = MACHINE.run("sleep", "30")
    assert slow is not None
    assert slow.status is None
    (tmp_path / "a").write_text("1")
    assert MACHINE.read_all(f"{tmp_path}/*") == ["1"]
    assert MACHINE.newest(f"{tmp_path}/*") is not None
    assert MACHINE.newest(f"{tmp_path}/none") is None
