"""Memory of models, beside what engines logged: KV to the byte, weights to the last digit, totals within five percent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.ollama_models import facts_of
from assistant.model_facts import ModelFacts
from assistant.release.catalogue import SHAPES, catalogue
from assistant.release.vram import KvType, Load, kv_bytes, memory_of
from tests.ingest.reading import shared

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
LLAMA_8B = catalogue()["llama3.1:8b-instruct-q4_K_M"]
LOADS = json.loads((ROOT / "docs/reference/capacity.json").read_text(encoding="utf-8"))["loads"]

# What Ollama 0.17.7 wrote for the two models of `make test-live` (num_ctx, slots, type, MiB).
LOGGED_KV = [
    ("qwen2.5-coder:1.5b-instruct-q4_K_M", 8192, 1, "q8_0", 119.0),
    ("qwen2.5-coder:1.5b-instruct-q4_K_M", 8192, 1, "f16", 224.0),
    ("qwen2.5-coder:1.5b-instruct-q4_K_M", 4096, 2, "q4_0", 63.0),
    ("qwen2.5-coder:1.5b-instruct-q4_K_M", 32768, 1, "f16", 896.0),
    ("qwen2.5-coder:1.5b-instruct-q4_K_M", 300, 1, "f16", 14.0),
    ("qwen2.5:14b-instruct-q4_K_M", 8192, 1, "f16", 1536.0),
    ("llama3.1:8b-instruct-q4_K_M", 2048, 4, "f16", 1024.0),
]

# GiB of the tables that people use (f16, q8_0, q4_0), two digits each.
KV_GIB = [
    ("llama3.1:8b-instruct-q4_K_M", 8192, 4, (4.00, 2.12, 1.12)),
    ("llama3.1:70b-instruct-q4_K_M", 32768, 4, (40.0, 21.25, 11.25)),
    ("qwen2.5:3b-instruct-q4_K_M", 16384, 4, (2.25, 1.20, 0.63)),
    ("qwen2.5:14b-instruct-q4_K_M", 8192, 1, (1.50, 0.80, 0.42)),
    ("qwen2.5:32b-instruct-q4_K_M", 16384, 1, (4.00, 2.12, 1.12)),
    ("gemma3:4b-it-q4_K_M", 8192, 1, (0.33, 0.17, 0.09)),
    ("gemma3:12b-it-q4_K_M", 32768, 1, (2.47, 1.31, 0.69)),
]


@pytest.mark.parametrize(("name", "num_ctx", "slots", "kv_type", "mib"), LOGGED_KV)
def test_the_kv_cache_is_the_engines_own_to_the_byte(
    name: str, num_ctx: int, slots: int, kv_type: KvType, mib: float
) -> None:
    assert kv_bytes(catalogue()[name], num_ctx, parallel=slots, kv_type=kv_type) == mib * MIB


@pytest.mark.parametrize(("name", "num_ctx", "slots", "gibs"), KV_GIB)
def test_the_kv_cache_is_that_of_the_known_tables(name: str, num_ctx: int, slots: int, gibs: tuple[float, ...]) -> None:
    types: tuple[KvType, ...] = ("f16", "q8_0", "q4_0")
    found = [kv_bytes(catalogue()[name], num_ctx, parallel=slots, kv_type=kv_type) / 2**30 for kv_type in types]
    assert found == pytest.approx(gibs, abs=0.006)


def test_windows_of_several_slots_are_as_the_engine_allots_them_and_not_as_it_estimates() -> None:
    # kvcache/causal.go: 4 x (1,024 + 1) + 512 tokens, rounded up to 4,864 cells; the estimate in ggml.go says 4,608.
    gemma = catalogue()["gemma3:12b-it-q4_K_M"]
    expected = (40 * 4864 + 8 * 4 * 8192) * 8 * 512 * 2
    assert kv_bytes(gemma, 8192, parallel=4, kv_type="f16") == expected


def test_every_recorded_load_had_the_kv_cache_and_the_weights_that_are_reckoned_today() -> None:
    small = {"qwen2.5-coder-1.5b": catalogue()["qwen2.5-coder:1.5b-instruct-q4_K_M"]}
    checked = 0
    for load in LOADS:
        facts = small.get(load["model"])
        if facts is not None:
            memory = memory_of(facts, _load(load))
            assert f"{memory.kv_bytes / MIB:.2f}" == load["kv_mib"]
            assert f"{memory.weights_bytes / MIB:.2f}" == load["weights_mib"]
            assert memory.buffers_bytes / MIB == pytest.approx(_logged(load), rel=0.05)
            assert (memory.buffers_bytes + memory.spread_bytes) / MIB >= _logged(load) - 0.1
            checked += 1
    assert checked >= 12


def test_the_page_of_the_recorded_loads_promises_no_more_than_it_shows() -> None:
    for load in LOADS:
        assert f"{load['reckoned']['kv'] / MIB:.2f}" == load["kv_mib"]
        total = sum(load["reckoned"][part] for part in ("weights", "kv", "compute", "output")) / MIB
        assert total == pytest.approx(_logged(load), rel=0.05)


def test_on_a_gpu_the_buffers_are_those_that_llama_cpp_logged_there() -> None:
    # Two logs of Llama 3.1 8B Q4_K_M on CUDA with n_ctx 8192 and no flash attention, found on GitHub in 2026.
    memory = memory_of(LLAMA_8B, Load(8192, flash_attention=False))
    assert f"{memory.host['device_weights'] / MIB:.2f}" == "4403.49"
    assert f"{memory.host['host_weights'] / MIB:.2f}" == "281.81"
    assert memory.kv_bytes == 1024 * MIB
    assert memory.compute_bytes / MIB == pytest.approx(560.00, rel=0.01)
    assert f"{memory.host['host_compute'] / MIB:.0f}" == "24"


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_model_of_the_catalogue_is_as_large_as_its_published_file(name: str) -> None:
    facts, shape = catalogue()[name], SHAPES[name]
    words_bytes = shape.file_bytes + shape.vision_bytes - facts.weights_bytes
    assert 0 < words_bytes < 9_000_000, "the file holds the tensors and its table of words"
    assert shape.source in facts.source


def test_a_quantised_cache_without_flash_attention_is_f16() -> None:
    for wanted in (False, None):
        memory = memory_of(LLAMA_8B, Load(8192, 1, "q8_0", flash_attention=wanted))
        assert memory.kv_type == "f16"
        assert memory.kv_bytes == 1024 * MIB
    assert memory_of(LLAMA_8B, Load(8192, 1, "q8_0", flash_attention=True)).kv_bytes == 544 * MIB


def test_a_model_that_cannot_flash_keeps_f16_and_all_cells_of_its_windows() -> None:
    gemma2 = catalogue()["gemma2:9b-instruct-q4_K_M"]
    memory = memory_of(gemma2, Load(8192, 1, "q8_0", flash_attention=True))
    assert (memory.kv_type, memory.is_flash) == ("f16", False)
    assert memory.kv_bytes == 8192 * 42 * 8 * 512 * 2


def test_a_window_longer_than_the_model_was_made_for_is_cut() -> None:
    assert memory_of(catalogue()["gemma2:2b-instruct-q4_K_M"], Load(32768)).num_ctx == 8192


def test_an_embedder_has_no_cache_and_never_more_than_one_slot() -> None:
    memory = memory_of(catalogue()["nomic-embed-text"], Load(8192, parallel=4))
    assert (memory.kv_bytes, memory.parallel, memory.num_ctx) == (0, 1, 2048)


def test_the_engine_plans_for_scores_that_flash_attention_never_makes() -> None:
    one, four = (memory_of(LLAMA_8B, Load(8192, slots, "q8_0")) for slots in (1, 4))
    assert four.planned_bytes - four.device_bytes > 1.5 * 2**30
    assert one.planned_bytes < four.planned_bytes


def test_facts_of_an_installed_model_come_from_what_ollama_shows() -> None:
    shown = json.loads((shared("ollama_recordings") / "show.json").read_text(encoding="utf-8"))["body"]
    shown["tensors"] = [tensor for tensor in shown["tensors"] if isinstance(tensor, dict)]
    facts = facts_of("company-assistant", shown, source="recorded")
    assert facts is not None
    expected = catalogue()["qwen2.5-coder:1.5b-instruct-q4_K_M"]
    same = ("architecture", "kv_heads", "heads", "embedding", "key_length", "value_length", "vocabulary")
    assert {name: getattr(facts, name) for name in same} == {name: getattr(expected, name) for name in same}
    assert facts.input_bytes == expected.input_bytes
    assert not facts.is_embedder


def test_an_embedder_is_known_by_its_pooling() -> None:
    shown = json.loads((shared("ollama_recordings") / "show_embedder.json").read_text(encoding="utf-8"))["body"]
    shown["tensors"] = [tensor for tensor in shown["tensors"] if isinstance(tensor, dict)]
    facts = facts_of("all-minilm", shown, source="recorded")
    assert facts is not None
    assert facts.is_embedder
    assert kv_bytes(facts, 256, parallel=1, kv_type="f16") == 0


def test_a_layer_may_have_its_own_number_of_heads() -> None:
    shown = _shown({"attention.head_count_kv": [2, 0, 4]}, layers=3)
    facts = facts_of("mixed", shown, source="made")
    assert facts is not None
    assert kv_bytes(facts, 256, parallel=1, kv_type="f16") == 256 * 6 * 2 * 64 * 2


@pytest.mark.parametrize("lost", ["general.architecture", "llama.block_count", "llama.attention.head_count"])
def test_an_answer_without_the_facts_is_not_guessed_from(lost: str) -> None:
    shown = _shown({}, layers=2)
    del shown["model_info"][lost]
    assert facts_of("odd", shown, source="made") is None


def test_a_tensor_of_an_unknown_type_is_not_guessed_from() -> None:
    shown = _shown({}, layers=2)
    shown["tensors"].append({"name": "blk.0.odd", "type": "Q9_Z", "shape": [256, 256]})
    assert facts_of("odd", shown, source="made") is None


def test_a_table_that_is_input_and_output_lies_on_the_gpu_too() -> None:
    tied: ModelFacts = replace(LLAMA_8B, is_tied=True)
    assert memory_of(tied, Load(8192)).device_bytes - memory_of(LLAMA_8B, Load(8192)).device_bytes == tied.input_bytes


def _shown(more: dict[str, Any], *, layers: int) -> dict[str, Any]:
    facts = {"block_count": layers, "embedding_length": 512, "attention.head_count": 8, "context_length": 4096, **more}
    return {
        "model_info": {"general.architecture": "llama", **{f"llama.{key}": value for key, value in facts.items()}},
        "tensors": [{"name": "token_embd.weight", "type": "F16", "shape": [512, 1000]}],
    }


def _load(kept: dict[str, Any]) -> Load:
    return Load(kept["num_ctx"], kept["parallel"], kept["kv_type"], kept["flash_attention"])


def _logged(kept: dict[str, Any]) -> float:
    return sum(float(kept[f"{part}_mib"]) for part in ("weights", "kv", "compute", "output"))
