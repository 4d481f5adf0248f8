"""One folder from disk to answers, and the same again without change.

scan.py -> plan.py -> three threads, each a bounded piece ahead of the next (reading_ahead.py):

    reading    guard.py (parsers/) -> chunk.py -> ledger: staged
    embedding  vectors -> ledger
    writing    index_sync.py: vectors, lexical -> ledger: live -> prove.py: found again?

Killed at any point, nothing is lost and nothing is there twice: a version is invisible until one ledger transaction makes
it live, ids are derived from content, and what an interrupted run left is found in the ledger and finished or undone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger.folders import KnownDocument
from assistant.adapters.ledger.indexes import LiveChunk
from assistant.adapters.ledger.ingesting import chunk_id_of, text_hash_of
from assistant.domain import DocumentStatus, Failure, SourceFile
from assistant.errors import DocumentError, FailureReason, StoreUnavailable, Text
from assistant.generation import Generation, GenerationState
from ingest.guard import ParserUnavailable
from ingest.healing import healing
from ingest.index_sync import WRITE_BATCH, Stores, embed_ahead, ensure_generation, forget_retired, mend, write_chunks
from ingest.plan import ATTEMPTS_LIMIT, Found, Plan, Work, collector_at_rest, make_plan, without_settled
from ingest.prove import Prover
from ingest.reading_ahead import one_behind, reading_ahead
from ingest.recipe import STANDARD, Parser, Reader, Recipe, rules_part
from ingest.rules import Rule, groups_of_path, left_out_by, owner_of_path
from ingest.scan import ScanResult, check_not_unmounted, check_there, scan_folder, sha256_of

AHEAD_CHUNKS = 2 * WRITE_BATCH
"""Chunks read and not yet embedded: one batch being filled, one in hand. In memory about a megabyte."""
EMBED_BATCH = 16
"""Chunks handed to the embedder at once, as soon as they are read: what the servers take in one request."""
WRITE_SECONDS = 10.0
"""What was read is searchable after so long at the latest, however slowly the embedder fills a batch."""
REASONS_OF_THE_PLACE = frozenset({FailureReason.VANISHED, FailureReason.NO_PERMISSION, FailureReason.UNREADABLE})
"""Faults of a share or disk, not of a file: such files are tried at every run, however often."""


@dataclass
class RunReport:
    """What a run did; `failures` has a reason for every file of this folder that is not searchable.

    `waiting` are paths whose deletion a person must confirm, `tried` those that were read. `result` is what a plan found.
    """

    folder: str
    counts: dict[str, int]
    failures: list[Failure] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    was_stopped: bool = False
    result: dict[str, Any] | None = None


@dataclass
class _Staged:
    """Versions that wait for their indexes."""

    versions: list[tuple[str, str, DocumentStatus]] = field(default_factory=list)
    chunks: list[LiveChunk] = field(default_factory=list)


@dataclass
class Run:
    """One run over one folder. `progress(done, total, path)` is told each file; `should_stop()` ends between files."""

    stores: Stores
    parser: Parser
    rules: Sequence[Rule] = ()
    progress: Callable[[int, int, str], None] = lambda done, total, path: None
    should_stop: Callable[[], bool] = lambda: False
    settle_seconds: float = 0.0
    """Files that changed this recently are left for a later run; 0 for a person who wants everything now."""
    recipe: Recipe = STANDARD
    _prover: Prover = field(init=False)

    def run(self, root: Path, *, is_retrying: bool = False, allows_deletions: bool = False) -> RunReport:
        """Brings the ledger and both indexes up to the folder. Raises FolderMissing, StoreUnavailable, ..."""
        ledger, waited_before = self.stores.ledger, self.stores.yielding.waited_seconds
        check_known_or_there(ledger, root)
        generation = ensure_generation(self.stores)
        self._prover = Prover(self.stores, generation)
        ledger.forget_attempts(sorted(self.stores.innocent))
        self.stores.innocent.clear()
        ledger.retire_staged()
        healing(self.stores, generation, lambda: forget_retired(self.stores))
        mended = healing(self.stores, generation, lambda: mend(self.stores, generation))
        folder = ledger.register_folder(root.resolve())
        plan = plan_folder(
            ledger,
            root,
            self.rules,
            is_retrying=is_retrying,
            allows_deletions=allows_deletions,
            settle_seconds=self.settle_seconds,
            recipe=self.recipe,
        )
        ledger.move_documents([(document.document_id, source) for document, source in plan.moved])
        regrouped = ledger.apply_groups(folder, lambda path: groups_of_path(path, self.rules))
        ledger.touch_documents([(document.document_id, source) for document, source in plan.touched])
        ledger.delete_documents([document.document_id for document in plan.deleted])
        for source, known_id, error in plan.unreadable:
            groups = groups_of_path(source.path, self.rules)
            document_id, attempts = ledger.begin_attempt(known_id, source, sha256="", groups=groups)
            self._record(document_id, error, attempts)
        counts = plan.counts() | {"mended": mended, "regrouped": regrouped, "done": 0, "chunks": 0}
        was_stopped = self._work(root, plan, generation, counts)
        ledger.apply_owners(folder, lambda path: owner_of_path(path, self.rules))
        healing(self.stores, generation, lambda: forget_retired(self.stores))
        counts["not_found_again"] = self._prover.finish(
            generation, has_changed=bool(counts["chunks"] or plan.deleted or regrouped or mended)
        )
        counts["waited_for_people_seconds"] = round(self.stores.yielding.waited_seconds - waited_before)
        failures = ledger.failures(folder=folder)
        counts["failed"] = sum(failure.reason is not FailureReason.UNSUPPORTED_TYPE for failure in failures)
        counts["unsupported"] = len(failures) - counts["failed"]
        waiting = [document.path for document in plan.waiting]
        tried = [work.source.path for work in plan.work[: counts["done"]]]
        return RunReport(folder, counts, failures, list(plan.skipped), waiting, tried, was_stopped)

    def _work(self, root: Path, plan: Plan, generation: Generation, counts: dict[str, int]) -> bool:
        """Reads, embeds, writes and proves what is planned, all at once; whether it was stopped before the end."""
        staged, fresh, written = _Staged(), list[LiveChunk](), time.monotonic()
        reading = reading_ahead(
            plan.work,
            lambda work: self._read(root, work, generation),
            weight=lambda read: len(read.chunks),
            chunk_limit=AHEAD_CHUNKS,
            should_stop=self.should_stop,
        )
        with reading as files, one_behind("writing") as writing:
            for work, read in files:
                self.progress(counts["done"], len(plan.work), work.source.path)
                counts["done"] += 1
                counts["chunks"] += len(read.chunks)
                staged.versions += read.versions
                staged.chunks += read.chunks
                fresh += read.chunks
                if len(fresh) >= EMBED_BATCH:
                    embed_ahead(self.stores, generation, fresh)
                    fresh.clear()
                if len(staged.chunks) >= WRITE_BATCH or time.monotonic() - written >= WRITE_SECONDS:
                    writing(partial(self._flush, staged, generation))
                    staged, written = _Staged(), time.monotonic()
            writing(partial(self._flush, staged, generation))
        if counts["done"] < len(plan.work):
            return True
        self.progress(len(plan.work), len(plan.work), "")
        return False

    def _read(self, root: Path, work: Work, generation: Generation) -> _Staged:
        """Parses and stages one file, on the reading thread. One that cannot be read is recorded with its reason."""
        document_id, attempts = self.stores.ledger.begin_attempt(
            work.document_id,
            work.source,
            sha256=work.sha256,
            groups=groups_of_path(work.source.path, self.rules),
        )
        try:
            return self._staged(root, work, generation, document_id, attempts)
        except (ParserUnavailable, StoreUnavailable):
            self.stores.innocent.add(document_id)  # the run ends, and not by this file's fault
            raise

    def _staged(self, root: Path, work: Work, generation: Generation, document_id: str, attempts: int) -> _Staged:
        try:
            if attempts > ATTEMPTS_LIMIT and work.kind != "retry":
                raise _set_aside(work.source.path)
            version_id, parsed, chunks = Reader(self.stores.ledger, self.parser, self.rules, self.recipe).stage(
                root,
                work.source.path,
                document_id=document_id,
                sha256=work.sha256,
                embedder_id=generation.embedder_id,
            )
        except DocumentError as error:
            self._record(document_id, error, attempts)
            if error.reason in REASONS_OF_THE_PLACE:
                check_not_unmounted(root)
            return _Staged()
        # Live it is `warn` until its probe questions have found it again (prove.py).
        return _Staged(
            [(document_id, version_id, DocumentStatus.WARN)],
            [
                LiveChunk(
                    chunk_id_of(version_id, c.ordinal), parsed.title, c.embedding_text, text_hash_of(c.embedding_text)
                )
                for c in chunks
            ],
        )

    def _flush(self, staged: _Staged, generation: Generation) -> None:
        """Both indexes first, then the one transaction that makes the versions live.

        A text that the embedder refuses sets its own document aside, never the batch it came with.
        """
        try:
            for start in range(0, len(staged.chunks), WRITE_BATCH):
                some = staged.chunks[start : start + WRITE_BATCH]
                healing(self.stores, generation, partial(write_chunks, self.stores, generation, some))
            self.stores.ledger.activate_versions(staged.versions)
            self._prover.prove()
        except DocumentError as error:
            if len(staged.versions) == 1:
                self._record(staged.versions[0][0], error, ATTEMPTS_LIMIT)
            else:
                for version in staged.versions:
                    own = [chunk for chunk in staged.chunks if chunk.chunk_id.startswith(version[1] + ":")]
                    self._flush(_Staged([version], own), generation)

    def _record(self, document_id: str, error: DocumentError, attempts: int) -> None:
        is_the_files = error.reason not in REASONS_OF_THE_PLACE
        if error.reason is FailureReason.UNSUPPORTED_TYPE:
            status = DocumentStatus.SKIPPED
        else:
            is_final = error.permanent or (is_the_files and attempts >= ATTEMPTS_LIMIT)
            status = DocumentStatus.FAILED if is_final else DocumentStatus.PENDING
        detail = error.describe("ja") + "\n" + error.describe("en")
        self.stores.ledger.record_failure(
            document_id, reason=error.reason, detail=detail, status=status, is_counted=is_the_files
        )


def check_known_or_there(ledger: Ledger, root: Path) -> None:
    """Returns for every folder that is there or was ingested before. Raises FolderMissing for a slip of the pen, of which
    the ledger shall keep no trace."""
    if root.resolve() not in ledger.folders().values():
        check_there(root)


def plan_folder(
    ledger: Ledger,
    root: Path,
    rules: Sequence[Rule] = (),
    *,
    is_retrying: bool = False,
    allows_deletions: bool = False,
    settle_seconds: float = 0.0,
    recipe: Recipe = STANDARD,
) -> Plan:
    """The plan of a run, without doing it; writes nothing. Raises FolderMissing."""
    root = root.resolve()
    folder = ledger.name_of_folder(root)

    def hash_of(source: SourceFile) -> str:
        try:
            return sha256_of(root / source.path)
        except OSError as error:
            raise _cannot_be_opened(source.path, error) from error

    pipeline = recipe.pipeline_ids(rules)
    with collector_at_rest():
        scan = scan_folder(root, folder=folder, settle_seconds=settle_seconds)
        settled = ledger.settled_files(folder)
        found = without_settled(_obeying(rules, scan), settled, pipeline_id_of=pipeline)
        known = ledger.known_documents(folder, paths=settled.files.keys() - set(found.unchanged))
        return make_plan(
            found,
            _as_read(ledger, known, pipeline_id_of=pipeline),
            hash_of=hash_of,
            pipeline_id_of=pipeline,
            is_retrying=is_retrying,
            allows_deletions=allows_deletions,
        )


def _obeying(rules: Sequence[Rule], scan: ScanResult) -> Found:
    """The scan without what the rules leave out."""
    if not rules:
        return Found(scan.files, scan.skipped, scan.settling)
    left_out = {source.path: left_out_by(source, rules) for source in (*scan.files, *scan.settling)}
    return Found(
        [source for source in scan.files if left_out[source.path] is None],
        sorted([*scan.skipped, *((path, rule) for path, rule in left_out.items() if rule is not None)]),
        [source for source in scan.settling if left_out[source.path] is None],
    )


def _as_read(
    ledger: Ledger, known: dict[str, KnownDocument], *, pipeline_id_of: Callable[[str], str]
) -> dict[str, KnownDocument]:
    """What the ledger knows, for the plan. While a generation waits beside the active one, a pipeline that came with an
    upgrade reads nothing anew in place: `ingest rebuild` does that beside the answers."""
    beside = ledger.generation_beside() if known else None
    if beside is None or beside.state is GenerationState.PREVIOUS:
        return known
    as_read = {}
    for path, document in known.items():
        wanted = pipeline_id_of(path)
        is_like = document.pipeline_id is not None and rules_part(document.pipeline_id) == rules_part(wanted)
        as_read[path] = document._replace(pipeline_id=wanted) if is_like else document
    return as_read


def _cannot_be_opened(path: str, error: OSError) -> DocumentError:
    reason = FailureReason.VANISHED if isinstance(error, FileNotFoundError) else FailureReason.NO_PERMISSION
    if not isinstance(error, FileNotFoundError | PermissionError):
        reason = FailureReason.UNREADABLE
    return DocumentError(
        Text(ja=f"{path} を開けません({error.strerror})。", en=f"{path} cannot be opened ({error.strerror})."),
        Text(
            ja="取り込みを動かす利用者に読み取り権限があるか確かめてください。",
            en="Check that the user who runs the ingestion may read it.",
        ),
        reason=reason,
        permanent=False,
    )


def _set_aside(path: str) -> DocumentError:
    return DocumentError(
        Text(
            ja=f"{path} を読む処理が {ATTEMPTS_LIMIT} 回途中で止まったため、除外しました。",
            en=f"Reading {path} was cut short {ATTEMPTS_LIMIT} times, so it was set aside.",
        ),
        Text(
            ja="ファイルを直してから `ingest retry` を実行してください。", en="Mend the file, then run `ingest retry`."
        ),
        reason=FailureReason.PARSER_CRASHED,
    )
