"""The firewall's plan: its rules and the real ufw in network namespaces, its files and commands on copies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.errors import HostError
from assistant.host.firewall import BEGIN, apply, make_plan, undo

PORT, INNER_PORT = 8443, 8080
ALLOWED, OTHER = "10.77.0.2", "10.78.0.2"
CONNECT = "import socket,sys; socket.create_connection(sys.argv[1:3], timeout=float(sys.argv[3])).close()"
CLOSED_SECONDS, OPEN_SECONDS = "2", "30"
ANSWER = (
    "import socket,sys\ns = socket.create_server(('0.0.0.0', int(sys.argv[1])))\nprint('ready', flush=True)\n"
    "while True: s.accept()[0].close()"
)


def ip(*words: str) -> None:
    """`ip`, which must work."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def inside(namespace: str, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """A command in a namespace."""
    return subprocess.run(["ip", "netns", "exec", namespace, *words], input=text, capture_output=True, text=True)


class Network:
    """Outside (two addresses) -- host -- container, whose port the host publishes as Docker does."""

    def __init__(self, mark: str) -> None:
        self.outside, self.host, self.container = (f"ca{mark}{name}" for name in ("o", "h", "c"))

    def build(self) -> None:
        """Namespaces, wires, addresses, and Docker's own rules for a published port."""
        for namespace in (self.outside, self.host, self.container):
            ip("netns", "add", namespace)
            ip("-n", namespace, "link", "set", "lo", "up")
        for other, here, addresses in (
            (self.outside, "eth0", ["10.77.0.1/24", "10.78.0.1/24"]),
            (self.container, "docker0", ["10.79.0.1/24"]),
        ):
            ip("-n", self.host, "link", "add", here, "type", "veth", "peer", "name", "wire", "netns", other)
            for address in addresses:
                ip("-n", self.host, "addr", "add", address, "dev", here)
                ip("-n", other, "addr", "add", address.replace(".1/", ".2/"), "dev", "wire")
            ip("-n", self.host, "link", "set", here, "up")
            ip("-n", other, "link", "set", "wire", "up")
        ip("-n", self.container, "route", "add", "default", "via", "10.79.0.1")
        self.must(self.host, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.must(self.host, "iptables", "-N", "DOCKER-USER")
        self.must(self.host, "iptables", "-A", "FORWARD", "-j", "DOCKER-USER")
        target = f"10.79.0.2:{INNER_PORT}"
        for chain in ("PREROUTING", "OUTPUT"):
            rule = (
                f"iptables -t nat -A {chain} -p tcp --dport {PORT} -m addrtype --dst-type LOCAL -j DNAT --to {target}"
            )
            self.must(self.host, *rule.split())

    def must(self, namespace: str, *words: str, text: str | None = None) -> None:
        """A command in a namespace that has to work."""
        done = inside(namespace, *words, text=text)
        assert done.returncode == 0, done.stderr

    def reaches(self, source: str, port: int, *, seconds: str = OPEN_SECONDS) -> bool:
        """Whether somebody outside with that address gets a connection to the host's port."""
        target = source.rsplit(".", 1)[0] + ".1"
        return inside(self.outside, sys.executable, "-c", CONNECT, target, str(port), seconds).returncode == 0

    def remove(self) -> None:
        """Takes the namespaces away."""
        for namespace in (self.outside, self.host, self.container):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True)


@pytest.fixture
def network() -> Iterator[Network]:
    """The network, with somebody answering in the container, and another service of the host on port 22."""
    if os.geteuid() != 0 or not shutil.which("iptables") or not shutil.which("ip"):
        pytest.skip("needs root, ip and iptables")
    made = Network(f"{os.getpid() % 100_000:x}")
    with ExitStack() as opened:
        opened.callback(made.remove)
        try:
            made.build()
        except (subprocess.CalledProcessError, AssertionError) as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        for namespace, port in ((made.container, INNER_PORT), (made.host, 22)):
            command = ["ip", "netns", "exec", namespace, sys.executable, "-c", ANSWER, str(port)]
            process = opened.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            opened.callback(process.terminate)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield made


def test_in_a_real_kernel_a_published_port_is_open_to_the_allowed_network_alone(network: Network) -> None:
    assert network.reaches(OTHER, PORT), "published by Docker, it is open to everybody"
    plan = make_plan(["10.77.0.0/24"], port=PORT, interface="eth0")
    for _ in range(2):  # ufw reloads its files more than once
        network.must(network.host, "iptables-restore", "-n", text=plan.after_rules)
    assert network.reaches(ALLOWED, PORT)
    assert not network.reaches(OTHER, PORT, seconds=CLOSED_SECONDS)
    assert network.reaches(OTHER, 22), "other ports are none of this plan's business"
    for line in plan.after_rules.splitlines():
        if line.startswith("-A "):
            network.must(network.host, "iptables", "-D", *line.split()[1:])
    assert network.reaches(OTHER, PORT), "undone"


