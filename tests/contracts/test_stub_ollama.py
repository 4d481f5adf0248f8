"""The stub Ollama answers as a real 0.17.7 did: every recorded request is sent again and the answers are compared.

The recordings lie outside the project (``SHARED_DATA``, or ``shared/data`` beside the project's folder); without them
these tests are skipped. ``OLLAMA_UNDER_TEST=http://127.0.0.1:11434`` compares a real server instead; it then needs models
that have the recorded names, or ``OLLAMA_UNDER_TEST_BASES={"company-assistant": "base", …}`` names what to make them from.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.contracts.ollama_recordings import (
    RECORDINGS_FOLDER,
    Answer,
    Recording,
    differences,
    parameters_of,
    parsed_line,
    recording,
    recording_names,
    send,
)
from tests.stubs.ollama.process import start_stub_ollama

REAL_URL = os.environ.get("OLLAMA_UNDER_TEST", "")
RECORDED_MODELS = ("company-assistant", "qwen05", "nomic-embed-text")
STUB_BASES = {
    "company-assistant": "qwen2.5:1.5b-instruct-q4_K_M",
    "qwen05": "qwen2.5:0.5b-instruct-q4_K_M",
    "nomic-embed-text": "nomic-embed-text",
}
STUB_TOKENS_PER_SECOND = 100
EMBED_NUM_CTX = 256
SLOW_LOAD_RATIO = 3
CONTROL_SECONDS = 300.0
UNLOAD_SECONDS = 20.0

pytestmark = pytest.mark.skipif(
    not RECORDINGS_FOLDER.is_dir(),
    reason="the recorded answers of a real Ollama are not on this machine (set SHARED_DATA to the folder that has them)",
)


@dataclass(frozen=True)
class Ollama:
    """The server under test."""

    url: str
    is_stub: bool

    def ask(self, path: str, body: Any, *, method: str = "POST") -> Any:
        """The answer's JSON, whatever its status; None for an empty one."""
        answer = httpx.request(method, self.url + path, json=body, timeout=CONTROL_SECONDS, trust_env=False)
        return answer.json() if answer.content else None

    def chat(self, model: str, *, num_ctx: int | None = None) -> Any:
        """A short answer of the model."""
        options = {"num_predict": 2} | ({"num_ctx": num_ctx} if num_ctx else {})
        messages = [{"role": "user", "content": "ping"}]
        return self.ask("/api/chat", {"model": model, "messages": messages, "stream": False, "options": options})

    def unload(self, model: str) -> None:
        """Take the model out of memory, and wait: a real server still lists it for a moment."""
        self.ask("/api/chat", {"model": model, "messages": [], "keep_alive": 0})
        until = time.monotonic() + UNLOAD_SECONDS
        while any(row["name"] == f"{model}:latest" for row in self.ask("/api/ps", None, method="GET")["models"]):
            assert time.monotonic() < until, f"{model} is still loaded"
            time.sleep(0.05)

    def delete(self, model: str) -> None:
        """Take the model away, if it is there."""
        self.ask("/api/delete", {"model": model}, method="DELETE")


Before = Callable[[Ollama], None]
After = Callable[[Ollama, Recording, Answer], None]


def nothing(ollama: Ollama) -> None:
    """No preparation."""


