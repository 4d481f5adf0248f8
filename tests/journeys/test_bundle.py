"""The bundle for a machine without a network: what is in it, when it refuses, and the whole of it where no route leads out."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.adapters.model_files import QWEN_CODER_0_5B
from scripts import write_bundle

ROOT = write_bundle.ROOT
RULE = "# 休暇規程\n\n年次有給休暇は、取得日の3営業日前までに所属長へ申請する。\n"
CUT_OFF = """set -euo pipefail
ip link set lo up
if ip route get 203.0.113.1 2>/dev/null; then echo "there is a way out" >&2; exit 9; fi
"$BUNDLE/install" "$TARGET"
cd "$TARGET"
.venv/bin/assistant up --only chroma > "$TARGET.log" 2>&1 &
stack=$!
.venv/bin/ingest run --folder "$DOCUMENTS" >&2
.venv/bin/assistant ask "年次有給休暇は取得日の何営業日前までに申請しますか?" --json > "$ANSWER"
.venv/bin/assistant doctor --json > "$FINDINGS" || true
kill "$stack"; wait "$stack" || true
"""


def small_bundle(folder: Path, **made_for: str) -> Path:
    """A bundle of one file, sealed like a whole one."""
    folder.mkdir()
    with tarfile.open(folder / "repository.tar.gz", "w:gz") as archive:
        archive.add(ROOT / "README.md", "README.md")
    write_bundle.write_install(folder, commit="0" * 40)
    for name, value in made_for.items():
        text = (folder / "made-for").read_text(encoding="utf-8")
        lines = [
            f"made_for_{name}={value}" if line.startswith(f"made_for_{name}=") else line for line in text.splitlines()
        ]
        (folder / "made-for").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert write_bundle.write_sums(folder) == 3
    return folder


def install(bundle: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Runs the bundle's own script with this Python."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(target.parent), "PYTHON": sys.executable}
    return subprocess.run([bundle / "install", target], env=environment, capture_output=True, text=True)


def test_a_file_that_is_not_as_it_was_made_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    with (bundle / "repository.tar.gz").open("ab") as file:
        file.write(b"x")

    done = install(bundle, tmp_path / "there")

    assert done.returncode == 1
    assert "repository.tar.gz" in done.stderr
    assert "何も入れていません" in done.stderr
    assert not (tmp_path / "there").exists()


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").touch()
    done = install(small_bundle(tmp_path / "bundle"), tmp_path / "there")
    assert done.returncode == 1
    assert os.listdir(tmp_path / "there") == ["mine"]


def test_a_machine_of_another_kind_is_told_which_one_the_bundle_is_for(tmp_path: Path) -> None:
    done = install(small_bundle(tmp_path / "bundle", machine="z80"), tmp_path / "there")
    assert done.returncode == 1
    assert f"on z80; here is Python {platform.python_version()} on {platform.machine()}" in done.stderr
    assert not (tmp_path / "there").exists()


def test_the_images_are_those_of_the_compose_files_and_of_the_builds() -> None:
    images = write_bundle.images()
    assert len(images) == len(set(images))
    for name in ("nginx:", "python:", "ollama/ollama:", "vllm/vllm-openai:"):
        assert sum(image.startswith(name) for image in images) == 1, name
    assert not any(image.startswith("company-assistant-") for image in images)


def test_only_models_with_the_right_content_are_taken_along(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    content = b"GGUF of the test"
    (tmp_path / QWEN_CODER_0_5B.file_name).write_bytes(content)
    with pytest.raises(ValueError, match=QWEN_CODER_0_5B.file_name):
        write_bundle.write_models(tmp_path / "bundle", [QWEN_CODER_0_5B], cache=tmp_path)
    known = replace(QWEN_CODER_0_5B, sha256=write_bundle.digest_of(tmp_path / QWEN_CODER_0_5B.file_name))
    assert write_bundle.write_models(tmp_path / "bundle", [known], cache=tmp_path) == [known.file_name]
    assert (tmp_path / "bundle" / "models" / known.file_name).read_bytes() == content


def test_neither_the_script_nor_what_it_reads_holds_an_address(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "bundle")
    for name in ("install", "made-for", "SHA256SUMS"):
        assert "://" not in (bundle / name).read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_machine_without_any_route_installs_the_bundle_and_answers(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not (ROOT / ".git").exists():
        pytest.skip("a network namespace needs root, and the bundle holds what git has committed")
    bundle, documents = tmp_path / "bundle", tmp_path / "documents"
    write_bundle.write_bundle(bundle, has_models=False)
    documents.mkdir()
    (documents / "休暇規程.md").write_text(RULE, encoding="utf-8")
    paths = {"BUNDLE": bundle, "TARGET": tmp_path / "there", "DOCUMENTS": documents}
    results = {"ANSWER": tmp_path / "answer.json", "FINDINGS": tmp_path / "findings.json"}
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "PYTHON": sys.executable,
        "ASSISTANT_EMBEDDER": "embedded", "ASSISTANT_ANSWERS": "quotes",
    }  # fmt: skip
    environment |= {name: str(path) for name, path in (paths | results).items()}

    done = subprocess.run(["unshare", "-n", "bash", "-c", CUT_OFF], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(results["ANSWER"].read_text(encoding="utf-8"))
    assert answer["mode"] == "quotes"
    assert "3営業日前" in answer["answer"]
    states = {found["name"]: found["state"] for found in json.loads(results["FINDINGS"].read_text(encoding="utf-8"))}
    assert {states[name] for name in ("ledger", "vectors", "embedder")} == {"ok"}
    assert (tmp_path / "there" / "scripts" / "bundle" / "install").exists()
