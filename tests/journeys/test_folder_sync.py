"""`ingest plan` and `ingest status` as an admin meets them: real commands on a folder with everything that folders contain."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.deployment import BIN, Deployment

pytestmark = pytest.mark.slow

RULES = """
[[rule]]
path = "写真/*"
read = false

[[rule]]
path = "*"
max_bytes = 100_000
"""


def fill(documents: Path) -> dict[str, str]:
    """Three files to read and one of everything that is left out; the rule by path as shown."""
    outside = documents.parent / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("# 秘密\n\n社外秘です。\n", encoding="utf-8")
    for name in ("a.md", "b.md", "人事/休暇.md"):
        place = documents / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"# {name}\n\n{name} の規程です。届出は3日前までに行う。\n" * 20, encoding="utf-8")
    expected = {"link.md": "symlink", "linked folder": "symlink", "pipe.md": "not_regular"}
    (documents / "link.md").symlink_to(outside / "secret.md")
    (documents / "linked folder").symlink_to(outside)
    os.mkfifo(documents / "pipe.md")
    for name, rule in (
        ("~$a.docx", "office_lock"), (".DS_Store", "system_file"), (".hidden.md", "hidden"), ("copy.tmp", "unfinished"),
        ("写真/p.md", "excluded"), ("large.md", "max_bytes"),
    ):  # fmt: skip
        (documents / name).parent.mkdir(exist_ok=True)
        (documents / name).write_text("x" * (200_000 if rule == "max_bytes" else 10))
        expected[name] = rule
    with open(os.fsencode(documents) + b"/\x83e\x83X\x83g.txt", "wb"):
        pass
    expected["\\udc83e\\udc83X\\udc83g.txt"] = "not_utf8"
    try:
        os.mknod(documents / "null.md", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        expected["null.md"] = "not_regular"
    except PermissionError:  # only root may make devices; the pipe is of the same rule
        pass
    return expected


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment(tmp_path, tmp_path / "documents")
    made.documents.mkdir()
    (tmp_path / "ingest.toml").write_text(RULES, encoding="utf-8")
    return made


def everything_in_the_ledger(deployment: Deployment) -> list[str]:
    """Every row of every table."""
    with closing(sqlite3.connect(f"file:{deployment.folder}/var/ledger.db?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def plan(deployment: Deployment) -> dict[str, Any]:
    done = deployment.run("ingest", "plan", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_plan_shows_everything_and_writes_nothing(deployment: Deployment) -> None:
    rules = fill(deployment.documents)
    found = plan(deployment)
    before = everything_in_the_ledger(deployment)
    assert "documents" not in "".join(line for line in before if line.startswith('INSERT INTO "folders"'))
    assert (found["folder"], found["add"], found["skipped"]) == ("documents", 3, len(rules))
    assert {entry["path"]: entry["rule"] for entry in found["files"]["skipped"]} == rules
    assert found["skipped_by_rule"]["symlink"] == found["skipped_symlink"] == 2
    sizes = {entry["path"]: entry["bytes"] for entry in found["files"]["add"]}
    assert sizes == {name: (deployment.documents / name).stat().st_size for name in ("a.md", "b.md", "人事/休暇.md")}
    assert found["estimate"] == {
        "files": 3, "bytes": sum(sizes.values()), "chunks": None, "seconds": None, "seconds_per_chunk": None, "runs": 0,
    }  # fmt: skip
    said = deployment.run("ingest", "plan", LC_ALL="ja_JP.UTF-8").stdout
    assert "symlink: 2" in said
    assert "速さはまだ分かりません" in said
    assert "人事/休暇.md" in said
    assert everything_in_the_ledger(deployment) == before


def test_the_status_says_of_everything_what_is_wrong_and_what_to_do(deployment: Deployment) -> None:
    rules = fill(deployment.documents)
    (deployment.documents / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    for number in range(60):
        (deployment.documents / f"{number:02}.pdf").write_bytes(b"%PDF-1.7 nothing")
    with deployment.up("chroma"):
        assert deployment.run("ingest", "run").returncode == 1
        state = deployment.status()
        japanese = deployment.run("ingest", "status", LC_ALL="ja_JP.UTF-8").stdout
        english = deployment.run("ingest", "status").stdout
        (deployment.documents / "b.md").write_text("# 新しい\n\n本文です。\n" * 30, encoding="utf-8")
        expected = plan(deployment)["estimate"]
        assert deployment.run("ingest", "plan").stdout.count(" s.") == 1
    (last,) = state["last_runs"]
    assert sum(last["skipped_by_rule"].values()) == len(rules)
    assert "symlink 2" in japanese
    assert "規則により飛ばしたもの" in japanese
    line = next(line for line in japanese.splitlines() if "00.pdf: corrupt" in line)
    assert "壊れ" in line
    assert "ください" in line
    assert "cannot be read" in english
    assert "ほか 11 件" in japanese
    assert "corrupt 61" in japanese
    assert "`ingest receipts --csv`" in english
    assert (expected["files"], expected["runs"]) == (1, 1)
    assert expected["chunks"] >= 1
    assert expected["seconds"] > 0


def test_rules_that_are_gone_open_nothing(deployment: Deployment) -> None:
    (deployment.documents / "限定").mkdir()
    (deployment.documents / "限定" / "a.md").write_text("# 秘密\n\n社外秘です。\n", encoding="utf-8")
    rules = deployment.folder / "ingest.toml"
    rules.write_text('[[rule]]\npath = "限定/*"\ngroups = ["board"]\n', encoding="utf-8")
    with deployment.up("chroma"):
        assert deployment.run("ingest", "run").returncode == 0
        before = [line for line in everything_in_the_ledger(deployment) if "document_groups" in line]
        rules.unlink()
        refused = deployment.run("ingest", "run")
        assert (refused.returncode, "empty file" in refused.stderr) == (2, True)
        assert [line for line in everything_in_the_ledger(deployment) if "document_groups" in line] == before
        rules.touch()
        assert deployment.run("ingest", "run").returncode == 0
    assert any("'everyone'" in line for line in everything_in_the_ledger(deployment) if "document_groups" in line)


def test_two_runs_at_once_read_every_file_once(deployment: Deployment) -> None:
    fill(deployment.documents)
    with deployment.up("chroma"):
        command = [str(BIN / "ingest"), "run", "--json"]
        both = [
            subprocess.Popen(
                command,
                cwd=deployment.folder,
                env=deployment.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=100) for process in both]
    codes = [process.returncode for process in both]
    done = sorted(json.loads(out)["done"] for (out, _), code in zip(said, codes, strict=True) if code == 0)
    assert (sorted(codes), done) in (([0, 75], [3]), ([0, 0], [0, 3]))
    pending = [
        line for line in everything_in_the_ledger(deployment) if "document_events" in line and "'pending'" in line
    ]
    assert len(pending) == 3
