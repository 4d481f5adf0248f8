"""`ingest rebuild | switch | rollback | generations`: what the admin does with generations, and what is said about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from assistant.domain import Job
from assistant.generation import Generation, GenerationState
from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import EXIT_FAILED, caller_language, progress_bar, telling_errors
from ingest.generations import Build, compare_with_active, drop_beside, roll_back, switch
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.lock import ingestion_lock, waiting_for_rest
from ingest.report import say
from ingest.rules import Rule, canary_rules, read_rules

LISTED = 20
"""Names that are listed one by one; all are counted, and `--json` prints all."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
StoresOf = Callable[[Settings], Stores]
ParserOf = Callable[[Settings], ParserProcess]


def add_to(app: typer.Typer, stores_of: StoresOf, parser_of: ParserOf) -> None:
    """Adds the commands; how stores and parser are opened is the entry point's."""
    app.command(name="rebuild")(_rebuild_command(stores_of, parser_of))
    app.command(name="switch")(_switch_command(stores_of))
    app.command(name="rollback")(_rollback_command(stores_of))
    app.command(name="generations")(_generations_command(stores_of))


def _rebuild_command(stores_of: StoresOf, parser_of: ParserOf) -> Callable[..., None]:
    def rebuild(
        *,
        no_switch: Annotated[bool, typer.Option("--no-switch", help="Build and compare only.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Switch even if the new generation finds less.")] = False,
        as_json: Json = False,
    ) -> None:
        """Builds a new generation beside the old one, compares both, and switches unless the new one is worse.

        With the configured embedder, from the ledger; files are read only where the pipeline is another one. Answers
        keep coming from the old generation until the switch; killed, a second call goes on. Worse means fewer golden or
        probe questions answered among the first five passages; then the exit code is 1, and nothing was switched. While
        another ingestion is at work, it says which one and waits for its end.
        """
        with telling_errors():
            settings = load_settings()
            configure_logs(settings.log_level)
            stores = stores_of(settings)
            with (
                waiting_for_rest(stores.ledger, settings.data_folder, _say_what_is_waited_for),
                parser_of(settings) as parser,
                progress_bar("rebuild") as bar,
            ):

                def progress(what: str, done: int, total: int) -> None:
                    bar.update(bar.task_ids[0], completed=done, total=total, what=what)

                def rules_of(root: Path) -> tuple[Rule, ...]:
                    return (*read_rules(settings.rules_file, root), *canary_rules(root, settings.data_folder))

                build = Build(stores, parser, rules_of, progress=progress)
                generation = build.build()
                comparison = compare_with_active(stores, generation, settings.modelfile.parent / "golden")
                is_worse = comparison.is_worse and not force
                is_first = stores.ledger.active_generation() is None
                if not is_worse and (is_first or not no_switch):
                    generation = switch(stores, is_forced=force)
                else:
                    generation = stores.ledger.generation_beside() or generation
            record = comparison.as_record()
            if as_json:
                kept = [{"path": path, "reason": reason} for path, reason in build.kept]
                typer.echo(json.dumps({"generation": generation.as_row(), **record, "kept": kept}, ensure_ascii=False))
            else:
                _print_kept(build.kept)
                _print_refused(record["refused"])
                print_comparison(record)
                _print_outcome(generation, is_worse=is_worse)
            if is_worse and not no_switch:
                raise typer.Exit(EXIT_FAILED)

    return rebuild


def _say_what_is_waited_for(job: Job | None) -> None:
    """On stderr, so that `--json` stays one object."""
    ja, en = "別の `ingest` コマンド", "another `ingest` command with the same data folder"
    if job is not None:
        progress = f"{job.counts['done']} / {job.counts['total']}" if job.counts.get("total") else "…"
        ja = f"{job.folder} の取り込み({job.kind}、{progress} 件、{job.requested_by})"
        en = f"the ingestion of {job.folder} ({job.kind}, {progress} files, {job.requested_by})"
    ja, en = (
        f"{ja} が終わるのを待っています。回答はそのまま出ます。Ctrl+C でやめられます。",
        f"Waiting for the end of {en}. Answers go on meanwhile; Ctrl+C gives up.",
    )
    typer.echo(ja if caller_language() == "ja" else en, err=True)


