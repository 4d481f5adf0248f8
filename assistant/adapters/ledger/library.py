"""The documents as a library: what there is to read, of which kind, in which folders, what is new, what came by upload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, not_, or_, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import readable, starts_with_any
from assistant.adapters.ledger.cursors import decode_cursor, encode_cursor
from assistant.adapters.ledger.documents import document_not_found, document_of, documents_for
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Document, Principal
from assistant.library import ENDINGS, OTHER, BroughtDocument, FolderOfLibrary, Listed, Wanted

_earlier = s.versions.alias()
_first_seen = (
    select(func.min(_earlier.c.created_at))
    .where(_earlier.c.document_id == s.documents.c.document_id, _earlier.c.sha256 == s.documents.c.sha256)
    .correlate(s.documents)
    .scalar_subquery()
)
changed_at = func.coalesce(_first_seen, s.documents.c.created_at)
"""Since when the document says what it says: a reading by a newer pipeline is no change, a new content is."""


class Library(Transactional):
    """Reads for those who look around; every method checks the right to read."""

    def browse(
        self, wanted: Wanted, *, principal: Principal, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[Listed], str | None]:
        """One page by path, or with the latest change first, and the cursor of the next page or None."""
        d = s.documents.c
        statement = _listed_for(principal).where(*_conditions(wanted)).limit(limit + 1)
        order = (changed_at.desc(), d.document_id) if wanted.newest_first else (d.path, d.document_id)
        if cursor:
            key, document_id = decode_cursor(cursor)
            first = changed_at if wanted.newest_first else d.path
            is_behind = first < key if wanted.newest_first else first > key
            statement = statement.where(or_(is_behind, and_(first == key, d.document_id > document_id)))
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(*order)).mappings().all()
        page = [_listed(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return page, None
        last = page[-1]
        return page, encode_cursor(
            last.changed_at if wanted.newest_first else last.document.path, last.document.document_id
        )

    def listed(self, document_id: str, *, principal: Principal) -> Listed:
        """One entry of the list. Raises NotFound when it is not there or may not be read."""
        with self._reading() as connection:
            statement = _listed_for(principal).where(s.documents.c.document_id == document_id)
            row = connection.execute(statement).mappings().first()
        if row is None:
            raise document_not_found()
        return _listed(row)

    def list_documents(
        self, *, principal: Principal, cursor: str | None = None, limit: int = 50
    ) -> tuple[list[Document], str | None]:
        """One page of everything ordered by path, and the cursor of the next page or None."""
        page, following = self.browse(Wanted(), principal=principal, cursor=cursor, limit=limit)
        return [listed.document for listed in page], following

    def folders_of_library(self, *, principal: Principal) -> list[FolderOfLibrary]:
        """The folders on the first level of each ingested folder that hold something to read, and how many documents."""
        d = s.documents.c
        statement = select(d.folder, d.path).where(d.deleted_at == "", d.document_id.in_(readable(principal)))
        counts: Counter[tuple[str, str]] = Counter()
        with self._reading() as connection:
            for folder, path in connection.execute(statement):
                first, slash, _ = path.partition("/")
                counts[(folder, first + "/" if slash else "")] += 1
        return [FolderOfLibrary(folder, path, count) for (folder, path), count in sorted(counts.items())]

    def brought_documents(self, root: Path, place: str) -> dict[str, BroughtDocument]:
        """What became of the files in one person's place of the inbox at `root`, by path; theirs, whoever may read them."""
        d = s.documents.c
        statement = (
            select(d.document_id, d.path, d.status, d.reason, d.reason_detail, d.size_bytes, d.modified_ns)
            .join(s.folders, s.folders.c.folder == d.folder)
            .where(s.folders.c.root == str(root), d.deleted_at == "", d.path.startswith(place + "/", autoescape=True))
        )
        with self._reading() as connection:
            rows = connection.execute(statement).all()
        return {row.path: BroughtDocument(*row) for row in rows}

    def readable_among(self, document_ids: Sequence[str], *, principal: Principal) -> frozenset[str]:
        """Those of the documents that the principal may read; of the first 500."""
        d = s.documents.c
        some = list(document_ids)[:500]
        statement = select(d.document_id).where(d.document_id.in_(some), d.document_id.in_(readable(principal)))
        with self._reading() as connection:
            return frozenset(connection.execute(statement).scalars())


def _listed_for(principal: Principal) -> Select[tuple[object, ...]]:
    owner = s.versions.c.receipt["owner"].as_string().label("owner")
    return documents_for(principal).add_columns(changed_at.label("changed_at"), owner)


def _listed(row: RowMapping) -> Listed:
    return Listed(document_of(row), added_at=row["created_at"], changed_at=row["changed_at"], owner=row["owner"])


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    d = s.documents.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.query:
        conditions.append(
            or_(d.path.contains(wanted.query, autoescape=True), d.title.contains(wanted.query, autoescape=True))
        )
    if wanted.folder:
        conditions.append(starts_with_any([wanted.folder]))
    if wanted.status:
        conditions.append(d.status == wanted.status)
    if wanted.kind == OTHER:
        conditions.append(not_(_ends_with_any([ending for endings in ENDINGS.values() for ending in endings])))
    elif wanted.kind:
        conditions.append(_ends_with_any(ENDINGS[wanted.kind]))
    if wanted.changed_since:
        conditions.append(changed_at >= wanted.changed_since)
    return conditions


def _ends_with_any(endings: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(func.lower(s.documents.c.path).endswith(ending, autoescape=True) for ending in endings))
