"""Which letters of a PDF page a reader cannot see: invisible, of no size, or white with nothing behind them.

The invisible letters over a scanned picture are what an earlier OCR read there, and stay. White letters stay wherever
a picture, a pattern or a coloured shape lies behind them. Must not know lines.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

_SMALLEST_POINTS = 1.0
_WHITEST = 250
_INVISIBLE = pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE
_FILLED = (pdfium_c.FPDF_TEXTRENDERMODE_FILL, pdfium_c.FPDF_TEXTRENDERMODE_FILL_STROKE)
_DEEPEST = 1  # what lies in a form is placed by the form: the form itself counts

Box = tuple[float, float, float, float]


@dataclass
class Sight:
    """What can be seen on one page; looks at pictures and shapes only when a letter is suspicious."""

    page: pdfium.PdfPage
    text_page: pdfium.PdfTextPage
    has_large_picture: Callable[[], bool]
    _grounds: list[Box] | None = None

    def is_unseen(self, index: int) -> bool:
        """Whether the letter of this number cannot be seen."""
        box = self.text_page.get_charbox(index, loose=True)
        if abs(box[2] - box[0]) < _SMALLEST_POINTS and abs(box[3] - box[1]) < _SMALLEST_POINTS:
            return True
        mode = self._mode(index)
        if mode == _INVISIBLE:
            return not self.has_large_picture()
        return mode in _FILLED and self._is_white(index) and not self._has_ground(box)

    def _mode(self, index: int) -> int:
        drawn = pdfium_c.FPDFText_GetTextObject(self.text_page.raw, index)
        return int(pdfium_c.FPDFTextObj_GetTextRenderMode(drawn)) if drawn else -1

    def _is_white(self, index: int) -> bool:
        colour = [ctypes.c_uint() for _ in range(4)]
        if not pdfium_c.FPDFText_GetFillColor(self.text_page.raw, index, *colour):
            return False
        return all(channel.value >= _WHITEST for channel in colour[:3])

    def _has_ground(self, box: Box) -> bool:
        if self._grounds is None:
            self._grounds = [
                thing.get_bounds() for thing in self.page.get_objects(max_depth=_DEEPEST) if _covers(thing)
            ]
        across, along = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return any(left <= across <= right and bottom <= along <= top for left, bottom, right, top in self._grounds)


def _covers(thing: pdfium.PdfObject) -> bool:
    """Whether a thing on the page may make white letters on it visible."""
    if thing.type == pdfium_c.FPDF_PAGEOBJ_TEXT:
        return False
    if thing.type != pdfium_c.FPDF_PAGEOBJ_PATH:
        return True
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    if not pdfium_c.FPDFPath_GetDrawMode(thing.raw, mode, stroked) or mode.value == pdfium_c.FPDF_FILLMODE_NONE:
        return False
    colour = [ctypes.c_uint() for _ in range(4)]
    if not pdfium_c.FPDFPageObj_GetFillColor(thing.raw, *colour):
        return True
    return not all(channel.value >= _WHITEST for channel in colour[:3])
