"""The examples of the guide for apps run as they stand; only address and key are those of the test."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.ledger import Ledger
from assistant.settings import Settings
from tests.api.canned import PROXY_SECRET, RULE, RunningServer
from tests.api.whole import whole_assistant

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
PROXY = "https://assistant.example.co.jp"
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[object]:
    """Each Python and shell example of both guides."""
    for name in ("apps.md", "apps.ja.md"):
        for number, (language, code) in enumerate(BLOCK.findall((GUIDES / name).read_text(encoding="utf-8"))):
            yield pytest.param(language, code, id=f"{name} {number} {language}")


@pytest.fixture
def whole(ledger: Ledger, tmp_path: Path) -> Iterator[RunningServer]:
    """A server that answers from three documents."""
    settings = Settings(_env_file=None, proxy_secret=PROXY_SECRET, documents_folder=tmp_path / "handbook")
    with RunningServer(settings, whole_assistant(ledger, tmp_path)) as running:
        yield running


@pytest.mark.parametrize(("language", "code"), list(examples()))
def test_an_example_of_the_guide_works(
    whole: RunningServer, ledger: Ledger, language: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ledger.create_key("guide")
    here = code.replace(f"{PROXY}/api", whole.url).replace(PROXY, whole.url).replace("ca_your_key", key)
    assert len(code.splitlines()) <= 10
    if language == "python":
        names: dict[str, Any] = {}
        exec(compile(here, "guide", "exec"), names)  # noqa: S102 - our own page
        names["client"].close()
        said = capsys.readouterr().out
    else:
        environment = {**os.environ, "KEY": key}
        said = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True, env=environment).stdout
    assert RULE.rstrip("。") in said


def test_both_guides_show_the_same_examples() -> None:
    first, second = (BLOCK.findall((GUIDES / name).read_text(encoding="utf-8")) for name in ("apps.md", "apps.ja.md"))
    assert first == second
    assert len(first) == 4
