"""Pydantic shapes of the system's state, for administrators: queue, models in memory, what the doctor found."""

from __future__ import annotations

from typing import Literal

from assistant.errors import Language
from assistant.release.examining.finding import Finding, State
from assistant.release.examining.matters import matter_of
from assistant.wire_admin import AdminShape


class LineOut(AdminShape):
    """The line in front of one model: answers under way, questions in line by who asks, what an answer takes on average.

    `breaker` says whether the model is asked at all: closed: yes; open: left alone for some seconds after failures.
    """

    model: str
    parallel: int
    answering: int
    people: int
    apps: int
    background: int
    pace_seconds: float
    breaker: Literal["closed", "half open", "open"]


class RunningModelOut(AdminShape):
    """A model in memory; `vram_bytes` of its `size_bytes` lie on a GPU. `until` is None where it stays loaded."""

    name: str
    num_ctx: int | None
    size_bytes: int
    vram_bytes: int
    until: str | None


class SystemOut(AdminShape):
    """`models` is null where the server does not tell what it has in memory; `models_problem` then says why.

    `release_id` is null as long as nothing was published: then `modelfiles/` answers.
    """

    version: str
    answers: Literal["quotes", "ollama", "openai", "embedded"]
    chat_model: str
    embedder: str | None
    lines: list[LineOut]
    present: int
    most_present: int
    models: list[RunningModelOut] | None
    models_problem: str | None
    release_id: str | None
    release_model: str | None
    published_at: str | None


class FindingOut(AdminShape):
    """One check, as `assistant doctor` prints it: what was seen, why it counts, what to do, and the command for it."""

    name: str
    title: str
    state: State
    seen: str
    why: str
    hint: str
    command: str

    @classmethod
    def from_domain(cls, found: Finding, language: Language) -> FindingOut:
        """The finding in one language."""
        return cls(
            name=found.name,
            title=matter_of(found.name).title.in_language(language),
            state=found.state,
            seen=found.seen.in_language(language),
            why=found.why.in_language(language),
            hint=found.hint.in_language(language),
            command=found.command,
        )


class CheckupOut(AdminShape):
    """The last examination since the server started. `findings`: the worst first; empty until one has ended."""

    state: Literal["never", "running", "done", "failed"]
    by: str
    started_at: str | None
    ended_at: str | None
    problem: str | None
    findings: list[FindingOut]
