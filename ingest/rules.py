"""Rules of the folders: who may read what. One TOML file that the admin owns; an unknown key names the nearest one.

    [[rule]]
    path = "人事/限定/**"     # a glob on the path below the folder; later rules win
    groups = ["board"]        # who may read; without a rule: everyone

The rules are read at every run and written into the ledger, so a change needs no new embedding.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from assistant.domain import EVERYONE
from assistant.errors import SettingsError, Text

_KEYS = ("path", "groups")


@dataclass(frozen=True)
class Rule:
    """Documents whose path matches `path` may be read by `groups` only."""

    path: str
    groups: tuple[str, ...]


def groups_of_path(path: str, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Groups that may read the document at `path`: those of the last rule that matches, or everyone."""
    for rule in reversed(rules):
        if fnmatchcase(path, rule.path):
            return rule.groups
    return (EVERYONE,)


def read_rules(file: Path) -> tuple[Rule, ...]:
    """The rules of the file; none when there is no file. Raises SettingsError that names the place."""
    if not file.exists():
        return ()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(file, str(error), "[[rule]]") from error
    for key in content:
        if key != "rule":
            raise _unknown(file, key, ("rule",))
    found = content.get("rule", [])
    if not isinstance(found, list):
        raise _wrong(file, "rule", "[[rule]]")
    return tuple(_rule(file, entry) for entry in found)


def _rule(file: Path, entry: Any) -> Rule:
    if not isinstance(entry, dict):
        raise _wrong(file, str(entry), "[[rule]]")
    for key in entry:
        if key not in _KEYS:
            raise _unknown(file, key, _KEYS)
    path, groups = entry.get("path"), entry.get("groups")
    if not isinstance(path, str) or not path:
        raise _wrong(file, f"path = {path!r}", 'path = "人事/限定/**"')
    if not isinstance(groups, list) or not all(isinstance(group, str) and group for group in groups):
        raise _wrong(file, f"groups = {groups!r}", 'groups = ["board"]')
    return Rule(path=path, groups=tuple(groups))


def _unknown(file: Path, key: str, known: Sequence[str]) -> SettingsError:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
    return SettingsError(
        Text(ja=f"{file} に知らない項目 {key} があります。", en=f"{file} has an unknown key {key}."),
        Text(ja=f"{nearest} のことですか。何も変更していません。", en=f"Did you mean {nearest}? Nothing was changed."),
    )


def _wrong(file: Path, seen: str, allowed: str) -> SettingsError:
    return SettingsError(
        Text(ja=f"{file} を読めません: {seen}", en=f"{file} cannot be read: {seen}"),
        Text(ja=f"書き方の例: {allowed} 何も変更していません。", en=f"Example: {allowed} Nothing was changed."),
    )
