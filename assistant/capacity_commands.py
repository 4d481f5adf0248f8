"""`assistant capacity plan | choose | models`: whether a model fits, before it is loaded. For the administrator's terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.adapters.embedding import style_of
from assistant.adapters.ollama_models import OllamaModels
from assistant.errors import HostError, Text
from assistant.planning import DEFAULT_NUM_CTX, Wanted, plan_of, seen_room
from assistant.release.capacity import Verdict
from assistant.release.capacity_picture import plan_picture
from assistant.release.capacity_words import plan_lines, plan_object
from assistant.release.catalogue import catalogue
from assistant.release.choose import EmbedderAdvice, Work, advise_embedder, choose
from assistant.release.choose_words import choice_lines, choice_object, embedder_lines, embedder_object
from assistant.release.vram import Load
from assistant.settings import Settings, load_settings
from assistant.terminal import EXIT_FAILED, caller_language, telling_errors
from assistant.wiring import open_ledger

capacity = typer.Typer(no_args_is_help=True, help="Memory of models: what fits, and for how many at once.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
GpuMemory = Annotated[
    list[float] | None,
    typer.Option(min=0.5, help="GiB of a GPU, once for each; by default what nvidia-smi sees, else this machine's."),
]


class Kv(StrEnum):
    """OLLAMA_KV_CACHE_TYPE."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"


class Flash(StrEnum):
    """OLLAMA_FLASH_ATTENTION: 1, 0, or not set."""

    ON = "on"
    OFF = "off"
    UNSET = "unset"


_FLASH = {Flash.ON: True, Flash.OFF: False, Flash.UNSET: None}


@capacity.command("plan")
def plan_memory(
    model: Annotated[
        str, typer.Argument(help="A model on Ollama, or one of the catalogue. Default: ASSISTANT_CHAT_MODEL.")
    ] = "",
    *,
    gpu_memory: GpuMemory = None,
    num_ctx: Annotated[int | None, typer.Option(min=256, help="Window in tokens. Default: the Modelfile's.")] = None,
    parallel: Annotated[
        int | None, typer.Option(min=1, max=64, help="OLLAMA_NUM_PARALLEL. Default: ASSISTANT_MODEL_PARALLEL.")
    ] = None,
    kv: Annotated[Kv, typer.Option(help="OLLAMA_KV_CACHE_TYPE.")] = Kv.Q8_0,
    flash_attention: Annotated[Flash, typer.Option(help="OLLAMA_FLASH_ATTENTION.")] = Flash.ON,
    embedder: Annotated[
        str | None, typer.Option(help="The embedder beside it. Default: ASSISTANT_EMBED_MODEL; none leaves it out.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Write the table as an SVG picture to this file.")] = None,
    as_json: Json = False,
) -> None:
    """What a model takes with this window, so many at once and this KV type, and the largest that fits. Exit 1 if it does not."""
    with telling_errors():
        settings = load_settings()
        models = OllamaModels(settings.ollama_url, connect_timeout_seconds=settings.connect_timeout_seconds)
        wanted = Wanted(
            model, gpu_memory or (), num_ctx, parallel, kv.value, _FLASH[flash_attention], embedder=embedder
        )
        found = plan_of(settings, models, wanted)
        if picture is not None:
            write_text(picture, plan_picture(found, caller_language()))
        print_found(plan_object(found), plan_lines(found, caller_language()), as_json=as_json)
        if found.verdict is not Verdict.FITS:
            raise typer.Exit(EXIT_FAILED)


@capacity.command("choose")
def choose_model(
    work: Annotated[Work, typer.Option("--for", help="What people want of it.")] = Work.JAPANESE,
    *,
    gpu_memory: GpuMemory = None,
    num_ctx: Annotated[int, typer.Option(min=256, help="Window in tokens.")] = DEFAULT_NUM_CTX,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="OLLAMA_NUM_PARALLEL.")] = 4,
    as_json: Json = False,
) -> None:
    """Which model for this memory and this work, with reasons. Exit 1 if none fits, or if the embedder cannot read the documents."""
    with telling_errors():
        settings = load_settings()
        if work is Work.EMBEDDINGS:
            advice = _embedder_advice(settings)
            print_found(embedder_object(advice), embedder_lines(advice, caller_language()), as_json=as_json)
            is_well = not advice.unfit
        else:
            room, known = seen_room(gpu_memory), catalogue()
            load = Load(num_ctx, parallel, "q8_0", flash_attention=True)
            beside = known.get(settings.embed_model, known["bge-m3"]) if settings.embedder == "ollama" else None
            found = choose(work, room, load, known, embedder=beside)
            print_found(choice_object(found, room), choice_lines(found, room, caller_language()), as_json=as_json)
            is_well = any(candidate.is_chosen for candidate in found)
        if not is_well:
            raise typer.Exit(EXIT_FAILED)


def _embedder_advice(settings: Settings) -> EmbedderAdvice:
    """By the ledger's measurement where there is one, else by what is known of the model's family."""
    ledger = open_ledger(settings)
    generation = ledger.active_generation()
    spec = generation.embedder if generation is not None else None
    kind, model = (spec.kind, spec.model) if spec is not None else (settings.embedder, settings.embed_model)
    return advise_embedder(
        current=model if kind != "embedded" else "multilingual-e5-small (embedded)",
        reads_japanese=kind == "embedded" or style_of(model).reads_japanese,
        generation=generation,
        chunks=ledger.counts_of_truth()["chunks"],
    )


def print_found(found: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """One JSON object, or lines for people."""
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1) if as_json else "\n".join(lines))


@capacity.command("models")
def list_models(*, as_json: Json = False) -> None:
    """The models that can be planned for without being installed, with where their facts are from."""
    with telling_errors():
        rows = [(facts.name, facts.weights_bytes, facts.context_length, facts.source) for facts in catalogue().values()]
        if as_json:
            names = ("name", "weights_bytes", "context_length", "source")
            typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=1))
        else:
            for name, weights, context, source in rows:
                typer.echo(f"{name:<42}{weights / 1e9:7.1f} GB{context:>9,}  {source}")


def write_text(path: Path, text: str) -> None:
    """Writes a file for the administrator. Raises HostError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HostError(
            Text(ja=f"{path} に書けません。", en=f"{path} cannot be written."),
            Text(ja="フォルダーと権限を確かめてください。", en="Check the folder and its rights."),
        ) from error