def shape_only(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    """The comparison of structure, types and fixed values says all."""


@dataclass(frozen=True)
class Comparison:
    """What a recording needs beside the comparison of its shape."""

    after: After = shape_only
    before: Before = nothing


def load_only_company_and_embedder(ollama: Ollama) -> None:
    ollama.unload("qwen05")
    ollama.ask("/api/embed", {"model": "nomic-embed-text", "input": ["a"]})
    ollama.chat("company-assistant")


def load_all(ollama: Ollama) -> None:
    load_only_company_and_embedder(ollama)
    ollama.chat("qwen05", num_ctx=1024)


def load_all_and_unload_one(ollama: Ollama) -> None:
    load_all(ollama)
    ollama.unload("qwen05")


def hang_up_in_mid_answer(ollama: Ollama) -> None:
    send(ollama.url, recording("chat_stream_client_hangs_up"))


def create_second(ollama: Ollama) -> None:
    send(ollama.url, recording("create_from_existing"))


def has_recorded_system(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    expected = recorded.answer["body"]
    assert answer.body["system"] == expected["system"]
    assert answer.body["template"] == expected["template"]
    assert parameters_of(answer.body["parameters"]) == parameters_of(expected["parameters"])


def has_the_number_of_tokens(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert answer.body["prompt_eval_count"] == recorded.answer["body"]["prompt_eval_count"]


def system_message_made_the_prompt_shorter(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    with_modelfile = send(ollama.url, recording("chat_modelfile_system"))
    assert answer.body["prompt_eval_count"] < with_modelfile.body["prompt_eval_count"]
    shown = ollama.ask("/api/chat", recorded.body | {"_debug_render_only": True})["_debug_info"]["rendered_template"]
    assert recorded.body["messages"][0]["content"] in shown
    assert recording("show").answer["body"]["system"].strip() not in shown


def prompt_was_cut_to_the_context(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert answer.body["prompt_eval_count"] == recorded.body["options"]["num_ctx"]


def old_messages_were_dropped(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    num_ctx = recorded.body["options"]["num_ctx"]
    assert num_ctx * 0.9 < answer.body["prompt_eval_count"] <= num_ctx
    shown = ollama.ask("/api/chat", recorded.body | {"_debug_render_only": True})["_debug_info"]["rendered_template"]
    assert recorded.body["messages"][0]["content"] not in shown
    assert recorded.body["messages"][-1]["content"] in shown
    assert recording("show").answer["body"]["system"].strip() in shown


def answer_ended_with_the_context(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert answer.body["prompt_eval_count"] + answer.body["eval_count"] == recorded.body["options"]["num_ctx"] + 1


def loading_took_long(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    again = send(ollama.url, recording("same_num_ctx")).body
    assert answer.body["load_duration"] > SLOW_LOAD_RATIO * again["load_duration"]
    rows = ollama.ask("/api/ps", None, method="GET")["models"]
    assert {row["name"]: row["context_length"] for row in rows}["qwen05:latest"] == recorded.body["options"]["num_ctx"]


def slot_was_free_at_once(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    cut = send(ollama.url, recording("chat_stream_client_hangs_up"))
    seconds_per_token = (cut.line_seconds[-1] - cut.line_seconds[0]) / (len(cut.lines) - 1)
    next_answer = ollama.chat("company-assistant")
    assert next_answer["total_duration"] / 1e9 < 0.25 * 400 * seconds_per_token


def counts_are_nanoseconds(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    last = parsed_line(answer.lines[-1]) if answer.lines else answer.body
    parts = last["load_duration"] + last["prompt_eval_duration"] + last["eval_duration"]
    assert 0.5 * last["total_duration"] < parts <= last["total_duration"] * 1.01
    assert 0.2 * answer.seconds < last["total_duration"] / 1e9 <= answer.seconds
    text = "".join(parsed_line(line)["message"]["content"] for line in answer.lines) or last["message"]["content"]
    assert 0 < last["eval_count"] <= len(text) + 1


def vectors_are_in_order_and_normalised(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    vectors = answer.body["embeddings"]
    texts = recorded.body["input"]
    assert len(vectors) == len(texts)
    assert answer.body["prompt_eval_count"] == recorded.answer["body"]["prompt_eval_count"]
    for vector, text in zip(vectors, texts, strict=True):
        assert math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-4)
        alone = ollama.ask("/api/embed", {"model": recorded.body["model"], "input": text})["embeddings"][0]
        assert math.isclose(sum(a * b for a, b in zip(vector, alone, strict=True)), 1.0, abs_tol=1e-4)


def openai_vector_is_the_same(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert answer.body["usage"] == recorded.answer["body"]["usage"]
    native = ollama.ask("/api/embed", {"model": recorded.body["model"], "input": recorded.body["input"]})
    assert answer.body["data"][0]["embedding"] == pytest.approx(native["embeddings"][0], abs=1e-4)


def rows_are_the_recorded_models(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    expected = {row["name"]: row["context_length"] for row in recorded.answer["body"]["models"]}
    assert {row["name"]: row["context_length"] for row in answer.body["models"]} == expected
    expiries = [row["expires_at"] for row in answer.body["models"]]
    assert expiries == sorted(expiries, reverse=True)


def recorded_models_are_listed(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert {row["name"] for row in recorded.answer["body"]["models"]} <= {row["name"] for row in answer.body["models"]}
    changes = [row["modified_at"][:19] for row in answer.body["models"]]
    assert changes == sorted(changes, reverse=True)


def recorded_models_have_ids(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert {row["id"] for row in recorded.answer["body"]["data"]} <= {row["id"] for row in answer.body["data"]}


def answer_fits_the_schema(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    content = json.loads(answer.body["message"]["content"])
    assert set(content) == set(recorded.body["format"]["required"])


def model_is_gone(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert "error" in ollama.ask("/api/show", recorded.body)


def created_model_has_merged_parameters(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    shown = ollama.ask("/api/show", {"model": recorded.body["model"]})
    base = parameters_of(recording("show").answer["body"]["parameters"])
    assert shown["system"] == recorded.body["system"]
    assert parameters_of(shown["parameters"]) == base | recorded.body["parameters"]
    ollama.delete(recorded.body["model"])


def every_chat_with_the_bad_parameter_fails(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    problem = ollama.chat(recorded.body["model"])
    assert problem == {"error": recording("chat_bad_option_type").answer["body"]["error"]}
    ollama.delete(recorded.body["model"])


def stub_gives_the_recorded_reason(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    if ollama.is_stub:
        assert answer.lines == recorded.lines


def version_is_the_recorded_one(ollama: Ollama, recorded: Recording, answer: Answer) -> None:
    assert answer.body == recorded.answer["body"]


COMPARISONS: dict[str, Comparison] = {
    "chat_after_hang_up": Comparison(slot_was_free_at_once, before=hang_up_in_mid_answer),
    "chat_bad_json_type": Comparison(),
    "chat_bad_option_type": Comparison(),
    "chat_length": Comparison(counts_are_nanoseconds),
    "chat_missing_model": Comparison(),
    "chat_modelfile_system": Comparison(counts_are_nanoseconds),
    "chat_once": Comparison(counts_are_nanoseconds),
    "chat_stream": Comparison(counts_are_nanoseconds),
    "chat_stream_client_hangs_up": Comparison(slot_was_free_at_once),
    "chat_system_message_replaces_modelfile_system": Comparison(system_message_made_the_prompt_shorter),
    "chat_with_an_embedding_model": Comparison(),
    "create_bad_parameter": Comparison(every_chat_with_the_bad_parameter_fails, before=lambda it: it.delete("x")),
    "create_from_existing": Comparison(
        created_model_has_merged_parameters, before=lambda it: it.delete("company-assistant-r2")
    ),
    "delete": Comparison(model_is_gone, before=create_second),
    "delete_missing": Comparison(before=lambda it: it.delete("company-assistant-r2")),
    "embed": Comparison(vectors_are_in_order_and_normalised),
    "embed_empty": Comparison(),
    "embed_empty_string": Comparison(has_the_number_of_tokens),
    "embed_too_long_default": Comparison(has_the_number_of_tokens),
    "embed_too_long_truncate_false": Comparison(),
    "embed_with_a_chat_model": Comparison(),
    "format_schema": Comparison(answer_fits_the_schema),
    "keep_alive_zero_unloads": Comparison(before=lambda it: it.unload("qwen05")),
    "load_only": Comparison(),
    "overflow_many_messages": Comparison(old_messages_were_dropped),
    "overflow_shift_false": Comparison(answer_ended_with_the_context),
    "overflow_silent": Comparison(prompt_was_cut_to_the_context),
    "overflow_truncate_false": Comparison(),
    "ps_after_load": Comparison(rows_are_the_recorded_models, before=load_only_company_and_embedder),
    "ps_after_unload": Comparison(rows_are_the_recorded_models, before=load_all_and_unload_one),
    "ps_num_ctx_1024": Comparison(rows_are_the_recorded_models, before=load_all),
    "pull_without_network": Comparison(stub_gives_the_recorded_reason),
    "reload_on_num_ctx": Comparison(loading_took_long, before=load_all),
    "same_num_ctx": Comparison(before=lambda it: it.chat("qwen05", num_ctx=2048)),
    "show": Comparison(has_recorded_system),
    "show_embedder": Comparison(),
    "show_missing": Comparison(),
    "tags": Comparison(recorded_models_are_listed),
    "think_on_unsupported": Comparison(),
    "unknown_route": Comparison(),
    "v1_chat_once": Comparison(),
    "v1_chat_stream": Comparison(),
    "v1_embeddings": Comparison(openai_vector_is_the_same),
    "v1_missing_model": Comparison(),
    "v1_models": Comparison(recorded_models_have_ids),
    "version": Comparison(version_is_the_recorded_one),
}


@pytest.fixture(scope="module")
def ollama() -> Iterator[Ollama]:
    """The server under test with the three recorded models, made as the recording's were."""
    if REAL_URL:
        real = Ollama(REAL_URL, is_stub=False)
        there = {row["name"].removesuffix(":latest") for row in real.ask("/api/tags", None, method="GET")["models"]}
        made = [name for name in RECORDED_MODELS if name not in there]
        create_recorded_models(real, made, bases=json.loads(os.environ.get("OLLAMA_UNDER_TEST_BASES", "{}")))
        yield real
        for name in made:
            real.delete(name)
        return
    bases = sorted(set(STUB_BASES.values()))
    with start_stub_ollama(models=bases, parallel=1, tokens_per_second=STUB_TOKENS_PER_SECOND) as stub:
        server = Ollama(stub.url, is_stub=True)
        create_recorded_models(server, list(RECORDED_MODELS), bases=STUB_BASES)
        yield server


def create_recorded_models(ollama: Ollama, names: list[str], *, bases: dict[str, str]) -> None:
    """Models with the recorded SYSTEM, template and parameters from the bases."""
    shown = recording("show").answer["body"]
    chat_body = {name: shown[name] for name in ("system", "template")}
    chat_body["parameters"] = parameters_of(shown["parameters"])
    for name in names:
        body = {"parameters": {"num_ctx": EMBED_NUM_CTX}} if name == "nomic-embed-text" else chat_body
        answer = ollama.ask("/api/create", {"model": name, "from": bases[name], "stream": False, **body})
        assert answer == {"status": "success"}, f"{name} from {bases[name]}: {answer}"


def test_every_recording_has_a_comparison_and_every_comparison_a_recording() -> None:
    assert set(recording_names()) == set(COMPARISONS)


@pytest.mark.parametrize("name", sorted(COMPARISONS))
def test_answer_is_like_the_recorded_one(ollama: Ollama, name: str) -> None:
    comparison = COMPARISONS[name]
    recorded = recording(name)
    comparison.before(ollama)

    answer = send(ollama.url, recorded)

    assert differences(recorded, answer) == []
    comparison.after(ollama, recorded, answer)
