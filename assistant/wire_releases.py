"""Pydantic shapes of releases, for administrators."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from assistant.wire_admin import AdminShape
from assistant.wire_words import Identifier, PlainLine

SystemText = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
"""SYSTEM: lines of text, without control characters."""


def _number(value: object) -> object:
    """The value, unless it is a word or true or false, which are no numbers in JSON though Python takes them for some."""
    if isinstance(value, bool | str):
        raise ValueError("a number is expected")  # noqa: TRY004 - pydantic takes no TypeError
    return value


def _choice(value: object) -> object:
    if value is not None and not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


A_NUMBER = BeforeValidator(_number)
Choice = Annotated[bool, BeforeValidator(_choice)]


class DraftIn(AdminShape):
    """What is to be another than in `base` (a release), or in the published one; a body without a change drafts modelfiles/."""

    base: Identifier | None = None
    system: SystemText | None = None
    num_ctx: Annotated[int, Field(ge=4, le=1_048_576), A_NUMBER] | None = None
    temperature: Annotated[float, Field(ge=0, le=2), A_NUMBER] | None = None
    top_k: Annotated[int, Field(ge=0, le=100_000), A_NUMBER] | None = None
    passages: Annotated[int, Field(ge=1, le=50), A_NUMBER] | None = None
    meaning: Annotated[float, Field(ge=0, le=4), A_NUMBER] | None = None
    words: Annotated[float, Field(ge=0, le=4), A_NUMBER] | None = None
    asks_first: Choice | None = None
    refuses_from_ja: Annotated[float, Field(ge=0.01, le=1), A_NUMBER] | None = None
    refuses_from_en: Annotated[float, Field(ge=0.01, le=1), A_NUMBER] | None = None
    why: PlainLine = ""


class ReasonIn(AdminShape):
    """Why, for the history."""

    why: PlainLine = ""


class CanaryIn(AdminShape):
    """The release that gets `percent` of the conversations; 0 ends it."""

    release_id: Identifier
    percent: Annotated[int, Field(ge=0, le=100), A_NUMBER]


class StandingOut(AdminShape):
    """Which release answers; `revision` grows with every change."""

    revision: int
    release_id: str | None
    former_id: str | None
    canary_id: str | None
    canary_percent: int
    canary_since: str


class ReleaseOut(AdminShape):
    """One release. `model` is its name on the model server, once it was made there."""

    release_id: str
    state: Literal["draft", "refused", "published", "previous", "canary"]
    why: str
    based_on: str | None
    created_at: str
    created_by: str
    model: str | None
    base_model: str
    num_ctx: int | None
    temperature: float | None
    top_k: int | None
    passages: int | None
    meaning: float
    words: float
    asks_first: bool
    refuses_from_ja: float
    refuses_from_en: float
    system: str
    is_evaluated: bool


class ReleaseEventOut(AdminShape):
    """One line of the history."""

    at: str
    actor: str
    act: str
    release_id: str
    former_id: str | None
    why: str
    details: dict[str, Any]


class ReleaseWorkOut(AdminShape):
    """A publication or canary that this API is busy with, or was last: `step` is make, load, probes or moved."""

    what: Literal["publish", "canary"]
    release_id: str
    by: str
    state: Literal["running", "done", "failed"]
    step: str
    message: str | None
    hint: str | None


class ReleasesOut(AdminShape):
    """Every release, the newest first, which answers, and what was done last."""

    standing: StandingOut
    releases: list[ReleaseOut]
    events: list[ReleaseEventOut]
    work: ReleaseWorkOut | None


class ReleaseDetailOut(ReleaseOut):
    """A release with its whole text, what is another than in the published one, its comparison and its history."""

    modelfile: str
    differences: dict[str, Any]
    evaluation: dict[str, Any] | None
    events: list[ReleaseEventOut]


class ReleaseUseOut(AdminShape):
    """How the answers of one release went since the canary began."""

    release_id: str
    answers: int
    refused: int
    quotes: int
    citations: int
    up: int
    down: int
    mean_seconds: float | None


class CanaryOut(AdminShape):
    """The published release first, then the canary; `work` is what the API is busy with."""

    standing: StandingOut
    uses: list[ReleaseUseOut]
    work: ReleaseWorkOut | None
