"""The main journeys with a real model: a folder becomes answers that a real Ollama wrote, and its ways of failing.

What a 1.5B model says varies, so these tests hold it to facts that it reliably copies, and the product to its promises:
quotes that are in the sources, nothing cut in silence, a model that is free when nobody listens any more.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.model_files import QWEN_CODER_1_5B
from assistant.adapters.ollama import OllamaChatModel
from assistant.domain import ModelEnd, ModelToken
from assistant.errors import ContextOverflow
from tests.journeys.deployment import ROOT, Deployment
from tests.live.asking import (
    ANSWER_SECONDS,
    SMALL_PROMPTS,
    Fact,
    StreamEvent,
    ask,
    ask_and_leave_after_the_first_token,
    ask_at_the_command_line,
    assert_generated,
    assert_quoted,
    counted,
    first_token_seconds,
    stream,
    told,
)
from tests.live.handbook import DOCUMENTS, write_handbook
from tests.live.ollama_process import LiveOllama, ensure_model_file, read_modelfile
from tests.live.recording_proxy import Exchange, recording_proxy

JAPANESE = Fact("有給休暇は取得日の何営業日前までに申請しますか?", says="3営業日前", path="人事/休暇.md")
ENGLISH = Fact("On which level do visitors park?", says="B2", path="en/parking.md")
UNANSWERED = "社員食堂の営業時間は何時から何時までですか?"
LONG = "火災のときの行動を1番から10番まですべて書いてください。"

MODELFILE = ROOT / "modelfiles" / "company-assistant.Modelfile"
SMALL_CTX_TOKENS = 640  # SYSTEM, instructions and the best passage of the handbook, but not its list of steps
TINY_CTX_TOKENS = 256
COUNTING = "Go on counting up to 500. Write nothing but numbers, one on each line.\n"


@contextmanager
def running(folder: Path, parts: str, **settings: str) -> Iterator[Deployment]:
    """A deployment that has read the handbook."""
    deployment = Deployment(folder, write_handbook(folder / "documents"), SMALL_PROMPTS | settings)
    with deployment.up(parts):
        done = deployment.run("ingest", "run", "--json", timeout_seconds=ANSWER_SECONDS)
        assert done.returncode == 0, done.stderr
        yield deployment


@pytest.fixture(scope="module")
def deployment(live_ollama: LiveOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The embedded embedder, and answers from the live Ollama."""
    folder = tmp_path_factory.mktemp("journey")
    with running(folder, "chroma,api", ANSWERS="ollama", OLLAMA_URL=live_ollama.url) as made:
        yield made


@pytest.fixture(scope="module")
def whole_stream(deployment: Deployment) -> list[StreamEvent]:
    """All events of one long answer."""
    with stream(deployment, LONG) as events:
        return list(events)


# -- the main journey -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", [JAPANESE, ENGLISH], ids=["japanese", "english"])
def test_the_model_answers_from_the_folder_with_a_quote_that_is_literally_in_the_source(
    deployment: Deployment, fact: Fact
) -> None:
    answer = told(fact, partial(ask, deployment))

    assert_generated(answer, fact)
    assert answer["model"] == "company-assistant"
    assert "number_not_in_sources" not in answer["warnings"]


def test_a_question_that_no_document_answers_gets_no_invented_figure(deployment: Deployment) -> None:
    answer = ask(deployment, UNANSWERED)

    known = {number for text in DOCUMENTS.values() for number in re.findall(r"\d+", text)}
    said = set(re.findall(r"\d+", re.sub(r"\[\d+\]", "", answer["answer"])))
    assert answer["mode"] == "generated"
    assert answer["refused"] or said <= known, answer["answer"]


def test_a_stream_has_tokens_of_the_answer_and_one_end_with_the_models_own_counts(
    whole_stream: list[StreamEvent],
) -> None:
    names = [event.name for event in whole_stream]
    answer = whole_stream[-1].data

    assert names.index("found") < names.index("token")
    assert [name for name in names if name in ("finished", "error")] == ["finished"]
    assert names[-1] == "finished"
    assert names.count("token") > 40, "too short for the tests of leaving"
    assert answer["context"]["counted_by"] == "model"
    written = "".join(event.data["text"] for event in whole_stream if event.name == "token")
    assert "非常ベル" in written
    assert "非常ベル" in answer["answer"]
    assert answer["timings"]["first_token_seconds"] < answer["timings"]["total_seconds"]


