"""What answering used, in numbers: frozen values, and what counts as these days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class DayOfTimes:
    """Seconds of one day (UTC): to the first token, and in line before the model; None where none was kept."""

    day: str
    questions: int
    first_token_p50: float | None
    first_token_p95: float | None
    wait_p50: float | None
    wait_p95: float | None


@dataclass(frozen=True)
class Consumption:
    """Tokens, seconds that answers held the model one after another, days with the newest first, and the most cited folders
    and most asking people with their counts."""

    askers: int
    prompt_tokens: int
    answer_tokens: int
    busy_seconds: float
    days: tuple[DayOfTimes, ...]
    folders: tuple[tuple[str, int], ...]
    people: tuple[tuple[str, int], ...]


def percentile(values: Sequence[float], share: float) -> float | None:
    """The least value that at least `share` (above 0, up to 1) of the values do not exceed; None for no value."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


def since_day(days: int) -> str:
    """The first of so many days, today included, in UTC: what the ledger's questions of "these days" begin with."""
    return (datetime.now(UTC) - timedelta(days=days - 1)).date().isoformat()
