"""POST /ask and POST /search: a question on its way through the edge.

Checked, let in, answered, or ended by hang-up or shutdown:

            ┌ let in ─▶ ask() waits for its turn ─▶ events ┐
question ───┤ the caller hangs up ─────────────────────────┼─▶ events(): …, then exactly one Finished or Failed,
            └ the server stops ────────────────────────────┘             or nothing more when nobody listens

ask() runs in a task of its own, so that a silent model can be interrupted at once: cancelling the task closes ask(), which
frees the model. JSON, event stream and OpenAI's shape all consume `events`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request, Response

from api import examples, links
from api.deps import Asker, questions_per_minute, recheck_of
from api.edge import Edge, edge_of, log_fields, request_id_of
from api.errors import internal_error, invalid_field, shutting_down
from api.problems import caller_language, remember_question
from api.rights import ended
from api.stream import STATUS_HUNG_UP, ask_frames, open_stream, wants_events
from api.tracing import Course
from assistant import wire
from assistant.admission import crowd_of, user_of
from assistant.backends import MOVED_CODE
from assistant.domain import Answer, AnswerMode, Event, Failed, Filters, Finished, Found, Principal, Question, Token
from assistant.errors import AssistantError, Language, NotFound, Overloaded, QuestionError, QuestionTooLong, Text
from assistant.grammar import is_name_alone, language_of
from assistant.history import Exchange
from assistant.line import Crowd
from assistant.text import is_readable, without_control_characters

if TYPE_CHECKING:  # see api/edge.py
    from assistant.wiring import Assistant

router = APIRouter(tags=["questions"])

CHARACTERS_AHEAD = 1_000_000
"""Text kept for a slow reader before the model is made to wait for it: any real answer, so that whoever reads slowly holds
no place that others wait for."""
PRIORITY_HEADER = "X-Priority"
"""`background` lets everybody else go first: for evaluations and checks. Nobody can ask for more than their own."""
QUOTES = "quotes"
"""In place of a model's name where the answer is made of quotes."""
CLOSE_SECONDS = 5.0
"""How long an ended question may take to close its connections; normally milliseconds."""
SILENCE_SECONDS = 1.0
"""After this much silence `events` gives None: a heartbeat on a stream. The screen's stop button acts on heartbeats."""


def question_of(
    request: Request,
    text: str,
    *,
    principal: Principal,
    language: Literal["auto", "ja", "en"] = "auto",
    filters: Filters | None = None,
    conversation_id: str | None = None,
    earlier: tuple[Exchange, ...] = (),
    talk_key: str = "",
) -> Question:
    """The question as the pipeline takes it: control characters removed, language decided.

    Raises QuestionError for an empty, QuestionTooLong for a too long one, TooManyQuestions for one too soon.
    """
    edge = edge_of(request)
    remember_question(request, text)
    cleaned = without_control_characters(text).strip()
    if edge.settings.log_questions:
        log_fields(request)["question"] = cleaned
    if not cleaned:
        raise QuestionError(
            Text(ja="質問(question)が空です。", en="The question is empty."),
            Text(ja="知りたいことを文で書いてください。", en="Write what you want to know."),
        )
    limit = edge.assistant.question_limit_characters
    if len(cleaned) > limit:
        raise QuestionTooLong(
            Text(
                ja=f"質問(question)が {len(cleaned):,} 文字あり、上限の {limit:,} 文字を超えています。",
                en=f"The question has {len(cleaned):,} characters, more than the limit of {limit:,}.",
            ),
            Text(ja="要点にしぼって短くしてください。", en="Shorten it to its point."),
        )
    edge.rates.take(principal.name, per_minute=questions_per_minute(request))
    decided: Language = _language(request, cleaned) if language == "auto" else language
    return Question(
        text=cleaned,
        language=decided,
        principal=principal,
        filters=filters or Filters(),
        conversation_id=conversation_id,
        request_id=request_id_of(request),
        earlier=earlier,
        talk_key=talk_key,
    )


def _language(request: Request, text: str) -> Language:
    """The question's own; of one without letters (emoji, marks) the caller's, and so of a name alone where the caller tells it:
    whoever reads the screen in Japanese and asks 「VPN」 wants a Japanese answer."""
    if not is_readable(text):
        return caller_language(request)
    return caller_language(request, question=text) if is_name_alone(text) else language_of(text)


