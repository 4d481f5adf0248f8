"""Generations of the indexes, side by side: one that answers come from, and at most one other.

    building -> ready  -- switch -->  active  -- the next switch -->  previous
                  ^                      |                               |
                  +------- rollback -----+          active <-- rollback -+

A switch and a rollback are one transaction each: the states of both generations change, and every document whose
content the other generation has cut differently exchanges its two versions. A document that was deleted or changed
since has no other version any more, so that neither can bring old content back.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.asking import Asking, generation_of
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.reach import Reaching, renew_reach
from assistant.adapters.ledger.remembering import Remembering
from assistant.adapters.ledger.transaction import Transactional, slices
from assistant.domain import DocumentStatus
from assistant.errors import GenerationError, Text
from assistant.generation import EmbedderSpec, Generation, GenerationState

_BESIDE = [GenerationState.BUILDING.value, GenerationState.READY.value, GenerationState.PREVIOUS.value]
_ACTIVE = s.generations.c.state == GenerationState.ACTIVE.value
_SEARCHABLE = [DocumentStatus.INDEXED.value, DocumentStatus.WARN.value]
_HAS_OTHER = s.documents.c.other_version_id.is_not(None)


class Outdated(NamedTuple):
    """A searchable document of a folder, and by which pipelines its versions were made."""

    document_id: str
    path: str
    sha256: str
    pipeline_id: str
    other_pipeline_id: str | None


class Generations(Transactional):
    """Reads and changes generations; a change is one transaction."""

    def create_generation(
        self, *, embedder_id: str, dimension: int, embedder: EmbedderSpec | None = None
    ) -> Generation:
        """A generation that is being built; its index has a name never used before."""
        generation_id = "g_" + uuid.uuid4().hex
        slug = re.sub(r"[^a-z0-9]+", "-", embedder_id.lower()).strip("-")[:40].strip("-")
        index_name = f"chunks-{slug}-{generation_id[-8:]}"
        at = now()
        with self._writing() as connection:
            connection.execute(
                insert(s.generations).values(
                    generation_id=generation_id,
                    embedder_id=embedder_id,
                    embedder=None if embedder is None else {"kind": embedder.kind, "model": embedder.model},
                    dimension=dimension,
                    index_name=index_name,
                    state=GenerationState.BUILDING.value,
                    created_at=at,
                )
            )
        return Generation(
            generation_id,
            embedder_id,
            dimension,
            index_name,
            is_active=False,
            embedder=embedder,
            state=GenerationState.BUILDING,
            created_at=at,
        )

    def generations(self) -> list[tuple[Generation, dict[str, Any] | None]]:
        """Those that have indexes, each with its comparison; the active one first, then the newest."""
        statement = select(s.generations).where(or_(_ACTIVE, s.generations.c.state.in_(_BESIDE)))
        with self._reading() as connection:
            rows = connection.execute(statement.order_by(s.generations.c.created_at.desc())).mappings().all()
        found = [(generation_of(row), row["quality"]) for row in rows]
        return sorted(found, key=lambda pair: not pair[0].is_active)

    def generation_beside(self) -> Generation | None:
        """The one other generation: being built, ready, or the previous one."""
        return next((generation for generation, _ in self.generations() if not generation.is_active), None)

    def mark_ready(self, generation_id: str, quality: Mapping[str, Any] | None) -> None:
        """The generation is complete; `quality` is what its comparison with the active one found."""
        with self._writing() as connection:
            connection.execute(
                update(s.generations)
                .where(s.generations.c.generation_id == generation_id, s.generations.c.state.in_(_BESIDE))
                .values(state=GenerationState.READY.value, quality=dict(quality) if quality is not None else None)
            )

    def switch_generation(self, generation_id: str) -> None:
        """Answers come from this generation from now on, and the former one is kept as the previous one.

        Raises GenerationError when there is no such generation beside the active one.
        """
        with self._writing() as connection:
            renew_reach(connection)
            self._exchange(connection, generation_id, former=GenerationState.PREVIOUS)

    def roll_back(self) -> Generation:
        """Answers come from the previous generation again, which is returned; the one given up stays, ready.

        Raises GenerationError when there is no previous one.
        """
        with self._writing() as connection:
            renew_reach(connection)
            previous = connection.execute(
                select(s.generations.c.generation_id).where(s.generations.c.state == GenerationState.PREVIOUS.value)
            ).scalar()
            if previous is None:
                raise _nothing_to_go_back_to()
            self._exchange(connection, previous, former=GenerationState.READY)
            row = connection.execute(select(s.generations).where(_ACTIVE)).mappings().one()
        return generation_of(row)

    def _exchange(self, connection: Connection, generation_id: str, *, former: GenerationState) -> None:
        answered = connection.execute(select(s.generations.c.generation_id).where(_ACTIVE)).scalar()
        become_active = (
            update(s.generations)
            .where(s.generations.c.generation_id == generation_id, s.generations.c.state.in_(_BESIDE))
            .values(state=GenerationState.ACTIVE.value)
        )
        if not connection.execute(become_active).rowcount:
            raise _no_such_generation(generation_id)
        if answered is not None:
            give_way = update(s.generations).where(s.generations.c.generation_id == answered)
            connection.execute(give_way.values(state=former.value))
            _exchange_versions(connection)

    def drop_generation(self, generation_id: str) -> None:
        """Gives up the generation beside the active one with the versions that only it has. Its indexes are to be
        dropped by whoever reads `retired_indexes`."""
        with self._writing() as connection:
            renew_reach(connection)
            dropped = connection.execute(
                update(s.generations)
                .where(s.generations.c.generation_id == generation_id, s.generations.c.state.in_(_BESIDE))
                .values(state=GenerationState.RETIRED.value)
            ).rowcount
            if not dropped:
                raise _no_such_generation(generation_id)
            connection.execute(update(s.versions).where(s.versions.c.state == "standby").values(state="retired"))
            connection.execute(update(s.documents).where(_HAS_OTHER).values(other_version_id=None))

    def retired_indexes(self) -> dict[str, str]:
        """Names of indexes that nobody will use again, by generation id."""
        with self._reading() as connection:
            rows = connection.execute(
                select(s.generations.c.generation_id, s.generations.c.index_name).where(
                    s.generations.c.state == GenerationState.RETIRED.value
                )
            ).all()
        return {row.generation_id: row.index_name for row in rows}

    def forget_generations(self, generation_ids: Sequence[str]) -> None:
        """Their indexes are gone; the rows stay as history."""
        with self._writing() as connection:
            for some in slices(generation_ids):
                connection.execute(
                    update(s.generations)
                    .where(s.generations.c.generation_id.in_(some))
                    .values(state=GenerationState.GONE.value)
                )

    def outdated(self, folder: str) -> list[Outdated]:
        """Searchable documents of the folder with the pipelines of their versions, ordered by path."""
        other = s.versions.alias()
        statement = (
            select(
                s.documents.c.document_id,
                s.documents.c.path,
                s.versions.c.sha256,
                s.versions.c.pipeline_id,
                other.c.pipeline_id,
            )
            .join(s.versions, s.versions.c.version_id == s.documents.c.version_id)
            .outerjoin(other, other.c.version_id == s.documents.c.other_version_id)
            .where(
                s.documents.c.folder == folder,
                s.documents.c.deleted_at == "",
                s.documents.c.status.in_(_SEARCHABLE),
            )
            .order_by(s.documents.c.path)
        )
        with self._reading() as connection:
            return [Outdated(*row) for row in connection.execute(statement)]

    def stand_by(self, versions: Sequence[tuple[str, str]]) -> None:
        """(document_id, staged version_id) each: the generation beside the active one has this version from now on.

        A document that was deleted or changed since the version was made keeps what it has.
        """
        with self._writing() as connection:
            renew_reach(connection)
            for document_id, version_id in versions:
                content = select(s.versions.c.sha256).where(s.versions.c.version_id == version_id).scalar_subquery()
                connection.execute(
                    update(s.versions)
                    .where(s.versions.c.document_id == document_id, s.versions.c.state == "standby")
                    .values(state="retired")
                )
                is_taken = connection.execute(
                    update(s.documents)
                    .where(
                        s.documents.c.document_id == document_id,
                        s.documents.c.deleted_at == "",
                        s.documents.c.version_id.is_not(None),
                        s.documents.c.status.in_(_SEARCHABLE),
                        s.documents.c.sha256 == content,
                    )
                    .values(other_version_id=version_id)
                ).rowcount
                if not is_taken:
                    connection.execute(
                        update(s.documents)
                        .where(s.documents.c.document_id == document_id)
                        .values(other_version_id=None)
                    )
                connection.execute(
                    update(s.versions)
                    .where(s.versions.c.version_id == version_id)
                    .values(state="standby" if is_taken else "retired")
                )

    def stand_down(self, document_ids: Sequence[str]) -> None:
        """The generation beside the active one has the live version of these documents."""
        with self._writing() as connection:
            renew_reach(connection)
            for some in slices(document_ids):
                connection.execute(
                    update(s.versions)
                    .where(s.versions.c.document_id.in_(some), s.versions.c.state == "standby")
                    .values(state="retired")
                )
                connection.execute(
                    update(s.documents).where(s.documents.c.document_id.in_(some)).values(other_version_id=None)
                )

    def beside(self) -> AskingBeside:
        """Reads for questions to the generation beside the active one, for comparing both."""
        return AskingBeside(self._engine)


class AskingBeside(Asking, Reaching, Remembering, Generations):
    """What asking needs, answered from the generation beside the active one."""

    is_beside = True

    def active_generation(self) -> Generation | None:
        """The generation beside the active one."""
        return self.generation_beside()


def _exchange_versions(connection: Connection) -> None:
    """Every document that has two versions answers from the other one; its title and status follow."""
    d = s.documents.c
    statement = (
        select(d.document_id, d.status, s.versions.c.version_id, s.versions.c.title)
        .add_columns(s.versions.c.proof, s.versions.c.receipt)
        .join(s.versions, s.versions.c.version_id == d.other_version_id)
        .where(_HAS_OTHER)
    )
    rows = connection.execute(statement).all()
    if not rows:
        return
    exchange = update(s.documents).where(_HAS_OTHER)
    connection.execute(exchange.values(version_id=d.other_version_id, other_version_id=d.version_id))
    for state, column in (("standby", d.other_version_id), ("live", d.version_id)):
        connection.execute(
            update(s.versions).where(s.versions.c.version_id.in_(select(column).where(_HAS_OTHER))).values(state=state)
        )
    at = now()
    follow = (
        update(s.documents)
        .where(d.document_id == bindparam("of"))
        .values(title=bindparam("new_title"), status=bindparam("new_status"), updated_at=at)
    )
    changes = [
        {"of": row.document_id, "new_title": row.title, "new_status": _status_of(row.status, row.proof, row.receipt)}
        for row in rows
    ]
    connection.execute(follow, changes)
    connection.execute(
        insert(s.document_events),
        [
            {"document_id": row.document_id, "at": at, "status": change["new_status"], "version_id": row.version_id}
            for row, change in zip(rows, changes, strict=True)
        ],
    )


def _status_of(status: str, proof: Mapping[str, Any] | None, receipt: Mapping[str, Any]) -> str:
    """`warn` until it was asked for and found again, as for every version that goes live."""
    if status not in _SEARCHABLE:
        return status
    is_fine = proof is not None and not proof["warnings"] and not receipt.get("warnings")
    return (DocumentStatus.INDEXED if is_fine else DocumentStatus.WARN).value


def _no_such_generation(generation_id: str) -> GenerationError:
    return GenerationError(
        Text(
            ja=f"切り替えられる世代 {generation_id} はありません。",
            en=f"There is no generation {generation_id} beside the active one.",
        ),
        Text(
            ja="`ingest generations` で確かめ、なければ `ingest rebuild` で作ってください。",
            en="Look with `ingest generations`; `ingest rebuild` builds one.",
        ),
    )


def _nothing_to_go_back_to() -> GenerationError:
    return GenerationError(
        Text(ja="戻れる前の世代がありません。", en="There is no previous generation to go back to."),
        Text(
            ja="`ingest generations` で確かめてください。前の世代は次の `ingest rebuild` まで残ります。",
            en="Look with `ingest generations`. The previous one is kept until the next `ingest rebuild`.",
        ),
    )
