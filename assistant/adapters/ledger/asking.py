"""What asking needs: the active generation, passages re-read with the right to read them, and stored answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, exists, insert, or_, select, update

from assistant.adapters.ledger import schema as s
from assistant.adapters.ledger.engine import now
from assistant.adapters.ledger.jobs import reading_now
from assistant.adapters.ledger.transaction import Transactional
from assistant.domain import Answer, Filters, Passage, Principal
from assistant.generation import EmbedderSpec, Generation, GenerationState
from assistant.history import Unfinished

Narrowed = TypeVar("Narrowed", bound=Select[Any])

LEAST_PROBES = 20
"""Probe questions of a language below which its fitness counts as unknown: one of 20 is five points of a share."""

TITLE_CHARACTERS = 60
"""A conversation is titled by the beginning of its first question."""


class Asking(Transactional):
    """Reads for questions; writes answers."""

    is_beside = False
    """Whether it answers from the generation beside the active one; see generations.AskingBeside."""

    def active_generation(self) -> Generation | None:
        """The generation that answers come from; None before the first ingestion."""
        with self._reading() as connection:
            row = connection.execute(select(s.generations).where(s.generations.c.state == "active")).mappings().first()
        if row is None:
            return None
        return generation_of(row)

    def read_passages(
        self, chunk_scores: Sequence[tuple[str, float]], *, principal: Principal, filters: Filters, limit: int
    ) -> list[Passage]:
        """At most `limit` passages in the given order, ranked from 1.

        Ids that are unknown, of a version no longer live, of a deleted document, outside the filters, or of a document
        that no group of the principal may read, are left out: index lag can never leak or resurrect a text.
        """
        if not chunk_scores or not principal.groups:
            return []
        score_of = dict(chunk_scores)
        query = _readable_chunks(principal, filters, is_beside=self.is_beside).where(
            s.chunks.c.chunk_id.in_(list(score_of))
        )
        with self._reading() as connection:
            rows = {row["chunk_id"]: row for row in connection.execute(query).mappings()}
        found = [rows[chunk_id] for chunk_id in score_of if chunk_id in rows][:limit]
        return [
            Passage(
                chunk_id=row["chunk_id"],
                document_id=row["document_id"],
                version_id=row["version_id"],
                ordinal=row["ordinal"],
                title=row["title"],
                folder=row["folder"],
                path=row["path"],
                page=row["page"],
                heading_path=tuple(row["heading_path"]),
                text=row["text"],
                start=row["start"],
                end=row["end"],
                rank=rank,
                score=score_of[row["chunk_id"]],
                modified_ns=row["modified_ns"],
            )
            for rank, row in enumerate(found, start=1)
        ]

    def save_answer(self, answer: Answer, *, question: str, principal: Principal) -> None:
        """Stores the answer with its citations; a new conversation id makes a new conversation."""
        at = now()
        with self._writing() as connection:
            keep_conversation(connection, answer.conversation_id, title=question, by=principal, at=at)
            forget_unfinished(connection, answer.conversation_id, question=question)
            connection.execute(
                insert(s.answers).values(
                    answer_id=answer.answer_id,
                    conversation_id=answer.conversation_id,
                    principal=principal.name,
                    question=question,
                    rewritten=answer.rewritten,
                    text=answer.text,
                    language=answer.language,
                    mode=answer.mode.value,
                    refused=answer.refused,
                    reason=answer.reason,
                    release_id=answer.release_id,
                    model=answer.model,
                    notices=[notice.code for notice in answer.notices],
                    offered=list(answer.offered),
                    prompt_tokens=answer.context.prompt_tokens,
                    total_seconds=answer.timings.total_seconds,
                    **_measured(answer),
                    created_at=at,
                )
            )
            if answer.citations:
                hashes = _file_hashes(connection, {citation.version_id for citation in answer.citations})
                connection.execute(
                    insert(s.answer_citations),
                    [
                        {
                            "answer_id": answer.answer_id,
                            "number": citation.number,
                            "document_id": citation.document_id,
                            "version_id": citation.version_id,
                            "sha256": hashes.get(citation.version_id),
                            "chunk_id": citation.chunk_id,
                            "start": citation.start,
                            "end": citation.end,
                            "quote": citation.quote,
                        }
                        for citation in answer.citations
                    ],
                )

    def note_unfinished(self, unfinished: Unfinished, *, principal: Principal) -> None:
        """Notes it, in the place of an earlier note of the same id or question; a new conversation id makes a conversation."""
        at = now()
        with self._writing() as connection:
            keep_conversation(connection, unfinished.conversation_id, title=unfinished.question, by=principal, at=at)
            forget_unfinished(connection, unfinished.conversation_id, question=unfinished.question)
            connection.execute(
                insert(s.unfinished_answers).values(
                    unfinished_id=unfinished.unfinished_id,
                    conversation_id=unfinished.conversation_id,
                    principal=principal.name,
                    question=unfinished.question,
                    language=unfinished.language,
                    text=unfinished.text or "",
                    offered=list(unfinished.offered),
                    created_at=at,
                )
            )

    def is_reading_files(self) -> bool:
        """Whether an ingestion is at work just now."""
        with self._reading() as connection:
            return bool(connection.execute(select(exists().where(reading_now()))).scalar())

    def owns_conversation(self, conversation_id: str, *, principal: Principal) -> bool:
        """Whether the conversation is new or the principal's own."""
        with self._reading() as connection:
            owner = connection.execute(
                select(s.conversations.c.principal).where(s.conversations.c.conversation_id == conversation_id)
            ).scalar()
        return owner is None or owner == principal.name


