"""Compares what a folder holds with what the ledger knows: add, change, move, delete, unchanged. Writes nothing.

Size and modification time first; the content hash only when they differ. A path that is gone and a new path with the
same content are one document that moved: it keeps its identity and its embeddings.

    gone from the folder -> left out by a rule of the admin ........ deleted
                         -> being written, or nobody may look ...... kept
                         -> the same content at a new path ......... moved
                         -> few ................................... deleted
                         -> more than a fifth, or everything ....... waits until a person confirms
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from assistant.adapters.ledger.folders import SEARCHABLE, KnownDocument, Settled
from assistant.domain import DocumentStatus, SourceFile
from assistant.errors import DocumentError

ATTEMPTS_LIMIT = 3
"""Tries with the same content before a file that kills its parser is set aside."""
SHRINK_SHARE = 0.2
"""More of a folder gone than this looks like a share that is half there: those deletions wait for a person."""
HANDFUL = 5
"""Fewer deletions than this never wait, unless nothing at all is left: people do tidy up small folders."""
RULES_OF_THE_ADMIN = frozenset({"excluded", "max_bytes"})
"""Rules of `ingest.toml`; what they leave out is deleted without a question, for somebody wrote them down."""


@dataclass(frozen=True)
class Work:
    """A source file to be read. `document_id` None makes a new document.

    `kind` is add, change, resume (an interrupted run had begun it) or retry (a person asks again).
    """

    source: SourceFile
    sha256: str
    document_id: str | None
    kind: str


@dataclass
class Plan:
    """What a run will do. `work` holds adds, changes and retries; `skipped` are (path, rule).

    `waiting` are deletions that a person must confirm first; `kept` are documents whose files cannot be seen just now.
    """

    work: list[Work] = field(default_factory=list)
    moved: list[tuple[KnownDocument, SourceFile]] = field(default_factory=list)
    touched: list[tuple[KnownDocument, SourceFile]] = field(default_factory=list)
    deleted: list[KnownDocument] = field(default_factory=list)
    waiting: list[KnownDocument] = field(default_factory=list)
    kept: list[KnownDocument] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unreadable: list[tuple[SourceFile, str | None, DocumentError]] = field(default_factory=list)
    skipped: Sequence[tuple[str, str]] = ()
    settling: Sequence[SourceFile] = ()

    def counts(self) -> dict[str, int]:
        """Numbers by kind, the bytes that would be read, and what is left out by rule (`skipped_symlink` ...)."""
        kinds = [work.kind for work in self.work]
        return {
            "add": kinds.count("add"),
            "change": kinds.count("change"),
            "retry": kinds.count("retry") + kinds.count("resume"),
            "move": len(self.moved),
            "delete": len(self.deleted),
            "deletions_waiting": len(self.waiting),
            "unchanged": len(self.unchanged) + len(self.touched) + len(self.kept),
            "unreadable": len(self.unreadable),
            "skipped": len(self.skipped),
            "settling": len(self.settling),
            "bytes": sum(work.source.size_bytes for work in self.work),
            **{f"skipped_{rule}": count for rule, count in sorted(Counter(rule for _, rule in self.skipped).items())},
        }


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No garbage collection inside the block: tens of thousands of new rows would make Python walk the whole heap
    several times to find nothing (a third of the time of a rescan of 10,000 files)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Found:
    """A folder as scanned, after its rules: what is to be looked at, what is left out and why, what is still being
    written, and the paths of files that are as the ledger has them."""

    files: Sequence[SourceFile]
    skipped: Sequence[tuple[str, str]] = ()
    settling: Sequence[SourceFile] = ()
    unchanged: Sequence[str] = ()


def without_settled(found: Found, settled: Settled, *, pipeline_id_of: Callable[[str], str]) -> Found:
    """The same with every file in `unchanged` whose size and time are those of a settled document.

    The one loop over everything, so it compares plain tuples; the folder stands first in a source file.
    """
    files, pipeline_id = settled.files, settled.pipeline_id
    unchanged, rest = [], []
    for source in found.files:
        path = source.path
        if files.get(path) == source[2:] and pipeline_id_of(path) == pipeline_id:
            unchanged.append(path)
        else:
            rest.append(source)
    return Found(rest, found.skipped, found.settling, unchanged)


def make_plan(
    found: Found,
    known: Mapping[str, KnownDocument],
    *,
    hash_of: Callable[[SourceFile], str],
    pipeline_id_of: Callable[[str], str],
    is_retrying: bool = False,
    allows_deletions: bool = False,
) -> Plan:
    """The plan of one run; `hash_of` is called only for files whose size or time differ. `known` has every document of
    the folder but those of `found.unchanged`.

    `is_retrying` plans nothing but the files that are not searchable, whatever their number of attempts.
    `allows_deletions` says that a person has confirmed that everything that is gone may be deleted.
    """
    plan = Plan(skipped=found.skipped, settling=found.settling, unchanged=list(found.unchanged))
    gone = {path: known[path] for path in sorted(known.keys() - {source.path for source in found.files})}
    _keep_unseen(plan, found, gone)
    moves = _Moves(gone)
    for source in found.files:
        document = known.get(source.path)
        if document is not None and document.sha256 is not None and _has_same_stat(document, source):
            _plan_known(plan, source, document, document.sha256, pipeline_id_of=pipeline_id_of, is_retrying=is_retrying)
            continue
        if is_retrying and (document is None or document.status in SEARCHABLE):
            continue
        try:
            sha256 = hash_of(source)
        except DocumentError as error:
            plan.unreadable.append((source, document.document_id if document is not None else None, error))
            continue
        if document is None:
            _plan_new(plan, source, sha256, moves, pipeline_id_of=pipeline_id_of)
        elif document.sha256 == sha256:
            plan.touched.append((document, source))
            _plan_known(plan, source, document, sha256, pipeline_id_of=pipeline_id_of, is_retrying=is_retrying)
        else:
            plan.work.append(Work(source, sha256, document.document_id, "change"))
    if not is_retrying:
        known_count = len(known) + len(found.unchanged)
        _plan_deletions(plan, found, gone, known_count=known_count, allows_deletions=allows_deletions)
    touched = {source.path for _, source in plan.touched}
    if touched:
        plan.unchanged = [path for path in plan.unchanged if path not in touched]
    return plan


class _Moves:
    """Documents whose path is gone, by content; each is taken once."""

    def __init__(self, gone: dict[str, KnownDocument]) -> None:
        self._gone = gone
        self._by_content: dict[str | None, dict[str, KnownDocument]] = {}
        self._by_name: dict[tuple[str | None, str], list[str]] = {}
        for path, document in gone.items():
            self._by_content.setdefault(document.sha256, {})[path] = document
            self._by_name.setdefault((document.sha256, _name(path)), []).append(path)

    def take(self, sha256: str, path: str) -> KnownDocument | None:
        """The document that moved to `path`: one with that content, with the same file name if there is one."""
        same_content = self._by_content.get(sha256)
        if not same_content:
            return None
        same_name = self._by_name.get((sha256, _name(path)), [])
        while same_name and same_name[-1] not in same_content:
            same_name.pop()
        old_path = same_name.pop() if same_name else next(iter(same_content))
        del self._gone[old_path]
        return same_content.pop(old_path)


def _keep_unseen(plan: Plan, found: Found, gone: dict[str, KnownDocument]) -> None:
    """A file that is being written, or lies where nobody may look now, is not gone."""
    settling = {source.path for source in found.settling}
    unseen = [path for path, rule in found.skipped if rule == "unreadable"]
    for path in list(gone):
        if path in settling or any(path == place or path.startswith(place + "/") for place in unseen):
            plan.kept.append(gone.pop(path))


def _plan_deletions(
    plan: Plan, found: Found, gone: dict[str, KnownDocument], *, known_count: int, allows_deletions: bool
) -> None:
    """Deletes what is gone. What a rule of the admin leaves out is deleted by will; of the rest, too much must wait."""
    by_rule = {path for path, rule in found.skipped if rule in RULES_OF_THE_ADMIN}
    plan.deleted = [document for path, document in gone.items() if path in by_rule]
    arriving = {source.size_bytes for source in found.settling}
    lost = []
    for path, document in gone.items():
        if path in by_rule:
            continue
        if document.size_bytes in arriving:  # perhaps it moves: the next scan can tell
            plan.kept.append(document)
        else:
            lost.append(document)
    is_much = len(lost) >= HANDFUL and len(lost) > SHRINK_SHARE * known_count
    is_everything = not (found.files or found.settling or found.unchanged)
    if (is_much or is_everything) and not allows_deletions:
        plan.waiting = lost
    else:
        plan.deleted += lost


def _plan_new(
    plan: Plan, source: SourceFile, sha256: str, moves: _Moves, *, pipeline_id_of: Callable[[str], str]
) -> None:
    """A new path: a move when a path that is gone had the same content."""
    document = moves.take(sha256, source.path)
    if document is None:
        plan.work.append(Work(source, sha256, None, "add"))
        return
    plan.moved.append((document, source))
    if document.status not in SEARCHABLE or document.pipeline_id != pipeline_id_of(source.path):
        plan.work.append(Work(source, sha256, document.document_id, "change"))


def _plan_known(
    plan: Plan,
    source: SourceFile,
    document: KnownDocument,
    sha256: str,
    *,
    pipeline_id_of: Callable[[str], str],
    is_retrying: bool,
) -> None:
    """The same content as before: nothing to do, unless it never became searchable or the pipeline is another."""
    if document.status in SEARCHABLE:
        if is_retrying or document.pipeline_id == pipeline_id_of(source.path):
            plan.unchanged.append(source.path)
        else:
            plan.work.append(Work(source, sha256, document.document_id, "change"))
    elif is_retrying:
        plan.work.append(Work(source, sha256, document.document_id, "retry"))
    elif document.status == DocumentStatus.PENDING:
        plan.work.append(Work(source, sha256, document.document_id, "resume"))
    else:
        plan.unchanged.append(source.path)


def _has_same_stat(document: KnownDocument, source: SourceFile) -> bool:
    return document.size_bytes == source.size_bytes and document.modified_ns == source.modified_ns


def _name(path: str) -> str:
    return path.rpartition("/")[2]
