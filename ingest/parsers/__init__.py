"""One source file -> one parsed document: the kind is told by content, then the family's parser reads it.

The families are imported when the first file of their kind comes: this room runs in the parser process, and its heavy
parts must not slow down a folder of notes. Nothing here writes, and nothing here knows chunks, settings or the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assistant.domain import ParsedDocument
from ingest.parsers import refusals
from ingest.parsers.limits import ParseLimits

__all__ = ["PARSER_ID", "ParseLimits", "parse_file"]

PARSER_ID = "parsers/7"
"""Changes when the same file would give other elements, so that versions are made anew."""


def parse_file(
    path: Path,
    *,
    relative_path: str,
    limits: ParseLimits,
    on_page: Callable[[int, int], None] | None = None,
) -> ParsedDocument:
    """The parsed document of a file; `on_page(done, of)` is told after each page that takes long (a scan).

    Raises UnsupportedDocument or UnreadableDocument with its FailureReason; a file without text is never a success.
    """
    from ingest.parsers.families import parse_bytes

    data = _content(path, limits)
    parsed = parse_bytes(data, relative_path=relative_path, limits=limits, on_page=on_page)
    if len(parsed.text) > limits.character_limit:
        raise refusals.too_large(f"{limits.character_limit:,} 文字", f"{limits.character_limit:,} characters")
    return parsed


def _content(path: Path, limits: ParseLimits) -> bytes:
    """The whole file, read once: what is recognised is what is parsed, even if the file changes meanwhile."""
    try:
        with path.open("rb") as content:
            data = content.read(limits.file_limit_bytes + 1)
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise refusals.vanished() from problem
    except PermissionError as problem:
        raise refusals.no_permission() from problem
    except OSError as problem:
        raise refusals.unreadable() from problem
    if len(data) > limits.file_limit_bytes:
        megabytes = f"{limits.file_limit_bytes / (1024 * 1024):g} MB"
        raise refusals.too_large(megabytes, megabytes)
    if not data.strip():
        raise refusals.no_text()
    return data
