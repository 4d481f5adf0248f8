"""No network for this process and all that it starts, held by the kernel: a seccomp filter that refuses the sockets.

The audit hook of the parser process holds for Python code only; pdfium, tesseract and LibreOffice are not Python. The
filter needs no rights, works inside containers, and cannot be taken off again. Sockets of this machine's own (AF_UNIX)
stay, as LibreOffice starts with one. Must not know files.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_SET_NO_NEW_PRIVILEGES = 38
_SET_SECCOMP = 22
_FILTER_MODE = 2
_ALLOWED_FAMILY = 1  # AF_UNIX

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EACCES
_CALL_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # in the kernel's seccomp_data

_OTHER_NUMBERING = 0x40000000  # the x32 calls of x86_64; no other call has so high a number
_IO_URING_SETUP = 425  # the same everywhere; a ring can open sockets without calling socket(2)
_KNOWN = {  # machine: (its audit architecture, its number of socket(2)); linux/audit.h, asm/unistd.h
    "x86_64": (0xC000003E, 41),
    "aarch64": (0xC00000B7, 198),
}
_INSTRUCTION = struct.Struct("HBBI")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid_network() -> bool:
    """Whether the kernel now refuses every socket but AF_UNIX; False on a machine or kernel that has no such filter."""
    known = _KNOWN.get(platform.machine())
    if known is None:
        return False
    instructions = _filter(*known)
    program = _Program(len(instructions) // _INSTRUCTION.size, instructions)
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(kernel.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0) == 0)


def _filter(architecture: int, socket_call: int) -> bytes:
    """Calls of another architecture are refused whole: their numbers mean something else."""
    steps = (
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 0, 7, architecture),
        (_LOAD, 0, 0, _CALL_NUMBER_AT),
        (_IF_AT_LEAST, 5, 0, _OTHER_NUMBERING),
        (_IF_EQUAL, 4, 0, _IO_URING_SETUP),
        (_IF_EQUAL, 0, 2, socket_call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_IF_EQUAL, 0, 1, _ALLOWED_FAMILY),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    return b"".join(_INSTRUCTION.pack(*step) for step in steps)
