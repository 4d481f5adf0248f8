"""What a parser may use up for one source file. Must not know where the numbers come from (settings do)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Notes = Mapping[str, str | int | float]
"""What a parser has to say besides the text, for the receipt."""


@dataclass(frozen=True)
class ParseLimits:
    """Bounds for one source file; a file beyond a bound is refused, never cut short in silence."""

    file_limit_bytes: int = 200 * 1024 * 1024
    unpacked_limit_bytes: int = 400 * 1024 * 1024  # sum of the sizes that an office file's zip directory declares
    page_limit: int = 3000
    character_limit: int = 5_000_000
    cell_limit: int = 1_000_000
    pixel_limit: int = 80_000_000  # one scanned A3 page at 600 dpi is 70 million
    reads_scans: bool = True  # False where a rule of the folder switches recognition off
    reads_hidden: bool = False  # True where a rule of the folder brings hidden parts back
    ocr_page_limit: int = 500
    ocr_seconds_per_page: float = 60.0  # measured: 1.8 s for a clean A4 page at 300 dpi on one core
    converter_seconds: float = 120.0  # measured: 1.5 s for a small old office file
    attachment_limit: int = 50  # of one mail
    attachment_depth_limit: int = 2  # what is attached to a mail in a mail in a mail is only counted
