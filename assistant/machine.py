"""What the doctor needs of a machine, as one small port: programs, files, addresses, sockets, the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class Ran:
    """What a program said. `status` None: it did not end in time."""

    status: int | None
    out: str = ""
    err: str = ""

    @property
    def words(self) -> str:
        """Its first line that says something, of either stream."""
        lines = (line.strip() for line in f"{self.err}\n{self.out}".splitlines())
        return next((line for line in lines if line), "")[:300]


@dataclass(frozen=True)
class Reply:
    """What came back from an address: an object, or why there is none."""

    trouble: Literal["", "refused", "slow", "unknown_host", "odd"]
    status: int = 0
    body: Any = None


@dataclass(frozen=True)
class Listening:
    """A socket that waits for connections."""

    address: str
    port: int

    @property
    def is_open(self) -> bool:
        """Whether others than this machine reach it."""
        return not (self.address.startswith("127.") or self.address == "::1")


class Machine(Protocol):
    """Looks; changes nothing. No method raises: what cannot be seen is None."""

    def run(self, *command: str) -> Ran | None:
        """What a program said; None where there is no such program."""
        ...

    def read(self, path: Path) -> bytes | None:
        """A file's content; None where it cannot be read."""
        ...

    def read_all(self, pattern: str) -> list[str]:
        """Content of each file that matches, e.g. `/sys/bus/pci/devices/*/vendor`."""
        ...

    def mode_of(self, path: Path) -> int | None:
        """Permission bits; None where there is no such file."""
        ...

    def newest(self, pattern: str) -> datetime | None:
        """When the newest file that matches was changed; None where none does."""
        ...

    def ask(self, url: str, body: Any = None) -> Reply:
        """GET, or POST with a body; the answer's JSON, or its text."""
        ...

    def listening(self) -> list[Listening] | None:
        """Sockets that listen, of all programs; None where that cannot be seen."""
        ...

    def free_bytes(self, folder: Path) -> int | None:
        """Free disk space; None where there is no such folder."""
        ...

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...
