"""What the commands of this room say to people, in the language of the caller. Must not know how it came about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from assistant.adapters.ledger.asking import LEAST_PROBES
from assistant.adapters.ledger.jobs import REBUILD
from assistant.fuse import weight_of_fitness
from assistant.terminal import caller_language
from ingest.pipeline import RunReport

WAITING_LISTED = 20
"""Waiting deletions that are named; all are counted."""
FAILURES_LISTED = 50
"""Failures that are named; all are counted by reason."""
WARNED_LISTED = 10
"""Documents named for each warning; all are counted."""
WARNINGS = {
    "not_found_again": (
        "自分の文から作った質問で上位 5 件に出ません。ほとんど同じファイルが多いときに起きます。不要な写しを除いてください。"
        "代わりに見つかったものは `ingest receipts --json` にあります。",
        "not found among the first five by questions made of its own text, usually because other files are nearly the "
        "same. Remove copies that nobody needs; `ingest receipts --json` says what was found instead.",
    ),
    "unread_pages": (
        "文字認識できないページがあります。より鮮明に読み取り直すか、文字の入った元のファイルを置いてください。",
        "has pages that could not be recognised. Scan them again more clearly, or put the original with its text there.",
    ),
    "nobody_may_read": (
        "規則により誰も読めません。意図したものでなければ ingest.toml の groups を直してください。",
        "may be read by nobody. If that is not intended, mend `groups` in ingest.toml.",
    ),
    "embedding_refused": (
        "埋め込みモデルが文書の一部をベクトルにできません。その部分は語の一致だけで見つかります。文字化けがないか確かめるか、別のモデルで"
        " `ingest rebuild` を実行してください。",
        "the embedder could not turn a part of it into numbers; words alone find that part. Check whether its text is "
        "garbled, or run `ingest rebuild` with another model.",
    ),
    "not_asked_yet": (
        "まだ確認していません。次の `ingest run` が確かめます。",
        "was not asked for yet. The next `ingest run` does it.",
    ),
}
"""What a warning means and what to do."""
DOCUMENTS = {
    "indexed": ("検索できる", "searchable"),
    "warn": ("検索できるが、見てほしい", "searchable, with a warning"),
    "failed": ("読めない", "cannot be read"),
    "pending": ("次の取り込みで読む", "waits for the next run"),
    "skipped": ("対象外の形式", "type not supported"),
}


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
    print_failures([(failure.path, failure.reason.value, failure.message) for failure in report.failures])


def in_callers_language(lines: str) -> str:
    """Of a text kept as a Japanese and an English line, the caller's."""
    both = lines.splitlines() or [""]
    return both[0] if caller_language() == "ja" else both[-1]


def print_failures(failures: Sequence[tuple[str, str, str]]) -> None:
    """(path, reason, message in both languages) each: what is wrong and what to do, the most frequent reason first."""
    often = Counter(reason for _, reason, _ in failures)
    for path, reason, message in sorted(failures, key=lambda failure: (-often[failure[1]], failure[1]))[
        :FAILURES_LISTED
    ]:
        typer.echo(f"  ! {path}: {reason}: {in_callers_language(message)}")
    if len(failures) > FAILURES_LISTED:
        more = len(failures) - FAILURES_LISTED
        counted = ", ".join(f"{reason} {count:,}" for reason, count in often.most_common())
        say(
            f"  … ほか {more:,} 件。理由ごとの件数: {counted}。すべては `ingest receipts --csv` で書き出せます。",
            f"  … and {more:,} more. By reason: {counted}. `ingest receipts --csv` lists all of them.",
        )


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


def _print_generations(state: dict[str, Any]) -> None:
    """Whether another generation is due or waits, and which command goes on."""
    due, beside = state["rebuild_due"], state["generation_beside"]
    if due is not None:
        used, wanted = (f"{spec['kind']} {spec['model']}".strip() for spec in (due["answers_from"], due["configured"]))
        say(
            f"回答は {used} の索引から出ています。設定した {wanted} を使うには `ingest rebuild` を実行してください。",
            f"Answers come from the indexes of {used}. To use the configured {wanted}, run `ingest rebuild`.",
        )
    if beside is None:
        return
    name, embedder = beside["generation_id"], beside["embedder_id"]
    sentences = {
        "building": (
            f"世代 {name}({embedder})は作りかけです。`ingest rebuild` で続きから作ります。",
            f"Generation {name} ({embedder}) is half built: `ingest rebuild` goes on.",
        ),
        "ready": (
            f"世代 {name}({embedder})が切り替えを待っています(`ingest generations`、`ingest switch`)。",
            f"Generation {name} ({embedder}) waits to be switched to (`ingest generations`, `ingest switch`).",
        ),
        "previous": (
            f"前の世代 {name}({embedder})に `ingest rollback` で戻れます。",
            f"`ingest rollback` goes back to the previous generation {name} ({embedder}).",
        ),
    }
    say(*sentences[beside["state"]])


