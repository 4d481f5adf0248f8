"""The host's firewall as a plan: only the product's port, only from the company's networks. ufw, and Docker's own chain.

Docker publishes ports in chains that come before ufw's, so that a rule of ufw alone leaves a published port open to
everybody. What ufw's `after.rules` puts into the chain DOCKER-USER is asked first:

    packet from outside -> DOCKER-USER -> meant for our port (as it was addressed, before Docker rewrote it)?
        from an allowed network -> on to Docker      from anywhere else -> dropped
        not our port -> untouched

Loading the block empties DOCKER-USER first, as ufw does with every chain that its files name: rules of other tools in it
belong into `after.rules` as well. Our rules stand in one marked block, which `undo` takes out again. Nothing is changed but by `apply` and `undo`.
"""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import HostError, Text

BEGIN, END = "# BEGIN company-assistant", "# END company-assistant"
COMMENT = "company-assistant"
BLOCK = re.compile(rf"\n?{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", re.DOTALL)
Run = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Plan:
    """What would be done: blocks for ufw's two files, and commands before and after. `interface` is where others come from."""

    networks: tuple[str, ...]
    port: int
    interface: str
    after_rules: str
    after6_rules: str
    commands: tuple[tuple[str, ...], ...]

    def lines(self, folder: Path) -> list[str]:
        """The plan as an administrator reads it."""
        shown = [f"# {folder / 'after.rules'}", *self.after_rules.splitlines()]
        shown += ["", f"# {folder / 'after6.rules'}", *self.after6_rules.splitlines(), ""]
        return [*shown, *(" ".join(command) for command in self.commands), "ufw reload"]


def make_plan(networks: Sequence[str], *, port: int, interface: str) -> Plan:
    """The plan for these networks. Raises HostError for what is no network, interface or port."""
    parsed = [_network(network) for network in networks]
    if not parsed or not re.fullmatch(r"[A-Za-z0-9._-]{1,15}", interface) or not 1 <= port <= 65535:
        raise _wrong(f"{', '.join(networks)} {interface} {port}")
    four = [network for network in parsed if network.version == 4]
    six = [network for network in parsed if network.version == 6]
    allow = tuple(
        ("ufw", "allow", "proto", "tcp", "from", str(network), "to", "any", "port", str(port), "comment", COMMENT)
        for network in parsed
    )
    deny = ("ufw", "deny", "proto", "tcp", "from", "any", "to", "any", "port", str(port), "comment", COMMENT)
    return Plan(
        networks=tuple(str(network) for network in parsed),
        port=port,
        interface=interface,
        after_rules=_block(four, port, interface),
        after6_rules=_block(six, port, interface),
        commands=(*allow, deny),
    )


def _block(networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network], port: int, interface: str) -> str:
    """Rules as iptables-restore takes them. `--ctorigdstport` is the port that was asked for on the host."""
    match = f"-A DOCKER-USER -i {interface} -p tcp -m conntrack --ctorigdstport {port} --ctdir ORIGINAL"
    rules = [f"{match} -s {network} -j RETURN" for network in networks]
    return "\n".join([BEGIN, "*filter", ":DOCKER-USER - [0:0]", *rules, f"{match} -j DROP", "COMMIT", END, ""])


def apply(plan: Plan, folder: Path, run: Run) -> None:
    """Writes the blocks, adds ufw's rules and reloads. Done twice, it is as done once. Raises HostError."""
    _write(folder / "after.rules", plan.after_rules)
    _write(folder / "after6.rules", plan.after6_rules)
    for command in plan.commands:
        run(command)
    run(("ufw", "reload"))


def undo(folder: Path, run: Run, *, listed: str) -> None:
    """Takes our blocks and ufw rules away; `listed` is what `ufw status numbered` says. Raises HostError.

    A chain keeps its rules when a file no longer names them, so ours are taken out by hand as well: only those with our
    port, as our block names them.
    """
    for name, tables in (("after.rules", "iptables"), ("after6.rules", "ip6tables")):
        for rule in _rules_of(folder / name):
            with suppress(HostError):  # not there: the machine was never reloaded, or somebody flushed the chain
                run((tables, "-D", *rule.split()[1:]))
        _write(folder / name, "")
    numbers = re.findall(rf"^\[ *(\d+)\].*# {COMMENT}$", listed, re.MULTILINE)
    for number in sorted(map(int, numbers), reverse=True):
        run(("ufw", "--force", "delete", str(number)))
    run(("ufw", "reload"))


def _rules_of(file: Path) -> list[str]:
    found = BLOCK.search(_text_of(file))
    return [line for line in found[0].splitlines() if line.startswith("-A ")] if found else []


def _write(file: Path, block: str) -> None:
    before = _text_of(file)
    after = BLOCK.sub("", before)
    after = after if not block else f"{after.rstrip()}\n\n{block}"
    if after != before:
        new = file.with_name(f".{file.name}.new")
        try:
            new.write_text(after, encoding="utf-8")
            new.chmod(file.stat().st_mode)
            new.replace(file)
        except OSError as error:
            raise _unreachable(file) from error


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreachable(file) from error


def run_for_real(command: Sequence[str]) -> None:
    """Runs one command of a plan. Raises HostError with what it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  ours, no shell
        failed = done.returncode != 0
        said = (done.stderr or done.stdout).strip()[-300:]
    except (OSError, subprocess.TimeoutExpired) as error:
        failed, said = True, type(error).__name__
    if failed:
        raise HostError(
            Text(ja=f"`{' '.join(command)}` が失敗しました: {said}", en=f"`{' '.join(command)}` failed: {said}"),
            Text(
                ja="root で実行しているか、ufw が入っているか(apt install ufw)確かめてください。`assistant firewall undo` で元に戻せます。",
                en="Run it as root, with ufw installed (apt install ufw). `assistant firewall undo` takes back what was done.",
            ),
        )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise _wrong(text) from error


def _wrong(seen: str) -> HostError:
    return HostError(
        Text(ja=f"使えない指定です: {seen}", en=f"This cannot be used: {seen}"),
        Text(
            ja="例: --from 10.0.0.0/8 --port 443 --interface eth0(`ip route show default` の dev)",
            en="Example: --from 10.0.0.0/8 --port 443 --interface eth0 (the dev of `ip route show default`)",
        ),
    )


def _unreachable(file: Path) -> HostError:
    return HostError(
        Text(ja=f"{file} を読み書きできません。", en=f"{file} cannot be read or written."),
        Text(
            ja="ufw を入れ(apt install ufw)、root で実行してください。",
            en="Install ufw (apt install ufw), and run this as root.",
        ),
    )
