"""How this process takes memory from the system. Must not know what it is used for.

glibc gives each thread that allocates an arena of its own and hands little of it back. Reading, embedding, writing and tantivy's
threads together held 305 MB after 600 MB of files with as many arenas as threads, and 207 MB with two, at the same speed
(docs/lab-notes.md, 2026-11-26).
"""

from __future__ import annotations

import ctypes

ARENAS = 2
_M_ARENA_MAX = -8  # malloc.h of glibc


def share_arenas(library: ctypes.CDLL | None = None) -> bool:
    """Lets all threads share `ARENAS` arenas; whether the C library knows such a thing (musl does not).

    For the beginning of a process: threads that run already keep theirs.
    """
    mallopt = getattr(library or ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, ARENAS))
