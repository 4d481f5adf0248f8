"""The systemd units: accepted by systemd, few rights, and the commands that the containers run."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.errors import HostError
from assistant.host.units import Site, make_units
from tests.compose.compose_file import load_config

MOST_EXPOSURE = 2.0
"""systemd's own scale: 0 is best, 10 worst; below 2.5 it says OK."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A machine on which everything that the units name is there."""
    for name in ("code/.venv/bin", "code/nginx", "data", "documents", "tls"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("chroma", "python", "ingest"):
        (tmp_path / "code/.venv/bin" / name).symlink_to("/bin/true")
    return Site(
        user="company-assistant",
        code=tmp_path / "code",
        data=tmp_path / "data",
        documents=tmp_path / "documents",
        environment=tmp_path / "environment",
        tls=tmp_path / "tls",
        passwords=tmp_path / "htpasswd",
        listen="0.0.0.0:443",
    )


def test_systemd_accepts_every_unit_and_finds_them_little_exposed(site: Site, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not here")
    folder = tmp_path / "units"
    folder.mkdir()
    names = []
    for name, content in make_units(site).items():
        if "/" not in name:
            (folder / name).write_text(content)
            names.append(str(folder / name))
    verified = subprocess.run([program, "verify", "--man=no", *names], capture_output=True, text=True)
    ours = [line for line in verified.stderr.splitlines() if "company-assistant" in line]
    assert (verified.returncode, ours) == (0, [])
    for name in names:
        if name.endswith(".service"):
            command = [program, "security", "--offline=yes", "--no-pager", name]
            shown = subprocess.run(command, capture_output=True, text=True).stdout
            found = re.search(r"exposure level for \S+: ([\d.]+)", shown)
            assert found is not None, shown
            assert float(found[1]) <= MOST_EXPOSURE, shown


def test_only_nginx_listens_for_others_and_everything_else_speaks_to_this_machine_alone(site: Site) -> None:
    units = make_units(site)
    for name, content in units.items():
        if name.endswith(".service") and "nginx" not in name:
            assert "IPAddressDeny=any\nIPAddressAllow=localhost" in content, name
            assert "0.0.0.0" not in content
    assert "NGINX_LISTEN=0.0.0.0:443 NGINX_PUBLISHED=0.0.0.0" in units["company-assistant-nginx.service"]
    api = make_units(replace(site, calls_provider=True))["company-assistant-api.service"]
    assert "IPAddressDeny" not in api


def test_the_units_run_what_the_containers_run(site: Site, tmp_path: Path) -> None:
    services = load_config(tmp_path)["services"]
    units = make_units(site)
    for name in ("api", "ui", "ingest"):
        command = re.findall(r"^ExecStart=(.*)$", units[f"company-assistant-{name}.service"], re.MULTILINE)
        assert command[0].split("/")[-1].split() == services[name]["command"]
    ollama = units["ollama.service.d/company-assistant.conf"]
    for variable, value in services["ollama"]["environment"].items():
        if variable.startswith("OLLAMA_") and variable not in {"OLLAMA_HOST", "OLLAMA_MODELS"}:
            assert f"{variable}={value}" in ollama, variable
    nginx = units["company-assistant-nginx.service"]
    for variable in ("NGINX_LISTEN", "NGINX_HEALTH_LISTEN", "NGINX_API", "NGINX_UI", "NGINX_RUN_FOLDER"):
        assert f"{variable}=" in nginx


def test_no_secret_stands_in_a_unit(site: Site) -> None:
    assert "SECRET" not in "".join(make_units(site).values())


@pytest.mark.parametrize(
    "change",
    [{"user": "Root User"}, {"data": Path("var")}, {"code": Path("/opt/a b")}, {"listen": "443"}, {"tls": Path("/%h")}],
)
def test_what_a_unit_cannot_hold_is_refused(site: Site, change: dict[str, object]) -> None:
    with pytest.raises(HostError, match="cannot hold"):
        make_units(replace(site, **change))  # type: ignore[arg-type]


def test_the_command_writes_them_and_shows_them(tmp_path: Path) -> None:
    run = CliRunner().invoke
    written = run(app, ["systemd", "--folder", str(tmp_path)])
    assert written.exit_code == 0
    assert (tmp_path / "ollama.service.d" / "company-assistant.conf").is_file()
    shown = run(app, ["systemd", "--show", "--folder", str(tmp_path / "nowhere")])
    assert "Description=Company assistant: the API" in shown.stdout
    assert not (tmp_path / "nowhere").exists()
