"""`assistant up | ask | search | evaluate`, and with the modules named *_commands.py
`doctor | backup | restore | keys | users | audit | canary | release | capacity`: the command line of the core."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from assistant import (
    backup_commands,
    canary_commands,
    doctor_commands,
    measure_commands,
    people_commands,
    prune_commands,
    release_commands,
)
from assistant.domain import Answer, Failed, Finished, Principal, Question, Token
from assistant.errors import QuestionError, QuestionTooLong, SettingsError, Text
from assistant.grammar import language_of
from assistant.host import commands as host_commands
from assistant.logs import configure_logs
from assistant.settings import Settings, load_settings
from assistant.terminal import caller_language, telling_errors
from assistant.wire import AnswerOut, PassageOut
from assistant.wiring import open_assistant

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Answers from the company's own documents.")

API = "http://127.0.0.1:8000"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsUser = Annotated[str, typer.Option("--as", help="User whose rights apply; default: only what everyone may read.")]


@app.command()
def up(
    only: Annotated[str, typer.Option(help="Parts to start, separated by commas: chroma,chat,api,ingest,ui.")] = "",
    demo: Annotated[bool, typer.Option("--demo", help="Choose everything for a first look; see `make demo`.")] = False,
) -> None:
    """Starts the stack as plain processes and stops all of it at Ctrl-C."""
    with telling_errors():
        from assistant.up import run  # what it needs takes a second to import, which a question need not wait for

        settings = load_settings()
        configure_logs(settings.log_level)
        run(settings, only=[name.strip() for name in only.split(",") if name.strip()], is_demo=demo)


@app.command(name="mcp")
def speak_mcp(
    key_file: Annotated[Path, typer.Option(help="File that holds the API key; readable by nobody else.")],
    api: Annotated[str, typer.Option(help="Address of the API, as https://assistant.example.co.jp/api.")] = API,
    language: Annotated[str, typer.Option(help="Language of messages: ja or en.")] = "ja",
) -> None:
    """Tools ask, search, read_document for programs that speak MCP, on standard input and output."""
    with telling_errors():
        if find_spec("mcp") is None:
            raise SettingsError(
                Text(ja="パッケージ mcp がありません。", en="The package mcp is not installed."),
                Text(ja="pip install 'company-assistant[mcp]'", en="pip install 'company-assistant[mcp]'"),
            )
        from assistant.tools import serve_stdio

        try:
            key = key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                Text(ja=f"キーのファイル {key_file} を読めません。", en=f"The key file {key_file} cannot be read."),
                Text(
                    ja="assistant keys create で作ったキーを入れてください。",
                    en="Put a key of assistant keys create there.",
                ),
            ) from error
        asyncio.run(serve_stdio(api, key, language="en" if language == "en" else "ja"))


@app.command(name="ask")
def ask_question(question: str, as_json: Json = False, as_user: AsUser = "") -> None:
    """One question through the one pipeline."""
    with telling_errors():
        settings = load_settings()
        configure_logs("error")
        asyncio.run(_ask(settings, question, as_json=as_json, as_user=as_user))


async def _ask(settings: Settings, text: str, *, as_json: bool, as_user: str) -> None:
    _check_question(text, settings.question_limit_characters)
    async with open_assistant(settings) as assistant:
        principal = _principal(as_user, assistant.ledger.groups_of(as_user))
        question = Question(text=text, language=language_of(text), principal=principal)
        async with aclosing(assistant.ask(question)) as events:
            async for event in events:
                if isinstance(event, Token) and not as_json:
                    print(event.text, end="", flush=True)
                elif isinstance(event, Failed):
                    raise event.error
                elif isinstance(event, Finished):
                    _print_answer(event.answer, as_json=as_json)


def _print_answer(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print(AnswerOut.from_domain(answer).model_dump_json(indent=1))
        return
    if answer.rewritten is not None:
        print(f"({answer.rewritten})")
    print("\n" + answer.text + "\n")
    for citation in answer.citations:
        page = f" p.{citation.page}" if citation.page is not None else ""
        print(f"[{citation.number}] {citation.path}{page}  「{citation.quote}」")
    for notice in answer.notices:
        print("! " + (notice.message_ja if answer.language == "ja" else notice.message_en))


@app.command()
def search(
    question: str, limit: Annotated[int, typer.Option(min=1, max=50)] = 8, as_json: Json = False, as_user: AsUser = ""
) -> None:
    """Retrieval only: the passages that an answer would be made from."""
    with telling_errors():
        settings = load_settings()
        configure_logs("error")
        asyncio.run(_search(settings, question, limit=limit, as_json=as_json, as_user=as_user))


async def _search(settings: Settings, text: str, *, limit: int, as_json: bool, as_user: str) -> None:
    _check_question(text, settings.question_limit_characters)
    async with open_assistant(settings) as assistant:
        principal = _principal(as_user, assistant.ledger.groups_of(as_user))
        question = Question(text=text, language=language_of(text), principal=principal)
        result = await assistant.search(question, limit=limit)
    if as_json:
        passages = [PassageOut.from_domain(passage).model_dump() for passage in result.passages]
        codes = [notice.code for notice in result.notices]
        timings = {"retrieve_seconds": result.retrieve_seconds}
        print(json.dumps({"passages": passages, "warnings": codes, "timings": timings}, ensure_ascii=False))
        return
    for passage in result.passages:
        page = f" p.{passage.page}" if passage.page is not None else ""
        print(f"{passage.rank:2}. {passage.path}{page}  {' > '.join(passage.heading_path)}")
        print("    " + passage.text[:120].replace("\n", " "))
    for notice in result.notices:
        print("! " + (notice.message_ja if question.language == "ja" else notice.message_en))


def _check_question(text: str, limit_characters: int) -> None:
    if not text.strip():
        raise QuestionError(
            Text(ja="質問が空です。", en="The question is empty."),
            Text(ja="知りたいことを一文で書いてください。", en="Write what you want to know in one sentence."),
        )
    if len(text) > limit_characters:
        raise QuestionTooLong(
            Text(
                ja=f"質問が長すぎます({len(text):,} 文字、上限 {limit_characters:,} 文字)。",
                en=f"The question is too long ({len(text):,} characters, at most {limit_characters:,}).",
            ),
            Text(ja="要点だけに短くしてください。", en="Shorten it to the point."),
        )


def _principal(user: str, groups: frozenset[str]) -> Principal:
    return Principal(name=user or "cli", groups=groups, via="cli")


@app.command()
def evaluate(
    question_set: Annotated[
        Path, typer.Argument(metavar="SET", help="modelfiles/golden, a YAML file, or a folder in BEIR's layout.")
    ],
    retrieval_only: Annotated[bool, typer.Option("--retrieval-only", help="Search alone; asks no model.")] = False,
    as_json: Json = False,
    against: Annotated[
        Path | None, typer.Option(help="A former run's --json output; prints what changed, question by question.")
    ] = None,
    documents: Annotated[
        Path | None, typer.Option(help="Ingest this folder into a deployment of its own first, and ask that one.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep that deployment in this folder: the next run embeds nothing again.")
    ] = None,
    baselines: Annotated[bool, typer.Option("--baselines", help="Also what other products do by default.")] = False,
) -> None:
    """Asks every question of a set and scores what comes back: Hit@5, Recall@5, nDCG@10, and the answers."""
    with telling_errors():
        from assistant.evaluating import Choices, run  # as above: a question need not wait for its imports
        from assistant.release.changes import changes, read_results
        from assistant.release.result_lines import result_lines

        settings = load_settings()
        configure_logs("error")
        former = read_results(against) if against is not None else None
        found = run(settings, Choices(question_set, retrieval_only, documents, keep, baselines))
        if former is not None:
            found["changes"] = changes(former, found)
        lines = [json.dumps(found, ensure_ascii=False, indent=1)] if as_json else result_lines(found, caller_language())
        print("\n".join(lines))


doctor_commands.add_to(app)
backup_commands.add_to(app)
people_commands.add_to(app)
app.add_typer(canary_commands.canary, name="canary")
measure_commands.add_to(app)
host_commands.add_to(app)
release_commands.add_to(app)
prune_commands.add_to(release_commands.release)


if __name__ == "__main__":
    app()
