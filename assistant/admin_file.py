"""What is wrong with a file that an administrator owns (`ingest.toml`, `users.toml`), said the same way for each. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from assistant.errors import AssistantError, Text

Kind = TypeVar("Kind", bound=AssistantError)


def expect_keys(kind: type[AssistantError], source: str | Path, entry: Iterable[str], known: Sequence[str]) -> None:
    """Raises an error of that kind, with the nearest known key, for the first key of the entry that is not known."""
    for key in entry:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise kind(
                Text(ja=f"{source} に知らない項目 {key} があります。", en=f"{source} has an unknown key {key}."),
                Text(
                    ja=f"{nearest} のことですか。何も変更していません。",
                    en=f"Did you mean {nearest}? Nothing was changed.",
                ),
            )


def unreadable(kind: type[Kind], source: str | Path, seen: str, allowed: str) -> Kind:
    """An error of that kind: what was seen in the file, and an example of what may stand there."""
    return kind(
        Text(ja=f"{source} を読めません: {seen}", en=f"{source} cannot be read: {seen}"),
        Text(ja=f"書き方の例: {allowed} 何も変更していません。", en=f"Example: {allowed} Nothing was changed."),
    )
