"""What ingestion did with one source file, as a plain record that the ledger keeps with the version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.domain import Chunk, ParsedDocument
from assistant.text import japanese_share


def language_of_document(text: str) -> str:
    """ja or en, by the share of Japanese letters; titles and tables in ASCII do not make a Japanese text English."""
    return "ja" if japanese_share(text) >= 0.1 else "en"


def make_receipt(
    parsed: ParsedDocument, chunks: Sequence[Chunk], *, embedder_id: str, seconds: float
) -> dict[str, Any]:
    """Parser, pages, characters, chunks, language, encoding, embedder, seconds of parsing, and the parser's notes."""
    return {
        "parser": parsed.parser,
        "media_type": parsed.media_type,
        "pages": parsed.pages,
        "characters": len(parsed.text),
        "elements": len(parsed.elements),
        "chunks": len(chunks),
        "language": language_of_document(parsed.text),
        "encoding": parsed.encoding,
        "embedder": embedder_id,
        "parse_seconds": round(seconds, 3),
        "notes": dict(parsed.notes),
    }
