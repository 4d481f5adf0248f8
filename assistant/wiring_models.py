"""Settings and Modelfile -> the chat models of this deployment, each behind a breaker of its own.

    Ollama           has the Modelfile: SYSTEM and sampling are in the model, the window goes with every request
    OpenAI's way     has none: SYSTEM and sampling go with every request, the window is what the server was started with

Part of wiring.py: nobody else reads settings to choose a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypedDict

from assistant.adapters.breaker import Breaker, GuardedChatModel
from assistant.adapters.embedded import EMBEDDED_NUM_CTX
from assistant.adapters.model_calls import RecordedChatModel
from assistant.domain import DependencyState
from assistant.errors import AssistantError, SettingsError, Text
from assistant.ports import ChatModel, TellsDifferences
from assistant.release.modelfile import Modelfile
from assistant.release.parameters import ParameterValue
from assistant.settings import Second, Settings

_RELEASE = re.compile(r":(r_[0-9a-f]{16})$")
SENT_PARAMETERS = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop")
"""Parameters of a Modelfile that OpenAI's protocol knows by the same name. The others would be refused by strict servers."""
OWN_PARAMETERS = ("num_ctx", "num_predict")
"""Those that the settings decide about."""
DEFAULT_SAMPLING: dict[str, ParameterValue] = {"temperature": 0.2, "top_p": 0.9}
"""Sent when the Modelfile says nothing: such servers would draw with 1.0 or with what their model's files say."""


@dataclass(frozen=True)
class ChatModels:
    """The models of a deployment and the window that prompts are made for: the smaller one, so that any question can move."""

    first: GuardedChatModel | None
    second: GuardedChatModel | None
    num_ctx: int


class _Timeouts(TypedDict):
    connect_timeout_seconds: float
    first_token_timeout_seconds: float
    token_timeout_seconds: float


def chat_models(settings: Settings, modelfile: Modelfile) -> ChatModels:
    """The models that the settings name; none with quotes. Raises SettingsError."""
    num_ctx = _num_ctx(settings, modelfile)
    if settings.answers == "quotes":
        return ChatModels(None, None, num_ctx)
    first = _guarded(_first(settings, modelfile, num_ctx=num_ctx), "model")
    if settings.second.kind == "none":
        return ChatModels(first, None, num_ctx)
    its_num_ctx = settings.second.num_ctx or num_ctx
    second = _guarded(_second(settings, modelfile, num_ctx=its_num_ctx), "second")
    if second.name == first.name:
        raise _same_name(second.name)
    return ChatModels(first, second, min(num_ctx, its_num_ctx))


async def model_state(name: str, model: ChatModel) -> DependencyState:
    """A model as seen just now: `warn` when it is away (quotes are shown), or when its server differs from the release."""
    try:
        await model.check()
    except AssistantError as error:
        return DependencyState(name, "warn", error.message.en, error.hint.ja, error.hint.en)
    seen = model.name
    told = model.differences() if isinstance(model, TellsDifferences) else None
    if told is None:
        return DependencyState(name, "ok", seen, "", "")
    if told.is_harmful:
        return DependencyState(name, "warn", f"{seen}: {told.message.en}", told.hint.ja, told.hint.en)
    return DependencyState(name, "ok", f"{seen}: {told.message.en}", "", "")


def sampling_of(modelfile: Modelfile) -> tuple[dict[str, ParameterValue], list[str]]:
    """What a server with OpenAI's protocol is sent of the Modelfile's parameters, and the names of those that it is not."""
    written = {name: value for name, value in modelfile.parameters.items() if name not in OWN_PARAMETERS}
    sent = DEFAULT_SAMPLING | {name: value for name, value in written.items() if name in SENT_PARAMETERS}
    return sent, sorted(name for name in written if name not in SENT_PARAMETERS)


def _guarded(model: ChatModel, name: str) -> GuardedChatModel:
    return GuardedChatModel(RecordedChatModel(model), Breaker(name))


def _timeouts(settings: Settings) -> _Timeouts:
    return _Timeouts(
        connect_timeout_seconds=settings.connect_timeout_seconds,
        first_token_timeout_seconds=settings.first_token_timeout_seconds,
        token_timeout_seconds=settings.token_timeout_seconds,
    )


