"""Pictures of the screen for the documentation, taken by the tests that walk it; nothing is retouched."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "pictures"
COLOURS: Final = 256
LIMIT_BYTES: Final = 150_000
SETTLE_MS: Final = 1_000
"""The fade of what was drawn last, and charts, which grow."""


def are_wanted() -> bool:
    """Whether this run of the tests takes them."""
    return os.environ.get("PICTURES") == "1"


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Writes docs/pictures/NAME.png where PICTURES=1 asks for it (`make pictures`); nothing else.

    `whole`: the page down to its end, not only what the window shows.
    """
    if not are_wanted():
        return
    page.mouse.move(0, 0)
    before = page.viewport_size
    assert before is not None
    if whole:  # Streamlit scrolls inside the page, which a picture of the "full page" does not see
        height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
        page.set_viewport_size({"width": before["width"], "height": max(before["height"], int(height))})
    page.wait_for_timeout(SETTLE_MS)
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        flat = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        flat.save(FOLDER / f"{name}.png", optimize=True)
    page.set_viewport_size(before)
    size = (FOLDER / f"{name}.png").stat().st_size
    assert size <= LIMIT_BYTES, f"{name}.png has {size:,} bytes, more than {LIMIT_BYTES:,}"
