"""The same documents give the same ranking in every deployment, in whatever order they were taken in. Real Chroma, tantivy,
SQLite and parser; the embedder counts words, so that equal scores abound."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant import candidates, retrieve
from assistant.domain import Principal, Question
from ingest.guard import ParserProcess
from tests.contracts.conftest import ChromaServer, free_port
from tests.ingest.building import SMALL, SUBJECTS, Site, regulation

FILES = {
    f"{place}/{subject}.md": regulation(subject, articles=2)
    for place in ("本社", "大阪支店", "札幌支店")
    for subject in SUBJECTS
}
QUESTIONS = ("担当者は申請書を何営業日前までに提出しますか", "休暇", "旅費の申請書の控えは何年間保管しますか", "理由書")
SHOWN = 8


def ranking(site: Site, question: str) -> list[tuple[str, int]]:
    """Path and ordinal of each passage, best first."""
    asked = Question(question, "ja", Principal("ben"))
    found = asyncio.run(site.assistant().search(asked, limit=SHOWN))
    return [(passage.path, passage.ordinal) for passage in found.passages]


def taken_in(site: Site, portions: Sequence[Sequence[str]]) -> Site:
    """The files, read in as many runs as there are portions."""
    for paths in portions:
        for path in paths:
            (site.root / path).parent.mkdir(exist_ok=True)
            site.write(path, FILES[path])
            os.utime(site.root / path, (1_700_000_000, 1_700_000_000))
        site.run()
    return site


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_deployments_of_the_same_files_rank_the_same_questions_the_same(
    tmp_path: Path, parser: ParserProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room, name in ((candidates, "DEPTH"), (retrieve, "DEPTH"), (retrieve, "POOL")):
        monkeypatch.setattr(room, name, SHOWN)  # as in a large corpus, each cut goes through equals
    monkeypatch.setattr(retrieve, "READ_MORE", 0)
    chroma = ChromaServer(tmp_path / "chroma", free_port())
    chroma.start()
    paths = list(FILES)
    sites = []
    try:
        for name, portions in (("one", [paths]), ("other", [paths[:3:-1], paths[:4]])):
            (tmp_path / name).mkdir()
            sites.append(taken_in(Site(tmp_path / name, chroma.url, parser, recipe=SMALL), portions))
        one, other = ({question: ranking(site, question) for question in QUESTIONS} for site in sites)
        assert one == other
        assert {len(found) for found in one.values()} <= set(range(3, SHOWN + 1))
        measured = [
            site.ledger.fitness(active.generation_id) for site in sites if (active := site.ledger.active_generation())
        ]
        assert measured[0] == measured[1]
    finally:
        for site in sites:
            site.ledger.close()
        chroma.stop()
