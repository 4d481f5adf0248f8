"""What answers were made of: the question as understood, the passages offered, the hash of each cited file.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds three columns, empty for the answers that are there: their citations are compared by version alone."""
    op.add_column("answers", sa.Column("rewritten", sa.Text(), nullable=True))
    op.add_column("answers", sa.Column("offered", sa.JSON(), nullable=True))
    op.add_column("answer_citations", sa.Column("sha256", sa.String(64), nullable=True))


def downgrade() -> None:
    """Takes the columns back."""
    op.drop_column("answer_citations", "sha256")
    op.drop_column("answers", "offered")
    op.drop_column("answers", "rewritten")
