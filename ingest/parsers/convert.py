"""The one door to LibreOffice: old and OpenDocument office files -> docx, xlsx or pptx, which the other parsers read.

Each file gets a process and a profile of its own (two conversions with one profile fail), no environment, no macros, no
links to elsewhere, and is killed when it takes too long. The process lives inside the parser process' limits and dies
with it. It runs well within them: measured 211 MB resident and 1.5 s a file, the same with 700 MB of address space.
Must not know what is done with the result.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from ingest.parsers import refusals
from ingest.parsers.kinds import Kind

PROGRAM = "soffice.bin"
_TARGETS: dict[Kind, tuple[str, str, Kind]] = {
    Kind.DOC: ("doc", "libswlo.so", Kind.DOCX),
    Kind.RTF: ("rtf", "libswlo.so", Kind.DOCX),
    Kind.ODT: ("odt", "libswlo.so", Kind.DOCX),
    Kind.XLS: ("xls", "libsclo.so", Kind.XLSX),
    Kind.XLSB: ("xlsb", "libsclo.so", Kind.XLSX),
    Kind.ODS: ("ods", "libsclo.so", Kind.XLSX),
    Kind.PPT: ("ppt", "libsdlo.so", Kind.PPTX),
    Kind.ODP: ("odp", "libsdlo.so", Kind.PPTX),
}
_SUFFIXES = {Kind.DOCX: "docx", Kind.XLSX: "xlsx", Kind.PPTX: "pptx"}
_RESTART_EXITS = frozenset({79, 81})  # a new profile is made in a first run, which asks to be started again
_STARTS = 3
_SET_PARENT_DEATH_SIGNAL = 1
_MACROS_NEVER = 3
_ITEM = '<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
_SCRIPTING = "/org.openoffice.Office.Common/Security/Scripting"
_PREFERENCES = (
    (_SCRIPTING, "MacroSecurityLevel", str(_MACROS_NEVER)),
    (_SCRIPTING, "DisableMacrosExecution", "true"),
    (_SCRIPTING, "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "2"),
)


def is_converted(kind: Kind) -> bool:
    """Whether a file of this kind is read through LibreOffice."""
    return kind in _TARGETS


def convert(data: bytes, kind: Kind, *, timeout_seconds: float, output_limit_bytes: int) -> tuple[bytes, Kind]:
    """The same document in its modern format; raises CONVERTER_UNAVAILABLE, TIMEOUT, CORRUPT, PARSER_CRASHED, TOO_LARGE."""
    suffix, library, target = _TARGETS[kind]
    program = _program(library)
    with tempfile.TemporaryDirectory(prefix="office-") as scratch:
        source = Path(scratch, f"source.{suffix}")
        source.write_bytes(data)
        _write_preferences(Path(scratch, "profile", "user"))
        _run(program, source, _SUFFIXES[target], timeout_seconds)
        result = Path(scratch, "out", f"source.{_SUFFIXES[target]}")
        if not result.is_file():
            raise refusals.corrupt(suffix)
        if result.stat().st_size > output_limit_bytes:
            megabytes = f"{output_limit_bytes / (1024 * 1024):g} MB"
            raise refusals.too_large(megabytes, megabytes)
        return result.read_bytes(), target


def _program(library: str) -> Path:
    """The program itself behind the `soffice` script, which needs a whole environment; checks the part for this kind."""
    found = shutil.which("soffice")
    program = Path(found).resolve().with_name(PROGRAM) if found is not None else None
    if program is None or not program.is_file() or not program.with_name(library).is_file():
        raise refusals.converter_unavailable()
    return program


def _write_preferences(folder: Path) -> None:
    folder.mkdir(parents=True)
    items = "".join(_ITEM.format(path=path, name=name, value=value) for path, name, value in _PREFERENCES)
    (folder / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>',
        encoding="utf-8",
    )


def _run(program: Path, source: Path, target: str, timeout_seconds: float) -> None:
    """Runs until the program is done; raises TIMEOUT or PARSER_CRASHED. A file that it refuses just leaves no result."""
    scratch = source.parent
    command = [str(program), "--headless", "--invisible", "--norestore", "--nologo", "--nodefault", "--nolockcheck"]
    command += [f"-env:UserInstallation={(scratch / 'profile').as_uri()}", "--convert-to", target]
    command += ["--outdir", str(scratch / "out"), str(source)]
    for _ in range(_STARTS):
        process = subprocess.Popen(  # noqa: S603 - a fixed program and our own file names, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env={"HOME": str(scratch), "TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - the parser process has one thread
        )
        try:
            status = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired as problem:
            raise refusals.too_slow(timeout_seconds) from problem
        finally:
            _kill_group(process)
        if status == -signal.SIGXCPU:
            raise refusals.too_slow(timeout_seconds)
        if status < 0:
            raise refusals.crashed()
        if status not in _RESTART_EXITS:
            return


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the program and whatever it started, even after it ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
