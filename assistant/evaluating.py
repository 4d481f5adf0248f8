"""`assistant evaluate`: the deployment that a set is asked to, the run, and what the person at the terminal sees.

golden YAML  -> the deployment that the settings name -> questions -> scores
golden YAML + --documents FOLDER, or a BEIR folder
             -> a deployment of its own: folder, ledger, Chroma on a free port, `ingest run` -> the same

The company's own ledger never sees a text of a BEIR folder. Knows processes and settings; not what a score means.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer

from assistant.domain import Filters, Passage
from assistant.errors import EvaluationFailed, SettingsError, Text
from assistant.parts import environment_of, executable, stack_parts
from assistant.release.evaluate import EVALUATOR, Course, ask_all, results, search_all
from assistant.release.question_sets import QuestionSet, corpus_rows, read_question_set
from assistant.release.recipes import BASELINES, Baselines, Held
from assistant.release.set_files import named
from assistant.settings import Settings
from assistant.stack import Stack
from assistant.terminal import caller_language, progress_bar
from assistant.ties import place_of
from assistant.wiring import Assistant, open_assistant

_PAGE = 500  # passages read at once
_UNTITLED = "_"  # the name of a file whose text has no title: it must not lend its words
_MADE = "# Made by `assistant evaluate --keep`.\n"
_HOLDS, _A_SET = "# Documents: ", "those of a set"
MADE_HERE = "evaluate.toml"
"""In each folder that `--keep` made: what lies in it may be overwritten. Also the rules of a set's own texts: none, for
what a company's rules restrict or leave out are its own files."""


@dataclass(frozen=True)
class Choices:
    """What the command line asked for."""

    path: Path
    is_retrieval_only: bool
    documents: Path | None = None
    keep: Path | None = None
    has_baselines: bool = False


def run(settings: Settings, choices: Choices) -> dict[str, Any]:
    """The results of one set; see release/evaluate.py. Raises EvaluationFailed, StoreUnavailable, ModelError, ..., and
    SettingsError when the choices do not fit the set or the folder to keep is not one of an evaluation."""
    chosen = read_question_set(choices.path)
    _refuse_unused(chosen, choices)
    for remark in chosen.remarks:
        typer.echo("! " + remark.in_language(caller_language()), err=True)
    with ExitStack() as until_done:
        folder = choices.keep or Path(until_done.enter_context(tempfile.TemporaryDirectory(prefix="evaluate-")))
        keys: dict[str, str] | None = None
        not_read: list[str] = []
        documents = choices.documents
        if chosen.corpus is not None:
            documents = folder / "documents"
            keys = kept_folder(folder, chosen.corpus)
            settings = settings.model_copy(update={"rules_file": folder.resolve() / MADE_HERE})
        elif documents is not None:
            kept_folder(folder, documents=documents)
        if documents is not None:
            deployment = own_deployment(settings, documents.resolve(), folder.resolve())
            settings, not_read = until_done.enter_context(deployment)
        found = asyncio.run(_evaluate(settings, chosen, choices, keys))
        return {**found, "not_read": [_by_key(line, keys or {}) for line in not_read]} if not_read else found


def _refuse_unused(chosen: QuestionSet, choices: Choices) -> None:
    if choices.documents is not None and chosen.corpus is not None:
        raise SettingsError(
            Text(ja=f"{choices.path} には文書も入っています。", en=f"{choices.path} brings its own documents."),
            Text(ja="--documents を外してください。", en="Leave --documents out."),
        )
    if choices.keep is not None and choices.documents is None and chosen.corpus is None:
        raise SettingsError(
            Text(ja="残す環境がありません。", en="There is no deployment to keep."),
            Text(ja="--keep は --documents と一緒に使います。", en="--keep goes with --documents."),
        )


def kept_folder(folder: Path, corpus: Path | None = None, *, documents: Path | None = None) -> dict[str, str]:
    """The folder of the deployment, there and marked, with the texts of the corpus; the key of each document by its path.

    Raises SettingsError for a folder that holds anything else or other documents, and where nothing can be written: ingesting
    into it would take what is there, a company's own ledger even, for an older state of the set.
    """
    holds = f"{_HOLDS}{documents.resolve() if documents is not None else _A_SET}\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / MADE_HERE).is_file():
            if any(folder.iterdir()):
                raise SettingsError(
                    Text(ja=f"{folder} には別のものが入っています。", en=f"The folder {folder} holds something else."),
                    Text(
                        ja="--keep には、新しいか空のフォルダ、または以前 --keep で作ったフォルダを指定してください。",
                        en="Name a new or empty folder for --keep, or one that --keep made before.",
                    ),
                )
            (folder / MADE_HERE).write_text(_MADE + holds, encoding="utf-8")
        _refuse_others(folder, holds)
        return {} if corpus is None else write_documents(corpus, folder / "documents")
    except OSError as error:
        raise SettingsError(
            Text(
                ja=f"{folder} に書き込めません({error.strerror})。",
                en=f"{folder} cannot be written ({error.strerror}).",
            ),
            Text(
                ja="--keep に書き込めるフォルダを指定してください。", en="Name a folder for --keep that can be written."
            ),
        ) from error


