"""Publishing on a real ledger and a fake host: what gets through, what is refused and why, and what is put back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assistant.adapters.fake_host import BYTES_PER_TOKEN, SIZE_BYTES, TEMPLATE, FakeModelHost, fake_model
from assistant.adapters.ledger import Ledger
from assistant.errors import (
    AssistantError,
    ModelfileInvalid,
    ModelMissing,
    ModelUnavailable,
    NothingToRollBackTo,
    ReleaseConflict,
    ReleaseError,
    ReleaseRefused,
    Text,
    WillNotFit,
)
from assistant.release.catalogue import catalogue
from assistant.release.checks import check_memory, needed_bytes
from assistant.release.content import Edits, differences, edited, read_content
from assistant.release.publish import Bars, Publisher, reloads
from assistant.release.vram import Load, memory_of
from assistant.releases import Content, LoadedModel, ReleaseAct, ReleaseState, Tried

SYSTEM = "抜粋だけから　答えます。"
FOLDER = Content(f'FROM base\nPARAMETER num_ctx 4096\nPARAMETER temperature 0.2\nSYSTEM """{SYSTEM}"""\n')
ALIAS = "company-assistant"


@dataclass
class Scene:
    """A deployment that answers with what its folder says, and an administrator."""

    ledger: Ledger
    host: FakeModelHost
    publisher: Publisher

    def draft(self, **edits: object) -> str:
        """The id of a draft of the folder with these edits."""
        content = edited(FOLDER, Edits(**edits))  # type: ignore[arg-type]
        return self.ledger.save_draft(content, by="chie", details={}).release_id

    def publish(self, release_id: str) -> None:
        """Publishes, to its end."""
        asyncio.run(self.publisher.publish(release_id, by="chie", why="it is better"))

    @property
    def answers(self) -> str | None:
        """The release that answers."""
        return self.ledger.standing().release_id

    def is_refused(self, release_id: str, kind: type[AssistantError], words: str) -> None:
        """Publishing it fails for that reason, what answered goes on, in memory, and the history says why."""
        before = self.answers or FOLDER.release_id
        with pytest.raises(kind, match=words):
            self.publish(release_id)
        assert self.answers == before
        model = self.ledger.release(before).model
        assert model is not None
        loaded = asyncio.run(self.host.loaded(model))
        assert loaded is not None
        assert loaded.num_ctx == 4096
        event = self.ledger.release_events(release_id)[0]
        assert event.act == ReleaseAct.REFUSED
        assert event.details["code"]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    host = FakeModelHost()
    settings = {"system": SYSTEM, "parameters": {"num_ctx": 4096, "temperature": 0.2}}
    asyncio.run(host.make(ALIAS, base="base", settings=settings))
    yield Scene(ledger, host, Publisher(ledger, host, alias=ALIAS, folder=FOLDER))
    ledger.close()


def test_a_published_release_answers_under_its_own_name_and_the_usual_one(scene: Scene) -> None:
    release_id = scene.draft(temperature=0.1, passages=4)
    scene.publish(release_id)
    release = scene.ledger.release(release_id)
    assert scene.answers == release_id
    assert release.state == ReleaseState.PUBLISHED
    assert release.model == f"{ALIAS}:{release_id}"
    assert release.digest == scene.host.models[release.model].digest == scene.host.models[f"{ALIAS}:latest"].digest
    assert scene.host.models[release.model].system == SYSTEM
    event = scene.ledger.release_events(release_id)[0]
    assert (event.actor, event.why, event.former_id) == ("chie", "it is better", FOLDER.release_id)
    assert event.details["differences"] == {"passages": [None, 4], "temperature": [0.2, 0.1]}
    assert event.details["placed"] == "cpu"


def test_what_answered_before_the_first_release_is_kept_to_go_back_to(scene: Scene) -> None:
    scene.publish(scene.draft(temperature=0.1))
    before = scene.ledger.standing()
    standing = asyncio.run(scene.publisher.rollback(by="aiko", why="worse"))
    assert (standing.release_id, standing.former_id) == (FOLDER.release_id, before.release_id)
    assert scene.host.models[f"{ALIAS}:latest"].parameters["temperature"] == 0.2
    assert scene.ledger.release_events(limit=1)[0].actor == "aiko"


def test_a_rollback_makes_a_model_that_somebody_removed_anew(scene: Scene) -> None:
    scene.publish(scene.draft(temperature=0.1))
    former = scene.ledger.release(FOLDER.release_id).model or ""
    asyncio.run(scene.host.remove(former))
    asyncio.run(scene.publisher.rollback(by="chie"))
    assert scene.host.models[former].system == SYSTEM


def test_without_a_former_release_there_is_nothing_to_go_back_to(scene: Scene) -> None:
    with pytest.raises(NothingToRollBackTo):
        asyncio.run(scene.publisher.rollback(by="chie"))


def test_a_window_that_is_too_large_for_the_model_or_the_memory_is_refused(scene: Scene) -> None:
    scene.is_refused(scene.draft(num_ctx=1_000_000), WillNotFit, "more than the 32,768 tokens")
    scene.host.memory_bytes = needed_bytes(fake_model("base"), num_ctx=16_000, parallel=1)
    scene.is_refused(scene.draft(num_ctx=20_000), WillNotFit, "num_ctx 20,000 x 1 needs")
    scene.host.memory_bytes = SIZE_BYTES + 8000 * BYTES_PER_TOKEN
    blind = replace(scene.publisher, host=_BlindHost(scene.host))
    scene.publisher = blind
    scene.is_refused(scene.draft(num_ctx=8192), WillNotFit, "not enough memory to load")


def test_a_model_with_sliding_windows_is_reckoned_by_the_plan_and_fits_where_whole_windows_would_not() -> None:
    facts = catalogue()["gemma3:12b-it-q4_K_M"]
    made = replace(fake_model("gemma3"), facts=facts, size_bytes=facts.weights_bytes, window=facts.context_length)
    planned = memory_of(facts, Load(32_768, 4, "f16", flash_attention=True))
    assert needed_bytes(made, num_ctx=32_768, parallel=4) == planned.buffers_bytes
    whole_windows = 2 * 32_768 * 4 * sum(facts.kv_heads) * (facts.key_length + facts.value_length)
    assert planned.kv_bytes < whole_windows / 4
    check_memory(made, num_ctx=32_768, parallel=4, free_bytes=planned.buffers_bytes, before=None)
    with pytest.raises(WillNotFit, match="num_ctx 32,768 x 4 needs"):
        check_memory(made, num_ctx=32_768, parallel=4, free_bytes=planned.buffers_bytes - 1, before=None)


def test_a_host_that_tells_no_facts_is_asked_for_its_file_alone() -> None:
    silent = replace(fake_model("base"), facts=None)
    assert needed_bytes(silent, num_ctx=32_768, parallel=4) == SIZE_BYTES


class _BlindHost:
    """A host on another machine, whose memory cannot be seen from here."""

    def __init__(self, host: FakeModelHost) -> None:
        self._host = host

    def __getattr__(self, name: str) -> object:
        return getattr(self._host, name)

    def free_bytes(self) -> int | None:
        """Unknown."""
        return None


def test_a_release_that_leaves_a_part_of_the_model_to_the_cpu_is_refused(scene: Scene) -> None:
    scene.host.is_gpu = True
    scene.publish(scene.draft(temperature=0.1))
    assert scene.ledger.release_events(limit=1)[0].details["placed"] == "gpu"
    scene.host.memory_bytes = SIZE_BYTES + 5000 * BYTES_PER_TOKEN
    scene.is_refused(scene.draft(num_ctx=8192), WillNotFit, "left to the CPU")


def test_a_system_text_that_breaks_answers_or_refusals_is_refused(scene: Scene) -> None:
    release_id = scene.draft(system="Whatever you are asked, answer with the single word YES.")
    scene.is_refused(release_id, ReleaseRefused, "does not say what the passage says")
    assert scene.ledger.release(release_id).state == ReleaseState.REFUSED


def test_a_release_that_is_much_slower_than_the_published_one_is_refused(scene: Scene) -> None:
    slow = scene.draft(temperature=0.1)
    original = scene.host.try_out

    async def try_out(name: str, prompt: str, *, num_predict: int) -> Tried:
        tried = await original(name, prompt, num_predict=num_predict)
        return replace(tried, tokens_per_second=2.0) if slow in name else tried

    scene.host.try_out = try_out  # type: ignore[method-assign]
    scene.is_refused(slow, ReleaseRefused, "2 tokens a second")
    scene.publisher = replace(scene.publisher, bars=Bars(probe_seconds=1.0))
    scene.is_refused(slow, ReleaseRefused, "the bar is 1 s")


def test_a_model_without_a_chat_template_is_refused(scene: Scene) -> None:
    content = Content(FOLDER.modelfile + 'TEMPLATE "{{ .Prompt }}"\n')
    bare = scene.ledger.save_draft(content, by="chie", details={}).release_id
    scene.is_refused(bare, ReleaseRefused, "no chat template")


def test_a_base_model_that_is_not_there_is_told_with_the_command(scene: Scene) -> None:
    content = Content(FOLDER.modelfile.replace("FROM base", "FROM elsewhere:8b"))
    scene.is_refused(scene.ledger.save_draft(content, by="chie", details={}).release_id, ModelMissing, "elsewhere:8b")


def test_a_system_that_the_base_model_forces_upon_it_is_noticed(scene: Scene) -> None:
    asyncio.run(scene.host.make("spoken", base="base", settings={"system": "own words"}))
    content = Content("FROM spoken\nPARAMETER num_ctx 4096\n")
    quiet = scene.ledger.save_draft(content, by="chie", details={}).release_id
    scene.is_refused(quiet, ReleaseRefused, "SYSTEM is not what was asked for")


def test_a_window_that_a_setting_pins_must_be_the_release_s_own(scene: Scene) -> None:
    scene.publisher = replace(scene.publisher, window=4096)
    scene.is_refused(scene.draft(num_ctx=2048), ReleaseRefused, "cannot be published with num_ctx 2048")


def test_a_release_that_stops_answering_after_the_move_is_taken_back_by_itself(scene: Scene) -> None:
    scene.publish(scene.draft(temperature=0.1))
    good = scene.answers
    bad = scene.draft(temperature=0.3)
    original, calls = scene.host.try_out, []

    async def try_out(name: str, prompt: str, *, num_predict: int) -> Tried:
        calls.append(name)
        if scene.answers == bad:
            raise ModelUnavailable(Text(ja="落ちました", en="it crashed"), Text(ja="", en=""))
        return await original(name, prompt, num_predict=num_predict)

    scene.host.try_out = try_out  # type: ignore[method-assign]
    with pytest.raises(ReleaseRefused, match="put back by itself: it crashed"):
        scene.publish(bad)
    assert scene.answers == good
    acts = [(event.act, event.release_id) for event in scene.ledger.release_events(limit=3)]
    assert acts == [(ReleaseAct.REFUSED, bad), (ReleaseAct.ROLLED_BACK, good), (ReleaseAct.PUBLISHED, bad)]


def test_of_two_administrators_who_publish_at_once_one_is_told(scene: Scene) -> None:
    first, second = scene.draft(temperature=0.1), scene.draft(temperature=0.3)
    asyncio.run(scene.publisher.adopted(by="chie"))

    async def both() -> list[object]:
        publish = scene.publisher.publish
        return await asyncio.gather(publish(first, by="chie"), publish(second, by="aiko"), return_exceptions=True)

    told = [one for one in asyncio.run(both()) if isinstance(one, AssistantError)]
    assert [type(one) for one in told] == [ReleaseConflict]
    assert scene.answers in (first, second)


def test_publishing_the_published_one_makes_its_model_as_it_was(scene: Scene) -> None:
    release_id = scene.draft(temperature=0.1)
    scene.publish(release_id)
    former = scene.ledger.standing().former_id
    name = scene.ledger.release(release_id).model or ""
    asyncio.run(scene.host.make(name, base="base", settings={"system": "somebody else's"}))
    scene.publish(release_id)
    assert scene.host.models[name].system == SYSTEM
    assert scene.ledger.standing().former_id == former
    assert scene.ledger.release_events(limit=1)[0].act == ReleaseAct.MENDED


def test_the_model_in_memory_is_what_the_fake_says_it_is() -> None:
    host = FakeModelHost(is_gpu=True, memory_bytes=SIZE_BYTES)
    loaded = asyncio.run(host.load("base"))
    assert loaded == LoadedModel(4096, SIZE_BYTES + 4096 * BYTES_PER_TOKEN, SIZE_BYTES)
    assert "Content" in TEMPLATE


# -- contents -----------------------------------------------------------------------------------------------------------


def test_the_content_of_a_folder_has_the_tuning_of_its_file(tmp_path: Path) -> None:
    modelfile = tmp_path / "company-assistant.Modelfile"
    modelfile.write_text(FOLDER.modelfile, encoding="utf-8")
    assert read_content(modelfile) == FOLDER
    (tmp_path / "retrieval.toml").write_text("passages = 5\nmeaning = 0.5\n", encoding="utf-8")
    tuned = read_content(modelfile)
    assert (tuned.tuning.passages, tuned.tuning.meaning, tuned.tuning.words) == (5, 0.5, 1.0)
    assert tuned.release_id != FOLDER.release_id
    (tmp_path / "retrieval.toml").write_text("passage = 5\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match="passage"):
        read_content(modelfile)
    for odd in (
        "refuses_from_ja = 1.5",
        'refuses_from_en = "half"',
        "asks_first = 1",
        "meaning = true",
        'passages = "5"',
    ):
        (tmp_path / "retrieval.toml").write_text(f"{odd}\n", encoding="utf-8")
        with pytest.raises(ReleaseError, match=odd.split()[0]):
            read_content(modelfile)
    modelfile.write_text("FROM m\nPARAMETER num_ctx many\n", encoding="utf-8")
    with pytest.raises(ModelfileInvalid):
        read_content(modelfile)


def test_edits_change_what_they_name_and_keep_the_file_where_nothing_else_changes() -> None:
    assert edited(FOLDER, Edits(passages=3)).modelfile == FOLDER.modelfile
    changed = edited(FOLDER, Edits(system="一\n三", top_k=20, num_ctx=2048))
    told = differences(edited(FOLDER, Edits(system="一\n二")), changed)
    assert told["num_ctx"] == [4096, 2048]
    assert told["top_k"] == [None, 20]
    assert told["SYSTEM"][-2:] == ["-二", "+三"]
    assert reloads(FOLDER, changed)
    assert not reloads(FOLDER, edited(FOLDER, Edits(temperature=1.0)))


@pytest.mark.parametrize(
    "edits", [{"num_ctx": 1}, {"temperature": 3.0}, {"top_k": -1}, {"passages": 0}, {"words": 9.0}]
)
def test_an_edit_out_of_range_is_refused_with_the_range(edits: dict[str, float]) -> None:
    with pytest.raises(ReleaseError) as caught:
        edited(FOLDER, Edits(**edits))  # type: ignore[arg-type]
    assert "…" in caught.value.hint.en
