"""Settings and Modelfile become chat models: what each server is sent, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import ModelUnavailable, SettingsError
from assistant.release.modelfile import parse_modelfile
from assistant.settings import Second, Settings
from assistant.wiring_models import ChatModels, chat_models, model_state, sampling_of
from tests.contracts.chat_models import QUESTION, ask
from tests.stubs.ollama.process import StubOllama, start_stub_ollama
from tests.stubs.openai_routes import OpenAIRoutes

MODELFILE = parse_modelfile(
    "FROM llama3.1\nPARAMETER num_ctx 8192\nPARAMETER temperature 0.3\nPARAMETER repeat_penalty 1.05\n"
    "PARAMETER stop <|eot|>\nPARAMETER stop ###\nSYSTEM 社内文書だけを根拠に答えます。"
)


@pytest.fixture(scope="module")
def stub() -> Iterator[StubOllama]:
    with start_stub_ollama(tokens_per_second=500) as running:
        yield running


@pytest.fixture
def routes() -> Iterator[OpenAIRoutes]:
    with OpenAIRoutes(window=4096) as running:
        yield running


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type,call-arg]


def models(second: Second, **given: object) -> ChatModels:
    return chat_models(settings(second=second, **given), MODELFILE)


def test_without_a_second_model_there_is_one_and_with_quotes_none() -> None:
    alone = chat_models(settings(), MODELFILE)
    assert alone.first is not None
    assert (alone.first.name, alone.second, alone.num_ctx) == ("company-assistant", None, 8192)
    quotes = models(Second(kind="openai", url="http://127.0.0.1:1/v1", model="m"), answers="quotes")
    assert (quotes.first, quotes.second) == (None, None)


def test_each_model_has_a_breaker_of_its_own_and_prompts_fit_into_the_smaller_window() -> None:
    both = models(Second(kind="openai", url="http://127.0.0.1:1/v1", model="other", num_ctx=4096))
    assert both.first is not None
    assert both.second is not None
    assert (both.first.breaker.name, both.second.breaker.name) == ("model", "second")
    assert (both.first.num_ctx, both.second.num_ctx, both.num_ctx) == (8192, 4096, 4096)


@pytest.mark.parametrize(
    ("second", "named"),
    [
        (Second(kind="openai", model="m"), "ASSISTANT_SECOND__URL"),
        (Second(kind="ollama", url="http://127.0.0.1:1"), "ASSISTANT_SECOND__MODEL"),
        (Second(kind="openai", url="http://127.0.0.1:1/v1", model="company-assistant"), "company-assistant"),
    ],
)
def test_a_second_model_that_is_not_whole_or_has_the_firsts_name_is_refused(second: Second, named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        models(second)
    assert named in caught.value.message.ja
    assert named in caught.value.message.en


def test_hints_name_the_settings_of_the_model_that_is_away() -> None:
    for kind, url in (("openai", "http://127.0.0.1:9/v1"), ("ollama", "http://127.0.0.1:9")):
        second = models(Second(kind=kind, url=url, model="other")).second  # type: ignore[arg-type]
        assert second is not None
        with pytest.raises(ModelUnavailable) as caught:
            asyncio.run(second.check())
        assert "ASSISTANT_SECOND__URL" in caught.value.hint.ja


def test_the_release_goes_with_every_request_where_a_server_has_no_modelfile(stub: StubOllama) -> None:
    stub.forget_requests()
    second = models(Second(kind="openai", url=f"{stub.url}/v1", model="nomic-embed-text")).second
    assert second is not None
    given = models(Second(), answers="openai", openai_url=f"{stub.url}/v1").first
    assert given is not None

    ask(given, QUESTION)

    body = stub.requests("/v1/chat/completions")[0]["body"]
    assert body["messages"][0] == {"role": "system", "content": MODELFILE.system}
    assert (body["temperature"], body["top_p"], body["stop"]) == (0.3, 0.9, ["<|eot|>", "###"])
    assert "num_ctx" not in body
    assert "repeat_penalty" not in body


def test_what_the_protocol_cannot_carry_is_named_where_the_model_is_looked_at(stub: StubOllama) -> None:
    assert sampling_of(MODELFILE)[1] == ["repeat_penalty"]
    given = models(Second(), answers="openai", openai_url=f"{stub.url}/v1").first
    assert given is not None
    state = asyncio.run(model_state("model", given))
    assert state.state == "ok"
    assert "repeat_penalty" in state.seen
    ollama = models(Second(), ollama_url=stub.url).first
    assert ollama is not None
    assert asyncio.run(model_state("model", ollama)).seen == "company-assistant"


def test_a_server_with_a_smaller_window_is_a_warning_with_the_option_that_mends_it(routes: OpenAIRoutes) -> None:
    second = models(Second(kind="openai", url=routes.url, model=routes.model)).second
    assert second is not None
    state = asyncio.run(model_state("second", second))
    assert state.state == "warn"
    assert "4096" in state.seen
    assert "--max-model-len" in state.hint_ja
    large_enough = models(Second(kind="openai", url=routes.url, model=routes.model, num_ctx=4096)).second
    assert large_enough is not None
    assert asyncio.run(model_state("second", large_enough)).state == "ok"


def test_tokens_are_counted_by_vllms_own_route(routes: OpenAIRoutes) -> None:
    second = models(Second(kind="openai", url=routes.url, model=routes.model)).second
    assert second is not None
    assert [asyncio.run(second.count_tokens("有給休暇")) for _ in range(2)] == [(routes.count, "tokenizer")] * 2
    asked = [path for path, _ in routes.requests]
    assert asked == ["/apply-template", "/tokenize", "/tokenize"]
    body = routes.requests[-1][1]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["model"] == routes.model


def test_the_create_command_of_a_second_ollama_names_its_server(tmp_path: Path) -> None:
    with start_stub_ollama() as other:
        second = models(Second(kind="ollama", url=other.url, model="not-there")).second
        assert second is not None
        state = asyncio.run(model_state("second", second))
    assert f"OLLAMA_HOST={other.url} ollama create not-there" in state.hint_en


def test_the_missing_model_of_a_release_names_the_command_that_makes_it(stub: StubOllama) -> None:
    named = settings(ollama_url=stub.url, chat_model="company-assistant:r_3f2a9c1d5e7b8046")
    first = chat_models(named, MODELFILE).first
    assert first is not None
    state = asyncio.run(model_state("model", first))
    assert "assistant release publish r_3f2a9c1d5e7b8046" in state.hint_en
