"""What a principal can find, as the ledger says it; see docs/decisions/0013. Frozen values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Reach:
    """What a principal can find now: live versions that it may read, by id with their number of chunks.

    `chunks` is the sum; `all_chunks` counts what answers may come from for anybody.
    """

    versions: Mapping[str, int]
    chunks: int
    all_chunks: int

    @property
    def share(self) -> float:
        """Part of all chunks that is in reach, 0 to 1."""
        return min(1.0, self.chunks / self.all_chunks) if self.all_chunks else 0.0

    def holds(self, chunk_id: str) -> bool:
        """Whether the chunk belongs to a version in reach."""
        return version_of(chunk_id) in self.versions


def version_of(chunk_id: str) -> str:
    """The version's id, which a chunk's id begins with."""
    return chunk_id.partition(":")[0]
