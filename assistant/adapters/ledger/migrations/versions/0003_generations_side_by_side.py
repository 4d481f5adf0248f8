"""Generations side by side: how an embedder is opened again, and the version that the other generation has.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns, empty. What an interrupted rebuild had left is dropped: it had no lexical index of its own."""
    op.add_column("documents", sa.Column("other_version_id", sa.String(40), nullable=True))
    op.add_column("generations", sa.Column("embedder", sa.JSON(), nullable=True))
    op.add_column("generations", sa.Column("quality", sa.JSON(), nullable=True))
    op.execute("UPDATE generations SET state = 'retired' WHERE state = 'building'")


def downgrade() -> None:
    """Takes the columns back; versions of another generation are left for the next run to forget."""
    op.execute("UPDATE versions SET state = 'retired' WHERE state = 'standby'")
    op.execute("UPDATE generations SET state = 'retired' WHERE state <> 'active'")
    op.drop_column("generations", "quality")
    op.drop_column("generations", "embedder")
    op.drop_column("documents", "other_version_id")