def print_status(state: dict[str, Any]) -> None:
    """The state as `ingest status` collected it: how many, what is wrong and what to do, then whether the indexes agree."""
    for status, count in state["documents"].items():
        say(f"{count:>8,}  {_named(DOCUMENTS, status)[0]}", f"{count:>8,}  {_named(DOCUMENTS, status)[1]}")
    say(f"{state['ledger_chunks']:>8,}  断片", f"{state['ledger_chunks']:>8,}  chunks")
    _print_fitness(state["fitness"] or {})
    _print_generations(state)
    for job in state["running_jobs"]:
        if job["kind"] == REBUILD:
            say("作業中: 新しい世代を作っています", "Running: a new generation is being built")
            continue
        done, total = job["counts"].get("done", 0), job["counts"].get("total", 0)
        say(
            f"取り込み中: {job['folder']}({total:,} 件のうち {done:,} 件)",
            f"Running: {job['folder']} ({done:,} of {total:,} files)",
        )
    for last in state["last_runs"]:
        _print_last_run(last)
    print_failures([(failed["path"], failed["reason"], failed["message"]) for failed in state["failures"]])
    _print_warnings(state["warnings"])
    for name, difference in state["indexes"].items():
        if difference["missing"] or difference["surplus"]:
            say(
                f"  ! 索引 {name}: {difference['missing']:,} 件足りず、{difference['surplus']:,} 件余分です。",
                f"  ! index {name}: {difference['missing']:,} missing, {difference['surplus']:,} too many.",
            )
    if state["indexes_error"] is not None:
        say("  ! 索引を台帳と比べられませんでした:", "  ! The indexes could not be compared with the ledger:")
        typer.echo(f"    {in_callers_language(state['indexes_error'])}")
    elif state["is_true"]:
        say("索引は台帳と一致しています。", "The indexes agree with the ledger.")
    else:
        say(
            "索引が台帳と一致していません。`ingest run` か `ingest rebuild` で直ります。",
            "The indexes differ from the ledger. `ingest run` or `ingest rebuild` mends them.",
        )


def _named(names: Mapping[str, tuple[str, str]], code: str) -> tuple[str, str]:
    return names.get(code, (code, code))


def _print_last_run(last: dict[str, Any]) -> None:
    """What a person must know of the last run of a folder."""
    if last["deletions_waiting"]:
        say(
            f"{last['folder']}: {last['deletions_waiting']} 件の削除が確認待ちです"
            "(`ingest plan` で見て、`ingest run --allow-deletions` で確認します)。",
            f"{last['folder']}: {last['deletions_waiting']} deletions wait for confirmation "
            "(look with `ingest plan`, confirm with `ingest run --allow-deletions`).",
        )
    if last["skipped_by_rule"]:
        by_rule = ", ".join(f"{rule} {count:,}" for rule, count in last["skipped_by_rule"].items())
        say(
            f"{last['folder']}: 規則により飛ばしたもの: {by_rule}(`ingest plan` が名前を示します)",
            f"{last['folder']}: left out by rule: {by_rule} (`ingest plan` names them)",
        )
    if last["error"]:
        typer.echo(f"  ! {last['folder']}: {in_callers_language(last['error'])}")


def _print_warnings(warned: Sequence[Mapping[str, Any]]) -> None:
    """Each warning once, with what it means and what to do, and its first documents."""
    by_warning: dict[str, list[str]] = {}
    for document in warned:
        for code in document["warnings"]:
            by_warning.setdefault(code, []).append(document["path"])
    for code, paths in by_warning.items():
        ja, en = _named(WARNINGS, code)
        say(f"  ? {code}({len(paths):,} 件): {ja}", f"  ? {code} ({len(paths):,}): {en}")
        for path in paths[:WARNED_LISTED]:
            typer.echo(f"      {path}")
        if len(paths) > WARNED_LISTED:
            more = len(paths) - WARNED_LISTED
            say(
                f"      … ほか {more:,} 件(すべては `ingest receipts --csv`)",
                f"      … and {more:,} more (all of them: `ingest receipts --csv`)",
            )
