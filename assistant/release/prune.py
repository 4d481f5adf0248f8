"""Models of old releases on the model host: which may go, what that frees, and taking them away.

    releases of the ledger, older than so many days
      - the published one, the one before it, the canary    what answers, or may have to at once
      - those without a model on the host                    nothing to take away
      = old                                                  a release stays in the ledger: publishing makes its model again

Only models that this ledger knows are touched: another deployment may use the same host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from assistant.audit import Act, AuditEntry
from assistant.ports import ModelHost
from assistant.releases import ModelFile, Release, ReleaseEvent, Standing, full_name

MOST_RELEASES: Final = 10_000


@dataclass(frozen=True)
class Old:
    """A release whose model may go; `last_at` is when something was done with it last (ISO 8601)."""

    release_id: str
    model: str
    last_at: str


class PrunedLedger(Protocol):
    """What this needs of the ledger."""

    def standing(self) -> Standing:
        """Which releases answer."""

    def releases(self, *, limit: int = ...) -> list[Release]:
        """The newest first."""

    def release_events(self, release_id: str | None = ..., *, limit: int = ...) -> list[ReleaseEvent]:
        """What was done with it, the newest first."""

    def record(self, entry: AuditEntry) -> None:
        """Writes into the audit."""


def needed_ids(standing: Standing) -> set[str]:
    """Releases whose models must be there at once."""
    return {each for each in (standing.release_id, standing.former_id, standing.canary_id) if each is not None}


def old_models(
    ledger: PrunedLedger, files: Mapping[str, ModelFile], *, older_than_days: int, at: datetime | None = None
) -> list[Old]:
    """Releases whose models may go, the oldest first; `files` is what lies on the host. Raises StoreUnavailable."""
    before = ((at or datetime.now(UTC)) - timedelta(days=older_than_days)).isoformat(timespec="milliseconds")
    needed = needed_ids(ledger.standing())
    found = []
    for release in ledger.releases(limit=MOST_RELEASES):
        if release.model is None or full_name(release.model) not in files or release.release_id in needed:
            continue
        events = ledger.release_events(release.release_id, limit=1)
        last_at = max([release.created_at, *(event.at for event in events)])
        if last_at < before:
            found.append(Old(release.release_id, full_name(release.model), last_at))
    return sorted(found, key=lambda old: old.last_at)


def freed_bytes(gone: Iterable[str], files: Mapping[str, ModelFile]) -> int:
    """Bytes of weights that no model has any more once `gone` are away. Shared weights stay: most releases have the same."""
    names = set(gone)
    shared = {file.weights for name, file in files.items() if name not in names}
    freed = {files[name].weights: files[name].size_bytes for name in names if files[name].weights not in shared}
    return sum(freed.values())


async def take_away(ledger: PrunedLedger, host: ModelHost, old: Sequence[Old], *, by: str) -> list[Old]:
    """Those that were taken away: one that was published meanwhile stays. Raises ModelUnavailable, StoreUnavailable."""
    taken = []
    for each in old:
        if each.release_id in needed_ids(await asyncio.to_thread(ledger.standing)):
            continue
        await host.remove(each.model)
        told = {"act": "model_removed", "model": each.model}
        entry = AuditEntry(Act.RELEASE_CHANGED, by, subject=each.release_id, details=told)
        await asyncio.to_thread(ledger.record, entry)
        taken.append(each)
    return taken
