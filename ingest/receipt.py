"""What ingestion did with one source file, as a plain record that the ledger keeps with the version, and as a table.

What its probe questions found is not known yet when this is written: prove.py adds it once the version is live.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assistant.domain import Chunk, ParsedDocument
from assistant.text import is_readable, japanese_share
from ingest.ocr import BY_PAGE

_LISTED = 20
"""Rejected pieces that are listed one by one; all are counted."""
_MARKUP_CHARACTERS = 8
"""Signs without a letter below this number are marks of a format (##, ---, |), not something that was left out."""
_DECIDED_BY = (
    ("utf8", "valid_utf_8"),
    ("utf16", "byte_order_mark"),
    ("utf32", "byte_order_mark"),
    ("iso2022", "escape_sequences"),
)

_HIDDEN = re.compile("hidden|comments|deletions")

CSV_COLUMNS = (
    "folder", "path", "status", "reason", "warnings", "owner", "parser", "media_type", "pages", "characters", "chunks",
    "language", "encoding", "encoding_decided_by", "ocr_pages", "ocr_confidence", "unread_pages", "hidden_parts",
    "rejected", "parse_seconds", "embedder", "probe_1", "rank_1", "probe_2", "rank_2", "found_instead", "attempts",
    "sha256", "document_id", "version_id", "notes", "detail", BY_PAGE, "hidden_parts_read",
)  # fmt: skip
"""Header of the exported table; new columns come at its end."""


def language_of_document(text: str) -> str:
    """ja or en, by the share of Japanese letters; titles and tables in ASCII do not make a Japanese text English."""
    return "ja" if japanese_share(text) >= 0.1 else "en"


def make_receipt(
    parsed: ParsedDocument, chunks: Sequence[Chunk], *, embedder_id: str, seconds: float, owner: str | None = None
) -> dict[str, Any]:
    """Parser, pages, characters, chunks, language, encoding, confidence of each recognised page, hidden parts and
    whether they were read, embedder, seconds of parsing, what is in no chunk and why, the parser's notes, warnings."""
    rejected = list(_rejected(parsed.text, chunks))
    notes = dict(parsed.notes)
    were_read = bool(notes.pop("hidden_parts_read", 0))
    return {
        "parser": parsed.parser,
        "media_type": parsed.media_type,
        "pages": parsed.pages,
        "characters": len(parsed.text),
        "elements": len(parsed.elements),
        "chunks": len(chunks),
        "language": language_of_document(parsed.text),
        "encoding": parsed.encoding,
        "encoding_decided_by": _decided_by(parsed),
        "ocr_confidence": notes.get("ocr_confidence"),
        BY_PAGE: _confidence_by_page(str(notes.pop(BY_PAGE, ""))),
        "hidden_parts": sum(int(n) for name, n in notes.items() if _HIDDEN.search(name) and not isinstance(n, str)),
        "hidden_parts_read": were_read,
        "rejected": {"pieces": len(rejected), "listed": rejected[:_LISTED]},
        "embedder": embedder_id,
        "owner": owner,
        "parse_seconds": round(seconds, 3),
        "notes": notes,
        "warnings": ["unread_pages"] if notes.get("unread_pages") else [],
    }


def _confidence_by_page(note: str) -> list[dict[str, int | float]]:
    pairs = (entry.split(":") for entry in note.split())
    return [{"page": int(page), "confidence": float(confidence)} for page, confidence in pairs]


def _decided_by(parsed: ParsedDocument) -> str | None:
    """How the encoding became known: the parser's own word, or what the encoding itself says."""
    if parsed.encoding is None:
        return None
    noted = parsed.notes.get("encoding_decided_by")
    if noted is not None:
        return str(noted)
    name = parsed.encoding.lower().replace("-", "").replace("_", "")
    return next((how for start, how in _DECIDED_BY if name.startswith(start)), "declared_or_detected")


def _rejected(text: str, chunks: Sequence[Chunk]) -> Iterable[dict[str, Any]]:
    """Pieces of the text that are in no chunk, with the reason; chunks are in reading order and may share a sentence."""
    ends = itertools.accumulate((chunk.end for chunk in chunks), max, initial=0)
    starts = [*(chunk.start for chunk in chunks), len(text)]
    for start, end in zip(ends, starts, strict=True):
        piece = text[start:end].strip()
        is_said = is_readable(piece)
        if is_said or len(piece) >= _MARKUP_CHARACTERS:
            reason = "outside_every_element" if is_said else "no_letter_or_digit"
            yield {"start": start, "end": end, "characters": len(piece), "reason": reason}


def as_csv(receipts: Iterable[Mapping[str, Any]]) -> str:
    """A table with `CSV_COLUMNS` as its header, lines ending as spreadsheets expect."""
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, CSV_COLUMNS, restval="", extrasaction="ignore")
    writer.writeheader()
    for receipt in receipts:
        writer.writerow({name: _cell(value) for name, value in _flat(receipt).items()})
    return table.getvalue()


def _flat(receipt: Mapping[str, Any]) -> dict[str, Any]:
    notes = receipt.get("notes") or {}
    flat = {**receipt, "notes": json.dumps(notes, ensure_ascii=False) if notes else ""}
    flat |= {name: notes.get(name) for name in ("ocr_pages", "unread_pages")}
    flat[BY_PAGE] = " ".join(f"{one['page']}:{one['confidence']}" for one in receipt.get(BY_PAGE) or ())
    flat["rejected"] = (receipt.get("rejected") or {}).get("pieces")
    flat["warnings"] = " ".join(receipt["warnings"])
    for number, probe in enumerate(receipt["probes"], start=1):
        flat |= {f"probe_{number}": probe["question"], f"rank_{number}": probe["rank"] or "-"}
    flat["found_instead"] = "\n".join(
        dict.fromkeys(path for probe in receipt["probes"] for path in probe.get("instead", ()))
    )
    return flat


def _cell(value: Any) -> Any:
    """The value as a cell; a text that a spreadsheet would take for a formula is led by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) and len(value) > 1:
        return "'" + value
    return value
