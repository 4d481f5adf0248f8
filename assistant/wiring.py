"""Settings -> Assistant: the only place that chooses adapters. Everything below is handed plain values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

from assistant.adapters.breaker import Breaker, GuardedChatModel, GuardedEmbedder, seen_through
from assistant.adapters.ledger import Ledger
from assistant.adapters.open_questions import OpenQuestionsFile
from assistant.admission import Admission
from assistant.ask import Pipeline, ask
from assistant.audit import Act, Auditor, auditor_of
from assistant.backends import SecondModel
from assistant.domain import DependencyState, Event, Failed, Found, Passage, Question, SearchResult
from assistant.embedders import Embedders
from assistant.errors import AssistantError, StoreUnavailable, Text
from assistant.following import Following
from assistant.generation import EmbedderSpec
from assistant.pack import prompt_budget
from assistant.ports import Embedder, LexicalIndex, OpenQuestions, Reranker, Turn, VectorIndex
from assistant.release.content import read_content
from assistant.release.modelfile import parse_modelfile
from assistant.retrieve import Indexes, search
from assistant.settings import Settings
from assistant.wiring_models import chat_models, model_state
from assistant.wiring_releases import open_host, pipeline_of

RERANK_SECONDS = 5.0
"""A search waits this long for its reranking server, then keeps its own order and says so."""


SEARCHES_AT_ONCE = 8
"""Each has at most two threads at work at a time: more would only push each other aside on a usual machine."""
SEARCHES_WAITING = 256
"""A quarter of them of one user; at 50 ms each the last one waits two seconds."""


@dataclass(frozen=True)
class OpenStores:
    """The stores and the embedders of this deployment; `embedder` is the configured one."""

    ledger: Ledger
    embedder: Embedder
    vectors: VectorIndex
    lexical: LexicalIndex
    embedders: Embedders
    questions: OpenQuestions
    breaker: Breaker = field(default_factory=lambda: Breaker("embedder"))
    """Around every embedder that is a server's."""

    def embedder_in_use(self) -> Embedder:
        """The one of the active generation; before the first ingestion, the configured one. Reads the ledger."""
        generation = self.ledger.active_generation()
        return self.embedder if generation is None else self.embedders.of(generation)


