"""Pydantic shape of a part of a document's text."""

from __future__ import annotations

from assistant.excerpt import Excerpt
from assistant.wire import Wire


class ExcerptOut(Wire):
    """A part of a document's text: `start:end` of its `characters`. `start = end` reads on, until `end = characters`."""

    document_id: str
    version_id: str
    title: str
    path: str
    text: str
    start: int
    end: int
    characters: int

    @classmethod
    def from_domain(cls, excerpt: Excerpt) -> ExcerptOut:
        """The part as sent to clients."""
        return cls(**vars(excerpt), end=excerpt.start + len(excerpt.text))