def keep_conversation(connection: Connection, conversation_id: str, *, title: str, by: Principal, at: str) -> None:
    """The conversation is there, and was used just now."""
    known = connection.execute(
        update(s.conversations).where(s.conversations.c.conversation_id == conversation_id).values(updated_at=at)
    ).rowcount
    if not known:
        connection.execute(
            insert(s.conversations).values(
                conversation_id=conversation_id,
                principal=by.name,
                title=title[:TITLE_CHARACTERS],
                created_at=at,
                updated_at=at,
            )
        )


def forget_unfinished(connection: Connection, conversation_id: str, *, question: str) -> None:
    """The question has its answer, or is asked again."""
    u = s.unfinished_answers.c
    connection.execute(delete(s.unfinished_answers).where(u.conversation_id == conversation_id, u.question == question))


def _file_hashes(connection: Connection, version_ids: set[str]) -> dict[str, str]:
    """The hash of each version's source file."""
    query = select(s.versions.c.version_id, s.versions.c.sha256).where(s.versions.c.version_id.in_(version_ids))
    return {row["version_id"]: row["sha256"] for row in connection.execute(query).mappings()}


def readable(principal: Principal) -> Select[tuple[str]]:
    """Ids of the documents that a group of the principal may read; the one rule of access. Fails closed."""
    return select(s.document_groups.c.document_id).where(s.document_groups.c.group_name.in_(sorted(principal.groups)))


def is_readable(principal: Principal) -> ColumnElement[bool]:
    """The same rule as a condition on one document, for queries that know which documents they want."""
    groups = s.document_groups.c
    named = groups.group_name.in_(sorted(principal.groups))
    return exists().where(groups.document_id == s.documents.c.document_id, named)


def _measured(answer: Answer) -> dict[str, Any]:
    times = answer.timings
    return {
        "answer_tokens": answer.context.answer_tokens,
        "queue_seconds": times.queue_seconds,
        "first_token_seconds": times.first_token_seconds,
    }


def starts_with_any(prefixes: Sequence[str]) -> ColumnElement[bool]:
    """Condition: the document's path starts with one of the folder prefixes."""
    return or_(*(s.documents.c.path.startswith(prefix.strip("/") + "/", autoescape=True) for prefix in prefixes))


def generation_of(row: RowMapping) -> Generation:
    """A row of the generations."""
    return Generation(
        generation_id=row["generation_id"],
        embedder_id=row["embedder_id"],
        dimension=row["dimension"],
        index_name=row["index_name"],
        is_active=row["state"] == GenerationState.ACTIVE.value,
        fitness=_shares(row["fitness"] or {}),
        means=(row["fitness"] or {}).get("means", {}),
        embedder=EmbedderSpec(**row["embedder"]) if row["embedder"] else None,
        state=GenerationState(row["state"]),
        created_at=row["created_at"],
    )


def _shares(fitness: Mapping[str, Any]) -> dict[str, float]:
    """Share found by language, where enough probe questions were asked."""
    return {
        language: fitness[language]["found"] / fitness[language]["probes"]
        for language in ("ja", "en")
        if fitness.get(language, {}).get("probes", 0) >= LEAST_PROBES
    }


def _readable_chunks(principal: Principal, filters: Filters, *, is_beside: bool) -> Select[tuple[object, ...]]:
    query = (
        select(
            *(column for column in s.chunks.c if column.name not in {"embedding_text", "text_hash"}),
            s.documents.c.document_id,
            s.documents.c.folder,
            s.documents.c.path,
            s.documents.c.modified_ns,
            s.versions.c.title,
        )
        .join(s.versions, s.versions.c.version_id == s.chunks.c.version_id)
        .join(s.documents, s.answers_with(is_beside=is_beside))
        .where(s.documents.c.deleted_at == "", is_readable(principal))
    )
    return narrowed(query, filters)


def narrowed(query: Narrowed, filters: Filters) -> Narrowed:
    """The query over documents, within the filters."""
    if filters.folders:
        query = query.where(starts_with_any(filters.folders))
    if filters.document_ids:
        query = query.where(s.documents.c.document_id.in_(filters.document_ids))
    return query
