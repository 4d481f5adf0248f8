"""Times and tokens of answers, what became of questions without an answer, and values that administrators enter.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns and tables."""
    op.add_column("answers", sa.Column("answer_tokens", sa.Integer))
    op.add_column("answers", sa.Column("queue_seconds", sa.Float))
    op.add_column("answers", sa.Column("first_token_seconds", sa.Float))
    op.create_table(
        "question_states",
        sa.Column("question_key", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("closed_at", sa.String(32)),
        sa.Column("checked_at", sa.String(32)),
        sa.PrimaryKeyConstraint("question_key", name=op.f("pk_question_states")),
    )
    op.create_table(
        "kept_values",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_kept_values")),
    )


def downgrade() -> None:
    """Takes them back."""
    op.drop_table("kept_values")
    op.drop_table("question_states")
    for column in ("first_token_seconds", "queue_seconds", "answer_tokens"):
        op.drop_column("answers", column)
