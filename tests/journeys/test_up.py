"""`assistant up` as people meet it: everything starts, what dies comes back, and nothing stays behind, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from assistant.stack import STOP_SECONDS, Part, PartFailed, Stack
from tests.journeys.deployment import BIN, PROXY_SECRET, Deployment, free_ports, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PARTS = ("chroma", "api", "ingest", "ui")
ALL = ",".join(PARTS)
JAPANESE = {"LANG": "ja_JP.UTF-8"}
END_SECONDS = 60


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "休暇.md").write_text("# 休暇\n\n有給休暇は取得日の3営業日前までに申請する。\n", encoding="utf-8")
    return Deployment(tmp_path, documents)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def addresses(deployment: Deployment) -> dict[str, str]:
    """Where each part with an address says that it lives."""
    return {
        "chroma": deployment.settings["CHROMA_URL"] + "/api/v2/heartbeat",
        "api": f"{deployment.api_url}/healthz",
        "ui": f"{deployment.ui_url}/_stcore/health",
    }


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def descendants(pid: int) -> set[int]:
    """Process ids of all children, their children, and so on."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found: set[int] = set()
    while added := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= added
    return found


def ports(deployment: Deployment) -> list[int]:
    return [httpx.URL(url).port or 0 for url in addresses(deployment).values()]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_gone(processes: set[int], deployment: Deployment) -> None:
    wait_until(lambda: not any(map(is_alive, processes)), timeout_seconds=END_SECONDS)
    assert all(map(is_free, ports(deployment)))


@contextmanager
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_all_parts_are_healthy_and_a_killed_one_is_started_again(deployment: Deployment) -> None:
    with deployment.up(ALL):
        log = deployment.folder / "up.log"
        assert all(map(answers, addresses(deployment).values()))
        before = {part: deployment.pid_of(part) for part in PARTS}
        for part in PARTS:
            os.kill(before[part], signal.SIGKILL)
        wait_until(lambda: all(deployment.pid_of(part) != before[part] for part in PARTS), timeout_seconds=60)
        wait_until(lambda: all(map(answers, addresses(deployment).values())), timeout_seconds=60)
        wait_until(lambda: all(log.read_text().count(f"{part:8} ready") == 2 for part in PARTS), timeout_seconds=60)
        assert all(f"{part:8} died" in log.read_text() for part in PARTS)
        wait_until(lambda: deployment.ask("有給休暇はいつまで?").json()["citations"] != [], timeout_seconds=60)


def test_while_the_api_is_started_again_callers_wait_and_none_is_refused(deployment: Deployment) -> None:
    headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": PROXY_SECRET}
    ends: list[int | str] = []
    is_over = threading.Event()

    def me() -> int:
        return httpx.get(f"{deployment.api_url}/me", headers=headers, trust_env=False, timeout=120).status_code

    def keep_asking() -> None:
        while not is_over.is_set():
            try:
                ends.append(me())
            except httpx.HTTPError as error:
                ends.append(repr(error))

    with deployment.up("chroma,api"):
        first = deployment.pid_of("api")
        askers = [threading.Thread(target=keep_asking) for _ in range(4)]
        for asker in askers:
            asker.start()
        os.kill(first, signal.SIGHUP)
        wait_until(lambda: deployment.pid_of("api") != first, timeout_seconds=60)
        count = len(ends)
        wait_until(lambda: len(ends) > count + len(askers), timeout_seconds=120)
        is_over.set()
        for asker in askers:
            asker.join()
        assert set(ends) == {200}, "asked to start again, it refuses nobody"

        second = deployment.pid_of("api")
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: not is_alive(second), timeout_seconds=20)
        assert me() == 200, "killed, it leaves new callers in the line of the socket"
        assert deployment.pid_of("api") not in {first, second}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_sigterm_and_a_closed_terminal_end_all_parts(deployment: Deployment, number: int) -> None:
    with deployment.up(ALL) as process:
        children = descendants(process.pid)
        assert {deployment.pid_of(part) for part in PARTS} <= children
        started = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=END_SECONDS) == 0
        wait_until_gone(children, deployment)
        print(f"all parts gone after {time.monotonic() - started:.1f} s")


