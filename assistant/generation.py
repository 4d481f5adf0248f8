"""What a generation is: one build of the indexes with one embedder, and its state. Frozen values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class GenerationState(StrEnum):
    """State of a generation. Beside the active one stands at most one other: being built, ready, or the previous one.

    building -> ready <-> active <-> previous; dropped ones are retired, and gone once their indexes are.
    """

    BUILDING = "building"
    READY = "ready"
    ACTIVE = "active"
    PREVIOUS = "previous"
    RETIRED = "retired"
    GONE = "gone"


@dataclass(frozen=True)
class EmbedderSpec:
    """What is needed to open an embedder again: `kind` is ollama, embedded or openai. Address and key are settings."""

    kind: str
    model: str


@dataclass(frozen=True)
class Generation:
    """One build of the indexes with one embedder; `index_name` is what both indexes call it.

    `fitness` is the share of probe questions of a language (ja, en) that its vectors alone answer from the right
    document, 0 to 1; a language with too few probe questions is missing. `means` are the mean vectors of its languages (see
    languages.py). `embedder` is None in ledgers that were written before it was recorded: the configured one is meant.
    """

    generation_id: str
    embedder_id: str
    dimension: int
    index_name: str
    is_active: bool
    fitness: Mapping[str, float] = field(default_factory=dict)
    means: Mapping[str, str] = field(default_factory=dict)
    embedder: EmbedderSpec | None = None
    state: GenerationState = GenerationState.ACTIVE
    created_at: str = ""

    def as_row(self) -> dict[str, Any]:
        """For JSON; without the vectors."""
        return {name: value for name, value in asdict(self).items() if name != "means"}
