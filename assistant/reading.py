"""How far the ingest worker is with the folder, for the person who started the stack and waits.

ledger (jobs, counts) -> Look -> a bar on a terminal, a line now and then elsewhere -> what is searchable, and what is not

The worker leaves the row of its first scan in the ledger, also when there was nothing to do. This room only reads.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from assistant.adapters.ledger import Ledger
from assistant.domain import DocumentStatus, JobState
from assistant.errors import Language, StoreUnavailable, Text

POLL_SECONDS = 0.5
LINE_SECONDS = 10.0
"""Between two lines where there is no terminal to draw a bar on."""
SHOWN_FAILURES = 5
_SEARCHABLE = (DocumentStatus.INDEXED.value, DocumentStatus.WARN.value)
_READING = Text(ja="文書を読み込んでいます", en="reading the documents")
_SEARCHABLE_MEANWHILE = Text(
    ja="読み込みの間も質問できます(読み終えた文書だけを探します)。",
    en="Questions can be asked meanwhile; they find what has been read.",
)


@dataclass(frozen=True)
class Look:
    """Files done of all that changed; `total` None until the worker has looked at the folder."""

    done: int
    total: int | None
    is_over: bool
    problem: str | None


def look(ledger: Ledger, *, since: str) -> Look:
    """The ingestion that began after `since` (ISO 8601 in UTC), as the ledger has it. Raises StoreUnavailable."""
    jobs = [job for job in ledger.list_jobs(10) if max(job.created_at, job.started_at or "") >= since]
    problem = next((job.error for job in jobs if job.state is JobState.FAILED), None)
    running = next((job for job in jobs if job.state in {JobState.RUNNING, JobState.QUEUED}), None)
    if running is None:
        return Look(0, None, any(job.state is JobState.DONE for job in jobs), problem)
    return Look(running.counts.get("done", 0), running.counts.get("total"), is_over=False, problem=problem)


class ReadingView:
    """Shows the first reading of the folder until it is over; `looked()` is called a few times a second."""

    def __init__(
        self, ledger: Ledger, console: Console, *, language: Language, since: str, status_command: str
    ) -> None:
        self._ledger = ledger
        self._console = console
        self._language = language
        self._since = since
        self._status_command = status_command
        self._started = self._polled = self._said = time.monotonic()
        self._problem: str | None = None
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(_READING.in_language(language), total=None)
        self._is_told_meanwhile = False
        self.is_over = False

    def looked(self) -> None:
        """One look: moves the bar, and at the end says what is searchable."""
        now = time.monotonic()
        if self.is_over or now - self._polled < POLL_SECONDS:
            return
        self._polled = now
        try:
            seen = look(self._ledger, since=self._since)
        except StoreUnavailable:
            return
        if seen.problem is not None and seen.problem != self._problem:
            self._problem = seen.problem
            said = seen.problem.splitlines()
            self._console.print(f"! {said[0] if self._language == 'ja' else said[-1]}", markup=False)
        if seen.is_over:
            total = self._bar.tasks[0].total
            self._bar.update(self._task, completed=total)
            self.close()
            self._say_result(round(now - self._started))
        elif seen.total:
            self._show(seen.done, seen.total, now)

    def close(self) -> None:
        """Takes the bar away; nothing more is shown."""
        self._bar.stop()
        self.is_over = True

    def _show(self, done: int, total: int, now: float) -> None:
        if not self._is_told_meanwhile:
            self._is_told_meanwhile = True
            self._say(_SEARCHABLE_MEANWHILE)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
        if not self._console.is_terminal and now - self._said >= LINE_SECONDS:
            self._said = now
            self._say(Text(ja=f"{total} 件中 {done} 件を読みました。", en=f"{done} of {total} files read."))

    def _say_result(self, seconds: int) -> None:
        counts = self._ledger.count_by_status()
        searchable = sum(counts.get(status, 0) for status in _SEARCHABLE)
        failures = self._ledger.failures()
        took = Text(ja=f"({seconds} 秒)", en=f" ({seconds} s)") if self._is_told_meanwhile else Text(ja="", en="")
        if not failures:
            self._say(
                Text(
                    ja=f"{searchable} 件の文書をすべて検索できます{took.ja}。",
                    en=f"All {searchable} files are searchable{took.en}."
                    if searchable > 1
                    else f"The one file is searchable{took.en}.",
                )
                if searchable
                else Text(ja="フォルダに文書がありません。", en="There are no documents in the folder.")
            )
            return
        self._say(
            Text(
                ja=f"{searchable + len(failures)} 件中 {searchable} 件の文書を検索できます{took.ja}。できないもの:",
                en=f"{searchable} of {searchable + len(failures)} files are searchable{took.en}. These are not:",
            )
        )
        for failure in failures[:SHOWN_FAILURES]:
            sentences = failure.message.splitlines() or [failure.reason.value]
            sentence = sentences[0] if self._language == "ja" else sentences[-1]
            self._console.print(f"  ! {failure.path}: {sentence}", markup=False)
        self._say(Text(ja=f"→ すべての理由: {self._status_command}", en=f"→ All reasons: {self._status_command}"))

    def _say(self, text: Text) -> None:
        self._console.print(text.in_language(self._language), markup=False)
