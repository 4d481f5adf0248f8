"""`assistant up`: what the person at the terminal sees while the stack starts, reads the folder, runs and stops.

choices of the demo -> parts start -> table of parts, address -> how far the folder is read -> Ctrl-C -> all stopped

Speaks on stderr in the shell's language; bars on a terminal, plain lines elsewhere. Starts no process itself
(assistant/stack.py does) and does not know what the parts are (assistant/parts.py does).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, get_args

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from assistant.adapters.ledger.engine import now as ledger_now
from assistant.demo import Announced, Answers, Told, choose, with_chat_file
from assistant.errors import Language, SettingsError, Text
from assistant.parts import completed, stack_parts
from assistant.reading import ReadingView
from assistant.settings import Settings
from assistant.stack import Part, Stack, State
from assistant.terminal import caller_language
from assistant.wiring import open_stores

ANSWERS: Final[tuple[Answers, ...]] = get_args(Answers)
STATES: Final[dict[State, Text]] = {
    "starting": Text(ja="起動中", en="starting"),
    "ready": Text(ja="準備完了", en="ready"),
    "died": Text(ja="異常終了(再起動します)", en="died (it is started again)"),
    "set_aside": Text(
        ja="データが壊れていて開けません。別名で残し、空で起動し直します(取り込みが台帳から作り直します)",
        en="its data cannot be opened: kept under another name, started empty (the ingestion writes it anew)",
    ),
    "stopped": Text(ja="停止", en="stopped"),
}
STARTING = Text(ja="起動しています", en="starting the parts")
STOPPING = Text(ja="停止しています…", en="stopping…")


def run(settings: Settings, *, only: Sequence[str], is_demo: bool) -> None:
    """Starts the stack and returns when Ctrl-C, SIGTERM or a closed terminal has stopped all of it.

    Raises SettingsError, FolderMissing, ModelMissing, ModelUnavailable, PartFailed; then nothing runs any more.
    """
    terminal = Terminal(caller_language())
    if is_demo:
        settings = _demo_settings(settings, terminal)
    elif settings.answers == "embedded" and (not only or "chat" in only):
        with terminal.downloading() as told:
            settings, _ = with_chat_file(settings, told=told, announced=terminal.say)
    if not only or {"api", "ui"} <= set(only):
        settings = completed(settings)
    parts = stack_parts(settings, only=only)
    stack = Stack(parts, data_folder=settings.data_folder.resolve(), told=terminal.told)
    stopping = _StopRequest(again=stack.hurry)
    since = ledger_now()
    try:
        with terminal.starting(len(parts)):
            is_up = stack.start(stopping)
        if is_up:
            terminal.show_stack(parts, stack.pids())
            if is_demo:
                _say_address(settings, terminal)
            with _reading(settings, terminal, since=since, is_shown=is_demo) as view:
                stack.watch(stopping, looked=view.looked if view is not None else lambda: None)
    finally:
        if stack.pids():
            terminal.say(STOPPING)
        stack.stop()


class _StopRequest:
    """True once Ctrl-C, SIGTERM or the terminal's end has asked for the end; `again` is called when one asks once more."""

    def __init__(self, *, again: Callable[[], None]) -> None:
        self._is_asked = False
        self._again = again
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._ask)

    def __call__(self) -> bool:
        return self._is_asked

    def _ask(self, *_: object) -> None:
        if self._is_asked:
            self._again()
        self._is_asked = True