# -- who leaves ---------------------------------------------------------------------------------------------------------


def writing_seconds(events: list[StreamEvent]) -> float:
    """From the first token to the end."""
    return events[-1].at - next(event.at for event in events if event.name == "token")


def test_leaving_a_stream_frees_the_model_at_once(deployment: Deployment, whole_stream: list[StreamEvent]) -> None:
    left_before = counted(deployment, "assistant_hang_ups_total")
    with stream(deployment, LONG) as events:
        tokens = (event for event in events if event.name == "token")
        assert [next(tokens).name for _ in range(3)] == ["token"] * 3

    waited_seconds = first_token_seconds(deployment, LONG)

    # Its prompt is read already, so whoever waits longer waits for the answer that nobody listens to.
    assert waited_seconds < writing_seconds(whole_stream) / 3
    assert counted(deployment, "assistant_hang_ups_total") >= left_before + 1


def test_leaving_a_json_answer_frees_the_model_at_once(deployment: Deployment, whole_stream: list[StreamEvent]) -> None:
    left_before = counted(deployment, "assistant_hang_ups_total")
    ask_and_leave_after_the_first_token(deployment, LONG)

    waited_seconds = first_token_seconds(deployment, LONG)

    assert waited_seconds < writing_seconds(whole_stream) / 3
    assert counted(deployment, "assistant_hang_ups_total") >= left_before + 1


# -- what Ollama is sent ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """Two questions of one deployment, what Ollama was sent for them, and how often it loaded a model meanwhile."""

    answers: list[dict[str, Any]]
    chats: list[Exchange]
    loads_between: int


@pytest.fixture(scope="module")
def recorded(deployment: Deployment, live_ollama: LiveOllama) -> Recorded:
    """Asked at the command line, through the proxy."""
    with recording_proxy(live_ollama.url) as proxy:
        first = ask_at_the_command_line(deployment, JAPANESE.question, OLLAMA_URL=proxy.url)
        loads = live_ollama.times_loaded()
        second = ask_at_the_command_line(deployment, ENGLISH.question, OLLAMA_URL=proxy.url)
        return Recorded([first, second], proxy.chats(), live_ollama.times_loaded() - loads)


def test_what_is_sent_is_one_user_message_that_may_not_be_cut(recorded: Recorded, live_ollama: LiveOllama) -> None:
    assert [chat.status for chat in recorded.chats] == [200, 200]
    for chat in recorded.chats:
        assert chat.body["model"] == live_ollama.chat_model
        assert [message["role"] for message in chat.body["messages"]] == ["user"]
        assert (chat.body["truncate"], chat.body["shift"]) == (False, False)
        assert chat.body["options"] == {"num_ctx": 8192, "num_predict": int(SMALL_PROMPTS["NUM_PREDICT"])}


def test_the_modelfiles_system_and_every_offered_passage_reach_the_model(
    recorded: Recorded, live_ollama: LiveOllama
) -> None:
    system, _ = read_modelfile(MODELFILE)
    for answer, chat in zip(recorded.answers, recorded.chats, strict=True):
        body = {**chat.body, "stream": False, "_debug_render_only": True}
        with live_ollama.client(timeout_seconds=ANSWER_SECONDS) as client:
            rendered = client.post("/api/chat", json=body).json()["_debug_info"]["rendered_template"]
        offered = answer["passages"][: answer["context"]["passages_used"]]
        assert rendered.count(system) == 1
        assert offered
        assert all(passage["text"] in rendered for passage in offered)
        assert answer["context"]["prompt_tokens"] == chat.lines[-1]["prompt_eval_count"]


