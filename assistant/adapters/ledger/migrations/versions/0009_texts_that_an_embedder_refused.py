"""Texts that an embedder made no vector of: they are found by their words alone.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "refusals",
        sa.Column("embedder_id", sa.String(200), nullable=False),
        sa.Column("text_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("embedder_id", "text_hash", name=op.f("pk_refusals")),
    )


def downgrade() -> None:
    """Takes the table back."""
    op.drop_table("refusals")
