"""A plan as `ingest plan` shows it: for people the first of each kind, for programs all of it. Writes nothing."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.pace import Pace
from assistant.terminal import caller_language
from ingest.estimate import Estimate, estimate
from ingest.pipeline import RunReport, plan_folder
from ingest.plan import Plan
from ingest.report import print_waiting, say
from ingest.rules import Rule, groups_of_path

LISTED = 10
"""Paths of each kind that are named; all are counted, and all are in --json."""
KEPT = 100
"""Paths of each kind that a job keeps in the ledger for the screen."""
KINDS = {
    "add": ("追加", "add"),
    "change": ("変更", "change"),
    "retry": ("中断・失敗したので読み直す", "read again after a failure or a stop"),
    "move": ("移動(読み直さない)", "move (not read again)"),
    "delete": ("削除", "delete"),
    "deletions_waiting": ("削除の確認待ち", "deletions that wait for you"),
    "unreadable": ("開けない", "cannot be opened"),
    "skipped": ("規則により飛ばす", "skipped by rule"),
    "settling": ("たった今変わった(run は読み、watch は待つ)", "changed just now (run reads them, watch waits)"),
    "unchanged": ("変わらない", "unchanged"),
}
"""Every kind in the order of the list, with its name for people."""


def print_plan(plan: Plan, pace: Pace, *, folder: str, settle_seconds: float, as_json: bool) -> None:
    """The plan of the folder: counts, bytes, the estimate, and the paths by kind."""
    expected = estimate(plan, pace)
    files = _files(plan, settle_seconds)
    by_rule = dict(sorted(Counter(rule for _, rule in plan.skipped).items()))
    counts = plan.counts() | {"settling": len(files["settling"])}
    if as_json:
        found = {"folder": folder, **counts, "skipped_by_rule": by_rule, "estimate": vars(expected), "files": files}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    _print_kinds(files, by_rule)
    _print_estimate(expected)
    print_waiting([document.path for document in plan.waiting], listed=0)


def planned_report(ledger: Ledger, root: Path, rules: Sequence[Rule], *, settle_seconds: float) -> RunReport:
    """The plan of a folder as a job leaves it in the ledger: `counts`, and a result with the first of each kind.

    Each file is kept with the groups that may read it: who looks at the plan sees no other names. Raises FolderMissing.
    """
    plan = plan_folder(ledger, root, rules)
    expected = estimate(plan, ledger.pace())
    found = _files(plan, settle_seconds)
    files = {
        kind: [
            {
                "path": entry["path"],
                "bytes": entry.get("bytes"),
                "note": next((entry[key] for key in ("from", "rule", "reason") if key in entry), None),
                "groups": list(groups_of_path(entry["path"], rules)),
            }
            for entry in entries[:KEPT]
        ]
        for kind, entries in found.items()
        if kind != "unchanged"
    }
    counts = plan.counts() | {"settling": len(found["settling"])}
    result = {
        "counts": counts,
        "files": files,
        "read_files": expected.files,
        "read_bytes": expected.bytes,
        "seconds": expected.seconds,
        "runs": expected.runs,
    }
    return RunReport(ledger.name_of_folder(root), counts, result=result)


def _files(plan: Plan, settle_seconds: float) -> dict[str, list[dict[str, Any]]]:
    """What is known of each file, by kind."""
    newest_ns, settle_ns = time.time_ns(), settle_seconds * 1e9
    work = [
        ("retry" if one.kind == "resume" else one.kind, {"path": one.source.path, "bytes": one.source.size_bytes})
        for one in plan.work
    ]
    return {
        "add": [entry for kind, entry in work if kind == "add"],
        "change": [entry for kind, entry in work if kind == "change"],
        "retry": [entry for kind, entry in work if kind == "retry"],
        "move": [{"path": to.path, "from": document.path, "bytes": to.size_bytes} for document, to in plan.moved],
        "delete": [{"path": document.path, "bytes": document.size_bytes} for document in plan.deleted],
        "deletions_waiting": [{"path": document.path, "bytes": document.size_bytes} for document in plan.waiting],
        "unreadable": [{"path": source.path, "reason": error.reason.value} for source, _, error in plan.unreadable],
        "skipped": [{"path": path, "rule": rule} for path, rule in plan.skipped],
        "settling": [
            {"path": one.source.path, "bytes": one.source.size_bytes}
            for one in plan.work
            if abs(newest_ns - one.source.modified_ns) < settle_ns
        ],
        "unchanged": [
            {"path": path}
            for path in (*plan.unchanged, *(to.path for _, to in plan.touched), *(kept.path for kept in plan.kept))
        ],
    }


def _print_kinds(files: dict[str, list[dict[str, Any]]], by_rule: dict[str, int]) -> None:
    for kind, (ja, en) in KINDS.items():
        entries = files[kind]
        size = sum(entry.get("bytes", 0) for entry in entries)
        line = f"{len(entries):>8,}  {ja if caller_language() == 'ja' else en}"
        typer.echo(line + (f"  ({shown_bytes(size)})" if size else ""))
        if kind == "unchanged":
            continue
        if kind == "skipped" and by_rule:
            typer.echo("          " + ", ".join(f"{rule}: {count:,}" for rule, count in by_rule.items()))
        for entry in entries[:LISTED]:
            what = next((entry[key] for key in ("from", "rule", "reason") if key in entry), None)
            typer.echo(
                f"          {entry['path']}" + (f"  ← {what}" if "from" in entry else f": {what}" if what else "")
            )
        if len(entries) > LISTED:
            more = len(entries) - LISTED
            say(
                f"          … ほか {more:,} 件(すべては --json)", f"          … and {more:,} more (all of them: --json)"
            )


def _print_estimate(expected: Estimate) -> None:
    if not expected.files:
        say("読むファイルはありません。", "Nothing is to be read.")
        return
    ja = f"読むのは {expected.files:,} 件、{shown_bytes(expected.bytes)}"
    en = f"To be read: {expected.files:,} files, {shown_bytes(expected.bytes)}"
    if expected.seconds is None:
        say(
            f"{ja}。この環境での速さはまだ分かりません(取り込みを一度終えると分かります)。",
            f"{en}. Unknown pace: no run of this deployment has been long enough to measure it.",
        )
        return
    say(
        f"{ja}、断片は約 {expected.chunks:,}。直近 {expected.runs} 回の速さから、およそ {shown_seconds(expected.seconds)}。",
        f"{en}, about {expected.chunks:,} chunks. At the pace of the last {expected.runs} runs about "
        f"{shown_seconds(expected.seconds)}.",
    )


def shown_bytes(size: int) -> str:
    """The size in the unit that gives a short number, e.g. 1.2 MB."""
    amount, unit = size / 1e6, "MB"
    if amount < 0.1:
        return f"{size:,} B"
    if amount >= 1000:
        amount, unit = amount / 1000, "GB"
    return f"{amount:,.1f} {unit}"


def shown_seconds(seconds: float) -> str:
    """The duration as a person says it: 40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
