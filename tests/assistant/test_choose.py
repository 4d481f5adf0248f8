"""Which model: by memory, language and work, with reasons; and embedders by what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.generation import Generation
from assistant.release.capacity import Room, Verdict
from assistant.release.catalogue import catalogue
from assistant.release.choose import Candidate, Work, advise_embedder, choose
from assistant.release.choose_words import choice_lines, embedder_lines
from assistant.release.vram import Load

GIB = 1 << 30
CHAT = [work for work in Work if work is not Work.EMBEDDINGS]


def chosen(work: Work, gib: float, *, parallel: int = 4) -> list[Candidate]:
    known = catalogue()
    load = Load(8192, parallel, "q8_0", flash_attention=True)
    return choose(work, Room((int(gib * GIB),)), load, known, embedder=known["nomic-embed-text-v2-moe"])


def name_of(candidates: list[Candidate]) -> str | None:
    return next((each.plan.wish.model.name for each in candidates if each.is_chosen), None)


@pytest.mark.parametrize("work", CHAT)
def test_more_memory_never_leads_to_a_smaller_model(work: Work) -> None:
    sizes = []
    for gib in (4, 6, 8, 12, 16, 24, 32, 48, 80):
        candidates = chosen(work, gib)
        sizes.append(next((each.plan.wish.model.weights_bytes for each in candidates if each.is_chosen), 0))
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[3] > 0


@pytest.mark.parametrize("work", CHAT)
def test_what_is_chosen_fits_and_the_better_ones_do_not(work: Work) -> None:
    candidates = chosen(work, 16)
    place = next(place for place, each in enumerate(candidates) if each.is_chosen)
    assert candidates[place].plan.verdict is Verdict.FITS
    assert all(each.plan.verdict is not Verdict.FITS for each in candidates[:place])
    assert all(each.reason.ja and each.reason.en for each in candidates)


def test_japanese_is_not_given_to_a_family_that_does_not_name_it() -> None:
    names = {each.plan.wish.model.name.split(":")[0] for each in chosen(Work.JAPANESE, 24)}
    assert names == {"qwen2.5", "gemma3"}


def test_nothing_is_chosen_where_nothing_fits_and_that_is_said() -> None:
    candidates = chosen(Work.JAPANESE, 2)
    assert name_of(candidates) is None
    assert "None fits" in "\n".join(choice_lines(candidates, Room((2 * GIB,)), "en"))


def generation(**fitness: float) -> Generation:
    return Generation("g", "e", 768, "i", is_active=True, fitness=fitness)


def test_a_measured_language_decides_over_what_is_known_of_the_family() -> None:
    advice = advise_embedder(
        current="nomic-embed-text", reads_japanese=False, generation=generation(en=0.9, ja=0.95), chunks=10
    )
    assert advice.unfit == ()
    worse = advise_embedder(current="bge-m3", reads_japanese=True, generation=generation(ja=0.3), chunks=10)
    assert worse.unfit == ("ja",)


def test_an_embedder_without_japanese_is_told_plainly_with_what_a_change_costs() -> None:
    advice = advise_embedder(current="nomic-embed-text", reads_japanese=False, generation=None, chunks=12345)
    told = "\n".join(embedder_lines(advice, "en"))
    assert "cannot read Japanese" in told
    assert "Japanese NO" in told
    assert "ingest rebuild" in told
    assert "12,345 chunks" in told
    assert "ASSISTANT_EMBED_MODEL=bge-m3" in told
    assert "日本語は読めない" in "\n".join(embedder_lines(advice, "ja"))


def test_the_command_tells_of_embedders_from_the_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSISTANT_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("ASSISTANT_EMBED_MODEL", "nomic-embed-text")
    done = CliRunner().invoke(app, ["capacity", "choose", "--for", "embeddings", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["current"], told["unfit"], told["chunks"]) == ("nomic-embed-text", ["ja"], 0)


def test_the_command_names_a_model_for_the_memory_given() -> None:
    arguments = ["capacity", "choose", "--for", "coding", "--gpu-memory", "12", "--json"]
    told = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert told["chosen"] == "qwen2.5-coder:7b-instruct-q4_K_M"
