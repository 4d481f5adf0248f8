"""A folder, a real Chroma server, tantivy and SQLite, and embedders that differ: for tests of generations.

python -m tests.ingest.building PLACE CHROMA_URL    builds a second generation, slowly, until somebody kills it
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from assistant.adapters.chroma import ChromaVectorIndex
from assistant.adapters.embedding import TextRefused, embed_in_batches
from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.adapters.open_questions import OpenQuestionsFile
from assistant.ask import Pipeline
from assistant.audit import Auditor
from assistant.domain import Principal, Question
from assistant.embedders import Embedders
from assistant.generation import EmbedderSpec, Generation
from assistant.ports import Vectors
from assistant.quality import Comparison
from assistant.retrieve import Indexes
from assistant.wiring import Assistant, OpenStores
from ingest.generations import Build, compare_with_active
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.pipeline import Run, RunReport
from ingest.recipe import STANDARD, Recipe

PLAIN, TRANSLATING, SLOW, REFUSING = (
    EmbedderSpec("test", model) for model in ("plain", "translating", "slow", "refusing")
)
SMALL = Recipe(wanted_characters=120, limit_characters=300)
SUBJECTS = {
    "休暇": "leave",
    "旅費": "travel",
    "防災": "disaster",
    "契約": "contract",
    "購買": "purchase",
    "品質": "quality",
}


class Embedder(FakeEmbedder):
    """Bags of words; the translating one knows some English words, the slow one takes its time, the refusing one can make
    nothing of the seventh paragraph of what is about purchases. Counts its texts."""

    def __init__(self, spec: EmbedderSpec) -> None:
        super().__init__(dimension=192 if spec == PLAIN else 128)
        self.spec = spec
        self.embedded = 0

    @property
    def embedder_id(self) -> str:
        return f"test:{self.spec.model}"

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if self.spec == REFUSING and any("購買規程の第7項" in text for text in texts):
            embed_in_batches(texts, _refuse, model="refusing")
        self.embedded += len(texts)
        return super().embed_documents(texts)

    def _row(self, text: str) -> Vectors:
        if self.spec == SLOW:
            time.sleep(0.004)
        if self.spec == TRANSLATING:
            for japanese, english in SUBJECTS.items():
                text = text.replace(english, f" {japanese}規程 " * 4)
        return super()._row(text)


def _refuse(texts: list[str]) -> NoReturn:
    raise TextRefused("not a number")


def regulation(subject: str, articles: int = 12, days: int = 3) -> str:
    """A document of several chunks, more of them when cut small."""
    body = "\n\n".join(
        f"{subject}規程の第{number}項では、担当者は{subject}の申請書を{number + days}営業日前までに所属長へ提出し、"
        f"控えを{number}年間保管しなければならないと定める。期限を過ぎたときは理由書を添える。"
        for number in range(1, articles + 1)
    )
    return f"# {subject}規程\n\n{body}\n"


@dataclass
class Site:
    """One deployment: folder, stores, parser; `configured` is what the next generation is built with."""

    place: Path
    chroma_url: str
    parser: ParserProcess
    configured: EmbedderSpec = PLAIN
    recipe: Recipe = STANDARD
    made: dict[EmbedderSpec, Embedder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.place / "documents"
        self.root.mkdir(exist_ok=True)
        self.ledger = Ledger.open(f"sqlite:///{self.place}/ledger.db")
        self.vectors = ChromaVectorIndex(url=self.chroma_url)
        self.lexical = TantivyLexicalIndex(self.place / "lexical")

    def embedder(self, spec: EmbedderSpec) -> Embedder:
        """The one of that spec, made once."""
        return self.made.setdefault(spec, Embedder(spec))

    @property
    def stores(self) -> Stores:
        """As an ingestion with the present settings opens them."""
        embedders = Embedders(self.embedder(self.configured), self.configured, self.embedder)
        return Stores(
            self.ledger, embedders.configured, self.vectors, self.lexical, wait_seconds=5.0, embedders=embedders
        )

    def write(self, name: str, text: str) -> None:
        """A file of the folder."""
        (self.root / name).write_text(text, encoding="utf-8")

    def fill(self, articles: int = 12) -> None:
        """A regulation of each subject, ingested."""
        for subject in SUBJECTS:
            self.write(f"{subject}.md", regulation(subject, articles))
        self.run()

    def run(self) -> RunReport:
        """An ordinary run with the present settings."""
        return Run(self.stores, self.parser, recipe=self.recipe).run(self.root, allows_deletions=True)

    def build(self) -> tuple[Build, Generation]:
        """`ingest rebuild` without its end."""
        build = Build(self.stores, self.parser, recipe=self.recipe)
        return build, build.build()

    def rebuild(self) -> Comparison:
        """Builds and compares; nothing is switched."""
        _, generation = self.build()
        return compare_with_active(self.stores, generation, self.place / "golden")

    def assistant(self) -> Assistant:
        """What an API process holds, with a ledger and embedders of its own, opened with the present settings."""
        ledger = Ledger.open(f"sqlite:///{self.place}/ledger.db")
        embedders = Embedders(Embedder(self.configured), self.configured, Embedder)
        questions = OpenQuestionsFile(self.place)
        stores = OpenStores(
            ledger, embedders.configured, self.vectors, self.lexical, embedders=embedders, questions=questions
        )
        indexes = Indexes(ledger, embedders.configured, self.vectors, self.lexical, embedders)
        pipeline = Pipeline(
            indexes=indexes, model=None, release_id="r", num_predict=64, budget_tokens=2000, passages_limit=8
        )
        return Assistant(ledger, pipeline, 4000, stores, Auditor("none", b""))


async def found(assistant: Assistant, text: str, limit: int = 3) -> tuple[list[str], list[str]]:
    """(texts of the passages, codes of the notices) for a question of somebody."""
    result = await assistant.search(Question(text, "ja", Principal("ben")), limit=limit)
    return [passage.text for passage in result.passages], [notice.code for notice in result.notices]


if __name__ == "__main__":
    with ParserProcess(timeout_seconds=60, memory_bytes=2 << 30, file_limit_bytes=1 << 20) as running:
        Site(Path(sys.argv[1]), sys.argv[2], running, configured=SLOW, recipe=SMALL).build()