def _refuse_others(folder: Path, holds: str) -> None:
    """A deployment that was kept with other documents would be asked with both: copies push what is asked for out of the first
    five. What a former version kept does not say which it has."""
    kept = (folder / MADE_HERE).read_text(encoding="utf-8", errors="replace").removeprefix(_MADE)
    if kept.startswith(_HOLDS) and kept != holds:
        other = kept.removeprefix(_HOLDS).strip()
        raise SettingsError(
            Text(
                ja=f"{folder} に残っているのは別の文書({'質問集のもの' if other == _A_SET else other})です。",
                en=f"The folder {folder} was kept with other documents ({other}).",
            ),
            Text(
                ja="--keep に別のフォルダを指定するか、そのフォルダを消してください。",
                en="Name another folder for --keep, or delete that one.",
            ),
        )


def write_documents(corpus: Path, folder: Path) -> dict[str, str]:
    """The key of each document by its path. Each becomes a Markdown file with its title as front matter; files that are
    there already and hold the same are left alone, so that a kept deployment embeds nothing again. Those of a former, longer
    corpus go."""
    keys: dict[str, str] = {}
    for number, (key, title, text) in enumerate(corpus_rows(corpus)):
        path = Path(f"{number:07d}") / f"{_UNTITLED}.md"
        keys[path.as_posix()] = key
        head = f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\n---\n\n"
        content = (head + text + "\n").encode()
        file = folder / path
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    for file in folder.glob(f"*/{_UNTITLED}.md"):
        if file.relative_to(folder).as_posix() not in keys:
            file.unlink()
            file.parent.rmdir()
    return keys


def _by_key(line: str, keys: dict[str, str]) -> str:
    """`path: reason`, with the document's own key instead of the path of the file that was written for it."""
    path, colon, reason = line.partition(": ")
    return keys.get(path, path) + colon + reason


@contextmanager
def own_deployment(settings: Settings, documents: Path, folder: Path) -> Iterator[tuple[Settings, list[str]]]:
    """Settings of a deployment in `folder` that holds `documents`, as long as the block lasts: same embedder, same model,
    its own ledger and indexes; and the files that could not be read. Raises EvaluationFailed, PartFailed."""
    data = folder / "var"
    data.mkdir(parents=True, exist_ok=True)
    own = settings.model_copy(
        update={
            "data_folder": data,
            "documents_folder": documents,
            "database_url": f"sqlite:///{data / 'ledger.db'}",
            "chroma_url": f"http://127.0.0.1:{_free_port()}",
        }
    )
    stack = Stack(stack_parts(own, only=["chroma"]), data_folder=data, told=lambda name, state: None)
    try:
        stack.start()
        yield own, _ingest(own, documents, folder)
    finally:
        stack.stop()


