"""A token that is renewed whenever it changes what somebody may read.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table with a first token."""
    changes = op.create_table(
        "changes",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("token", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_changes")),
    )
    op.bulk_insert(changes, [{"name": "reach", "token": "0006"}])


def downgrade() -> None:
    """Takes the table back."""
    op.drop_table("changes")
