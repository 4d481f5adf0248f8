"""The folders, and what the ledger knows of their files before a scan is compared with it. Writes nothing but a new
folder's name.

settled_files: nearly everything, in three columns -> known_documents: the few that are not as the scan found them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, func, insert, select

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.transaction import Transactional, plain_rows, slices
from assistant.domain import DocumentStatus

SEARCHABLE = frozenset({DocumentStatus.INDEXED, DocumentStatus.WARN})


class KnownDocument(NamedTuple):
    """What the ledger knows of a path before a scan is compared with it. `status` is the text of a DocumentStatus."""

    document_id: str
    path: str
    size_bytes: int
    modified_ns: int
    sha256: str | None
    status: str
    version_id: str | None
    pipeline_id: str | None


class Settled(NamedTuple):
    """(size in bytes, time of modification in ns) by path, and the pipeline that these documents came through.

    The size is None where there is something to do or to look at: not searchable, or through another pipeline.
    """

    pipeline_id: str
    files: Mapping[str, tuple[int | None, int]]


class Folders(Transactional):
    """Names of folders, and reads for a scan."""

    def register_folder(self, root: Path) -> str:
        """The name of the folder, by which documents know it; made from its last part, unique."""
        with self._reading() as connection:
            known = _name_of_root(connection, root)
        if known is not None:
            return known
        with self._writing() as connection:
            folder = _name_of_root(connection, root) or _free_name(connection, root)
            if _name_of_root(connection, root) is None:
                connection.execute(insert(s.folders).values(folder=folder, root=str(root), created_at=now()))
        return folder

    def name_of_folder(self, root: Path) -> str:
        """The name that the folder has, or would get; writes nothing."""
        with self._reading() as connection:
            return _name_of_root(connection, root) or _free_name(connection, root)

    def folders(self) -> dict[str, Path]:
        """Root of every folder that was ever ingested, by name."""
        with self._reading() as connection:
            rows = connection.execute(select(s.folders.c.folder, s.folders.c.root)).all()
        return {folder: Path(root) for folder, root in rows}

    def settled_files(self, folder: str) -> Settled:
        """Size and time of every living document of the folder, by path.

        A scan finds most files as they are here and asks for no more of them: three columns, and no look into the table
        that holds all texts.
        """
        d, v = s.documents.c, s.versions.c
        is_settled = [d.sha256.is_not(None), d.status.in_(SEARCHABLE)]
        by_pipeline = select(v.pipeline_id, func.count()).where(v.state == "live").group_by(v.pipeline_id)
        with self._reading() as connection:
            pipelines = plain_rows(connection, by_pipeline)
            usual = max(pipelines, key=itemgetter(1))[0] if pipelines else ""
            if len(pipelines) > 1:
                others = select(v.version_id).where(v.state == "live", v.pipeline_id != usual)
                is_settled.append(d.version_id.not_in(others))
            size = case((and_(*is_settled), d.size_bytes))
            statement = select(d.path, size, d.modified_ns).where(d.folder == folder, d.deleted_at == "")
            rows = plain_rows(connection, statement)
        return Settled(usual, {path: (size_bytes, modified_ns) for path, size_bytes, modified_ns in rows})

    def known_documents(self, folder: str, *, paths: Collection[str]) -> dict[str, KnownDocument]:
        """Living documents of the folder at these paths, by path."""
        d = s.documents.c
        statement = (
            select(
                d.document_id,
                d.path,
                d.size_bytes,
                d.modified_ns,
                d.sha256,
                d.status,
                d.version_id,
                s.versions.c.pipeline_id,
            )
            .outerjoin(s.versions, s.versions.c.version_id == d.version_id)
            .where(d.folder == folder, d.deleted_at == "")
        )
        with self._reading() as connection:
            rows = [
                row
                for some in slices(sorted(paths))
                for row in plain_rows(connection, statement.where(d.path.in_(some)))
            ]
        return {document.path: document for document in map(KnownDocument._make, rows)}


def _name_of_root(connection: Connection, root: Path) -> str | None:
    found = connection.execute(select(s.folders.c.folder).where(s.folders.c.root == str(root))).scalar()
    return None if found is None else str(found)


def _free_name(connection: Connection, root: Path) -> str:
    taken = set(connection.execute(select(s.folders.c.folder)).scalars())
    name = root.name or "root"
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 10_000))) if n not in taken)
