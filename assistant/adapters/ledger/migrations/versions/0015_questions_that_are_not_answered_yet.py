"""Questions that are being answered, or whose answer was broken off.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "unfinished_answers",
        sa.Column("unfinished_id", sa.String(40), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.conversation_id"],
            name=op.f("fk_unfinished_answers_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unfinished_id", name=op.f("pk_unfinished_answers")),
    )
    op.create_index(op.f("ix_unfinished_answers_conversation_id"), "unfinished_answers", ["conversation_id"])


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("unfinished_answers")
