"""The permission canary: documents that nobody may read, asked for as everybody, so that a leak is found by us first.

    plant ─▶ files in the data folder ─▶ ingested like any other, readable for the group `canary` alone
    check ─▶ every role in use x every door of the API (adapters/canary_doors.py) ─▶ an entry of the audit
                                                                                      └▶ doctor, /metrics

Nobody should be in the group, so planted documents are in nobody's answers. Must not know HTTP.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from assistant.audit import Act, AuditEntry
from assistant.domain import EVERYONE, DependencyState, Document, Principal
from assistant.errors import StoreUnavailable, Text
from assistant.excerpt import Excerpt
from assistant.people import ApiKey, User

GROUP = "canary"
WARDEN = Principal("canary", frozenset({GROUP}), via="cli")
"""The only one who may read what is planted."""
MOST_ROLES = 50
"""Groups that are asked for one by one; the rest only as part of all groups together."""
REST_SECONDS = 3.0
"""The ingest worker leaves files of the last two seconds to a later run, as somebody may still be copying them."""
_WORD = re.compile(r"canary-word-[0-9a-f]{20}")
_TEXTS = {
    "ja": "# 見張りの文書 {title}\n\nこの文書は権限の見張りです。見張り {title} の合言葉は {word} です。\n\n"
    "だれかの回答にこの合言葉が現れたら、閲覧の制限が破れています。\n",
    "en": "# Warden document {title}\n\nThis document watches over permissions. The code word of warden {title} is {word}.\n\n"
    "If this code word appears in anybody's answer, the restriction of documents is broken.\n",
}
QUESTIONS = ("見張り {title} の合言葉は何ですか?", "What is the code word of warden {title}?")


class CanaryLedger(Protocol):
    """What planting and checking need of the ledger."""

    def list_documents(self, *, principal: Principal, limit: int = ...) -> tuple[list[Document], str | None]:
        """Documents that the principal may read."""

    def document_text(self, document_id: str, *, principal: Principal, start: int, limit: int) -> Excerpt:
        """The text of one."""

    def users(self) -> list[User]:
        """Every known user."""

    def list_keys(self) -> list[ApiKey]:
        """Every key."""

    def groups_of_documents(self) -> frozenset[str]:
        """Every group that may read a living document."""


@dataclass(frozen=True)
class Planted:
    """A planted document. `words` are what nobody but its reader may be told."""

    document_id: str
    title: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Leak:
    """A word of a planted document that somebody was told, or a status that says that it is there."""

    role: str
    door: str
    told: str


@dataclass(frozen=True)
class Report:
    """What a check saw. `unchecked` are doors without an answer that counts; `problem` says why it proves nothing."""

    planted: int
    roles: int
    requests: int
    leaks: tuple[Leak, ...] = ()
    unchecked: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether everything was asked and nothing was told."""
        return not (self.leaks or self.unchecked or self.problem)


def folder_of(data_folder: Path) -> Path:
    """Where planted documents lie."""
    return data_folder / "canary"


def plant(data_folder: Path) -> Path:
    """Writes one document in each language, unless there are some; returns their folder. Raises StoreUnavailable."""
    folder = folder_of(data_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.glob("*.md")):
            for language, text in _TEXTS.items():
                title = f"warden-{secrets.token_hex(6)}"
                word = f"canary-word-{secrets.token_hex(10)}"
                (folder / f"{title}.{language}.md").write_text(text.format(title=title, word=word), encoding="utf-8")
            time.sleep(REST_SECONDS)
    except OSError as error:
        raise StoreUnavailable(
            Text(ja=f"{folder} に書けません。", en=f"{folder} cannot be written."),
            Text(ja="データフォルダーの権限を確かめてください。", en="Check the data folder's permissions."),
        ) from error
    return folder


def planted_in(ledger: CanaryLedger) -> list[Planted]:
    """The planted documents that are searchable. Raises StoreUnavailable."""
    documents, _ = ledger.list_documents(principal=WARDEN, limit=100)
    found = []
    for document in documents:
        if document.version_id is not None:
            text = ledger.document_text(document.document_id, principal=WARDEN, start=0, limit=2000).text
            title = document.path.partition(".")[0]
            found.append(Planted(document.document_id, title, (*_WORD.findall(text), title, document.document_id)))
    return found


def roles_in(ledger: CanaryLedger) -> list[frozenset[str]]:
    """Groups to ask as: none, each one that anybody or anything has, and all of them together. Raises StoreUnavailable."""
    groups = set(ledger.groups_of_documents())
    groups |= {group for user in ledger.users() for group in user.groups}
    groups |= {group for key in ledger.list_keys() if key.revoked_at is None for group in key.groups}
    others = sorted(groups - {GROUP, EVERYONE})
    single = [frozenset({group}) for group in others[:MOST_ROLES]]
    return [frozenset(), *single, *([frozenset(others)] if len(others) > 1 else [])]


def readers_in(ledger: CanaryLedger) -> list[str]:
    """Users and keys that are in the canary's group, though nobody should be. Raises StoreUnavailable."""
    users = [user.name for user in ledger.users() if GROUP in user.groups]
    return users + [f"app:{key.name}" for key in ledger.list_keys() if key.revoked_at is None and GROUP in key.groups]


def entry_of(report: Report, *, by: str) -> AuditEntry:
    """The entry of the audit that keeps the report, for doctor and /metrics."""
    details: dict[str, Any] = {
        "planted": report.planted,
        "roles": report.roles,
        "requests": report.requests,
        "leaks": [vars(leak) for leak in report.leaks],
        "unchecked": list(report.unchecked),
        "problem": report.problem,
    }
    return AuditEntry(Act.CANARY_CHECKED, by, via="system", details=details)


def state_of(last: AuditEntry | None, *, readers: Sequence[str], most_hours: float) -> DependencyState:
    """The canary as doctor shows it: fail for a leak, warn for a check that is missing, old or incomplete."""
    if readers:
        seen = f"in the group {GROUP}: {', '.join(readers)}"
        return DependencyState(
            "canary", "warn", seen, *_hints("このグループから外してください。", "Take them out of it.")
        )
    if last is None:
        return DependencyState("canary", "ok", "never checked; `assistant canary plant` starts it", "", "")
    details = last.details
    seen = f"{details['requests']} requests as {details['roles']} roles at {last.at[:16]}Z"
    if details["leaks"]:
        shown = "; ".join(f"{leak['door']} told {leak['role']}: {leak['told']}" for leak in details["leaks"][:3])
        return DependencyState(
            "canary",
            "fail",
            f"{len(details['leaks'])} leaks: {shown}",
            *_hints(
                "読めないはずの文書が見えています。nginx で入口を閉じ、`assistant canary check --json` で場所を調べてください。",
                "Somebody can see what they may not read. Close the door in nginx, and see `assistant canary check --json`.",
            ),
        )
    if details["problem"] or details["unchecked"]:
        seen += f": {details['problem'] or 'no answer from ' + ', '.join(details['unchecked'][:3])}"
        return DependencyState(
            "canary", "warn", seen, *_hints("もう一度 `assistant canary check`。", "Check once more.")
        )
    oldest = datetime.now(UTC) - timedelta(hours=2 * most_hours)
    if most_hours and last.at < oldest.isoformat(timespec="milliseconds"):
        return DependencyState(
            "canary",
            "warn",
            f"old: {seen}",
            *_hints("API が動いているか確かめてください。", "See whether the API runs."),
        )
    return DependencyState("canary", "ok", seen, "", "")


def _hints(ja: str, en: str) -> tuple[str, str]:
    return ja, en
