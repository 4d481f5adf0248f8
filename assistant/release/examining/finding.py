"""One check's outcome, as people and programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assistant.domain import DependencyState
from assistant.errors import Language, Text
from assistant.release.examining.matters import matter_of

State = Literal["ok", "warn", "fail", "unchecked"]
MARKS: Mapping[State, Text] = {
    "ok": Text(ja="正常", en="ok"),
    "warn": Text(ja="注意", en="warn"),
    "fail": Text(ja="異常", en="fail"),
    "unchecked": Text(ja="未確認", en="not checked"),
}
WORST_FIRST: tuple[State, ...] = ("fail", "warn", "unchecked", "ok")
NOTHING = Text(ja="", en="")


@dataclass(frozen=True)
class Finding:
    """What was seen, and what to do: a sentence and, where there is one, the exact command."""

    name: str
    state: State
    seen: Text
    hint: Text = NOTHING
    command: str = ""

    @property
    def why(self) -> Text:
        """Why the matter counts."""
        return matter_of(self.name).why

    def as_record(self) -> dict[str, str]:
        """For `--json`; `seen` is English, as it was before there was `seen_ja`."""
        return {
            "name": self.name,
            "state": self.state,
            "seen": self.seen.en,
            "seen_ja": self.seen.ja,
            "why_ja": self.why.ja,
            "why_en": self.why.en,
            "hint_ja": self.hint.ja,
            "hint_en": self.hint.en,
            "command": self.command,
        }

    def lines(self, language: Language) -> list[str]:
        """For the terminal: the reason and what to do only where something is wrong."""
        mark, title = MARKS[self.state].in_language(language), matter_of(self.name).title.in_language(language)
        shown = [f"{mark:6}  {self.name} ({title}): {self.seen.in_language(language)}"]
        if self.state in ("warn", "fail"):
            shown.append(f"          {self.why.in_language(language)}")
        if hint := self.hint.in_language(language):
            shown.append(f"        → {hint}")
        return shown + ([f"        $ {line}" for line in self.command.splitlines()])


def ok(name: str, seen: Text) -> Finding:
    """Looked at, and well."""
    return Finding(name, "ok", seen)


def unchecked(name: str, seen: Text, hint: Text = NOTHING, command: str = "") -> Finding:
    """Could not be looked at, and why."""
    return Finding(name, "unchecked", seen, hint, command)


def plain(words: str) -> Text:
    """Names and figures, the same in both languages."""
    return Text(ja=words, en=words)


def of_dependency(state: DependencyState) -> Finding:
    """What `/readyz` says of a dependency, as a finding."""
    return Finding(state.name, state.state, plain(state.seen), Text(ja=state.hint_ja, en=state.hint_en))
