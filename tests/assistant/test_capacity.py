"""Plans: what fits, what is the largest that does, and what people are told."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from assistant.__main__ import app
from assistant.errors import HostError
from assistant.host.memory import parse_gpus
from assistant.release.capacity import Room, Verdict, Wish, largest_num_ctx, largest_parallel, plan, table
from assistant.release.capacity_picture import plan_picture
from assistant.release.capacity_words import notices, parts_of, plan_lines, plan_object
from assistant.release.catalogue import catalogue
from assistant.release.vram import KV_TYPES, Load

GIB = 1 << 30
MODELS = catalogue()
WISH = Wish(
    MODELS["llama3.1:8b-instruct-q4_K_M"], Load(8192, 4, "q8_0", flash_attention=True), MODELS["nomic-embed-text"]
)


def gpu(*gib: float) -> Room:
    return Room(tuple(int(each * GIB) for each in gib))


def test_the_parts_add_up_to_the_total_and_the_rest_is_free() -> None:
    found = plan(WISH, gpu(12))
    assert sum(parts_of(found).values()) == found.total_bytes
    assert found.free_bytes == 12 * GIB - found.total_bytes
    assert found.verdict is Verdict.FITS


def test_what_is_larger_than_the_card_does_not_fit() -> None:
    assert plan(WISH, gpu(6)).verdict is Verdict.TOO_LARGE
    assert largest_num_ctx(WISH, gpu(4)) == 0
    assert largest_parallel(WISH, gpu(4)) == 0


def test_what_the_engine_itself_would_leave_on_the_cpu_is_told_although_it_fits() -> None:
    found = plan(WISH, gpu(9))
    assert found.verdict is Verdict.SPILLS
    assert found.free_bytes > 0
    assert any("CPU" in notice.en for notice in notices(found))


@pytest.mark.parametrize("gib", [8, 12, 16, 24, 48])
def test_the_largest_fits_and_the_next_step_does_not(gib: int) -> None:
    tokens, number = largest_num_ctx(WISH, gpu(gib)), largest_parallel(WISH, gpu(gib))
    longer = replace(WISH, load=replace(WISH.load, num_ctx=tokens + 1024))
    assert plan(longer, gpu(gib)).verdict is not Verdict.FITS or tokens == WISH.model.context_length
    if tokens:
        assert plan(replace(WISH, load=replace(WISH.load, num_ctx=tokens)), gpu(gib)).verdict is Verdict.FITS
    if number:
        assert plan(replace(WISH, load=replace(WISH.load, parallel=number)), gpu(gib)).verdict is Verdict.FITS
    assert plan(replace(WISH, load=replace(WISH.load, parallel=number + 1)), gpu(gib)).verdict is not Verdict.FITS


def test_the_table_has_each_type_of_cache_and_no_window_beyond_the_model() -> None:
    rows = list(table(replace(WISH, model=MODELS["gemma2:9b-instruct-q4_K_M"]), gpu(24)))
    assert [tokens for tokens, _ in rows] == [2048, 4096, 6144, 8192]
    assert all(tuple(plans) == KV_TYPES for _, plans in rows)


def test_without_a_gpu_all_buffers_lie_in_the_machine_and_that_is_told() -> None:
    found = plan(WISH, Room(machine_bytes=16 * GIB))
    assert found.overhead_bytes == 0
    assert found.weights_bytes == WISH.model.weights_bytes
    assert any("--gpu-memory" in notice.ja for notice in notices(found))


def test_two_cards_hold_what_one_does_not() -> None:
    wish = replace(WISH, model=MODELS["qwen2.5:32b-instruct-q4_K_M"])
    assert plan(wish, gpu(24)).verdict is not Verdict.FITS
    assert plan(wish, gpu(24, 24)).verdict is Verdict.FITS


def test_a_cache_that_is_not_what_was_asked_for_is_told_with_the_reason() -> None:
    off = replace(WISH, load=replace(WISH.load, flash_attention=None))
    said = " ".join(notice.en for notice in notices(plan(off, gpu(24))))
    assert "KV stays f16" in said
    assert "OLLAMA_FLASH_ATTENTION=1 is not set" in said


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_plan_is_told_in_lines_with_the_verdict(language: str) -> None:
    told = "\n".join(plan_lines(plan(WISH, gpu(12)), "ja" if language == "ja" else "en"))
    assert ("収まります" in told) == (language == "ja")
    assert "12.00 GiB" in told


def test_the_picture_is_svg_whose_text_stays_text_in_japanese() -> None:
    picture = plan_picture(plan(WISH, gpu(12)), "ja")
    words = " ".join(ElementTree.fromstring(picture).itertext())  # noqa: S314 - our own
    assert "KV キャッシュ" in words
    assert "KV q4_0" in words
    assert plan_picture(plan(WISH, gpu(12)), "ja") == picture


def test_the_command_prints_one_object_and_its_exit_says_whether_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_OLLAMA_URL", "http://127.0.0.1:9")  # nobody there: the catalogue is enough
    arguments = ["capacity", "plan", "llama3.1:8b-instruct-q4_K_M", "--parallel", "4", "--json", "--gpu-memory"]
    fits, too_large = (CliRunner().invoke(app, [*arguments, gib]) for gib in ("12", "5"))
    assert (fits.exit_code, too_large.exit_code) == (0, 1)
    told = json.loads(fits.stdout)
    assert told == json.loads(json.dumps(plan_object(plan(WISH, gpu(12)))))
    assert told["parts_bytes"]["kv"] == 2176 << 20


def test_a_model_that_nobody_knows_is_refused_with_the_names_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSISTANT_OLLAMA_URL", "http://127.0.0.1:9")
    done = CliRunner().invoke(app, ["capacity", "plan", "nobody:1b", "--gpu-memory", "8"])
    assert done.exit_code == 1
    assert "gemma3:4b-it-q4_K_M" in done.stderr


def test_cards_are_read_from_what_nvidia_smi_prints() -> None:
    cards = parse_gpus("NVIDIA GeForce RTX 4090, 24564, 1021\nNVIDIA RTX A2000 12GB, 12282, [N/A]\n")
    assert [(card.name, card.total_bytes >> 20, card.used_bytes >> 20) for card in cards] == [
        ("NVIDIA GeForce RTX 4090", 24564, 1021),
        ("NVIDIA RTX A2000 12GB", 12282, 0),
    ]


@pytest.mark.parametrize("line", ["NVIDIA GB10, [N/A], [N/A]", "NVIDIA A100, [Unknown Error], 3"])
def test_a_card_that_does_not_tell_its_memory_is_no_guess(line: str) -> None:
    with pytest.raises(HostError) as refused:
        parse_gpus(line)
    assert "--gpu-memory" in refused.value.hint.en