class Terminal:
    """Sentences, bars and the table of parts on stderr."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._has_no_bars = not self.console.is_terminal
        self._bar: Progress | None = None
        self._started = time.monotonic()

    def say(self, text: Text) -> None:
        """One sentence; the terminal breaks it where it ends."""
        self.console.print(text.in_language(self.language), markup=False)

    def told(self, name: str, state: State) -> None:
        """What became of a part."""
        if state == "ready" and self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
            seconds = f" ({time.monotonic() - self._started:.1f} s)"
        elif state == "starting" and self._bar is not None:
            return
        else:
            seconds = ""
        self.console.print(f"[dim]{name:8}[/dim] {STATES[state].in_language(self.language)}{seconds}")

    @contextmanager
    def starting(self, count: int) -> Iterator[None]:
        """A bar of parts while they start."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._started = time.monotonic()
        with Progress(*columns, console=self.console, transient=True, disable=self._has_no_bars) as self._bar:
            self._bar.add_task(STARTING.in_language(self.language), total=count)
            try:
                yield
            finally:
                self._bar.remove_task(self._bar.task_ids[0])
        self._bar = None

    @contextmanager
    def downloading(self) -> Iterator[Told]:
        """A bar for the model file; it appears with the first bytes."""
        columns = (
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
            TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=self.console, disable=self._has_no_bars) as bar:
            task = bar.add_task("model", total=None, visible=False)

            def told(done_bytes: int, total_bytes: int, source: str) -> None:
                bar.update(task, completed=done_bytes, total=total_bytes, description=f"model ({source})", visible=True)

            yield told

    def show_stack(self, parts: Sequence[Part], pids: dict[str, int]) -> None:
        """What runs where."""
        table = Table("part", "pid", "where", box=None)
        for part in parts:
            table.add_row(part.name, str(pids[part.name]), part.where)
        self.console.print(table)


def _demo_settings(settings: Settings, terminal: Terminal) -> Settings:
    """What `make demo` chooses from ANSWERS, DOCS and PORT and from this machine; says it."""
    wanted = os.environ.get("ANSWERS") or "auto"
    answers = next((known for known in ANSWERS if known == wanted), None)
    if answers is None:
        raise SettingsError(
            Text(ja=f"ANSWERS={wanted} は使えません。", en=f"ANSWERS={wanted} is not allowed."),
            Text(ja="ollama, embedded, quotes のどれかにしてください。", en="Use ollama, embedded or quotes."),
        )
    port = os.environ.get("PORT") or str(settings.ui_port)
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise SettingsError(
            Text(ja=f"PORT={port} は使えません。", en=f"PORT={port} is not allowed."),
            Text(ja="1 から 65535 の数にしてください。", en="Use a number from 1 to 65535."),
        )
    documents = Path(os.environ.get("DOCS") or settings.documents_folder)
    announced: Announced = terminal.say
    with terminal.downloading() as told:
        choice = choose(
            settings, answers=answers, port=int(port), documents=documents, told=told, announced=announced
        )  # fmt: skip
    for text in (choice.reason, *choice.notes):
        terminal.say(text)
    return choice.settings


def _say_address(settings: Settings, terminal: Terminal) -> None:
    screen = f"http://{settings.ui_host}:{settings.ui_port}"
    terminal.say(
        Text(
            ja=f"\n画面: {screen}\n試す質問: 有給休暇はいつまでに申請しますか?\n終わるには Ctrl-C\n",
            en=f"\nOpen {screen}\nTry: 有給休暇はいつまでに申請しますか? / How do I connect to the VPN?\n"
            "Ctrl-C stops all of it\n",
        )
    )


@contextmanager
def _reading(settings: Settings, terminal: Terminal, *, since: str, is_shown: bool) -> Iterator[ReadingView | None]:
    if not is_shown:
        yield None
        return
    ledger = open_stores(settings).ledger
    view = ReadingView(
        ledger,
        terminal.console,
        language=terminal.language,
        since=since,
        status_command=_status_command(settings),
    )
    with contextlib.closing(ledger), contextlib.closing(view):
        yield view


def _status_command(settings: Settings) -> str:
    """`ingest status` for this very stack: the demo's choices are in no .env file."""
    variables = {
        "ASSISTANT_DATA_FOLDER": str(settings.data_folder),
        "ASSISTANT_CHROMA_URL": settings.chroma_url,
        "ASSISTANT_EMBEDDER": settings.embedder,
    }
    ingest = Path(sys.executable).with_name("ingest")
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in variables.items()), f"{ingest} status"])
