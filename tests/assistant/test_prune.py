"""Models of old releases: which may go, what that frees, and that what answers is never taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.adapters.fake_host import FakeModelHost
from assistant.adapters.ledger import Ledger
from assistant.audit import Act
from assistant.release.content import Edits, edited
from assistant.release.prune import Old, freed_bytes, old_models, take_away
from assistant.release.publish import Publisher
from assistant.releases import Content, ModelFile

FOLDER = Content('FROM base\nPARAMETER num_ctx 4096\nSYSTEM """抜粋だけから　答えます。"""\n')
ALIAS = "company-assistant"
NEXT_YEAR = datetime.now(UTC) + timedelta(days=365)


class Scene:
    """Six releases were published one after the other, and a seventh is tried on a few."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
        self.host = FakeModelHost()
        self.publisher = Publisher(self.ledger, self.host, alias=ALIAS, folder=FOLDER)
        asyncio.run(
            self.host.make(
                ALIAS, base="base", settings={"system": "抜粋だけから　答えます。", "parameters": {"num_ctx": 4096}}
            )
        )
        self.published = [self.publish(temperature) for temperature in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)]
        self.canary = self.draft(0.7)
        asyncio.run(self.publisher.make(self.ledger.release(self.canary)))
        standing = self.ledger.standing()
        self.ledger.set_canary(self.canary, 10, revision=standing.revision, by="chie")

    def draft(self, temperature: float) -> str:
        """The id of a draft."""
        return self.ledger.save_draft(edited(FOLDER, Edits(temperature=temperature)), by="chie", details={}).release_id

    def publish(self, temperature: float) -> str:
        """The id of a release that was published."""
        release_id = self.draft(temperature)
        asyncio.run(self.publisher.publish(release_id, by="chie"))
        return release_id

    def old(self, *, days: int = 30, at: datetime | None = NEXT_YEAR) -> list[Old]:
        """What may go."""
        return old_models(self.ledger, asyncio.run(self.host.files()), older_than_days=days, at=at)

    def take(self, old: list[Old]) -> list[Old]:
        """What was taken away."""
        return asyncio.run(take_away(self.ledger, self.host, old, by="cli:chie"))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    opened = Scene(tmp_path)
    yield opened
    opened.ledger.close()


def test_old_models_go_and_the_published_one_the_one_before_and_the_canary_stay(scene: Scene) -> None:
    former, published = scene.published[-2:]
    kept = {f"{ALIAS}:{release_id}" for release_id in (former, published, scene.canary)}
    taken = scene.take(scene.old())
    expected = [FOLDER.release_id, *scene.published[:-2]]
    assert [each.release_id for each in taken] == expected
    assert asyncio.run(scene.host.digests()).keys() == {"base:latest", f"{ALIAS}:latest", *kept}
    acts = [scene.ledger.last_entry(Act.RELEASE_CHANGED)]
    assert acts[0] is not None
    assert (acts[0].actor, acts[0].details["act"]) == ("cli:chie", "model_removed")
    assert scene.old() == [], "twice takes nothing more"


def test_what_was_touched_lately_stays(scene: Scene) -> None:
    assert scene.old(at=None) == []
    assert scene.old(at=datetime.now(UTC) + timedelta(days=29)) == []
    assert len(scene.old(days=0)) == 5


def test_a_release_that_is_published_while_it_is_pruned_stays(scene: Scene) -> None:
    old = scene.old()
    back = old[0].release_id
    asyncio.run(scene.publisher.publish(back, by="dan"))
    assert back not in {each.release_id for each in scene.take(old)}
    assert asyncio.run(scene.host.seen(f"{ALIAS}:{back}")) is not None


def test_a_release_without_its_model_is_published_again_all_the_same(scene: Scene) -> None:
    scene.take(scene.old())
    gone = scene.published[0]
    assert asyncio.run(scene.host.seen(f"{ALIAS}:{gone}")) is None
    asyncio.run(scene.publisher.publish(gone, by="chie"))
    assert scene.ledger.standing().release_id == gone
    assert asyncio.run(scene.host.seen(f"{ALIAS}:{gone}")) is not None


def test_models_of_other_programs_are_left_alone(scene: Scene) -> None:
    stranger = replace(scene.host.models["base:latest"], name=f"{ALIAS}:r_0123456789abcdef")
    scene.host.models[stranger.name] = stranger
    scene.take(scene.old())
    assert stranger.name in scene.host.models


def test_shared_weights_free_nothing_and_the_last_user_of_weights_frees_them_once() -> None:
    files = {
        name: ModelFile(weights, 5_000) for name, weights in {"a": "one", "b": "one", "c": "two", "d": "two"}.items()
    }
    assert freed_bytes(["a"], files) == 0
    assert freed_bytes(["a", "c"], files) == 0
    assert freed_bytes(["c", "d", "a"], files) == 5_000
