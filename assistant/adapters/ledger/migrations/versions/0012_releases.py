"""Releases, which of them answers, and what was done with them.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the tables."""
    op.create_table(
        "releases",
        sa.Column("release_id", sa.String(40), nullable=False),
        sa.Column("modelfile", sa.Text(), nullable=False),
        sa.Column("tuning", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("based_on", sa.String(40)),
        sa.Column("model", sa.String(200)),
        sa.Column("digest", sa.String(80)),
        sa.Column("evaluation", sa.JSON()),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_releases")),
    )
    op.create_table(
        "release_standing",
        sa.Column("place", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.String(40), nullable=False),
        sa.Column("former_id", sa.String(40)),
        sa.Column("canary_id", sa.String(40)),
        sa.Column("canary_percent", sa.Integer(), nullable=False),
        sa.Column("canary_since", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_release_standing")),
        *(
            sa.ForeignKeyConstraint([name], ["releases.release_id"], name=op.f(f"fk_release_standing_{name}"))
            for name in ("release_id", "former_id", "canary_id")
        ),
    )
    op.create_table(
        "release_events",
        sa.Column("event_id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("release_id", sa.String(40), nullable=False),
        sa.Column("former_id", sa.String(40)),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_release_events")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.release_id"], name=op.f("fk_release_events_release_id")),
    )
    op.create_index(op.f("ix_release_events_release_id"), "release_events", ["release_id"])


def downgrade() -> None:
    """Takes them back."""
    for table in ("release_events", "release_standing", "releases"):
        op.drop_table(table)
