"""What goes wrong, and when: rules that a test sets while the stub runs. Knows no route's meaning.

``POST /__faults`` with one rule or a list of rules adds them; ``DELETE /__faults`` takes all away; ``GET`` lists what
is left. A rule is ``{"kind": …, "times": 1, "path": null, …}``: it is used ``times`` times (null: until taken away), by
requests to ``path`` or, without one, to any route that the kind can concern. A kind that counts tokens fires once that many
have been sent.

| kind | further fields | what the client sees |
|---|---|---|
| status | status, text | that status with ``{"error": text}`` |
| reset | | the connection is reset before a byte of the answer |
| closed | seconds | connections die, new ones are refused (ECONNREFUSED) for that long, at once |
| delay | seconds | nothing for that long, then the usual answer; no slot is held meanwhile |
| prefill | seconds | the same while holding a slot |
| stop | after_tokens | the connection closes in mid-answer, without ``done`` |
| end | after_tokens | the stream ends without ``done`` (repeat guard); not streaming: 200, ``done`` false |
| error | after_tokens, text | a line ``{"error": text}`` in the 200 stream; before a token, or not streaming: 500 |
| stall | after_tokens, seconds | silence in mid-answer, then it goes on |
| kill | after_tokens | the stub's process is gone (SIGKILL); with path ``/api/embed`` at the first text |
| endless | | the answer goes on for ever, whatever `num_predict` says |
| answer | text | this text is the model's answer |
| missing_model | model | that model is not there (until taken away) |
| nan | contains | embedding a text with that substring fails the whole batch with 500 (until taken away) |
| pull_works | | ``/api/pull`` of a model that the stub knows succeeds, with progress lines (until taken away) |

``GET /__requests`` returns what was received, oldest first; ``DELETE /__requests`` empties it. ``GET /__slots`` counts
``running`` and ``waiting`` requests over all loaded models. ``POST /__settings`` changes pace and
size (``state.Settings``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MODEL_ROUTES = frozenset(
    {"/api/chat", "/api/generate", "/api/embed", "/api/embeddings", "/v1/chat/completions", "/v1/embeddings"}
)
CHAT_ROUTES = frozenset({"/api/chat", "/api/generate", "/v1/chat/completions"})
ENTRANCE_KINDS = ("status", "reset", "delay")
ANSWER_KINDS = ("stop", "end", "error", "stall", "kill")
CHAT_KINDS = (*ANSWER_KINDS, "prefill", "answer", "endless")
"""Without a path these concern the chat routes only."""
STANDING_KINDS = frozenset({"missing_model", "nan", "pull_works"})
NEEDED_FIELDS: dict[str, tuple[str, ...]] = {
    "status": ("status", "text"),
    "reset": (),
    "closed": ("seconds",),
    "delay": ("seconds",),
    "prefill": ("seconds",),
    "stop": ("after_tokens",),
    "end": ("after_tokens",),
    "error": ("after_tokens", "text"),
    "stall": ("after_tokens", "seconds"),
    "kill": ("after_tokens",),
    "answer": ("text",),
    "endless": (),
    "missing_model": ("model",),
    "nan": ("contains",),
    "pull_works": (),
}


@dataclass
class Rule:
    """One fault; the fields that its kind does not use stay as they are."""

    kind: str
    times: int | None = 1
    path: str | None = None
    status: int = 500
    text: str = ""
    seconds: float = 0.0
    after_tokens: int = 0
    model: str = ""
    contains: str = ""

    def concerns(self, path: str) -> bool:
        """Whether a request to this path can use the rule."""
        if self.path:
            return self.path == path
        return path in (CHAT_ROUTES if self.kind in CHAT_KINDS else MODEL_ROUTES)


@dataclass
class Faults:
    """The rules in force, in the order in which they were set."""

    rules: list[Rule] = field(default_factory=list)

    def add(self, given: Any) -> list[Rule]:
        """Add one rule or a list of them and return them; ``ValueError`` says what is wrong with one."""
        rules = [parsed(each) for each in (given if isinstance(given, list) else [given])]
        self.rules.extend(rule for rule in rules if rule.kind != "closed")
        return rules

    def take(self, path: str, kinds: tuple[str, ...]) -> Rule | None:
        """Use the first rule of these kinds for the path once, or None."""
        for rule in self.rules:
            if rule.kind in kinds and rule.concerns(path):
                self._use(rule)
                return rule
        return None

    def hides(self, model_name: str) -> bool:
        """Whether a rule makes this model missing."""
        return any(
            rule.kind == "missing_model" and rule.model in (model_name, _short(model_name)) for rule in self.rules
        )

    def spoils(self, text: str) -> bool:
        """Whether a rule makes embedding this text fail."""
        rule = next((each for each in self.rules if each.kind == "nan" and each.contains in text), None)
        if rule is not None:
            self._use(rule)
        return rule is not None

    def lets_pull(self) -> bool:
        """Whether pulling works."""
        rule = next((each for each in self.rules if each.kind == "pull_works"), None)
        if rule is not None:
            self._use(rule)
        return rule is not None

    def listed(self) -> list[dict[str, Any]]:
        """The rules that are left, as JSON."""
        return [asdict(rule) for rule in self.rules]

    def _use(self, rule: Rule) -> None:
        if rule.times is not None:
            rule.times -= 1
            if rule.times <= 0:
                self.rules.remove(rule)


def parsed(given: Any) -> Rule:
    """A rule from JSON; ``ValueError`` names the unknown kind or field, or the missing one."""
    if not isinstance(given, dict) or given.get("kind") not in NEEDED_FIELDS:
        raise ValueError(f"a rule needs a kind out of: {', '.join(NEEDED_FIELDS)}; got {given!r}")
    kind = given["kind"]
    unknown = set(given) - {"kind", "times", "path", *NEEDED_FIELDS[kind]}
    missing = [name for name in NEEDED_FIELDS[kind] if name not in given]
    if unknown or missing:
        raise ValueError(f"rule {kind!r}: unknown fields {sorted(unknown)}, missing fields {missing}")
    standing: dict[str, Any] = {"times": None} if kind in STANDING_KINDS else {}
    return Rule(**{**standing, **given})


def _short(model_name: str) -> str:
    return model_name.removesuffix(":latest")
