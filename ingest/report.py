"""What the commands of this room say to people, in the language of the caller. Must not know how it came about."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from assistant.adapters.ledger.asking import LEAST_PROBES
from assistant.fuse import weight_of_fitness
from assistant.terminal import caller_language
from ingest.pipeline import RunReport

WAITING_LISTED = 20
"""Waiting deletions that are named; all are counted."""


def say(ja: str, en: str) -> None:
    """The line in the language of the caller."""
    Console(highlight=False).print(ja if caller_language() == "ja" else en)


def print_report(report: RunReport, *, as_json: bool, is_retrying: bool) -> None:
    """What a run did, as a table and lines for people, or as one JSON object."""
    still_failing = {failure.path for failure in report.failures}
    recovered = [path for path in report.tried if path not in still_failing]
    if as_json:
        failures = [{"path": f.path, "reason": f.reason.value, "message": f.message} for f in report.failures]
        typer.echo(
            json.dumps(
                {
                    "folder": report.folder,
                    **report.counts,
                    "failures": failures,
                    "skipped_files": report.skipped,
                    "deletions_waiting_files": report.waiting,
                    **({"tried_files": report.tried, "recovered": len(recovered)} if is_retrying else {}),
                },
                ensure_ascii=False,
            )
        )
        return
    print_counts(report.counts)
    print_waiting(report.waiting)
    if is_retrying:
        say(
            f"{len(report.tried)} 件をもう一度読み、{len(recovered)} 件が検索できるようになりました。",
            f"{len(report.tried)} tried again, {len(recovered)} of them searchable now.",
        )
    for failure in report.failures:
        language_line = 0 if caller_language() == "ja" else -1
        typer.echo(f"  ! {failure.path}: {failure.reason.value}: {failure.message.splitlines()[language_line]}")


def print_waiting(paths: list[str], *, listed: int = WAITING_LISTED) -> None:
    """Deletions that wait for a person, and how to confirm them; nothing when there are none."""
    if not paths:
        return
    say(
        f"{len(paths)} 件のファイルが見えません。多すぎるので、まだ何も削除していません。"
        "共有フォルダの接続を確かめ、本当に消したのなら `ingest run --allow-deletions` を実行してください。",
        f"{len(paths)} files are gone. That is so many that nothing was deleted yet: check that the share is mounted; "
        "if they were deleted on purpose, run `ingest run --allow-deletions`.",
    )
    for path in paths[:listed]:
        typer.echo(f"  ? {path}")


def print_counts(counts: dict[str, int]) -> None:
    """Names and numbers, one a line."""
    table = Table("", "", show_header=False, box=None)
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    Console(highlight=False).print(table)


def _print_fitness(fitness: dict[str, Any]) -> None:
    """How many probe questions the vectors alone answer from the right document, and what follows from it."""
    for language, ja, en in (("ja", "日本語", "Japanese"), ("en", "英語", "English")):
        measured = fitness.get(language, {"found": 0, "probes": 0})
        if measured["probes"] < LEAST_PROBES:
            continue
        share = measured["found"] / measured["probes"]
        is_unfit = weight_of_fitness(share) == 0.0
        say(
            f"意味検索だけで見つかった確認質問({ja}): {share:.0%}" + (" — 語の一致だけで探します" if is_unfit else ""),
            f"Probe questions found by meaning alone ({en}): {share:.0%}"
            + (" - words alone are used" if is_unfit else ""),
        )


def print_status(state: dict[str, Any]) -> None:
    """The state as `ingest status` collected it."""
    print_counts({**state["documents"], "chunks": state["ledger_chunks"]})
    for name, difference in state["indexes"].items():
        typer.echo(f"{name}: missing {difference['missing']}, surplus {difference['surplus']}")
    _print_fitness(state["fitness"] or {})
    for last in state["last_runs"]:
        if last["deletions_waiting"]:
            say(
                f"{last['folder']}: {last['deletions_waiting']} 件の削除が確認待ちです"
                "(`ingest plan` で見て、`ingest run --allow-deletions` で確認します)。",
                f"{last['folder']}: {last['deletions_waiting']} deletions wait for confirmation "
                "(look with `ingest plan`, confirm with `ingest run --allow-deletions`).",
            )
        if last["error"]:
            typer.echo(f"  ! {last['folder']}: {last['error'].splitlines()[0]}")
    for failure in state["failures"]:
        typer.echo(f"  ! {failure['path']}: {failure['reason']}")
    for warned in state["warnings"]:
        typer.echo(f"  ? {warned['path']}: {', '.join(warned['warnings'])}")
    if state["is_true"]:
        say("索引は台帳と一致しています。", "The indexes agree with the ledger.")
    else:
        say(
            "索引が台帳と一致していません。`ingest run` か `ingest rebuild` で直ります。",
            "The indexes differ from the ledger. `ingest run` or `ingest rebuild` mends them.",
        )
