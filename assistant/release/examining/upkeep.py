"""Free disk space, the clock, the age of the last backup, the program that reads scans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from assistant.errors import Text
from assistant.machine import Ran
from assistant.release.examining.finding import Finding, ok, plain, unchecked

LEAST_FREE_BYTES = 2 << 30
"""Below this an ingestion of a few thousand documents may fill the disk (3.2 kilobytes a chunk in Chroma, as much in the ledger)."""
BACKUP_WARN = timedelta(hours=49)
"""A nightly backup that was missed once."""
BACKUP_FAIL = timedelta(days=14)
CLOCK_SLACK = timedelta(minutes=2)
_SYNCHRONISE = "sudo timedatectl set-ntp true"


def disk(free: Mapping[Path, int | None]) -> Finding:
    """Free bytes by folder; None where it cannot be seen."""
    known = {folder: count for folder, count in free.items() if count is not None}
    if not known:
        return unchecked("disk", Text(ja="フォルダーがまだありません。", en="The folder is not there yet."))
    seen = plain(", ".join(f"{count / (1 << 30):.1f} GiB free in {folder}" for folder, count in known.items()))
    least = min(known, key=lambda folder: known[folder])
    if known[least] < LEAST_FREE_BYTES:
        return Finding(
            "disk", "fail", seen,
            Text(ja="不要なファイルを消すか、ディスクを増やしてください。", en="Free some space or add a disk."),
            f"du -xh --max-depth=2 {least} | sort -h | tail",
        )  # fmt: skip
    return ok("disk", seen)


def clock(timedatectl: Ran | None, newest: str, now: datetime) -> Finding:
    """`timedatectl` as `show -p NTPSynchronized`; `newest` is the latest time in the ledger (ISO 8601), empty: none."""
    if newest:
        ahead = datetime.fromisoformat(newest) - now
        if ahead > CLOCK_SLACK:
            return Finding(
                "clock", "fail",
                Text(
                    ja=f"台帳には今より後の時刻があります({newest[:16]}Z、今は {now:%Y-%m-%dT%H:%M}Z)。",
                    en=f"The ledger holds a time later than now ({newest[:16]}Z, and it is {now:%Y-%m-%dT%H:%M}Z).",
                ),
                Text(ja="時計が戻っています。合わせてください。", en="The clock went back: set it right."),
                _SYNCHRONISE,
            )  # fmt: skip
    if timedatectl is None or timedatectl.status != 0:
        if not newest:
            return unchecked("clock", Text(ja="比べるものがありません。", en="There is nothing to compare it with."))
        return ok("clock", Text(ja="台帳の時刻より後です。", en="It is later than all that the ledger holds."))
    if "NTPSynchronized=no" in timedatectl.out:
        return Finding(
            "clock", "warn", plain(timedatectl.out.strip()),
            Text(ja="時刻合わせが動いていません。", en="Nothing keeps it right."), _SYNCHRONISE,
        )  # fmt: skip
    return ok("clock", plain(timedatectl.out.strip()))


def backup(made_at: str, *, place: str, documents: int, now: datetime) -> Finding:
    """`made_at` (ISO 8601) and `place` of the last backup that the audit knows; empty: none."""
    command = "assistant backup /srv/backups"
    if not made_at:
        if not documents:
            return unchecked("backup", Text(ja="まだ何も取り込まれていません。", en="Nothing is ingested yet."))
        return Finding(
            "backup", "warn", Text(ja="一度も取られていません。", en="None was ever made."),
            Text(ja="取り、毎晩取るようにしてください。", en="Make one, and one every night."), command,
        )  # fmt: skip
    age = now - datetime.fromisoformat(made_at)
    hours = int(age.total_seconds() // 3600)
    seen = Text(ja=f"{hours} 時間前、{place}", en=f"{hours} hours old, {place}")
    if age > BACKUP_WARN:
        hint = Text(ja="毎晩の実行を確かめてください。", en="See why the nightly one was not made.")
        return Finding("backup", "fail" if age > BACKUP_FAIL else "warn", seen, hint, command)
    return ok("backup", seen)


def ocr(tesseract: Ran | None) -> Finding:
    """`tesseract` as it lists its languages."""
    install = "sudo apt-get install tesseract-ocr tesseract-ocr-jpn"
    if tesseract is not None and tesseract.status is None:
        return unchecked("ocr", Text(ja="tesseract が応答しません。", en="tesseract does not come back."))
    if tesseract is None or tesseract.status != 0:
        return Finding(
            "ocr", "warn", Text(ja="tesseract がありません。", en="tesseract is not installed."),
            Text(ja="入れてください。", en="Install it."), install,
        )  # fmt: skip
    languages = tesseract.out.splitlines()[1:]  # the first line says where they lie
    if "jpn" not in languages:
        return Finding(
            "ocr", "warn", Text(ja="tesseract に日本語がありません。", en="tesseract has no Japanese."),
            Text(ja="入れてください。", en="Install it."), install,
        )  # fmt: skip
    return ok("ocr", plain("tesseract: " + ", ".join(languages[:12])))