def _switch_command(stores_of: StoresOf) -> Callable[..., None]:
    def switch_generation(
        generation: Annotated[
            str | None, typer.Argument(help="Its id or the beginning of it; default the one.")
        ] = None,
        *,
        force: Annotated[bool, typer.Option("--force", help="Also to one that finds less.")] = False,
    ) -> None:
        """Answers come from the generation that `ingest rebuild` has built: one transaction, no restart.

        What changed since it was built is brought into it first. The former one is kept for `ingest rollback`.
        """
        with telling_errors():
            settings = load_settings()
            configure_logs(settings.log_level)
            with ingestion_lock(settings.data_folder):
                _print_active(switch(stores_of(settings), generation, is_forced=force))

    return switch_generation


def _rollback_command(stores_of: StoresOf) -> Callable[..., None]:
    def rollback(
        *,
        force: Annotated[
            bool, typer.Option("--force", help="Even if it cannot be brought up to date now; the next run does it.")
        ] = False,
    ) -> None:
        """Answers come from the previous generation again: one transaction, nothing is built anew.

        Documents that were deleted since stay deleted, changed ones keep their newest content.
        """
        with telling_errors():
            settings = load_settings()
            configure_logs(settings.log_level)
            with ingestion_lock(settings.data_folder):
                _print_active(roll_back(stores_of(settings), is_forced=force))

    return rollback


def _generations_command(stores_of: StoresOf) -> Callable[..., None]:
    def generations(
        *,
        drop_previous: Annotated[
            bool, typer.Option("--drop-previous", help="Give up the previous generation: no rollback any more.")
        ] = False,
        drop_candidate: Annotated[
            bool, typer.Option("--drop-candidate", help="Give up the one that was built and not switched to.")
        ] = False,
        as_json: Json = False,
    ) -> None:
        """The generations that have indexes: state, embedder, chunks, fitness, and how they compared."""
        with telling_errors():
            settings = load_settings()
            configure_logs(settings.log_level)
            stores = stores_of(settings)
            states = [GenerationState.PREVIOUS] * drop_previous
            states += [GenerationState.BUILDING, GenerationState.READY] * drop_candidate
            if states:
                with ingestion_lock(settings.data_folder):
                    for state in states:
                        drop_beside(stores, state)
            listed = _described(stores)
            if as_json:
                typer.echo(json.dumps(listed, ensure_ascii=False, indent=1))
            else:
                _print_generations(listed)

    return generations


def _described(stores: Stores) -> list[dict[str, Any]]:
    return [
        {
            **generation.as_row(),
            "chunks": len(stores.ledger.live_chunk_ids(is_beside=not generation.is_active)),
            "texts": len(stores.ledger.live_texts(is_beside=not generation.is_active)),
            "vectors": sum(1 for _ in stores.vectors.all_ids(generation.index_name)),
            "quality": quality,
        }
        for generation, quality in stores.ledger.generations()
    ]


def _print_generations(listed: list[dict[str, Any]]) -> None:
    table = Table("generation", "state", "embedder", "vectors", "fitness", "Hit@5 old → new", box=None)
    for entry in listed:
        fitness = ", ".join(f"{language} {share:.0%}" for language, share in sorted(entry["fitness"].items()))
        sets = (entry["quality"] or {}).get("sets", {})
        quality = ", ".join(
            f"{name} {some['old']['hit_at_5']:.2f} → {some['new']['hit_at_5']:.2f}" for name, some in sets.items()
        )
        table.add_row(
            entry["generation_id"][:10],
            entry["state"],
            entry["embedder_id"],
            f"{entry['vectors']:,} / {entry['texts']:,}",
            fitness or "-",
            quality or "-",
        )
    Console(highlight=False).print(table)
    if not listed:
        say("まだ世代がありません(`ingest run`)。", "There is no generation yet (`ingest run`).")


