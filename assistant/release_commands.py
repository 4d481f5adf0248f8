"""`assistant release draft | evaluate | publish | rollback | canary | list | show`: tuning without fear, at the terminal."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.audit import Act, AuditEntry
from assistant.errors import SettingsError, Text
from assistant.logs import configure_logs
from assistant.release.compare import Compared, compare, golden, lines_of
from assistant.release.content import Edits, differences, edited, read_content
from assistant.release.publish import Bars
from assistant.release.question_sets import read_question_set
from assistant.releases import Content, Release, ReleaseEvent, Standing
from assistant.settings import Settings, load_settings
from assistant.terminal import caller_language, progress_bar, telling_errors
from assistant.wiring import open_assistant, open_ledger
from assistant.wiring_releases import publisher_of, start_canary

release = typer.Typer(no_args_is_help=True, help="Prompt, model and window as drafts: compared, published, taken back.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Why = Annotated[str, typer.Option("--why", help="Reason, for the history.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="r_…, or its beginning.")]
STEPS = {
    "make": Text(ja="モデルを作って確かめています", en="making the model, and comparing it with what was asked for"),
    "load": Text(ja="読み込んでいます", en="loading it"),
    "probes": Text(ja="試験の質問をしています", en="asking the probes"),
    "moved": Text(ja="切り替えました。もう一度確かめています", en="moved; looking once more"),
    "not restored": Text(
        ja="元のモデルは次の質問で読み込まれます", en="the former model is loaded by the next question"
    ),
    "alias not moved": Text(
        ja="モデルサーバー上の通称は古いままです", en="the usual name on the model server is the old one's"
    ),
}


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(release, name="release")


@release.command("draft")
def make_draft(
    *,
    base: Annotated[str, typer.Option("--from", help="Release to change; default: the folder modelfiles/.")] = "",
    system: Annotated[Path | None, typer.Option(help="File with the new SYSTEM text.")] = None,
    num_ctx: Annotated[int | None, typer.Option(help="Window in tokens.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Chance in choosing words, 0 to 2.")] = None,
    top_k: Annotated[int | None, typer.Option(help="How many words are chosen from.")] = None,
    passages: Annotated[int | None, typer.Option(help="Passages offered to the model.")] = None,
    meaning: Annotated[float | None, typer.Option(help="Weight of the search by meaning, 0 to 4.")] = None,
    words: Annotated[float | None, typer.Option(help="Weight of the search by words, 0 to 4.")] = None,
    asks_first: Annotated[bool | None, typer.Option(help="Ask the model first whether the passages say it.")] = None,
    refuses_from_ja: Annotated[
        float | None, typer.Option(help="Doubt, 0.01 to 1, from which it then refuses a Japanese question.")
    ] = None,
    refuses_from_en: Annotated[float | None, typer.Option(help="The same for an English one.")] = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Keeps what modelfiles/ says now, or a release with some values changed, as a draft. Nothing is asked of it yet."""
    with telling_errors():
        settings = _settings()
        ledger = open_ledger(settings)
        standing = ledger.standing()
        published = None if standing.release_id is None else ledger.release(standing.release_id)
        source = ledger.release(base) if base else None
        before = read_content(settings.modelfile) if source is None else source.content
        edits = Edits(
            _read(system), num_ctx, temperature, top_k, passages, meaning, words,
            asks_first, refuses_from_ja, refuses_from_en,
        )  # fmt: skip
        content = before if edits.is_empty else edited(before, edits)
        against = _answering(settings, published)
        changed = differences(against, content)
        based_on = source.release_id if source is not None else standing.release_id
        draft = ledger.save_draft(content, by=_me(), why=why, based_on=based_on, details={"differences": changed})
        if as_json:
            typer.echo(_json(_shown(draft, standing) | {"differences": changed}))
            return
        typer.echo(f"{draft.release_id}  {_state(draft, standing)}")
        typer.echo("\n".join(_difference_lines(changed)))


