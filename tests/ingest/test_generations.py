"""Two generations side by side with real parts: what answers, what is built, what a switch and a rollback bring."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.errors import EmbedderMismatch, GenerationError
from assistant.generation import GenerationState
from ingest.generations import compare_with_active, drop_beside, roll_back, switch
from ingest.guard import ParserProcess
from ingest.index_sync import compare
from tests.contracts.conftest import ChromaServer
from tests.ingest.building import PLAIN, REFUSING, SLOW, SMALL, SUBJECTS, TRANSLATING, Site, found, regulation

GOLDEN = [
    {"id": f"{english}-en", "question": f"{english} {english}", "expected_paths": [f"{japanese}.md"], "kind": "plain"}
    for japanese, english in SUBJECTS.items()
]
QUESTION = "休暇の申請書はいつまでに提出しますか"


@pytest.fixture
def site(tmp_path: Path, chroma: ChromaServer, parser: ParserProcess) -> Iterator[Site]:
    made = Site(tmp_path, chroma.url, parser)
    yield made
    made.ledger.close()


def is_equal_to_the_ledger(site: Site) -> bool:
    return all(
        difference.is_none
        for generation, _ in site.ledger.generations()
        for difference in compare(site.stores, generation).values()
    )


def active(site: Site) -> tuple[str, str]:
    generation = site.ledger.active_generation()
    assert generation is not None
    return generation.generation_id, generation.embedder_id


def test_another_embedder_answers_from_the_switch_on_and_no_longer_after_a_rollback(site: Site) -> None:
    site.fill()
    site.configured = TRANSLATING
    assistant = site.assistant()

    async def journey() -> None:
        old_id, _ = active(site)
        before = await found(assistant, QUESTION)
        assert before[1] == []
        assert await asyncio.to_thread(site.run)
        await asyncio.to_thread(site.rebuild)
        assert await found(assistant, QUESTION) == before
        in_english, _ = await found(assistant, "disaster disaster", limit=1)
        assert "防災" not in "".join(in_english)
        await asyncio.to_thread(switch, site.stores)
        assert active(site)[1] == "test:translating"
        in_english, notices = await found(assistant, "disaster disaster", limit=1)
        assert ("防災" in in_english[0], notices) == (True, [])
        await asyncio.to_thread(roll_back, site.stores)
        assert active(site) == (old_id, "test:plain")
        assert await found(assistant, QUESTION) == before

    asyncio.run(journey())
    assert is_equal_to_the_ledger(site)
    assistant.ledger.close()


def test_vectors_in_the_ledger_are_not_embedded_again_by_a_switch_back_and_forth(site: Site) -> None:
    site.fill()
    site.configured = TRANSLATING
    site.rebuild()
    switch(site.stores)
    counted = {spec: embedder.embedded for spec, embedder in site.made.items()}
    roll_back(site.stores)
    switch(site.stores)
    site.configured = PLAIN
    site.rebuild()
    assert {spec: embedder.embedded for spec, embedder in site.made.items()} == counted


def test_another_chunker_leaves_answers_alone_until_the_switch_and_runs_in_between_do_not_destroy_it(
    site: Site,
) -> None:
    site.fill()
    old_chunks = site.ledger.live_chunk_ids()
    site.recipe = SMALL
    build, _ = site.build()
    assert build.kept == []
    assert site.ledger.live_chunk_ids() == old_chunks
    small = site.ledger.live_chunk_ids(is_beside=True)
    assert len(small) > len(old_chunks)
    site.write("監査.md", regulation("監査"))
    site.write("契約.md", regulation("契約", days=50))
    (site.root / "購買.md").unlink()

    report = site.run()

    assert sorted(report.tried) == ["契約.md", "監査.md"]
    in_place = {i.partition(":")[0] for i in site.ledger.live_chunk_ids()}
    assert len(in_place & {i.partition(":")[0] for i in old_chunks}) == len(SUBJECTS) - 2
    compared = site.rebuild()
    assert not compared.is_worse
    switch(site.stores)
    documents = {outdated.path: outdated.pipeline_id for outdated in site.ledger.outdated("documents")}
    assert sorted(documents) == sorted([f"{subject}.md" for subject in SUBJECTS if subject != "購買"] + ["監査.md"])
    assert set(documents.values()) == {SMALL.pipeline_id}
    assert is_equal_to_the_ledger(site)
    assert site.run().tried == []

    roll_back(site.stores)

    assert site.run().tried == []
    assert is_equal_to_the_ledger(site)
    texts = "".join(chunk.embedding_text for chunk in site.ledger.live_chunks())
    assert ("51営業日" in texts, "購買規程" in texts, "監査規程" in texts) == (True, False, True)


def test_a_file_that_cannot_be_read_just_now_keeps_its_version_and_is_named(site: Site) -> None:
    site.fill()
    site.recipe = SMALL
    (site.root / "品質.md").unlink()
    site.write("防災.md", regulation("防災", days=9))
    build, _ = site.build()
    assert build.kept == [("品質.md", "No such file or directory"), ("防災.md", "changed")]
    pipelines = {o.path: o.other_pipeline_id for o in site.ledger.outdated("documents")}
    assert [path for path, pipeline in pipelines.items() if pipeline is None] == ["品質.md", "防災.md"]


def test_what_changes_after_the_switch_is_not_undone_by_a_rollback(site: Site) -> None:
    site.fill()
    site.configured, site.recipe = TRANSLATING, SMALL
    site.rebuild()
    switch(site.stores)
    (site.root / "旅費.md").unlink()
    site.write("休暇.md", regulation("休暇", days=70))
    site.write("監査.md", regulation("監査"))
    assert site.run().counts["delete"] == 1
    hidden = {
        chunk_id
        for generation, _ in site.ledger.generations()
        for chunk_id in site.lexical.all_ids(generation.index_name)
    }
    roll_back(site.stores)
    texts = "".join(chunk.embedding_text for chunk in site.ledger.live_chunks())
    assert ("旅費規程" in texts, "73営業日" in texts, "監査規程" in texts) == (False, True, True)
    assert "休暇の申請書を4営業日前" not in texts
    assert hidden <= site.ledger.live_chunk_ids() | site.ledger.live_chunk_ids(is_beside=True)
    assert is_equal_to_the_ledger(site)


def test_a_generation_that_finds_less_is_not_switched_to_unless_somebody_insists(site: Site) -> None:
    (site.place / "golden").mkdir()
    (site.place / "golden" / "own.yaml").write_text(json.dumps(GOLDEN, ensure_ascii=False), encoding="utf-8")
    site.configured = TRANSLATING
    for number in range(12):  # six of twenty would be among the first five by chance
        site.write(f"別表{number}.md", regulation(f"別表{number}", articles=4))
    site.fill()
    site.configured = PLAIN
    comparison = site.rebuild()
    record = comparison.as_record()
    assert record["sets"]["golden"]["questions"] == len(SUBJECTS)
    assert record["sets"]["golden"]["old"]["hit_at_5"] == 1.0
    assert comparison.is_worse
    assert "disaster-en" in record["lost"]
    assert record["gained"] == []
    with pytest.raises(GenerationError, match="finds less"):
        switch(site.stores)
    assert active(site)[1] == "test:translating"
    (_, none), (_, kept) = site.ledger.generations()
    assert (none, kept) == (None, json.loads(json.dumps(record)))
    switch(site.stores, is_forced=True)
    assert active(site)[1] == "test:plain"


def test_a_build_that_is_killed_goes_on_where_it_was(site: Site) -> None:
    site.fill(articles=50)
    process = subprocess.Popen([sys.executable, "-m", "tests.ingest.building", str(site.place), site.chroma_url])
    deadline = time.monotonic() + 100
    while not (known := embedded(site)):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    half_built = site.ledger.generation_beside()
    assert half_built is not None
    assert half_built.state is GenerationState.BUILDING
    with pytest.raises(GenerationError, match="not complete"):
        switch(site.stores)
    assert site.run().tried == []

    site.configured, site.recipe = SLOW, SMALL
    site.rebuild()

    ready = site.ledger.generation_beside()
    assert ready is not None
    assert (ready.generation_id, ready.state) == (half_built.generation_id, GenerationState.READY)
    assert site.embedder(SLOW).embedded == len(embedded(site) - known)
    assert known < embedded(site)
    assert is_equal_to_the_ledger(site)
    switch(site.stores, ready.generation_id[:8])


def embedded(site: Site) -> set[str]:
    """Hashes of the texts whose vectors of the slow embedder are in the ledger."""
    chunks = site.ledger.live_chunks(is_beside=True)
    return set(site.ledger.read_vectors("test:slow", [chunk.text_hash for chunk in chunks]))


def test_both_indexes_are_restored_from_the_ledger_alone(site: Site, tmp_path: Path) -> None:
    site.fill()
    generation = site.ledger.active_generation()
    assert generation is not None
    embedded_before = site.embedder(PLAIN).embedded
    site.vectors.drop(generation.index_name)
    site.lexical = TantivyLexicalIndex(tmp_path / "lexical")  # a file that is mapped into memory is not damaged lightly
    for file in (tmp_path / "lexical" / generation.index_name).glob("*.store"):
        file.write_bytes(b"")
    for file in site.root.iterdir():
        file.unlink()
    comparison = site.rebuild()
    assert comparison.as_record()["sets"]["probes"]["problem"]
    assert not comparison.is_worse
    switch(site.stores)
    assert site.embedder(PLAIN).embedded == embedded_before
    (restored, _), _ = site.ledger.generations()
    assert all(difference.is_none for difference in compare(site.stores, restored).values())
    site.write("監査.md", regulation("監査"))
    (site.root / "休暇.md").write_text(regulation("休暇", days=80), encoding="utf-8")
    assert site.run().counts["failed"] == 0  # the damaged index of the previous generation stops nobody


def test_a_text_that_the_new_embedder_refuses_stops_nothing_and_is_found_by_its_words(site: Site) -> None:
    site.fill()
    site.configured = REFUSING
    build, generation = site.build()
    comparison = compare_with_active(site.stores, generation, site.place / "golden")
    assert (build.kept, comparison.as_record()["refused"]) == ([], ["購買.md"])
    assert is_equal_to_the_ledger(site)
    asked = site.embedder(REFUSING).embedded
    switch(site.stores, is_forced=True)
    assert status(site) == {"購買.md": ("warn", ["embedding_refused"])}
    hits = asyncio.run(site.lexical.search(generation.index_name, "購買規程の第7項", limit=3))
    assert {chunk_id for chunk_id, _ in hits} & site.ledger.refused_chunks(generation.embedder_id).keys()
    assert site.run().counts["mended"] == 0
    assert site.embedder(REFUSING).embedded == asked
    roll_back(site.stores)
    site.run()
    assert status(site) == {}
    assert is_equal_to_the_ledger(site)


def status(site: Site) -> dict[str, tuple[str, list[str]]]:
    """Status and warnings of the documents that are not simply searchable, by path."""
    receipts = site.ledger.receipts()
    return {r["path"]: (r["status"], r["warnings"]) for r in receipts if r["status"] != "indexed"}


def test_vectors_are_kept_as_long_as_a_generation_uses_their_embedder_and_forgotten_with_the_last(site: Site) -> None:
    site.fill()
    site.configured = TRANSLATING
    site.rebuild()
    assert embedders_of_vectors(site) == {"test:plain", "test:translating"}
    drop_beside(site.stores, GenerationState.READY)
    assert embedders_of_vectors(site) == {"test:plain"}
    site.configured = REFUSING
    site.rebuild()
    switch(site.stores, is_forced=True)
    assert embedders_of_vectors(site) == {"test:plain", "test:refusing"}
    site.configured = TRANSLATING
    site.rebuild()
    assert embedders_of_vectors(site) == {"test:refusing", "test:translating"}
    assert site.ledger.refused_chunks("test:refusing")
    switch(site.stores, is_forced=True)
    drop_beside(site.stores, GenerationState.PREVIOUS)
    assert embedders_of_vectors(site) == {"test:translating"}
    assert site.ledger.refused_chunks("test:refusing") == {}


def embedders_of_vectors(site: Site) -> set[str]:
    """Ids of the embedders that the ledger keeps vectors of."""
    with site.ledger._engine.connect() as connection:
        return set(connection.exec_driver_sql("SELECT DISTINCT embedder_id FROM vectors").scalars())


def test_only_one_generation_waits_and_a_dropped_one_leaves_nothing_behind(site: Site) -> None:
    site.fill()
    site.configured = TRANSLATING
    _, first = site.build()
    site.configured = SLOW
    _, second = site.build()
    assert [generation.generation_id for generation, _ in site.ledger.generations()][1:] == [second.generation_id]
    for gone in (first, second):
        if gone is second:
            assert drop_beside(site.stores, GenerationState.PREVIOUS) is None
            assert drop_beside(site.stores, GenerationState.BUILDING) is not None
        assert list(site.vectors.all_ids(gone.index_name)) == []
        assert list(site.lexical.all_ids(gone.index_name)) == []
    assert [path.name for path in (site.place / "lexical").iterdir()] == [site.ledger.generations()[0][0].index_name]
    with pytest.raises(GenerationError):
        switch(site.stores)
    with pytest.raises(GenerationError):
        roll_back(site.stores)


def test_vectors_of_an_embedder_that_changed_its_nature_are_not_mixed_into_a_generation(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.fill()
    monkeypatch.setattr(type(site.embedder(PLAIN)), "embedder_id", "test:pulled-again")
    site.write("監査.md", regulation("監査"))
    with pytest.raises(EmbedderMismatch):
        site.run()
