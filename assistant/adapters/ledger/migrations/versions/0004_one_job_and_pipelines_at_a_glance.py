"""One running job at a time, and which live versions came through which pipeline.

The unique place lets the database itself refuse a second running job. A scan asks for the pipelines of all live versions;
from the index it does so without reading the table of texts.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PIPELINES = "ix_versions_state_pipeline_id_version_id"
PLACE = "ix_jobs_place"


def upgrade() -> None:
    """Adds the column, empty, and both indexes; a job that runs at this moment is of a worker that is being replaced."""
    op.add_column("jobs", sa.Column("place", sa.String(16), nullable=True))
    op.create_index(PLACE, "jobs", ["place"], unique=True)
    op.create_index(PIPELINES, "versions", ["state", "pipeline_id", "version_id"])


def downgrade() -> None:
    """Takes them away."""
    op.drop_index(PIPELINES, "versions")
    op.drop_index(PLACE, "jobs")
    op.drop_column("jobs", "place")
