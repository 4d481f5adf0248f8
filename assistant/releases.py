"""What the ledger knows of releases, and what a model host tells of its models. Frozen values only.

            draft ──▶ published ──▶ previous
              │           ▲            │ rollback
              ▼           └────────────┘
           refused (may be tried again)

Which release answers is one row, the standing; see docs/decisions/0021.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from assistant.errors import Language
from assistant.model_facts import ModelFacts

SHARE_STEPS = 10_000
MOST_WEIGHT = 4.0


class ReleaseState(StrEnum):
    """What became of a release."""

    DRAFT = "draft"
    REFUSED = "refused"
    PUBLISHED = "published"
    PREVIOUS = "previous"


class ReleaseAct(StrEnum):
    """What was done, in the history."""

    DRAFTED = "drafted"
    ADOPTED = "adopted"
    EVALUATED = "evaluated"
    PUBLISHED = "published"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    MENDED = "mended"
    CANARY = "canary"


@dataclass(frozen=True)
class Tuning:
    """What a release says beside its Modelfile. `passages` offered to the model (None: as the setting says); `meaning` and
    `words` multiply what the two searches count for, 1 as they are; `asks_first`: before an answer the model is asked whether the
    passages say it at all, and refuses from a doubt of `refuses_from_…` on (0 to 1), by the question's language."""

    passages: int | None = None
    meaning: float = 1.0
    words: float = 1.0
    asks_first: bool = False
    refuses_from_ja: float = 0.5
    refuses_from_en: float = 0.5

    def refuses_from(self) -> dict[Language, float]:
        """The doubt, 0 to 1, from which a question of each language is refused."""
        return {"ja": self.refuses_from_ja, "en": self.refuses_from_en}

    @property
    def meaning_by_words(self) -> float:
        """How much more the search by meaning counts than that by words, 0 to 4."""
        return min(MOST_WEIGHT, self.meaning / self.words) if self.words else MOST_WEIGHT


@dataclass(frozen=True)
class Content:
    """One content of modelfiles/: the Modelfile's text and the tuning."""

    modelfile: str
    tuning: Tuning = field(default_factory=Tuning)

    @property
    def release_id(self) -> str:
        """Equal contents have equal ids; without a tuning it is the Modelfile's own hash."""
        digest = hashlib.sha256(self.modelfile.encode())
        usual = asdict(Tuning())
        # Of the tuning only what is unusual counts: a value that is new one day changes no id.
        unusual = {name: value for name, value in asdict(self.tuning).items() if value != usual[name]}
        if unusual:
            digest.update(b"\0" + json.dumps(unusual, sort_keys=True).encode())
        return "r_" + digest.hexdigest()[:16]


@dataclass(frozen=True)
class Release:
    """One release. `model` is its name on the model host and `digest` what it was there, once it was made."""

    release_id: str
    content: Content
    state: ReleaseState
    created_at: str
    created_by: str
    why: str = ""
    based_on: str | None = None
    model: str | None = None
    digest: str | None = None
    evaluation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Standing:
    """Which release answers: none before the first is published. `revision` grows with every change of it.

    `canary_id` gets `canary_percent` of the conversations.
    """

    revision: int = 0
    release_id: str | None = None
    former_id: str | None = None
    canary_id: str | None = None
    canary_percent: int = 0
    canary_since: str = ""

    def of_conversation(self, key: str) -> str | None:
        """The release that answers this conversation; the same one for as long as the standing stands."""
        if self.canary_id is None:
            return self.release_id
        place = int.from_bytes(hashlib.sha256(f"{self.canary_id}:{key}".encode()).digest()[:8]) % SHARE_STEPS
        return self.canary_id if place < self.canary_percent * SHARE_STEPS // 100 else self.release_id


@dataclass(frozen=True)
class ReleaseEvent:
    """One line of the history: who did what, when and why; `details` holds differences and what was seen."""

    at: str
    actor: str
    act: ReleaseAct
    release_id: str
    former_id: str | None = None
    why: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleaseUse:
    """How the answers of one release went, since the canary began."""

    release_id: str
    answers: int
    refused: int
    quotes: int
    citations: int
    up: int
    down: int
    mean_seconds: float | None


@dataclass(frozen=True)
class MadeModel:
    """A model as it lies on the host. `facts` are what its file says of memory, None where the host does not tell;
    `window` in tokens is what it was trained for, 0 if unknown."""

    name: str
    digest: str
    size_bytes: int
    system: str
    template: str
    parameters: Mapping[str, Any]
    facts: ModelFacts | None
    window: int
    can_chat: bool
    messages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ModelFile:
    """What a model takes on the host's disk. `weights` names the file that its weights are in, which several may share."""

    weights: str
    size_bytes: int


@dataclass(frozen=True)
class LoadedModel:
    """A model in the host's memory; `gpu_bytes` of its `bytes` are on a GPU. `num_ctx` is the window of one question."""

    num_ctx: int
    bytes: int
    gpu_bytes: int


@dataclass(frozen=True)
class Tried:
    """What a model said to one prompt, without chance in its sampling, and how fast it wrote; the wait is not counted."""

    text: str
    prompt_tokens: int
    answer_tokens: int
    is_whole: bool
    first_token_seconds: float
    tokens_per_second: float


def full_name(name: str) -> str:
    """A model's name with its tag, as a host lists it."""
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
