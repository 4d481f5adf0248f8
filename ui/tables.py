"""Tables for downloading: CSV that a spreadsheet opens as it is, and in which nothing becomes a formula. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

# What spreadsheets take for a formula at the beginning of a cell (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_bytes(rows: Sequence[Mapping[str, object]]) -> bytes:
    """The rows under the names of the first one, as UTF-8 with the mark that Excel looks for, lines ending as it does."""
    text = io.StringIO(newline="")
    columns = list(rows[0]) if rows else []
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """The value as a cell; a text that would be a formula is led by an apostrophe. Numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return "'" + text if text.startswith(_FORMULA) else text
