"""Questions that move between a real Ollama and llama.cpp's real server, and what that server is like."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from assistant.adapters.embedded import EMBEDDED_CHAT_MODEL
from assistant.adapters.ollama import OllamaChatModel
from assistant.backends import MOVED_CODE, SecondModel
from assistant.domain import AnswerMode
from assistant.release.modelfile import parse_modelfile
from assistant.settings import Second, Settings
from assistant.wiring_models import chat_models, model_state
from tests.assistant.test_ask import ScriptedModel, answer_of, pipeline
from tests.contracts.chat_models import openai_model
from tests.contracts.conftest import NUM_CTX, SYSTEM, RealOllama, free_port

pytestmark = pytest.mark.live

QUESTION = "年次有給休暇は何営業日前までに申請しますか?"


def test_a_question_goes_to_the_model_of_its_share_and_to_the_other_when_that_one_is_away(
    real_ollama: RealOllama, embedded_chat_url: str
) -> None:
    old = OllamaChatModel(url=real_ollama.url, model=real_ollama.chat_model, num_ctx=8192, system_text=SYSTEM)
    away = OllamaChatModel(url=f"http://127.0.0.1:{free_port()}", model="away", num_ctx=8192)
    new = openai_model(embedded_chat_url, model=EMBEDDED_CHAT_MODEL, num_ctx=NUM_CTX, system_text=SYSTEM)
    line = replace(pipeline(ScriptedModel()), num_predict=48, budget_tokens=NUM_CTX - 100)

    for first, share_percent, expected in ((old, 0.0, old), (old, 100.0, new), (away, 0.0, new)):
        answer = answer_of(QUESTION, replace(line, model=first, second=SecondModel(new, share_percent)))
        assert (answer.mode, answer.model) == (AnswerMode.GENERATED, expected.name)
        assert (MOVED_CODE in {notice.code for notice in answer.notices}) == (first is away)


def test_llama_cpp_has_its_own_temperature_and_a_window_that_no_request_can_change(embedded_chat_url: str) -> None:
    with httpx.Client(base_url=embedded_chat_url, trust_env=False, timeout=60) as client:
        told = client.get("/props").json()["default_generation_settings"]
        assert (round(told["params"]["temperature"], 3), round(told["params"]["top_p"], 3)) == (0.8, 0.95)
        messages = [{"role": "user", "content": "はい。" * NUM_CTX}]
        refused = client.post("/v1/chat/completions", json={"messages": messages, "max_tokens": 1, "num_ctx": 32_768})
    assert told["n_ctx"] == NUM_CTX
    assert refused.status_code == 400
    assert refused.json()["error"]["n_ctx"] == NUM_CTX


def test_the_window_that_a_real_server_was_started_with_is_compared_with_the_release(embedded_chat_url: str) -> None:
    second = Second(kind="openai", url=f"{embedded_chat_url}/v1", model=EMBEDDED_CHAT_MODEL)
    settings = Settings(_env_file=None, second=second)  # type: ignore[call-arg]
    modelfile = parse_modelfile("FROM m\nPARAMETER num_ctx 8192")
    models = chat_models(settings, modelfile)
    assert models.second is not None
    state = asyncio.run(model_state("second", models.second))
    assert state.state == "warn"
    assert str(NUM_CTX) in state.seen
