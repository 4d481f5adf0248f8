"""An assistant whose asking is the real one: real ledger, real tantivy, real pipeline, over a fake embedder and model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from assistant import domain
from assistant.adapters.fake import FakeChatModel, FakeEmbedder, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.ask import Pipeline, ask, search
from assistant.ports import Turn
from assistant.retrieve import Indexes
from tests.api.canned import RULE, CannedAssistant, write_document


@dataclass
class WholeAssistant(CannedAssistant):
    """Answers from the documents that `whole_assistant` wrote."""

    pipeline: Pipeline | None = None

    async def ask(self, question: domain.Question, turn: Turn | None = None) -> AsyncGenerator[domain.Event, None]:
        """The real course of a question."""
        assert self.pipeline is not None
        self.questions.append(question)
        async with aclosing(ask(question, self.pipeline, turn)) as events:
            async for event in events:
                yield event

    async def search(self, question: domain.Question, *, limit: int) -> domain.SearchResult:
        """The real search."""
        assert self.pipeline is not None
        return await search(question, self.pipeline.indexes, limit=limit)


def whole_assistant(ledger: Ledger, folder: Path) -> WholeAssistant:
    """The assistant with three documents: two for everybody, and `役員/報酬.txt` for the board."""
    embedder, vectors = FakeEmbedder(), InMemoryVectorIndex()
    lexical = TantivyLexicalIndex(folder / "lexical")
    generation = ledger.create_generation(embedder_id=embedder.embedder_id, dimension=embedder.dimension)
    ledger.switch_generation(generation.generation_id)
    for path in ("人事/休暇.txt", "general/travel.txt", "役員/報酬.txt"):
        document_id = write_document(
            ledger, folder / "handbook", path, data=RULE.encode(), media_type="text/plain", encoding="utf-8"
        )
        if path.startswith("役員"):
            ledger.set_document_groups(document_id, ["board"])
        version_id = ledger.get_document(
            document_id, principal=domain.Principal("chie", frozenset({"board", domain.EVERYONE}))
        ).version_id
        chunk_id = f"{version_id}:00000"
        vectors.upsert(generation.index_name, [chunk_id], embedder.embed_documents([RULE]))
        lexical.write(generation.index_name, add=[(chunk_id, path, RULE)], delete=[])
    pipeline = Pipeline(
        indexes=Indexes(ledger=ledger, embedder=embedder, vectors=vectors, lexical=lexical),
        model=FakeChatModel(),
        release_id="r_1",
        num_predict=100,
        budget_tokens=3000,
        passages_limit=3,
    )
    return WholeAssistant(ledger, pipeline=pipeline)
