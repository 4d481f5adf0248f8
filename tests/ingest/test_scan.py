from __future__ import annotations

import hashlib
import os
import socket
import stat
import time
from pathlib import Path

import pytest

from assistant.errors import FolderMissing
from ingest.scan import scan_folder, sha256_of


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")


def test_files_are_found_in_all_folders_and_sorted_by_path(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "人事/休暇規程.docx", "a/z.txt", "a/b/c.pdf")
    result = scan_folder(tmp_path, folder="handbook")
    assert [file.path for file in result.files] == ["a/b/c.pdf", "a/z.txt", "b.md", "人事/休暇規程.docx"]
    assert {file.folder for file in result.files} == {"handbook"}
    assert (result.files[0].size_bytes, result.skipped) == (1, [])
    assert result.files[0].modified_ns == (tmp_path / "a/b/c.pdf").stat().st_mtime_ns


def test_what_is_no_document_is_left_out_by_a_named_rule(tmp_path: Path) -> None:
    write(
        tmp_path,
        "keep.md",
        "~$keep.docx",
        ".DS_Store",
        "Thumbs.db",
        ".hidden.md",
        "x.tmp",
        "y.part",
        ".git/config",
        "n.MD",
    )
    os.mkfifo(tmp_path / "pipe.txt")
    result = scan_folder(tmp_path, folder="f")
    assert [file.path for file in result.files] == ["keep.md", "n.MD"]
    assert dict(result.skipped) == {
        "~$keep.docx": "office_lock",
        ".DS_Store": "system_file",
        "Thumbs.db": "system_file",
        ".hidden.md": "hidden",
        "x.tmp": "unfinished",
        "y.part": "unfinished",
        ".git": "hidden",
        "pipe.txt": "not_regular",
    }


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    write(outside, "secret.md")
    write(root, "a.md")
    (root / "folder").symlink_to(outside)
    (root / "file.md").symlink_to(outside / "secret.md")
    (root / "loop").symlink_to(root)
    result = scan_folder(root, folder="f")
    assert [file.path for file in result.files] == ["a.md"]
    assert [rule for _, rule in result.skipped] == ["symlink"] * 3


def test_names_that_are_not_utf8_are_left_out_and_can_be_shown(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\x83e\x83X\x83g.txt", "wb"):
        pass
    result = scan_folder(tmp_path, folder="f")
    assert result.files == []
    ((name, rule),) = result.skipped
    assert rule == "not_utf8"
    name.encode("utf-8")


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "file.md")
    for missing in (tmp_path / "nowhere", tmp_path / "file.md"):
        with pytest.raises(FolderMissing) as caught:
            scan_folder(missing, folder="f")
        assert str(missing) in caught.value.message.en
        assert "ASSISTANT_DOCUMENTS_FOLDER" in caught.value.hint.ja


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "closed/b.md")
    (tmp_path / "closed").chmod(0)
    try:
        assert scan_folder(tmp_path, folder="f").skipped == [("closed", "unreadable")]
    finally:
        (tmp_path / "closed").chmod(0o755)


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a.bin").write_bytes(content)
    assert sha256_of(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()


def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    monkeypatch.chdir(tmp_path)  # the path of a socket may have no more than 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.md")
        result = scan_folder(tmp_path, folder="f")
    assert [file.path for file in result.files] == ["a.md"]
    assert result.skipped == [("pipe.md", "not_regular"), ("socket.md", "not_regular")]


def test_a_device_is_no_document(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null.md", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this user may make no devices")
    assert scan_folder(tmp_path, folder="f").skipped == [("null.md", "not_regular")]


def test_links_that_lead_in_a_circle_end_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a/b/c.md")
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "dangling.md").symlink_to("nowhere.md")
    result = scan_folder(tmp_path, folder="f")
    assert [file.path for file in result.files] == ["a/b/c.md"]
    assert [path for path, rule in result.skipped if rule == "symlink"] == ["a/b/up", "dangling.md", "self"]


def test_files_that_changed_just_now_are_settling(tmp_path: Path) -> None:
    write(tmp_path, "copied.md", "old.md", "ahead.md")
    now = time.time()
    os.utime(tmp_path / "copied.md", (now - 86_400, now - 86_400))  # as `cp -p` leaves it: only its state is new
    result = scan_folder(tmp_path, folder="f", settle_seconds=60)
    assert sorted(file.path for file in result.settling) == ["ahead.md", "copied.md", "old.md"]
    assert result.files == []
    time.sleep(0.3)
    os.utime(tmp_path / "ahead.md", (now + 86_400, now + 86_400))  # written by a clock a day ahead
    time.sleep(0.3)
    result = scan_folder(tmp_path, folder="f", settle_seconds=0.2)
    assert ([file.path for file in result.files], result.settling) == (["ahead.md", "copied.md", "old.md"], [])
