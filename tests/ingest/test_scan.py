from __future__ import annotations

import hashlib
import os
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
