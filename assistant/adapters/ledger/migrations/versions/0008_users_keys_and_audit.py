"""Users beside their groups, keys with owner, expiry, rate and last use, and an audit that only grows.

Entries of the audit may be changed or deleted only in a transaction that holds a row in `audit_permits`, which
retention and erasure put there and take away again. The database refuses everything else.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SQLITE = [
    """CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
    WHEN NOT EXISTS (SELECT 1 FROM audit_permits)
    BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END""",
    """CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
    WHEN NOT EXISTS (SELECT 1 FROM audit_permits)
    BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END""",
]
POSTGRESQL = [
    """CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM audit_permits) THEN
        RAISE EXCEPTION 'audit_entries is append-only';
      END IF;
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_append_only()""",
]


def upgrade() -> None:
    """Adds tables, columns and the triggers."""
    op.create_table(
        "users",
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("user_name", name=op.f("pk_users")),
    )
    op.execute("INSERT INTO users SELECT DISTINCT user_name, '', FALSE, '' FROM user_groups")
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("owner", sa.String(200)))
        keys.add_column(sa.Column("questions_per_minute", sa.Integer()))
        keys.add_column(sa.Column("expires_at", sa.String(32)))
        keys.add_column(sa.Column("last_used_at", sa.String(32)))
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("act", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("question", sa.Text()),
        sa.Column("question_hash", sa.String(64)),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_at"), "audit_entries", ["at"])
    op.create_index(op.f("ix_audit_entries_actor"), "audit_entries", ["actor"])
    op.create_index(op.f("ix_audit_entries_act"), "audit_entries", ["act"])
    op.create_table(
        "audit_permits",
        sa.Column("permit", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("permit", name=op.f("pk_audit_permits")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Takes them back."""
    op.drop_table("audit_entries")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_entries_append_only()")
    op.drop_table("audit_permits")
    with op.batch_alter_table("api_keys") as keys:
        for name in ("owner", "questions_per_minute", "expires_at", "last_used_at"):
            keys.drop_column(name)
    op.drop_table("users")