def print_comparison(record: dict[str, Any]) -> None:
    """The table of both generations, and the questions gained and lost by name."""
    if not record["sets"]:
        say("比べるための質問がありません。", "There are no questions to compare with.")
        return
    is_japanese = caller_language() == "ja"
    header = (
        ("質問", "", "今の世代", "新しい世代", "差") if is_japanese else ("questions", "", "old", "new", "difference")
    )
    table = Table(*header, box=None)
    for name, some in record["sets"].items():
        for metric, label in (("hit_at_1", "Hit@1"), ("hit_at_5", "Hit@5"), ("mrr", "MRR@10")):
            old, new = some["old"][metric], some["new"][metric]
            shown = f"{name} ({some['questions']})" if metric == "hit_at_1" else ""
            table.add_row(shown, label, f"{old:.3f}", f"{new:.3f}", f"{new - old:+.3f}")
    Console(highlight=False).print(table)
    for name, some in record["sets"].items():
        _print_doubts(name, some)
    for sign, names in (("+", record["gained"]), ("-", record["lost"])):
        for name in names[:LISTED]:
            typer.echo(f"  {sign} {name}")
        if len(names) > LISTED:
            typer.echo(f"  {sign} ... {len(names) - LISTED}")


def _print_doubts(name: str, some: dict[str, Any]) -> None:
    """What makes the comparison less than it seems: half of the search away, or the old generation not answering."""
    if some["problem"]:
        problem = some["problem"].splitlines()[0]
        say(
            f"{name}: 今の世代には質問できませんでした: {problem}", f"{name}: the old one could not be asked: {problem}"
        )
    degraded = some["degraded"]
    if degraded["old"] or degraded["new"]:
        say(
            f"{name}: 検索の半分だけで答えた質問: 今の世代 {degraded['old']}、新しい世代 {degraded['new']}",
            f"{name}: asked with half of the search away: old {degraded['old']}, new {degraded['new']}",
        )


def _print_kept(kept: list[tuple[str, str]]) -> None:
    if kept:
        say(
            f"{len(kept)} 件のファイルは今は読めず、前の版のままです。",
            f"{len(kept)} files could not be read just now and keep their version.",
        )
    for path, reason in kept[:LISTED]:
        typer.echo(f"  ! {path}: {reason}")


def _print_refused(paths: list[str]) -> None:
    if paths:
        say(
            f"{len(paths)} 件の文書に、新しい埋め込みモデルがベクトルにできない部分があります。その部分は語の一致だけで見つかります。",
            f"{len(paths)} documents have a part that the new embedder could not turn into numbers. Words alone find that part.",
        )
    for path in paths[:LISTED]:
        typer.echo(f"  ! {path}: embedding_refused")
    if len(paths) > LISTED:
        typer.echo(f"  ! ... {len(paths) - LISTED}")


def _print_outcome(generation: Generation, *, is_worse: bool) -> None:
    if generation.is_active:
        _print_active(generation)
    elif is_worse:
        say(
            "新しい世代は見つける力が低いため、切り替えていません。回答は今までの世代から出ます。"
            "それでも切り替えるには `ingest switch --force` を実行してください。",
            "The new generation finds less, so nothing was switched and answers come from the old one. "
            "To switch nevertheless: `ingest switch --force`.",
        )
    else:
        say(
            f"新しい世代 {generation.generation_id} ができました。`ingest switch` で切り替えます。",
            f"The new generation {generation.generation_id} is ready: `ingest switch` switches to it.",
        )


def _print_active(generation: Generation) -> None:
    say(
        f"回答は世代 {generation.generation_id}({generation.embedder_id})から出ます。`ingest rollback` で戻れます。",
        f"Answers come from generation {generation.generation_id} ({generation.embedder_id}). "
        "`ingest rollback` goes back.",
    )
