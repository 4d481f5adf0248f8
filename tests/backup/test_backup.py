"""Backups that are made, kept, refused and damaged: nothing half done, nothing lost, no secret inside."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.backup.archive import MANIFEST, open_archive
from assistant.backup.making import Contents, Made, back_up
from assistant.backup.restoring import check, compare_originals, restore, spread
from assistant.backup_commands import _contents
from assistant.errors import BackupError
from assistant.settings import Settings
from tests.contracts.test_ledger import store


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger with three documents."""
    (tmp_path / "data").mkdir()
    opened = Ledger.open(f"sqlite:///{tmp_path / 'data/ledger.db'}")
    for number in range(3):
        store(opened, f"{number}.md", f"text {number}", sha256=f"{number:064}")
    return opened


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    """Two files and a line of settings beside it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/users.toml").write_text("[users.ben]\n", encoding="utf-8")
    (tmp_path / "in/x.Modelfile").write_text("FROM x\nSYSTEM 規則\u3000です\n", encoding="utf-8")
    files = (("users.toml", tmp_path / "in/users.toml"), ("modelfiles/x.Modelfile", tmp_path / "in/x.Modelfile"))
    return Contents(files, ("ASSISTANT_NUM_CTX=8192",), tmp_path / "data")


def made(ledger: Ledger, contents: Contents, place: Path, *, keep: int = 3) -> Made:
    """One backup."""
    return back_up(ledger, contents, place, keep=keep, by="test")


def empty(folder: Path) -> Ledger:
    """A ledger that nobody has used."""
    folder.mkdir(exist_ok=True)
    return Ledger.open(f"sqlite:///{folder / 'ledger.db'}")


def test_a_backup_is_whole_private_and_in_the_audit(ledger: Ledger, contents: Contents, tmp_path: Path) -> None:
    backup = made(ledger, contents, tmp_path / "backups")
    with open_archive(backup.path) as archive:
        archive.verify()
        assert {entry.name for entry in archive.manifest.files} == {
            "ledger.db", "originals.csv", "settings.env", "users.toml", "modelfiles/x.Modelfile",
        }  # fmt: skip
        assert (archive.manifest.documents, archive.manifest.chunks) == (3, 3)
    assert backup.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [backup.path.name]
    entry = ledger.last_entry(Act.BACKED_UP)
    assert entry is not None
    assert entry.details["sha256"] == backup.sha256
    assert entry.subject == str(backup.path)


def test_a_restored_ledger_is_the_same_and_files_that_are_there_stay(
    ledger: Ledger, contents: Contents, tmp_path: Path
) -> None:
    backup = made(ledger, contents, tmp_path / "backups")
    target, data = empty(tmp_path / "new"), tmp_path / "new"
    (tmp_path / "own.toml").write_text("[users.chie]\n", encoding="utf-8")
    places = {"users.toml": tmp_path / "own.toml", "modelfiles": tmp_path / "models"}
    with open_archive(backup.path) as archive:
        check(archive, target, data)
        restored = restore(archive, target, data, places=places, by="test")
    assert target.counts_of_truth() == ledger.counts_of_truth()
    assert (tmp_path / "own.toml").read_text(encoding="utf-8") == "[users.chie]\n"
    assert restored.kept == (str(tmp_path / "own.toml"),)
    assert (tmp_path / "models/x.Modelfile").read_text(encoding="utf-8") == "FROM x\nSYSTEM 規則\u3000です\n"
    assert (restored.folder / "users.toml").read_text(encoding="utf-8") == "[users.ben]\n"
    assert compare_originals(restored.folder).missing == ("0.md", "1.md", "2.md")
    last = target.last_entry(Act.RESTORED)
    assert last is not None
    assert last.details["rows"] == restored.rows


def test_a_ledger_that_holds_something_is_refused_and_left_alone(
    ledger: Ledger, contents: Contents, tmp_path: Path
) -> None:
    backup = made(ledger, contents, tmp_path / "backups")
    before = ledger.counts_of_truth()
    with open_archive(backup.path) as archive, pytest.raises(BackupError, match="not empty"):
        check(archive, ledger, tmp_path / "data")
    assert ledger.counts_of_truth() == before


def changed(archive: Path, target: Path, change: Any) -> Path:
    """The archive packed anew with a changed manifest."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            told = old.read(name)
            if name == MANIFEST:
                manifest = json.loads(told)
                change(manifest)
                told = json.dumps(manifest).encode()
            new.writestr(name, told)
    return target


