"""Compares what a folder holds with what the ledger knows: add, change, move, delete, unchanged. Writes nothing.

Size and modification time first; the content hash only when they differ. A path that is gone and a new path with the
same content are one document that moved: it keeps its identity and its embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.adapters.ledger.ingesting import KnownDocument
from assistant.domain import DocumentStatus, SourceFile
from assistant.errors import DocumentError

ATTEMPTS_LIMIT = 3
"""Tries with the same content before a file that kills its parser is set aside."""


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
    """What a run will do. `work` holds adds, changes and retries; `skipped` are (path, rule)."""

    work: list[Work] = field(default_factory=list)
    moved: list[tuple[KnownDocument, SourceFile]] = field(default_factory=list)
    touched: list[tuple[KnownDocument, SourceFile]] = field(default_factory=list)
    deleted: list[KnownDocument] = field(default_factory=list)
    unchanged: list[KnownDocument] = field(default_factory=list)
    unreadable: list[tuple[SourceFile, str | None, DocumentError]] = field(default_factory=list)
    skipped: Sequence[tuple[str, str]] = ()

    def counts(self) -> dict[str, int]:
        """Numbers by kind, and the bytes that would be read."""
        kinds = [work.kind for work in self.work]
        return {
            "add": kinds.count("add"),
            "change": kinds.count("change"),
            "retry": kinds.count("retry") + kinds.count("resume"),
            "move": len(self.moved),
            "delete": len(self.deleted),
            "unchanged": len(self.unchanged) + len(self.touched),
            "unreadable": len(self.unreadable),
            "skipped": len(self.skipped),
            "bytes": sum(work.source.size_bytes for work in self.work),
        }


def make_plan(
    files: Sequence[SourceFile],
    known: Mapping[str, KnownDocument],
    *,
    hash_of: Callable[[SourceFile], str],
    pipeline_id: str,
    skipped: Sequence[tuple[str, str]] = (),
    is_retrying: bool = False,
) -> Plan:
    """The plan of one run; `hash_of` is called only for files whose size or time differ. `is_retrying` tries failed
    files again whatever their number of attempts."""
    plan = Plan(skipped=skipped)
    seen = {source.path for source in files}
    gone = {path: document for path, document in known.items() if path not in seen}
    for source in files:
        document = known.get(source.path)
        is_same_stat = document is not None and _has_same_stat(document, source)
        if document is not None and is_same_stat and document.sha256 is not None:
            _plan_known(plan, source, document, document.sha256, pipeline_id=pipeline_id, is_retrying=is_retrying)
            continue
        try:
            sha256 = hash_of(source)
        except DocumentError as error:
            plan.unreadable.append((source, document.document_id if document is not None else None, error))
            continue
        if document is None:
            _plan_new(plan, source, sha256, gone, pipeline_id=pipeline_id)
        elif document.sha256 == sha256:
            plan.touched.append((document, source))
            _plan_known(plan, source, document, sha256, pipeline_id=pipeline_id, is_retrying=is_retrying)
        else:
            plan.work.append(Work(source, sha256, document.document_id, "change"))
    plan.deleted = list(gone.values())
    touched = {document.document_id for document, _ in plan.touched}
    plan.unchanged = [document for document in plan.unchanged if document.document_id not in touched]
    return plan


def _plan_new(plan: Plan, source: SourceFile, sha256: str, gone: dict[str, KnownDocument], *, pipeline_id: str) -> None:
    """A new path: a move when a path that is gone had the same content, preferring the same file name."""
    same_content = [document for document in gone.values() if document.sha256 == sha256]
    if not same_content:
        plan.work.append(Work(source, sha256, None, "add"))
        return
    name = source.path.rpartition("/")[2]
    same_content.sort(key=lambda document: document.path.rpartition("/")[2] != name)
    document = same_content[0]
    del gone[document.path]
    plan.moved.append((document, source))
    if document.status not in _SEARCHABLE or document.pipeline_id != pipeline_id:
        plan.work.append(Work(source, sha256, document.document_id, "change"))


def _plan_known(
    plan: Plan,
    source: SourceFile,
    document: KnownDocument,
    sha256: str,
    *,
    pipeline_id: str,
    is_retrying: bool,
) -> None:
    """The same content as before: nothing to do, unless it never became searchable or the pipeline is another."""
    if document.status in _SEARCHABLE:
        if document.pipeline_id == pipeline_id:
            plan.unchanged.append(document)
        else:
            plan.work.append(Work(source, sha256, document.document_id, "change"))
    elif is_retrying:
        plan.work.append(Work(source, sha256, document.document_id, "retry"))
    elif document.status is DocumentStatus.PENDING:
        plan.work.append(Work(source, sha256, document.document_id, "resume"))
    else:
        plan.unchanged.append(document)


def _has_same_stat(document: KnownDocument, source: SourceFile) -> bool:
    return document.size_bytes == source.size_bytes and document.modified_ns == source.modified_ns


_SEARCHABLE = frozenset({DocumentStatus.INDEXED, DocumentStatus.WARN})