def test_ctrl_c_during_the_start_ends_it_at_once(deployment: Deployment) -> None:
    process = subprocess.Popen(
        [str(BIN / "assistant"), "up", "--only", ALL],
        cwd=deployment.folder, env=deployment.environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until((deployment.folder / "var/run/ui.pid").is_file, timeout_seconds=60)
        children = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=END_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in said
    wait_until_gone(children, deployment)


def test_killing_the_command_itself_leaves_no_part_behind_and_it_can_be_started_again(deployment: Deployment) -> None:
    process = deployment.start(ALL)
    children = descendants(process.pid)
    process.kill()
    process.wait()
    with deployment.up(ALL):  # at once: it waits for the old parts' end
        assert not any(map(is_alive, children))
        assert all(map(answers, addresses(deployment).values()))


@pytest.mark.parametrize(
    ("part", "variable"), [("chroma", "CHROMA_URL"), ("api", "API_PORT"), ("ui", "UI_PORT")]
)  # fmt: skip
def test_a_taken_port_is_named_with_its_setting_before_anything_starts(
    deployment: Deployment, part: str, variable: str
) -> None:
    with taken_port() as port:
        value = f"http://127.0.0.1:{port}" if variable.endswith("URL") else str(port)
        done = deployment.run("assistant", "up", **{f"ASSISTANT_{variable}": value})
        assert done.returncode == 2
        assert f"Port {port}, which {part} needs" in done.stderr
        assert f"ASSISTANT_{variable}" in done.stderr
        assert not list((deployment.folder / "var" / "run").glob("*.pid"))
        japanese = deployment.run("assistant", "up", **{f"ASSISTANT_{variable}": value}, **JAPANESE)
        assert f"ポート {port} で待ち受けられません" in japanese.stderr


def test_a_second_start_on_the_same_data_folder_is_refused(deployment: Deployment) -> None:
    with deployment.up("chroma"):
        port = free_ports(1)[0]
        done = deployment.run("assistant", "up", "--only", "chroma", ASSISTANT_CHROMA_URL=f"http://127.0.0.1:{port}")
        assert done.returncode == 2
        assert f"running already (process {deployment.pid_of('chroma')})" in done.stderr
        assert "ASSISTANT_DATA_FOLDER" in done.stderr
        assert answers(addresses(deployment)["chroma"])


def test_a_part_that_does_not_exist_is_refused_with_the_names_that_do(deployment: Deployment) -> None:
    done = deployment.run("assistant", "up", "--only", "api,nonsense", **JAPANESE)
    assert done.returncode == 2
    assert "nonsense という部分はありません" in done.stderr
    assert "chroma, chat, api, ingest, ui" in done.stderr
    unneeded = deployment.run("assistant", "up", "--only", "chat")
    assert unneeded.returncode == 2
    assert "With ASSISTANT_ANSWERS=quotes there is no part chat." in unneeded.stderr


def test_a_part_that_cannot_start_shows_the_end_of_its_log_and_stops_the_rest(deployment: Deployment) -> None:
    missing = deployment.folder / "none.Modelfile"
    (deployment.folder / "var/logs").mkdir(parents=True)
    (deployment.folder / "var/logs/api.log").write_text("a line of yesterday\n")
    done = deployment.run("assistant", "up", "--only", "chroma,api", ASSISTANT_MODELFILE=str(missing))
    assert done.returncode == 1
    assert "api does not run (exit code 2)." in done.stderr
    assert f"End of its log {deployment.folder}/var/logs/api.log" in done.stderr
    assert str(missing) in done.stderr
    assert "yesterday" not in done.stderr
    assert not is_alive(deployment.pid_of("chroma"))


def test_a_part_that_keeps_dying_ends_the_stack(deployment: Deployment) -> None:
    killed: set[int] = set()
    with deployment.up("chroma,ui") as process:
        chroma = deployment.pid_of("chroma")
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            pid = deployment.pid_of("ui")
            if pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        assert process.wait(timeout=END_SECONDS) == 1
    assert len(killed) == 5
    assert "ui does not run (exit code -9)." in (deployment.folder / "up.log").read_text()
    assert not is_alive(chroma)


def test_what_nobody_set_is_completed_so_that_the_screen_can_ask_the_api(deployment: Deployment) -> None:
    del deployment.settings["API_URL"], deployment.settings["PROXY_SECRET"]
    with deployment.up("api,ui"):
        environment = Path(f"/proc/{deployment.pid_of('ui')}/environ").read_text().split("\0")
        set_for = dict(line.split("=", 1) for line in environment if "=" in line)
        assert set_for["ASSISTANT_API_URL"] == deployment.api_url
        headers = {"X-Forwarded-User": "ben", "X-Proxy-Secret": set_for["ASSISTANT_PROXY_SECRET"]}
        assert httpx.get(f"{deployment.api_url}/me", headers=headers, trust_env=False).status_code == 200
        headers["X-Proxy-Secret"] = ""
        assert httpx.get(f"{deployment.api_url}/me", headers=headers, trust_env=False).status_code == 401


def test_chroma_starts_empty_when_its_files_are_damaged_and_keeps_them_aside(deployment: Deployment) -> None:
    folder = deployment.folder / "var/chroma"
    folder.mkdir(parents=True)
    (folder / "chroma.sqlite3").write_bytes(b"no database " * 1000)
    with deployment.up("chroma"):
        assert "kept under another name, started empty" in (deployment.folder / "up.log").read_text()
        (aside,) = folder.parent.glob("chroma.damaged-*")
        assert (aside / "chroma.sqlite3").read_bytes().startswith(b"no database")


def test_data_that_are_not_to_blame_for_a_part_that_does_not_start_are_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "kept").write_text("data")
    told: list[str] = []
    part = Part("broken", ["/bin/false"], {}, "http://127.0.0.1:9/", "-", derived_folder=folder)
    stack = Stack([part], data_folder=tmp_path, told=lambda name, state: told.append(state))
    with pytest.raises(PartFailed):
        stack.start()
    stack.stop()
    assert "set_aside" in told
    assert (folder / "kept").read_text() == "data"
    assert not list(tmp_path.glob("data.damaged-*"))


def test_a_part_with_work_to_finish_is_stopped_before_the_parts_that_it_needs(tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    finishing = f"kill -0 $(cat {tmp_path}/run/store.pid) && sleep 0.3 && touch {finished}; exit"
    asking = ["bash", "-c", f"trap '{finishing}' TERM; while :; do sleep 0.05; done"]
    told: list[tuple[str, str]] = []
    parts = [
        Part("store", ["sleep", "60"], {}, None, "-"),
        Part("asking", asking, {}, None, "-", stop_seconds=STOP_SECONDS + 20),
        Part("screen", ["sleep", "60"], {}, None, "-"),
    ]
    stack = Stack(parts, data_folder=tmp_path, told=lambda name, state: told.append((name, state)))
    assert stack.start()
    time.sleep(0.2)  # until the shell has set its trap
    stack.stop()
    assert finished.exists()
    assert [name for name, state in told if state == "stopped"] == ["asking", "screen", "store"]
