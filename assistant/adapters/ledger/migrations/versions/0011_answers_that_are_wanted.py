"""Questions that somebody wants to be told of when they can be answered.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "wanted_answers",
        sa.Column("wanted_id", sa.String(40), nullable=False),
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("answer_id", sa.String(40), nullable=False),
        sa.Column("closed_at", sa.String(32)),
        sa.Column("closed_answer_id", sa.String(40)),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.answer_id"], name=op.f("fk_wanted_answers_answer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("wanted_id", name=op.f("pk_wanted_answers")),
        sa.UniqueConstraint("answer_id", name=op.f("uq_wanted_answers_answer_id")),
    )
    op.create_index(op.f("ix_wanted_answers_principal"), "wanted_answers", ["principal"])
    op.create_index(op.f("ix_wanted_answers_closed_at"), "wanted_answers", ["closed_at"])


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("wanted_answers")