def test_a_second_question_finds_the_model_loaded_with_the_same_window(
    recorded: Recorded, live_ollama: LiveOllama
) -> None:
    with live_ollama.client(timeout_seconds=60) as client:
        loaded = client.get("/api/ps").json()["models"]

    assert recorded.loads_between == 0
    # By name: what another test's model was loaded with may still be there for a while.
    assert [row["context_length"] for row in loaded if row["name"].partition(":")[0] == live_ollama.chat_model] == [
        8192
    ]
    assert recorded.chats[1].lines[-1]["load_duration"] < recorded.chats[1].lines[-1]["total_duration"] / 4


# -- the end of the model's stream, and the window ----------------------------------------------------------------------


def answered(model: OllamaChatModel, prompt: str, *, num_predict: int) -> list[ModelToken | ModelEnd]:
    """All pieces of one answer."""

    async def collect() -> list[ModelToken | ModelEnd]:
        async with aclosing(model.stream(prompt, num_predict=num_predict)) as pieces:
            return [piece async for piece in pieces]

    return asyncio.run(collect())


def test_the_models_stream_has_one_end_with_the_servers_own_counts(live_ollama: LiveOllama) -> None:
    with recording_proxy(live_ollama.url) as proxy:
        model = OllamaChatModel(
            url=proxy.url, model=live_ollama.chat_model, num_ctx=8192, first_token_timeout_seconds=ANSWER_SECONDS
        )
        *tokens, end = answered(model, "1+1は?", num_predict=24)

    lines = proxy.chats()[0].lines
    assert all(isinstance(token, ModelToken) for token in tokens)
    assert "".join(token.text for token in tokens if isinstance(token, ModelToken)) == "".join(
        line["message"]["content"] for line in lines
    )
    assert [line["done"] for line in lines].count(True) == 1
    assert end == ModelEnd(
        prompt_tokens=lines[-1]["prompt_eval_count"],
        answer_tokens=lines[-1]["eval_count"],
        truncated=lines[-1]["done_reason"] == "length",
    )


