"""What a plan found, in the row of its job.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column."""
    op.add_column("jobs", sa.Column("result", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Takes it back."""
    op.drop_column("jobs", "result")
