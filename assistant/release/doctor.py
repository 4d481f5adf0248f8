"""Looks at everything a deployment needs and says what was seen and what to do; never "ok" without having looked."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from assistant.domain import DependencyState, Generation
from assistant.errors import AssistantError
from assistant.fuse import weight_of_fitness
from assistant.ports import Embedder

LEAST_FREE_BYTES = 2 << 30
"""Below this an ingestion of a few thousand documents may fill the disk (3.2 kilobytes a chunk in Chroma, as much in the ledger)."""


async def examine(
    readiness: list[DependencyState], *, generation: Generation | None, embedder: Embedder, data_folder: Path
) -> list[DependencyState]:
    """Each check: name, ok | warn | fail, what was seen, and what to do in both languages."""
    disk = await asyncio.to_thread(_disk, data_folder)
    return [*readiness, *await asyncio.to_thread(_index, generation, embedder), _tesseract(), disk]


def _index(generation: Generation | None, embedder: Embedder) -> list[DependencyState]:
    try:
        return [_generation(generation, embedder), _japanese(generation, embedder)]
    except AssistantError as error:
        return [DependencyState("generation", "warn", f"not checked: {error.message.en}", error.hint.ja, error.hint.en)]


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
            f"built with {generation.embedder_id}, configured {embedder.embedder_id}",
            "設定を戻すか `ingest rebuild` を実行してください。",
            "Restore the setting or run `ingest rebuild`.",
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
