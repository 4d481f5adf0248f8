"""`assistant certificate | password`: for the administrator of the machine."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import HostError, Text
from assistant.host.certificate import LONGEST_DAYS, make_certificate
from assistant.host.passwords import new_password, remove_password, write_password
from assistant.terminal import caller_language, telling_errors

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("certificate")(certificate)
    app.command("password")(password)


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
