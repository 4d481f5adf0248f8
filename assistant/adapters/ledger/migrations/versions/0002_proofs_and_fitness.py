"""What probe questions found: the proof of a version, the fitness of a generation.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds both columns, empty: versions without a proof are asked for at the next run."""
    op.add_column("versions", sa.Column("proof", sa.JSON(), nullable=True))
    op.add_column("generations", sa.Column("fitness", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Takes both columns back."""
    op.drop_column("generations", "fitness")
    op.drop_column("versions", "proof")
