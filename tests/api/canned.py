"""An assistant whose ask() follows a script, on a real ledger, behind a real uvicorn on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import uvicorn

from api.__main__ import Server
from api.logs import make_log
from api.main import create_app
from assistant import domain
from assistant.adapters.breaker import Breaker
from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import Ledger
from assistant.errors import AssistantError
from assistant.machine import Listening, Ran, Reply
from assistant.ports import NoLine, Turn
from assistant.settings import Settings

PROXY_SECRET = "between-nginx-and-api"
RULE = "年次有給休暇は、取得日の3営業日前までに申請する。"
PASSAGE = domain.Passage(
    chunk_id="v_1:00000",
    document_id="d_1",
    version_id="v_1",
    ordinal=0,
    title="休暇規程",
    folder="handbook",
    path="人事/休暇規程.txt",
    page=3,
    heading_path=("第2章", "第5条"),
    text=RULE,
    start=0,
    end=len(RULE),
    rank=1,
    score=0.03,
    used=True,
)
CITATION = domain.Citation(
    number=1,
    chunk_id=PASSAGE.chunk_id,
    document_id=PASSAGE.document_id,
    version_id=PASSAGE.version_id,
    title=PASSAGE.title,
    path=PASSAGE.path,
    page=3,
    heading_path=PASSAGE.heading_path,
    quote=RULE,
    start=0,
    end=len(RULE),
)
ANSWER = domain.Answer(
    text="取得日の3営業日前までに申請します [1]。",
    refused=False,
    reason=None,
    mode=domain.AnswerMode.GENERATED,
    language="ja",
    citations=(CITATION,),
    passages=(PASSAGE,),
    context=domain.ContextUse(num_ctx=8192, prompt_tokens=900, counted_by="model", passages_used=1, passages_dropped=0),
    notices=(),
    release_id="r_1",
    model="company-assistant",
    answer_id="a_1",
    conversation_id="c_1",
    request_id="",
    timings=domain.Timings(queue_seconds=0.0, retrieve_seconds=0.01, first_token_seconds=0.2, total_seconds=0.5),
)
FOUND = domain.Found((PASSAGE,))
GOOD_COURSE: tuple[Any, ...] = (
    FOUND,
    domain.Token("取得日の3営業日前までに"),
    domain.Token("申請します [1]。"),
    domain.Cited(CITATION),
    domain.Finished(ANSWER),
)
FOREVER = 3600.0
"""A silent prefill."""
FREED_SECONDS = 0.2
"""The contract: a client that leaves frees the model within this time."""


@dataclass
class CannedAssistant:
    """Plays `course` for each question: events are given, numbers are seconds of silence, errors are raised, and a
    threading.Event is waited for in silence."""

    ledger: Ledger
    course: Sequence[Any] = GOOD_COURSE
    states: list[domain.DependencyState] = field(default_factory=list)
    questions: list[domain.Question] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    closed_at: list[float] = field(default_factory=list)
    release_id: str = "r_1"
    chat_model_name: str = "company-assistant"
    question_limit_characters: int = 4000
    search_error: AssistantError | None = None
    breakers: list[Breaker] = field(default_factory=list)
    stores: Any = field(default_factory=lambda: SimpleNamespace(embedder_in_use=FakeEmbedder))

    async def ask(self, question: domain.Question, turn: Turn | None = None) -> AsyncGenerator[domain.Event, None]:
        """The course, whose rest after `found` needs the model; when it was closed is noted in `closed_at`."""
        turn = turn or NoLine()
        self.questions.append(question)
        try:
            for step in self.course:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, threading.Event):
                    await asyncio.to_thread(step.wait)
                elif isinstance(step, BaseException):
                    raise step
                elif isinstance(step, domain.Found):
                    yield step
                    while (outlook := await turn.outlook()) is not None:
                        yield outlook
                elif isinstance(step, domain.Finished):
                    self.answered.append(question.text)
                    turn.leave(is_whole=True)
                    yield domain.Finished(replace(step.answer, request_id=question.request_id))
                else:
                    yield step
        finally:
            self.closed_at.append(time.perf_counter())

    async def of_release(self, release_id: str) -> CannedAssistant:
        """The same course, if the ledger has that release. Raises NotFound."""
        return replace(self, release_id=self.ledger.release(release_id).release_id)

    def answering(self) -> contextlib.AbstractContextManager[None]:
        """Nobody ingests beside a canned assistant."""
        return contextlib.nullcontext()

    async def search(self, question: domain.Question, *, limit: int) -> domain.SearchResult:
        """The one passage, or the error."""
        self.questions.append(question)
        if self.search_error is not None:
            raise self.search_error
        return domain.SearchResult((PASSAGE,)[:limit], (), 0.01)

    async def readiness(self) -> list[domain.DependencyState]:
        """The states as set."""
        return self.states

    def wait_asked(self, *, count: int = 1, seconds: float = 60.0) -> None:
        """Returns when ask() was called `count` times."""
        deadline = time.perf_counter() + seconds
        while len(self.questions) < count:
            assert time.perf_counter() < deadline, "ask() was not called"
            time.sleep(0.002)

    def wait_closed(self, *, count: int = 1, seconds: float = 60.0) -> float:
        """When ask() was closed for the `count`-th time, by time.perf_counter()."""
        deadline = time.perf_counter() + seconds
        while len(self.closed_at) < count:
            assert time.perf_counter() < deadline, "ask() was never closed"
            time.sleep(0.002)
        return self.closed_at[count - 1]


def write_document(ledger: Ledger, root: Path, path: str, *, data: bytes, media_type: str, encoding: str | None) -> str:
    """A searchable document as an ingestion leaves it; its id."""
    location = root / path
    location.parent.mkdir(parents=True, exist_ok=True)
    location.write_bytes(data)
    folder = ledger.register_folder(root)
    source = domain.SourceFile(folder=folder, path=path, size_bytes=len(data), modified_ns=location.stat().st_mtime_ns)
    sha256 = hashlib.sha256(data).hexdigest()
    document_id, _ = ledger.begin_attempt(None, source, sha256=sha256)
    version_id = "v_" + hashlib.sha256(document_id.encode()).hexdigest()[:32]
    parsed = domain.ParsedDocument(
        title=Path(path).stem, text=RULE, elements=(), parser="test", media_type=media_type, encoding=encoding
    )
    chunk = domain.Chunk(0, RULE, 0, len(RULE), None, (), RULE)
    ledger.stage_version(
        document_id,
        version_id=version_id,
        sha256=sha256,
        pipeline_id="test",
        language="ja",
        parsed=parsed,
        chunks=[chunk],
        receipt={"parser": "test", "encoding": encoding},
    )
    ledger.activate_versions([(document_id, version_id, domain.DocumentStatus.INDEXED)])
    return document_id


class RunningServer:
    """The app on uvicorn in a thread; `log` holds its JSON lines."""

    def __init__(self, settings: Settings, assistant: CannedAssistant) -> None:
        self.assistant = assistant
        self._stream = io.StringIO()
        self.app = create_app(settings, assistant=assistant, log=make_log(settings, stream=self._stream))  # type: ignore[arg-type]
        self.app.state.edge.checkup.machine = BareMachine()  # whatever this machine has is left alone
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            self.app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=5, lifespan="on"
        )
        self._server = Server(config, edge=self.app.state.edge)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))

    def log(self, *, count: int) -> list[dict[str, Any]]:
        """The first `count` lines; a request's line is written just after its answer was sent."""
        deadline = time.perf_counter() + 60
        while self.log_text.count("\n") < count:
            assert time.perf_counter() < deadline, self.log_text
            time.sleep(0.005)
        return [json.loads(line) for line in self.log_text.splitlines()]

    @property
    def log_text(self) -> str:
        """Everything logged so far."""
        return self._stream.getvalue()

    @property
    def sends_at_once(self) -> bool:
        """Whether connections are told not to collect small pieces; they inherit it from the listener."""
        return bool(self._listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def client(self, *, user: str | None = "ben", **headers: str) -> httpx.Client:
        """A client that nginx would have let in as `user`."""
        identity = {} if user is None else {"X-Forwarded-User": user, "X-Proxy-Secret": PROXY_SECRET}
        return httpx.Client(base_url=self.url, headers=identity | headers, trust_env=False, timeout=20)

    def begin_stop(self) -> None:
        """What SIGTERM does."""
        self._server.should_exit = True

    def __enter__(self) -> RunningServer:
        self._thread.start()
        deadline = time.perf_counter() + 60
        while not self._server.started:
            assert time.perf_counter() < deadline
            assert self._thread.is_alive()
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self.begin_stop()
        self._thread.join(timeout=15)
        assert not self._thread.is_alive()
        self._listener.close()


class BareMachine:
    """A machine on which the doctor sees nothing at all, at once; see assistant/machine.py."""

    def run(self, *command: str) -> Ran | None:
        """No program."""
        del command

    def read(self, path: Path) -> bytes | None:
        """No file."""
        del path

    def read_all(self, pattern: str) -> list[str]:
        """No files."""
        del pattern
        return []

    def mode_of(self, path: Path) -> int | None:
        """No file."""
        del path

    def newest(self, pattern: str) -> datetime | None:
        """No file."""
        del pattern

    def ask(self, url: str, body: Any = None) -> Reply:
        """Nobody answers."""
        del url, body
        return Reply("refused")

    def listening(self) -> list[Listening] | None:
        """No table of sockets."""

    def free_bytes(self, folder: Path) -> int | None:
        """No disk."""
        del folder

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class ServerSentEvent:
    """One event as a client reads it; comments have the name `:`."""

    name: str
    number: int | None
    data: Any
    at: float


def events_of(response: httpx.Response) -> Iterator[ServerSentEvent]:
    """The events of a stream as they arrive."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line.startswith(":"):
            yield ServerSentEvent(":", None, line, time.perf_counter())
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            number = int(fields["id"]) if "id" in fields else None
            yield ServerSentEvent(
                fields.get("event", "message"), number, json.loads(fields["data"]), time.perf_counter()
            )
            fields = {}


class OpenStream:
    """An answer being streamed. Its reader lives as long as it does: httpx hangs up when a reader is dropped."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._events = events_of(response)

    def next(self) -> ServerSentEvent:
        """The next event or heartbeat."""
        return next(self._events)

    def rest(self) -> list[ServerSentEvent]:
        """Everything up to the end."""
        return list(self._events)


@contextlib.contextmanager
def asking(client: httpx.Client, question: str = "有給休暇の期限は?", **body: Any) -> Iterator[OpenStream]:
    """POST /ask as a stream; leaving the block hangs up."""
    with client.stream("POST", "/ask", json={"question": question, "stream": True, **body}) as response:
        yield OpenStream(response)