@pytest.fixture(scope="module")
def small_window(live_ollama: LiveOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of a deployment whose Modelfile has a small num_ctx; the model on the server is made of the same file."""
    path = tmp_path_factory.mktemp("small") / "small.Modelfile"
    text = MODELFILE.read_text(encoding="utf-8").replace("num_ctx 8192", f"num_ctx {SMALL_CTX_TOKENS}")
    path.write_text(text, encoding="utf-8")
    system, parameters = read_modelfile(path)
    assert parameters["num_ctx"] == SMALL_CTX_TOKENS
    settings = {"MODELFILE": str(path), "CHAT_MODEL": "small-window", "PROMPT_LIMIT_TOKENS": "8192"}
    with live_ollama.made_model(settings["CHAT_MODEL"], system=system, parameters=parameters):
        yield settings


def test_passages_that_do_not_fit_the_window_are_left_out_and_counted(
    deployment: Deployment, small_window: dict[str, str]
) -> None:
    answer = told(JAPANESE, partial(ask_at_the_command_line, deployment, **small_window))

    assert_generated(answer, JAPANESE)
    context = answer["context"]
    assert context["num_ctx"] == SMALL_CTX_TOKENS
    assert context["passages_dropped"] > 0
    assert context["passages_used"] + context["passages_dropped"] == len(answer["passages"])
    assert context["prompt_tokens"] + int(SMALL_PROMPTS["NUM_PREDICT"]) <= SMALL_CTX_TOKENS


def test_a_prompt_that_ollama_finds_too_long_is_an_error_that_names_the_window(
    deployment: Deployment, small_window: dict[str, str], live_ollama: LiveOllama
) -> None:
    """The server's SYSTEM is three times as long as the Modelfile says, so what was counted to fit does not."""
    system, parameters = read_modelfile(Path(small_window["MODELFILE"]))
    with (
        live_ollama.made_model("long-system", system="\n".join([system] * 3), parameters=parameters),
        recording_proxy(live_ollama.url) as proxy,
    ):
        settings = small_window | {"CHAT_MODEL": "long-system", "OLLAMA_URL": proxy.url}
        replaced = {f"ASSISTANT_{name}": value for name, value in settings.items()}
        done = deployment.run(
            "assistant",
            "ask",
            JAPANESE.question,
            "--json",
            timeout_seconds=ANSWER_SECONDS,
            LANG="ja_JP.UTF-8",
            **replaced,
        )

    refused = [(chat.status, chat.lines) for chat in proxy.chats()]
    assert refused == [(400, [{"error": "the input length exceeds the context length"}])]
    assert done.returncode == 1
    assert done.stdout == ""
    assert "num_ctx" in done.stderr


def counting(*, up_to: int) -> str:
    """A prompt of some three tokens for each number, which a small model carries on with until it is stopped."""
    return COUNTING + "".join(f"{number}\n" for number in range(1, up_to + 1))


def test_the_window_is_never_exceeded_and_nothing_falls_out_of_it(live_ollama: LiveOllama) -> None:
    with recording_proxy(live_ollama.url) as proxy:
        model = OllamaChatModel(
            url=proxy.url,
            model=live_ollama.base_model,
            num_ctx=TINY_CTX_TOKENS,
            first_token_timeout_seconds=ANSWER_SECONDS,
        )
        with pytest.raises(ContextOverflow) as refused:
            answered(model, counting(up_to=150), num_predict=8)
        *tokens, end = answered(model, counting(up_to=50), num_predict=TINY_CTX_TOKENS)

    too_long, nearly_full = proxy.chats()
    assert (too_long.status, nearly_full.status) == (400, 200)
    assert str(TINY_CTX_TOKENS) in refused.value.message.en
    assert tokens
    assert isinstance(end, ModelEnd)
    assert end.truncated, "the answer stopped at the window's end instead of pushing the prompt out"
    assert end.prompt_tokens is not None
    assert end.answer_tokens is not None
    assert end.prompt_tokens + end.answer_tokens <= TINY_CTX_TOKENS + 1  # the last token needs no place in the window


# -- an embedder that reads English alone -------------------------------------------------------------------------------


def test_with_an_english_embedder_japanese_is_answered_through_words_and_says_so(
    live_ollama: LiveOllama, tmp_path: Path
) -> None:
    settings = {
        "ANSWERS": "ollama",
        "OLLAMA_URL": live_ollama.url,
        "EMBEDDER": "ollama",
        "EMBED_MODEL": live_ollama.embed_model,
    }
    with running(tmp_path, "chroma,api", **settings) as english_only:
        english = told(ENGLISH, partial(ask, english_only))
        japanese = told(JAPANESE, partial(ask, english_only))

    assert_generated(english, ENGLISH)
    assert_generated(japanese, JAPANESE)
    assert "embedder_unfit" not in english["warnings"]
    assert "embedder_unfit" in japanese["warnings"]
    (notice,) = [notice for notice in japanese["notices"] if notice["code"] == "embedder_unfit"]
    assert "ASSISTANT_EMBED_MODEL" in notice["message"]


# -- without Ollama -----------------------------------------------------------------------------------------------------


def test_when_ollama_stops_in_mid_answer_quotes_say_why_until_it_is_back(
    deployment: Deployment, live_ollama: LiveOllama
) -> None:
    try:
        with stream(deployment, LONG) as events:
            assert any(event.name == "token" for event in events)
            live_ollama.stop()
            broken = list(events)
        away = ask(deployment, JAPANESE.question)
    finally:
        live_ollama.stop()
        live_ollama.start()
    back = told(JAPANESE, partial(ask, deployment))

    assert [event.name for event in broken if event.name in ("finished", "error")] == ["finished"]
    assert_quoted(broken[-1].data, warning="answer_aborted")
    assert_quoted(away, warning="model_unavailable")
    assert "ollama serve" in json.dumps(away["notices"])
    assert_generated(back, JAPANESE)


def test_the_embedded_chat_model_answers_without_any_model_server(tmp_path: Path) -> None:
    settings = {"ANSWERS": "embedded", "EMBEDDED_CHAT_FILE": str(ensure_model_file(QWEN_CODER_1_5B))}
    with running(tmp_path, "chroma,chat,api", **settings) as embedded:
        japanese = told(JAPANESE, partial(ask, embedded))
        english = told(ENGLISH, partial(ask, embedded))

    assert_generated(japanese, JAPANESE)
    assert_generated(english, ENGLISH)
