"""A deployment out of a backup, on a machine where none is: nothing is written before everything is known to be well.

    manifest -> version -> checksums -> target empty? -> room? -> rows in one transaction -> files -> (indexes, questions)

Killed before the transaction's end, the target is as empty as before; after it, `ingest mend` goes on.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.engine import known_revisions
from assistant.audit import Act, AuditEntry
from assistant.backup.archive import LEDGER, Archive
from assistant.backup.making import ORIGINALS, SETTINGS, expect_room
from assistant.errors import BackupError, Text

KEPT_FOLDER = "restored"
ROOM_TIMES = 4
"""The copy, the ledger with its log of changes, and both indexes."""


@dataclass(frozen=True)
class Restored:
    """What came in. `placed` are files that were not there, `kept` those that were and stayed as they are; the backup's
    own lie in `folder`."""

    rows: int
    folder: Path
    placed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Originals:
    """How many originals are where the ledger says, with the same content; names of some that are not."""

    same: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]


def check(archive: Archive, ledger: Ledger, data_folder: Path) -> None:
    """Everything that can be known beforehand. Raises BackupError, and nothing was changed then."""
    _expect_known(archive)
    archive.verify()
    if used := ledger.used_tables():
        raise BackupError(
            Text(
                ja=f"戻す先の台帳は空ではありません({', '.join(used)})。",
                en=f"The ledger to restore into is not empty ({', '.join(used)}).",
            ),
            Text(
                ja="新しい ASSISTANT_DATA_FOLDER(または空のデータベース)を指定してください。今あるものは変更していません。",
                en="Name a new ASSISTANT_DATA_FOLDER (or an empty database). What is there was not changed.",
            ),
        )
    expect_room(data_folder, ROOM_TIMES * archive.manifest.ledger.size_bytes)


def _expect_known(archive: Archive) -> None:
    if archive.manifest.revision not in known_revisions():
        raise BackupError(
            Text(
                ja=f"このバックアップは新しい版のものです(台帳 {archive.manifest.revision}、この版は {known_revisions()[0]} まで)。",
                en=f"A newer version made this backup (ledger {archive.manifest.revision}; this one knows {known_revisions()[0]}).",
            ),
            Text(ja="製品を新しくしてから戻してください。", en="Update the product, then restore."),
        )


def restore(archive: Archive, ledger: Ledger, data_folder: Path, *, places: Mapping[str, Path], by: str) -> Restored:
    """Brings the ledger in and puts files to their places; call `check` first. Raises BackupError, StoreUnavailable.

    `places`: where a file of the archive goes, by its name or by its first folder.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data_folder) as draft:
            archive.extract(LEDGER, Path(draft) / LEDGER)
            rows = ledger.fill_from(Path(draft) / LEDGER)
        folder = data_folder / KEPT_FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        placed, kept = _put_files(archive, folder, places)
    except OSError as error:
        raise BackupError(
            Text(
                ja=f"{error.filename or data_folder} に書けません({error.strerror})。",
                en=f"{error.filename or data_folder} cannot be written ({error.strerror}).",
            ),
            Text(
                ja="空きと権限を確かめてください。台帳は空のままか、全部入っているかのどちらかです。",
                en="Check room and permissions. The ledger is either still empty or whole.",
            ),
        ) from error
    details = {"made_at": archive.manifest.made_at, "rows": rows}
    ledger.record(AuditEntry(Act.RESTORED, by, subject=str(archive.path), details=details))
    return Restored(rows, folder, tuple(placed), tuple(kept))


def _put_files(archive: Archive, folder: Path, places: Mapping[str, Path]) -> tuple[list[str], list[str]]:
    """All into the folder, and those whose place is free to their place as well."""
    placed, kept = [], []
    for entry in archive.manifest.files:
        if entry.name == LEDGER:
            continue
        own = folder / entry.name
        own.parent.mkdir(parents=True, exist_ok=True)
        archive.extract(entry.name, own)
        place = _place_of(entry.name, places)
        if place is None:
            continue
        if place.exists():
            if hashlib.sha256(place.read_bytes()).hexdigest() != entry.sha256:
                kept.append(str(place))
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(own, place)
        placed.append(str(place))
    return placed, kept


def _place_of(name: str, places: Mapping[str, Path]) -> Path | None:
    first, _, rest = name.partition("/")
    if name in (ORIGINALS, SETTINGS) or first not in places:
        return None
    return places[first] / rest if rest else places[first]


def compare_originals(folder: Path) -> Originals:
    """Looks for every original where it was, and compares sizes, then hashes."""
    with (folder / ORIGINALS).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.DictReader(file))
    same, changed, missing = 0, [], []
    for row in rows:
        path = Path(row["folder"]) / row["path"]
        if not path.is_file():
            missing.append(row["path"])
        elif path.stat().st_size != int(row["bytes"]) or _sha256_of(path) != row["sha256"]:
            changed.append(row["path"])
        else:
            same += 1
    return Originals(same, tuple(changed), tuple(missing))


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def spread(found: Sequence[tuple[str, str, str]], count: int) -> list[tuple[str, str, str]]:
    """(document id, path, question) each: `count` of them, of documents as far apart as the order allows."""
    by_document = list({document_id: (document_id, path, asked) for document_id, path, asked in found}.values())
    by_document.sort(key=lambda entry: entry[1])
    count = min(count, len(by_document))
    return [by_document[(2 * number + 1) * len(by_document) // (2 * count)] for number in range(count)]