UFW_STORY = """
set -eu
mount --bind "$1" /etc/ufw
ip link set lo up
iptables -N DOCKER-USER && iptables -A FORWARD -j DOCKER-USER
ufw --force enable >/dev/null && ufw allow 22/tcp >/dev/null
seen() {
  iptables -S DOCKER-USER; iptables -S ufw-user-input; ip6tables -S ufw6-user-input
  echo FILES; cat /etc/ufw/after.rules /etc/ufw/after6.rules
}
seen > "$2/before"
for time in once twice; do
  "$3" -m assistant firewall apply --from 10.77.0.0/24 --port 8443 --interface eth0 >/dev/null
  seen > "$2/$time"
done
"$3" -m assistant firewall undo >/dev/null
seen > "$2/after"
"""


@pytest.mark.slow
def test_the_real_ufw_takes_the_rules_over_and_gives_them_back(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("ufw") or not shutil.which("unshare"):
        pytest.skip("needs root, ufw and unshare")
    apart = ["unshare", "--net", "--mount"]  # no rule and no file of this machine is touched
    can = subprocess.run([*apart, "iptables", "-S"], capture_output=True, text=True)
    if can.returncode != 0:
        pytest.skip(f"namespaces cannot be made here: {can.stderr}")
    shutil.copytree("/etc/ufw", tmp_path / "ufw")
    command = [*apart, "sh", "-c", UFW_STORY, "sh", str(tmp_path / "ufw"), str(tmp_path), sys.executable]
    told = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert told.returncode == 0, told.stdout + told.stderr
    before, once, twice, after = ((tmp_path / name).read_text() for name in ("before", "once", "twice", "after"))
    assert "--dport 22 -j ACCEPT" in before
    assert "8443" not in before
    for rule in (
        "-A DOCKER-USER -s 10.77.0.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport 8443 --ctdir ORIGINAL -j RETURN",
        "-A DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8443 --ctdir ORIGINAL -j DROP",
        "-A ufw-user-input -s 10.77.0.0/24 -p tcp -m tcp --dport 8443 -j ACCEPT",
        "-A ufw-user-input -p tcp -m tcp --dport 8443 -j DROP",
        "-A ufw6-user-input -p tcp -m tcp --dport 8443 -j DROP",
    ):
        assert once.split("FILES")[0].splitlines().count(rule) == 1, once
    assert twice == once
    assert after == before


# ---- files and commands


RULES = "*filter\n:ufw-after-input - [0:0]\nCOMMIT\n"
STATUS = """Status: active

     To                         Action      From
     --                         ------      ----
[ 1] 22/tcp                     ALLOW IN    Anywhere
[ 2] 443/tcp                    ALLOW IN    10.0.0.0/8                 # company-assistant
[ 3] 80/tcp                     ALLOW IN    Anywhere                   # of somebody else
[10] 443/tcp                    DENY IN     Anywhere                   # company-assistant
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """ufw's folder as its package leaves it."""
    for name in ("after.rules", "after6.rules"):
        (tmp_path / name).write_text(RULES)
        (tmp_path / name).chmod(0o640)
    return tmp_path


def test_applying_twice_is_applying_once_and_undoing_leaves_the_files_as_they_were(folder: Path) -> None:
    ran: list[tuple[str, ...]] = []

    def run(command: Sequence[str]) -> None:
        ran.append(tuple(command))

    plan = make_plan(["10.0.0.0/8", "fd00::/8"], port=443, interface="eth0")
    for _ in range(2):
        apply(plan, folder, run)
        four, six = ((folder / name).read_text() for name in ("after.rules", "after6.rules"))
        assert four.count(BEGIN) == six.count(BEGIN) == 1
        assert four.startswith(RULES.rstrip())
    assert "-s 10.0.0.0/8 -j RETURN" in four
    assert "fd00::" not in four
    assert "-s fd00::/8 -j RETURN" in six
    assert four.rstrip().splitlines()[-3].endswith("--ctdir ORIGINAL -j DROP")
    assert (folder / "after.rules").stat().st_mode & 0o777 == 0o640
    assert ran[:4] == [*plan.commands, ("ufw", "reload")]
    ran.clear()
    undo(folder, run, listed=STATUS)
    assert (folder / "after.rules").read_text().rstrip() == RULES.rstrip()
    assert [command for command in ran if command[:3] == ("ufw", "--force", "delete")] == [
        ("ufw", "--force", "delete", "10"),
        ("ufw", "--force", "delete", "2"),
    ], "from the end, since numbers move up"
    assert ran[0][:3] == ("iptables", "-D", "DOCKER-USER")
    assert ran[-1] == ("ufw", "reload")


def test_the_plan_is_printed_and_nothing_is_done(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    words = [
        "firewall",
        "plan",
        "--from",
        "10.0.0.0/8",
        "--from",
        "192.168.1.7",
        "--port",
        "8080",
        "--folder",
        str(folder),
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "ufw allow proto tcp from 192.168.1.7/32 to any port 8080" in done.stdout
    assert "--ctorigdstport 8080" in done.stdout
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("networks", [["10.0.0.1/8"], ["nowhere"], ["10.0.0.0/8 -j ACCEPT"], []])
def test_what_is_no_network_is_refused(networks: list[str]) -> None:
    with pytest.raises(HostError):
        make_plan(networks, port=443, interface="eth0")
    with pytest.raises(HostError):
        make_plan(["10.0.0.0/8"], port=443, interface="eth0 -j ACCEPT")


def test_a_machine_without_ufw_is_told_what_to_install(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["firewall", "apply", "--from", "10.0.0.0/8", "--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "apt install ufw" in done.output