@release.command("evaluate")
def evaluate_draft(
    release_id: Id,
    *,
    question_set: Annotated[Path, typer.Option("--set", help="Golden questions.")] = Path("modelfiles/golden"),
    asked: Annotated[int, typer.Option(min=0, help="Real questions, the newest, to ask as well.")] = 20,
    limit: Annotated[int, typer.Option(min=0, help="At most so many golden questions; 0: all.")] = 0,
    as_json: Json = False,
) -> None:
    """Asks golden and real questions of the draft and of the published release: answers side by side, what changed."""
    with telling_errors():
        settings = _settings()
        found = asyncio.run(_evaluate(settings, release_id, question_set=question_set, asked=asked, limit=limit))
        typer.echo(_json(found) if as_json else "\n".join(lines_of(found)))


async def _evaluate(
    settings: Settings, release_id: str, *, question_set: Path, asked: int, limit: int
) -> dict[str, Any]:
    async with open_assistant(settings) as assistant:
        ledger = assistant.ledger
        draft = ledger.release(release_id)
        ledger.record(AuditEntry(Act.VIEWED, _me(), subject="release evaluate"))
        questions = golden(read_question_set(question_set).questions)[: limit or None]
        questions += [
            Compared(text, "ja" if language == "ja" else "en") for text, language in ledger.asked_lately(limit=asked)
        ]
        publisher = publisher_of(settings, ledger, told=_say)
        await publisher.adopted(by=_me())
        await publisher.make(draft)
        old, new = await assistant.rehearsing(None), await assistant.rehearsing(draft.release_id)
        with progress_bar("evaluate") as bar:
            found = await compare(
                questions,
                published=old.ask,
                draft=new.ask,
                told=lambda done, total: bar.update(bar.task_ids[0], completed=done, total=total),
            )
        found = {"release_id": draft.release_id, "against": old.release_id, **found}
        ledger.note_evaluated(draft.release_id, found, by=_me())
        return found


@release.command("publish")
def publish_release(
    release_id: Id,
    *,
    why: Why = "",
    least_speed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the published one's tokens a second that it must reach.")
    ] = Bars.least_speed_share,
    probe_seconds: Annotated[float, typer.Option(min=1, help="Longest answer to a probe.")] = Bars.probe_seconds,
    as_json: Json = False,
) -> None:
    """Makes the release, checks and tries it, and lets it answer from the next question on. Refused, nothing changes."""
    with telling_errors():
        settings = _settings()
        ledger = open_ledger(settings)
        bars = Bars(least_speed_share=least_speed, probe_seconds=probe_seconds)
        publisher = publisher_of(settings, ledger, bars=bars, told=_say)
        chosen = ledger.release(release_id)
        standing = asyncio.run(publisher.publish(chosen.release_id, by=_me(), why=why))
        event = ledger.release_events(chosen.release_id, limit=1)[0]
        if as_json:
            typer.echo(_json(asdict(standing) | {"seen": dict(event.details)}))
            return
        where = Text(ja="GPU に載っています", en="wholly on the GPU")
        if event.details.get("placed") == "cpu":
            where = Text(ja="CPU で動いています(GPU には載っていません)", en="on the CPU, not on a GPU")
        said = Text(
            ja=f"{standing.release_id} が回答します({where.ja})。戻すには `assistant release rollback`。",
            en=f"{standing.release_id} answers ({where.en}). `assistant release rollback` goes back.",
        )
        typer.echo(said.in_language(caller_language()))


@release.command("rollback")
def roll_back(*, why: Why = "", as_json: Json = False) -> None:
    """The former release answers again, from the next question on."""
    with telling_errors():
        settings = _settings()
        standing = asyncio.run(publisher_of(settings, open_ledger(settings)).rollback(by=_me(), why=why))
        said = Text(ja=f"{standing.release_id} に戻しました。", en=f"{standing.release_id} answers again.")
        typer.echo(_json(asdict(standing)) if as_json else said.in_language(caller_language()))


