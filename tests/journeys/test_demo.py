"""`make demo`'s command: it says what it chose and why, what runs where, and what can be asked when."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.journeys.deployment import BIN, PROXY_SECRET, ROOT, Deployment, free_ports, wait_until
from tests.stubs.ollama.process import start_stub_ollama

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

JAPANESE = {"LANG": "ja_JP.UTF-8"}
SECOND_START_SECONDS = 100
"""Five times the 20 s that are promised for two quiet cores: tests share theirs."""


class Demo:
    """A running `assistant up --demo` and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.started = time.monotonic()
        self._log = log

    @property
    def said(self) -> str:
        return self._log.read_text()

    def where(self, part: str) -> str:
        """The address in the table of parts."""
        found = re.search(rf"^ *{part} +\d+ +(\S+)", self.said, re.MULTILINE)
        assert found is not None, self.said
        return found[1]

    def wait_for(self, words: str, *, timeout_seconds: float = 100) -> None:
        wait_until(lambda: words in self.said or self.process.poll() is not None, timeout_seconds=timeout_seconds)
        assert words in self.said, self.said

    def passages_after(self, question: str) -> float:
        """Seconds from the start of the demo until the first passages of an answer are there."""
        headers = {
            "X-Forwarded-User": "demo",
            "X-Proxy-Secret": PROXY_SECRET,
            "Accept": "text/event-stream",
        }
        with httpx.stream(
            "POST",
            self.where("api") + "/ask",
            json={"question": question},
            headers=headers,
            timeout=60,
            trust_env=False,
        ) as response:
            name = ""
            for line in response.iter_lines():
                name = line.removeprefix("event: ") if line.startswith("event: ") else name
                if name == "found" and line.startswith("data: "):
                    assert json.loads(line.removeprefix("data: "))["passages"]
                    return time.monotonic() - self.started
        raise AssertionError("no passages")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    shutil.copytree(ROOT / "examples" / "en", tmp_path / "documents")
    return Deployment(tmp_path, tmp_path / "documents", {"OLLAMA_URL": "http://127.0.0.1:9"})


