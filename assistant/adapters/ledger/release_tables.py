"""Tables of releases; see releases.py."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from assistant.adapters.ledger.schema import metadata

releases = Table(
    "releases",
    metadata,
    # A hash of the content: the same content is one release.
    Column("release_id", String(40), primary_key=True),
    Column("modelfile", Text, nullable=False),
    Column("tuning", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("based_on", String(40)),
    # Its name on the model host and the digest that it had there, once it was made.
    Column("model", String(200)),
    Column("digest", String(80)),
    Column("evaluation", JSON(none_as_null=True)),
    Column("created_at", String(32), nullable=False),
    Column("created_by", String(200), nullable=False),
)

# One row, changed only where its revision is the one that was read: of two who change it at once, one is told.
release_standing = Table(
    "release_standing",
    metadata,
    Column("place", String(16), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("release_id", ForeignKey("releases.release_id"), nullable=False),
    Column("former_id", ForeignKey("releases.release_id")),
    Column("canary_id", ForeignKey("releases.release_id")),
    Column("canary_percent", Integer, nullable=False),
    Column("canary_since", String(32), nullable=False),
)

release_events = Table(
    "release_events",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("act", String(16), nullable=False),
    Column("release_id", ForeignKey("releases.release_id"), nullable=False, index=True),
    Column("former_id", String(40)),
    Column("why", Text, nullable=False),
    Column("details", JSON, nullable=False),
)