@dataclass
class Assistant:
    """One deployment, ready to be asked; shared by all faces of a process."""

    ledger: Ledger
    pipeline: Pipeline
    question_limit_characters: int
    stores: OpenStores
    auditor: Auditor
    following: Following | None = None
    """Which release answers; None: `pipeline` does, whatever the ledger says."""

    @property
    def release_id(self) -> str:
        """The contents of `modelfiles/` that answers come from."""
        return self.pipeline.release_id

    @property
    def breakers(self) -> list[Breaker]:
        """The breakers around the servers that this deployment asks."""
        second = self.pipeline.second
        models = [self.pipeline.model, None if second is None else second.model]
        return [self.stores.breaker, *(model.breaker for model in models if isinstance(model, GuardedChatModel))]

    @property
    def chat_model_name(self) -> str:
        """The chat model's name, or `quotes`."""
        return self.pipeline.model.name if self.pipeline.model is not None else "quotes"

    async def ask(self, question: Question, turn: Turn | None = None) -> AsyncGenerator[Event, None]:
        """Events of one question; closing the generator frees the model. Without a turn it is not queued."""
        with self.answering():
            question, pipeline = await self._standing(question)
            async with aclosing(ask(question, pipeline, turn)) as events:
                async for event in events:
                    if isinstance(event, Found):
                        try:
                            await self._audit(Act.ASKED, question, event.passages)
                        except StoreUnavailable as error:
                            yield Failed(error)
                            return
                    yield event

    async def _standing(self, question: Question) -> tuple[Question, Pipeline]:
        """What answers the question: it stays the same to its end, whatever is published meanwhile."""
        if self.following is None:
            return question, self.pipeline
        question, pipeline = await self.following.of_question(question)
        self.pipeline = self.following.current
        return question, pipeline

    async def of_release(self, release_id: str) -> Assistant:
        """The same deployment answering with another release. Raises NotFound."""
        if self.following is None:
            return self
        return replace(self, pipeline=await self.following.of_release(release_id), following=None)

    async def rehearsing(self, release_id: str | None) -> Assistant:
        """The same, leaving no answers behind, for comparisons; None: what answers now. Raises NotFound."""
        if self.following is None:
            return self
        return replace(self, pipeline=await self.following.rehearsing(release_id), following=None)

    def answering(self) -> AbstractContextManager[None]:
        """Held while a question is under way, queues included: ingestion waits meanwhile."""
        return self.stores.questions.answering()

    async def search(self, question: Question, *, limit: int) -> SearchResult:
        """Passages alone. Raises StoreUnavailable when no index answers, Overloaded when too many are searched for."""
        with self.answering():
            _, pipeline = await self._standing(question)
            found = await search(question, pipeline.indexes, limit=limit)
            await self._audit(Act.SEARCHED, question, found.passages)
            return found

    async def _audit(self, act: Act, question: Question, passages: Sequence[Passage]) -> None:
        """Writes who was shown what before it is shown; what cannot be audited is not shown. Raises StoreUnavailable."""
        entry = self.auditor.entry_of(act, question, (passage.document_id for passage in passages))
        await asyncio.to_thread(self.ledger.record, entry)

    async def readiness(self) -> list[DependencyState]:
        """Each dependency as seen just now; a store that is away is `fail`, a model that is away `warn` (quotes)."""
        stores = self.stores
        if self.following is not None:
            await self.following.refresh()
            self.pipeline = self.following.current
        checks = [
            asyncio.to_thread(_state, "ledger", stores.ledger.counts_of_truth),
            asyncio.to_thread(_state, "vectors", stores.vectors.check),
            asyncio.to_thread(_state, "embedder", lambda: stores.embedder_in_use().check()),
        ]
        states = list(await asyncio.gather(*checks))
        if self.pipeline.model is not None:
            states.append(await model_state("model", self.pipeline.model))
        if self.pipeline.second is not None:
            states.append(await model_state("second", self.pipeline.second.model))
        states = [seen_through(state, self.breakers) for state in states]
        if self.following is not None:
            states.append(await self.following.state())
        if problem := await asyncio.to_thread(stores.questions.problem):
            states.append(_cannot_yield(problem))
        return states


def open_ledger(settings: Settings) -> Ledger:
    """The ledger alone, for commands that need no index. Raises SettingsError, StoreUnavailable."""
    data = settings.data_folder
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            Text(ja=f"データフォルダ {data} を作れません。", en=f"The data folder {data} cannot be made."),
            Text(
                ja="ASSISTANT_DATA_FOLDER と権限を確認してください。", en="Check ASSISTANT_DATA_FOLDER and permissions."
            ),
        ) from error
    return Ledger.open(settings.database_url or f"sqlite:///{data.resolve() / 'ledger.db'}")


def open_stores(settings: Settings) -> OpenStores:
    """Ledger, indexes and embedder. Raises SettingsError, StoreUnavailable."""
    from assistant.adapters.chroma import ChromaVectorIndex
    from assistant.adapters.lexical import TantivyLexicalIndex

    data = settings.data_folder
    ledger = open_ledger(settings)
    lexical = TantivyLexicalIndex(data / "lexical")
    active = ledger.active_generation()
    if active is not None:
        lexical.adopt(active.index_name)
    spec = _configured_spec(settings)
    breaker = Breaker("embedder")
    embedder = _embedder(settings, spec, breaker)
    return OpenStores(
        ledger=ledger,
        embedder=embedder,
        vectors=ChromaVectorIndex(url=settings.chroma_url),
        lexical=lexical,
        embedders=Embedders(embedder, spec, lambda other: _embedder(settings, other, breaker)),
        questions=OpenQuestionsFile(data),
        breaker=breaker,
    )


