"""A company that asks while an administrator changes releases: real ledger, real tantivy, the real course of a question, on a
host of models that a test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from assistant.adapters.ledger import Ledger
from assistant.admission import Admission
from assistant.ask import Pipeline, ask
from assistant.domain import EVERYONE, Answer, Failed, Finished, Principal, Question
from assistant.following import Following
from assistant.line import Crowd
from assistant.ports import ChatModel, ModelHost
from assistant.release.content import Edits, edited
from assistant.release.modelfile import parse_modelfile
from assistant.release.publish import Publisher
from assistant.releases import Content, Release
from tests.api.whole import whole_assistant

QUESTION = "年次有給休暇は何日前までに申請しますか?"
USERS = ("aiko", "ben", "chie", "dan", "emi")
SPARE_TOKENS = 16

ModelOf = Callable[[str, int, str], ChatModel]
"""Name on the host, window and SYSTEM -> what the pipeline asks."""


@dataclass
class Company:
    """Asking as the API does it, one question at the model at a time, and an administrator beside it."""

    ledger: Ledger
    following: Following
    publisher: Publisher
    seconds: float = 120.0
    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    has_news: asyncio.Event = field(default_factory=asyncio.Event)
    admission: Admission = field(default_factory=lambda: Admission(parallel=1, queue_limit=50))

    @property
    def folder(self) -> Content:
        """What answers before the first release."""
        return self.publisher.folder

    async def ask(self, user: str, *, conversation_id: str | None = None) -> Answer | None:
        """One question, to its end."""
        principal = Principal(user, groups=frozenset({EVERYONE}))
        question = Question(text=QUESTION, language="ja", principal=principal, conversation_id=conversation_id)
        question, pipeline = await self.following.of_question(question)
        with self.admission.turn(user, Crowd.PEOPLE) as turn:
            async with aclosing(ask(question, pipeline, turn)) as events:
                async for event in events:
                    if isinstance(event, Failed):
                        self.failures.append(event.error.code)
                    elif isinstance(event, Finished):
                        self.answers.append(event.answer)
                        self.has_news.set()
                        return event.answer
        return None

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Five people ask, again and again, until the block ends."""
        is_over = asyncio.Event()

        async def forever(user: str) -> None:
            while not is_over.is_set():
                await self.ask(user)

        askers = [asyncio.create_task(forever(user)) for user in USERS]
        try:
            yield
        finally:
            is_over.set()
            await asyncio.gather(*askers)

    def draft(self, **edits: object) -> str:
        """The id of a draft of the folder with these edits."""
        content = edited(self.folder, Edits(**edits))  # type: ignore[arg-type]
        return self.ledger.save_draft(content, by="chie", details={}).release_id

    async def until_answered_by(self, release_id: str, *, times: int = 3) -> None:
        """Returns when so many more answers came from that release."""
        wanted = self._count(release_id) + times
        async with asyncio.timeout(self.seconds):
            while self._count(release_id) < wanted:
                self.has_news.clear()
                await self.has_news.wait()

    def _count(self, release_id: str) -> int:
        return sum(one.release_id == release_id for one in self.answers)


def company_on(
    host: ModelHost, model_of: ModelOf, *, folder: Content, alias: str, path: Path, num_predict: int = 100
) -> Company:
    """A company whose three documents are in `path`; `alias` must be on the host and answer as `folder` says."""
    ledger = Ledger.open(f"sqlite:///{path / 'ledger.db'}")
    whole = whole_assistant(ledger, path).pipeline
    assert whole is not None

    def answering(content: Content, model: str) -> Pipeline:
        assert whole is not None
        modelfile = parse_modelfile(content.modelfile)
        num_ctx = modelfile.num_ctx or 0
        return replace(
            whole,
            model=model_of(model, num_ctx, modelfile.system),
            release_id=content.release_id,
            num_predict=num_predict,
            budget_tokens=num_ctx - num_predict - SPARE_TOKENS,
            passages_limit=content.tuning.passages or whole.passages_limit,
            indexes=replace(whole.indexes, tuning=content.tuning),
        )

    def build(release: Release) -> Pipeline:
        return answering(release.content, release.model or alias)

    following = Following(ledger, answering(folder, alias), build, host=host, alias=alias)
    return Company(ledger, following, Publisher(ledger, host, alias=alias, folder=folder))
