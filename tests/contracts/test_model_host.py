"""What every host of models promises; on the fake, on the stub of Ollama, and marked `live` on a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from assistant.adapters.fake_host import FakeModelHost
from assistant.adapters.ollama_host import OllamaModelHost
from assistant.errors import ModelMissing, ModelUnavailable
from assistant.ports import ModelHost
from assistant.releases import full_name
from tests.contracts.conftest import RealOllama, free_port
from tests.stubs.ollama.process import StubOllama

NAME = "contract:r_1"
SECOND = "contract-second"
SYSTEM = "　全角の空白と\u00a0改行しない空白、\n二行目。　"
Value = TypeVar("Value")


@dataclass
class Hosted:
    """A host, and a base model on it."""

    host: ModelHost
    base: str

    def do(self, work: Coroutine[Any, Any, Value]) -> Value:
        """One call, to its end."""
        return asyncio.run(work)

    def make(self, name: str = NAME, **settings: Any) -> Any:
        """A model of the base."""
        return self.do(self.host.make(name, base=self.base, settings=settings))


@pytest.fixture(params=["fake", "ollama", pytest.param("real_ollama", marks=pytest.mark.live)])
def hosted(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    """Each host; what a test makes is taken away again."""
    if request.param == "fake":
        hosted = Hosted(FakeModelHost(), "base")
    elif request.param == "ollama":
        stub: StubOllama = request.getfixturevalue("stub_ollama")
        hosted = Hosted(OllamaModelHost(url=stub.url), "llama3.1:8b-instruct-q4_K_M")
    else:
        real: RealOllama = request.getfixturevalue("real_ollama")
        hosted = Hosted(OllamaModelHost(url=real.url, connect_timeout_seconds=20), real.chat_model)
    yield hosted
    for name in (NAME, SECOND):
        hosted.do(hosted.host.remove(name))


def test_a_model_is_what_was_asked_for_to_the_character(hosted: Hosted) -> None:
    parameters = {"num_ctx": 1024, "temperature": 0.25, "stop": ["<|a|>", "<|b|>"]}
    made = hosted.make(system=SYSTEM, parameters=parameters, messages=[{"role": "user", "content": "一　二"}])
    assert made == hosted.do(hosted.host.seen(NAME))
    assert made.system == SYSTEM
    assert {name: made.parameters[name] for name in parameters} == parameters
    assert made.messages == (("user", "一　二"),)
    assert made.can_chat
    assert made.window >= 2048
    assert made.size_bytes > 0
    assert "Content" in made.template


def test_a_base_that_is_not_there_is_told_and_not_fetched(hosted: Hosted) -> None:
    with pytest.raises(ModelMissing, match="no-such-base"):
        hosted.do(hosted.host.make(NAME, base="no-such-base", settings={}))
    assert hosted.do(hosted.host.seen(NAME)) is None


def test_a_second_name_is_the_same_model_and_a_change_of_it_is_another(hosted: Hosted) -> None:
    hosted.make(system="一", parameters={"num_ctx": 1024})
    hosted.do(hosted.host.copy(NAME, SECOND))
    digests = hosted.do(hosted.host.digests())
    assert digests[f"{SECOND}:latest"] == digests[NAME]
    hosted.make(SECOND, system="二", parameters={"num_ctx": 1024})
    changed = hosted.do(hosted.host.digests())
    assert changed[NAME] == digests[NAME]
    assert changed[f"{SECOND}:latest"] != digests[NAME]
    again = hosted.make(system="一", parameters={"num_ctx": 1024})
    assert again.digest == digests[NAME], "the same content made anew is no drift"
    with pytest.raises(ModelMissing):
        hosted.do(hosted.host.copy("no-such-model", SECOND))


def test_a_loaded_model_has_its_own_window_under_every_name_of_its_file(hosted: Hosted) -> None:
    hosted.make(parameters={"num_ctx": 1024})
    hosted.do(hosted.host.copy(NAME, SECOND))
    loaded = hosted.do(hosted.host.load(NAME))
    assert loaded.num_ctx == 1024
    assert loaded.bytes > 0
    assert loaded.gpu_bytes in (0, loaded.bytes)
    assert hosted.do(hosted.host.load(SECOND)) == loaded
    assert hosted.do(hosted.host.loaded(SECOND)) == loaded
    with pytest.raises(ModelMissing):
        hosted.do(hosted.host.load("no-such-model"))


def test_a_trial_says_words_tokens_and_pace(hosted: Hosted) -> None:
    hosted.make(parameters={"num_ctx": 1024})
    prompt = '<passage number="1">\nThe parking fee is 500 yen.\n</passage>\n\nQuestion: How much is the parking fee?'
    tried = hosted.do(hosted.host.try_out(NAME, prompt, num_predict=12))
    assert tried.text
    assert 0 < tried.answer_tokens <= 12
    assert tried.prompt_tokens > 10
    assert tried.tokens_per_second > 0


def test_a_model_that_is_taken_away_is_gone_and_twice_is_no_error(hosted: Hosted) -> None:
    hosted.make(parameters={"num_ctx": 1024})
    hosted.do(hosted.host.remove(NAME))
    hosted.do(hosted.host.remove(NAME))
    assert hosted.do(hosted.host.seen(NAME)) is None
    assert NAME not in hosted.do(hosted.host.digests())


def test_files_say_which_models_share_their_weights_and_a_model_of_memory_says_its_facts(hosted: Hosted) -> None:
    made = hosted.make(parameters={"num_ctx": 1024})
    hosted.do(hosted.host.copy(NAME, SECOND))
    files = hosted.do(hosted.host.files())
    assert files.keys() == hosted.do(hosted.host.digests()).keys()
    own, base = files[NAME], files[full_name(hosted.base)]
    assert own.weights == base.weights == files[full_name(SECOND)].weights
    assert own.size_bytes >= made.facts.weights_bytes > 0
    assert made.facts.context_length == made.window


def test_a_server_that_is_away_is_told_as_one() -> None:
    host = OllamaModelHost(url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ModelUnavailable):
        asyncio.run(host.digests())


def test_memory_is_seen_on_this_machine_alone() -> None:
    assert (OllamaModelHost(url="http://127.0.0.1:1").free_bytes() or 0) > 1 << 20
    assert OllamaModelHost(url="http://ollama:11434").free_bytes() is None
