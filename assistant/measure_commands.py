"""`assistant capacity measure | advise`: how many people the running stack serves, and how long a window they need."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from assistant.adapters.ollama_models import OllamaModels, installed_or_known
from assistant.capacity_commands import Json, Kv, capacity, print_found, write_text
from assistant.cost_commands import tell_cost
from assistant.errors import SettingsError, Text
from assistant.history import MEASURING
from assistant.host.memory import seen_gpus
from assistant.load import Course, HeadersOf, measure
from assistant.planning import advice_of, chat_model
from assistant.release.catalogue import catalogue
from assistant.release.context_advice import context_lines
from assistant.release.load_report import findings_lines, read_steps, report_object, report_page, report_picture
from assistant.release.load_steps import TARGET_SECONDS, Step, findings
from assistant.release.question_sets import read_question_set
from assistant.settings import Settings, load_settings
from assistant.terminal import EXIT_FAILED, caller_language, telling_errors
from assistant.wiring import open_ledger

STEPS = "1,2,4,8,16,32"
LEAST_QUESTIONS = 5
"""Fewer real questions than this are no mix: the model would have most of their prompts read already."""
MOST_QUESTIONS = 200


def measure_load(
    *,
    api: Annotated[str, typer.Option(help="Address of the API; by default ASSISTANT_API_URL.")] = "",
    key_file: Annotated[
        Path | None,
        typer.Option(help="File with an API key to ask with; without it, as people, by the proxy's secret."),
    ] = None,
    steps: Annotated[str, typer.Option(help="Users at once, separated by commas.")] = STEPS,
    questions: Annotated[
        Path | None, typer.Option(help="A question set. Default: what people asked last, else modelfiles/golden.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Questions in a step, at least two of each user.")] = 20,
    most_seconds: Annotated[float, typer.Option(min=1, help="No new question in a step after so long.")] = 300.0,
    target: Annotated[
        float, typer.Option(min=0.1, help="Seconds to the first token that 95 of 100 must keep.")
    ] = TARGET_SECONDS,
    people: Annotated[int, typer.Option(min=1, help="People who are to be served.")] = 10,
    against: Annotated[Path | None, typer.Option(help="A former run's JSON, of another setting or server.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write report.md, report.svg and report.json to this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Asks the running stack as 1, 2, 4 … 32 users at once and says for how many it is enough. People wait longer meanwhile."""
    with telling_errors():
        settings = load_settings()
        former = _former(against)
        if report is not None:
            _make(report)
        course = Course(api or settings.api_url, _mix(settings, questions), _users(steps), each, most_seconds, target)
        run = secrets.token_hex(8)
        headers_of = _with_key(key_file) if key_file is not None else _as_people(settings, run)
        begun = datetime.now(UTC)
        try:
            seen = asyncio.run(measure(course, headers_of, say=_say, done=_say_step))
        finally:
            if key_file is None:
                _forget(settings, run, max(course.users))
        found = findings(seen, target_seconds=target, wanted=people, parallel=settings.model_parallel, former=former)
        kept = report_object(seen, found, _about(settings, course, begun))
        if report is not None:
            language = caller_language()
            page = report_page(seen, found, kept["about"], picture="report.svg", language=language)
            write_text(report / "report.md", page)
            write_text(report / "report.svg", report_picture(seen, found, language))
            write_text(report / "report.json", json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
        print_found(kept, findings_lines(found, caller_language()), as_json=as_json)
        if found.people_about < people:
            raise typer.Exit(EXIT_FAILED)


def _make(folder: Path) -> None:
    """The report's folder, before anybody waits for a measurement that could not be written down."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            Text(ja=f"{folder} を作れません({error.strerror})。", en=f"{folder} cannot be made ({error.strerror})."),
            Text(
                ja="--report に書き込めるフォルダを指定してください。",
                en="Name a folder for --report that can be written.",
            ),
        ) from error


def _users(steps: str) -> list[int]:
    numbers = [each.strip() for each in steps.split(",") if each.strip()]
    if not numbers or not all(number.isdecimal() and int(number) for number in numbers):
        raise SettingsError(
            Text(ja=f"--steps {steps} が読めません。", en=f"--steps {steps} cannot be read."),
            Text(ja=f"{STEPS} のように書いてください。", en=f"Write it as {STEPS}."),
        )
    return sorted({int(number) for number in numbers})


def _mix(settings: Settings, given: Path | None) -> list[str]:
    """The questions to ask. Raises EvaluationFailed for a set that cannot be read."""
    if given is None:
        asked = [text for text, _ in open_ledger(settings).asked_lately(limit=MOST_QUESTIONS)]
        if len(asked) >= LEAST_QUESTIONS:
            return asked
        given = settings.modelfile.parent / "golden"
        _say(
            Text(
                ja=f"人の質問がまだ {len(asked)} 件なので、{given} の質問で測ります。",
                en=f"People have asked only {len(asked)} questions yet: those of {given} are asked.",
            )
        )
    return [asked.text for asked in read_question_set(given).questions if asked.after is None]


def _as_people(settings: Settings, run: str) -> HeadersOf:
    if not settings.proxy_secret:
        raise SettingsError(
            Text(ja="ASSISTANT_PROXY_SECRET がありません。", en="ASSISTANT_PROXY_SECRET is not set."),
            Text(
                ja="API と同じ設定で実行するか、`assistant keys create` のキーを --key-file で渡してください。",
                en="Run it with the API's own settings, or give a key of `assistant keys create` with --key-file.",
            ),
        )
    secret = settings.proxy_secret
    return lambda number: {"X-Forwarded-User": _measurer(run, number), "X-Proxy-Secret": secret}


def _measurer(run: str, number: int) -> str:
    """A user's name for this run alone: what they asked is erased at the end, so nobody may have had it before."""
    return f"{MEASURING}{run}-{number:02}"


def _with_key(file: Path) -> HeadersOf:
    try:
        key = file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(ja=f"キーのファイル {file} を読めません。", en=f"The key file {file} cannot be read."),
            Text(
                ja="`assistant keys create` のキーを入れてください。", en="Put a key of `assistant keys create` there."
            ),
        ) from error
    return lambda _number: {"Authorization": f"Bearer {key}"}


