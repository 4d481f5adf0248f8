"""A new embedder or chunker beside the old one: build, compare, switch, roll back.

    ledger: texts and vectors -+-> files of another pipeline read anew, kept as standby versions
                               +-> both indexes of the new generation, only what they lack     -> compare -> switch
                                                                                                             -> roll back

Answers come from the active generation all the time. Killed anywhere, a second `build` goes on: what was read is in the
ledger, what was embedded too, and what the indexes lack is found by comparing. A switch and a rollback first bring the
generation up to the ledger, then are one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from assistant.adapters.ledger.generations import Outdated
from assistant.domain import Principal
from assistant.errors import AssistantError, DocumentError, GenerationError, Text
from assistant.generation import Generation, GenerationState
from assistant.quality import Asked, Comparison, compare, golden_questions
from assistant.reach import version_of
from assistant.retrieve import Indexes
from ingest.healing import healing
from ingest.index_sync import Stores, forget_retired, mend
from ingest.prove import Prover, measure
from ingest.recipe import STANDARD, Parser, Reader, Recipe
from ingest.rules import Rule
from ingest.scan import sha256_of

PROBES = 100
"""Probe questions of each language that both generations are asked: a difference of .05 is then five questions."""
STANDBY_BATCH = 50
"""Versions taken over in one transaction; a killed build reads at most so many files again."""

log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]


@dataclass
class Build:
    """One `ingest rebuild`. `rules_of(root)` gives a folder's rules; `progress(what, done, total)` is told each step."""

    stores: Stores
    parser: Parser
    rules_of: Callable[[Path], Sequence[Rule]] = lambda root: ()
    recipe: Recipe = STANDARD
    progress: Progress = lambda what, done, total: None
    kept: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of files that could not be read just now: they keep the version that they have."""

    def build(self) -> Generation:
        """The complete generation with the configured embedder and this pipeline, beside the active one.

        Raises EmbedderUnavailable, ModelMissing, StoreUnavailable; what was done until then is gone on with next time.
        """
        generation = self._candidate()
        self._read_anew(generation)
        _forget_retired(self.stores)
        mend(self.stores, generation, lambda done, total: self.progress("index", done, total))
        measure(self.stores, generation)
        return generation

    def _candidate(self) -> Generation:
        """The one that an interrupted build has left, or a new one; at most one stands beside the active one."""
        ledger, embedder = self.stores.ledger, self.stores.embedder
        embedder.check()
        ledger.retire_staged()
        beside = ledger.generation_beside()
        if beside is not None and (
            beside.state is GenerationState.PREVIOUS or beside.embedder_id != embedder.embedder_id
        ):
            ledger.drop_generation(beside.generation_id)
            beside = None
        beside = beside or self.stores.new_generation()
        _forget_retired(self.stores)  # now, so that the vectors of an embedder that comes back are kept
        return beside

    def _read_anew(self, generation: Generation) -> None:
        """Files whose version another pipeline made, read by this one; nothing that answers come from changes."""
        ledger = self.stores.ledger
        for folder, root in ledger.folders().items():
            reader = Reader(ledger, self.parser, self.rules_of(root), self.recipe)
            pipeline_id_of = self.recipe.pipeline_ids(reader.rules)
            todo, surplus = [], []
            for document in ledger.outdated(folder):
                wanted = pipeline_id_of(document.path)
                if document.pipeline_id == wanted:
                    if document.other_pipeline_id is not None:
                        surplus.append(document.document_id)
                elif document.other_pipeline_id != wanted:
                    todo.append(document)
            ledger.stand_down(surplus)
            staged: list[tuple[str, str]] = []
            for number, document in enumerate(todo, start=1):
                staged += self._read(reader, root, document, generation)
                self.progress("read", number, len(todo))
                if len(staged) >= STANDBY_BATCH or number == len(todo):
                    ledger.stand_by(staged)
                    staged = []

    def _read(self, reader: Reader, root: Path, document: Outdated, generation: Generation) -> list[tuple[str, str]]:
        try:
            if sha256_of(root / document.path) != document.sha256:
                self.kept.append((document.path, "changed"))  # the next run reads it, into both generations
                return []
            version_id, _, _ = reader.stage(
                root,
                document.path,
                document_id=document.document_id,
                sha256=document.sha256,
                embedder_id=generation.embedder_id,
            )
        except DocumentError as error:
            self.kept.append((document.path, error.reason.value))
            return []
        except OSError as error:
            self.kept.append((document.path, error.strerror or "unreadable"))
            return []
        return [(document.document_id, version_id)]


def compare_with_active(stores: Stores, generation: Generation, golden_folder: Path) -> Comparison:
    """Asks both generations the golden questions and the probe questions, and marks the new one as ready.

    Raises StoreUnavailable, SettingsError for golden files that cannot be read.
    """
    ledger = stores.ledger
    active = ledger.active_generation()
    questions = {
        "golden": golden_questions(golden_folder, ledger.searchable_paths()),
        "probes": _probe_questions(stores),
    }
    old = None
    if active is not None:
        old = Indexes(ledger, stores.embedder_of(active), stores.vectors, stores.lexical)
    new = Indexes(ledger.beside(), stores.embedder_of(generation), stores.vectors, stores.lexical)
    everybody = Principal("ingestion", groups=ledger.every_group())
    comparison = compare(questions, old=old, new=new, principal=everybody)
    comparison.refused = sorted(set(ledger.refused_chunks(generation.embedder_id, is_beside=True).values()))
    ledger.mark_ready(generation.generation_id, comparison.as_record())
    return comparison


def _probe_questions(stores: Stores) -> list[Asked]:
    """At most `PROBES` of each language, always the same ones of the same documents."""
    by_language: dict[str, list[Asked]] = {"ja": [], "en": []}
    for document_id, path, probe in stores.ledger.probes_by_document():
        name = f"{path}: {probe['question']}"
        by_language[probe["language"]].append(Asked(name, probe["question"], frozenset({document_id})))
    return [
        asked
        for some in by_language.values()
        for asked in sorted(some, key=lambda asked: hashlib.sha256(asked.name.encode()).digest())[:PROBES]
    ]


def switch(stores: Stores, generation_id: str | None = None, *, is_forced: bool = False) -> Generation:
    """Answers come from the generation that is ready; returns it. It is brought up to the ledger first.

    Raises GenerationError when none is ready, or when it is worse and nobody insists.
    """
    beside = stores.ledger.generation_beside()
    if beside is None or (generation_id is not None and not beside.generation_id.startswith(generation_id)):
        raise _nothing_to_switch_to(generation_id)
    if beside.state is GenerationState.BUILDING:
        raise _not_complete(beside)
    is_worse = _quality_of(stores, beside).get("is_worse", False)
    if beside.state is GenerationState.READY and is_worse and not is_forced:
        raise _is_worse(beside)
    _forget_retired(stores)
    mend(stores, beside)
    stores.ledger.switch_generation(beside.generation_id)
    _doubt_refused(stores, beside)
    active = stores.ledger.active_generation() or beside
    Prover(stores, active).prove()  # versions that went live and were never asked for
    return active


def _quality_of(stores: Stores, generation: Generation) -> dict[str, object]:
    found = {known.generation_id: quality for known, quality in stores.ledger.generations()}
    return found.get(generation.generation_id) or {}


def roll_back(stores: Stores, *, is_forced: bool = False) -> Generation:
    """Answers come from the previous generation again; returns it. What changed since is brought into it first.

    Raises GenerationError when there is none, and what kept it from being brought up to date; `is_forced` goes back
    nevertheless, and the next run mends what is missing.
    """
    previous = stores.ledger.generation_beside()
    if previous is not None and previous.state is GenerationState.PREVIOUS:
        try:
            _forget_retired(stores)
            mend(stores, previous)
        except AssistantError as error:
            if not is_forced:
                raise
            log.warning("rolled_back_without_mending", error=error.describe("en"))
    active = stores.ledger.roll_back()
    _doubt_refused(stores, active)
    return active


def _doubt_refused(stores: Stores, active: Generation) -> None:
    """The embedder that answers now refuses other texts than the former one: these documents are asked for anew."""
    stores.ledger.doubt_refused({version_of(chunk_id) for chunk_id in stores.ledger.refused_chunks(active.embedder_id)})


def _forget_retired(stores: Stores) -> None:
    """As every run does; where an index of the active generation is damaged, that is written anew first."""
    active = stores.ledger.active_generation()
    if active is None:
        forget_retired(stores)
    else:
        healing(stores, active, lambda: forget_retired(stores))


def drop_beside(stores: Stores, state: GenerationState) -> Generation | None:
    """Gives up the generation beside the active one if it is in that state, with its indexes; None if there is none."""
    beside = stores.ledger.generation_beside()
    if beside is None or beside.state is not state:
        return None
    stores.ledger.drop_generation(beside.generation_id)
    _forget_retired(stores)
    return beside


def _nothing_to_switch_to(generation_id: str | None) -> GenerationError:
    named = f" {generation_id}" if generation_id else ""
    return GenerationError(
        Text(ja=f"切り替えられる世代{named}がありません。", en=f"There is no generation{named} to switch to."),
        Text(
            ja="`ingest rebuild` で作り、`ingest generations` で確かめてください。",
            en="Build one with `ingest rebuild`; look with `ingest generations`.",
        ),
    )


def _not_complete(generation: Generation) -> GenerationError:
    return GenerationError(
        Text(
            ja=f"世代 {generation.generation_id} はまだ作りかけです。",
            en=f"The generation {generation.generation_id} is not complete yet.",
        ),
        Text(
            ja="`ingest rebuild` を実行すると続きから作ります。",
            en="`ingest rebuild` goes on where it stopped.",
        ),
    )


def _is_worse(generation: Generation) -> GenerationError:
    return GenerationError(
        Text(
            ja=f"世代 {generation.generation_id} は今の世代より見つける力が低いため、切り替えませんでした。",
            en=f"The generation {generation.generation_id} finds less than the active one, so nothing was switched.",
        ),
        Text(
            ja="それでも切り替えるには `ingest switch --force` を実行してください。",
            en="To switch nevertheless, run `ingest switch --force`.",
        ),
    )
