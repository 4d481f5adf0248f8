"""How long a plan will take, from the pace of earlier runs in the ledger. Says that it does not know rather than guessing.

bytes to read -> chunks, by the documents of the same ending (of all documents for a new ending)
chunks        -> seconds, by what the latest runs took for theirs, from the first file to the last proof
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.adapters.ledger.pace import Pace, ending_of
from ingest.plan import Plan

LEAST_CHUNKS = 20
"""Fewer chunks say nothing of a run's pace: starting it would be most of its time."""


@dataclass(frozen=True)
class Estimate:
    """What is to be read. `chunks` and `seconds` are None while the ledger knows no pace; `runs` says from how many it is."""

    files: int
    bytes: int
    chunks: int | None
    seconds: float | None
    seconds_per_chunk: float | None
    runs: int


def estimate(plan: Plan, pace: Pace) -> Estimate:
    """Files, bytes, chunks and seconds of the plan's work."""
    files, size, expected = 0, 0, 0.0
    for work in plan.work:
        files += 1
        size += work.source.size_bytes
        expected += work.source.size_bytes * _chunks_per_byte(work.source.path, pace)
    knows_chunks = bool(pace.read) or not files
    knows_pace = pace.run_chunks >= LEAST_CHUNKS
    seconds_per_chunk = pace.run_seconds / pace.run_chunks if knows_pace else None
    chunks = max(round(expected), files) if knows_chunks else None
    seconds = None
    if not files:
        seconds = 0.0
    elif chunks is not None and seconds_per_chunk is not None:
        seconds = round(chunks * seconds_per_chunk, 1)
    return Estimate(files, size, chunks, seconds, seconds_per_chunk, pace.runs if knows_pace else 0)


def _chunks_per_byte(path: str, pace: Pace) -> float:
    """Of the documents with the same ending, else of all."""
    same = pace.read.get(ending_of(path))
    size, chunks = (
        same if same is not None else (sum(s for s, _ in pace.read.values()), sum(c for _, c in pace.read.values()))
    )
    return chunks / size if size else 0.0
