"""A company of four departments whose documents only they may read, with the real pipeline on real stores; for tests of access."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event

from assistant.adapters.fake import FakeEmbedder, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.adapters.open_questions import OpenQuestionsFile
from assistant.ask import Pipeline
from assistant.audit import Auditor
from assistant.domain import EVERYONE, Filters, Principal, Question
from assistant.embedders import Embedders
from assistant.generation import EmbedderSpec
from assistant.retrieve import Indexes
from assistant.settings import Door, Settings
from assistant.wiring import Assistant, OpenStores
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.pipeline import Run
from ingest.rules import Rule
from tests.api.canned import PROXY_SECRET, RunningServer

DEPARTMENTS = {"人事部": "aiko", "営業部": "ben", "役員": "chie"}
CAST = {name: Principal(name, frozenset({EVERYONE, group})) for group, name in DEPARTMENTS.items()}
CAST["dan"] = Principal("dan")
SUBJECTS = ("休暇", "旅費", "防災", "契約", "購買", "品質", "報酬")
RULES = tuple(Rule(f"{group}/**", groups=(group,)) for group in DEPARTMENTS)


@dataclass
class Planted:
    """One document with a title and a code word that are in no other."""

    group: str
    subject: str
    title: str = field(default_factory=lambda: "計画" + secrets.token_hex(4))
    canary: str = field(default_factory=lambda: "cw" + secrets.token_hex(6))
    document_id: str = ""

    @property
    def path(self) -> str:
        return f"{self.group}/{self.subject}-{self.title}.md"

    def text(self) -> str:
        return (
            f"# {self.title}\n\n{self.subject}の申請の期限は、{self.group}では3営業日前までとする。\n\n"
            f"{self.subject}の合言葉は {self.canary} とし、誰にも教えない。The code word of {self.subject} is {self.canary}.\n"
        )

    def words(self) -> set[str]:
        """What nobody but its readers may be told."""
        return {self.title, self.canary, self.path, self.document_id} - {""}


@dataclass
class Company:
    """A deployment in which each department has documents of its own, and everyone has some."""

    root: Path
    ledger: Ledger
    assistant: Assistant
    stores: Stores
    parser: ParserProcess
    planted: list[Planted]

    def ingest(self, *rules: Rule) -> None:
        """An ordinary run."""
        Run(self.stores, self.parser, rules or RULES).run(self.root)
        page, _ = self.ledger.list_documents(
            principal=Principal("all", frozenset({EVERYONE, *DEPARTMENTS})), limit=1000
        )
        ids = {document.path: document.document_id for document in page}
        for one in self.planted:
            one.document_id = ids.get(one.path, "")

    def write(self, *groups: str) -> None:
        """The documents of those groups as files."""
        for one in self.planted:
            if one.group in groups:
                path = self.root / one.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(one.text(), encoding="utf-8")

    def search(self, text: str, principal: Principal, filters: Filters = Filters()) -> Any:
        """What is found for the principal."""
        question = Question(text, "ja", principal, filters=filters)
        return asyncio.run(self.assistant.search(question, limit=8))

    def ask(self, text: str, principal: Principal) -> list[Any]:
        """All events of a question."""

        async def events() -> list[Any]:
            return [event async for event in self.assistant.ask(Question(text, "ja", principal))]

        return asyncio.run(events())

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement that the ledger's database is given, with lists of any length looking the same."""
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(re.sub(r"\?(, \?)+", "?…", statement))

        event.listen(self.ledger._engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.ledger._engine, "before_cursor_execute", note)


@contextmanager
def a_company(place: Path) -> Iterator[Company]:
    """An empty one."""
    root = place / "documents"
    root.mkdir(parents=True)
    ledger, embedder, vectors = Ledger.open(f"sqlite:///{place}/ledger.db"), FakeEmbedder(), InMemoryVectorIndex()
    lexical = TantivyLexicalIndex(place / "lexical")
    embedders = Embedders(embedder, EmbedderSpec("test", "fake"), lambda _: embedder)
    indexes = Indexes(ledger, embedder, vectors, lexical, embedders)
    pipeline = Pipeline(
        indexes=indexes, model=None, release_id="r", num_predict=64, budget_tokens=2000, passages_limit=8
    )
    opened = OpenStores(ledger, embedder, vectors, lexical, embedders=embedders, questions=OpenQuestionsFile(place))
    assistant = Assistant(ledger, pipeline, 4000, opened, Auditor("text", b""))
    planted = [Planted(group, subject) for group in (*DEPARTMENTS, "全社") for subject in SUBJECTS]
    stores = Stores(ledger, embedder, vectors, lexical)
    with ParserProcess(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as parser:
        yield Company(root, ledger, assistant, stores, parser, planted)
    ledger.close()


@contextmanager
def its_api(company: Company, **settings: Any) -> Iterator[RunningServer]:
    """The company's API; the cast is known to it by groups."""
    for group, name in DEPARTMENTS.items():
        company.ledger.set_groups(name, [group])
    given = {"door": Door(canary_hours=0), "documents_folder": company.root, "model_parallel": 4} | settings
    chosen = Settings(_env_file=None, proxy_secret=PROXY_SECRET, **given)
    with RunningServer(chosen, company.assistant) as running:  # type: ignore[arg-type]
        yield running
