"""`assistant certificate | password | firewall | systemd`: for the administrator of the machine."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import HostError, Text
from assistant.host import firewall as rules
from assistant.host.certificate import LONGEST_DAYS, make_certificate
from assistant.host.passwords import new_password, remove_password, write_password
from assistant.host.units import Site, make_units, write_units
from assistant.terminal import caller_language, telling_errors

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


firewall = typer.Typer(no_args_is_help=True, help="The host's firewall (ufw), Docker's published port included.")
Networks = Annotated[list[str], typer.Option("--from", help="Network that may come in; repeatable.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The published port.")]
Interface = Annotated[str, typer.Option(help="Where others come from: the dev of `ip route show default`.")]
Ufw = Annotated[Path, typer.Option(help="ufw's folder.")]
UFW = Path("/etc/ufw")


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("certificate")(certificate)
    app.command("password")(password)
    app.add_typer(firewall, name="firewall")
    app.command("systemd")(systemd)


def certificate(
    name: Annotated[
        list[str] | None,
        typer.Option(help="Name or address that people type; repeatable. Default: this machine's and localhost."),
    ] = None,
    *,
    folder: Annotated[Path, typer.Option(help="Where nginx looks for it.")] = Path("var/tls"),
    days: Annotated[int, typer.Option(min=1, max=LONGEST_DAYS, help="How long it holds.")] = 365,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the one that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Makes a certificate that signs itself, for nginx; browsers warn of it until you have one of your own."""
    with telling_errors():
        names = name or [socket.gethostname(), "localhost", "127.0.0.1", "::1"]
        made = make_certificate(folder, names, days=days, replace=replace)
        if as_json:
            shown = {"certificate": str(made.certificate), "key": str(made.key), "names": list(made.names)}
            typer.echo(json.dumps({**shown, "ends_at": made.ends_at.isoformat()}, ensure_ascii=False))
            return
        typer.echo(
            Text(
                ja=f"{made.certificate} と {made.key} を作りました({made.ends_at:%Y-%m-%d} まで、{', '.join(made.names)})。"
                "コンテナの nginx に読ませるには: sudo chown 101 key.pem。自前の証明書は同じ名前で置き換え、nginx/start.sh reload。",
                en=f"Made {made.certificate} and {made.key} (until {made.ends_at:%Y-%m-%d}, {', '.join(made.names)}). "
                "For nginx in its container: sudo chown 101 key.pem. Put your own in their place, then nginx/start.sh reload.",
            ).in_language(caller_language())
        )


def password(
    user: str,
    *,
    file: Annotated[Path, typer.Option(help="nginx's password file.")] = Path("var/htpasswd"),
    ask: Annotated[bool, typer.Option("--ask", help="Type one instead of having one made.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the user out of the file.")] = False,
) -> None:
    """Gives a user a password for nginx, or another one, and prints it; it works from the next request on."""
    with telling_errors():
        if remove:
            if not remove_password(file, user):
                raise HostError(
                    Text(ja=f"{file} に {user} はいません。", en=f"{user} is not in {file}."),
                    Text(ja="綴りとファイルを確かめてください。", en="See whether the name and the file are right."),
                )
            return
        chosen = typer.prompt("password", hide_input=True, confirmation_prompt=True) if ask else new_password()
        write_password(file, user, chosen)
        if not ask:
            typer.echo(chosen)


@firewall.command("plan")
def plan(networks: Networks, *, port: Port = 443, interface: Interface = "eth0", folder: Ufw = UFW) -> None:
    """Prints what `apply` would write and run; changes nothing."""
    with telling_errors():
        typer.echo("\n".join(rules.make_plan(networks, port=port, interface=interface).lines(folder)))


@firewall.command("apply")
def apply(networks: Networks, *, port: Port = 443, interface: Interface = "eth0", folder: Ufw = UFW) -> None:
    """Lets only these networks reach the port; as root. Look at the plan first, and keep another way in open."""
    with telling_errors():
        rules.apply(rules.make_plan(networks, port=port, interface=interface), folder, rules.run_for_real)


@firewall.command("undo")
def undo(*, folder: Ufw = UFW) -> None:
    """Takes back what `apply` did; as root. Other rules stay."""
    with telling_errors():
        try:
            asked = subprocess.run(["ufw", "status", "numbered"], capture_output=True, text=True, check=False)  # noqa: S607
        except OSError as error:
            raise HostError(
                Text(ja="ufw がありません。", en="There is no ufw."),
                Text(ja="apt install ufw を実行してください。", en="Run apt install ufw."),
            ) from error
        rules.undo(folder, rules.run_for_real, listed=asked.stdout)


def systemd(
    *,
    folder: Annotated[Path, typer.Option(help="Where the units go.")] = Path("/etc/systemd/system"),
    user: Annotated[str, typer.Option(help="User without rights that everything runs as.")] = "company-assistant",
    code: Annotated[Path, typer.Option(help="The project with its .venv.")] = Path("/opt/company-assistant"),
    data: Annotated[Path, typer.Option(help="Ledger and indexes.")] = Path("/var/lib/company-assistant"),
    documents: Annotated[Path, typer.Option(help="The folder that is ingested.")] = Path("/srv/documents"),
    environment: Annotated[Path, typer.Option(help="Settings, as .env holds them; mode 600, root's.")] = Path(
        "/etc/company-assistant/environment"
    ),
    tls: Annotated[Path, typer.Option(help="certificate.pem and key.pem.")] = Path("/etc/company-assistant/tls"),
    passwords: Annotated[Path, typer.Option(help="nginx's password file.")] = Path("/etc/company-assistant/htpasswd"),
    listen: Annotated[str, typer.Option(help="Address and port of nginx.")] = "127.0.0.1:8080",
    calls_provider: Annotated[
        bool, typer.Option("--calls-provider", help="Let the API out to the identity provider (OpenID Connect).")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the units instead of writing them.")] = False,
) -> None:
    """Makes systemd units for a machine without Docker, and the override of its Ollama."""
    with telling_errors():
        site = Site(user, code, data, documents, environment, tls, passwords, listen, calls_provider)
        units = make_units(site)
        if show:
            typer.echo("\n".join(f"# ---- {name}\n{content}" for name, content in units.items()))
            return
        for path in write_units(units, folder):
            typer.echo(str(path))