async def assistant_of(edge: Edge, release: str | None, principal: Principal) -> Assistant:
    """What answers: the published release, or for administrators another one that they name.

    Raises InvalidRequest for one that is not there, or not for this caller.
    """
    if release is None or release == edge.assistant.release_id:
        return edge.assistant
    if "admin" in principal.scopes:
        with suppress(NotFound):
            return await edge.assistant.of_release(release)
    raise invalid_field(
        "release",
        Text(ja="このリリースはありません。", en="There is no such release."),
        hint=Text(
            ja=f"release を省くか {edge.assistant.release_id} にしてください。",
            en=f"Leave release out, or send {edge.assistant.release_id}.",
        ),
    )


class _Ahead:
    """Events on their way to the reader; `put` waits while too much text is on the way.

    One future is waited for at a time, whatever may happen: at 2,000 tokens a second a task for each event, and a wait for
    four of them, took a quarter of a core (docs/lab-notes.md, 2026-11-26).
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._characters = 0
        self._has_room = asyncio.Event()
        self._has_news = asyncio.Event()
        self._is_woken = False

    async def put(self, event: Event) -> None:
        """Adds an event at the end."""
        while self._characters > CHARACTERS_AHEAD:
            self._has_room.clear()
            await self._has_room.wait()
        self._characters += len(event.text) if isinstance(event, Token) else 0
        self._events.append(event)
        self._has_news.set()

    def __bool__(self) -> bool:
        return bool(self._events)

    def wake(self, *_: object) -> None:
        """From now on `next` waits no more."""
        self._is_woken = True
        self._has_news.set()

    async def next(self, *, seconds: float) -> Event | None:
        """The next event as soon as there is one; None when it was woken without, or after `seconds`."""
        if not self._events and not self._is_woken:
            self._has_news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._has_news.wait()
        if not self._events:
            return None
        event = self._events.popleft()
        self._characters -= len(event.text) if isinstance(event, Token) else 0
        self._has_room.set()
        return event


class Asking:
    """One question being asked. Consume `events` once, or `answer`; closing the generator frees everything."""

    def __init__(self, request: Request, question: Question, assistant: Assistant | None = None) -> None:
        self._edge = edge_of(request)
        self._assistant = assistant or self._edge.assistant
        self._request = request
        self._question = question
        self._log = log_fields(request)
        self._started = time.perf_counter()
        self._crowd = crowd_of(
            question.principal, is_background=request.headers.get(PRIORITY_HEADER, "").lower() == Crowd.BACKGROUND
        )
        self._first_token_at: float | None = None
        self._course = Course()
        self._pieces = 0
        self._ahead = _Ahead()
        self.is_hung_up = False

    @property
    def has_more(self) -> bool:
        """Whether a further event waits already: the sender is behind, and had better send both at once."""
        return bool(self._ahead)

    async def answer(self) -> Answer | None:
        """The whole answer, or None when the caller left. Raises the error that ended the question."""
        async with aclosing(self.events()) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.answer
                if isinstance(event, Failed):
                    raise event.error
        return None

    async def events(self) -> AsyncGenerator[Event | None, None]:
        """The question's events; None after each SILENCE_SECONDS without one.

        Ends with exactly one Finished or Failed, or without when the caller hangs up.
        """
        queue = self._ahead
        open_question = ExitStack()
        open_question.enter_context(self._edge.assistant.answering())
        open_question.enter_context(self._edge.question())
        work = asyncio.create_task(self._work(queue))
        gone = asyncio.create_task(self._hung_up())
        ending = asyncio.create_task(self._ending())
        tasks = {work, gone, ending}
        for task in tasks:
            task.add_done_callback(queue.wake)
        try:
            while True:
                event = await queue.next(seconds=SILENCE_SECONDS)
                if gone.done():
                    self.is_hung_up = True
                    self._edge.metrics.hang_ups.inc()
                    self._log["ended"] = "hung up"
                    return
                if ending.done() and not isinstance(event, Finished | Failed):
                    event = Failed(ending.result())
                elif event is None and work.done():
                    event = Failed(self._unforeseen(work))
                self._note(event)
                yield event
                if isinstance(event, Finished | Failed):
                    return
        finally:
            open_question.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)

    async def _work(self, queue: _Ahead) -> None:
        """Is let in, and passes on what ask() says up to its end."""
        edge = self._edge
        try:
            with edge.admission.turn(user_of(self._question.principal), self._crowd) as turn:
                async with aclosing(self._assistant.ask(self._question, turn)) as events:
                    async for event in events:
                        if isinstance(event, Finished | Failed) and turn.admitted_at is not None:
                            waited = edge.metrics.queue_wait_seconds.labels(crowd=self._crowd.value)
                            waited.observe(turn.waited_seconds)
                        await queue.put(event)
                        if isinstance(event, Finished | Failed):
                            return
        except AssistantError as error:
            if isinstance(error, Overloaded):
                edge.metrics.queue_refusals.labels(bound="user" if error.is_own else "machine").inc()
            await queue.put(Failed(error))

    async def _ending(self) -> AssistantError:
        """Returns, with the reason, when the server stops or the caller's rights end, whatever comes first."""
        recheck = recheck_of(self._request)
        every_seconds = self._edge.settings.door.recheck_seconds
        rights = asyncio.create_task(ended(recheck, self._question.principal, every_seconds=every_seconds))
        closing = asyncio.create_task(self._edge.closing.wait())
        try:
            await asyncio.wait({rights, closing}, return_when=asyncio.FIRST_COMPLETED)
            return rights.result() if rights.done() else shutting_down()
        finally:
            rights.cancel()
            closing.cancel()

    async def _hung_up(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    def _unforeseen(self, work: asyncio.Task[None]) -> AssistantError:
        """The error for a question that ended without Finished or Failed; the log gets the cause."""
        cause = None if work.cancelled() else work.exception()
        self._edge.log.error(
            "a question ended without an end event", request_id=self._question.request_id, exc_info=cause
        )
        return internal_error()

    def _note(self, event: Event | None) -> None:
        metrics = self._edge.metrics
        if isinstance(event, Found):
            self._course.found_ns = time.time_ns()
        elif isinstance(event, Token):
            self._pieces += 1
            if self._first_token_at is None:
                self._first_token_at = time.perf_counter()
                metrics.first_token_seconds.observe(self._first_token_at - self._started)
        elif isinstance(event, Finished):
            answer = event.answer
            metrics.questions.labels(mode=answer.mode.value, refused=str(answer.refused).lower()).inc()
            metrics.answers.labels(model=answer.model if answer.mode is AnswerMode.GENERATED else QUOTES).inc()
            metrics.moves.inc(any(notice.code == MOVED_CODE for notice in answer.notices))
            metrics.retrieval_seconds.observe(answer.timings.retrieve_seconds)
            if self._first_token_at is not None and self._pieces > 1:
                writing_seconds = max(time.perf_counter() - self._first_token_at, 1e-3)
                metrics.tokens.inc(self._pieces)
                metrics.tokens_per_second.observe((self._pieces - 1) / writing_seconds)
            if self._edge.traces is not None:
                self._edge.traces.question(self._request.state.span, self._course, answer)
            self._log.update(
                mode=answer.mode.value,
                refused=answer.refused,
                citations=len(answer.citations),
                queue_seconds=round(answer.timings.queue_seconds, 3),
                model=answer.model,
                prompt_tokens=answer.context.prompt_tokens,
                answer_tokens=answer.context.answer_tokens,
            )


@router.post(
    "/ask",
    operation_id="ask",
    summary="Ask the documents a question",
    response_model=wire.AnswerOut,
    responses={
        200: {"content": examples.content("ANSWER") | examples.EVENT_STREAM, "links": links.ASKED},
        **examples.problems(401, 403, 413, 422, 429, 503, 504),
    },
    openapi_extra=examples.body("ASK"),
)
async def ask(body: wire.AskIn, request: Request, principal: Asker) -> wire.AnswerOut | Response:
    """The answer with its citations. `stream: true` or `Accept: text/event-stream` gives the events of the contract."""
    question = question_of(
        request,
        body.question,
        principal=principal,
        language=body.language,
        filters=body.filters.to_domain(),
        conversation_id=body.conversation_id,
    )
    asking = Asking(request, question, await assistant_of(edge_of(request), body.release, principal))
    if body.stream or wants_events(request):
        return await open_stream(request, asking, encode=ask_frames)
    answer = await asking.answer()
    return Response(status_code=STATUS_HUNG_UP) if answer is None else wire.AnswerOut.from_domain(answer)


@router.post(
    "/search",
    operation_id="search",
    summary="Find passages, without an answer",
    responses={
        200: {"content": examples.content("SEARCH_RESULT")},
        **examples.problems(401, 403, 413, 422, 429, 503),
    },
    openapi_extra=examples.body("SEARCH"),
)
async def search(body: wire.SearchIn, request: Request, principal: Asker) -> wire.SearchOut:
    """The passages that a question would be answered from, best first."""
    question = question_of(request, body.question, principal=principal, filters=body.filters.to_domain())
    edge = edge_of(request)
    found = await edge.assistant.search(question, limit=body.limit)
    edge.metrics.retrieval_seconds.observe(found.retrieve_seconds)
    log_fields(request)["passages"] = len(found.passages)
    return wire.SearchOut.from_domain(found, language=question.language)