@asynccontextmanager
async def open_assistant(settings: Settings) -> AsyncIterator[Assistant]:
    """The whole deployment; closed at the end. Raises SettingsError, ModelfileInvalid, StoreUnavailable."""
    content = read_content(settings.modelfile)
    modelfile = parse_modelfile(content.modelfile)
    stores = await asyncio.to_thread(open_stores, settings)
    models = chat_models(settings, modelfile)
    pipeline = Pipeline(
        indexes=Indexes(
            stores.ledger,
            stores.embedder,
            stores.vectors,
            stores.lexical,
            stores.embedders,
            reranker=_reranker(settings),
            tuning=content.tuning,
            searches=Admission(
                parallel=SEARCHES_AT_ONCE,
                queue_limit=SEARCHES_WAITING,
                user_running=SEARCHES_AT_ONCE // 2,
                user_waiting=SEARCHES_WAITING // 4,
            ),
        ),
        model=models.first,
        second=None if models.second is None else SecondModel(models.second, settings.second.share_percent),
        release_id=content.release_id,
        num_predict=settings.num_predict,
        budget_tokens=prompt_budget(
            num_ctx=models.num_ctx, num_predict=settings.num_predict, prompt_limit_tokens=settings.prompt_limit_tokens
        ),
        passages_limit=content.tuning.passages or settings.passages_limit,
        asks_first=content.tuning.asks_first,
        refuses_from=content.tuning.refuses_from(),
    )
    try:
        auditor = auditor_of(settings.audit.questions, data_folder=settings.data_folder)
        following = Following(
            stores.ledger,
            pipeline,
            lambda release: pipeline_of(release, settings, pipeline),
            host=open_host(settings),
            alias=settings.chat_model,
        )
        assistant = Assistant(stores.ledger, pipeline, settings.question_limit_characters, stores, auditor, following)
        await following.refresh()
        assistant.pipeline = following.current
        yield assistant
    finally:
        stores.ledger.close()


def _state(name: str, check: Callable[[], object]) -> DependencyState:
    try:
        check()
    except AssistantError as error:
        return DependencyState(name, "fail", error.message.en, error.hint.ja, error.hint.en)
    return DependencyState(name, "ok", "answers", "", "")


def _cannot_yield(problem: str) -> DependencyState:
    return DependencyState(
        "yielding",
        "warn",
        f"ingestion does not wait for questions: {problem}",
        "API と取り込みが同じデータフォルダに書き込めるか確かめてください。",
        "Check that the API and the ingestion share one data folder that both may write.",
    )


def _configured_spec(settings: Settings) -> EmbedderSpec:
    """The embedded embedder has one model; the setting names that of the others."""
    return EmbedderSpec(settings.embedder, "" if settings.embedder == "embedded" else settings.embed_model)


def _embedder(settings: Settings, spec: EmbedderSpec, breaker: Breaker) -> Embedder:
    """An embedder by its spec, at the addresses of the settings; one that is a server's is behind the breaker."""
    if spec.kind == "embedded":
        from assistant.adapters.embedded import EmbeddedEmbedder

        return EmbeddedEmbedder()
    if spec.kind == "openai":
        from assistant.adapters.openai_compatible import OpenAICompatibleEmbedder

        served = OpenAICompatibleEmbedder(url=settings.openai_url, model=spec.model, api_key=settings.openai_api_key)
        return GuardedEmbedder(served, breaker)
    from assistant.adapters.ollama import OllamaEmbedder

    return GuardedEmbedder(OllamaEmbedder(url=settings.ollama_url, model=spec.model), breaker)


def _reranker(settings: Settings) -> Reranker | None:
    if not settings.rerank_url:
        return None
    from assistant.adapters.reranker import HttpReranker

    address = urlsplit(settings.rerank_url)
    return HttpReranker(
        url=address._replace(query="").geturl(),
        model=parse_qs(address.query).get("model", [""])[0],
        api_key=settings.openai_api_key,
        timeout_seconds=RERANK_SECONDS,
    )