@contextmanager
def demo(deployment: Deployment, **extra: str) -> Iterator[Demo]:
    """`assistant up --demo` until the block ends; it must then end in order."""
    log = deployment.folder / "demo.log"
    port = str(free_ports(1)[0])
    environment = deployment.environment | {"ANSWERS": "quotes", "PORT": port, "DOCS": ""} | extra
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(BIN / "assistant"), "up", "--demo"],
            cwd=deployment.folder, env=environment, stdout=subprocess.DEVNULL, stderr=output, text=True,
        )  # fmt: skip
    try:
        yield Demo(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_the_demo_says_what_runs_where_and_a_second_start_is_quick(deployment: Deployment) -> None:
    with demo(deployment) as first:
        first.wait_for("files are searchable")
        for shown in ("ANSWERS=quotes: no chat model", "Open http://127.0.0.1:", "How do I connect to the VPN?"):
            assert shown in first.said
        assert "All 6 files are searchable" in first.said
        assert "Questions can be asked meanwhile" in first.said
        assert httpx.get(first.where("ui"), trust_env=False).is_success
        assert first.where("ui") in first.said.split("Open ")[1]
        print(f"first start: {first.passages_after('How do I connect to the VPN?'):.1f} s")
    with demo(deployment, **JAPANESE) as second:
        second.wait_for("終わるには Ctrl-C")
        seconds = second.passages_after("How do I connect to the VPN?")
        print(f"second start: first passages after {seconds:.1f} s")
        assert seconds < SECOND_START_SECONDS
        second.wait_for("6 件の文書をすべて検索できます。")
        assert "読み込みの間も" not in second.said


def test_files_that_cannot_be_read_are_named_with_the_command_that_shows_all(deployment: Deployment) -> None:
    (deployment.documents / "damaged.pdf").write_bytes(b"%PDF-1.7\nthis is no document")
    with demo(deployment, **JAPANESE) as started:
        started.wait_for("すべての理由:")
        assert "7 件中 6 件の文書を検索できます" in started.said
        assert "! damaged.pdf: pdf ファイルとして壊れている" in started.said
        command = started.said.split("すべての理由: ")[1].splitlines()[0]
        status = subprocess.run(
            ["bash", "-c", f"{command} --json"], cwd=deployment.folder, capture_output=True, text=True, timeout=60
        )
        assert json.loads(status.stdout)["failures"][0]["path"] == "damaged.pdf", status.stderr


def test_own_documents_are_not_mixed_with_the_handbook(deployment: Deployment) -> None:
    own = deployment.folder / "own"
    own.mkdir()
    (own / "rule.md").write_text("# Parking\n\nThe car park closes at 21:00.\n")
    with demo(deployment, DOCS=str(own)) as started:
        started.wait_for("The one file is searchable")
    assert [path.name[:5] for path in (deployment.folder / "var").iterdir()] == ["demo-"]


def test_a_taken_port_is_replaced_and_announced(deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with demo(deployment, PORT=str(port), **JAPANESE) as started:
            started.wait_for("終わるには Ctrl-C")
            assert f"ポート {port} は使用中なので、画面は" in started.said
            assert started.where("ui") != f"http://127.0.0.1:{port}"
            assert httpx.get(started.where("ui"), trust_env=False).is_success


def test_an_ollama_with_both_models_is_used_and_said_to_be(deployment: Deployment) -> None:
    with start_stub_ollama() as stub:
        settings = {"ASSISTANT_OLLAMA_URL": stub.url, "ANSWERS": ""}
        with demo(deployment, **settings) as started:
            started.wait_for("files are searchable")
            assert f"The Ollama at {stub.url} has the models, so it is used." in started.said
            headers = {"X-Forwarded-User": "demo", "X-Proxy-Secret": PROXY_SECRET}
            answer = httpx.post(
                started.where("api") + "/ask",
                json={"question": "How do I connect to the VPN?"},
                headers=headers,
                timeout=60,
                trust_env=False,
            ).json()
            assert (answer["mode"], answer["model"]) == ("generated", "company-assistant")
            assert stub.requests("/api/chat")
            assert stub.requests("/api/embed")


def test_without_tesseract_the_demo_says_which_files_stay_unread(deployment: Deployment) -> None:
    with demo(deployment, PATH=str(BIN)) as started:
        started.wait_for("Open http://")
        assert "Scanned documents cannot be read" in started.said
        assert "apt-get install tesseract-ocr tesseract-ocr-jpn" in started.said


@pytest.mark.parametrize(
    ("variables", "status", "sentences"),
    [
        ({"ANSWERS": "nonsense"}, 2, ["ANSWERS=nonsense は使えません", "ollama, embedded, quotes"]),
        ({"PORT": "80a"}, 2, ["PORT=80a は使えません", "1 から 65535"]),
        ({"DOCS": "no-such-folder"}, 1, ["文書のフォルダ no-such-folder がありません", "DOCS="]),
        ({"ANSWERS": "ollama"}, 1, ["http://127.0.0.1:9 の Ollama を使えません(応答がありません)", "ollama create"]),
    ],
)
def test_what_cannot_be_is_refused_in_words_before_anything_starts(
    deployment: Deployment, variables: dict[str, str], status: int, sentences: list[str]
) -> None:
    done = deployment.run("assistant", "up", "--demo", **JAPANESE, **{"ANSWERS": "quotes", **variables})
    assert done.returncode == status
    assert all(sentence in done.stderr for sentence in sentences), done.stderr
    assert not list(deployment.folder.glob("var/**/*.pid"))


def test_an_ollama_that_lacks_a_model_is_not_used_and_the_model_is_named(deployment: Deployment) -> None:
    with start_stub_ollama(models=["nomic-embed-text"]) as stub:
        done = deployment.run("assistant", "up", "--demo", ANSWERS="ollama", ASSISTANT_OLLAMA_URL=stub.url)
        assert done.returncode == 1
        assert "it has no model company-assistant" in done.stderr
