"""Tables of the ledger, the database of record. Portable SQL only: SQLite now, PostgreSQL one URL away.

folders 1-n documents 1-n versions 1-n chunks; vectors by embedder and text; generations of the derived indexes;
jobs; answers with their citations; who may read what. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

folders = Table(
    "folders",
    metadata,
    Column("folder", String(200), primary_key=True),
    Column("root", Text, nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", String(40), primary_key=True),
    Column("folder", ForeignKey("folders.folder"), nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(40)),
    Column("reason_detail", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("sha256", String(64)),
    Column("version_id", String(40), index=True),
    # The version that the generation beside the active one has of it; NULL: the same one.
    Column("other_version_id", String(40)),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    # '' while the document lives, so that one living document per path is a plain unique constraint.
    Column("deleted_at", String(32), nullable=False, default=""),
    UniqueConstraint("folder", "path", "deleted_at"),
)

versions = Table(
    "versions",
    metadata,
    Column("version_id", String(40), primary_key=True),
    Column("document_id", ForeignKey("documents.document_id"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False),
    Column("pipeline_id", String(200), nullable=False),
    # staged -> live | standby -> retired -> purged; a switch or rollback exchanges live and standby.
    # Only `documents.version_id` says which one answers come from.
    Column("state", String(16), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("parser", String(80), nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("pages", Integer),
    Column("language", String(8), nullable=False),
    Column("chunk_count", Integer, nullable=False),
    Column("receipt", JSON, nullable=False),
    # What the probe questions found once the version was live; NULL until they were asked.
    Column("proof", JSON(none_as_null=True)),
    Column("text", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
)

chunks = Table(
    "chunks",
    metadata,
    Column("chunk_id", String(60), primary_key=True),
    Column("version_id", ForeignKey("versions.version_id"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    Column("heading_path", JSON, nullable=False),
    Column("embedding_text", Text, nullable=False),
    Column("text_hash", String(64), nullable=False),
)

vectors = Table(
    "vectors",
    metadata,
    Column("embedder_id", String(200), primary_key=True),
    Column("text_hash", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

# Texts that an embedder refuses: no index of it holds them, and no run asks for them again.
refusals = Table(
    "refusals",
    metadata,
    Column("embedder_id", String(200), primary_key=True),
    Column("text_hash", String(64), primary_key=True),
)

generations = Table(
    "generations",
    metadata,
    Column("generation_id", String(40), primary_key=True),
    Column("embedder_id", String(200), nullable=False),
    # {"kind", "model"}: how the embedder is opened again; NULL in ledgers from before this was recorded.
    Column("embedder", JSON(none_as_null=True)),
    Column("dimension", Integer, nullable=False),
    Column("index_name", String(120), nullable=False),
    # building -> ready <-> active <-> previous; dropped: retired, then gone with its indexes.
    Column("state", String(16), nullable=False),
    # Probe questions found by the vectors alone, by language; NULL until measured.
    Column("fitness", JSON(none_as_null=True)),
    # What the same questions found in the former generation and in this one; NULL until compared.
    Column("quality", JSON(none_as_null=True)),
    Column("created_at", String(32), nullable=False),
)

document_groups = Table(
    "document_groups",
    metadata,
    Column("document_id", ForeignKey("documents.document_id"), primary_key=True),
    Column("group_name", String(200), primary_key=True),
)

changes = Table(
    "changes",
    metadata,
    # What has changed ('reach'), and a token that is another one after each change.
    Column("name", String(20), primary_key=True),
    Column("token", String(40), nullable=False),
)

document_events = Table(
    "document_events",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=True),
    Column("document_id", ForeignKey("documents.document_id"), nullable=False, index=True),
    Column("at", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(40)),
    Column("version_id", String(40)),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("folder", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    # Not NULL while the job runs, and then always the same: the database lets only one job run.
    Column("place", String(16)),
    Column("requested_by", String(200), nullable=False),
    Column("claimed_by", String(200)),
    Column("heartbeat_at", String(32)),
    Column("created_at", String(32), nullable=False),
    Column("started_at", String(32)),
    Column("finished_at", String(32)),
    Column("counts", JSON, nullable=False),
    Column("error", Text),
    # What a plan found; NULL for every other kind.
    Column("result", JSON(none_as_null=True)),
)

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("principal", String(200), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("answer_id", String(40), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.conversation_id"), nullable=False, index=True),
    Column("principal", String(200), nullable=False),
    Column("question", Text, nullable=False),
    # The question made to stand alone; NULL where it stood alone.
    Column("rewritten", Text),
    Column("text", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("reason", String(40)),
    Column("release_id", String(80), nullable=False),
    Column("model", String(200), nullable=False),
    Column("notices", JSON, nullable=False),
    # Chunk ids of the prompt in their order: the next question of the conversation begins with the same passages.
    Column("offered", JSON(none_as_null=True)),
    Column("prompt_tokens", Integer, nullable=False),
    Column("total_seconds", Float, nullable=False),
    # NULL for answers from before these were kept, and where there was none.
    Column("answer_tokens", Integer),
    Column("queue_seconds", Float),
    Column("first_token_seconds", Float),
    Column("created_at", String(32), nullable=False),
)

answer_citations = Table(
    "answer_citations",
    metadata,
    Column("answer_id", ForeignKey("answers.answer_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document_id", String(40), nullable=False),
    Column("version_id", String(40), nullable=False),
    # Hash of the source file as it was cited; NULL for answers from before it was kept.
    Column("sha256", String(64)),
    Column("chunk_id", String(60), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("quote", Text, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    # What one answer's own asker thought of it; goes with the answer.
    Column("answer_id", ForeignKey("answers.answer_id", ondelete="CASCADE"), primary_key=True),
    Column("rating", String(8), nullable=False),
    Column("reason", String(40)),
    Column("text", Text),
    Column("created_at", String(32), nullable=False, index=True),
)

wanted_answers = Table(
    "wanted_answers",
    metadata,
    # Who wants to be told when a question can be answered; goes with the answer that was none.
    Column("wanted_id", String(40), primary_key=True),
    Column("principal", String(200), nullable=False, index=True),
    # As it stands alone.
    Column("question", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("asked_at", String(32), nullable=False),
    Column("answer_id", ForeignKey("answers.answer_id", ondelete="CASCADE"), nullable=False, unique=True),
    # When, and by which answer, it was found that the documents answer it now.
    Column("closed_at", String(32), index=True),
    Column("closed_answer_id", String(40)),
)

unfinished_answers = Table(
    "unfinished_answers",
    metadata,
    Column("unfinished_id", String(40), primary_key=True),
    Column(
        "conversation_id", ForeignKey("conversations.conversation_id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("principal", String(200), nullable=False),
    Column("question", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("offered", JSON, nullable=False),
    Column("created_at", String(32), nullable=False),
)

question_states = Table(
    "question_states",
    metadata,
    # What became of a question without an answer, by the hash of its text; the text stays with who asked it.
    Column("question_key", String(64), primary_key=True),
    Column("owner", String(200)),
    Column("closed_at", String(32)),
    Column("checked_at", String(32)),
)

kept_values = Table(
    "kept_values",
    metadata,
    # What administrators enter on the screen, such as prices.
    Column("name", String(80), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", String(32), nullable=False),
)

job_requests = Table(
    "job_requests",
    metadata,
    # An app's Idempotency-Key and the job that it made; goes with the job, and after a day.
    Column("principal", String(200), primary_key=True),
    Column("request_key", String(255), primary_key=True),
    Column("job_id", ForeignKey("jobs.job_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", String(32), nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("prefix", String(16), nullable=False),
    Column("name", String(200), nullable=False, unique=True),
    Column("groups", JSON, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    # The user whose key it is: it ends with them and reads no more than they do. NULL: an app of its own.
    Column("owner", String(200)),
    # NULL: the door's own limit.
    Column("questions_per_minute", Integer),
    Column("expires_at", String(32)),
    # Written at most once a minute.
    Column("last_used_at", String(32)),
)

users = Table(
    "users",
    metadata,
    Column("user_name", String(200), primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("updated_at", String(32), nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    # SHA-256 of the cookie; what screen and API are told is the hash of that.
    Column("token_hash", String(64), primary_key=True),
    Column("sign_in_id", String(64), nullable=False, unique=True),
    Column("user_name", String(200), nullable=False, index=True),
    Column("started_at", String(32), nullable=False),
    Column("ends_at", String(32), nullable=False, index=True),
)

user_groups = Table(
    "user_groups",
    metadata,
    Column("user_name", String(200), primary_key=True),
    Column("group_name", String(200), primary_key=True),
)

# Triggers refuse every update and delete in a transaction that holds no row in `audit_permits`; see auditing.py.
audit_entries = Table(
    "audit_entries",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False, index=True),
    Column("act", String(40), nullable=False, index=True),
    Column("actor", String(200), nullable=False, index=True),
    Column("via", String(16), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("question", Text),
    Column("question_hash", String(64)),
    Column("documents", JSON, nullable=False),
    Column("details", JSON, nullable=False),
)

audit_permits = Table("audit_permits", metadata, Column("permit", String(40), primary_key=True))


def answers_with(*, is_beside: bool) -> ColumnElement[bool]:
    """Condition of a join: the version is the one that its document has in the active generation, or in the one beside
    it. The document's id is named, too: a coalesced column has no index (10,000 documents: 0.2 s for every 256 chunks)."""
    return and_(
        documents.c.document_id == versions.c.document_id, version_in(is_beside=is_beside) == versions.c.version_id
    )


def version_in(*, is_beside: bool) -> ColumnElement[str | None]:
    """A document's version in the active generation, or in the one beside it."""
    if is_beside:
        return func.coalesce(documents.c.other_version_id, documents.c.version_id)
    return documents.c.version_id


Index(None, documents.c.folder, documents.c.deleted_at)
Index(None, conversations.c.principal, conversations.c.updated_at)
Index(None, answers.c.created_at)
Index(None, document_groups.c.group_name)
Index(None, jobs.c.place, unique=True)
Index(None, chunks.c.text_hash, chunks.c.chunk_id)  # the index of vectors names texts
Index(None, versions.c.state, versions.c.pipeline_id, versions.c.version_id)
