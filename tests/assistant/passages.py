"""Passages for tests of the steps."""

from __future__ import annotations

from assistant.domain import Passage


def passage(
    text: str, *, number: int = 1, title: str = "休暇規程", start: int = 100, page: int | None = None
) -> Passage:
    """A passage whose text begins at `start` of its version."""
    return Passage(
        chunk_id=f"v:{number:05d}",
        document_id=f"d{number}",
        version_id="v",
        ordinal=number,
        title=title,
        folder="handbook",
        path=f"人事/{title}{number}.md",
        page=page,
        heading_path=("第2章",),
        text=text,
        start=start,
        end=start + len(text),
        rank=number,
        score=1 / number,
    )