def test_a_damaged_a_cut_and_a_foreign_file_are_refused_before_anything_is_written(
    ledger: Ledger, contents: Contents, tmp_path: Path
) -> None:
    whole = made(ledger, contents, tmp_path / "backups").path
    target = empty(tmp_path / "new")
    damaged, cut, foreign = (tmp_path / f"{name}.zip" for name in ("damaged", "cut", "foreign"))
    content = bytearray(whole.read_bytes())
    content[len(content) // 3] ^= 0xFF
    damaged.write_bytes(content)
    cut.write_bytes(whole.read_bytes()[:-200])
    with zipfile.ZipFile(foreign, "w") as packed:
        packed.writestr("hello.txt", "hello")
    with open_archive(damaged) as archive, pytest.raises(BackupError, match=r"ledger\.db .* is damaged"):
        check(archive, target, tmp_path / "new")
    for path in (cut, foreign, tmp_path / "none.zip"):
        with pytest.raises(BackupError, match="no backup, or is damaged"), open_archive(path):
            pass
    wrong_hash = changed(whole, tmp_path / "hash.zip", lambda m: m["files"][0].update(sha256="0" * 64))
    with open_archive(wrong_hash) as archive, pytest.raises(BackupError, match="is damaged"):
        check(archive, target, tmp_path / "new")
    assert target.used_tables() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(format=2), "format 2"),
        (lambda m: m.update(revision="9999"), "newer version"),
        (lambda m: m["files"].append({"name": "../../etc/passwd", "size_bytes": 1, "sha256": "0"}), "no backup"),
        (lambda m: m["files"].append({"name": "/etc/passwd", "size_bytes": 1, "sha256": "0"}), "no backup"),
        (lambda m: m["files"].clear(), "no backup"),
        (lambda m: m.update(unknown=1), "no backup"),
    ],
)
def test_what_this_version_cannot_know_is_refused(
    ledger: Ledger, contents: Contents, tmp_path: Path, change: Any, words: str
) -> None:
    whole = made(ledger, contents, tmp_path / "backups").path
    odd = changed(whole, tmp_path / "odd.zip", change)
    with pytest.raises(BackupError, match=words), open_archive(odd) as archive:
        check(archive, empty(tmp_path / "new"), tmp_path / "new")


def test_the_newest_ones_stay_and_what_is_not_ours_is_not_touched(
    ledger: Ledger, contents: Contents, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "holiday.zip").write_bytes(b"mine")
    for day in range(1, 5):
        (folder / f"company-assistant-2026010{day}T000000Z.zip").write_bytes(b"old")
    (folder / ".company-assistant-draft-left").mkdir()
    backup = made(ledger, contents, folder, keep=2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "company-assistant-20260104T000000Z.zip", backup.path.name, "holiday.zip",
    ]  # fmt: skip
    assert len(backup.removed) == 3


def test_a_file_that_is_there_and_a_second_backup_at_once_are_refused(
    ledger: Ledger, contents: Contents, tmp_path: Path
) -> None:
    (tmp_path / "mine.zip").write_bytes(b"mine")
    with pytest.raises(BackupError, match="there already"):
        made(ledger, contents, tmp_path / "mine.zip")
    with (tmp_path / "data/backup.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="Another backup") as caught:
            made(ledger, contents, tmp_path / "other.zip")
    assert not caught.value.permanent
    assert made(ledger, contents, tmp_path / "other.zip").path.is_file()


def test_a_full_disk_leaves_nothing_behind(ledger: Ledger, contents: Contents, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    too_large = Contents(contents.files, contents.settings, contents.data_folder, shutil.disk_usage(folder).total)
    with pytest.raises(BackupError, match="not enough room"):
        made(ledger, too_large, folder)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    try:
        with pytest.raises(BackupError, match="not enough room"):
            made(ledger, contents, folder)
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert ledger.last_entry(Act.BACKED_UP) is None


def test_no_secret_is_in_a_backup(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "ASSISTANT_PROXY_SECRET": "planted-proxy-secret",
        "ASSISTANT_OPENAI_API_KEY": "planted-api-key",
        "ASSISTANT_SIGN_IN__CLIENT_SECRET": "planted-client-secret",
        "ASSISTANT_OLLAMA_URL": "http://someone:planted-password@ollama.example:11434",
        "ASSISTANT_DATA_FOLDER": str(tmp_path / "data"),
        "ASSISTANT_RULES_FILE": str(tmp_path / "none.toml"),
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "data/audit.key").write_bytes(b"planted-audit-key" + os.urandom(15))
    backup = made(ledger, _contents(Settings(_env_file=None)), tmp_path / "backups")  # type: ignore[call-arg]
    with zipfile.ZipFile(backup.path) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    assert [name for name, content in contents.items() if b"planted" in content] == []
    settings = contents["settings.env"].decode()
    assert "# ASSISTANT_PROXY_SECRET was set" in settings
    assert "ASSISTANT_OLLAMA_URL=http://ollama.example:11434" in settings
    assert "modelfiles/company-assistant.Modelfile" in contents


def test_originals_are_compared_by_content(ledger: Ledger, contents: Contents, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("same")
    (folder / "b.md").write_text("other")
    rows = ["folder,path,sha256,bytes"]
    for name, word in (("a.md", "same"), ("b.md", "known"), ("c.md", "gone")):
        digest = subprocess.run(["sha256sum"], input=word.encode(), capture_output=True).stdout.decode().split()[0]
        rows.append(f"{folder},{name},{digest},{len(word)}")
    (tmp_path / "originals.csv").write_text("\n".join(rows) + "\n")
    found = compare_originals(tmp_path)
    assert (found.same, found.changed, found.missing) == (1, ("b.md",), ("c.md",))


def test_questions_are_of_documents_that_lie_apart() -> None:
    found = [(f"d{n}", f"{n:02}.md", f"q{n}-{k}") for n in range(12) for k in range(2)]
    assert [path for _, path, _ in spread(found, 3)] == ["02.md", "06.md", "10.md"]
    assert len(spread(found[:2], 3)) == 1
    assert spread([], 3) == []
