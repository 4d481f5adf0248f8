"""Proof by asking: what can be found again is `indexed`, everything else is `warn` and says what was found instead.

Real files, the real parser process, tantivy and SQLite; the vectors lie in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.fake import FakeEmbedder, InMemoryVectorIndex
from assistant.adapters.ledger import Ledger
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.domain import EVERYONE, Principal
from assistant.errors import EmbedderUnavailable, StoreUnavailable, Text
from assistant.fuse import UNFIT_BELOW
from assistant.ports import Vectors
from assistant.reach import Reach
from ingest.generations import Build, compare_with_active, switch
from ingest.guard import ParserProcess
from ingest.index_sync import Stores
from ingest.pipeline import Run, RunReport
from ingest.prove import measure
from ingest.rules import Rule

AWAY = Text("止まっています。", "is away.")
SUBJECTS = "休暇 旅費 防災 契約 購買 品質 監査 設計 製造 輸送 保守 教育".split()  # noqa: SIM905
MORE_SUBJECTS = "給与 退職 健康 清掃 警備 駐車 寄付 広報 特許 商標 統計 翻訳".split()  # noqa: SIM905
ENGLISH_SUBJECTS = "leave travel purchase quality safety audit design transport".split()  # noqa: SIM905
MORE_ENGLISH = "training health parking security translation statistics archives catering".split()  # noqa: SIM905
BEN = Principal("ben")


class Embedder(FakeEmbedder):
    """Bags of words, which can go away, and which can be deaf to Japanese: every character then means the same."""

    is_away = False
    is_deaf = False

    @property
    def embedder_id(self) -> str:
        return f"{super().embedder_id},{'deaf' if self.is_deaf else 'hearing'}"

    async def embed_query(self, text: str) -> Vectors:
        if self.is_away:
            raise EmbedderUnavailable(AWAY, AWAY)
        return await super().embed_query(text)

    def _row(self, text: str) -> Vectors:
        return super()._row("".join(" unknown " if ord(c) > 127 else " " for c in text) if self.is_deaf else text)


class Lexical(TantivyLexicalIndex):
    """tantivy, whose searches can fail."""

    is_away = False

    async def search(
        self, index_name: str, text: str, *, limit: int, reach: Reach | None = None
    ) -> list[tuple[str, float]]:
        if self.is_away:
            raise StoreUnavailable(AWAY, AWAY)
        return await super().search(index_name, text, limit=limit, reach=reach)


@dataclass
class Place:
    """A folder and everything it is ingested into."""

    documents: Path
    stores: Stores
    embedder: Embedder
    lexical: Lexical
    run: Callable[..., RunReport]

    def write(self, path: str, text: str) -> None:
        """A file of the folder."""
        (self.documents / path).parent.mkdir(parents=True, exist_ok=True)
        (self.documents / path).write_text(text, encoding="utf-8")

    def receipts(self) -> dict[str, dict[str, Any]]:
        """Receipts by path."""
        return {receipt["path"]: receipt for receipt in self.stores.ledger.receipts()}

    def means(self) -> set[str]:
        """Languages of the active generation whose mean vector is known."""
        generation = self.stores.ledger.active_generation()
        assert generation is not None
        assert json.loads(json.dumps(generation.as_row()))["fitness"] == generation.fitness, "vectors are not printed"
        return set(generation.means)

    def fitness(self) -> dict[str, float]:
        """Of the active generation."""
        generation = self.stores.ledger.active_generation()
        assert generation is not None
        return dict(generation.fitness)


@pytest.fixture
def place(tmp_path: Path, parser: ParserProcess) -> Iterator[Place]:
    documents = tmp_path / "documents"
    documents.mkdir()
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    embedder, lexical = Embedder(), Lexical(tmp_path / "lexical")
    stores = Stores(ledger, embedder, InMemoryVectorIndex(), lexical, wait_seconds=0.0)

    def run(*rules: Rule) -> RunReport:
        return Run(stores, parser, rules).run(documents, allows_deletions=True)

    yield Place(documents, stores, embedder, lexical, run)
    ledger.close()


def regulation(subject: str) -> str:
    return (
        f"# {subject}規程\n\n## 第1条 目的\n\nこの規程は{subject}委員会と{subject}担当者の職務を明らかにする。\n\n"
        f"## 第2条 手続\n\n{subject}申請書は{subject}台帳に記入し、所属長の承認を受けてから総務課へ提出する。\n"
    )


def policy(subject: str, number: int) -> str:
    return (
        f"# {subject.title()} policy\n\n## Purpose\n\nThis policy tells who in the company is responsible for {subject}.\n\n"
        f"## Procedure\n\nRequests about {subject} are written into register {number} and approved by the head of the office.\n"
    )


def handbook(place: Place) -> None:
    for subject in SUBJECTS:
        place.write(f"{subject}.md", regulation(subject))


def whole_handbook(place: Place) -> None:
    """Enough passages for the mean of a language."""
    handbook(place)
    for subject in MORE_SUBJECTS:
        place.write(f"{subject}.md", regulation(subject))


def test_a_document_is_found_again_by_two_questions_of_its_own_and_becomes_indexed(place: Place) -> None:
    handbook(place)
    report = place.run()
    assert report.counts["not_found_again"] == 0
    for receipt in place.receipts().values():
        assert (receipt["status"], receipt["warnings"]) == ("indexed", [])
        assert [1 <= probe["rank"] <= 5 for probe in receipt["probes"]] == [True, True]


def test_one_of_fifty_copies_that_cannot_be_told_apart_is_a_warning_and_says_what_was_found_instead(
    place: Place,
) -> None:
    place.write("休暇.md", regulation("休暇"))
    for number in range(50):
        place.write(f"copy/{number:02}.txt", "the of and 1 2 3\n" * 5)
    report = place.run()
    copies = {path: receipt for path, receipt in place.receipts().items() if path.startswith("copy/")}
    lost = [receipt for receipt in copies.values() if receipt["status"] == "warn"]
    assert len(lost) == report.counts["not_found_again"] >= 40
    for receipt in lost:
        assert receipt["reason"] == "not_found_again"
        missed = [probe for probe in receipt["probes"] if probe["rank"] is None]
        assert missed
        assert all(path in copies for path in missed[0]["instead"])
    found = [receipt for receipt in copies.values() if receipt["status"] == "indexed"]
    assert all(probe["rank"] for receipt in found for probe in receipt["probes"])
    assert place.receipts()["休暇.md"]["status"] == "indexed"


def test_articles_that_share_their_headings_and_half_their_words_are_found_again_by_what_only_they_say(
    place: Place,
) -> None:
    manuals = "導入手引書 標準構成資料 運用保守要領 障害対応手順書 性能改善指針 監視設定一覧".split()  # noqa: SIM905
    reading = "\n\n".join(f"製品版の{name}を参照し、{other}と照合すること。" for name in manuals for other in manuals)
    for number, subject in enumerate(SUBJECTS + MORE_SUBJECTS):
        body = (
            f"{subject}管理画面表示異常、{subject}設定情報更新失敗、{subject}申請書類受付停止、{subject}台帳記録消失不具合。\n\n"
            + f"更新の{number + 3}回目に生じる。" * 40
        )
        place.write(f"{subject}.md", f"# {subject}の障害\n\n## 問題\n\n{body}\n\n## 関連資料\n\n{reading}\n")
    report = place.run()
    assert report.counts["not_found_again"] == 0
    questions = [probe["question"] for receipt in place.receipts().values() for probe in receipt["probes"]]
    assert not any(question.startswith("関連資料") for question in questions)


def test_one_of_many_copies_of_a_text_with_words_of_its_own_is_a_warning(place: Place) -> None:
    handbook(place)
    for number in range(12):
        place.write(f"copy/{number:02}.md", regulation("退職"))
    place.run()
    reasons = [receipt["reason"] for path, receipt in place.receipts().items() if path.startswith("copy/")]
    assert "not_found_again" in reasons
    assert place.receipts()["休暇.md"]["status"] == "indexed"


def test_a_proof_stays_what_was_asked_while_other_documents_come(place: Place) -> None:
    handbook(place)
    place.run()
    before = {path: receipt["probes"] for path, receipt in place.receipts().items()}
    for subject in MORE_SUBJECTS:
        place.write(f"{subject}.md", regulation(subject))
    place.run()
    after = place.receipts()
    assert {path: after[path]["probes"] for path in before} == before


def test_a_document_becomes_indexed_when_what_hid_it_is_gone(place: Place) -> None:
    for number in range(20):
        place.write(f"{number:02}.txt", "the of and 1 2 3\n")
    place.run()
    for number in range(3, 20):
        (place.documents / f"{number:02}.txt").unlink()
    place.run()
    assert {receipt["status"] for receipt in place.receipts().values()} == {"indexed"}


def test_a_run_that_ends_between_going_live_and_the_proof_leaves_a_warning_that_the_next_run_settles(
    place: Place,
) -> None:
    handbook(place)
    place.embedder.is_away = place.lexical.is_away = True
    with pytest.raises(EmbedderUnavailable):
        place.run()
    assert {(r["status"], r["reason"]) for r in place.receipts().values()} == {("warn", "not_asked_yet")}
    place.embedder.is_away = place.lexical.is_away = False
    place.run()
    assert {receipt["status"] for receipt in place.receipts().values()} == {"indexed"}


def test_not_being_found_while_half_the_search_is_away_proves_nothing(place: Place) -> None:
    for number in range(20):
        place.write(f"{number:02}.txt", "the of and 1 2 3\n")
    place.lexical.is_away = True
    place.run()
    reasons = {receipt["reason"] for receipt in place.receipts().values()}
    assert "not_asked_yet" in reasons
    assert "not_found_again" not in reasons


def test_a_document_that_nobody_may_read_is_a_warning(place: Place) -> None:
    handbook(place)
    place.run(Rule("休暇.md", groups=()))
    receipts = place.receipts()
    assert (receipts["休暇.md"]["status"], receipts["休暇.md"]["reason"]) == ("warn", "nobody_may_read")
    assert receipts["旅費.md"]["status"] == "indexed"


def test_the_name_of_a_document_that_was_found_instead_is_told_only_to_those_who_may_read_it(place: Place) -> None:
    for number in range(20):
        place.write(f"{number:02}.txt", "the of and 1 2 3\n")
    place.run()
    ledger = place.stores.ledger
    lost = next(receipt for receipt in place.receipts().values() if receipt["status"] == "warn")
    instead = lost["probes"][0]["instead"]
    for receipt in place.receipts().values():
        if receipt["path"] == instead[0]:
            ledger.set_document_groups(receipt["document_id"], ["board"])
    seen = ledger.receipt(lost["document_id"], principal=BEN)["probes"][0]["instead"]
    assert seen == instead[1:]
    chie = Principal("chie", groups=frozenset({EVERYONE, "board"}))
    assert ledger.receipt(lost["document_id"], principal=chie)["probes"][0]["instead"] == instead


def test_the_questions_of_a_deleted_document_are_forgotten(place: Place) -> None:
    handbook(place)
    place.run()
    (place.documents / "休暇.md").unlink()
    place.run()
    assert all("休暇" not in probe["question"] for _, probe in place.stores.ledger.asked_probes())
    with place.stores.ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM versions WHERE proof LIKE '%question%'").scalar() == 11


def test_the_fitness_of_a_generation_is_the_share_that_its_vectors_alone_find(place: Place) -> None:
    handbook(place)
    place.run()
    assert place.fitness().keys() == {"ja"}
    assert place.fitness()["ja"] > 0.9


def test_a_handful_of_documents_says_nothing_about_an_embedder(place: Place) -> None:
    place.write("休暇.md", regulation("休暇"))
    place.run()
    assert place.fitness() == {}


def test_an_embedder_that_is_deaf_to_japanese_is_measured_as_unfit_after_a_rebuild(
    place: Place, parser: ParserProcess
) -> None:
    handbook(place)
    place.run()
    place.embedder.is_deaf = True
    generation = Build(place.stores, parser).build()
    compare_with_active(place.stores, generation, place.documents / "no golden questions")
    switch(place.stores, is_forced=True)
    assert place.fitness()["ja"] < UNFIT_BELOW
    report = place.run()
    assert report.counts["not_found_again"] == 0


def test_the_fitness_is_measured_again_only_when_the_corpus_has_another_size(place: Place) -> None:
    handbook(place)
    place.run()
    ledger = place.stores.ledger
    generation = ledger.active_generation()
    assert generation is not None
    assert measure(place.stores, generation) is None
    for subject in MORE_SUBJECTS:
        place.write(f"{subject}.md", regulation(subject))
    place.run()
    measured = ledger.fitness(generation.generation_id)
    assert measured is not None
    assert measured["chunks"] == ledger.counts_of_truth()["chunks"]
    assert measured["ja"]["probes"] > 24


def test_the_mean_of_a_language_is_measured_where_it_has_enough_passages(place: Place) -> None:
    whole_handbook(place)
    place.run()
    assert place.means() == {"ja"}
    for number, subject in enumerate(ENGLISH_SUBJECTS + MORE_ENGLISH):
        place.write(f"{subject}.md", policy(subject, number))
    place.run()
    assert place.means() == {"ja", "en"}


def test_what_a_former_version_measured_without_means_is_measured_anew_by_a_run_that_changes_nothing(
    place: Place,
) -> None:
    whole_handbook(place)
    place.run()
    ledger = place.stores.ledger
    generation = ledger.active_generation()
    assert generation is not None
    measured = ledger.fitness(generation.generation_id)
    assert measured is not None
    ledger.save_fitness(generation.generation_id, {name: of for name, of in measured.items() if name != "means"})
    assert place.means() == set()
    place.run()
    assert place.means() == {"ja"}


def test_an_older_version_that_steps_back_behind_its_successor_was_found(place: Place) -> None:
    for year in range(2018, 2026):
        place.write(f"出張旅費規程_{year}年版.md", regulation("出張旅費"))
    place.run()
    receipts = place.receipts()
    assert {path: receipt["status"] for path, receipt in receipts.items()} == dict.fromkeys(receipts, "indexed")
    oldest = receipts["出張旅費規程_2018年版.md"]["probes"]
    assert [probe.get("gives_way") for probe in oldest] == [True, True]


def test_a_copy_that_steps_back_behind_its_original_was_found(place: Place) -> None:
    whole_handbook(place)
    copies = [f"出張旅費規程{mark}.md" for mark in (" (1)", " (2)", " - コピー", " - コピー (2)")]
    for path in ("出張旅費規程.md", *copies):
        place.write(path, regulation("出張旅費"))
    place.run()
    receipts = place.receipts()
    assert {path: receipt["status"] for path, receipt in receipts.items()} == dict.fromkeys(receipts, "indexed")
    assert any(probe.get("gives_way") for probe in receipts["出張旅費規程 - コピー.md"]["probes"])