def _forget(settings: Settings, run: str, users: int) -> None:
    """What was asked for the measurement is no history of people."""
    ledger = open_ledger(settings)
    for number in range(users):
        ledger.erase_user(_measurer(run, number), by=f"cli:{getpass.getuser()}")


def _former(path: Path | None) -> list[Step]:
    if path is None:
        return []
    try:
        return read_steps(json.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            Text(ja=f"{path} は前回の測定ではありません。", en=f"{path} is no former measurement."),
            Text(ja="report.json を指定してください。", en="Give the report.json of one."),
        ) from error


def _about(settings: Settings, course: Course, begun: datetime) -> Mapping[str, Any]:
    cards = ", ".join(card.name for card in seen_gpus()) or "-"
    return {
        "date": f"{begun:%Y-%m-%d %H:%M} UTC",
        "api": str(httpx.URL(course.url).copy_with(userinfo=b"")),
        "model": settings.chat_model if settings.answers in ("ollama", "openai") else settings.answers,
        "parallel": settings.model_parallel,
        "questions": len(set(course.questions)),
        "processors": os.cpu_count(),
        "gpu": cards,
    }


def _say(text: Text) -> None:
    typer.echo(text.in_language(caller_language()), err=True)


def _say_step(step: Step) -> None:
    first = step.first_token_seconds(0.95)
    seen = "-" if first is None else f"{first:.2f} s"
    _say(
        Text(
            ja=f"{step.users} 人: 最初の文字 p95 {seen}、毎分 {step.answers_per_minute:.1f} 件",
            en=f"{step.users} users: first token p95 {seen}, {step.answers_per_minute:.1f} answers a minute",
        )
    )


def advise_window(
    *,
    days: Annotated[int, typer.Option(min=1, help="Questions of so many days.")] = 30,
    kv: Annotated[Kv, typer.Option(help="OLLAMA_KV_CACHE_TYPE.")] = Kv.Q8_0,
    model: Annotated[str, typer.Option(help="A model on Ollama or of the catalogue. Default: the chat model.")] = "",
    as_json: Json = False,
) -> None:
    """How long a window the questions of people really needed, and what another one saves or takes."""
    with telling_errors():
        settings = load_settings()
        models = OllamaModels(settings.ollama_url, connect_timeout_seconds=settings.connect_timeout_seconds)
        facts = installed_or_known(models, model or chat_model(settings, models), catalogue())
        found = advice_of(settings, open_ledger(settings), facts, days=days, kv_type=kv.value)
        print_found(vars(found), context_lines(found, caller_language()), as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Adds all commands of `assistant capacity`."""
    capacity.command("measure")(measure_load)
    capacity.command("advise")(advise_window)
    capacity.command("cost")(tell_cost)
    app.add_typer(capacity, name="capacity")
