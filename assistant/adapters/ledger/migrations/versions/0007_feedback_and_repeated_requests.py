"""What people thought of answers, and requests for jobs that may come twice.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds both tables, and what lists of conversations and numbers of days are read by."""
    op.create_table(
        "feedback",
        sa.Column("answer_id", sa.String(40), nullable=False),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("text", sa.Text()),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.answer_id"], name=op.f("fk_feedback_answer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_created_at"), "feedback", ["created_at"])
    op.create_table(
        "job_requests",
        sa.Column("principal", sa.String(200), nullable=False),
        sa.Column("request_key", sa.String(255), nullable=False),
        sa.Column("job_id", sa.String(40), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_job_requests_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("principal", "request_key", name=op.f("pk_job_requests")),
    )
    op.create_index(op.f("ix_job_requests_job_id"), "job_requests", ["job_id"])
    op.create_index(op.f("ix_conversations_principal_updated_at"), "conversations", ["principal", "updated_at"])
    op.create_index(op.f("ix_answers_created_at"), "answers", ["created_at"])


def downgrade() -> None:
    """Takes both tables and the indexes back."""
    op.drop_index(op.f("ix_answers_created_at"), "answers")
    op.drop_index(op.f("ix_conversations_principal_updated_at"), "conversations")
    op.drop_table("job_requests")
    op.drop_table("feedback")
