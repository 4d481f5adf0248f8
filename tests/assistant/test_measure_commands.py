"""`assistant capacity measure`: what cannot be measured is said before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.__main__ import app

GOLDEN = Path(__file__).resolve().parents[2] / "modelfiles" / "golden"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path / "var"))
    monkeypatch.setenv("ASSISTANT_PROXY_SECRET", "")
    monkeypatch.setenv("LANG", "en_US.UTF-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--steps", "²"], "--steps ² cannot be read"),
        (["--steps", "0"], "--steps 0 cannot be read"),
        (["--key-file", "{folder}/key"], "key cannot be read"),
        (["--report", "{folder}/key/report"], "report cannot be made"),
        (["--against", "{folder}/key"], "is no former measurement"),
        ([], "ASSISTANT_PROXY_SECRET is not set"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_asked(
    tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "key").write_bytes("鍵".encode("cp932"))
    given = [each.format(folder=tmp_path) for each in options]
    done = CliRunner().invoke(app, ["capacity", "measure", "--questions", str(GOLDEN), *given])
    assert done.exit_code == 2
    assert said in done.stderr
