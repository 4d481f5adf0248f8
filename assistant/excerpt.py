"""A part of a document's text, for callers that read it themselves. A frozen value, as in domain.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Excerpt:
    """`text` is `version_text[start:start + len(text)]`; `characters` is the length of the whole."""

    document_id: str
    version_id: str
    title: str
    path: str
    text: str
    start: int
    characters: int
