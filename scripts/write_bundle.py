"""`make bundle`: one folder with everything that a machine without a network needs, each file with its checksum.

    repository.tar.gz   the committed state of this repository
    wheels/             every pinned package for this machine's Python and processor, each checked against its hash
    models/             model files that this machine has and the product knows, each checked against its hash
    images.txt          container images that the compose files and the Dockerfile name
    debian.txt          Debian packages that ingestion and tests use
    install             installs all of it, without a network
    SHA256SUMS          of everything else

Packages come from the index that pip is set to; its address is written nowhere. Must not be run by the product.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from assistant.adapters.model_files import MODEL_FILES, ModelFile

ROOT = Path(__file__).resolve().parents[1]
INSTALL = ROOT / "scripts" / "bundle" / "install"
PINS = ("requirements-uv.txt", "requirements.txt")
SUMS = "SHA256SUMS"
IMAGE = re.compile(r"^\s*image:\s*([\w./-]+:[\w.-]+)\s*$|^ARG \w+_IMAGE=(\S+)$", re.MULTILINE)
OURS = "company-assistant-"


def images() -> list[str]:
    """Names of all images that are pulled: those of the compose files that are not built here, and the builds' bases."""
    texts = [
        path.read_text(encoding="utf-8") for path in [*sorted(ROOT.glob("docker-compose*.yml")), ROOT / "Dockerfile"]
    ]
    found = {first or second for text in texts for first, second in IMAGE.findall(text)}
    return sorted(name for name in found if not name.startswith(OURS))


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_repository(folder: Path) -> str:
    """Writes the committed state; the commit. Raises CalledProcessError where git cannot."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    target = folder / "repository.tar.gz"
    subprocess.run([*git, "archive", "--format=tar.gz", f"--output={target}", commit], check=True)
    return commit


def write_wheels(folder: Path) -> None:
    """Fetches each pinned package, checked against its hash. Raises CalledProcessError with pip's words on stderr."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for pins in PINS:
        command = [*pip, "--no-deps", "--dest", str(folder / "wheels"), "-r", str(ROOT / pins)]
        subprocess.run(command, check=True)


def write_models(folder: Path, known: Iterable[ModelFile], *, cache: Path) -> list[str]:
    """Copies the models of the cache; their names. Raises ValueError for a file that is not what its name says."""
    copied = []
    for model in known:
        source = cache / model.file_name
        if not source.is_file():
            continue
        if digest_of(source) != model.sha256:
            raise ValueError(f"{source} is not {model.file_name}: another hash")
        (folder / "models").mkdir(exist_ok=True)
        shutil.copyfile(source, folder / "models" / model.file_name)
        copied.append(model.file_name)
    return copied


def write_install(folder: Path, *, commit: str) -> None:
    """Writes the script and what the bundle was made for."""
    shutil.copy(INSTALL, folder / "install")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = {"python": version, "machine": platform.machine(), "commit": commit}
    (folder / "made-for").write_text("".join(f"made_for_{name}={value}\n" for name, value in lines.items()), "utf-8")


def write_sums(folder: Path) -> int:
    """Writes the checksums of all files; how many."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{digest_of(path)}  {path.relative_to(folder)}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return len(files)


def write_bundle(folder: Path, *, has_models: bool) -> int:
    """Writes the whole bundle; bytes. Raises FileExistsError for a folder with something in it."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    commit = write_repository(folder)
    write_wheels(folder)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "company-assistant" / "models"
    models = write_models(folder, MODEL_FILES.values() if has_models else (), cache=cache)
    (folder / "images.txt").write_text("\n".join(images()) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "scripts" / "apt-packages.txt", folder / "debian.txt")
    write_install(folder, commit=commit)
    count = write_sums(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {count} files, {size / (1 << 20):,.0f} MiB, models: {', '.join(models) or 'none'}")
    print(f"There: {folder.name}/install FOLDER")
    return size


def main() -> int:
    """0 when the bundle is written; 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(description="Writes a bundle for a machine without a network.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without-models", action="store_true")
    given = parser.parse_args()
    try:
        write_bundle(given.folder, has_models=not given.without_models)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"No bundle: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
