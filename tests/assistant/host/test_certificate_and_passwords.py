"""`assistant certificate` and `assistant password`: what they write, and what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.errors import HostError
from assistant.host.certificate import make_certificate
from assistant.host.passwords import BCRYPT_COST, new_password, remove_password, write_password


def test_the_certificate_names_what_people_type_and_its_key_is_for_one_reader(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "tls", ["assistant.example", "192.168.1.7", "日本.example"], days=90)
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["assistant.example", "xn--wgv71a.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.7"]
    assert abs(certificate.not_valid_after_utc - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=5)
    assert made.key.stat().st_mode & 0o777 == 0o600
    key = serialization.load_pem_private_key(made.key.read_bytes(), None)
    assert key.public_key() == certificate.public_key()


def test_a_certificate_that_is_there_stays_unless_told(tmp_path: Path) -> None:
    first = make_certificate(tmp_path, ["a.example"], days=1).certificate.read_bytes()
    with pytest.raises(HostError, match="already"):
        make_certificate(tmp_path, ["a.example"], days=1)
    assert (tmp_path / "certificate.pem").read_bytes() == first
    assert make_certificate(tmp_path, ["a.example"], days=1, replace=True).certificate.read_bytes() != first


@pytest.mark.parametrize("name", ["", "a..example", "x" * 80, "a b", "-a"])
def test_what_is_no_name_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(HostError, match="no host name"):
        make_certificate(tmp_path, [name], days=1)
    assert not list(tmp_path.iterdir())


def test_a_password_is_hashed_for_nginx_at_the_cost_that_it_can_pay(tmp_path: Path) -> None:
    file = tmp_path / "var" / "htpasswd"
    password = new_password()
    write_password(file, "山田", password)
    write_password(file, "aiko", new_password())
    write_password(file, "山田", password + "x")
    lines = dict(line.split(":", 1) for line in file.read_text(encoding="utf-8").splitlines())
    assert lines.keys() == {"山田", "aiko"}
    assert lines["山田"].startswith(f"$2y${BCRYPT_COST:02}$")
    assert bcrypt.checkpw((password + "x").encode(), lines["山田"].encode())
    assert password not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o644
    assert remove_password(file, "aiko")
    assert not remove_password(file, "aiko")
    assert "aiko" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("user", ["", "a:b", " a", "#a", "a\nb:$2y$05$x"])
def test_a_name_that_the_file_cannot_hold_is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(HostError, match="cannot be a user"):
        write_password(tmp_path / "htpasswd", user, new_password())


@pytest.mark.parametrize("password", ["short", "あ" * 25])
def test_short_passwords_and_those_that_bcrypt_would_cut_are_refused(tmp_path: Path, password: str) -> None:
    with pytest.raises(HostError, match="at least 14"):
        write_password(tmp_path / "htpasswd", "aiko", password)


def test_both_commands_work_from_the_command_line(tmp_path: Path) -> None:
    run = CliRunner().invoke
    file, folder = str(tmp_path / "htpasswd"), str(tmp_path / "tls")
    made = run(app, ["password", "aiko", "--file", file])
    assert made.exit_code == 0
    hashed = (tmp_path / "htpasswd").read_text().partition(":")[2].strip()
    assert bcrypt.checkpw(made.stdout.strip().encode(), hashed.encode())
    typed = run(app, ["password", "ben", "--file", file, "--ask"], input="long-enough-password\n" * 2)
    assert typed.exit_code == 0
    assert run(app, ["password", "nobody", "--file", file, "--remove"]).exit_code == 1
    shown = run(app, ["certificate", "--folder", folder, "--name", "a.example", "--json"])
    assert json.loads(shown.stdout)["names"] == ["a.example"]
    assert run(app, ["certificate", "--folder", folder]).exit_code == 1
