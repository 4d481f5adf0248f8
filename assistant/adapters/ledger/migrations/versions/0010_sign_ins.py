"""Sign-ins by cookie, for OpenID Connect.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("sign_in_id", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("sign_in_id", name=op.f("uq_sign_ins_sign_in_id")),
    )
    op.create_index(op.f("ix_sign_ins_user_name"), "sign_ins", ["user_name"])
    op.create_index(op.f("ix_sign_ins_ends_at"), "sign_ins", ["ends_at"])


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("sign_ins")
