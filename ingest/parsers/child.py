"""The process in which files are parsed: `python -m ingest.parsers.child`, spoken to by ingest/guard.py.

Frames on standard input and the kept standard output: 4 bytes of length, then JSON (not pickle: what a hostile file
can make of this process must not run in the parent). For each file one `parsed` or `refused` frame, and `page` frames
while a scan is read. An error that no parser expects ends the process; the parent calls that PARSER_CRASHED.

Light until the first file: nothing heavy may be imported at the top, or every start would cost seconds.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from assistant.domain import Element, ElementKind, ParsedDocument
from assistant.errors import DocumentError, FailureReason, Text, UnreadableDocument, UnsupportedDocument
from ingest.parsers import ParseLimits, parse_file
from ingest.parsers.offline import forbid_network

OUT_OF_MEMORY_EXIT = 77
_LENGTH = struct.Struct(">I")
_LONGEST_FRAME_BYTES = 512 * 1024 * 1024
_SET_PARENT_DEATH_SIGNAL = 1
_OPEN_FILES = 256
_WRITTEN_FILE_BYTES = 256 * 1024 * 1024
_PROGRAMS = frozenset({"tesseract", "soffice.bin"})
_WRITING_EVENTS = frozenset(
    {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink"}
)
_FOLDER_ARGUMENT = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2}
_NETWORK_EVENTS = frozenset(
    {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
)

Frame = dict[str, Any]


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Sends one frame; raises BrokenPipeError when nobody listens."""
    body = json.dumps(frame, ensure_ascii=False).encode("utf-8", "replace")
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def frame_length(head: bytes) -> int:
    """Length in bytes of the frame that follows its head; raises ValueError when it cannot be one."""
    length = int(_LENGTH.unpack(head)[0])
    if length > _LONGEST_FRAME_BYTES:
        raise ValueError("frame too long")
    return length


def parsed_from(frame: Frame) -> ParsedDocument:
    """The parsed document of a `parsed` frame; raises KeyError, TypeError or ValueError when it is not one."""
    values = dict(frame)
    values["elements"] = tuple(Element(**{**one, "kind": ElementKind(one["kind"])}) for one in frame["elements"])
    return ParsedDocument(**values)


def error_from(frame: Frame) -> DocumentError:
    """The error of a `refused` frame."""
    kind = UnsupportedDocument if frame["is_unsupported"] else UnreadableDocument
    return kind(Text(*frame["message"]), Text(*frame["hint"]), reason=FailureReason(frame["reason"]))


def main() -> None:
    """Serves requests until standard input ends; argument 1 is the parent's process id, 2 the memory limit in bytes."""
    _stay_bound_to(int(sys.argv[1]))
    _limit_resources(int(sys.argv[2]))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    sys.dont_write_bytecode = True
    is_offline = forbid_network()
    sys.addaudithook(_side_effects_refused_outside(os.path.realpath(tempfile.gettempdir())))
    write_frame(replies, {"ready": True, "is_offline": is_offline})
    while (head := sys.stdin.buffer.read(_LENGTH.size)) and len(head) == _LENGTH.size:
        _serve(json.loads(sys.stdin.buffer.read(frame_length(head))), replies)


def _serve(request: Frame, replies: IO[bytes]) -> None:
    _allow_processor_seconds(float(request["processor_seconds"]))

    def report_page(done: int, of: int) -> None:
        write_frame(replies, {"page": [done, of]})

    try:
        parsed = parse_file(
            Path(request["path"]),
            relative_path=request["relative_path"],
            limits=ParseLimits(**request["limits"]),
            on_page=report_page,
        )
        reply: Frame = {"parsed": asdict(parsed)}
    except DocumentError as problem:
        reply = {"refused": _refusal(problem)}
    except ImportError as problem:
        reply = {"broken": f"{problem.name or problem}"}
    except MemoryError:
        os._exit(OUT_OF_MEMORY_EXIT)  # nothing more can be said: there may be no memory left to say it with
    reply["resident_bytes"] = _resident_bytes()
    write_frame(replies, reply)


def _refusal(problem: DocumentError) -> Frame:
    return {
        "is_unsupported": isinstance(problem, UnsupportedDocument),
        "message": [problem.message.ja, problem.message.en],
        "hint": [problem.hint.ja, problem.hint.en],
        "reason": problem.reason.value,
    }


def _stay_bound_to(parent: int) -> None:
    """Dies with the parent, even when that is killed."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _limit_resources(memory_bytes: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, _WRITTEN_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _allow_processor_seconds(seconds: float) -> None:
    """The next file may use this much processor time; beyond it the kernel ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _resident_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _side_effects_refused_outside(scratch: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Second wall, for Python code: no network, no program but tesseract and LibreOffice, no writing outside the scratch folder.

    The scratch folder is found before the hook is set: asking for it opens files, and would ask the hook again.
    """

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK_EVENTS or event == "os.system":
            raise PermissionError(f"{event} is not allowed while parsing")
        if event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6):
            raise PermissionError("network is not allowed while parsing")
        if event == "subprocess.Popen" and os.path.basename(_program(arguments)) not in _PROGRAMS:
            raise PermissionError(f"{_program(arguments)} is not allowed while parsing")
        path = _path_of(event, arguments)
        is_writing = event in _WRITING_EVENTS or (event == "open" and _is_writing(arguments[1], arguments[2]))
        if is_writing and not _is_within(path, scratch):
            raise PermissionError(f"{event} is not allowed while parsing")

    return refuse


def _path_of(event: str, arguments: tuple[Any, ...]) -> object:
    """The path of an event; a name inside an open folder, as shutil.rmtree gives it, with that folder before it."""
    path = arguments[0] if arguments else None
    at = _FOLDER_ARGUMENT.get(event)
    folder = arguments[at] if at is not None and len(arguments) > at else -1
    if isinstance(folder, int) and folder >= 0 and isinstance(path, str | bytes):
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))
    return path


def _program(arguments: tuple[Any, ...]) -> str:
    words = arguments[1]
    return os.fsdecode(words[0] if isinstance(words, list | tuple) and words else arguments[0])


def _is_writing(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _is_within(path: object, folder: str) -> bool:
    if isinstance(path, int):
        return True
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    where = os.path.realpath(os.fsdecode(path))
    return where == os.devnull or where.startswith(folder + os.sep)


if __name__ == "__main__":
    main()