def _ingest(settings: Settings, documents: Path, folder: Path) -> list[str]:
    """Runs `ingest run` to its end; its bar is shown. The files that were not read, with the reason."""
    done = subprocess.run(  # noqa: S603  the product's own command
        [executable("ingest"), "run", "--folder", str(documents), "--json", "--allow-deletions"],
        cwd=folder,
        env={**os.environ, **environment_of(settings)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    try:
        report = json.loads(done.stdout)
    except ValueError as error:
        raise EvaluationFailed(
            Text(
                ja=f"質問集の文書を取り込めませんでした(`ingest run` が {done.returncode} で終了)。",
                en=f"The set's texts could not be ingested: `ingest run` ended with {done.returncode}.",
            ),
            Text(ja="上の表示に理由があります。", en="The reason stands above."),
        ) from error
    return [f"{failure['path']}: {failure['reason']}" for failure in report["failures"]]


async def _evaluate(
    settings: Settings, chosen: QuestionSet, choices: Choices, keys: dict[str, str] | None
) -> dict[str, Any]:
    key_of = _key_of(keys)
    async with open_assistant(settings) as assistant:
        generation = await asyncio.to_thread(assistant.ledger.active_generation)
        if generation is None:
            raise EvaluationFailed(
                Text(ja="まだ文書が取り込まれていません。", en="No documents have been ingested yet."),
                Text(
                    ja="`ingest run --folder フォルダ` を実行するか、--documents でフォルダを指定してください。",
                    en="Run `ingest run --folder FOLDER`, or name a folder with --documents.",
                ),
            )

        if not choices.is_retrieval_only and assistant.pipeline.model is not None:
            # Now, since at the end its error would take the figures of the search along.
            await assistant.pipeline.model.check()
        paths = await asyncio.to_thread(assistant.ledger.searchable_paths)
        remarks = [*chosen.remarks, *_absent(chosen, paths, keys)]
        async with _progress("search") as told:
            course = await search_all(
                chosen,
                lambda question, limit: assistant.search(question, limit=limit),
                key_of=key_of,
                told=told,
            )
        if not choices.is_retrieval_only:
            async with _progress("ask") as told:
                await ask_all(chosen, assistant.ask, course, key_of=key_of, told=told)
        found = results(chosen, course)
        counts = assistant.ledger.counts_of_truth()
        head = {
            "set": chosen.name,
            "embedder": assistant.stores.embedder.embedder_id,
            "model": None if choices.is_retrieval_only else assistant.chat_model_name,
            "release_id": assistant.release_id,
            "documents": counts["documents"],
            "chunks": counts["chunks"],
            "fitness": dict(generation.fitness),
            **({"remarks": [{"ja": remark.ja, "en": remark.en} for remark in remarks]} if remarks else {}),
        }
        if choices.has_baselines:
            found["baselines"] = await _baselines(assistant, chosen, key_of)
        return head | found


def _absent(chosen: QuestionSet, paths: Iterable[str], keys: dict[str, str] | None) -> Iterator[Text]:
    """What to say when documents that the questions expect are not searchable; those that the corpus lacks were named."""
    there = {(keys or {}).get(path, path) for path in paths}
    expected = {document for one in chosen.questions for document in one.relevant}
    known = expected if keys is None else expected & set(keys.values())
    absent = sorted(known - there)
    if absent:
        yield Text(
            ja=f"質問が求める文書 {len(absent)} 件が検索できる文書にありません({named(absent)})。",
            en=f"{len(absent)} documents that the questions expect are not searchable ({named(absent)}).",
        )


async def _baselines(
    assistant: Assistant, chosen: QuestionSet, key_of: Callable[[Passage], str]
) -> dict[str, dict[str, Any]]:
    """Scores of each baseline on the passages that the evaluator may read."""
    held, vectors = await asyncio.to_thread(_held, assistant, key_of)
    recipes = Baselines(held, vectors)
    courses = {name: Course() for name in BASELINES}
    async with _progress("baselines") as told:
        asked = [one for one in chosen.questions if one.relevant]
        for number, one in enumerate(asked, start=1):
            vector = await assistant.stores.embedder.embed_query(one.text)
            for name, ranked in recipes.ranked(one.text, vector).items():
                courses[name].ranked[one.question_id] = ranked
            told(number, len(asked))
    shown = ("metrics", "intervals", "by_half", "by_language_pair")
    return {name: {part: results(chosen, course)[part] for part in shown} for name, course in courses.items()}


def _held(assistant: Assistant, key_of: Callable[[Passage], str]) -> tuple[list[Held], np.ndarray]:
    chunks = {chunk.chunk_id: chunk for chunk in assistant.ledger.live_chunks()}
    ids = list(chunks)
    passages = [
        passage
        for start in range(0, len(ids), _PAGE)
        for passage in assistant.ledger.read_passages(
            [(chunk_id, 1.0) for chunk_id in ids[start : start + _PAGE]],
            principal=EVALUATOR,
            filters=Filters(),
            limit=_PAGE,
        )
    ]
    passages.sort(key=place_of)  # the recipes put equals in the order that they are held in
    hashes = [chunks[passage.chunk_id].text_hash for passage in passages]
    known = assistant.ledger.read_vectors(assistant.stores.embedder.embedder_id, hashes)
    held = [Held(key_of(passage), chunks[passage.chunk_id].embedding_text) for passage in passages]
    return held, np.stack([known[text_hash] for text_hash in hashes])


def _key_of(keys: dict[str, str] | None) -> Callable[[Passage], str]:
    """The key of a passage's document: the corpus's own, or its path."""
    return (lambda passage: passage.path) if keys is None else (lambda passage: keys.get(passage.path, passage.path))


@asynccontextmanager
async def _progress(what: str) -> AsyncIterator[Callable[[int, int], None]]:
    with progress_bar(what) as bar:
        yield lambda done, total: bar.update(bar.task_ids[0], completed=done, total=total)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
