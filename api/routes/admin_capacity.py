"""/admin/capacity: whether a model fits, before it is loaded. Nothing is reckoned here (assistant/planning.py). Admin scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request

from api import examples
from api.deps import Administrator
from api.edge import Edge, edge_of
from api.errors import invalid_field
from api.problems import caller_language
from api.routes.admin import Days
from assistant.adapters.ollama_models import OllamaModels, installed_or_known
from assistant.errors import HostError, Language, ModelError, ModelMissing, NotFound
from assistant.host.memory import Gpu, machine_bytes, seen_gpus
from assistant.planning import (
    DEFAULT_NUM_CTX,
    Wanted,
    advice_of,
    chat_model,
    configured_embedder,
    configured_num_ctx,
    plan_of,
)
from assistant.release.catalogue import catalogue
from assistant.release.vram import KvType
from assistant.wire_capacity import AdviceOut, CapacityOut, CardOut, PlannableOut, PlanOfMemoryOut
from assistant.wire_words import PlainLine

router = APIRouter(prefix="/admin/capacity", tags=["administration"])

OLLAMA_SECONDS = 5.0
"""The screen reckons at every change: an Ollama that does not answer within this is one that does not answer."""
Gib = Annotated[float, Query(ge=0.5, le=4096, allow_inf_nan=False)]
Flash = Literal["on", "off", "unset"]
_FLASH: dict[Flash, bool | None] = {"on": True, "off": False, "unset": None}
Model = Annotated[
    PlainLine, Query(description="A model on Ollama, or one of the catalogue; empty: the configured one.")
]
Kv = Annotated[KvType, Query(description="OLLAMA_KV_CACHE_TYPE.")]


@router.get(
    "",
    operation_id="get_capacity",
    summary="What can be planned, and the memory that is seen",
    responses={200: {"content": examples.content("CAPACITY")}, **examples.problems(401, 403, 503)},
)
async def get_capacity(request: Request, _: Administrator) -> CapacityOut:
    """Models on Ollama and those of the catalogue, GPUs as nvidia-smi sees them from here, and the present settings."""
    return await anyio.to_thread.run_sync(_capacity, edge_of(request), caller_language(request))


@router.get(
    "/plan",
    operation_id="plan_capacity",
    summary="What a model takes, and whether it fits",
    responses={200: {"content": examples.content("PLAN_OF_MEMORY")}, **examples.problems(401, 403, 404, 422, 503)},
)
async def plan_capacity(
    request: Request,
    _: Administrator,
    *,
    model: Model = "",
    gpu_gib: Annotated[
        list[Gib] | None, Query(max_length=16, description="GiB of each GPU; without it what is seen from here.")
    ] = None,
    num_ctx: Annotated[int | None, Query(ge=256, le=1_048_576, description="Window in tokens.")] = None,
    parallel: Annotated[int | None, Query(ge=1, le=64, description="OLLAMA_NUM_PARALLEL.")] = None,
    kv_type: Kv = "q8_0",
    flash_attention: Annotated[Flash, Query(description="OLLAMA_FLASH_ATTENTION.")] = "on",
    embedder: Annotated[PlainLine | None, Query(description="The embedder beside it; `none` leaves it out.")] = None,
) -> PlanOfMemoryOut:
    """As `assistant capacity plan` reckons: part by part, the largest that fits, and a table over windows and KV types."""
    edge = edge_of(request)
    wanted = Wanted(model, tuple(gpu_gib or ()), num_ctx, parallel, kv_type, _FLASH[flash_attention], embedder=embedder)

    def reckoned() -> PlanOfMemoryOut:
        with _told():
            return PlanOfMemoryOut.from_domain(plan_of(edge.settings, _models(edge), wanted), caller_language(request))

    return await anyio.to_thread.run_sync(reckoned)


@router.get(
    "/advice",
    operation_id="advise_capacity",
    summary="How long a window people's questions needed",
    responses={200: {"content": examples.content("CONTEXT_ADVICE")}, **examples.problems(401, 403, 404, 422, 503)},
)
async def advise_capacity(
    request: Request, _: Administrator, *, model: Model = "", kv_type: Kv = "q8_0", days: Days = 30
) -> AdviceOut:
    """From the sizes of prompts that the ledger keeps, never from their words. As `assistant capacity advise`."""
    edge = edge_of(request)
    return await anyio.to_thread.run_sync(
        partial(_advice, edge, model, kv_type, days=days, language=caller_language(request))
    )


def _models(edge: Edge) -> OllamaModels:
    settings = edge.settings
    return OllamaModels(
        settings.ollama_url, connect_timeout_seconds=settings.connect_timeout_seconds, read_seconds=OLLAMA_SECONDS
    )


def _advice(edge: Edge, model: str, kv_type: KvType, *, days: int, language: Language) -> AdviceOut:
    models = _models(edge)
    with _told():
        facts = installed_or_known(models, model or chat_model(edge.settings, models), catalogue())
        found = advice_of(edge.settings, edge.assistant.ledger, facts, days=days, kv_type=kv_type)
    return AdviceOut.from_domain(found, language)


@contextmanager
def _told() -> Iterator[None]:
    """A model that nobody knows is not found, and a GPU that does not tell its memory is to be entered."""
    try:
        yield
    except ModelMissing as error:
        raise NotFound(error.message, error.hint) from error
    except HostError as error:
        raise invalid_field("gpu_gib", error.message, hint=error.hint) from error


def _capacity(edge: Edge, language: Language) -> CapacityOut:
    settings, models, known = edge.settings, _models(edge), catalogue()
    names, problem = _installed(models, language)
    cards, gpu_problem = _cards(language)
    installed = [
        PlannableOut(name=name, is_installed=True, is_embedder=None, weights_bytes=None, context_length=None)
        for name in names
    ]
    listed = [
        PlannableOut(
            name=facts.name,
            is_installed=False,
            is_embedder=facts.is_embedder,
            weights_bytes=facts.weights_bytes,
            context_length=facts.context_length,
        )
        for facts in known.values()
        if not {facts.name, f"{facts.name}:latest"} & {*names}
    ]
    return CapacityOut(
        models=[*installed, *listed],
        models_problem=problem,
        gpus=[CardOut(name=card.name, total_bytes=card.total_bytes) for card in cards],
        gpu_problem=gpu_problem,
        machine_bytes=machine_bytes(),
        model=chat_model(settings, models),
        num_ctx=configured_num_ctx(settings) or DEFAULT_NUM_CTX,
        parallel=settings.model_parallel,
        embedder=configured_embedder(settings),
    )


def _installed(models: OllamaModels, language: Language) -> tuple[list[str], str | None]:
    try:
        return models.names(), None
    except ModelError as error:
        return [], error.message.in_language(language)


def _cards(language: Language) -> tuple[list[Gpu], str | None]:
    try:
        return seen_gpus(), None
    except HostError as error:
        return [], error.message.in_language(language)
