"""What a plan of memory is made of, from the settings and this machine: the same for the terminal and for the screen.

settings, /api/show or the catalogue, nvidia-smi -> Wish + Room -> release/capacity.py
settings, prompt sizes of the ledger             -> release/context_advice.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from assistant.adapters.ledger import Ledger
from assistant.adapters.ollama_models import OllamaModels, installed_or_known
from assistant.consumption import since_day
from assistant.errors import ModelUnavailable, SettingsError, Text
from assistant.host.memory import machine_bytes, seen_gpus
from assistant.model_facts import ModelFacts
from assistant.release.capacity import Plan, Room, Wish, plan
from assistant.release.catalogue import catalogue
from assistant.release.context_advice import ContextAdvice, advise_context
from assistant.release.modelfile import read_modelfile
from assistant.release.vram import KvType, Load
from assistant.settings import Settings

DEFAULT_NUM_CTX: Final = 8192
NO_EMBEDDER: Final = "none"
MOST_PROMPTS: Final = 20_000
_GIB: Final = 1 << 30


@dataclass(frozen=True)
class Wanted:
    """What somebody asks to plan. Empty and None mean what the settings say; `gpu_gib` empty: what is seen.

    `flash_attention` None: OLLAMA_FLASH_ATTENTION is not set. `embedder` `none`: there is none beside the model.
    """

    model: str = ""
    gpu_gib: Sequence[float] = ()
    num_ctx: int | None = None
    parallel: int | None = None
    kv_type: KvType = "q8_0"
    flash_attention: bool | None = True
    embedder: str | None = None


def plan_of(settings: Settings, models: OllamaModels, wanted: Wanted) -> Plan:
    """The plan. Raises ModelMissing for a model that neither Ollama nor the catalogue knows, HostError, ModelfileInvalid."""
    known = catalogue()
    tokens = wanted.num_ctx or configured_num_ctx(settings) or DEFAULT_NUM_CTX
    load = Load(tokens, wanted.parallel or settings.model_parallel, wanted.kv_type, wanted.flash_attention)
    wish = Wish(installed_or_known(models, wanted.model or chat_model(settings, models), known), load)
    beside = configured_embedder(settings) if wanted.embedder is None else wanted.embedder
    if beside != NO_EMBEDDER:
        wish = replace(wish, embedder=installed_or_known(models, beside, known), embedder_num_ctx=tokens)
    return plan(wish, seen_room(wanted.gpu_gib))


def advice_of(settings: Settings, ledger: Ledger, facts: ModelFacts, *, days: int, kv_type: KvType) -> ContextAdvice:
    """How long a window the questions of these days needed. Raises SettingsError where no num_ctx is written anywhere."""
    num_ctx = configured_num_ctx(settings)
    if num_ctx is None:
        raise SettingsError(
            Text(ja="num_ctx がどこにも書かれていません。", en="num_ctx is written nowhere."),
            Text(
                ja="Modelfile に PARAMETER num_ctx を書いてください。", en="Put PARAMETER num_ctx into the Modelfile."
            ),
        )
    since = since_day(days)
    return advise_context(
        ledger.prompt_sizes(since=since, limit=MOST_PROMPTS),
        num_ctx=num_ctx,
        num_predict=settings.num_predict,
        room_tokens=settings.prompt_limit_tokens or num_ctx - settings.num_predict,
        model=facts,
        kv_type=kv_type,
    )


def configured_num_ctx(settings: Settings) -> int | None:
    """The window in tokens that answers are given with; None where nothing says it."""
    return settings.num_ctx or read_modelfile(settings.modelfile).num_ctx


def configured_embedder(settings: Settings) -> str:
    """The embedder that Ollama has to hold beside the chat model, or `none`."""
    return settings.embed_model if settings.embedder == "ollama" else NO_EMBEDDER


def seen_room(given_gib: Sequence[float] | None) -> Room:
    """The memory that was given, else what nvidia-smi sees, else the machine's own. Raises HostError."""
    if given_gib:
        return Room(tuple(int(gib * _GIB) for gib in given_gib))
    cards = seen_gpus()
    names = ", ".join(card.name for card in cards)
    return Room(tuple(card.total_bytes for card in cards), machine_bytes(), said_by=names)


def chat_model(settings: Settings, models: OllamaModels) -> str:
    """Name of the chat model, or of what its Modelfile is made from while it is not there yet."""
    base = read_modelfile(settings.modelfile).base_model
    if settings.answers != "ollama":
        return base
    try:
        is_there = {settings.chat_model, f"{settings.chat_model}:latest"} & {*models.names()}
    except ModelUnavailable:
        return base
    return settings.chat_model if is_there else base