def _first(settings: Settings, modelfile: Modelfile, *, num_ctx: int) -> ChatModel:
    if settings.answers == "ollama":
        from assistant.adapters.ollama import OllamaChatModel

        return OllamaChatModel(
            url=settings.ollama_url,
            model=settings.chat_model,
            num_ctx=num_ctx,
            system_text=modelfile.system,
            create_command=_create_command(settings.chat_model, settings),
            **_timeouts(settings),
        )
    sampling, unsent = sampling_of(modelfile)
    if settings.answers == "embedded":
        from assistant.adapters.embedded import EmbeddedChatModel

        return EmbeddedChatModel(
            url=settings.embedded_chat_url,
            num_ctx=num_ctx,
            system_text=modelfile.system,
            sampling=sampling,
            unsent=unsent,
            **_timeouts(settings),
        )
    from assistant.adapters.openai_compatible import OpenAICompatibleChatModel

    return OpenAICompatibleChatModel(
        url=settings.openai_url,
        model=settings.chat_model,
        api_key=settings.openai_api_key,
        num_ctx=num_ctx,
        system_text=modelfile.system,
        sampling=sampling,
        unsent=unsent,
        **_timeouts(settings),
    )


def _second(settings: Settings, modelfile: Modelfile, *, num_ctx: int) -> ChatModel:
    second = settings.second
    _expect_whole(second)
    if second.kind == "ollama":
        from assistant.adapters.ollama import OllamaChatModel

        return OllamaChatModel(
            url=second.url,
            model=second.model,
            num_ctx=num_ctx,
            system_text=modelfile.system,
            create_command=f"OLLAMA_HOST={second.url} {_create_command(second.model, settings)}",
            url_setting="ASSISTANT_SECOND__URL",
            **_timeouts(settings),
        )
    from assistant.adapters.openai_compatible import OpenAICompatibleChatModel, SettingNames

    sampling, unsent = sampling_of(modelfile)
    return OpenAICompatibleChatModel(
        url=second.url,
        model=second.model,
        api_key=second.api_key,
        num_ctx=num_ctx,
        system_text=modelfile.system,
        sampling=sampling,
        unsent=unsent,
        names=SettingNames("ASSISTANT_SECOND__URL", "ASSISTANT_SECOND__API_KEY", "ASSISTANT_SECOND__MODEL"),
        **_timeouts(settings),
    )


def _create_command(model: str, settings: Settings) -> str:
    """What makes the model; that of a release is made by publishing it, which also checks it."""
    if release := _RELEASE.search(model):
        return f"assistant release publish {release[1]}"
    return f"ollama create {model} -f {settings.modelfile}"


def _expect_whole(second: Second) -> None:
    for name, value in (("URL", second.url), ("MODEL", second.model)):
        if not value:
            raise SettingsError(
                Text(
                    ja=f"ASSISTANT_SECOND__KIND={second.kind} ですが ASSISTANT_SECOND__{name} が空です。",
                    en=f"ASSISTANT_SECOND__KIND is {second.kind}, but ASSISTANT_SECOND__{name} is empty.",
                ),
                Text(
                    ja="二つ目のモデルの場所と名前を .env に書くか、KIND を none にしてください。",
                    en="Write the second model's address and name into .env, or set KIND to none.",
                ),
            )


def _same_name(name: str) -> SettingsError:
    return SettingsError(
        Text(ja=f"二つのモデルがどちらも {name} という名前です。", en=f"Both models are called {name}."),
        Text(
            ja="どちらが回答したか分かるように、二つ目を別の名前で動かしてください(vLLM では --served-model-name)。",
            en="Serve the second one under another name (vLLM: --served-model-name), so that answers tell which wrote them.",
        ),
    )


def _num_ctx(settings: Settings, modelfile: Modelfile) -> int:
    """The one window. A model that reads its window from the Modelfile must not be asked for another: it would reload."""
    if settings.answers == "embedded":
        return settings.num_ctx or EMBEDDED_NUM_CTX
    asked, written = settings.num_ctx, modelfile.num_ctx
    if asked is not None and written is not None and asked != written and settings.answers == "ollama":
        raise SettingsError(
            Text(
                ja=f"ASSISTANT_NUM_CTX={asked} が Modelfile の num_ctx {written} と違います。",
                en=f"ASSISTANT_NUM_CTX={asked} differs from the Modelfile's num_ctx {written}.",
            ),
            Text(
                ja="質問のたびにモデルが読み直されます。どちらかに揃えてください。",
                en="The model would be loaded anew at every question. Make them equal.",
            ),
        )
    num_ctx = asked or written
    if num_ctx is None:
        raise SettingsError(
            Text(ja="num_ctx がどこにも書かれていません。", en="num_ctx is written nowhere."),
            Text(
                ja="Modelfile に PARAMETER num_ctx 8192 を書いてください。",
                en="Write PARAMETER num_ctx 8192 into the Modelfile.",
            ),
        )
    return num_ctx
