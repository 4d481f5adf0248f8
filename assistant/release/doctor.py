"""Looks at everything a deployment needs and says what was seen and what to do; never "ok" without having looked."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from assistant.domain import DependencyState
from assistant.embedders import Embedders
from assistant.errors import AssistantError
from assistant.fuse import weight_of_fitness
from assistant.generation import EmbedderSpec, Generation
from assistant.ports import Embedder

LEAST_FREE_BYTES = 2 << 30
"""Below this an ingestion of a few thousand documents may fill the disk (3.2 kilobytes a chunk in Chroma, as much in the ledger)."""


async def examine(
    readiness: list[DependencyState], *, generation: Generation | None, embedders: Embedders, data_folder: Path
) -> list[DependencyState]:
    """Each check: name, ok | warn | fail, what was seen, and what to do in both languages."""
    disk = await asyncio.to_thread(_disk, data_folder)
    return [*readiness, *await asyncio.to_thread(_index, generation, embedders), _tesseract(), disk]


def _index(generation: Generation | None, embedders: Embedders) -> list[DependencyState]:
    try:
        embedder = embedders.configured if generation is None else embedders.of(generation)
        states = [_generation(generation, embedder), _japanese(generation, embedder)]
    except AssistantError as error:
        return [DependencyState("generation", "warn", f"not checked: {error.message.en}", error.hint.ja, error.hint.en)]
    if generation is not None and not embedders.is_configured(generation):
        states.append(_rebuild_due(generation, embedders))
    return states


def _rebuild_due(generation: Generation, embedders: Embedders) -> DependencyState:
    used = generation.embedder or embedders.spec
    return DependencyState(
        "rebuild_due",
        "warn",
        f"answers come from {_shown(used)}, {_shown(embedders.spec)} is configured",
        "設定した埋め込みモデルはまだ使われていません。`ingest rebuild` で新しい世代を作り、比べてから切り替えます。",
        "The configured embedder is not used yet: `ingest rebuild` builds a generation with it, compares, and switches.",
    )


def _shown(spec: EmbedderSpec) -> str:
    return f"{spec.kind} {spec.model}".strip()


def _generation(generation: Generation | None, embedder: Embedder) -> DependencyState:
    if generation is None:
        return DependencyState(
            "generation",
            "warn",
            "nothing ingested yet",
            "`ingest run --folder フォルダ` を実行してください。",
            "Run `ingest run --folder FOLDER`.",
        )
    if generation.embedder_id != embedder.embedder_id:
        return DependencyState(
            "generation",
            "fail",
            f"built with {generation.embedder_id}, which is {embedder.embedder_id} now",
            "元のモデルに戻すか `ingest rebuild` を実行してください。",
            "Restore the model or run `ingest rebuild`.",
        )
    return DependencyState("generation", "ok", f"{generation.index_name}, {generation.dimension} dimensions", "", "")


def _japanese(generation: Generation | None, embedder: Embedder) -> DependencyState:
    """By measurement on the documents where there is one, else by what is known of the model's family."""
    fitness = dict(generation.fitness) if generation is not None else {}
    measured = ", ".join(f"{language} {share:.0%}" for language, share in sorted(fitness.items()))
    seen = f"{embedder.embedder_id}; " + (
        f"probe questions found by meaning alone: {measured}" if measured else "not measured yet"
    )
    unfit = [language for language, share in sorted(fitness.items()) if weight_of_fitness(share) == 0.0]
    if not unfit and ("ja" in fitness or embedder.reads_japanese):
        return DependencyState("embedder_fitness", "ok", seen, "", "")
    return DependencyState(
        "embedder_fitness",
        "warn",
        f"{seen}; questions in {' and '.join(unfit or ['ja'])} use word search only",
        "文書の言語を読める埋め込みモデル(例: bge-m3)を ASSISTANT_EMBED_MODEL に設定し、`ingest rebuild` を実行してください。",
        "Set ASSISTANT_EMBED_MODEL to a model that reads the documents' language (e.g. bge-m3) and run `ingest rebuild`.",
    )


def _tesseract() -> DependencyState:
    program = shutil.which("tesseract")
    if program is None:
        return DependencyState(
            "ocr",
            "warn",
            "tesseract is not installed; scanned pages cannot be read",
            "`apt-get install tesseract-ocr tesseract-ocr-jpn` を実行してください。",
            "Run `apt-get install tesseract-ocr tesseract-ocr-jpn`.",
        )
    return DependencyState("ocr", "ok", program, "", "")


def _disk(data_folder: Path) -> DependencyState:
    free_bytes = shutil.disk_usage(data_folder).free
    seen = f"{free_bytes / (1 << 30):.1f} GiB free in {data_folder}"
    if free_bytes < LEAST_FREE_BYTES:
        return DependencyState(
            "disk",
            "fail",
            seen,
            "不要なファイルを消すか、ディスクを増やしてください。",
            "Free some space or add a disk.",
        )
    return DependencyState("disk", "ok", seen, "", "")