@release.command("canary")
def set_canary(
    release_id: Annotated[str, typer.Argument(metavar="ID", help="Release that gets a share; empty to look.")] = "",
    *,
    percent: Annotated[int, typer.Option(min=0, max=100, help="Share of the conversations; 0 ends it.")] = 10,
    as_json: Json = False,
) -> None:
    """Sends a share of the conversations to a release that passed its checks, and compares how answers went."""
    with telling_errors():
        settings = _settings()
        ledger = open_ledger(settings)
        standing = ledger.standing()
        if release_id:
            chosen = ledger.release(release_id)
            standing = asyncio.run(start_canary(settings, ledger, chosen, percent=percent, by=_me(), told=_say))
        names = [name for name in (standing.release_id, standing.canary_id) if name is not None]
        uses = ledger.uses_since(standing.canary_since or "9999", names)
        if as_json:
            typer.echo(_json(asdict(standing) | {"uses": [asdict(use) for use in uses]}))
            return
        for use in uses:
            share = standing.canary_percent if use.release_id == standing.canary_id else 100 - standing.canary_percent
            typer.echo(
                f"{use.release_id}  {share:3} %  " + "  ".join(f"{k} {v}" for k, v in list(asdict(use).items())[1:])
            )


@release.command("list")
def list_releases(*, as_json: Json = False) -> None:
    """Every release, the newest first, and what was done with them last."""
    with telling_errors():
        ledger = open_ledger(_settings())
        standing, found = ledger.standing(), ledger.releases()
        if as_json:
            events = [asdict(event) for event in ledger.release_events()]
            shown = [_shown(each, standing) for each in found]
            typer.echo(_json({"standing": asdict(standing), "releases": shown, "events": events}))
            return
        for each in found:
            typer.echo(
                f"{each.release_id}  {_state(each, standing):10}  {each.created_at[:16]}  {each.created_by}  {each.why}"
            )
        typer.echo("\n".join(["", *(_event_line(event) for event in ledger.release_events(limit=20))]))


@release.command("show")
def show_release(release_id: Id, *, as_json: Json = False) -> None:
    """What a release says, what is another than in the published one, and its history."""
    with telling_errors():
        settings = _settings()
        ledger = open_ledger(settings)
        standing, chosen = ledger.standing(), ledger.release(release_id)
        published = None if standing.release_id is None else ledger.release(standing.release_id)
        changed = differences(_answering(settings, published), chosen.content)
        events = ledger.release_events(chosen.release_id)
        if as_json:
            more = {"differences": changed, "events": [asdict(event) for event in events]}
            typer.echo(_json(_shown(chosen, standing) | more))
            return
        typer.echo(f"{chosen.release_id}  {_state(chosen, standing)}\n\n{chosen.content.modelfile.rstrip()}")
        typer.echo("\n".join(f"{name} {value}" for name, value in asdict(chosen.content.tuning).items()))
        typer.echo("\n".join(["", *_difference_lines(changed), "", *map(_event_line, events)]))


def _answering(settings: Settings, published: Release | None) -> Content:
    return read_content(settings.modelfile) if published is None else published.content


def _read(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8-sig").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(ja=f"{file} を読めません。", en=f"{file} cannot be read."),
            Text(ja="UTF-8 のテキストファイルを指定してください。", en="Name a text file in UTF-8."),
        ) from error


def _settings() -> Settings:
    configure_logs("error")
    return load_settings()


def _me() -> str:
    return f"cli:{getpass.getuser()}"


def _say(step: str) -> None:
    """A step, on stderr."""
    typer.echo("… " + STEPS[step].in_language(caller_language()), err=True)


def _state(one: Release, standing: Standing) -> str:
    if one.release_id == standing.release_id:
        return "published"
    return f"canary {standing.canary_percent} %" if one.release_id == standing.canary_id else one.state.value


def _shown(one: Release, standing: Standing) -> dict[str, Any]:
    return {**asdict(one), "state": _state(one, standing)}


def _difference_lines(changed: dict[str, Any]) -> Iterator[str]:
    for name, value in changed.items():
        if name == "SYSTEM":
            yield from ("  SYSTEM", *(f"    {line}" for line in value))
        else:
            yield f"  {name}: {value[0]} -> {value[1]}"


def _event_line(event: ReleaseEvent) -> str:
    return f"{event.at[:16]}  {event.actor}  {event.act}  {event.release_id}  {event.why}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
